"""What agents of one model have in common is found by the service, closed by it when it is over, and not before."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from agentvigil.analysis.features.cells import hour_of, time_of
from agentvigil.analysis.findings.book import FindingsBook
from agentvigil.analysis.findings.finding import Finding
from agentvigil.analysis.findings.model import Kind, Resolution, State
from agentvigil.analysis.settling.state import SettlingState
from agentvigil.analysis.watching import WatchJob
from agentvigil.storage.embedded import EmbeddedStore
from migrated_stores import MigratedStores
from simulated_agents import Agent, cells_of

pytestmark = pytest.mark.long

FORTNIGHT: Final = 14 * 24
BEGIN: Final = hour_of(datetime.now(UTC)) // FORTNIGHT * FORTNIGHT - FORTNIGHT
"""Of a fortnight that is over, whenever tests run; the four weeks before it are what it is compared with."""
BEGAN_DAY, OVER_DAY, DAYS = 1.25, 5, 11


def day(number: float) -> datetime:
    return time_of(BEGIN) + timedelta(days=number)


@pytest.fixture
def store(migrated_stores: MigratedStores) -> Iterator[EmbeddedStore]:
    """Six small agents of two models, of which one writes more for some days."""
    with migrated_stores.taken() as taken:
        hours: set[datetime] = set()
        for number in range(6):
            usual = Agent(40, classes={"": 1.0}, model=("gpt", "claude")[number % 2], version=f"1.{number}")
            more = replace(usual, tokens=usual.tokens * 1.6) if usual.model == "gpt" else usual
            changes = [(28 + BEGAN_DAY, more), (28 + OVER_DAY, usual)]
            cells = cells_of(usual, 28 + DAYS, number, start=BEGIN - 28 * 24, changes=changes)
            words = [[cells.words[c] for c in column] for column in (cells.input_class, cells.version, cells.model)]
            words += [[cells.words[c] for c in column] for column in (cells.feature, cells.key)]
            numbers: list[list[Any]] = [cells.bin.tolist(), [int(n) for n in cells.n], cells.s.tolist()]
            times = [time_of(int(hour)) for hour in cells.hour]
            rows = [
                ["default", hour, 90, "production", f"agent-{number}", *row, 1]
                for hour, *row in zip(times, *words, *numbers, strict=True)
            ]
            names = ("Project", "Hour", "KeepDays", "Environment", "Agent", "InputClass", "AgentVersion", "Model")
            taken.insert_rows("agent_feature_hours", (*names, "Feature", "Key", "Bin", "N", "S", "Changes"), rows)
            hours |= set(times)
        counted = [["default", hour, 90, 1] for hour in sorted(hours)]
        for table in ("agent_run_changes", "agent_feature_hours_made"):
            taken.insert_rows(table, ("Project", "Hour", "KeepDays", "Changes"), counted)
        SettlingState(taken, "tests").advance(datetime.now(UTC))
        yield taken


def test_a_model_that_moved_is_open_while_it_lasts_and_closed_two_days_after(store: EmbeddedStore) -> None:
    job, book = WatchJob(store, "tests"), FindingsBook(store)

    def updates_on(number: int) -> list[Finding]:
        while job.step(day(number) + timedelta(minutes=5)):
            pass
        found = [*book.unresolved("default"), *book.resolutions_since(day(0), "default")]
        return [one for one in found if one.seen.kind is Kind.FAILURE_MODE and one.seen.stream == "silent"]

    (first,) = (one for one in updates_on(OVER_DAY) if one.seen.feature == "output_tokens")
    assert (first.seen.subject, first.state) == ("gpt", State.OPEN)
    assert first.seen.details["looked_at"] == {"agents": 6, "of": 6}
    states = {number: updates_on(number) for number in range(OVER_DAY + 1, DAYS + 1)}

    assert {one.state for one in states[OVER_DAY + 1]} == {State.OPEN}
    assert {one.id for one in states[DAYS]} == {one.id for one in states[OVER_DAY + 1]}
    assert {(one.state, one.resolution) for one in states[DAYS]} == {(State.RESOLVED, Resolution.BACK_TO_NORMAL)}
