"""Why a model stopped, in the conventions' words."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from agentvigil.semconv.enums import FinishReason

_REASONS: Final[Mapping[str, str]] = {
    "stop": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "tool_calls": FinishReason.TOOL_CALL,
    "function_call": FinishReason.TOOL_CALL,
    "content_filter": FinishReason.CONTENT_FILTER,
    "max_output_tokens": FinishReason.LENGTH,
}


def reasons_of(reasons: Iterable[Any]) -> list[str]:
    """Return OpenAI's reasons in the conventions' words, others as they are."""
    return [_REASONS.get(reason, reason) for reason in reasons if isinstance(reason, str)]
