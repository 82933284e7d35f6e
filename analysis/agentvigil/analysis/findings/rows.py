"""Findings as rows of the table ``findings``, and back."""

import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from agentvigil.analysis.findings.finding import Event, Finding, Judgement
from agentvigil.analysis.findings.incidents import Member
from agentvigil.analysis.findings.model import Kind, Observation, Resolution, Severity, State, SubjectType

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

EVENT_COLUMNS: Final = ("Project", "FindingId", "FindingVersion", "What", "At", "KeyId", "Value", "FoundAt", "KeepDays")


def row_of(finding: Finding) -> dict[str, Any]:
    """Return the row that ``finding`` is, by the names of the columns."""
    seen = finding.seen
    return {
        "Project": seen.project,
        "FindingId": finding.id,
        "Version": finding.version,
        "IsDeleted": 0,
        "KeepDays": finding.keep_days,
        "StableKey": finding.stable_key,
        "IncidentId": finding.incident_id,
        "Kind": str(seen.kind),
        "Detector": seen.detector,
        "Environment": seen.environment,
        "SubjectType": str(seen.subject_type),
        "Subject": seen.subject,
        "Agent": seen.agent,
        "Feature": seen.feature,
        "Stream": seen.stream,
        "Direction": seen.direction,
        "Models": sorted(finding.models),
        "State": str(finding.state),
        "Resolution": finding.resolution or "",
        "ResolvedAt": finding.resolved_at,
        "AcknowledgedAt": finding.acknowledged_at,
        "InsideSince": finding.inside_since,
        "Judgement": finding.judgement or "",
        "ReopenedTimes": finding.reopened_times,
        "Severity": str(finding.severity),
        "FoundAt": finding.found_at,
        "LastSeenAt": seen.seen_at,
        "ChangedAt": seen.changed_at,
        "ChangedFrom": seen.changed_from,
        "ChangedTo": seen.changed_to,
        "EarliestChange": finding.earliest_change,
        "WindowStart": seen.window_start,
        "WindowEnd": seen.window_end,
        "BaselineStart": seen.baseline_start,
        "BaselineEnd": seen.baseline_end,
        "BaselineValue": _finite(seen.baseline_value),
        "WindowValue": _finite(seen.window_value),
        "WindowLow": _finite(seen.window_low),
        "WindowHigh": _finite(seen.window_high),
        "Unit": seen.unit,
        "Statistic": _finite(seen.statistic),
        "Threshold": _finite(seen.threshold),
        "EvidenceLevel": _finite(seen.evidence_level),
        "EffectSize": _finite(seen.effect_size),
        "Runs": seen.runs,
        "UsdPerDay": _finite(seen.usd_per_day),
        "FailedRunsPerDay": _finite(seen.failed_runs_per_day),
        "Explanation": seen.explanation,
        "Details": json.dumps(_plain(seen.details), allow_nan=False, separators=(",", ":")),
        "ExampleRuns": list(seen.example_runs),
        "TypicalRuns": list(seen.typical_runs),
    }


def finding_of(row: Mapping[str, Any]) -> Finding:
    """Return the finding that a row of the statement part ``columns`` is."""
    seen = Observation(
        project=row["Project"],
        kind=Kind(row["Kind"]),
        detector=row["Detector"],
        subject_type=SubjectType(row["SubjectType"]),
        subject=row["Subject"],
        feature=row["Feature"],
        seen_at=time_of(row["last_seen_ns"]),
        window_start=time_of(row["window_start_ns"]),
        window_end=time_of(row["window_end_ns"]),
        severity=Severity(row["Severity"]),
        explanation=row["Explanation"],
        environment=row["Environment"],
        agent=row["Agent"],
        stream=row["Stream"],
        direction=row["Direction"],
        changed_at=_known(row["changed_ns"]),
        changed_from=_known(row["changed_from_ns"]),
        changed_to=_known(row["changed_to_ns"]),
        baseline_start=_known(row["baseline_start_ns"]),
        baseline_end=_known(row["baseline_end_ns"]),
        baseline_value=row["BaselineValue"],
        window_value=row["WindowValue"],
        window_low=row["WindowLow"],
        window_high=row["WindowHigh"],
        unit=row["Unit"],
        statistic=row["Statistic"],
        threshold=row["Threshold"],
        evidence_level=row["EvidenceLevel"],
        effect_size=row["EffectSize"],
        runs=row["Runs"],
        usd_per_day=row["UsdPerDay"],
        failed_runs_per_day=row["FailedRunsPerDay"],
        details=json.loads(row["Details"] or "{}"),
        example_runs=tuple(row["ExampleRuns"]),
        typical_runs=tuple(row["TypicalRuns"]),
    )
    return Finding(
        id=row["FindingId"],
        stable_key=row["StableKey"],
        seen=seen,
        found_at=time_of(row["found_ns"]),
        version=row["Version"],
        state=State(row["State"]),
        incident_id=row["IncidentId"] or row["FindingId"],
        models=frozenset(row["Models"]),
        earliest_change=_known(row["earliest_change_ns"]),
        resolution=Resolution(row["Resolution"]) if row["Resolution"] else None,
        resolved_at=_known(row["resolved_ns"]),
        acknowledged_at=_known(row["acknowledged_ns"]),
        inside_since=_known(row["inside_since_ns"]),
        judgement=Judgement(row["Judgement"]) if row["Judgement"] else None,
        reopened_times=row["ReopenedTimes"],
        keep_days=row["KeepDays"],
    )


def member_of(row: Mapping[str, Any]) -> Member:
    """Return what incidents know of a finding, from a row of the statement ``members``."""
    return Member(
        finding_id=row["FindingId"],
        project=row["Project"],
        environment=row["Environment"],
        agent=row["Agent"] or f"{row['SubjectType']}:{row['Subject']}",
        models=frozenset(row["models"]),
        is_of_model=row["SubjectType"] == SubjectType.MODEL,
        began_from=time_of(row["from_ns"]),
        began_to=time_of(row["to_ns"]),
        incident_id=row["IncidentId"],
    )


def row_of_event(event: Event) -> Sequence[Any]:
    """Return the row that ``event`` is, with a value for each of `EVENT_COLUMNS`."""
    return (
        event.project,
        event.finding_id,
        event.version,
        str(event.what),
        event.at,
        event.key_id,
        event.value,
        event.found_at,
        event.keep_days,
    )


def time_of(nanoseconds: int) -> datetime:
    """Return the time that is so many nanoseconds after 1970, to the microsecond."""
    return _EPOCH + timedelta(microseconds=nanoseconds // 1000)


def _known(nanoseconds: int | None) -> datetime | None:
    return None if nanoseconds is None else time_of(nanoseconds)


def _finite(value: float | None) -> float | None:
    """Return ``value`` as the table has it: what is no number, or beyond all of them, is not known."""
    return float(value) if value is not None and math.isfinite(value) else None


def _plain(value: Any) -> Any:
    """Return ``value`` as JSON has it; numbers of numpy are numbers, times texts."""
    match value:
        case None | bool() | str():
            return value
        case int():
            return int(value)
        case float():
            return _finite(value)
        case datetime():
            return value.astimezone(UTC).isoformat()
        case Mapping():
            return {str(key): _plain(one) for key, one in value.items()}
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if hasattr(value, "__iter__"):
        return [_plain(one) for one in value]
    return str(value)
