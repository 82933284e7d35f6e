"""Where LlamaIndex is taken hold of."""

from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any, ClassVar

from opentelemetry.context import get_current

from agentvigil.instrumentations.instrumentor import FrameworkInstrumentor
from agentvigil.instrumentations.llama_index.handlers import Handlers
from agentvigil.instrumentations.llama_index.operations import Operations
from agentvigil.instrumentations.patches import Hook, Patch, Wrapped
from agentvigil.instrumentations.telemetry import Telemetry
from agentvigil.instrumentations.telemetry.current import Active


class LlamaIndexInstrumentor(FrameworkInstrumentor):
    """Instruments ``llama-index-core``."""

    name: ClassVar[str] = "llama_index"
    requires: ClassVar[str] = "llama-index-core >= 0.14, < 0.15"

    def patches(self, telemetry: Telemetry, **_options: Any) -> Iterable[Patch]:
        self.handlers = handlers = Handlers(Operations(telemetry, self.is_left_to_others))

        def add_handlers(module: ModuleType) -> Callable[[], object]:
            return handlers.add_to(module.root_dispatcher)

        return (
            Hook("llama_index_instrumentation", add_handlers),
            Wrapped("llama_index.core.workflow.workflow", "Workflow.run", _keep_context),
        )


def _keep_context(wrapped: Callable[..., Any], _workflow: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Wrap ``Workflow.run``, which returns at once and goes on elsewhere: what it made current must not stay so."""
    with Active(get_current()):
        return wrapped(*args, **kwargs)
