"""Pydantic AI: its own instrumentation is switched on, for all agents that do not say otherwise themselves.

Its spans follow the conventions. Content goes into them if ``OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT`` asks
for it when the framework is imported; Pydantic AI itself would send it always. SDKs that it calls add no second span.

Tested with pydantic-ai-slim 2.30 to 2.68.
"""

import inspect
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any, ClassVar

from agentvigil.instrumentations.instrumentor import FrameworkInstrumentor
from agentvigil.instrumentations.patches import Hook, Patch
from agentvigil.instrumentations.telemetry import Telemetry
from agentvigil.instrumentations.telemetry.content import content_mode


class PydanticAIInstrumentor(FrameworkInstrumentor):
    """Switches Pydantic AI's own instrumentation on."""

    name: ClassVar[str] = "pydantic_ai"
    requires: ClassVar[str] = "pydantic-ai-slim >= 2.30, < 3"

    def patches(self, telemetry: Telemetry, **_options: Any) -> Iterable[Patch]:
        def switch_on(module: ModuleType) -> Callable[[], object]:
            agent, settings = module.Agent, module.InstrumentationSettings
            if agent._instrument_default:  # noqa: SLF001 - the application has chosen
                return lambda: None
            wanted = {
                "tracer_provider": telemetry.tracer_provider,
                "meter_provider": telemetry.meter_provider,
                "include_content": content_mode().on_spans,
                "include_binary_content": False,
            }
            known = inspect.signature(settings).parameters
            agent.instrument_all(settings(**{name: value for name, value in wanted.items() if name in known}))
            return lambda: agent.instrument_all(False)

        return (Hook("pydantic_ai", switch_on),)
