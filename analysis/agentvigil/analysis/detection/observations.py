"""From an alarm that is explained to what stands in the book of findings."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from agentvigil.analysis.detection.alarms import Direction
from agentvigil.analysis.detection.baseline import Baseline
from agentvigil.analysis.detection.decomposition import Part
from agentvigil.analysis.detection.explaining import Change, Explanation, Moved
from agentvigil.analysis.detection.streams import Stream, StreamKind
from agentvigil.analysis.detection.wording import (
    about_words,
    edge_of,
    shift_words,
    stream_name,
    time_words,
)
from agentvigil.analysis.explaining.labels import quoted
from agentvigil.analysis.explaining.wording import listed
from agentvigil.analysis.features.cells import time_of
from agentvigil.analysis.features.names import FEATURES, Unit
from agentvigil.analysis.findings.model import Kind, Observation, Severity, SubjectType

DETECTOR: Final = "drift"
_FAILING: Final = {"failure", "tool_error"}
_MAJOR: Final = 0.25
"""Relative change."""
_CRITICAL: Final = 2.0
"""Factor."""
_CRITICAL_POINTS: Final = 0.05
"""Runs more that fail, as a share of all."""
_EXPOSED_SHARE: Final = 0.01
"""Share of runs that must be concerned for a relative change to matter: twice nearly nothing is nearly nothing."""
_EXPOSED_USD_PER_DAY: Final = 1.0
_NAMED_CHANGES: Final = 3
_CARRIES: Final = 0.6
"""Part of a shift that a group must carry to be named."""
_MORE_THAN_ITS_RUNS: Final = 1.5
_LEAST_HITS: Final = 20
_WHAT: Final = {
    "version": "version",
    "model": "model",
    "tool": "tool",
    "response_model": "answering model",
    "input_class": "input class",
}


def observation_of(explanation: Explanation, baseline: Baseline) -> Observation:
    """Return what is to be found about an explained alarm."""
    alarm, since = explanation.alarm, explanation.since
    end_hour = alarm.hour + 1
    return Observation(
        project=alarm.subject.project,
        kind=Kind.DRIFT,
        detector=DETECTOR,
        subject_type=SubjectType.AGENT,
        subject=alarm.subject.agent,
        environment=alarm.subject.environment,
        agent=alarm.subject.agent,
        feature=alarm.feature,
        stream=stream_name(alarm.stream),
        direction=alarm.direction.value,
        seen_at=time_of(end_hour),
        window_start=time_of(since.hour),
        window_end=time_of(end_hour),
        changed_at=time_of(since.hour),
        changed_from=time_of(since.first_hour),
        changed_to=time_of(since.last_hour + 1),
        baseline_start=time_of(baseline.first_hour),
        baseline_end=time_of(baseline.end_hour),
        baseline_value=explanation.baseline_value,
        window_value=explanation.window_value,
        window_low=explanation.low,
        window_high=explanation.high,
        unit=FEATURES[alarm.feature].unit.value if alarm.stream.kind is StreamKind.MEAN else Unit.SHARE.value,
        statistic=alarm.statistic,
        threshold=alarm.threshold,
        evidence_level=alarm.hours_between_false_alarms,
        effect_size=explanation.effect_size,
        severity=severity_of(explanation),
        runs=explanation.runs,
        usd_per_day=explanation.usd_per_day,
        failed_runs_per_day=explanation.failed_runs_per_day,
        explanation=sentence(explanation),
        details=_details(explanation),
    )


def severity_of(explanation: Explanation) -> Severity:
    """Say how much it matters: by how far it moved, and how many runs or dollars a day that concerns."""
    stream, effect = explanation.alarm.stream, explanation.effect_size
    points = explanation.window_value - explanation.baseline_value
    if stream.kind in {StreamKind.MEAN, StreamKind.ABOVE}:
        exposed = explanation.usd_per_day is None or abs(explanation.usd_per_day) >= _EXPOSED_USD_PER_DAY
        factor = max(1 + effect, 1 / max(1 + effect, 1e-9))
        if factor >= _CRITICAL and exposed:
            return Severity.CRITICAL
        return Severity.MAJOR if abs(effect) >= _MAJOR else Severity.MINOR
    if is_failing(stream):
        if points <= 0:
            return Severity.MINOR
        if points >= _CRITICAL_POINTS or (effect + 1 >= _CRITICAL and points >= _EXPOSED_SHARE):
            return Severity.CRITICAL
        return Severity.MAJOR if effect >= _MAJOR else Severity.MINOR
    if effect + 1 >= _CRITICAL and points >= _CRITICAL_POINTS and stream.kind is not StreamKind.NEW:
        return Severity.CRITICAL
    return Severity.MAJOR if abs(effect) >= _MAJOR and abs(points) >= _EXPOSED_SHARE else Severity.MINOR


def is_failing(stream: Stream) -> bool:
    """Say whether more hits of a stream mean more runs that fail."""
    return stream.feature in _FAILING or (stream.feature == "status" and stream.key == "failure")


def sentence(explanation: Explanation) -> str:
    """Return the finding in a sentence or two, of structure and numbers alone."""
    alarm, since = explanation.alarm, explanation.since
    new_key = next((s.key for s in explanation.keys if s.before == 0), "") if alarm.direction is Direction.NEW else ""
    values = explanation.window_value, explanation.baseline_value, explanation.low, explanation.high
    said = [
        f"{quoted(alarm.subject.agent) or 'agent'}: {shift_words(alarm.stream, *values, new_key)}",
        f"since about {time_words(since.hour)} UTC ({about_words(since.first_hour, since.hour, since.last_hour)})",
    ]
    if explanation.changes:
        firsts = [f"{_WHAT[change.what]} {quoted(change.name)}" for change in explanation.changes[:_NAMED_CHANGES]]
        said.append(f"after {listed(firsts)} {'was' if len(firsts) == 1 else 'were'} first seen")
    text = f"{', '.join(said)}; {explanation.runs:,} runs in {explanation.hours:,} h"
    carried = _carrier(explanation)
    return f"{text}; {carried}." if carried else f"{text}."


def moved_of(details: Mapping[str, Any]) -> Moved:
    """Return the stream that moved from the details of an observation.

    Raises:
        KeyError, ValueError, TypeError: if they are those of another detector.
    """
    moved = details["moved"]
    stream = Stream(
        str(moved["feature"]),
        StreamKind(moved["kind"]),
        str(moved["key"]),
        int(moved["edge_bin"]),
        float(moved["level"]),
    )
    return Moved(stream, Direction(moved["direction"]), float(moved["shift"]))


def _carrier(explanation: Explanation) -> str:
    """Return which group carries most of the shift, if one of several does."""
    for dimension, parts in explanation.parts.items():
        shift = sum(part.total for part in parts)
        if len(parts) > 1 and shift and parts[0].total / shift >= _CARRIES and _stands_out(parts[0], explanation):
            share = min(round(100 * parts[0].total / shift), 100)
            return f"{_WHAT[dimension]} {quoted(parts[0].name) or '(none)'} carries {share} % of the shift"
    return ""


def _stands_out(part: Part, explanation: Explanation) -> bool:
    """Say whether a group is new, or carries more than its runs would, by more than a few hits."""
    if part.share_before == 0:
        return True
    shift = sum(p.total for parts in explanation.parts.values() for p in parts) / len(explanation.parts)
    is_mean = explanation.alarm.stream.kind is StreamKind.MEAN
    hits = explanation.runs * (1 if is_mean else explanation.window_value)
    return hits >= _LEAST_HITS and part.total / shift >= _MORE_THAN_ITS_RUNS * part.share_after


def _details(explanation: Explanation) -> dict[str, Any]:
    stream = explanation.moved.stream
    return {
        "moved": {
            "feature": stream.feature,
            "kind": stream.kind.value,
            "key": stream.key,
            "edge_bin": stream.edge_bin,
            "level": stream.level,
            "direction": explanation.moved.direction.value,
            "shift": explanation.moved.shift,
        },
        "edge": edge_of(stream) if stream.kind is StreamKind.ABOVE else None,
        "quantile": dict(zip(("level", "before", "after"), explanation.quantile, strict=True))
        if explanation.quantile
        else None,
        "part_of_evidence": explanation.alarm.part,
        "hours": explanation.hours,
        "runs_per_day": explanation.runs_per_day,
        "parts": {
            dimension: [_part(part, explanation) for part in parts] for dimension, parts in explanation.parts.items()
        },
        "keys": [asdict(shift) for shift in explanation.keys],
        "changes": [_change(change) for change in explanation.changes],
        "series": [
            {"at": time_of(p.hour).isoformat(), "runs": p.runs, "value": p.value, "expected": p.expected}
            for p in explanation.series
        ],
    }


def _part(part: Part, explanation: Explanation) -> dict[str, Any]:
    """Return a part; its values are in the unit of the stream, those of means being logarithms to base 2."""
    return {**asdict(part), "total": part.total, "is_log2": explanation.alarm.stream.kind is StreamKind.MEAN}


def _change(change: Change) -> dict[str, Any]:
    return {"what": change.what, "name": change.name, "at": time_of(change.hour).isoformat(), "runs": change.runs}
