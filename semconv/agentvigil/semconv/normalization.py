"""How older and foreign attribute names become the current ones in the typed columns of ``otel_logs``.

Spans were read so by the first columns of ``otel_traces``; they are read by :mod:`agentvigil.semconv.dialects` since.

The store compiles ``SOURCES`` into one ``transform()`` over a span's keys, so the cost of normalising grows with the
attributes of a span and not with the number of spellings known here. Where a span carries several spellings of one
name, the one that sorts first wins, since stored maps are sorted by key; the current names sort before the others.
"""

from collections.abc import Mapping
from typing import Final

from agentvigil.semconv import attributes as a

SOURCES: Final[Mapping[str, tuple[str, ...]]] = {
    a.GEN_AI_PROVIDER_NAME: (a.GEN_AI_SYSTEM, "llm.provider"),
    a.GEN_AI_REQUEST_MODEL: ("llm.model_name", "llm.request.model_name"),
    a.GEN_AI_RESPONSE_MODEL: ("llm.response.model_name",),
    a.GEN_AI_CONVERSATION_ID: ("session.id",),
    a.GEN_AI_TOOL_NAME: ("tool.name",),
    a.GEN_AI_USAGE_INPUT_TOKENS: ("gen_ai.usage.prompt_tokens", "llm.token_count.prompt", "llm.usage.prompt_tokens"),
    a.GEN_AI_USAGE_OUTPUT_TOKENS: (
        "gen_ai.usage.completion_tokens",
        "llm.token_count.completion",
        "llm.usage.completion_tokens",
    ),
    a.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS: (
        "gen_ai.usage.cache_read_input_tokens",
        "llm.token_count.prompt_details.cache_read",
    ),
    a.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS: (
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.cache_creation_input_tokens",
        "gen_ai.usage.cache_write_input_tokens",
        "llm.token_count.prompt_details.cache_write",
    ),
    a.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS: (
        "gen_ai.usage.reasoning_tokens",
        "llm.token_count.completion_details.reasoning",
    ),
}
"""Current name → the other spellings of it."""
