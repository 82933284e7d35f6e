"""What a receiver does about requests that others on the same server stored."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from agentvigil.receiver.neighbours import NeighbourlyWriter
from agentvigil.receiver.otlp import TRACES
from agentvigil.receiver.window import RequestWindow
from agentvigil.storage.envelope import ExportRequest, Limits
from agentvigil.storage.errors import StorageError
from agentvigil.storage.ledger import StoredRequest
from agentvigil.storage.request_writer import Outcome

NOW = datetime.now(UTC)


def request(name: bytes) -> ExportRequest:
    return ExportRequest(TRACES.signal, TRACES.signal.destinations, b"", 3, name, "default", 0, 90, Limits())


class Store:
    """Knows requests by their hashes, and how many of their three rows each has."""

    def __init__(self, **rows: int) -> None:
        self.rows = {name.encode(): count for name, count in rows.items()}
        self.asked: list[datetime] = []
        self.written: list[bytes] = []
        self.is_away = False

    def since(self, received_from: datetime, limit: int) -> Mapping[bytes, StoredRequest]:
        assert limit == 100
        self.asked.append(received_from)
        if self.is_away:
            raise StorageError("away")
        return {name: StoredRequest(3, count, NOW) for name, count in self.rows.items()}

    def write(self, group: Sequence[ExportRequest]) -> list[Outcome]:
        self.written += [one.request_hash for one in group]
        return [Outcome.UNAVAILABLE if self.is_away else Outcome.REFUSED for _ in group]


def test_what_a_neighbour_stored_is_answered_and_what_it_began_is_not() -> None:
    store = Store(whole=3, half=2)
    writer = NeighbourlyWriter(store, store.since, RequestWindow(900, 100))

    outcomes = writer.write([request(b"half"), request(b"whole"), request(b"new")])

    assert outcomes == [Outcome.REFUSED, Outcome.STORED, Outcome.REFUSED]
    assert store.written == [b"half", b"new"]
    # At first all that a sender may still send again.
    assert store.asked[0] <= datetime.now(UTC) - timedelta(seconds=900)


def test_a_store_that_does_not_answer_is_for_the_writer_to_tell() -> None:
    store = Store(whole=3)
    store.is_away = True
    writer = NeighbourlyWriter(store, store.since, RequestWindow(900, 100))

    assert writer.write([request(b"whole")]) == [Outcome.UNAVAILABLE]
