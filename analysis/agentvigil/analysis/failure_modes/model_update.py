"""Model update: another model answers than before, by its name or behind it.

**Certain.** Responses name the model that answered. A name that was never seen before is a fact and no inference, so
it is **reported** with its first run, and the hour of it. Not before the baseline is 14 days old, since everything is
new to who has just begun; and a name that comes back after a time is not new. Where new names are usual (two or more
of the baseline's names were seen in a single run, as with routers that try many models) one more is no news, and it is
only reported once it came to stay (:mod:`.new_keys`), which chance does once in 1,000 names. The certain form has no
false alarms else.

**Silent.** A provider may change what stands behind a name. No name tells, but agents that use it move at the same
hour, and those with other models do not. That evidence is pooled over agents by
:mod:`agentvigil.analysis.detection.pooling`; :func:`silent_update` turns it into an observation about the model, at
the level of the evidence.

**Limits.** That another model answers says nothing of better or worse: what moved with it is told by drift. A name
that had no room of its own in the hourly counts is not known, and while there are such nothing is certain, so nothing
is said.
"""

from dataclasses import replace
from typing import Final

import numpy as np

from agentvigil.analysis.detection.pool_observations import pool_observation_of
from agentvigil.analysis.detection.pooling import Dimension, PoolAlarm
from agentvigil.analysis.explaining.labels import quoted
from agentvigil.analysis.explaining.wording import counted
from agentvigil.analysis.failure_modes import day_tables
from agentvigil.analysis.failure_modes.looking import HOURS_PER_DAY, Look, Period
from agentvigil.analysis.failure_modes.new_keys import (
    NewKey,
    counted_runs,
    has_unnamed,
    new_keys,
    runs_around,
    runs_by_key,
    sustained,
)
from agentvigil.analysis.failure_modes.next_steps import next_steps_of
from agentvigil.analysis.failure_modes.observing import observe, series
from agentvigil.analysis.failure_modes.wording import percent
from agentvigil.analysis.features.cells import Cells, time_of
from agentvigil.analysis.features.names import FEATURES, Unit
from agentvigil.analysis.findings.model import Kind, Observation, Severity, SubjectType

NAME: Final = "model_update"
FEATURE: Final = "response_model"
MAJOR_SHARE: Final = 0.25
"""Of the runs since it was first seen."""
_USUAL_SINGLES: Final = 2
_REPLACED: Final = 0.1
"""Of the runs: so many fewer has a model that was replaced."""


def find(baseline: Cells, window: Cells, look: Look) -> list[Observation]:
    """Return an observation for each response model that was never seen before the window."""
    if not day_tables.shares(baseline, FEATURE, "", look.baseline).is_baseline() or has_unnamed(baseline, FEATURE):
        return []
    names = runs_by_key(baseline, FEATURE)
    are_usual = sum(count == 1 for count in names.values()) >= _USUAL_SINGLES
    return [
        _observation(baseline, window, look, new)
        for new in new_keys(baseline, window, FEATURE)
        if new.key not in look.known_models
        and (not are_usual or sustained(new, *runs_around(baseline, window, FEATURE, new.first_hour)))
    ]


def silent_update(alarm: PoolAlarm) -> Observation | None:
    """Return what an alarm of the agents that share a model says of the model; None where others moved as well."""
    if alarm.dimension is not Dimension.MODEL or alarm.others_moved:
        return None
    return replace(
        pool_observation_of(alarm),
        kind=Kind.FAILURE_MODE,
        detector=NAME,
        stream="silent",
        explanation=f"Model update: {quoted(alarm.value)} seems to have changed behind its name about "
        f"{time_of(alarm.since.hour):%Y-%m-%d %H:00} UTC: {FEATURES[alarm.feature].words} moved in "
        f"{counted(len(alarm.agents), 'agent')} that use it, and not with other models.",
        details={
            "where": {"model": alarm.value},
            "agents": list(alarm.agents),
            "next_actions": next_steps_of(NAME, "", alarm.value),
        },
    )


def _observation(baseline: Cells, window: Cells, look: Look, new: NewKey) -> Observation:
    # Of at least a day: in the first hour it is all of the few runs that there were.
    since = window.between(min(new.first_hour, look.window.end_hour - HOURS_PER_DAY), look.window.end_hour)
    runs = counted_runs(since, FEATURE)
    share = new.runs / runs
    hour = time_of(new.first_hour)
    replaced = _replaced(baseline, since)
    instead = f", in place of {quoted(replaced)}" if replaced else ""
    return observe(
        look,
        NAME,
        FEATURE,
        f"Model update: {quoted(new.key)} was never seen before and answers since {hour:%Y-%m-%d %H:00} UTC, "
        f"so far in {percent(share)} of the runs ({counted(round(new.runs), 'run')}){instead}.",
        unit=Unit.SHARE,
        before=0.0,
        after=share,
        severity=Severity.MAJOR if share >= MAJOR_SHARE else Severity.MINOR,
        direction="new",
        began=(hour, hour, hour),
        runs=new.runs,
        details={
            "where": {"response_model": new.key},
            "example_hours": _hours(since, new.key),
            "first_hour": new.first_hour,
            "in_place_of": replaced,
            "series": _series(look, since, new),
        },
        subject=(SubjectType.MODEL, new.key),
    )


def _replaced(baseline: Cells, since: Cells) -> str:
    """Return the model that answers far less often than it did; empty if none does."""
    old, new = runs_by_key(baseline, FEATURE), runs_by_key(since, FEATURE)
    old_runs, new_runs = counted_runs(baseline, FEATURE), counted_runs(since, FEATURE)
    lost = {name: count / old_runs - new.get(name, 0.0) / new_runs for name, count in old.items()}
    most = max(lost, key=lambda name: lost[name], default="")
    return most if most and lost[most] >= _REPLACED else ""


def _hours(since: Cells, key: str) -> list[int]:
    """Return the first hours with the model: runs of these are the ones to look at."""
    rows = since.of(FEATURE)
    hours = np.unique(rows.hour[rows.key == rows.words.index(key)])
    return [int(hour) for hour in hours[:5]]


def _series(look: Look, since: Cells, new: NewKey) -> list[dict[str, float | str]]:
    days = -(-(look.window.end_hour - new.first_hour) // HOURS_PER_DAY)
    period = Period(new.first_hour, new.first_hour + days * HOURS_PER_DAY)
    return series([(period, day_tables.shares(since, FEATURE, new.key, period))])
