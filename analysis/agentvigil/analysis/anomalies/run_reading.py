"""Reads runs to look at, and what is needed to explain those that are unusual."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Final

from agentvigil.analysis.anomalies.baselines import step_bucket
from agentvigil.analysis.anomalies.culprits import Doing, Step, Taken, Usual, culprit
from agentvigil.analysis.anomalies.judging import Run
from agentvigil.analysis.anomalies.loops import Streak
from agentvigil.analysis.anomalies.statements import STATEMENTS
from agentvigil.analysis.anomalies.telling import Found, Session
from agentvigil.analysis.features.cells import Subject
from agentvigil.storage.store import Store

Position = tuple[int, str, str]
"""Where reading goes on: a time, a project, the id of a run."""

_FEWEST_LIKE: Final = 20
"""With fewer runs of about as many steps, those of any number tell what steps usually take."""

_TYPICAL_RUNS: Final = 3
_MOST_IDS: Final = 1_000


class RunReading:
    """Reads from ``store``. Every method raises StorageError."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def settled(self, position: Position, until_ms: int, limit: int) -> tuple[list[Run], Position]:
        """Return runs by when they were settled, in milliseconds since 1970, and where the next ones begin."""
        after_ms, after_project, after_run = position
        bound = {
            "from_ms": after_ms,
            "to_ms": until_ms,
            "after_ms": after_ms,
            "after_project": after_project,
            "after_run": after_run,
            "limit": limit,
        }
        records = self._store.records(STATEMENTS["settled_runs"], bound)
        if records:
            last = records[-1]
            position = (last["settled_ms"], last["project"], last["run_id"])
        return [_run(record) for record in records], position

    def started(self, position: Position, until_ns: int, limit: int) -> tuple[list[Run], Position]:
        """Return runs by when they began, in nanoseconds since 1970, and where the next ones begin."""
        after_ns, after_project, after_run = position
        bound = {
            "from_ns": after_ns,
            "to_ns": until_ns,
            "after_ns": after_ns,
            "after_project": after_project,
            "after_run": after_run,
            "limit": limit,
        }
        records = self._store.records(STATEMENTS["started_runs"], bound)
        if records:
            last = records[-1]
            position = (last["started_ns"], last["project"], last["run_id"])
        return [_run(record) for record in records], position

    def by_id(self, project: str, day: date, run_id: str) -> list[Run]:
        """Return a run that began on a day; none if there is no such run any more."""
        bound = {
            "project": project,
            "day": day,
            "trace_ids": [run_id.partition("-")[0]],
            "run_ids": [run_id],
        }
        return [_run(record) for record in self._store.records(STATEMENTS["runs_by_id"], bound)]

    def streaks(self, runs: Sequence[Run]) -> dict[str, Streak]:
        """Return the longest streak of each run, all of one project."""
        found: dict[str, Streak] = {}
        for first in range(0, len(runs), _MOST_IDS):
            part = runs[first : first + _MOST_IDS]
            bound = {
                "project": part[0].subject.project,
                "from_ns": min(run.started_ns for run in part),
                "to_ns": max(run.ended_ns for run in part),
                "run_ids": [run.run_id for run in part],
            }
            for row in self._store.records(STATEMENTS["streaks_of_runs"], bound):
                found[row["run_id"]] = Streak(row["tool"], row["calls"], row["first_ordinal"], row["last_ordinal"])
        return found

    def sessions(self, from_ms: int, until_ms: int) -> list[tuple[Run, Session]]:
        """Return the conversations that runs belong to which were settled in a time, each with its first run."""
        found = []
        for row in self._store.records(STATEMENTS["sessions"], {"from_ms": from_ms, "to_ms": until_ms}):
            run_id, environment, agent = row["first_run"]
            first = Run(
                Subject(row["project"], environment, agent),
                run_id,
                run_id.partition("-")[0],
                row["started_ns"],
                row["ended_ns"],
                input_class="",
                version="",
                has_failed=False,
                steps=0,
                tools=(),
                duration_s=0,
                cost_usd=None,
                tokens=None,
            )
            session = Session(row["conversation_id"], row["dearest_run"][0], row["runs"], row["cost_usd"])
            found.append((first, session))
        return found

    def explained(self, found: Found, day: date) -> Found:
        """Return ``found`` with the step that caused it, and usual runs beside it."""
        if found.session is not None:
            return found
        main = found.unusual[0]
        like = self._usual_runs(found.run, day, by_steps=main.same_steps)
        if len(like) < _FEWEST_LIKE:
            like = self._usual_runs(found.run, day, by_steps=False)
        caused_by = culprit(main, self._steps(found.run), self._usual_steps(found.run.subject.project, like))
        return replace(found, culprit=caused_by, typical_runs=tuple(run_id for run_id, _, _ in like[:_TYPICAL_RUNS]))

    def _steps(self, run: Run) -> list[Step]:
        bound = {
            "project": run.subject.project,
            "from_ns": run.started_ns,
            "to_ns": max(run.ended_ns, run.started_ns),
            "trace_id": run.trace_id,
            "run_id": run.run_id,
        }
        return [
            Step(row["ordinal"], Doing(row["kind"], row["name"]), _taken(row))
            for row in self._store.records(STATEMENTS["steps_of_run"], bound)
        ]

    def _usual_runs(self, run: Run, day: date, *, by_steps: bool) -> list[tuple[str, str, int]]:
        bound = {
            "project": run.subject.project,
            "as_of": day,
            "environment": run.subject.environment,
            "agent": run.subject.agent,
            "any_steps": not by_steps,
            "bucket": step_bucket(run.steps),
        }
        rows = self._store.records(STATEMENTS["usual_runs"], bound)
        return [(row["run_id"], row["trace_id"], row["started_ns"]) for row in rows]

    def _usual_steps(self, project: str, runs: Sequence[tuple[str, str, int]]) -> dict[Doing, Usual]:
        if not runs:
            return {}
        bound = {
            "project": project,
            "from_ns": min(started_ns for _, _, started_ns in runs),
            "to_ns": max(started_ns for _, _, started_ns in runs),
            "trace_ids": [trace_id for _, trace_id, _ in runs],
            "run_ids": [run_id for run_id, _, _ in runs],
        }
        return {
            Doing(row["kind"], row["name"]): Usual(_taken(row), row["steps_of_run"])
            for row in self._store.records(STATEMENTS["usual_steps"], bound)
        }


def _taken(row: dict[str, Any]) -> Taken:
    return Taken(row["duration_s"], row["cost_usd"], row["tokens"])


def _run(row: dict[str, Any]) -> Run:
    """Return the run that a row of ``columns`` is."""
    return Run(
        subject=Subject(row["project"], row["environment"], row["agent"]),
        run_id=row["run_id"],
        trace_id=row["trace_id"],
        started_ns=row["started_ns"],
        ended_ns=row["ended_ns"],
        input_class=row["input_class"],
        version=row["version"],
        has_failed=bool(row["has_failed"]),
        steps=row["steps"],
        tools=tuple(row["tools"]),
        duration_s=row["duration_s"],
        cost_usd=row["cost_usd"],
        tokens=row["tokens"],
        tool_calls=row["tool_calls"],
    )
