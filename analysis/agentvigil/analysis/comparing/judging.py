"""From a stream to a verdict.

1. The evidence for a way decides whether it moved, against a threshold that allows for all that is looked at.
2. What moved is worse, better or changed, as the feature has it. What is worse is as severe as it is large, never as it
   is sure: minor, **major** from a quarter more on, **critical** from twice as much on, or from 5 points more of
   trouble. Rates of trouble must grow by a point, or by ten runs a day, to be more than minor. That twice as many
   values are high is major.
3. What did not move is the same where the interval leaves out what matters: a quarter, but two points at least, of
   rates; a quarter of values; twice as many high values. Else there are too few runs, and about how many more would
   tell.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

from agentvigil.analysis.comparing.differences import Difference, difference_of
from agentvigil.analysis.comparing.directions import is_worse_upwards
from agentvigil.analysis.comparing.evidence import (
    Evidence,
    evidence_of_means,
    evidence_of_rates,
)
from agentvigil.analysis.comparing.intervals import FEWEST, Z_95
from agentvigil.analysis.comparing.report import Change, Verdict
from agentvigil.analysis.comparing.streams import Measure, Stream
from agentvigil.analysis.features.names import Counting
from agentvigil.analysis.findings.model import Severity

MAJOR_RATIO: Final = 1.25
CRITICAL_RATIO: Final = 2.0
CRITICAL_POINTS: Final = 0.05
POINT: Final = 0.01
_RUNS_A_DAY: Final = 10.0
_REACH: Final = Z_95 + NormalDist().inv_cdf(0.9)
"""So many standard errors what matters must have, so that four intervals in five around nothing leave it out."""

_LEAST_FACTOR: Final = 1.3
"""Where there should be enough, and chance put the interval astride: a third more."""

_MOST_NEEDED: Final = 4.0
"""If the side after would need to be so many times as large as either is, the side before is too small as well."""


def judge(stream: Stream, correlation: float, log_threshold: float, runs_per_day: float) -> Change:
    """Return what became of ``stream``, of which ``runs_per_day`` come now."""
    difference = difference_of(stream.before, stream.after, correlation, is_rate=stream.is_rate)
    if difference is None:
        return _change(stream, None, Evidence(0.0, 0.0), log_threshold, Verdict.TOO_FEW_RUNS)
    if stream.is_rate:
        evidence = evidence_of_rates(stream.before, stream.after, correlation)
    else:
        evidence = evidence_of_means(stream.before, stream.after, difference, correlation)
    if evidence.log_greatest >= log_threshold:
        is_up = evidence.log_up > evidence.log_down
        if not is_worse_upwards(stream.feature, stream.key):
            return _change(stream, difference, evidence, log_threshold, Verdict.CHANGED)
        if not is_up:
            return _change(stream, difference, evidence, log_threshold, Verdict.BETTER)
        severity = _severity(stream, difference, runs_per_day)
        return _change(stream, difference, evidence, log_threshold, Verdict.WORSE, severity)
    matters = _what_matters(stream, difference)
    interval = difference.interval
    if interval is not None and -matters < interval.low and interval.high < matters:
        return _change(stream, difference, evidence, log_threshold, Verdict.SAME)
    needed = _needed(difference, matters, stream.before.count, stream.after.count)
    return _change(stream, difference, evidence, log_threshold, Verdict.TOO_FEW_RUNS, None, needed)


@dataclass(frozen=True, slots=True)
class _Needed:
    before: int
    after: int


def _change(
    stream: Stream,
    difference: Difference | None,
    evidence: Evidence,
    log_threshold: float,
    verdict: Verdict,
    severity: Severity | None = None,
    needed: _Needed | None = None,
) -> Change:
    before, after = stream.before.mean, stream.after.mean
    within = low = high = mix = relative = None
    if difference is not None:
        within, mix, interval = difference.within, difference.mix, difference.interval
        low, high = (interval.low, interval.high) if interval else (None, None)
        if stream.is_logarithm:
            within, mix, low, high = (None if x is None else 2.0**x - 1 for x in (within, mix, low, high))
            relative = within
        elif difference.standard_before > 0:
            relative = difference.within / difference.standard_before
    if stream.is_logarithm:
        before, after = 2.0**before, 2.0**after
    return Change(
        feature=stream.feature,
        key=stream.key,
        measure=stream.measure,
        edge=stream.edge,
        before=before,
        after=after,
        within=within,
        low=low,
        high=high,
        mix=mix,
        relative=relative,
        log_evidence=evidence.log_greatest,
        log_threshold=log_threshold,
        verdict=verdict,
        severity=severity,
        more_before=needed.before if needed else None,
        more_after=needed.after if needed else None,
    )


def _severity(stream: Stream, difference: Difference, runs_per_day: float) -> Severity:
    if stream.is_logarithm:
        return _of_ratio(2.0**difference.within)
    old, grown = difference.standard_before, difference.within
    ratio = (old + grown) / old if old > 0 else math.inf
    if stream.measure is Measure.HIGH:
        return Severity.MAJOR if ratio >= CRITICAL_RATIO else Severity.MINOR
    if stream.measure is Measure.SHARE and stream.feature.counting is Counting.CATEGORIES:
        if grown < POINT and grown * runs_per_day < _RUNS_A_DAY:
            return Severity.MINOR
    elif grown < POINT:
        return Severity.MINOR
    return Severity.CRITICAL if grown >= CRITICAL_POINTS else _of_ratio(ratio)


def _of_ratio(ratio: float) -> Severity:
    if ratio >= CRITICAL_RATIO:
        return Severity.CRITICAL
    return Severity.MAJOR if ratio >= MAJOR_RATIO else Severity.MINOR


def _what_matters(stream: Stream, difference: Difference) -> float:
    """Return the difference that must not go unseen, the same for both ways."""
    if stream.is_logarithm:
        return math.log2(MAJOR_RATIO)
    middle = (difference.standard_before + difference.standard_after) / 2
    return middle if stream.measure is Measure.HIGH else max((MAJOR_RATIO - 1) * middle, 2 * POINT)


def _needed(difference: Difference, matters: float, came_before: float, came_after: float) -> _Needed:
    """Return about how many runs more would tell, four times in five, that nothing moved if nothing did."""
    n, m = difference.runs_before, difference.runs_after
    if difference.interval is None:
        return _Needed(max(0, math.ceil(FEWEST - n)), max(0, math.ceil(FEWEST - m)))
    error = difference.deviation * math.sqrt(1 / n + 1 / m)
    if not error:
        error = (difference.interval.high - difference.interval.low) / 2 / Z_95
    factor = max(_LEAST_FACTOR, (_REACH * error / matters) ** 2)
    # Runs that came so far count for less where days differ; so will those to come.
    wanted = (1 / n + 1 / m) / factor
    if wanted - 1 / n > 1 / (_MOST_NEEDED * max(n, m)):
        return _Needed(0, math.ceil(came_after * (1 / ((wanted - 1 / n) * m) - 1)))
    return _Needed(
        max(0, math.ceil(came_before * (2 / (wanted * n) - 1))), max(0, math.ceil(came_after * (2 / (wanted * m) - 1)))
    )
