"""Where LiteLLM is taken hold of."""

from collections.abc import Iterable
from typing import Any, ClassVar, Final

from agentvigil.instrumentations.functions import around, async_around
from agentvigil.instrumentations.instrumentor import FrameworkInstrumentor
from agentvigil.instrumentations.litellm.calls import Calls, anext_chunk, answered, next_chunk
from agentvigil.instrumentations.patches import Patch, Wrapped
from agentvigil.instrumentations.telemetry import Telemetry
from agentvigil.semconv.enums import OperationName

_FUNCTIONS: Final = (
    ("litellm.main", "completion", OperationName.CHAT),
    ("litellm.main", "text_completion", OperationName.TEXT_COMPLETION),
    ("litellm.main", "embedding", OperationName.EMBEDDINGS),
    ("litellm.responses.main", "responses", OperationName.CHAT),
)
"""Each has an asynchronous twin, with an "a" before its name."""
_STREAMS: Final = (
    ("litellm.litellm_core_utils.streaming_handler", "CustomStreamWrapper"),
    ("litellm.responses.streaming_iterator", "SyncResponsesAPIStreamingIterator"),
    ("litellm.responses.streaming_iterator", "ResponsesAPIStreamingIterator"),
    ("litellm.responses.streaming_iterator", "MockResponsesAPIStreamingIterator"),
)


class LiteLLMInstrumentor(FrameworkInstrumentor):
    """Instruments ``litellm``."""

    name: ClassVar[str] = "litellm"
    requires: ClassVar[str] = "litellm >= 1.75, < 2"

    def patches(self, telemetry: Telemetry, **_options: Any) -> Iterable[Patch]:
        calls = Calls(telemetry, self.is_left_to_others)
        for module, name, kind in _FUNCTIONS:
            wrappers = {
                name: around(calls.start_plain(name, kind), answered),
                f"a{name}": async_around(calls.start(f"a{name}", kind), answered),
            }
            for function, wrapper in wrappers.items():
                yield Wrapped(module, function, wrapper)
                # The package shows a copy, or, of late, a function that chooses between that one and another.
                yield Wrapped("litellm", function, wrapper)
        for module, kind_of_stream in _STREAMS:
            yield Wrapped(module, f"{kind_of_stream}.__next__", next_chunk)
            yield Wrapped(module, f"{kind_of_stream}.__anext__", anext_chunk)
