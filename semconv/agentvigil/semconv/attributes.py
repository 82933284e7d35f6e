"""Names of the attributes that AgentVigil emits and reads, one documented constant each.

Sources: the GenAI registry (https://github.com/open-telemetry/semantic-conventions-genai), where nothing is stable
yet, and the core registry (https://github.com/open-telemetry/semantic-conventions). Types are strings unless a
docstring says otherwise.
"""

from typing import Final

# Identity of who runs

SERVICE_NAME: Final = "service.name"
"""Logical name of the service that emitted the telemetry (resource attribute). Stable."""

SERVICE_VERSION: Final = "service.version"
"""Version of that service (resource attribute). Stable."""

DEPLOYMENT_ENVIRONMENT_NAME: Final = "deployment.environment.name"
"""Deployment tier, e.g. ``"production"`` (resource attribute). Stable."""

USER_ID: Final = "user.id"
"""Who the agent works for; an id, never a name or an address. Development."""

SERVER_ADDRESS: Final = "server.address"
"""Host of the model provider's endpoint. Stable."""

SERVER_PORT: Final = "server.port"
"""Port of the model provider's endpoint. Stable."""

ERROR_TYPE: Final = "error.type"
"""Class of error the operation ended with: a provider's error code or an exception's full name. Stable."""


# Operations

GEN_AI_OPERATION_NAME: Final = "gen_ai.operation.name"
"""What the span does: ``chat``, ``execute_tool``, ``invoke_agent``, ``retrieval`` and so on. Development."""

GEN_AI_PROVIDER_NAME: Final = "gen_ai.provider.name"
"""Provider as seen by the client, e.g. ``"openai"``; not on in-process agents and tools. Development."""

GEN_AI_SYSTEM: Final = "gen_ai.system"
"""Name of ``gen_ai.provider.name`` up to version 1.36 of the conventions. Deprecated."""

GEN_AI_REQUEST_MODEL: Final = "gen_ai.request.model"
"""Model the caller asked for, e.g. ``"gpt-4.1"``. Differs from the response model for aliases. Development."""

GEN_AI_REQUEST_TEMPERATURE: Final = "gen_ai.request.temperature"
"""Sampling temperature asked for (double). Development."""

GEN_AI_REQUEST_MAX_TOKENS: Final = "gen_ai.request.max_tokens"
"""Most output tokens the caller allows (int). Development."""

GEN_AI_REQUEST_STREAM: Final = "gen_ai.request.stream"
"""``true`` for a streamed answer; absent otherwise. Development."""

GEN_AI_RESPONSE_ID: Final = "gen_ai.response.id"
"""The provider's id of the completion. Development."""

GEN_AI_RESPONSE_MODEL: Final = "gen_ai.response.model"
"""Model that answered, e.g. ``"gpt-4.1-2025-04-14"``. Development."""

GEN_AI_RESPONSE_FINISH_REASONS: Final = "gen_ai.response.finish_reasons"
"""Why each choice ended, one string per choice. Development."""

GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK: Final = "gen_ai.response.time_to_first_chunk"
"""Seconds from the request to the first streamed chunk (double). Development."""


# Agents, workflows and conversations

GEN_AI_AGENT_NAME: Final = "gen_ai.agent.name"
"""Name the application gives its agent. Development."""

GEN_AI_AGENT_VERSION: Final = "gen_ai.agent.version"
"""Version the application gives its agent. Development."""

GEN_AI_CONVERSATION_ID: Final = "gen_ai.conversation.id"
"""Session or thread the call belongs to; never invented. Development."""

GEN_AI_WORKFLOW_NAME: Final = "gen_ai.workflow.name"
"""Name of a workflow that application code drives. Development."""

GEN_AI_DATA_SOURCE_ID: Final = "gen_ai.data_source.id"
"""Data source that a retrieval reads. Development."""

GEN_AI_RETRIEVAL_TOP_K: Final = "gen_ai.retrieval.top_k"
"""How many documents a retrieval asked for (int). Development."""


# Tools

GEN_AI_TOOL_NAME: Final = "gen_ai.tool.name"
"""Name of the tool that runs. Development."""

GEN_AI_TOOL_TYPE: Final = "gen_ai.tool.type"
"""``function``, ``extension`` or ``datastore``. Development."""

GEN_AI_TOOL_CALL_ID: Final = "gen_ai.tool.call.id"
"""The model's id of the tool call. Development."""


# Tokens

GEN_AI_USAGE_INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"
"""All input tokens, those read from and written to a cache included (int). Development."""

GEN_AI_USAGE_OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"
"""All output tokens, reasoning included (int). Development."""

GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS: Final = "gen_ai.usage.cache_read.input_tokens"
"""The part of the input tokens read from a cache (int). Development."""

GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS: Final = "gen_ai.usage.cache_write.input_tokens"
"""The part of the input tokens written to a cache (int). Development."""

GEN_AI_USAGE_REASONING_OUTPUT_TOKENS: Final = "gen_ai.usage.reasoning.output_tokens"
"""The part of the output tokens spent on reasoning (int). Development."""


# Content: withheld unless a project allows it

GEN_AI_SYSTEM_INSTRUCTIONS: Final = "gen_ai.system_instructions"
"""System prompt, JSON parts. Development."""

GEN_AI_INPUT_MESSAGES: Final = "gen_ai.input.messages"
"""Messages sent to the model, JSON. Development."""

GEN_AI_OUTPUT_MESSAGES: Final = "gen_ai.output.messages"
"""Messages the model answered with, JSON. Development."""

GEN_AI_TOOL_DEFINITIONS: Final = "gen_ai.tool.definitions"
"""Tools offered to the model, JSON. Development."""

GEN_AI_TOOL_CALL_ARGUMENTS: Final = "gen_ai.tool.call.arguments"
"""Arguments of a tool call, JSON. Development."""

GEN_AI_TOOL_CALL_RESULT: Final = "gen_ai.tool.call.result"
"""Result of a tool call, JSON. Development."""

GEN_AI_RETRIEVAL_QUERY_TEXT: Final = "gen_ai.retrieval.query.text"
"""Text that was searched for. Development."""

GEN_AI_RETRIEVAL_DOCUMENTS: Final = "gen_ai.retrieval.documents"
"""Documents found. Development."""


# Our own

AGENTVIGIL_ORIGINAL_START_TIME_UNIX_NANO: Final = "agentvigil.original_start_time_unix_nano"
"""Set by the receiver on a span whose start time was absurd and was replaced: the nanoseconds the sender wrote.

AgentVigil.
"""
