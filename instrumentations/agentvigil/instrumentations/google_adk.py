"""Google's Agent Development Kit makes spans by itself, with prompts and answers in them unless it is told not to.

So nothing is switched on here; content is switched off, unless ``OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT``
asks for it or the program has set ``ADK_CAPTURE_MESSAGE_CONTENT_IN_SPANS`` itself. And a call that ends in calls of
tools says so, where Google's own word for how it ended is that it stopped.

Tested with google-adk 2.13.
"""

from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Final

from opentelemetry.trace import Span

from agentvigil.instrumentations.fields import each, pick
from agentvigil.instrumentations.functions import argument
from agentvigil.instrumentations.instrumentor import FrameworkInstrumentor
from agentvigil.instrumentations.patches import Patch, Variable, Wrapped
from agentvigil.instrumentations.telemetry import Telemetry
from agentvigil.instrumentations.telemetry.content import content_mode
from agentvigil.instrumentations.telemetry.guard import guard
from agentvigil.semconv import names

VARIABLE: Final = "ADK_CAPTURE_MESSAGE_CONTENT_IN_SPANS"
_TOOL_CALL: Final = ("tool_call",)


class GoogleADKInstrumentor(FrameworkInstrumentor):
    """Switches content off in ADK's own spans."""

    name: ClassVar[str] = "google_adk"
    requires: ClassVar[str] = "google-adk >= 2.13, < 3"

    def patches(self, telemetry: Telemetry, **_options: Any) -> Iterable[Patch]:  # noqa: ARG002 - spans are its own
        yield Wrapped("google.adk.telemetry.tracing", "trace_inference_result", _tell_of_tools)
        if not content_mode().on_spans:
            # Read at every span.
            yield Variable(VARIABLE, lambda said: "false" if said is None else None)


def _tell_of_tools(wrapped: Callable[..., Any], _instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Wrap what tells of an answer, or of each piece of one that is streamed."""
    told, answer = argument(1, "span", args, kwargs), argument(2, "llm_response", args, kwargs)
    span, asks_for_tool = told, False
    with guard("what a model asks for"):
        span = pick(told, "span") or told
        before = pick(span, "attributes", names.GEN_AI_RESPONSE_FINISH_REASONS)
        parts = each(answer, "content", "parts")
        asks_for_tool = before == _TOOL_CALL or any(pick(part, "function_call") for part in parts)
    result = wrapped(*args, **kwargs)
    with guard("why a model stopped"):
        if asks_for_tool and isinstance(span, Span) and pick(answer, "finish_reason") in (None, "STOP"):
            span.set_attribute(names.GEN_AI_RESPONSE_FINISH_REASONS, _TOOL_CALL)
    return result
