"""Where LiteLLM is taken hold of."""

from collections.abc import Iterable
from typing import Any, ClassVar, Final

from agentvigil.instrumentations.functions import around, async_around
from agentvigil.instrumentations.instrumentor import FrameworkInstrumentor
from agentvigil.instrumentations.litellm.calls import Calls, anext_chunk, answered, next_chunk
from agentvigil.instrumentations.patches import Patch, Wrapped
from agentvigil.instrumentations.telemetry import Telemetry
from agentvigil.semconv.enums import OperationName

_FUNCTIONS: Final = {
    "completion": OperationName.CHAT,
    "text_completion": OperationName.TEXT_COMPLETION,
    "embedding": OperationName.EMBEDDINGS,
}
"""Each has an asynchronous twin, with an "a" before its name."""


class LiteLLMInstrumentor(FrameworkInstrumentor):
    """Instruments ``litellm``."""

    name: ClassVar[str] = "litellm"
    requires: ClassVar[str] = "litellm >= 1.75, < 2"

    def patches(self, telemetry: Telemetry, **_options: Any) -> Iterable[Patch]:
        calls = Calls(telemetry, self.is_left_to_others)
        for name, kind in _FUNCTIONS.items():
            wrappers = {
                name: around(calls.start_plain(name, kind), answered),
                f"a{name}": async_around(calls.start(f"a{name}", kind), answered),
            }
            for function, wrapper in wrappers.items():
                yield Wrapped("litellm.main", function, wrapper)
                # The package shows a copy, or, of late, a function that chooses between that one and another.
                yield Wrapped("litellm", function, wrapper)
        stream = "litellm.litellm_core_utils.streaming_handler"
        yield Wrapped(stream, "CustomStreamWrapper.__next__", next_chunk)
        yield Wrapped(stream, "CustomStreamWrapper.__anext__", anext_chunk)
