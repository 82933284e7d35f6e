"""Microsoft Agent Framework: its own instrumentation is switched on.

Its spans follow the conventions. What it calls sensitive data goes into them if
``OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT`` asks for it when the framework is imported. A program that sets
``ENABLE_INSTRUMENTATION`` itself has chosen, and is left alone.

Tested with agent-framework-core 1.23.
"""

import os
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any, ClassVar

from agentvigil.instrumentations.instrumentor import FrameworkInstrumentor
from agentvigil.instrumentations.patches import Hook, Patch
from agentvigil.instrumentations.telemetry import Telemetry
from agentvigil.instrumentations.telemetry.content import content_mode


class AgentFrameworkInstrumentor(FrameworkInstrumentor):
    """Switches Agent Framework's own instrumentation on."""

    name: ClassVar[str] = "agent_framework"
    requires: ClassVar[str] = "agent-framework-core >= 1.23, < 2"

    def patches(self, telemetry: Telemetry, **_options: Any) -> Iterable[Patch]:  # noqa: ARG002 - all of it is a switch
        def switch_on(module: ModuleType) -> Callable[[], object]:
            if "ENABLE_INSTRUMENTATION" not in os.environ:
                module.enable_instrumentation(enable_sensitive_data=content_mode().on_spans)
            # The framework has no way to switch it off again.
            return lambda: None

        return (Hook("agent_framework.observability", switch_on),)
