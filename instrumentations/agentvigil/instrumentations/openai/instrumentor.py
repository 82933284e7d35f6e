"""Where OpenAI's SDK is taken hold of."""

import copy
import os
from collections.abc import Iterable
from typing import Any, ClassVar, Final

from agentvigil.instrumentations.instrumentor import FrameworkInstrumentor
from agentvigil.instrumentations.openai.routes import asks_for_usage, route_of
from agentvigil.instrumentations.patches import Patch, Wrapped
from agentvigil.instrumentations.stainless.calls import Call
from agentvigil.instrumentations.stainless.wrapping import RequestWatch, async_parse, parse
from agentvigil.instrumentations.telemetry import Telemetry

STREAM_USAGE_VARIABLE: Final = "AGENTVIGIL_STREAM_USAGE"


class OpenAIInstrumentor(FrameworkInstrumentor):
    """Instruments ``openai``."""

    name: ClassVar[str] = "openai"
    requires: ClassVar[str] = "openai >= 1.75, < 4"

    def patches(self, telemetry: Telemetry, *, stream_usage: bool | None = None, **_options: Any) -> Iterable[Patch]:
        if stream_usage is None:
            stream_usage = os.environ.get(STREAM_USAGE_VARIABLE, "").lower() == "true"
        watch = RequestWatch(telemetry, route_of, self.is_left_to_others, _with_usage if stream_usage else None)
        return (
            Wrapped("openai._base_client", "SyncAPIClient.request", watch.sync_request),
            Wrapped("openai._base_client", "AsyncAPIClient.request", watch.async_request),
            Wrapped("openai._legacy_response", "LegacyAPIResponse.parse", parse),
            Wrapped("openai._response", "APIResponse.parse", parse),
            Wrapped("openai._response", "AsyncAPIResponse.parse", async_parse),
        )


def _with_usage(call: Call, options: Any) -> Any:
    """Return ``options`` that ask for the usage of a stream, where the caller did not say; None if it did."""
    if not asks_for_usage(call):
        return None
    asking = copy.copy(options)
    asking.json_data = {**options.json_data, "stream_options": {"include_usage": True}}
    return asking
