"""Which of several processes does a job, where they share a ClickHouse server."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from agentvigil.analysis.settling.state import SettlingState
from agentvigil.storage.embedded import EmbeddedStore

NOW: Final = datetime.now(UTC)


def test_of_those_who_claim_at_once_one_has_it(servers_store: EmbeddedStore) -> None:
    """They all see the same row that has ended, or none, and nothing in ClickHouse compares and sets."""
    together = threading.Barrier(4)

    def take(state: SettlingState) -> bool:
        together.wait()
        return state.take_lease(NOW)

    with ThreadPoolExecutor(4) as pool:
        for lease in ("one", "two", "three"):
            states = [SettlingState(servers_store, f"process-{number}", lease) for number in range(4)]
            assert sorted(pool.map(take, states)) == [False, False, False, True]
            assert sorted(state.is_held for state in states) == [False, False, False, True]


def test_a_late_claim_loses_against_the_lease_that_was_confirmed(servers_store: EmbeddedStore) -> None:
    """Of a process that stood still between looking and claiming."""
    late = SettlingState(servers_store, "zzz", "jobs")
    first = SettlingState(servers_store, "aaa", "jobs")
    assert first.take_lease(NOW)
    late._insert("jobs", NOW + timedelta(seconds=30), 0)

    assert first.take_lease(NOW + timedelta(seconds=1))
    assert not late.take_lease(NOW + timedelta(seconds=1))


def test_a_lease_that_is_renewed_outlasts_a_long_step(servers_store: EmbeddedStore) -> None:
    busy, waiting = (SettlingState(servers_store, name, "jobs") for name in ("busy", "waiting"))
    assert busy.take_lease(NOW)
    for seconds in range(5, 120, 5):
        busy.renew(NOW + timedelta(seconds=seconds))
    assert not waiting.take_lease(NOW + timedelta(seconds=120))
    # Who was killed renews nothing.
    assert waiting.take_lease(NOW + timedelta(seconds=160))


def test_only_who_has_a_lease_renews_it_and_only_while_it_lasts(servers_store: EmbeddedStore) -> None:
    first, second = (SettlingState(servers_store, name, "jobs") for name in ("first", "second"))
    assert first.take_lease(NOW)
    assert not second.take_lease(NOW)
    second.renew(NOW + timedelta(seconds=29))
    first.renew(NOW + timedelta(seconds=31))

    assert second.take_lease(NOW + timedelta(seconds=31))
    assert not first.take_lease(NOW + timedelta(seconds=32))


@pytest.mark.parametrize("merges", [False, True])
def test_one_that_was_given_back_is_free_at_once(servers_store: EmbeddedStore, merges: bool) -> None:
    first, second = (SettlingState(servers_store, name, "jobs") for name in ("first", "second"))
    assert first.take_lease(NOW)
    first.end_lease(NOW)
    if merges:
        servers_store.command("OPTIMIZE TABLE settling_state FINAL")
    assert second.take_lease(NOW + timedelta(seconds=1))
    assert not first.take_lease(NOW + timedelta(seconds=1))
