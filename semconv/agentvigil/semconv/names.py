"""Every name of the vocabulary: attributes, events and metrics, one documented constant each.

Each docstring says what the name means, the type of its value, its unit if it has one, its stability, its privacy
class (the head of ``registry.toml`` says what these mean) and its source:

- genai: OpenTelemetry GenAI conventions, https://github.com/open-telemetry/semantic-conventions-genai, e9de14ba
  (spans, registry, metrics), 066d4a7f (token metrics), 03870916 (events), 32c328e8 (migration guide)
- mcp: OpenTelemetry GenAI conventions, MCP, https://github.com/open-telemetry/semantic-conventions-genai, 5c50d346
  (model/mcp), 4172e394 (methods)
- core: OpenTelemetry semantic conventions, https://github.com/open-telemetry/semantic-conventions, v1.44.0
- frozen: OpenTelemetry semantic conventions, before GenAI moved out,
  https://pypi.org/project/opentelemetry-semantic-conventions/0.66b2/, 0.66b2
- libraries: libraries that write names of their own under gen_ai,
  https://github.com/open-telemetry/semantic-conventions-genai, e9de14ba, where none of them is defined
- agentvigil: AgentVigil, docs/semconv.md, 0.1.0

Made by ``tools/semconv/generate.py`` from ``registry.toml``; change that and run it again.
"""

# ruff: noqa: S105 - tokens of models are no passwords

from typing import Final

SCHEMA_URL: Final = "https://opentelemetry.io/schemas/gen-ai-dev/1.42.0-dev"
"""Schema of the GenAI conventions that these names follow; pass it to ``get_tracer(..., schema_url=)``."""

CORE_SCHEMA_URL: Final = "https://opentelemetry.io/schemas/1.44.0"
"""Schema of the conventions that the GenAI conventions build on."""


# Who runs, and where

SERVICE_NAME: Final = "service.name"
"""Logical name of the service that emitted the telemetry (resource attribute).

String; stable; privacy safe; source core.
"""

SERVICE_VERSION: Final = "service.version"
"""Version of that service (resource attribute).

String; stable; privacy safe; source core.
"""

DEPLOYMENT_ENVIRONMENT_NAME: Final = "deployment.environment.name"
"""Deployment tier (resource attribute).

String; stable; privacy safe; source core.
"""

USER_ID: Final = "user.id"
"""Who the agent works for; an id, never a name or an address.

String; development; privacy label; source core.
"""

SESSION_ID: Final = "session.id"
"""Session of the user interface. A thread of messages is a conversation and has a name of its own.

String; development; privacy label; source core.
"""

SERVER_ADDRESS: Final = "server.address"
"""Host of the model provider's endpoint.

String; stable; privacy safe; source core.
"""

SERVER_PORT: Final = "server.port"
"""Port of the model provider's endpoint.

Int; stable; privacy safe; source core.
"""

ERROR_TYPE: Final = "error.type"
"""Class of error the operation ended with: a provider's error code or an exception's full name.

String of ``ErrorType``; stable; privacy label; source core.
"""

EXCEPTION_TYPE: Final = "exception.type"
"""Full name of the exception's class (on the exception event).

String; stable; privacy label; source core.
"""

EXCEPTION_MESSAGE: Final = "exception.message"
"""What the exception says (on the exception event).

String; stable; privacy free_text; source core.
"""

EXCEPTION_STACKTRACE: Final = "exception.stacktrace"
"""Stack trace as the language prints it (on the exception event).

String; stable; privacy free_text; source core.
"""

PROCESS_EXECUTABLE_NAME: Final = "process.executable.name"
"""Program that a skill's command starts.

String; development; privacy label; source core.
"""

PROCESS_EXECUTABLE_PATH: Final = "process.executable.path"
"""Path of the program that a skill's command starts.

String; development; privacy free_text; source core.
"""

PROCESS_EXIT_CODE: Final = "process.exit.code"
"""Exit code of a skill's command.

Int; development; privacy safe; source core.
"""


# Operations

GEN_AI_OPERATION_NAME: Final = "gen_ai.operation.name"
"""What the span does; decides which other attributes belong on it.

String of ``OperationName``; development; privacy label; source genai.
"""

GEN_AI_PROVIDER_NAME: Final = "gen_ai.provider.name"
"""Provider as the client sees it; not on agents and tools that run in this process.

String of ``ProviderName``; development; privacy label; source genai.
"""

GEN_AI_OUTPUT_TYPE: Final = "gen_ai.output.type"
"""Kind of output that was asked for.

String of ``OutputType``; development; privacy label; source genai.
"""

GEN_AI_CONVERSATION_ID: Final = "gen_ai.conversation.id"
"""Session or thread that the call belongs to; never invented where there is none.

String; development; privacy label; source genai.
"""

GEN_AI_CONVERSATION_COMPACTED: Final = "gen_ai.conversation.compacted"
"""True where the conversation was shortened before this call; absent otherwise.

Boolean; development; privacy safe; source genai.
"""


# Request

GEN_AI_REQUEST_MODEL: Final = "gen_ai.request.model"
"""Model the caller asked for. Differs from the response model for aliases.

String; development; privacy safe; source genai.
"""

GEN_AI_REQUEST_MAX_TOKENS: Final = "gen_ai.request.max_tokens"
"""Most output tokens the caller allows.

Int; unit {token}; development; privacy safe; source genai.
"""

GEN_AI_REQUEST_TEMPERATURE: Final = "gen_ai.request.temperature"
"""Sampling temperature asked for.

Double; development; privacy safe; source genai.
"""

GEN_AI_REQUEST_TOP_P: Final = "gen_ai.request.top_p"
"""Share of probability that sampling chooses from.

Double; development; privacy safe; source genai.
"""

GEN_AI_REQUEST_TOP_K: Final = "gen_ai.request.top_k"
"""How many of the likeliest tokens sampling chooses from. The size of a retrieval has a name of its own.

Int; development; privacy safe; source genai.
"""

GEN_AI_REQUEST_FREQUENCY_PENALTY: Final = "gen_ai.request.frequency_penalty"
"""Penalty for tokens by how often they already occurred.

Double; development; privacy safe; source genai.
"""

GEN_AI_REQUEST_PRESENCE_PENALTY: Final = "gen_ai.request.presence_penalty"
"""Penalty for tokens that already occurred at all.

Double; development; privacy safe; source genai.
"""

GEN_AI_REQUEST_STOP_SEQUENCES: Final = "gen_ai.request.stop_sequences"
"""Strings at which the model has to stop.

String[]; development; privacy free_text; source genai.
"""

GEN_AI_REQUEST_SEED: Final = "gen_ai.request.seed"
"""Seed for sampling that can be repeated.

Int; development; privacy safe; source genai.
"""

GEN_AI_REQUEST_CHOICE_COUNT: Final = "gen_ai.request.choice.count"
"""How many answers were asked for, where that is not one.

Int; development; privacy safe; source genai.
"""

GEN_AI_REQUEST_STREAM: Final = "gen_ai.request.stream"
"""True for a streamed answer; absent otherwise.

Boolean; development; privacy safe; source genai.
"""

GEN_AI_REQUEST_STREAM_CURSOR: Final = "gen_ai.request.stream_cursor"
"""Place in a stored stream from which fetching goes on.

String; development; privacy label; source genai.
"""

GEN_AI_REQUEST_REASONING_LEVEL: Final = "gen_ai.request.reasoning.level"
"""How much reasoning was asked for, in the provider's own word.

String; development; privacy label; source genai.
"""

GEN_AI_REQUEST_PREVIOUS_RESPONSE_ID: Final = "gen_ai.request.previous_response.id"
"""Id of the response that this request continues.

String; development; privacy label; source genai.
"""

GEN_AI_REQUEST_ENCODING_FORMATS: Final = "gen_ai.request.encoding_formats"
"""Formats in which embeddings were asked for.

String[]; development; privacy label; source genai.
"""

GEN_AI_EMBEDDINGS_DIMENSION_COUNT: Final = "gen_ai.embeddings.dimension.count"
"""Dimensions of the embeddings.

Int; development; privacy safe; source genai.
"""

GEN_AI_PROMPT_NAME: Final = "gen_ai.prompt.name"
"""Name of the stored prompt that the request uses.

String; development; privacy label; source genai.
"""

GEN_AI_PROMPT_VERSION: Final = "gen_ai.prompt.version"
"""Version of the stored prompt that the request uses.

String; development; privacy label; source genai.
"""

GEN_AI_PROMPT_VARIABLE: Final = "gen_ai.prompt.variable"
"""What a variable of the stored prompt was set to; the variable's name follows after a dot.

String, after the name a dot and a key; development; privacy content; source genai.
"""


# Response

GEN_AI_RESPONSE_ID: Final = "gen_ai.response.id"
"""The provider's id of the completion. Two spans with the same id are one call seen twice.

String; development; privacy label; source genai.
"""

GEN_AI_RESPONSE_MODEL: Final = "gen_ai.response.model"
"""Model that answered.

String; development; privacy safe; source genai.
"""

GEN_AI_RESPONSE_FINISH_REASONS: Final = "gen_ai.response.finish_reasons"
"""Why each choice ended, one string per choice, as the provider says it.

String[] of ``FinishReason``; development; privacy label; source genai.
"""

GEN_AI_RESPONSE_STATUS: Final = "gen_ai.response.status"
"""How far a stored response is when it is fetched.

String of ``ResponseStatus``; development; privacy label; source genai.
"""

GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK: Final = "gen_ai.response.time_to_first_chunk"
"""From the request to the first streamed chunk.

Double; unit s; development; privacy safe; source genai.
"""


# Tokens

GEN_AI_USAGE_INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"
"""All input tokens, those read from and written to a cache included.

Int; unit {token}; development; privacy safe; source genai.
"""

GEN_AI_USAGE_OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"
"""All output tokens, reasoning included.

Int; unit {token}; development; privacy safe; source genai.
"""

GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS: Final = "gen_ai.usage.cache_read.input_tokens"
"""The part of the input tokens read from a cache.

Int; unit {token}; development; privacy safe; source genai.
"""

GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS: Final = "gen_ai.usage.cache_write.input_tokens"
"""The part of the input tokens written to a cache.

Int; unit {token}; development; privacy safe; source genai.
"""

GEN_AI_USAGE_REASONING_OUTPUT_TOKENS: Final = "gen_ai.usage.reasoning.output_tokens"
"""The part of the output tokens spent on reasoning.

Int; unit {token}; development; privacy safe; source genai.
"""

GEN_AI_USAGE_TEXT_INPUT_TOKENS: Final = "gen_ai.usage.text.input_tokens"
"""The part of the input tokens that is text.

Int; unit {token}; development; privacy safe; source genai.
"""

GEN_AI_USAGE_IMAGE_INPUT_TOKENS: Final = "gen_ai.usage.image.input_tokens"
"""The part of the input tokens that is images.

Int; unit {token}; development; privacy safe; source genai.
"""

GEN_AI_USAGE_AUDIO_INPUT_TOKENS: Final = "gen_ai.usage.audio.input_tokens"
"""The part of the input tokens that is sound.

Int; unit {token}; development; privacy safe; source genai.
"""

GEN_AI_USAGE_TEXT_OUTPUT_TOKENS: Final = "gen_ai.usage.text.output_tokens"
"""The part of the output tokens that is text.

Int; unit {token}; development; privacy safe; source genai.
"""

GEN_AI_USAGE_IMAGE_OUTPUT_TOKENS: Final = "gen_ai.usage.image.output_tokens"
"""The part of the output tokens that is images.

Int; unit {token}; development; privacy safe; source genai.
"""

GEN_AI_USAGE_AUDIO_OUTPUT_TOKENS: Final = "gen_ai.usage.audio.output_tokens"
"""The part of the output tokens that is sound.

Int; unit {token}; development; privacy safe; source genai.
"""

GEN_AI_USAGE_TEXT_CACHE_READ_INPUT_TOKENS: Final = "gen_ai.usage.text.cache_read.input_tokens"
"""The part of the tokens read from a cache that is text.

Int; unit {token}; development; privacy safe; source genai.
"""

GEN_AI_USAGE_IMAGE_CACHE_READ_INPUT_TOKENS: Final = "gen_ai.usage.image.cache_read.input_tokens"
"""The part of the tokens read from a cache that is images.

Int; unit {token}; development; privacy safe; source genai.
"""

GEN_AI_USAGE_AUDIO_CACHE_READ_INPUT_TOKENS: Final = "gen_ai.usage.audio.cache_read.input_tokens"
"""The part of the tokens read from a cache that is sound.

Int; unit {token}; development; privacy safe; source genai.
"""

GEN_AI_TOKEN_MODALITY: Final = "gen_ai.token.modality"
"""What the tokens of a data point carry (counters of tokens).

String of ``TokenModality``; development; privacy label; source genai.
"""

GEN_AI_TOKEN_TYPE: Final = "gen_ai.token.type"
"""Direction of the tokens of a data point; went with the histogram gen_ai.client.token.usage.

String of ``TokenType``; deprecated; privacy label; source genai.
"""


# Agents and workflows

GEN_AI_AGENT_NAME: Final = "gen_ai.agent.name"
"""Name the application gives its agent.

String; development; privacy safe; source genai.
"""

GEN_AI_AGENT_ID: Final = "gen_ai.agent.id"
"""Lasting id of an agent that a provider hosts; never the address of an object.

String; development; privacy label; source genai.
"""

GEN_AI_AGENT_VERSION: Final = "gen_ai.agent.version"
"""Version the application gives its agent.

String; development; privacy safe; source genai.
"""

GEN_AI_AGENT_DESCRIPTION: Final = "gen_ai.agent.description"
"""What the agent is for.

String; development; privacy free_text; source genai.
"""

GEN_AI_MAIN_AGENT_ID: Final = "gen_ai.main_agent.id"
"""Id of the agent that the whole process serves (resource attribute).

String; development; privacy label; source genai.
"""

GEN_AI_MAIN_AGENT_NAME: Final = "gen_ai.main_agent.name"
"""Name of the agent that the whole process serves (resource attribute).

String; development; privacy safe; source genai.
"""

GEN_AI_MAIN_AGENT_DESCRIPTION: Final = "gen_ai.main_agent.description"
"""What the agent is for that the whole process serves (resource attribute).

String; development; privacy free_text; source genai.
"""

GEN_AI_WORKFLOW_NAME: Final = "gen_ai.workflow.name"
"""Name of a workflow that application code drives; not the class of the framework.

String; development; privacy safe; source genai.
"""

GEN_AI_AGENT_TURN_COUNT: Final = "gen_ai.agent.turn.count"
"""How many turns the agent took.

Int; proposed; privacy safe; source genai.
"""

GEN_AI_AGENT_TURN_INDEX: Final = "gen_ai.agent.turn.index"
"""Which turn of its agent the span belongs to.

Int; proposed; privacy safe; source genai.
"""

GEN_AI_INVOCATION_IS_NESTED: Final = "gen_ai.invocation.is_nested"
"""Whether the agent or workflow runs inside another one (metrics).

Boolean; proposed; privacy safe; source genai.
"""


# Tools and skills

GEN_AI_TOOL_NAME: Final = "gen_ai.tool.name"
"""Name of the tool that runs.

String; development; privacy label; source genai.
"""

GEN_AI_TOOL_TYPE: Final = "gen_ai.tool.type"
"""Where the tool runs and what it does for the model.

String of ``ToolType``; development; privacy label; source genai.
"""

GEN_AI_TOOL_DESCRIPTION: Final = "gen_ai.tool.description"
"""What the tool is for.

String; development; privacy free_text; source genai.
"""

GEN_AI_TOOL_CALL_ID: Final = "gen_ai.tool.call.id"
"""The model's id of the tool call.

String; development; privacy label; source genai.
"""

GEN_AI_SKILL_NAME: Final = "gen_ai.skill.name"
"""Name of the skill that is loaded, read or run.

String; development; privacy label; source genai.
"""

GEN_AI_SKILL_DESCRIPTION: Final = "gen_ai.skill.description"
"""What the skill is for.

String; development; privacy free_text; source genai.
"""

GEN_AI_SKILL_SOURCE_URI: Final = "gen_ai.skill.source.uri"
"""Where the skill came from.

String; development; privacy free_text; source genai.
"""

GEN_AI_SKILL_RESOURCE_NAME: Final = "gen_ai.skill.resource.name"
"""File of the skill that is read.

String; development; privacy label; source genai.
"""


# Retrieval and memory

GEN_AI_DATA_SOURCE_ID: Final = "gen_ai.data_source.id"
"""Data source that a retrieval reads.

String; development; privacy label; source genai.
"""

GEN_AI_RETRIEVAL_TOP_K: Final = "gen_ai.retrieval.top_k"
"""How many documents a retrieval asked for.

Int; development; privacy safe; source genai.
"""

GEN_AI_MEMORY_STORE_ID: Final = "gen_ai.memory.store.id"
"""Store that the memory operation works on.

String; development; privacy label; source genai.
"""

GEN_AI_MEMORY_RECORD_ID: Final = "gen_ai.memory.record.id"
"""Record that the memory operation works on.

String; development; privacy label; source genai.
"""

GEN_AI_MEMORY_RECORD_COUNT: Final = "gen_ai.memory.record.count"
"""How many records the memory operation touched or found.

Int; development; privacy safe; source genai.
"""


# Content: withheld unless a project allows it

GEN_AI_SYSTEM_INSTRUCTIONS: Final = "gen_ai.system_instructions"
"""System prompt, JSON parts.

Any, on spans as JSON; development; privacy content; source genai.
"""

GEN_AI_INPUT_MESSAGES: Final = "gen_ai.input.messages"
"""Messages sent to the model, JSON.

Any, on spans as JSON; development; privacy content; source genai.
"""

GEN_AI_OUTPUT_MESSAGES: Final = "gen_ai.output.messages"
"""Messages the model answered with, JSON.

Any, on spans as JSON; development; privacy content; source genai.
"""

GEN_AI_TOOL_DEFINITIONS: Final = "gen_ai.tool.definitions"
"""Tools offered to the model, JSON.

Any, on spans as JSON; development; privacy content; source genai.
"""

GEN_AI_TOOL_CALL_ARGUMENTS: Final = "gen_ai.tool.call.arguments"
"""Arguments of a tool call, JSON.

Any, on spans as JSON; development; privacy content; source genai.
"""

GEN_AI_TOOL_CALL_RESULT: Final = "gen_ai.tool.call.result"
"""Result of a tool call, JSON.

Any, on spans as JSON; development; privacy content; source genai.
"""

GEN_AI_RETRIEVAL_QUERY_TEXT: Final = "gen_ai.retrieval.query.text"
"""Text that was searched for.

String; development; privacy content; source genai.
"""

GEN_AI_RETRIEVAL_DOCUMENTS: Final = "gen_ai.retrieval.documents"
"""Documents found, JSON.

Any, on spans as JSON; development; privacy content; source genai.
"""

GEN_AI_MEMORY_QUERY_TEXT: Final = "gen_ai.memory.query.text"
"""Text that a memory store was searched for.

String; development; privacy content; source genai.
"""

GEN_AI_MEMORY_RECORDS: Final = "gen_ai.memory.records"
"""Records written to or found in a memory store, JSON.

Any, on spans as JSON; development; privacy content; source genai.
"""


# Evaluation

GEN_AI_EVALUATION_NAME: Final = "gen_ai.evaluation.name"
"""What was judged (on the evaluation event).

String; development; privacy label; source genai.
"""

GEN_AI_EVALUATION_SCORE_VALUE: Final = "gen_ai.evaluation.score.value"
"""The verdict as a number; its scale is the evaluator's.

Double; development; privacy safe; source genai.
"""

GEN_AI_EVALUATION_SCORE_LABEL: Final = "gen_ai.evaluation.score.label"
"""The verdict as a word.

String; development; privacy label; source genai.
"""

GEN_AI_EVALUATION_EXPLANATION: Final = "gen_ai.evaluation.explanation"
"""Why the evaluator came to its verdict; it quotes what it judged.

String; development; privacy content; source genai.
"""


# Cost, as proposed upstream

GEN_AI_USAGE_COST_AMOUNT: Final = "gen_ai.usage.cost.amount"
"""What the call cost.

Double; proposed; privacy safe; source genai.
"""

GEN_AI_USAGE_COST_CURRENCY: Final = "gen_ai.usage.cost.currency"
"""Currency of that amount, ISO 4217.

String; proposed; privacy label; source genai.
"""

GEN_AI_USAGE_COST_SOURCE: Final = "gen_ai.usage.cost.source"
"""Who worked the amount out: the provider, or the client by a price list.

String; proposed; privacy label; source genai.
"""


# Single providers

OPENAI_API_TYPE: Final = "openai.api.type"
"""Which of OpenAI's interfaces was called.

String; development; privacy label; source genai.
"""

OPENAI_REQUEST_SERVICE_TIER: Final = "openai.request.service_tier"
"""Service tier that was asked for.

String; development; privacy label; source genai.
"""

OPENAI_RESPONSE_SERVICE_TIER: Final = "openai.response.service_tier"
"""Service tier that answered; the price depends on it.

String; development; privacy label; source genai.
"""

OPENAI_RESPONSE_SYSTEM_FINGERPRINT: Final = "openai.response.system_fingerprint"
"""OpenAI's mark of the configuration that answered.

String; development; privacy label; source genai.
"""

AWS_BEDROCK_GUARDRAIL_ID: Final = "aws.bedrock.guardrail.id"
"""Guardrail that Bedrock applied.

String; development; privacy label; source genai.
"""

AWS_BEDROCK_KNOWLEDGE_BASE_ID: Final = "aws.bedrock.knowledge_base.id"
"""Knowledge base that Bedrock read.

String; development; privacy label; source genai.
"""

AZURE_RESOURCE_PROVIDER_NAMESPACE: Final = "azure.resource_provider.namespace"
"""Azure's resource provider that the client talks to.

String; development; privacy label; source genai.
"""


# Model Context Protocol

MCP_METHOD_NAME: Final = "mcp.method.name"
"""Method of the request or notification.

String of ``McpMethodName``; development; privacy label; source mcp.
"""

MCP_PROTOCOL_VERSION: Final = "mcp.protocol.version"
"""Revision of the protocol that both sides speak.

String; development; privacy label; source mcp.
"""

MCP_SESSION_ID: Final = "mcp.session.id"
"""Session of the transport; revisions from 2026-07-28 on have none.

String; development; privacy label; source mcp.
"""

MCP_RESOURCE_URI: Final = "mcp.resource.uri"
"""Resource that the request is about.

String; development; privacy free_text; source mcp.
"""

JSONRPC_REQUEST_ID: Final = "jsonrpc.request.id"
"""Id of the JSON-RPC request, as text.

String; development; privacy label; source core.
"""

JSONRPC_PROTOCOL_VERSION: Final = "jsonrpc.protocol.version"
"""Version of JSON-RPC, where it is not 2.0.

String; development; privacy label; source core.
"""

RPC_RESPONSE_STATUS_CODE: Final = "rpc.response.status_code"
"""Code of the JSON-RPC error, as text.

String; development; privacy label; source core.
"""

NETWORK_TRANSPORT: Final = "network.transport"
"""What carries the protocol.

String; stable; privacy label; source core.
"""

NETWORK_PROTOCOL_NAME: Final = "network.protocol.name"
"""Protocol below MCP.

String; stable; privacy label; source core.
"""

NETWORK_PROTOCOL_VERSION: Final = "network.protocol.version"
"""Version of the protocol below MCP.

String; stable; privacy label; source core.
"""

CLIENT_ADDRESS: Final = "client.address"
"""Host of the client, as the server sees it.

String; stable; privacy label; source core.
"""

CLIENT_PORT: Final = "client.port"
"""Port of the client, as the server sees it.

Int; stable; privacy safe; source core.
"""


# AgentVigil: steps and failures

AGENTVIGIL_STEP_TYPE: Final = "agentvigil.step.type"
"""What the step is within its run, said by hand; without it the operation and finish reason decide.

String of ``StepType``; development; privacy label; source agentvigil.
"""

AGENTVIGIL_STEP_NAME: Final = "agentvigil.step.name"
"""Name the application gives the step; the same in every run.

String; development; privacy safe; source agentvigil.
"""

AGENTVIGIL_STEP_ATTEMPT: Final = "agentvigil.step.attempt"
"""Which try of the same step this is, from 1.

Int; development; privacy safe; source agentvigil.
"""

AGENTVIGIL_IS_STEP: Final = "agentvigil.is_step"
"""True on a step that has no operation of its own, between an agent and its calls; absent otherwise.

Boolean; development; privacy safe; source agentvigil.
"""

AGENTVIGIL_CONFIDENCE: Final = "agentvigil.confidence"
"""How sure the agent is of the step, or of the run: 0 is not at all, 1 is certain.

Double; development; privacy safe; source agentvigil.
"""

AGENTVIGIL_FAILURE_TYPE: Final = "agentvigil.failure.type"
"""Which part of the agent failed.

String of ``FailureType``; development; privacy label; source agentvigil.
"""

AGENTVIGIL_FAILURE_CODE: Final = "agentvigil.failure.code"
"""What went wrong, in one word that failures can be counted by.

String of ``FailureCode``; development; privacy label; source agentvigil.
"""

AGENTVIGIL_FAILURE_MESSAGE: Final = "agentvigil.failure.message"
"""What went wrong, in words.

String; development; privacy free_text; source agentvigil.
"""


# AgentVigil: cost and feedback

AGENTVIGIL_COST_USD: Final = "agentvigil.cost.usd"
"""What the call cost, where the application knows better than a price list.

Double; unit USD; development; privacy safe; source agentvigil.
"""

AGENTVIGIL_COST_INPUT_USD: Final = "agentvigil.cost.input_usd"
"""The part of the cost that the input tokens make.

Double; unit USD; development; privacy safe; source agentvigil.
"""

AGENTVIGIL_COST_OUTPUT_USD: Final = "agentvigil.cost.output_usd"
"""The part of the cost that the output tokens make.

Double; unit USD; development; privacy safe; source agentvigil.
"""

AGENTVIGIL_COST_SOURCE: Final = "agentvigil.cost.source"
"""Who worked the cost out.

String of ``CostSource``; development; privacy label; source agentvigil.
"""

AGENTVIGIL_COST_DETAILS: Final = "agentvigil.cost.details"
"""The cost by part, JSON; the parts add up to the cost.

Any, on spans as JSON; unit USD; development; privacy numeric_json; source agentvigil.
"""

AGENTVIGIL_FEEDBACK_RUN_ID: Final = "agentvigil.feedback.run_id"
"""Id of the run that was judged: its trace id, or that and its top span's id, joined by a dash.

String; development; privacy label; source agentvigil.
"""

AGENTVIGIL_FEEDBACK_SCORE: Final = "agentvigil.feedback.score"
"""The judgement as a number; its scale is the application's, more is better.

Double; development; privacy safe; source agentvigil.
"""

AGENTVIGIL_FEEDBACK_LABEL: Final = "agentvigil.feedback.label"
"""The judgement as a word.

String; development; privacy label; source agentvigil.
"""

AGENTVIGIL_FEEDBACK_SOURCE: Final = "agentvigil.feedback.source"
"""Who judged.

String of ``FeedbackSource``; development; privacy label; source agentvigil.
"""

AGENTVIGIL_FEEDBACK_COMMENT: Final = "agentvigil.feedback.comment"
"""What was said along with the judgement.

String; development; privacy free_text; source agentvigil.
"""


# AgentVigil: what libraries tell besides

AGENTVIGIL_FRAMEWORK: Final = "agentvigil.framework"
"""Framework that made the span, where it gave its own name as the provider's.

String; development; privacy label; source agentvigil.
"""

AGENTVIGIL_PROMPT_TEMPLATE: Final = "agentvigil.prompt.template"
"""Text, or messages, that the prompt was made from.

Any, on spans as JSON; development; privacy content; source agentvigil.
"""

AGENTVIGIL_PROMPT_VARIABLES: Final = "agentvigil.prompt.variables"
"""What the variables of that template were set to, by their names.

Any, on spans as JSON; development; privacy content; source agentvigil.
"""

AGENTVIGIL_RETRIEVAL_DOCUMENT_COUNT: Final = "agentvigil.retrieval.document.count"
"""How many documents a retrieval found; with it an empty one is known where documents are not recorded.

Int; unit {document}; development; privacy safe; source agentvigil.
"""

AGENTVIGIL_USAGE_TOTAL_TOKENS: Final = "agentvigil.usage.total_tokens"
"""Input and output tokens together, where a library sends their sum along.

Int; unit {token}; development; privacy safe; source agentvigil.
"""

AGENTVIGIL_RUN_USAGE_INPUT_TOKENS: Final = "agentvigil.run.usage.input_tokens"
"""All input tokens of the run, as the library added them up.

Int; unit {token}; development; privacy safe; source agentvigil.
"""

AGENTVIGIL_RUN_USAGE_OUTPUT_TOKENS: Final = "agentvigil.run.usage.output_tokens"
"""All output tokens of the run, as the library added them up.

Int; unit {token}; development; privacy safe; source agentvigil.
"""

AGENTVIGIL_RUN_USAGE_CACHE_READ_INPUT_TOKENS: Final = "agentvigil.run.usage.cache_read.input_tokens"
"""The part of the run's input tokens read from a cache.

Int; unit {token}; development; privacy safe; source agentvigil.
"""

AGENTVIGIL_RUN_USAGE_CACHE_WRITE_INPUT_TOKENS: Final = "agentvigil.run.usage.cache_write.input_tokens"
"""The part of the run's input tokens written to a cache.

Int; unit {token}; development; privacy safe; source agentvigil.
"""

AGENTVIGIL_RUN_USAGE_REASONING_OUTPUT_TOKENS: Final = "agentvigil.run.usage.reasoning.output_tokens"
"""The part of the run's output tokens spent on reasoning.

Int; unit {token}; development; privacy safe; source agentvigil.
"""


# AgentVigil: replay and fingerprints

AGENTVIGIL_REPLAY_MODE: Final = "agentvigil.replay.mode"
"""What was replayed; only spans of a replay have it.

String of ``ReplayMode``; development; privacy label; source agentvigil.
"""

AGENTVIGIL_REPLAY_ORIGINAL_TRACE_ID: Final = "agentvigil.replay.original.trace_id"
"""Trace that was replayed, 32 hex digits.

String; development; privacy label; source agentvigil.
"""

AGENTVIGIL_REPLAY_ORIGINAL_SPAN_ID: Final = "agentvigil.replay.original.span_id"
"""Span that this one replays, 16 hex digits.

String; development; privacy label; source agentvigil.
"""

AGENTVIGIL_REPLAY_ANSWERED_FROM: Final = "agentvigil.replay.answered_from"
"""Whether the result came from the record or was made anew.

String of ``ReplayAnswer``; development; privacy label; source agentvigil.
"""

AGENTVIGIL_FINGERPRINT_AGENT: Final = "agentvigil.fingerprint.agent"
"""Keyed hash of prompt, tools and model, for agents without a version.

String; development; privacy label; source agentvigil.
"""

AGENTVIGIL_FINGERPRINT_PROMPT: Final = "agentvigil.fingerprint.prompt"
"""Keyed hash of the system prompt.

String; development; privacy label; source agentvigil.
"""

AGENTVIGIL_FINGERPRINT_TOOLS: Final = "agentvigil.fingerprint.tools"
"""Keyed hash of the tools that were offered, in any order.

String; development; privacy label; source agentvigil.
"""

AGENTVIGIL_ORIGINAL_START_TIME_UNIX_NANO: Final = "agentvigil.original_start_time_unix_nano"
"""Set by the receiver on a span whose start time was absurd and was replaced: the nanoseconds the sender wrote.

String; unit ns; development; privacy safe; source agentvigil.
"""


# Renamed or removed

GEN_AI_SYSTEM: Final = "gen_ai.system"
"""Name of ``gen_ai.provider.name`` up to version 1.36 of the conventions.

String; deprecated; now ``gen_ai.provider.name``; privacy label; source frozen.
"""

GEN_AI_USAGE_PROMPT_TOKENS: Final = "gen_ai.usage.prompt_tokens"
"""Early name of the input tokens.

Int; deprecated; now ``gen_ai.usage.input_tokens``; privacy safe; source frozen.
"""

GEN_AI_USAGE_COMPLETION_TOKENS: Final = "gen_ai.usage.completion_tokens"
"""Early name of the output tokens.

Int; deprecated; now ``gen_ai.usage.output_tokens``; privacy safe; source frozen.
"""

GEN_AI_USAGE_CACHE_CREATION_INPUT_TOKENS: Final = "gen_ai.usage.cache_creation.input_tokens"
"""Earlier name of the tokens written to a cache.

Int; deprecated; now ``gen_ai.usage.cache_write.input_tokens``; privacy safe; source frozen.
"""

GEN_AI_OPENAI_REQUEST_SEED: Final = "gen_ai.openai.request.seed"
"""Seed, while it was thought to be OpenAI's alone.

Int; deprecated; now ``gen_ai.request.seed``; privacy safe; source frozen.
"""

GEN_AI_OPENAI_REQUEST_RESPONSE_FORMAT: Final = "gen_ai.openai.request.response_format"
"""Format of the answer, while it was thought to be OpenAI's alone.

String; deprecated; now ``gen_ai.output.type``; privacy label; source frozen.
"""

GEN_AI_OPENAI_REQUEST_SERVICE_TIER: Final = "gen_ai.openai.request.service_tier"
"""Service tier asked for, before OpenAI's names got a root of their own.

String; deprecated; now ``openai.request.service_tier``; privacy label; source frozen.
"""

GEN_AI_OPENAI_RESPONSE_SERVICE_TIER: Final = "gen_ai.openai.response.service_tier"
"""Service tier that answered, before OpenAI's names got a root of their own.

String; deprecated; now ``openai.response.service_tier``; privacy label; source frozen.
"""

GEN_AI_OPENAI_RESPONSE_SYSTEM_FINGERPRINT: Final = "gen_ai.openai.response.system_fingerprint"
"""OpenAI's mark of its configuration, before OpenAI's names got a root of their own.

String; deprecated; now ``openai.response.system_fingerprint``; privacy label; source frozen.
"""

OPENAI_REQUEST_SEED: Final = "openai.request.seed"
"""Another early name of the seed.

Int; deprecated; now ``gen_ai.request.seed``; privacy safe; source frozen.
"""

GEN_AI_PROMPT: Final = "gen_ai.prompt"
"""Prompt as one string, or flattened with one number per message.

Any, on spans as JSON; deprecated; now ``gen_ai.input.messages``; privacy content; source frozen.
"""

GEN_AI_COMPLETION: Final = "gen_ai.completion"
"""Answer as one string, or flattened with one number per choice.

Any, on spans as JSON; deprecated; now ``gen_ai.output.messages``; privacy content; source frozen.
"""

GEN_AI_EVENT_CONTENT: Final = "gen_ai.event.content"
"""Body of a message's event, on the events up to version 1.36.

Any, on spans as JSON; deprecated; privacy content; source frozen.
"""


# Written by libraries, never defined

GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS_FLAT: Final = "gen_ai.usage.cache_read_input_tokens"
"""Tokens read from a cache, with an underscore for the dot.

Int; foreign; now ``gen_ai.usage.cache_read.input_tokens``; privacy safe; source libraries.
"""

GEN_AI_USAGE_CACHE_CREATION_INPUT_TOKENS_FLAT: Final = "gen_ai.usage.cache_creation_input_tokens"
"""Tokens written to a cache, with an underscore for the dot.

Int; foreign; now ``gen_ai.usage.cache_write.input_tokens``; privacy safe; source libraries.
"""

GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS_FLAT: Final = "gen_ai.usage.cache_write_input_tokens"
"""Tokens written to a cache, with an underscore for the dot.

Int; foreign; now ``gen_ai.usage.cache_write.input_tokens``; privacy safe; source libraries.
"""

GEN_AI_USAGE_REASONING_TOKENS: Final = "gen_ai.usage.reasoning_tokens"
"""Output tokens spent on reasoning.

Int; foreign; now ``gen_ai.usage.reasoning.output_tokens``; privacy safe; source libraries.
"""

GEN_AI_USAGE_TOTAL_TOKENS: Final = "gen_ai.usage.total_tokens"
"""Input and output tokens together, which their reader can add up.

Int; foreign; privacy safe; source libraries.
"""

GEN_AI_USAGE_COST: Final = "gen_ai.usage.cost"
"""What the call cost, in a currency that is not said and mostly USD.

Double; foreign; now ``agentvigil.cost.usd``; privacy safe; source libraries.
"""

GEN_AI_CONTENT_PROMPT: Final = "gen_ai.content.prompt"
"""Prompt, on an event of the same name.

Any, on spans as JSON; foreign; now ``gen_ai.input.messages``; privacy content; source libraries.
"""

GEN_AI_CONTENT_COMPLETION: Final = "gen_ai.content.completion"
"""Answer, on an event of the same name.

Any, on spans as JSON; foreign; now ``gen_ai.output.messages``; privacy content; source libraries.
"""

GEN_AI_AGENT_TOOLS: Final = "gen_ai.agent.tools"
"""Tools an agent has.

Any, on spans as JSON; foreign; now ``gen_ai.tool.definitions``; privacy content; source libraries.
"""

GEN_AI_AGENT_INSTRUCTIONS: Final = "gen_ai.agent.instructions"
"""System prompt of an agent.

Any, on spans as JSON; foreign; now ``gen_ai.system_instructions``; privacy content; source libraries.
"""

GEN_AI_TOOL_ARGS: Final = "gen_ai.tool.args"
"""Arguments of a tool call.

Any, on spans as JSON; foreign; now ``gen_ai.tool.call.arguments``; privacy content; source libraries.
"""

GEN_AI_TOOL_ARGUMENTS: Final = "gen_ai.tool.arguments"
"""Arguments of a tool call.

Any, on spans as JSON; foreign; now ``gen_ai.tool.call.arguments``; privacy content; source libraries.
"""

GEN_AI_TOOL_INPUT: Final = "gen_ai.tool.input"
"""Arguments of a tool call.

Any, on spans as JSON; foreign; now ``gen_ai.tool.call.arguments``; privacy content; source libraries.
"""

GEN_AI_TOOL_OUTPUT: Final = "gen_ai.tool.output"
"""Result of a tool call.

Any, on spans as JSON; foreign; now ``gen_ai.tool.call.result``; privacy content; source libraries.
"""

GEN_AI_TOOL_RESULT: Final = "gen_ai.tool.result"
"""Result of a tool call.

Any, on spans as JSON; foreign; now ``gen_ai.tool.call.result``; privacy content; source libraries.
"""

GEN_AI_REQUEST_MESSAGES: Final = "gen_ai.request.messages"
"""Messages sent to the model.

Any, on spans as JSON; foreign; now ``gen_ai.input.messages``; privacy content; source libraries.
"""

GEN_AI_RESPONSE_MESSAGE: Final = "gen_ai.response.message"
"""Message the model answered with.

Any, on spans as JSON; foreign; now ``gen_ai.output.messages``; privacy content; source libraries.
"""

GEN_AI_RESPONSE_TEXT: Final = "gen_ai.response.text"
"""Text the model answered with.

Any, on spans as JSON; foreign; now ``gen_ai.output.messages``; privacy content; source libraries.
"""


# Events

EVENT_GEN_AI_CLIENT_INFERENCE_OPERATION_DETAILS: Final = "gen_ai.client.inference.operation.details"
"""A call with all its attributes and its content, structured; an opt-in.

Development; source genai.
"""

EVENT_GEN_AI_CLIENT_OPERATION_EXCEPTION: Final = "gen_ai.client.operation.exception"
"""The exception that a call ended with.

Development; source genai.
"""

EVENT_GEN_AI_EVALUATION_RESULT: Final = "gen_ai.evaluation.result"
"""What an evaluator thinks of a span or response.

Development; source genai.
"""

EVENT_GEN_AI_SYSTEM_MESSAGE: Final = "gen_ai.system.message"
"""System prompt, up to version 1.36.

Deprecated; now ``gen_ai.system_instructions``; source frozen.
"""

EVENT_GEN_AI_USER_MESSAGE: Final = "gen_ai.user.message"
"""Message of a user, up to version 1.36.

Deprecated; now ``gen_ai.input.messages``; source frozen.
"""

EVENT_GEN_AI_ASSISTANT_MESSAGE: Final = "gen_ai.assistant.message"
"""Earlier answer of the model, up to version 1.36.

Deprecated; now ``gen_ai.input.messages``; source frozen.
"""

EVENT_GEN_AI_TOOL_MESSAGE: Final = "gen_ai.tool.message"
"""Result of a tool, up to version 1.36.

Deprecated; now ``gen_ai.input.messages``; source frozen.
"""

EVENT_GEN_AI_CHOICE: Final = "gen_ai.choice"
"""Answer of the model, up to version 1.36.

Deprecated; now ``gen_ai.output.messages``; source frozen.
"""

EVENT_GEN_AI_CONTENT_PROMPT: Final = "gen_ai.content.prompt"
"""Prompt, in the first versions.

Deprecated; now ``gen_ai.input.messages``; source frozen.
"""

EVENT_GEN_AI_CONTENT_COMPLETION: Final = "gen_ai.content.completion"
"""Answer, in the first versions.

Deprecated; now ``gen_ai.output.messages``; source frozen.
"""


# Metrics

METRIC_GEN_AI_CLIENT_INFERENCE_DURATION: Final = "gen_ai.client.inference.duration"
"""How long calls of models take.

Histogram; unit s; development; source genai.
"""

METRIC_GEN_AI_CLIENT_OPERATION_DURATION: Final = "gen_ai.client.operation.duration"
"""How long calls of providers take; for models there is a name of their own by now.

Histogram; unit s; development; source genai.
"""

METRIC_GEN_AI_CLIENT_INFERENCE_TIME_TO_FIRST_CHUNK: Final = "gen_ai.client.inference.time_to_first_chunk"
"""From a request to the first chunk of its answer.

Histogram; unit s; development; source genai.
"""

METRIC_GEN_AI_CLIENT_INFERENCE_TIME_PER_OUTPUT_CHUNK: Final = "gen_ai.client.inference.time_per_output_chunk"
"""From one chunk of an answer to the next.

Histogram; unit s; development; source genai.
"""

METRIC_GEN_AI_CLIENT_INFERENCE_USAGE_INPUT_TOKENS: Final = "gen_ai.client.inference.usage.input_tokens"
"""Input tokens used, cached ones included.

Counter; unit {token}; development; source genai.
"""

METRIC_GEN_AI_CLIENT_INFERENCE_USAGE_OUTPUT_TOKENS: Final = "gen_ai.client.inference.usage.output_tokens"
"""Output tokens used, reasoning included.

Counter; unit {token}; development; source genai.
"""

METRIC_GEN_AI_CLIENT_INFERENCE_USAGE_CACHE_READ_INPUT_TOKENS: Final = (
    "gen_ai.client.inference.usage.cache_read.input_tokens"
)
"""Input tokens read from a cache.

Counter; unit {token}; development; source genai.
"""

METRIC_GEN_AI_CLIENT_INFERENCE_USAGE_CACHE_WRITE_INPUT_TOKENS: Final = (
    "gen_ai.client.inference.usage.cache_write.input_tokens"
)
"""Input tokens written to a cache.

Counter; unit {token}; development; source genai.
"""

METRIC_GEN_AI_CLIENT_INFERENCE_USAGE_REASONING_OUTPUT_TOKENS: Final = (
    "gen_ai.client.inference.usage.reasoning.output_tokens"
)
"""Output tokens spent on reasoning.

Counter; unit {token}; development; source genai.
"""

METRIC_GEN_AI_CLIENT_INFERENCE_OPERATION_INPUT_TOKENS: Final = "gen_ai.client.inference.operation.input_tokens"
"""Input tokens of a call.

Histogram; unit {token}; development; source genai.
"""

METRIC_GEN_AI_CLIENT_INFERENCE_OPERATION_OUTPUT_TOKENS: Final = "gen_ai.client.inference.operation.output_tokens"
"""Output tokens of a call.

Histogram; unit {token}; development; source genai.
"""

METRIC_GEN_AI_INVOKE_AGENT_DURATION: Final = "gen_ai.invoke_agent.duration"
"""How long runs of agents take.

Histogram; unit s; development; source genai.
"""

METRIC_GEN_AI_INVOKE_AGENT_INFERENCE_CALLS: Final = "gen_ai.invoke_agent.inference_calls"
"""Calls of models within a run of an agent.

Histogram; unit {inference_call}; development; source genai.
"""

METRIC_GEN_AI_INVOKE_AGENT_TOOL_CALLS: Final = "gen_ai.invoke_agent.tool_calls"
"""Calls of tools within a run of an agent.

Histogram; unit {tool_call}; development; source genai.
"""

METRIC_GEN_AI_INVOKE_WORKFLOW_DURATION: Final = "gen_ai.invoke_workflow.duration"
"""How long runs of workflows take.

Histogram; unit s; development; source genai.
"""

METRIC_GEN_AI_EXECUTE_TOOL_DURATION: Final = "gen_ai.execute_tool.duration"
"""How long calls of tools take.

Histogram; unit s; development; source genai.
"""

METRIC_GEN_AI_SERVER_REQUEST_DURATION: Final = "gen_ai.server.request.duration"
"""How long a model's server takes for a request.

Histogram; unit s; development; source genai.
"""

METRIC_GEN_AI_SERVER_TIME_PER_OUTPUT_TOKEN: Final = "gen_ai.server.time_per_output_token"
"""How long a model's server takes for each token after the first.

Histogram; unit s; development; source genai.
"""

METRIC_GEN_AI_SERVER_TIME_TO_FIRST_TOKEN: Final = "gen_ai.server.time_to_first_token"
"""How long a model's server takes for the first token.

Histogram; unit s; development; source genai.
"""

METRIC_MCP_CLIENT_OPERATION_DURATION: Final = "mcp.client.operation.duration"
"""How long requests take, as the MCP client sees it.

Histogram; unit s; development; source mcp.
"""

METRIC_MCP_SERVER_OPERATION_DURATION: Final = "mcp.server.operation.duration"
"""How long requests take, as the MCP server sees it.

Histogram; unit s; development; source mcp.
"""

METRIC_MCP_CLIENT_SESSION_DURATION: Final = "mcp.client.session.duration"
"""How long sessions last, as the MCP client sees it.

Histogram; unit s; development; source mcp.
"""

METRIC_MCP_SERVER_SESSION_DURATION: Final = "mcp.server.session.duration"
"""How long sessions last, as the MCP server sees it.

Histogram; unit s; development; source mcp.
"""

METRIC_GEN_AI_CLIENT_TOKEN_USAGE: Final = "gen_ai.client.token.usage"
"""Tokens of a call, by type; two histograms and five counters took its place.

Histogram; unit {token}; deprecated; now ``gen_ai.client.inference.operation.input_tokens``; source frozen.
"""

METRIC_GEN_AI_WORKFLOW_DURATION: Final = "gen_ai.workflow.duration"
"""Earlier name of the duration of workflows.

Histogram; unit s; deprecated; now ``gen_ai.invoke_workflow.duration``; source frozen.
"""
