"""From an alarm that is explained to what stands in the book of findings."""

import math
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from agentvigil.analysis.detection.alarms import Alarm, Direction
from agentvigil.analysis.detection.baseline import Baseline
from agentvigil.analysis.detection.changetime import ChangeTime
from agentvigil.analysis.detection.config import HOURS_PER_DAY
from agentvigil.analysis.detection.decomposition import Part
from agentvigil.analysis.detection.explaining import Change, Explanation, Moved, Told
from agentvigil.analysis.detection.next_steps import next_steps_of
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
from agentvigil.analysis.features.cells import Subject, hour_of, time_of
from agentvigil.analysis.features.names import FEATURES, Unit, is_error
from agentvigil.analysis.findings.model import Kind, Observation, Severity, SubjectType
from agentvigil.analysis.findings.severity import severity_of

DETECTOR: Final = "drift"
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
        window_start=time_of(explanation.level_from),
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
        severity=_severity(explanation),
        runs=explanation.runs,
        usd_per_day=explanation.usd_per_day,
        failed_runs_per_day=explanation.failed_runs_per_day,
        explanation=sentence(explanation),
        details=_details(explanation),
    )


def _severity(explanation: Explanation) -> Severity:
    """Say how much it matters: of values by how far these moved, which a share that is above some edge does not say."""
    stream, effect = explanation.alarm.stream, explanation.effect_size
    if stream.kind in {StreamKind.MEAN, StreamKind.ABOVE}:
        return severity_of(effect, None, None, FEATURES[stream.feature].unit, explanation.usd_per_day)
    # The baseline expects a little of what it never saw.
    before = 0.0 if stream.kind is StreamKind.NEW else explanation.baseline_value
    points = explanation.window_value - explanation.baseline_value
    errors_per_day = points * explanation.runs_per_day if is_error(stream.feature, stream.key) else None
    return severity_of(effect, before, explanation.window_value, Unit.SHARE, None, errors_per_day)


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
    if explanation.level_from > since.hour:
        days = (alarm.hour + 1 - explanation.level_from) // HOURS_PER_DAY
        text += f", told as in the last {days} days of them"
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


def moved_details(moved: Moved) -> dict[str, Any]:
    """Return what :func:`moved_of` reads."""
    stream = moved.stream
    return {
        "feature": stream.feature,
        "kind": stream.kind.value,
        "key": stream.key,
        "edge_bin": stream.edge_bin,
        "level": stream.level,
        "direction": moved.direction.value,
        "shift": moved.shift,
    }


def told_of(seen: Observation) -> Told:
    """Return what an observation of this detector told of its alarm.

    Raises:
        KeyError, ValueError, TypeError: if it is one of another detector.
    """
    moved = moved_of(seen.details)
    began = [seen.changed_at, seen.changed_from, seen.changed_to]
    hour, first_hour, end_hour = (hour_of(time) for time in began if time is not None)
    alarm = Alarm(
        subject=Subject(seen.project, seen.environment, seen.agent),
        feature=seen.feature,
        hour=hour_of(seen.seen_at) - 1,
        watched_from=first_hour,
        statistic=seen.statistic or 0.0,
        threshold=seen.threshold or 0.0,
        hours_between_false_alarms=seen.evidence_level or 0.0,
        stream=moved.stream,
        direction=moved.direction,
        part=float(seen.details["part_of_evidence"]),
    )
    changes = [
        Change(str(one["what"]), str(one["name"]), hour_of(datetime.fromisoformat(one["at"])), int(one["runs"]))
        for one in seen.details["changes"]
    ]
    return Told(alarm, moved, ChangeTime(hour, first_hour, end_hour - 1), changes)


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
        "moved": moved_details(explanation.moved),
        "edge": edge_of(stream) if stream.kind is StreamKind.ABOVE else None,
        "quantile": dict(zip(("level", "before", "after"), explanation.quantile, strict=True))
        if explanation.quantile
        else None,
        "part_of_evidence": explanation.alarm.part,
        "next_actions": next_steps_of(explanation),
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
    """Return a part in the unit of the stream.

    Those of typical values are logarithms. The logarithmic mean is the slope by which what they carry adds up to the
    difference of the values: B. W. Ang, *The LMDI approach to decomposition analysis: a practical guide*, 2005.
    """
    told = {**asdict(part), "total": part.total}
    if explanation.alarm.stream.kind is not StreamKind.MEAN:
        return told
    before, after = explanation.baseline_value, explanation.window_value
    slope = (after - before) / math.log2(after / before) if after != before else after * math.log(2)
    for name in ("mix", "within", "total"):
        told[name] *= slope
    for name in ("value_before", "value_after"):
        told[name] = None if told[name] is None else 2 ** told[name]
    return told


def _change(change: Change) -> dict[str, Any]:
    return {"what": change.what, "name": change.name, "at": time_of(change.hour).isoformat(), "runs": change.runs}
