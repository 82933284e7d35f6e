"""Makes what is usual of a project's agents as of a day, keeps it in the store, and reads it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, Final

from agentvigil.analysis.anomalies import tool_use
from agentvigil.analysis.anomalies.baselines import Baseline, Cell, ToolSet
from agentvigil.analysis.anomalies.loops import StreakUse
from agentvigil.analysis.anomalies.spread import FEWEST_RUNS, Spread
from agentvigil.analysis.anomalies.statements import STATEMENTS
from agentvigil.analysis.features.cells import Subject
from agentvigil.storage.store import Store

_MOST_CALLS: Final = 2_000_000
"""So many calls of tools are looked at for streaks; where there are more, of a part of the runs."""

_DAYS_KEPT: Final = 3
"""What is usual is remembered of so many days; older ones are read again."""


class BaselineBook:
    """What is usual, by projects and days; read once and remembered. Every method raises StorageError."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[tuple[str, date], dict[Subject, Baseline]] = {}
        self._made: dict[tuple[str, date], int] = {}

    def make(self, project: str, as_of: date, now: datetime) -> None:
        """Work out what is usual of a project's agents by the 28 days before ``as_of``, a day in UTC.

        Done twice, the second one counts. Reads all runs of those days.
        """
        made_ms = int(now.timestamp() * 1000)
        if (before := self._read_made(project, as_of)) is not None:
            made_ms = max(made_ms, before + 1)
        bound: dict[str, Any] = {"project": project, "as_of": as_of, "made_ms": made_ms}
        fewest = {"fewest_runs": FEWEST_RUNS, "fewest_tool_runs": tool_use.FEWEST_RUNS}
        for statement in ("spreads", "session_spreads", "tool_sets"):
            self._store.command(STATEMENTS[statement], bound | fewest)
        calls = int(self._store.rows(STATEMENTS["calls"], bound)[0][0])
        self._store.command(STATEMENTS["streaks"], bound | {"one_in": -(-calls // _MOST_CALLS) or 1})
        self._store.command(STATEMENTS["made"], bound)
        self._known.pop((project, as_of), None)
        self._made[project, as_of] = made_ms

    def of(self, subjects: Iterable[Subject], as_of: date, now: datetime) -> Mapping[Subject, Baseline]:
        """Return what is usual of ``subjects``, of one project, as of a day; it is made if it never was."""
        wanted = set(subjects)
        if not wanted:
            return {}
        project = next(iter(wanted)).project
        day = (project, as_of)
        if day not in self._made:
            made_ms = self._read_made(project, as_of)
            if made_ms is None:
                self.make(project, as_of, now)
            else:
                self._made[day] = made_ms
        known = self._known.setdefault(day, {})
        if missing := wanted - known.keys():
            known.update(self._read(project, as_of, missing))
        while len(self._known) > _DAYS_KEPT:
            oldest = min((one for one in self._known if one != day), key=lambda one: one[1])
            del self._known[oldest], self._made[oldest]
        return known

    def _read_made(self, project: str, as_of: date) -> int | None:
        rows = self._store.rows(STATEMENTS["made_at"], {"project": project, "as_of": as_of})
        return int(rows[0][0]) if rows else None

    def _read(self, project: str, as_of: date, subjects: Iterable[Subject]) -> dict[Subject, Baseline]:
        listed = sorted(subjects)
        bound = {
            "project": project,
            "as_of": as_of,
            "made_ms": self._made[project, as_of],
            "environments": [subject.environment for subject in listed],
            "agents": [subject.agent for subject in listed],
        }
        spreads: dict[Subject, dict[Cell, Spread]] = defaultdict(dict)
        for row in self._store.records(STATEMENTS["read_spreads"], bound):
            input_class = None if row["is_all_classes"] else row["input_class"]
            cell = Cell(row["measure"], input_class, row["step_bucket"])
            spread = Spread(row["runs"], row["median"], row["mad"], row["q95"], row["q975"])
            spreads[_subject(project, row)][cell] = spread
        tool_sets: dict[Subject, list[ToolSet]] = defaultdict(list)
        versions: dict[Subject, set[str]] = defaultdict(set)
        for row in self._store.records(STATEMENTS["read_tool_sets"], bound):
            subject = _subject(project, row)
            tool_sets[subject].append(ToolSet(row["input_class"], row["tools"], row["runs"], row["class_runs"]))
            versions[subject].update(row["versions"])
        lengths: dict[Subject, dict[str, list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))
        runs: dict[Subject, int] = defaultdict(int)
        for row in self._store.records(STATEMENTS["read_streaks"], bound):
            subject = _subject(project, row)
            lengths[subject][row["tool"]].append((row["calls"], row["runs"]))
            runs[subject] += row["runs"]
        return {
            subject: Baseline(
                spreads[subject],
                tool_sets[subject],
                frozenset(versions[subject]),
                StreakUse(runs[subject], lengths[subject]),
            )
            for subject in listed
        }


def _subject(project: str, row: Mapping[str, Any]) -> Subject:
    return Subject(project, row["environment"], row["agent"])
