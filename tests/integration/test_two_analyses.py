"""Two analyses on one ClickHouse, one of which stands still for longer than its lease while the other goes on."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from agent_traces import agent, chat, everything, receive, run_of, settle, tool

from agentvigil.analysis.detection import DetectionConfig
from agentvigil.analysis.features.cells import Cells, Subject
from agentvigil.analysis.watching.drift import DriftWatch
from agentvigil.analysis.watching.keeping import Counted, keep, load
from agentvigil.storage.data_directory import DataDirectory
from agentvigil.storage.embedded import EmbeddedStore


class StandingStill(EmbeddedStore):
    """The same database as a process sees it that stands still before its ``n``-th statement that writes runs or steps;
    ``meanwhile`` is what others do."""

    def __init__(self, directory: DataDirectory, database: str, n: int, meanwhile: Callable[[], None]) -> None:
        super().__init__(directory, database)
        self.is_embedded = False
        self._left, self._meanwhile = n, meanwhile

    def command(self, sql: str, parameters: Mapping[str, Any] | None = None) -> None:
        if "INSERT INTO agent_" in sql:
            self._left -= 1
            if self._left == 0:
                self._meanwhile()
        super().command(sql, parameters)


@contextmanager
def standing_still(
    directory: DataDirectory, store: EmbeddedStore, n: int, meanwhile: Callable[[], None]
) -> Iterator[StandingStill]:
    still = StandingStill(directory, store.database, n, meanwhile)
    yield still
    still.close()


def test_what_was_read_before_never_replaces_what_was_read_later(
    servers_store: EmbeddedStore, data_directory: DataDirectory
) -> None:
    """The late spans change the run's id: rows of the one who read too early would stand beside those of the other."""
    store = servers_store
    early = [agent(1, 9, "inner"), tool(4, 1, "search", 0, 100), tool(5, 9, "other", 0, 50)]
    late = [agent(9, 0, "outer"), chat(2, 1, 100, 200)]
    receive(store, *early, *late)
    settle(store)
    expected = everything(store)
    assert [row[2] for row in expected[0]] == [run_of(1, 9)]

    def settle_the_late() -> None:
        receive(store, *late)
        settle(store)

    for n in (1, 3):
        for table in ("otel_traces", "agent_runs", "agent_steps"):
            store.command("TRUNCATE TABLE {table:Identifier}", {"table": table})
        receive(store, *early)
        if n > 1:
            settle(store)
        with standing_still(data_directory, store, n, settle_the_late) as still:
            settle(still)
        assert everything(store) == expected, n


def test_what_is_kept_of_a_watch_is_that_of_the_step_that_began_last(store: EmbeddedStore) -> None:
    """One that stood still in its step would have thrown its successor back to where it was."""

    def read(first_hour: int, end_hour: int, subjects: object = None) -> dict[Subject, Cells]:
        return {}

    def kept_by(began: datetime, next_hour: int, after: int) -> int:
        watch = DriftWatch.new("shop", next_hour, read, DetectionConfig())
        return keep(store, watch, {}, Counted(0, next_hour, {}), after=after, began=began).version

    def newest() -> tuple[int, int]:
        kept = load(store, "shop", read, DetectionConfig())
        assert kept is not None
        return kept.watch.next_hour, kept.version

    began = datetime.now(UTC)
    before = kept_by(began, 1000, 0)
    version = kept_by(began + timedelta(seconds=60), 1200, before)
    kept_by(began + timedelta(seconds=1), 1024, before)
    assert newest() == (1200, version)
    # Clocks that go back hold up nothing.
    later = kept_by(began, 1224, version)
    assert newest() == (1224, later)
