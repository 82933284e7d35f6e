"""Google's Agent Development Kit makes spans by itself, with prompts and answers in them unless it is told not to.

So nothing is switched on here; content is switched off, unless ``OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT``
asks for it or the program has set ``ADK_CAPTURE_MESSAGE_CONTENT_IN_SPANS`` itself.

Tested with google-adk 2.13.
"""

import os
from collections.abc import Iterable
from types import ModuleType
from typing import Any, ClassVar, Final

from agentvigil.instrumentations.instrumentor import FrameworkInstrumentor
from agentvigil.instrumentations.patches import Patch
from agentvigil.instrumentations.telemetry import Telemetry
from agentvigil.instrumentations.telemetry.content import content_mode

VARIABLE: Final = "ADK_CAPTURE_MESSAGE_CONTENT_IN_SPANS"


class GoogleADKInstrumentor(FrameworkInstrumentor):
    """Switches content off in ADK's own spans."""

    name: ClassVar[str] = "google_adk"
    requires: ClassVar[str] = "google-adk >= 2.13, < 3"

    def patches(self, telemetry: Telemetry, **_options: Any) -> Iterable[Patch]:  # noqa: ARG002 - all of it is a switch
        return () if content_mode().on_spans else (_ContentOff(),)


class _ContentOff:
    """The variable, which ADK reads at every span. It waits for no module: a program is to find it set."""

    module = "os"

    def __init__(self) -> None:
        self._is_set = False

    def apply(self, module: ModuleType) -> None:  # noqa: ARG002 - it is not about a module
        if VARIABLE not in os.environ:
            os.environ[VARIABLE] = "false"
            self._is_set = True

    def undo(self) -> None:
        if self._is_set:
            os.environ.pop(VARIABLE, None)
