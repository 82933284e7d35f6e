"""Values that are chosen from a set, one enum per set.

A member is a string and goes into an attribute as it is. The sources are named in ``names``.

Made by ``tools/semconv/generate.py`` from ``registry.toml``; change that and run it again.
"""

from enum import StrEnum


class ErrorType(StrEnum):
    """The one value of error.type that is fixed; all others are codes of providers and names of exceptions.

    Of ``error.type``. Other values are usual. Source core.
    """

    OTHER = "_OTHER"
    """An error that has no better name."""


class OperationName(StrEnum):
    """What a span does.

    Of ``gen_ai.operation.name``. Other values are rarely meant. Source genai.
    """

    CHAT = "chat"
    """One call of a model with messages."""

    GENERATE_CONTENT = "generate_content"
    """One call of a model with content of several kinds, as Gemini has it."""

    TEXT_COMPLETION = "text_completion"
    """One call of a model with a plain prompt."""

    EMBEDDINGS = "embeddings"
    """One call that makes embeddings."""

    RETRIEVAL = "retrieval"
    """A search in a data source."""

    FETCH_RESPONSE = "fetch_response"
    """Fetching a response that the provider keeps."""

    CREATE_AGENT = "create_agent"
    """Creating an agent at a provider."""

    INVOKE_AGENT = "invoke_agent"
    """One run of an agent: the model decides what comes next."""

    INVOKE_WORKFLOW = "invoke_workflow"
    """One run of a workflow: application code decides what comes next."""

    EXECUTE_TOOL = "execute_tool"
    """One call of a tool."""

    PLAN = "plan"
    """An agent makes a plan."""

    CREATE_MEMORY_STORE = "create_memory_store"
    """Creating a store of memories."""

    DELETE_MEMORY_STORE = "delete_memory_store"
    """Deleting a store of memories."""

    CREATE_MEMORY = "create_memory"
    """Writing new memories."""

    UPDATE_MEMORY = "update_memory"
    """Changing memories."""

    UPSERT_MEMORY = "upsert_memory"
    """Writing memories, new or not."""

    SEARCH_MEMORY = "search_memory"
    """Searching memories."""

    DELETE_MEMORY = "delete_memory"
    """Deleting memories."""


class ProviderName(StrEnum):
    """Well-known providers; others may be named too.

    Of ``gen_ai.provider.name``. Other values are possible. Source genai.
    """

    OPENAI = "openai"
    """OpenAI."""

    ANTHROPIC = "anthropic"
    """Anthropic."""

    AWS_BEDROCK = "aws.bedrock"
    """Amazon Bedrock."""

    AZURE_AI_OPENAI = "azure.ai.openai"
    """OpenAI's models on Azure."""

    AZURE_AI_INFERENCE = "azure.ai.inference"
    """Azure AI Inference."""

    GCP_GEMINI = "gcp.gemini"
    """Gemini at generativelanguage.googleapis.com."""

    GCP_VERTEX_AI = "gcp.vertex_ai"
    """Vertex AI at aiplatform.googleapis.com."""

    GCP_GEN_AI = "gcp.gen_ai"
    """One of Google's, where it is not known which."""

    COHERE = "cohere"
    """Cohere."""

    DEEPSEEK = "deepseek"
    """DeepSeek."""

    GROQ = "groq"
    """Groq."""

    IBM_WATSONX_AI = "ibm.watsonx.ai"
    """IBM watsonx.ai."""

    MISTRAL_AI = "mistral_ai"
    """Mistral AI."""

    MOONSHOT_AI = "moonshot_ai"
    """Moonshot AI."""

    PERPLEXITY = "perplexity"
    """Perplexity."""

    X_AI = "x_ai"
    """xAI."""


class OutputType(StrEnum):
    """Kinds of output that can be asked for.

    Of ``gen_ai.output.type``. Other values are rarely meant. Source genai.
    """

    TEXT = "text"
    """Plain text."""

    JSON = "json"
    """JSON, with or without a schema."""

    IMAGE = "image"
    """An image."""

    SPEECH = "speech"
    """Speech."""


class ResponseStatus(StrEnum):
    """How far a stored response is.

    Of ``gen_ai.response.status``. Other values are rarely meant. Source genai.
    """

    QUEUED = "queued"
    """Not begun."""

    IN_PROGRESS = "in_progress"
    """Being made."""

    COMPLETED = "completed"
    """Done."""

    INCOMPLETE = "incomplete"
    """Ended before it was done."""

    FAILED = "failed"
    """Ended by an error."""

    CANCELLED = "cancelled"
    """Ended by the caller."""


class FinishReason(StrEnum):
    """Why a choice ended. Providers have words of their own, which stay as they are.

    Of ``gen_ai.response.finish_reasons``. Other values are usual. Source genai.
    """

    STOP = "stop"
    """The model was done, or met a stop sequence."""

    LENGTH = "length"
    """The limit of tokens was reached."""

    TOOL_CALL = "tool_call"
    """The model wants a tool to be called."""

    CONTENT_FILTER = "content_filter"
    """A filter withheld the rest."""

    ERROR = "error"
    """Generating failed or was cut off."""

    COMPACTION = "compaction"
    """The conversation has to be shortened first."""


class TokenType(StrEnum):
    """Direction of tokens.

    Of ``gen_ai.token.type`` (deprecated). The set is closed. Source genai.
    """

    INPUT = "input"
    """Sent to the model."""

    OUTPUT = "output"
    """Made by the model."""


class TokenModality(StrEnum):
    """What tokens carry.

    Of ``gen_ai.token.modality``. Other values are rarely meant. Source genai.
    """

    TEXT = "text"
    """Text."""

    IMAGE = "image"
    """Images."""

    AUDIO = "audio"
    """Sound."""

    UNKNOWN = "unknown"
    """Not known."""


class ToolType(StrEnum):
    """Where a tool runs.

    Of ``gen_ai.tool.type``. Other values are rarely meant. Source genai.
    """

    FUNCTION = "function"
    """The application runs it."""

    EXTENSION = "extension"
    """The agent's side runs it and calls an interface outside."""

    DATASTORE = "datastore"
    """It reads data for the agent."""


class McpMethodName(StrEnum):
    """Methods of the Model Context Protocol.

    Of ``mcp.method.name``. Other values are rarely meant. Source mcp.
    """

    INITIALIZE = "initialize"
    """Handshake of revisions before 2026-07-28."""

    PING = "ping"
    """Sign of life of revisions before 2026-07-28."""

    COMPLETION_COMPLETE = "completion/complete"
    """Completing an argument."""

    ELICITATION_CREATE = "elicitation/create"
    """The server asks the user something."""

    LOGGING_SET_LEVEL = "logging/setLevel"
    """Level of logging, in revisions before 2026-07-28."""

    NOTIFICATIONS_CANCELLED = "notifications/cancelled"
    """A request is called off."""

    NOTIFICATIONS_INITIALIZED = "notifications/initialized"
    """End of the handshake of revisions before 2026-07-28."""

    NOTIFICATIONS_MESSAGE = "notifications/message"
    """A log message."""

    NOTIFICATIONS_PROGRESS = "notifications/progress"
    """Progress of a long request."""

    NOTIFICATIONS_PROMPTS_LIST_CHANGED = "notifications/prompts/list_changed"
    """The list of prompts changed."""

    NOTIFICATIONS_RESOURCES_LIST_CHANGED = "notifications/resources/list_changed"
    """The list of resources changed."""

    NOTIFICATIONS_RESOURCES_UPDATED = "notifications/resources/updated"
    """A resource changed."""

    NOTIFICATIONS_ROOTS_LIST_CHANGED = "notifications/roots/list_changed"
    """The list of roots changed."""

    NOTIFICATIONS_SUBSCRIPTIONS_ACKNOWLEDGED = "notifications/subscriptions/acknowledged"
    """A subscription was taken."""

    NOTIFICATIONS_TOOLS_LIST_CHANGED = "notifications/tools/list_changed"
    """The list of tools changed."""

    PROMPTS_GET = "prompts/get"
    """Getting a prompt."""

    PROMPTS_LIST = "prompts/list"
    """Listing prompts."""

    RESOURCES_LIST = "resources/list"
    """Listing resources."""

    RESOURCES_READ = "resources/read"
    """Reading a resource."""

    RESOURCES_SUBSCRIBE = "resources/subscribe"
    """Subscribing to a resource, in revisions before 2026-07-28."""

    RESOURCES_TEMPLATES_LIST = "resources/templates/list"
    """Listing templates of resources."""

    RESOURCES_UNSUBSCRIBE = "resources/unsubscribe"
    """Leaving a resource, in revisions before 2026-07-28."""

    ROOTS_LIST = "roots/list"
    """Listing roots."""

    SAMPLING_CREATE_MESSAGE = "sampling/createMessage"
    """The server asks the client's model."""

    SERVER_DISCOVER = "server/discover"
    """Learning what a server can do."""

    SUBSCRIPTIONS_LISTEN = "subscriptions/listen"
    """Opening a channel of subscriptions."""

    TOOLS_CALL = "tools/call"
    """Calling a tool."""

    TOOLS_LIST = "tools/list"
    """Listing tools."""


class StepType(StrEnum):
    """What a step is within its run.

    Of ``agentvigil.step.type``. The set is closed. Source agentvigil.
    """

    PLAN = "plan"
    """Deciding what to do next."""

    RETRIEVE = "retrieve"
    """Getting data to work with."""

    TOOL = "tool"
    """Calling a tool."""

    RESPOND = "respond"
    """Answering."""

    OTHER = "other"
    """Anything else."""


class FailureType(StrEnum):
    """Which part of an agent failed.

    Of ``agentvigil.failure.type``. The set is closed. Source agentvigil.
    """

    TOOL = "tool"
    """A tool."""

    MODEL = "model"
    """The model or its provider."""

    RETRIEVAL = "retrieval"
    """Getting data to work with."""

    ORCHESTRATION = "orchestration"
    """What holds the agent together: its loop, its framework, the application."""


class FailureCode(StrEnum):
    """Well-known failures; others may be named too.

    Of ``agentvigil.failure.code``. Other values are possible. Source agentvigil.
    """

    TIMEOUT = "timeout"
    """No answer in time."""

    RATE_LIMITED = "rate_limited"
    """Too many requests, or a quota was used up."""

    UNAVAILABLE = "unavailable"
    """The other side was away or overloaded."""

    AUTH = "auth"
    """The key was missing, wrong or not allowed to do this."""

    INVALID_REQUEST = "invalid_request"
    """The other side refused the request as wrong."""

    NOT_FOUND = "not_found"
    """What was asked for is not there: a model, a tool, a file, a record."""

    SCHEMA_INVALID = "schema_invalid"
    """Output or arguments did not fit the schema that was asked for."""

    CONTEXT_LENGTH_EXCEEDED = "context_length_exceeded"
    """The input was longer than the model takes."""

    CONTENT_FILTERED = "content_filtered"
    """A filter or guardrail withheld input or output."""

    TRUNCATED = "truncated"
    """The model stopped at its limit of output tokens."""

    EMPTY_RETRIEVAL = "empty_retrieval"
    """A search found nothing."""

    TOOL_ERROR = "tool_error"
    """A tool reported an error of its own."""

    MAX_STEPS_EXCEEDED = "max_steps_exceeded"
    """The agent used up its steps without an end."""

    CANCELLED = "cancelled"
    """Somebody called it off."""

    OTHER = "other"
    """Anything else."""


class CostSource(StrEnum):
    """Who worked a cost out.

    Of ``agentvigil.cost.source``. The set is closed. Source agentvigil.
    """

    PROVIDER = "provider"
    """The provider said so in its answer."""

    GATEWAY = "gateway"
    """A gateway or proxy in between said so."""

    APPLICATION = "application"
    """The application worked it out."""


class FeedbackSource(StrEnum):
    """Who judged a run.

    Of ``agentvigil.feedback.source``. The set is closed. Source agentvigil.
    """

    USER = "user"
    """Whoever the agent works for."""

    REVIEWER = "reviewer"
    """Somebody who looks at runs as their work."""

    AUTOMATIC = "automatic"
    """A program, a model that judges included."""


class ReplayMode(StrEnum):
    """What was replayed.

    Of ``agentvigil.replay.mode``. The set is closed. Source agentvigil.
    """

    CALL = "call"
    """One call of a model."""

    RUN = "run"
    """A whole run."""


class ReplayAnswer(StrEnum):
    """Where a replayed span's result came from.

    Of ``agentvigil.replay.answered_from``. The set is closed. Source agentvigil.
    """

    RECORD = "record"
    """From the original."""

    LIVE = "live"
    """Made anew."""
