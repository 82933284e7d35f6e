"""Which attributes carry what people said: messages, documents, tool arguments and results.

These are keys of all dialects we know of. :mod:`agentvigil.semconv.privacy` adds what the registry and the dialects'
data say, and is what the store screens by; ask it for the class of a key.

Flattened dialects write one key per message (``llm.input_messages.0.message.content``), hence the prefixes. A digit
matters in ``gen_ai.prompt.0.content``: ``gen_ai.prompt.name`` is the current conventions' and no content.
"""

import re
from typing import Final

from agentvigil.semconv import attributes as a

CONTENT_KEYS: Final[tuple[str, ...]] = (
    # current conventions
    a.GEN_AI_SYSTEM_INSTRUCTIONS,
    a.GEN_AI_INPUT_MESSAGES,
    a.GEN_AI_OUTPUT_MESSAGES,
    a.GEN_AI_TOOL_DEFINITIONS,
    a.GEN_AI_TOOL_CALL_ARGUMENTS,
    a.GEN_AI_TOOL_CALL_RESULT,
    a.GEN_AI_RETRIEVAL_QUERY_TEXT,
    a.GEN_AI_RETRIEVAL_DOCUMENTS,
    "gen_ai.memory.query.text",
    "gen_ai.memory.records",
    "gen_ai.evaluation.explanation",
    # ours
    a.AGENTVIGIL_PROMPT_TEMPLATE,
    a.AGENTVIGIL_PROMPT_VARIABLES,
    # conventions up to 1.36, on spans and on span events
    "gen_ai.prompt",
    "gen_ai.completion",
    "gen_ai.content.prompt",
    "gen_ai.content.completion",
    "gen_ai.event.content",
    "gen_ai.choice",
    "gen_ai.system.message",
    "gen_ai.user.message",
    "gen_ai.assistant.message",
    "gen_ai.tool.message",
    "gen_ai.agent.tools",
    "gen_ai.agent.instructions",
    "gen_ai.tool.args",
    "gen_ai.tool.arguments",
    "gen_ai.tool.input",
    "gen_ai.tool.output",
    "gen_ai.tool.result",
    "gen_ai.request.messages",
    "gen_ai.response.message",
    "gen_ai.response.text",
    # bare names used by span events and by frameworks without a prefix
    "content",
    "message",
    "messages",
    "prompt",
    "completion",
    "input",
    "output",
    "inputs",
    "outputs",
    "body",
    "choice",
    "tool_calls",
    "system_prompt",
    "user_prompt",
    "tool_input",
    "tool_output",
    "tool_result",
    "tool_arguments",
    "tool_response",
    "tool_parameters",
    "arguments",
    "result",
    "response",
    "raw_input",
    "raw_output",
    "request_data",
    "response_data",
    "final_result",
    # OpenInference
    "input.value",
    "output.value",
    "llm.prompts",
    "llm.completions",
    "llm.function_call",
    "llm.tools",
    "llm.input_messages",
    "llm.output_messages",
    "embedding.text",
    "embedding.vector",
    "embedding.embeddings",
    "tool.parameters",
    "tool.json_schema",
    "tool_call.function.arguments",
    "document.content",
    "retrieval.documents",
    "reranker.query",
    # OpenLLMetry
    "traceloop.entity.input",
    "traceloop.entity.output",
    "traceloop.prompt.template_variables",
    "llm.content.prompt",
    "llm.content.completion",
    # Vercel AI SDK
    "ai.prompt",
    "ai.response.text",
    "ai.response.object",
    "ai.response.reasoning",
    "ai.response.toolCalls",
    "ai.response.files",
    "ai.result.text",
    "ai.result.object",
    "ai.result.toolCalls",
    "ai.toolCall.args",
    "ai.toolCall.result",
    "ai.value",
    "ai.values",
    "ai.embedding",
    "ai.embeddings",
    "ai.documents",
    # Langfuse, LangSmith, MLflow
    "langfuse.observation.input",
    "langfuse.observation.output",
    "langfuse.trace.input",
    "langfuse.trace.output",
    "mlflow.spanInputs",
    "mlflow.spanOutputs",
    "mlflow.chat.messages",
    "mlflow.chat.tools",
    # Google ADK
    "gcp.vertex.agent.llm_request",
    "gcp.vertex.agent.llm_response",
    "gcp.vertex.agent.tool_call_args",
    "gcp.vertex.agent.tool_response",
    "gcp.vertex.agent.data",
    # pydantic-ai, Semantic Kernel
    "all_messages_events",
    "events",
    "pydantic_ai.all_messages",
    "model_request_parameters",
    "sk.available_functions",
    # LiveKit Agents
    "lk.chat_ctx",
    "lk.instructions",
    "lk.user_input",
    "lk.user_transcript",
    "lk.input_text",
    "lk.response.text",
    "lk.function_tool.arguments",
    "lk.function_tool.output",
    "lk.function_tools",
    # CrewAI, Haystack, LiteLLM
    "crew_agents",
    "crew_tasks",
    "crew_inputs",
    "crew_result",
    "formatted_description",
    "task_output",
    "haystack.component.input",
    "haystack.component.output",
    "haystack.pipeline.input_data",
    "haystack.pipeline.output_data",
    "haystack.agent.input",
    "haystack.agent.output",
    "haystack.tool.input",
    "haystack.tool.output",
    "raw_gen_ai_request",
    "llm.openai.messages",
    "llm.anthropic.messages",
)
"""Keys that are content as they stand."""

CONTENT_PREFIXES: Final[tuple[str, ...]] = (
    "gen_ai.input.messages.",
    "gen_ai.output.messages.",
    "gen_ai.prompt.variable.",
    "gen_ai.tool.definitions.",
    "llm.input_messages.",
    "llm.output_messages.",
    "llm.prompts.",
    "llm.completions.",
    "llm.tools.",
    "llm.request.functions.",
    "llm.prompt_template.",
    "retrieval.documents.",
    "reranker.input_documents.",
    "reranker.output_documents.",
    "embedding.embeddings.",
    "message.content",
    "message.tool_calls.",
    "ai.prompt.",
    "langsmith.inputs.",
    "langsmith.outputs.",
    "lk.pii.",
    "mcp.request.argument.",
)
"""Every key that starts with one of these is content."""

CONTENT_NUMBERED_PREFIXES: Final[tuple[str, ...]] = ("gen_ai.prompt.", "gen_ai.completion.")
"""Every key that is one of these followed by a digit is content."""

CONTENT_PATTERN: Final = "^(?:{}|(?:{})[0-9])".format(
    "|".join(map(re.escape, CONTENT_PREFIXES)), "|".join(map(re.escape, CONTENT_NUMBERED_PREFIXES))
)
"""The prefixes as one regular expression that RE2 and Python's ``re`` read alike."""
