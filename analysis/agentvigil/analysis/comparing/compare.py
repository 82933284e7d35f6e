"""Compares the runs of an agent with others of it: two versions, two windows, a version with a baseline.

Every feature is split into streams: the share of runs with a key, the typical value, the share of high values. Each
stream has a difference within input classes, with its interval, and an e-value for each way. Of ``F`` features, one
with ``K`` streams has moved where an e-value comes to 2 K F / level, so that of comparisons of sides that are the same
at most ``level`` say of anything that it moved, however many keys there are.
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from agentvigil.analysis.comparing.design_effect import correlations_of
from agentvigil.analysis.comparing.differences import difference_of
from agentvigil.analysis.comparing.judging import judge
from agentvigil.analysis.comparing.report import LEVEL, RANK, Change, FeatureReport, Report, Spread, Verdict
from agentvigil.analysis.comparing.strata import HOURS_PER_DAY, Floats, Side, Sums, sides_of
from agentvigil.analysis.comparing.streams import Stream, streams_of
from agentvigil.analysis.features.cells import Cells
from agentvigil.analysis.features.names import FEATURES, Counting, Feature, value_of

_STATUS: Final = "status"
_ORDER: Final = list(Verdict)


def compare(before: Cells, after: Cells, level: float = LEVEL) -> Report:
    """Return what became of what ``before`` and ``after`` tell of, which are runs of one subject.

    ``level`` is the probability, at most, that anything is said to have moved though nothing has.
    """
    sides = sides_of(before, after)
    streams = {name: list(streams_of(feature, *sides)) for name, feature in FEATURES.items()}
    compared = {name: found for name, found in streams.items() if found}
    correlations = iter(correlations_of([stream for found in compared.values() for stream in found]))
    per_day = _runs_per_day(after)
    reports = []
    for name, found in compared.items():
        log_threshold = math.log(2 * len(found) * len(compared) / level)
        changes = [judge(stream, next(correlations), log_threshold, per_day) for stream in found]
        reports.append(_report_of(FEATURES[name], changes, sides))
    there = [{name for name in FEATURES if len(side.cells.of(name))} for side in sides]
    return Report(
        runs_before=_runs(before),
        runs_after=_runs(after),
        days_before=_days(before),
        days_after=_days(after),
        share_compared=_share_compared(*sides),
        features=sorted(reports, key=_place),
        only_before=sorted(there[0] - there[1]),
        only_after=sorted(there[1] - there[0]),
        runs_per_day=per_day,
        usd_per_run=_usd_per_run(*sides),
        failed_per_run=_failed_per_run(compared.get(_STATUS, ())),
        level=level,
    )


def _report_of(feature: Feature, changes: list[Change], sides: tuple[Side, Side]) -> FeatureReport:
    ordered = sorted(changes, key=lambda one: (_ORDER.index(one.verdict), -one.log_evidence, one.key))
    severity = max((one.severity for one in changes if one.severity), key=RANK.__getitem__, default=None)
    spreads = [_spread(side.of(feature.name)) if feature.counting is Counting.VALUES else None for side in sides]
    return FeatureReport(feature, ordered[0].verdict, severity, ordered, *spreads)


def _place(report: FeatureReport) -> tuple[int, int, int]:
    """Return what puts the gravest first, and of what is as grave how runs end, which people ask for first."""
    rank = RANK[report.severity] if report.severity else 0
    return _ORDER.index(report.verdict), -rank, list(FEATURES).index(report.feature.name)


def _spread(side: Side) -> Spread:
    order = np.argsort(side.cells.bin, kind="stable")
    bins, running = side.cells.bin[order], np.cumsum(side.cells.n[order])

    def quantile(share: float) -> float:
        return value_of(int(bins[min(int(np.searchsorted(running, share * running[-1])), len(bins) - 1)]))

    return Spread(float(side.cells.s.sum() / side.cells.n.sum()), quantile(0.5), quantile(0.95))


def _runs(cells: Cells) -> int:
    """Return how many runs there are: how a run ended is known of all."""
    ended = cells.of(_STATUS)
    return round(float(ended.n[ended.key == 0].sum()))


def _days(cells: Cells) -> int:
    return len(np.unique(cells.hour // HOURS_PER_DAY))


def _runs_per_day(cells: Cells) -> float:
    if not len(cells):
        return 0.0
    return _runs(cells) * HOURS_PER_DAY / float(cells.hour[-1] - cells.hour[0] + 1)


def _share_compared(before: Side, after: Side) -> float:
    counts = [_runs_by_class(side) for side in (before, after)]
    both = (counts[0] > 0) & (counts[1] > 0)
    total = float(counts[0].sum() + counts[1].sum())
    return float((counts[0] + counts[1])[both].sum()) / total if total else 0.0


def _runs_by_class(side: Side) -> Floats:
    ended = side.of(_STATUS).with_key("")
    by_class: Floats = ended.table(ended.cells.n).sum(axis=0)
    return by_class


def _usd_per_run(before: Side, after: Side) -> float | None:
    """Return what a run of the same class costs more, by exact sums."""
    costs = [side.of("cost") for side in (before, after)]
    if not all(side.cells.n.any() for side in costs):
        return None
    # Only the means are asked for, which need no squares.
    old, new = (Sums(n := side.table(side.cells.n), side.table(side.cells.s), n) for side in costs)
    difference = difference_of(old, new, 0.0, is_rate=False)
    return difference.within if difference else None


def _failed_per_run(streams: Sequence[Stream]) -> float | None:
    for stream in streams:
        if stream.key == "failure":
            difference = difference_of(stream.before, stream.after, 0.0, is_rate=True)
            return difference.within if difference else None
    return None
