"""From a stream to a verdict.

1. The evidence for a way decides whether it moved, against a threshold that allows for all that is looked at.
2. What moved is worse, better or changed, as the feature has it. What is worse is as severe as it is large, never as it
   is sure: :mod:`agentvigil.analysis.findings.severity`.
3. What did not move is the same where the interval leaves out what matters: a quarter, but two points at least, of
   rates; a quarter of values; twice as many high values. Else there are too few runs, and about how many more would
   tell.
"""

import math
from dataclasses import dataclass, replace
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
from agentvigil.analysis.comparing.wording import is_share
from agentvigil.analysis.features.names import Unit, is_error
from agentvigil.analysis.findings.model import Severity
from agentvigil.analysis.findings.severity import MAJOR_RATIO, severity_of

POINT: Final = 0.01
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
        change = _change(stream, difference, evidence, log_threshold, Verdict.WORSE)
        return replace(change, severity=severity_of_change(change, runs_per_day))
    matters = _what_matters(stream, difference)
    interval = difference.interval
    if interval is not None and -matters < interval.low and interval.high < matters:
        return _change(stream, difference, evidence, log_threshold, Verdict.SAME)
    needed = _needed(difference, matters, stream.before.count, stream.after.count)
    return _change(stream, difference, evidence, log_threshold, Verdict.TOO_FEW_RUNS, needed)


def severity_of_change(change: Change, runs_per_day: float, usd_per_day: float | None = None) -> Severity:
    """Return how much it matters that something got worse, in ``runs_per_day``; ``usd_per_day`` is what it costs more.

    What it costs is known of runs as they come day by day, and not of a test that is run now and then.
    """
    unit = Unit.SHARE if is_share(change) else change.feature.unit
    if change.measure is Measure.HIGH:
        effect = math.inf if change.relative is None else change.relative
        return severity_of(effect, None, None, unit, is_tail=True)
    if unit != Unit.SHARE:
        return severity_of(change.relative, None, None, unit, usd_per_day)
    grown = change.within or 0.0
    before = grown / change.relative if change.relative else 0.0
    errors_per_day = grown * runs_per_day if is_error(change.feature.name, change.key) else None
    return severity_of(change.relative, before, before + grown, unit, None, errors_per_day)


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
        more_before=needed.before if needed else None,
        more_after=needed.after if needed else None,
    )


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
