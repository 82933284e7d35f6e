"""Where LiteLLM is taken hold of."""

from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any, ClassVar, Final

import wrapt

from agentvigil.instrumentations.instrumentor import FrameworkInstrumentor
from agentvigil.instrumentations.litellm.calls import Calls, anext_chunk, next_chunk
from agentvigil.instrumentations.patches import Hook, Patch, Wrapped
from agentvigil.instrumentations.telemetry import Telemetry

_FUNCTIONS: Final = ("completion", "text_completion", "embedding")
_ASYNC_FUNCTIONS: Final = ("acompletion", "atext_completion", "aembedding")


class LiteLLMInstrumentor(FrameworkInstrumentor):
    """Instruments ``litellm``."""

    name: ClassVar[str] = "litellm"
    requires: ClassVar[str] = "litellm >= 1.75, < 2"

    def patches(self, telemetry: Telemetry, **_options: Any) -> Iterable[Patch]:
        calls = Calls(telemetry, self.is_left_to_others)
        for name in _FUNCTIONS:
            yield Wrapped("litellm.main", name, calls.call)
        for name in _ASYNC_FUNCTIONS:
            yield Wrapped("litellm.main", name, calls.acall)
        yield Hook("litellm", _show_wrapped)
        stream = "litellm.litellm_core_utils.streaming_handler"
        yield Wrapped(stream, "CustomStreamWrapper.__next__", next_chunk)
        yield Wrapped(stream, "CustomStreamWrapper.__anext__", anext_chunk)


def _show_wrapped(litellm: ModuleType) -> Callable[[], object]:
    """Have the package show the functions as they are wrapped in the module that defines them.

    It copies them when it is imported. Where that was before we came, the copies are the plain ones.
    """
    replaced = {}
    for name in (*_FUNCTIONS, *_ASYNC_FUNCTIONS):
        shown, wrapped = getattr(litellm, name, None), getattr(litellm.main, name, None)
        if shown is not wrapped and isinstance(wrapped, wrapt.FunctionWrapper):
            replaced[name] = shown
            setattr(litellm, name, wrapped)

    def restore() -> None:
        for name in (*_FUNCTIONS, *_ASYNC_FUNCTIONS):
            shown = getattr(litellm, name, None)
            if isinstance(shown, wrapt.FunctionWrapper):
                setattr(litellm, name, replaced.get(name, shown.__wrapped__))

    return restore
