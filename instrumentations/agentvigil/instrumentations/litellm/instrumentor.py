"""Where LiteLLM is taken hold of."""

from collections.abc import Iterable
from typing import Any, ClassVar, Final

from agentvigil.instrumentations.instrumentor import FrameworkInstrumentor
from agentvigil.instrumentations.litellm.calls import Calls, anext_chunk, next_chunk
from agentvigil.instrumentations.patches import Patch, Wrapped
from agentvigil.instrumentations.telemetry import Telemetry

_FUNCTIONS: Final = ("completion", "text_completion", "embedding")
_ASYNC_FUNCTIONS: Final = ("acompletion", "atext_completion", "aembedding")


class LiteLLMInstrumentor(FrameworkInstrumentor):
    """Instruments ``litellm``."""

    name: ClassVar[str] = "litellm"
    requires: ClassVar[str] = "litellm >= 1.75, < 2"

    def patches(self, telemetry: Telemetry, **_options: Any) -> Iterable[Patch]:
        calls = Calls(telemetry, self.is_left_to_others)
        wrappers = {name: calls.function(name) for name in _FUNCTIONS}
        wrappers |= {name: calls.async_function(name) for name in _ASYNC_FUNCTIONS}
        for name, wrapper in wrappers.items():
            yield Wrapped("litellm.main", name, wrapper)
            # The package shows a copy, or, of late, a function that chooses between that one and another.
            yield Wrapped("litellm", name, wrapper)
        stream = "litellm.litellm_core_utils.streaming_handler"
        yield Wrapped(stream, "CustomStreamWrapper.__next__", next_chunk)
        yield Wrapped(stream, "CustomStreamWrapper.__anext__", anext_chunk)
