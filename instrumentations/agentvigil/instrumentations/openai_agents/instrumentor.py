"""Where the Agents SDK is taken hold of."""

from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any, ClassVar

from agentvigil.instrumentations.instrumentor import FrameworkInstrumentor
from agentvigil.instrumentations.openai_agents.processor import Processor
from agentvigil.instrumentations.patches import Hook, Patch
from agentvigil.instrumentations.telemetry import Telemetry


class OpenAIAgentsInstrumentor(FrameworkInstrumentor):
    """Instruments ``openai-agents``."""

    name: ClassVar[str] = "openai_agents"
    requires: ClassVar[str] = "openai-agents >= 0.6, < 1"

    def patches(self, telemetry: Telemetry, **_options: Any) -> Iterable[Patch]:
        self.processor = processor = Processor(telemetry, self.is_left_to_others)

        def add(module: ModuleType) -> Callable[[], object]:
            if not hasattr(module, "TracingProcessor"):
                raise AttributeError("a program's own package may be called agents too")
            module.add_trace_processor(processor)
            return processor.stop

        return (Hook("agents.tracing", add),)
