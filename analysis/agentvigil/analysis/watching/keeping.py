"""Keeps the state of what is watched in the store."""

import base64
import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
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
_EVIDENCE_COLUMNS: Final = ("Project", "NextHour", "CountedFrom", "CountedTo", "Counted", "Evidence", "Version")


@dataclass(frozen=True, slots=True)
class Counted:
    """How many runs were looked at, in the hours from the first to before the end."""

    first_hour: int
    end_hour: int
    runs: Mapping[Subject, int]


def load(store: Store, project: str, read: Reading, config: DetectionConfig) -> tuple[DriftWatch, Counted] | None:
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
    return watch, Counted(int(row["counted_from"]), int(row["counted_to"]), counted)


def keep(store: Store, watch: DriftWatch, changed: Mapping[Subject, Watched], counted: Counted) -> None:
    """Write how far ``watch`` is, and before that what of it is compared with something else than was kept.

    Raises:
        StorageError: if the store does not answer. Then some baselines may be kept, whose evidence begins anew.
    """
    written_at = time.time_ns() // 1000
    rows = [_row(subject, one, written_at) for subject, one in changed.items()]
    if rows:
        store.insert_rows("drift_baselines", _BASELINE_COLUMNS, rows)
    names = {json.dumps([subject.environment, subject.agent]): runs for subject, runs in counted.runs.items()}
    evidence = base64.b64encode(watch.monitor.to_bytes()).decode()
    hours = (time_of(watch.next_hour), time_of(counted.first_hour), time_of(counted.end_hour))
    store.insert_rows("drift_evidence", _EVIDENCE_COLUMNS, [[watch.project, *hours, names, evidence, written_at]])


def _row(subject: Subject, one: Watched, written_at: int) -> list[Any]:
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
        written_at,
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
