"""How much a finding matters: from how far something moved and what that costs a day, never from how sure it is.

A detector with much data is sure of changes that matter to nobody. So the evidence decides whether there is a finding,
and this decides how loud it is:

1. **minor**: it moved.
2. **major**: by a quarter of what it was, or over a budget that somebody set.
3. **critical**: twice or half of what it was, or five more of a hundred runs fail.

Four rules keep small things quiet:

- A share of runs must also move by one point to be major and by five to be critical, unless runs fail of it: a tool in
  0.4 % of the runs instead of 0.2 % is twice as much and hardly anything. What no run had before is so many times as
  much as nothing, which says nothing: it is major at most.
- Of values that are high there are soon more: that twice as many are is major, and no more than that.
- Where what it costs is known and is next to nothing, less than a dollar and less than one failed run a day, it is one
  step less severe.
- What gets cheaper, faster or fails less is minor, however far it moved.

Drift, regressions and failure modes all are weighed here.
"""

import math
from typing import Final

from agentvigil.analysis.features.names import Unit
from agentvigil.analysis.findings.model import Severity

MAJOR_RATIO: Final = 1.25
CRITICAL_RATIO: Final = 2.0
CRITICAL_FAILURE_POINTS: Final = 0.05
"""So much more of all runs fail."""

_MAJOR_POINTS: Final = 0.01
_CRITICAL_POINTS: Final = 0.05
_LEAST_USD_PER_DAY: Final = 1.0
_LEAST_FAILED_RUNS_PER_DAY: Final = 1.0
_LESS_IS_BETTER: Final = frozenset({Unit.USD, Unit.SECONDS})
_ORDER: Final = (Severity.MINOR, Severity.MAJOR, Severity.CRITICAL)


def severity_of(
    effect: float | None,
    baseline: float | None,
    window: float | None,
    unit: str,
    usd_per_day: float | None = None,
    failed_runs_per_day: float | None = None,
    *,
    is_tail: bool = False,
) -> Severity:
    """Return how much it matters that a value went from ``baseline`` to ``window``, both in ``unit``.

    ``effect`` is (window - baseline) / baseline, and counts alone where one of the two is not known. What it costs a
    day is more than before, less than 0 if it saves something, None if nobody knows. ``is_tail`` says that it is the
    share of values that are high.
    """
    if _is_better(effect, baseline, window, unit, usd_per_day, failed_runs_per_day):
        return Severity.MINOR
    ratio = _ratio(effect, baseline, window)
    points = abs(window - baseline) if baseline is not None and window is not None else math.inf
    if is_tail:
        severity = Severity.MAJOR if ratio >= CRITICAL_RATIO else Severity.MINOR
    elif unit == Unit.SHARE and (failed_runs_per_day or 0.0) > 0.0:
        is_critical = ratio >= CRITICAL_RATIO or CRITICAL_FAILURE_POINTS <= points < math.inf
        severity = Severity.CRITICAL if is_critical else _of_ratio(ratio)
    elif unit == Unit.SHARE:
        most = Severity.CRITICAL if points >= _CRITICAL_POINTS and ratio < math.inf else Severity.MAJOR
        severity = min(_of_ratio(ratio), most, key=rank) if points >= _MAJOR_POINTS else Severity.MINOR
    else:
        severity = _of_ratio(ratio)
    if _is_next_to_nothing(usd_per_day, failed_runs_per_day):
        severity = _ORDER[max(0, rank(severity) - 1)]
    return severity


def over_budget(severity: Severity) -> Severity:
    """Return how severe it is that something costs more, and that a budget will not do."""
    return worst(severity, Severity.MAJOR)


def worst(*severities: Severity) -> Severity:
    """Return the one that matters most."""
    return max(severities, key=rank)


def rank(severity: Severity) -> int:
    """Return 0 for what matters least, one more for each step."""
    return _ORDER.index(severity)


def _of_ratio(ratio: float) -> Severity:
    if ratio >= CRITICAL_RATIO:
        return Severity.CRITICAL
    return Severity.MAJOR if ratio >= MAJOR_RATIO else Severity.MINOR


def _is_better(
    effect: float | None,
    baseline: float | None,
    window: float | None,
    unit: str,
    usd_per_day: float | None,
    failed_runs_per_day: float | None,
) -> bool:
    if (usd_per_day or 0.0) > 0.0 or (failed_runs_per_day or 0.0) > 0.0:
        return False
    if (failed_runs_per_day or 0.0) < 0.0:
        return True
    went_down = window < baseline if baseline is not None and window is not None else (effect or 0.0) < 0.0
    return unit in _LESS_IS_BETTER and went_down


def _ratio(effect: float | None, baseline: float | None, window: float | None) -> float:
    """Return how many times as much, or as little, it is; 1 where nothing is known of that."""
    if baseline is not None and window is not None and baseline >= 0 and window >= 0:
        low, high = sorted((baseline, window))
        if high == low:
            return 1.0
        return math.inf if low == 0 else high / low
    if effect is None or math.isnan(effect):
        return 1.0
    if effect >= 0:
        return 1.0 + effect
    return math.inf if effect <= -1 else 1.0 / (1.0 + effect)


def _is_next_to_nothing(usd_per_day: float | None, failed_runs_per_day: float | None) -> bool:
    known = [
        abs(value) < least
        for value, least in ((usd_per_day, _LEAST_USD_PER_DAY), (failed_runs_per_day, _LEAST_FAILED_RUNS_PER_DAY))
        if value is not None
    ]
    return bool(known) and all(known)
