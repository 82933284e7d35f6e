"""What a receiver learns of requests that others on the same server stored."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta

from agentvigil.receiver.neighbours import Neighbours
from agentvigil.storage.ledger import StoredRequest

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


def test_it_learns_what_is_whole_and_looks_back_far_enough_for_rows_that_show_late() -> None:
    asked: list[tuple[datetime, int]] = []
    learned: list[bytes] = []

    def stored_since(received_from: datetime, limit: int) -> Mapping[bytes, StoredRequest]:
        asked.append((received_from, limit))
        return {b"whole": StoredRequest(3, 3, NOW), b"on its way": StoredRequest(3, 2, NOW)}

    def learn(hashes: Collection[bytes]) -> None:
        learned.extend(hashes)

    Neighbours(stored_since, learn, limit=7).look(NOW)

    assert learned == [b"whole"]
    assert asked[0][0] <= NOW - timedelta(seconds=15)
    assert asked[0][1] == 7
