"""Finds the runs that are to be compared, and compares them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np

from agentvigil.analysis.baselines.book import BaselineBook, NoSuchBaseline, Pinned
from agentvigil.analysis.baselines.choosing import HOURS_PER_DAY, Baseline, Hours, Source, versions_of
from agentvigil.analysis.comparing.compare import compare
from agentvigil.analysis.comparing.recent import count_recent
from agentvigil.analysis.features.cells import Cells, Subject
from agentvigil.analysis.features.reading import count_runs, read_cells
from agentvigil.api.baselines.models import hour_of, time_of_hour
from agentvigil.api.comparing.models import CompareAsked, Comparison, Runs
from agentvigil.api.problems import Invalid, NotFound, TooMuch
from agentvigil.storage.store import Store

_USUAL: Final = timedelta(days=30)
_MOST_HOURS: Final = 184 * HOURS_PER_DAY
_NAMED: Final = 20


@dataclass(frozen=True, slots=True)
class _Side:
    """Runs, and what they are in words."""

    cells: Cells
    label: str
    version: str = ""
    baseline: str = ""


class Comparisons:
    """Comparisons of the runs in ``store``, with what is pinned in ``book``. Any thread may call."""

    def __init__(self, store: Store, book: BaselineBook) -> None:
        self._store, self._book = store, book

    def of(self, project: str, asked: CompareAsked) -> Comparison:
        """Return what became of an agent.

        Raises:
            NotFound: if there is no such agent, version or baseline, or no run of it in the time.
            Invalid: if it is not clear what is to be compared with what.
            TooMuch: if the time is too long.
            StorageError: if the store does not answer.
        """
        hours, before_hours = _hours(asked)
        end = max(hours.end, before_hours.end)
        left = count_recent(self._store, project, min(hours.first, before_hours.first), end)
        subject = self._subject(project, asked, Hours(min(hours.first, before_hours.first), end))
        found = self._cells(subject, hours)
        versions = [seen.version for seen in versions_of(found) if seen.version]
        pinned = self._pinned(subject, asked)
        after = _after(asked, found, versions, pinned)
        before = self._before(subject, asked, before_hours, versions, after, pinned)
        for side in (before, after):
            if not len(side.cells):
                raise NotFound(
                    f"agent {subject.agent[:100]!r} has no finished run for {side.label}",
                    _known(versions) + "since= looks further back",
                )
        report = compare(before.cells, after.cells)
        return Comparison.of(
            report,
            agent=subject.agent,
            environment=subject.environment,
            before=_told(before, report.runs_before, report.days_before),
            after=_told(after, report.runs_after, report.days_after),
            hours_not_counted=left,
        )

    def _subject(self, project: str, asked: CompareAsked, hours: Hours) -> Subject:
        counts = count_runs(self._store, project, hours.first, hours.end)
        there = sorted(subject.environment for subject in counts if subject.agent == asked.agent)
        if asked.environment is not None:
            return Subject(project, asked.environment, asked.agent)
        if not there:
            raise NotFound(
                f"agent {asked.agent[:100]!r} has no finished run in project {project} in that time",
                "GET /v1/agents lists agents; since= looks further back",
            )
        if len(there) > 1:
            named = ", ".join(name or "(none)" for name in there[:_NAMED])
            raise Invalid(
                f"agent {asked.agent[:100]!r} runs in several environments: {named}",
                "say environment=; runs of different environments are not compared",
            )
        return Subject(project, there[0], asked.agent)

    def _cells(self, subject: Subject, hours: Hours) -> Cells:
        found = read_cells(self._store, subject.project, hours.first, hours.end, [subject])
        return found.get(subject) or _NO_CELLS

    def _pinned(self, subject: Subject, asked: CompareAsked) -> Pinned | None:
        """Return what is pinned that the runs are to be compared with, None if they are compared with others."""
        if asked.baseline is not None:
            try:
                return self._book.one(subject, asked.baseline)
            except NoSuchBaseline as exc:
                raise NotFound(str(exc), "GET /v1/baselines lists them") from exc
        if asked.a is not None or asked.before_since is not None:
            return None
        return next((one for one in self._book.listed(subject.project, subject.agent) if one.subject == subject), None)

    def _before(
        self,
        subject: Subject,
        asked: CompareAsked,
        hours: Hours,
        versions: Sequence[str],
        after: _Side,
        pinned: Pinned | None,
    ) -> _Side:
        if pinned is not None:
            # Of all hours of a version, those that can be read at once.
            first = max(pinned.hours.first, pinned.hours.end - _MOST_HOURS)
            held = Baseline(Source.PINNED, Hours(first, pinned.hours.end), pinned.version, (), pinned.name, "")
            cells = held.of(self._cells(subject, held.hours))
            return _Side(cells, f"baseline {pinned.name}", pinned.version, pinned.name)
        version = asked.a
        if version is None and asked.before_since is None:
            earlier = versions[: versions.index(after.version)] if after.version in versions else []
            if not earlier:
                raise NotFound(
                    f"there is nothing to compare {after.label} with: no version ran before it in that time, and "
                    "nothing is pinned",
                    "say a=, baseline= or before_since=; since= looks further back",
                )
            version = earlier[-1]
        found = self._cells(subject, hours)
        if version is None:
            return _Side(found, f"the time from {_minute(hours.first)} to {_minute(hours.end)}")
        return _Side(_of_version(found, version), f"version {version[:100]}", version)


_NO_CODES: Final = np.empty(0, np.int32)
_NO_COUNTS: Final = np.empty(0, np.float64)
_NO_CELLS: Final = Cells(
    [""],
    hour=_NO_CODES,
    input_class=_NO_CODES,
    version=_NO_CODES,
    model=_NO_CODES,
    feature=_NO_CODES,
    key=_NO_CODES,
    bin=np.empty(0, np.int16),
    n=_NO_COUNTS,
    s=_NO_COUNTS,
)


def _after(asked: CompareAsked, found: Cells, versions: Sequence[str], pinned: Pinned | None) -> _Side:
    """Return the runs after. What is pinned is not compared with itself."""
    is_own = pinned is not None and pinned.version in ("", asked.b or "")
    since = pinned.hours.end if pinned is not None and (is_own or asked.b is None) else 0
    later = found.between(since, 2**31 - 1)
    if asked.b is not None:
        return _Side(_of_version(later, asked.b), f"version {asked.b[:100]}", asked.b)
    if pinned is not None:
        return _Side(later, f"all runs after {_minute(pinned.hours.end)}")
    if asked.a is None and asked.before_since is not None:
        return _Side(later, "all runs")
    newest = [version for version in versions if version != asked.a]
    if not newest:
        raise NotFound(
            f"{asked.agent[:100]!r} has no run of another version in that time", "say b=; since= looks further back"
        )
    return _Side(_of_version(later, newest[-1]), f"version {newest[-1][:100]}", newest[-1])


def _hours(asked: CompareAsked) -> tuple[Hours, Hours]:
    """Return the hours of the runs after and of those before.

    Raises:
        Invalid: if one has no hour, or a side is compared with itself.
        TooMuch: if they are too many.
    """
    now = datetime.now(UTC)
    # The hour that goes on counts too.
    end = hour_of((asked.until or now) + timedelta(hours=1) - timedelta(microseconds=1))
    first = hour_of(asked.since or (asked.until or now) - _USUAL)
    before = Hours(
        first if asked.before_since is None else hour_of(asked.before_since),
        end if asked.before_until is None else hour_of(asked.before_until),
    )
    if asked.before_until is None and asked.before_since is not None and asked.a is None:
        before = Hours(before.first, first)
    for hours in (Hours(first, end), before):
        if not len(hours):
            raise Invalid(
                f"no hour lies between {_minute(hours.first)} and {_minute(hours.end)}",
                "since= comes before until=, which is now if it is not said; the same holds for before_since= and "
                "before_until=",
            )
        if len(hours) > _MOST_HOURS:
            raise TooMuch(
                f"{len(hours) // HOURS_PER_DAY} days are more than {_MOST_HOURS // HOURS_PER_DAY}, the most to compare",
                "narrow the time with since= and until=",
            )
    if asked.baseline is not None and (asked.a is not None or asked.before_since is not None):
        raise Invalid("runs before are said twice: baseline, and a or before_since", "leave one of them out")
    is_same_time = before.first < end and first < before.end
    if asked.a is not None and asked.a == asked.b and is_same_time:
        raise Invalid(
            f"a and b are both {asked.a[:100]!r}: there is nothing to compare", "say two versions, or two times"
        )
    if asked.a is None and asked.before_since is not None and is_same_time:
        raise Invalid("the times before and after overlap", "before_until ends before since")
    return Hours(first, end), before


def _of_version(cells: Cells, version: str) -> Cells:
    code = cells.words.index(version) if version in cells.words else -1
    return cells.where(cells.version == code)


def _told(side: _Side, runs: int, days: int) -> Runs:
    return Runs(
        label=side.label,
        version=side.version or None,
        baseline=side.baseline or None,
        since=time_of_hour(int(side.cells.hour[0])),
        until=time_of_hour(int(side.cells.hour[-1]) + 1),
        runs=runs,
        days=days,
    )


def _known(versions: Sequence[str]) -> str:
    if not versions:
        return ""
    more = ", ..." if len(versions) > _NAMED else ""
    return f"versions that ran are {', '.join(version[:100] for version in versions[-_NAMED:])}{more}; "


def _minute(hour: int) -> str:
    return f"{time_of_hour(hour):%Y-%m-%d %H:%M} UTC"
