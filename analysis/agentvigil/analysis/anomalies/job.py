"""Looks at runs as they are settled, and tells those that are out of the ordinary."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from agentvigil.analysis.anomalies.baseline_book import BaselineBook
from agentvigil.analysis.anomalies.baselines import Baseline
from agentvigil.analysis.anomalies.budget import MOST_A_DAY, DayBudget, grew, said
from agentvigil.analysis.anomalies.judging import Run, Unusual, in_order, judge, spike
from agentvigil.analysis.anomalies.kinds import MEASURES
from agentvigil.analysis.anomalies.loops import LEAST_CALLS
from agentvigil.analysis.anomalies.run_reading import RunReading
from agentvigil.analysis.anomalies.statements import STATEMENTS
from agentvigil.analysis.anomalies.telling import Found, Session, observation
from agentvigil.analysis.features.cells import Subject
from agentvigil.analysis.findings.model import Observation
from agentvigil.analysis.job_service import Lease
from agentvigil.analysis.settling.state import SettlingState
from agentvigil.storage.store import Store

LEASE: Final = "anomalies"
_WATERMARK: Final = "anomalies_watermark"
_SESSIONS: Final = "anomalies_sessions"
_MOST_RUNS: Final = 5_000
_QUIET: Final = timedelta(seconds=30)
"""A row becomes visible some time after the moment it carries."""

_FIRST_LOOK: Final = timedelta(days=1)
_SESSIONS_EVERY: Final = timedelta(minutes=10)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_COLUMNS: Final = ("Project", "Day", "Environment", "Agent", "AnomalyId", "Kind", "Excess", "IsTold", "SeenAt")

Sink = Callable[[Sequence[Observation]], None]


@dataclass(frozen=True, slots=True)
class AnomalyProgress:
    """What the job has done since it began."""

    runs: int = 0
    """Looked at; one that is settled again counts again."""
    unusual: int = 0
    told: int = 0
    lag_s: float = 0.0
    """How long ago the runs were settled that are looked at next; some thirty seconds if none wait."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    """An unusual run or conversation, before it is known whether it is told."""

    anomaly_id: str
    found: Found

    @property
    def day(self) -> date:
        return _day(self.found.run)

    @property
    def excess(self) -> float:
        return max(one.excess for one in self.found.unusual)


class AnomalyJob:
    """Looks at what is settled in ``store``, some thousand runs each :meth:`step`, and gives ``sink`` what is unusual.

    Runs are taken in the order in which they were settled, and how far it is stands in the store. What is found is told
    before that is written, so that a process which dies tells it again rather than never: the same, since what is usual
    of a day is worked out once, and a run's finding has the run's id. A run that is settled again is looked at again.
    """

    def __init__(
        self, store: Store, holder: str, sink: Sink, *, quiet: timedelta = _QUIET, most_a_day: int = MOST_A_DAY
    ) -> None:
        self._store, self._holder, self._sink = store, holder, sink
        self._quiet, self._most_a_day = quiet, most_a_day
        self._state = SettlingState(store, holder, LEASE)
        self._baselines = BaselineBook(store)
        self._reading = RunReading(store)
        self._position: tuple[int, str, str] | None = None
        self._tenure = 0
        self.progress = AnomalyProgress()

    @property
    def lease(self) -> Lease:
        """What says that this process does it, and no other."""
        return self._state

    def step(self, now: datetime) -> bool:
        """Look at the runs that were settled since the last step; say if there are more.

        Does nothing while another process has the lease.

        Raises:
            StorageError: if the store does not answer. The next step begins where the last whole one ended.
        """
        if not self._state.take_lease(now):
            return False
        if self._tenure != self._state.times_taken:
            self._position, self._tenure = None, self._state.times_taken
        until_ms = _ms(now - self._quiet)
        if self._position is None:
            self._position = (self._watermark(_WATERMARK, now), "", "")
        runs, position = self._reading.settled(self._position, until_ms, _MOST_RUNS)
        self._look_at(runs, now)
        is_behind = len(runs) == _MOST_RUNS
        self._position = position if is_behind else (max(until_ms, self._position[0]), "", "")
        self._write_watermark(_WATERMARK, self._position[0])
        if not is_behind:
            self._look_at_sessions(now, until_ms)
        lag_s = max(0.0, (_ms(now) - self._position[0]) / 1000)
        self.progress = replace(self.progress, lag_s=lag_s)
        return is_behind

    def look_over(self, since: datetime, until: datetime, now: datetime) -> int:
        """Look at all runs that began in a time, whether they were looked at or not; return how many that were.

        For a window that is analysed by hand. What is usual of its days is worked out anew.

        Raises:
            StorageError: if the store does not answer.
        """
        position, looked_at, made = (_ms(since) * 1_000_000, "", ""), 0, set[tuple[str, date]]()
        while True:
            runs, position = self._reading.started(position, _ms(until) * 1_000_000, _MOST_RUNS)
            for day in {(run.subject.project, _day(run)) for run in runs} - made:
                self._baselines.make(*day, now)
                made.add(day)
            self._look_at(runs, now)
            looked_at += len(runs)
            if len(runs) < _MOST_RUNS:
                return looked_at

    def stop(self, now: datetime) -> None:
        """Let another process take over.

        Raises:
            StorageError: if the store does not answer.
        """
        self._state.end_lease(now)

    # Runs

    def _look_at(self, runs: Sequence[Run], now: datetime) -> None:
        newest = {run.run_id: run for run in runs}
        by_day: dict[tuple[str, date], list[Run]] = defaultdict(list)
        for run in newest.values():
            by_day[run.subject.project, _day(run)].append(run)
        for (_, day), its_runs in sorted(by_day.items()):
            candidates = self._unusual(its_runs, day, now)
            self._tell(candidates, day, now)
        self.progress = replace(self.progress, runs=self.progress.runs + len(runs))

    def _unusual(self, runs: Sequence[Run], day: date, now: datetime) -> list[_Candidate]:
        baselines = self._baselines.of({run.subject for run in runs}, day, now)
        streaks = self._reading.streaks([run for run in runs if _may_loop(run, baselines[run.subject])])
        return [
            _Candidate(run.run_id, Found(run, unusual))
            for run in runs
            if (unusual := judge(run, baselines[run.subject], streaks.get(run.run_id)))
        ]

    # Conversations

    def _look_at_sessions(self, now: datetime, until_ms: int) -> None:
        from_ms = self._watermark(_SESSIONS, now)
        if until_ms - from_ms < _SESSIONS_EVERY / timedelta(milliseconds=1):
            return
        by_day: dict[tuple[str, date], list[tuple[Run, Session]]] = defaultdict(list)
        for first, session in self._reading.sessions(from_ms, until_ms):
            by_day[first.subject.project, _day(first)].append((first, session))
        for (_, day), sessions in sorted(by_day.items()):
            baselines = self._baselines.of({first.subject for first, _ in sessions}, day, now)
            candidates = [
                _Candidate(f"session:{session.conversation_id}", Found(first, unusual, session=session))
                for first, session in sessions
                if (unusual := _judge_session(session, baselines[first.subject]))
            ]
            self._tell(candidates, day, now)
        self._write_watermark(_SESSIONS, until_ms)

    # Telling

    def _tell(self, candidates: Sequence[_Candidate], day: date, now: datetime) -> None:
        """Tell the largest of each agent, of one project and day, and count the others."""
        if not candidates:
            return
        by_subject: dict[Subject, dict[str, _Candidate]] = defaultdict(dict)
        for one in candidates:
            by_subject[one.found.run.subject][one.anomaly_id] = one
        budgets, kinds = self._found_before(by_subject, day)
        observations: list[Observation] = []
        for subject, found in by_subject.items():
            budget = budgets[subject]
            before = len(budget.not_told)
            told = budget.admit({key: one.excess for key, one in found.items()}, self._most_a_day)
            not_told = said(len(budget.not_told))
            if grew(before, len(budget.not_told)) and budget.largest not in told:
                found |= self._again(subject, budget.largest, day, now)
                told = [*told, *({budget.largest} & found.keys())]
            for key in told:
                one = _as_before(found[key], kinds.get((subject, key)))
                kinds[subject, key] = str(one.found.unusual[0].kind)
                told_of_others = not_told if key == budget.largest else 0
                whole = self._reading.explained(one.found, day)
                observations.append(observation(whole, day, not_told=told_of_others, most_a_day=self._most_a_day))
        if observations:
            if self._state.is_held:
                # Two that look at different runs of a day would tell an agent's share of it twice.
                self._state.confirm(now)
            self._sink(observations)
        self._remember(by_subject, budgets, kinds, day, now)
        self.progress = replace(
            self.progress,
            unusual=self.progress.unusual + len(candidates),
            told=self.progress.told + len(observations),
        )

    def _again(self, subject: Subject, anomaly_id: str, day: date, now: datetime) -> dict[str, _Candidate]:
        """Return a run that was told before, to say more of it; nothing of a conversation."""
        runs = self._reading.by_id(subject.project, day, anomaly_id)
        return {one.anomaly_id: one for one in self._unusual(runs, day, now)}

    def _found_before(
        self, subjects: Mapping[Subject, object], day: date
    ) -> tuple[dict[Subject, DayBudget], dict[tuple[Subject, str], str]]:
        budgets, kinds = {subject: DayBudget() for subject in subjects}, dict[tuple[Subject, str], str]()
        bound = {
            "project": next(iter(subjects)).project,
            "day": day,
            "environments": [subject.environment for subject in subjects],
            "agents": [subject.agent for subject in subjects],
        }
        for row in self._store.records(STATEMENTS["found_before"], bound):
            subject = Subject(row["project"], row["environment"], row["agent"])
            if row["is_told"]:
                budgets[subject].told[row["anomaly_id"]] = row["excess"]
                kinds[subject, row["anomaly_id"]] = row["kind"]
            else:
                budgets[subject].not_told.add(row["anomaly_id"])
        return budgets, kinds

    def _remember(
        self,
        by_subject: Mapping[Subject, Mapping[str, _Candidate]],
        budgets: Mapping[Subject, DayBudget],
        kinds: Mapping[tuple[Subject, str], str],
        day: date,
        now: datetime,
    ) -> None:
        rows: list[list[Any]] = []
        for subject, found in by_subject.items():
            for key, one in found.items():
                kind = kinds.get((subject, key), str(one.found.unusual[0].kind))
                is_told = key in budgets[subject].told
                where = (subject.project, day, subject.environment, subject.agent)
                rows.append([*where, key, kind, one.excess, is_told, now])
        self._store.insert_rows("run_anomalies", _COLUMNS, rows)

    # How far it is

    def _watermark(self, name: str, now: datetime) -> int:
        rows = self._store.rows(STATEMENTS["read_watermark"], {"name": name})
        return int(rows[0][0]) if rows else _ms(now - _FIRST_LOOK)

    def _write_watermark(self, name: str, watermark_ms: int) -> None:
        rows = self._store.rows(STATEMENTS["read_watermark"], {"name": name})
        if rows and int(rows[0][0]) >= watermark_ms:
            return
        version = int(rows[0][1]) + 1 if rows else 1
        self._store.command(
            STATEMENTS["write_watermark"],
            {"name": name, "watermark_ms": watermark_ms, "holder": self._holder, "version": version},
        )


def _may_loop(run: Run, baseline: Baseline) -> bool:
    """Say whether a look at its calls may find a loop."""
    return run.tool_calls >= LEAST_CALLS and any(
        limit is not None and run.tool_calls > limit for limit in map(baseline.streaks.limit, run.tools)
    )


def _judge_session(session: Session, baseline: Baseline) -> list[Unusual]:
    values = {"session_runs": float(session.runs), "session_cost": session.cost_usd}
    found = [spike(MEASURES[name], value, baseline, input_class="") for name, value in values.items() if value]
    return in_order(one for one in found if one is not None)


def _as_before(one: _Candidate, kind: str | None) -> _Candidate:
    """Return it told as what it was told before, if it still is that: the finding then stays the same."""
    unusual = one.found.unusual
    first = next((other for other in unusual if str(other.kind) == kind), unusual[0])
    rest = [other for other in unusual if other is not first]
    return replace(one, found=replace(one.found, unusual=[first, *rest]))


def _day(run: Run) -> date:
    return (_EPOCH + timedelta(microseconds=run.started_ns // 1000)).date()


def _ms(time: datetime) -> int:
    return (time - _EPOCH) // timedelta(milliseconds=1)
