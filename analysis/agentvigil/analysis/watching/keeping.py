"""Keeps the state of what is watched in the store.

A version is the time at which a step began, or one more than that of what it went on from: what a process writes that
stood still in a step never replaces what another one wrote since.
"""

import base64
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from agentvigil.analysis.baselines.choosing import Baseline as Choice
from agentvigil.analysis.baselines.choosing import Hours, Source
from agentvigil.analysis.detection import Baseline, DetectionConfig, FleetMonitor, ForeignState
from agentvigil.analysis.features.cells import Subject, time_of
from agentvigil.analysis.watching.drift import DriftWatch, Reading, Watched
from agentvigil.storage.named_queries import load_queries
from agentvigil.storage.store import Store

_LOG: Final = logging.getLogger("agentvigil.analysis")
_STATEMENTS: Final = load_queries("agentvigil.analysis.watching", "keeping.sql")
_BASELINE_COLUMNS: Final = (
    "Project", "Environment", "Agent", "Source", "Name", "AgentVersion", "FirstHour", "EndHour", "LeftOut", "Reason",
    "Runs", "ReviewHour", "Numbers", "Renewed", "Version",
)  # fmt: skip
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EVIDENCE_COLUMNS: Final = ("Project", "NextHour", "CountedFrom", "CountedTo", "Counted", "Evidence", "Version")


@dataclass(frozen=True, slots=True)
class Counted:
    """How many runs were looked at, in the hours from the first to before the end."""

    first_hour: int
    end_hour: int
    runs: Mapping[Subject, int]


@dataclass(frozen=True, slots=True)
class Kept:
    """The watch of a project and the runs that it looked at, as they are in the store by this version; 0 before."""

    watch: DriftWatch
    counted: Counted
    version: int = 0


def load(store: Store, project: str, read: Reading, config: DetectionConfig) -> Kept | None:
    """Return the watch of ``project`` as it was kept; None if it never was.

    Raises:
        StorageError: if the store does not answer.
    """
    rows = store.records(_STATEMENTS["evidence"], {"project": project})
    if not rows:
        return None
    row = rows[0]
    watched = _load_baselines(store, project)
    baselines = [one.baseline for one in watched.values()]
    try:
        monitor = FleetMonitor.from_bytes(base64.b64decode(row["evidence"]), baselines, config)
    except (ForeignState, ValueError) as exc:
        _LOG.warning("the evidence of project %s begins anew: %s", project, exc)
        monitor = FleetMonitor(baselines, config)
    counted = {Subject(project, *json.loads(name)): int(runs) for name, runs in row["counted"].items()}
    watch = DriftWatch(project, int(row["next_hour"]), watched, monitor, read)
    counted_runs = Counted(int(row["counted_from"]), int(row["counted_to"]), counted)
    return Kept(watch, counted_runs, int(row["version"]))


def keep(
    store: Store,
    watch: DriftWatch,
    changed: Mapping[Subject, Watched],
    counted: Counted,
    *,
    after: int,
    began: datetime,
) -> Kept:
    """Write how far ``watch`` is by a step that ``began`` then and went on from version ``after``, and before that what
    of it is compared with something else than was kept; return what is kept.

    Raises:
        StorageError: if the store does not answer. Then some baselines may be kept, whose evidence begins anew.
    """
    version = max(after + 1, (began - _EPOCH) // timedelta(microseconds=1))
    rows = [_row(subject, one, version) for subject, one in changed.items()]
    if rows:
        store.insert_rows("drift_baselines", _BASELINE_COLUMNS, rows)
    names = {json.dumps([subject.environment, subject.agent]): runs for subject, runs in counted.runs.items()}
    evidence = base64.b64encode(watch.monitor.to_bytes()).decode()
    hours = (time_of(watch.next_hour), time_of(counted.first_hour), time_of(counted.end_hour))
    store.insert_rows("drift_evidence", _EVIDENCE_COLUMNS, [[watch.project, *hours, names, evidence, version]])
    return Kept(watch, counted, version)


def _row(subject: Subject, one: Watched, version: int) -> list[Any]:
    choice = one.choice
    return [
        *subject,
        choice.source.value,
        choice.name,
        choice.version,
        time_of(choice.hours.first),
        time_of(choice.hours.end),
        [(time_of(hours.first), time_of(hours.end)) for hours in choice.left_out],
        choice.reason,
        one.baseline.runs,
        time_of(one.review_hour),
        base64.b64encode(one.baseline.to_bytes()).decode(),
        [(feature, time_of(hours.first), time_of(hours.end)) for feature, hours in one.renewed.items()],
        version,
    ]


def _load_baselines(store: Store, project: str) -> dict[Subject, Watched]:
    watched: dict[Subject, Watched] = {}
    for row in store.records(_STATEMENTS["baselines"], {"project": project}):
        subject = Subject(project, row["environment"], row["agent"])
        choice = Choice(
            Source(row["source"]),
            Hours(int(row["first_hour"]), int(row["end_hour"])),
            row["version"],
            tuple(Hours(int(first), int(end)) for first, end in row["left_out"]),
            row["name"],
            row["reason"],
        )
        try:
            baseline = Baseline.from_bytes(base64.b64decode(row["numbers"]))
        except (ForeignState, ValueError) as exc:
            _LOG.warning("the baseline of agent %s is learned anew: %s", subject.agent, exc)
            continue
        renewed = {str(feature): Hours(int(first), int(end)) for feature, first, end in row["renewed"]}
        watched[subject] = Watched(choice, baseline, int(row["review_hour"]), renewed)
    return watched
