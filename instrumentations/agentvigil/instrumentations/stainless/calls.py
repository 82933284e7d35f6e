"""One call of such an SDK: what it asks for, what it tells, and how that is read from each kind of answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol, runtime_checkable
from urllib.parse import urlsplit

from agentvigil.instrumentations.fields import pick
from agentvigil.instrumentations.telemetry import Inference, Operation, Telemetry
from agentvigil.semconv import names


@dataclass(frozen=True, slots=True)
class Call:
    """A request that is about to be sent."""

    client: Any
    path: str
    body: Mapping[str, Any]
    method: str = "post"
    is_changed: bool = False
    """Whether it asks for more than the caller did."""

    @property
    def streams(self) -> bool:
        """Whether the caller wants a stream."""
        return self.body.get("stream") is True

    def server(self) -> dict[str, object]:
        """Return the attributes of where it goes."""
        address, port = _address_and_port(str(pick(self.client, "base_url") or ""))
        return {names.SERVER_ADDRESS: address, names.SERVER_PORT: port}


@lru_cache(maxsize=256)
def _address_and_port(url: str) -> tuple[str | None, int | None]:
    parts = urlsplit(url)
    return parts.hostname, parts.port or {"https": 443, "http": 80}.get(parts.scheme)


class Reader(Protocol):
    """Reads one streamed answer.

    ``item`` looks at an event, and says whether the application must not see it, since it did not ask for it. ``end``
    says what all of them together have told.
    """

    def item(self, item: Any) -> bool: ...

    def end(self) -> None: ...


class Route(Protocol):
    """What one path of an API is about.

    ``start`` starts the operation; ``answered`` reads an answer that came as a whole, a model of the SDK or the JSON of
    a raw response.
    """

    def start(self, telemetry: Telemetry, call: Call) -> Operation: ...

    def answered(self, operation: Any, answer: Any) -> None: ...


@runtime_checkable
class StreamedRoute(Route, Protocol):
    """A route whose answers may be streamed: ``reader`` returns what reads one."""

    def reader(self, operation: Inference, call: Call, /) -> Reader: ...
