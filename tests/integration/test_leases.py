"""Which of several processes does a job, where they share a ClickHouse server."""

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zlib import crc32

import pytest

from agentvigil.analysis.settling.state import LeaseLost, SettlingState
from agentvigil.storage.data_directory import DataDirectory
from agentvigil.storage.embedded import EmbeddedStore

NOW: Final = datetime.now(UTC)


def test_of_those_who_claim_at_once_one_has_it(servers_store: EmbeddedStore) -> None:
    """They all see the same row that has ended, or none, and nothing in ClickHouse compares and sets."""
    together = threading.Barrier(12)

    def take(state: SettlingState) -> bool:
        together.wait()
        return state.take_lease(NOW)

    with ThreadPoolExecutor(12) as pool:
        for lease in ("one", "two", "three"):
            states = [SettlingState(servers_store, f"process-{number}", lease) for number in range(12)]
            assert sorted(pool.map(take, states)) == [False] * 11 + [True]
            assert sorted(state.is_held for state in states) == [False] * 11 + [True]


class Stalling(EmbeddedStore):
    """The same database as a process sees it that stands still before some of its statements that write."""

    def __init__(self, directory: DataDirectory, database: str, before: Sequence[Callable[[], object]]) -> None:
        super().__init__(directory, database)
        self.is_embedded = False
        self._before = list(before)

    def command(self, sql: str, parameters: Mapping[str, Any] | None = None) -> None:
        if self._before:
            self._before.pop(0)()
        super().command(sql, parameters)


def test_who_stood_still_before_it_confirmed_does_not_have_it_beside_another(
    servers_store: EmbeddedStore, data_directory: DataDirectory
) -> None:
    """One looks whether its claim is the newest, and stands still until another one has claimed and looked as well."""
    lower, higher = sorted(("one", "two"), key=lambda name: crc32(name.encode()))
    has_looked, other_has_looked, one_is_done = threading.Event(), threading.Event(), threading.Event()

    def look_and_wait() -> None:
        has_looked.set()
        other_has_looked.wait()

    def other_look_and_wait() -> None:
        other_has_looked.set()
        one_is_done.wait()

    first_store = Stalling(data_directory, servers_store.database, [lambda: None, look_and_wait])
    other_store = Stalling(data_directory, servers_store.database, [has_looked.wait, other_look_and_wait])
    first, other = SettlingState(first_store, lower, "jobs"), SettlingState(other_store, higher, "jobs")
    with ThreadPoolExecutor(1) as pool:
        others = pool.submit(other.take_lease, NOW)
        has_it = first.take_lease(NOW)
        one_is_done.set()
        assert [has_it, others.result()] == [True, False]
    assert first.take_lease(NOW)
    assert not other.take_lease(NOW)
    first_store.close()
    other_store.close()


def test_who_comes_back_learns_that_another_had_it(servers_store: EmbeddedStore) -> None:
    """What it knew before, and found since, is of a time before what the other one did."""
    first, second = (SettlingState(servers_store, name, "jobs") for name in ("first", "second"))
    assert first.take_lease(NOW)
    first.confirm(NOW)
    assert first.times_taken == 1
    later = NOW + timedelta(seconds=60)
    assert second.take_lease(later)
    with pytest.raises(LeaseLost):
        first.confirm(NOW)
    second.end_lease(later)
    with pytest.raises(LeaseLost):
        first.confirm(later)
    assert first.take_lease(later)
    assert first.times_taken == 2


def test_who_ends_late_does_not_end_anothers(servers_store: EmbeddedStore, data_directory: DataDirectory) -> None:
    second = SettlingState(servers_store, "second", "jobs")
    later = NOW + timedelta(seconds=60)

    def meanwhile() -> None:
        assert second.take_lease(later)

    stalling = Stalling(data_directory, servers_store.database, [lambda: None, lambda: None, meanwhile])
    first = SettlingState(stalling, "first", "jobs")
    assert first.take_lease(NOW)
    first.end_lease(NOW)
    assert second.take_lease(later)
    assert not SettlingState(servers_store, "third", "jobs").take_lease(later)
    stalling.close()


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
