"""Where the 1.x SDK is taken hold of."""

from collections.abc import Iterable
from importlib import metadata
from typing import Any, ClassVar

from packaging.version import Version

from agentvigil.instrumentations.functions import async_around
from agentvigil.instrumentations.instrumentor import FrameworkInstrumentor
from agentvigil.instrumentations.mcp.requests import Requests
from agentvigil.instrumentations.patches import Patch, Wrapped
from agentvigil.instrumentations.telemetry import Telemetry


class MCPInstrumentor(FrameworkInstrumentor):
    """Instruments ``mcp``."""

    name: ClassVar[str] = "mcp"
    requires: ClassVar[str] = "mcp >= 1.12, < 3"

    def patches(self, telemetry: Telemetry, **_options: Any) -> Iterable[Patch]:
        if Version(metadata.version("mcp")) >= Version("2.0.0a0"):
            return ()
        requests = Requests(telemetry, self.is_left_to_others)
        return (
            Wrapped("mcp.shared.session", "BaseSession.send_request", requests.send),
            Wrapped("mcp.shared.session", "RequestResponder.respond", requests.respond),
            Wrapped("mcp.server.lowlevel.server", "Server._handle_request", async_around(requests.handled)),
        )
