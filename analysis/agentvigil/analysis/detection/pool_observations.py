"""From an alarm of agents that share something to what stands in the book of findings."""

from dataclasses import replace
from typing import Final

from agentvigil.analysis.detection.explaining import Moved
from agentvigil.analysis.detection.observations import moved_details
from agentvigil.analysis.detection.pooling import Dimension, PoolAlarm
from agentvigil.analysis.detection.wording import stream_name
from agentvigil.analysis.explaining.labels import quoted
from agentvigil.analysis.explaining.wording import counted
from agentvigil.analysis.features.cells import time_of
from agentvigil.analysis.features.names import FEATURES
from agentvigil.analysis.findings.model import Kind, Observation, Severity, SubjectType

DETECTOR: Final = "pooled_drift"
_SUBJECTS: Final = {
    Dimension.MODEL: SubjectType.MODEL,
    Dimension.VERSION: SubjectType.VERSION,
    Dimension.TOOL: SubjectType.TOOL,
}


def pool_observation_of(alarm: PoolAlarm) -> Observation:
    """Return what is to be found about the model, the version or the tool that agents share.

    It is major: each agent alone has too few runs to tell, and what they have in common is nobody's in particular.
    """
    since, end_hour = alarm.since, alarm.hour + 1
    agents = counted(len(alarm.agents), "agent")
    of = f"{alarm.dimension} {quoted(alarm.value)}"
    if alarm.dimension is Dimension.TOOL:
        said = f"The use of {of} moved in {agents} together"
    else:
        said = f"{FEATURES[alarm.feature].words.capitalize()} moved in {agents} of {of} together, and not in others"
    return Observation(
        project=alarm.project,
        environment=alarm.environment,
        kind=Kind.DRIFT,
        detector=DETECTOR,
        subject_type=_SUBJECTS[alarm.dimension],
        subject=alarm.value,
        feature=alarm.feature,
        stream=stream_name(alarm.stream),
        direction=alarm.direction.value,
        seen_at=time_of(end_hour),
        window_start=time_of(alarm.watched_from),
        window_end=time_of(end_hour),
        changed_at=time_of(since.hour),
        changed_from=time_of(since.first_hour),
        changed_to=time_of(since.last_hour + 1),
        severity=Severity.MAJOR,
        explanation=f"{said} ({alarm.direction}), since about {time_of(since.hour):%Y-%m-%d %H:00} UTC.",
        statistic=alarm.statistic,
        threshold=alarm.threshold,
        evidence_level=alarm.hours_between_false_alarms,
        details={"agents": list(alarm.agents)},
    )


def as_pooled(
    seen: Observation, alarm: PoolAlarm, shift: float, baseline_hours: tuple[int, int], watched: int, of: int
) -> Observation:
    """Return what was seen with what tells later whether it is over, and how many agents were looked at.

    ``shift`` is how far the stream had moved, in log odds or standard deviations, from the baselines, which were
    learned from ``baseline_hours``. ``watched`` agents, of ``of`` that are old enough, are looked at together.
    """
    moved = moved_details(Moved(alarm.stream, alarm.direction, shift))
    more = f" Of {of:,} agents the {watched:,} with most runs are looked at together." if watched < of else ""
    return replace(
        seen,
        baseline_start=time_of(baseline_hours[0]),
        baseline_end=time_of(baseline_hours[1]),
        explanation=seen.explanation + more,
        details={**seen.details, "moved": moved, "looked_at": {"agents": watched, "of": of}},
    )
