"""Where LiteLLM is taken hold of."""

from collections.abc import Callable, Iterable, Iterator
from types import ModuleType
from typing import Any, ClassVar, Final

import wrapt

from agentvigil.instrumentations.functions import around, async_around
from agentvigil.instrumentations.instrumentor import FrameworkInstrumentor
from agentvigil.instrumentations.litellm.calls import Calls, anext_chunk, answered, next_chunk
from agentvigil.instrumentations.patches import Hook, Patch, Wrapped
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
            yield Wrapped("litellm.main", name, around(calls.start_plain(kind), answered))
            yield Wrapped("litellm.main", f"a{name}", async_around(calls.start(kind), answered))
        yield Hook("litellm", _show_wrapped)
        stream = "litellm.litellm_core_utils.streaming_handler"
        yield Wrapped(stream, "CustomStreamWrapper.__next__", next_chunk)
        yield Wrapped(stream, "CustomStreamWrapper.__anext__", anext_chunk)


def _shown() -> Iterator[str]:
    for name in _FUNCTIONS:
        yield from (name, f"a{name}")


def _show_wrapped(litellm: ModuleType) -> Callable[[], object]:
    """Have the package show the functions as they are wrapped in the module that defines them.

    It copies them when it is imported. Where that was before we came, the copies are the plain ones.
    """
    replaced = {}
    for name in _shown():
        shown, wrapped = getattr(litellm, name, None), getattr(litellm.main, name, None)
        if shown is not wrapped and isinstance(wrapped, wrapt.FunctionWrapper):
            replaced[name] = shown
            setattr(litellm, name, wrapped)

    def restore() -> None:
        for name in _shown():
            shown = getattr(litellm, name, None)
            if isinstance(shown, wrapt.FunctionWrapper):
                setattr(litellm, name, replaced.get(name, shown.__wrapped__))

    return restore
