"""Strands Agents makes spans by itself, and their events tell all that is said.

So nothing is switched on here; content is switched off, unless ``OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT``
asks for it. Strands has a way to redact messages, by a variable that it reads when the first agent is made; a program
that uses it itself has chosen. That way does not know of memories and of the deprecated ``structured_output``, whose
texts are left out here. And why a model stopped, which only an event tells, becomes an attribute of the call.

Tested with strands-agents 1.62.
"""

from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Final

from opentelemetry.trace import Span

from agentvigil.instrumentations.functions import argument
from agentvigil.instrumentations.instrumentor import FrameworkInstrumentor
from agentvigil.instrumentations.patches import Patch, Variable, Wrapped
from agentvigil.instrumentations.telemetry import Telemetry
from agentvigil.instrumentations.telemetry.content import content_mode
from agentvigil.instrumentations.telemetry.guard import guard
from agentvigil.semconv import names
from agentvigil.semconv.words import finish_reasons

VARIABLE: Final = "OTEL_SEMCONV_STABILITY_OPT_IN"
"""A list, with commas between its words, which other instrumentations read as well."""

_UNREDACTED: Final = "gen_ai_unredacted_attributes="
"""The word of it that names what is not redacted: nothing, if nothing follows."""
_REDACTED: Final = "[REDACTED]"
_TRACER: Final = "strands.telemetry.tracer"


class StrandsInstrumentor(FrameworkInstrumentor):
    """Switches content off in Strands' own spans."""

    name: ClassVar[str] = "strands"
    requires: ClassVar[str] = "strands-agents >= 1.62, < 2"

    def patches(self, telemetry: Telemetry, **_options: Any) -> Iterable[Patch]:  # noqa: ARG002 - spans are its own
        yield Wrapped(_TRACER, "Tracer.end_model_invoke_span", _tell_reason)
        if not content_mode().on_spans:
            yield Variable(VARIABLE, _with_redaction)
            yield Wrapped(_TRACER, "Tracer._add_event", _without_memories)
            # There it writes the events of structured_output, and nothing else.
            yield Wrapped("strands.agent.agent", "serialize", lambda *_: _REDACTED)


def _with_redaction(said: str | None) -> str | None:
    if said and _UNREDACTED in said:
        return None
    return f"{said},{_UNREDACTED}" if said else _UNREDACTED


def _without_memories(
    wrapped: Callable[..., None], _tracer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    if not str(argument(1, "event_name", args, kwargs)).startswith("memory."):
        wrapped(*args, **kwargs)


def _tell_reason(wrapped: Callable[..., Any], _tracer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    with guard("why a model stopped"):
        span, reasons = argument(0, "span", args, kwargs), finish_reasons([argument(4, "stop_reason", args, kwargs)])
        if isinstance(span, Span) and reasons:
            span.set_attribute(names.GEN_AI_RESPONSE_FINISH_REASONS, reasons)
    return wrapped(*args, **kwargs)
