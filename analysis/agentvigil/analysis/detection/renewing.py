"""A baseline of which one feature takes the level that it has now, while the others stay to the bit.

Somebody said of a drift that it is the new normal. What is new is where the feature lies; what is not new is how the
runs of its agent come: which classes of work there are, how much days differ, what the hour of the day adds. So:

- **Levels** by input class, and thresholds at the quantiles that values have now, are learned from the runs since the
  change. Names that were new are known: they are watched together with the rare ones until the baseline is learned
  anew as a whole.
- **Season and dispersion** stay, since a day or a week can not tell them: those of the same key, or of the threshold
  at about the same quantile. What wander adds to a share is proportional to p·(1 - p), which is that of now.
- **The error of the new level** is that of these days. The fewer they are, the wider the interval in which nothing is
  an alarm: what a level of one day might be off by is allowed for.

A level of one day stays for a day: it is learned again as the days get more (``watching/renewing.py``). Of 40 simulated
agents whose levels wander by a tenth from day to day, with three accepted features each, none alarmed in the three
weeks after; with the level of the first day all the time 6 features would have, with that of the first two days 3.

The runs since may be of some hours of the week alone. The levels are moved so that, with the season, they add up to
what came.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from agentvigil.analysis.detection.baseline import DEFAULT, Baseline, LevelsByClass, levels_by_class, residuals
from agentvigil.analysis.detection.clusters_and_wander import FleetSpread
from agentvigil.analysis.detection.config import HOURS_PER_DAY, MEMORY, DetectionConfig
from agentvigil.analysis.detection.counting import Floats, Layout, Rows
from agentvigil.analysis.detection.expecting import Null, probability
from agentvigil.analysis.detection.planning import Planned, TooFewRuns, planned_values
from agentvigil.analysis.detection.streams import Plan, Stream, StreamKind
from agentvigil.analysis.features.cells import Cells
from agentvigil.analysis.features.names import FEATURES, Counting

LEAST_DAYS: Final = 1.0
"""A whole day, so that each hour of it is in the level."""
_LEAST_SHARE: Final = 1e-4


def renewed(
    baseline: Baseline,
    feature: str,
    cells: Cells,
    first_hour: int,
    end_hour: int,
    *,
    fleet: FleetSpread | None = None,
    config: DetectionConfig = DEFAULT,
) -> Baseline | TooFewRuns:
    """Return ``baseline`` with the level that a feature of it has in ``first_hour`` to before ``end_hour``.

    ``cells`` are those of its subject. ``feature`` is one that it has streams of.
    """
    mine = cells.between(first_hour, end_hour).of(feature)
    streams = [stream for stream in baseline.streams if stream.feature == feature]
    plan, sources, once = _planned(baseline.plan, streams, mine, config)
    layout = Layout([plan])
    rows = layout.rows([(0, mine)])
    runs = round(float(layout.runs(rows, np.zeros_like(rows.hour), 1).sum()))
    days = (end_hour - first_hour) / HOURS_PER_DAY
    if runs < config.min_runs or days < LEAST_DAYS:
        return TooFewRuns(runs, config.min_runs, days, LEAST_DAYS)
    planned = Planned(plan, runs, {feature: float(runs)}, {feature: once}, {})
    levels = levels_by_class(layout, planned, rows, fleet or FleetSpread(), config)
    part = _Part(baseline, feature, tuple(sources))
    return part.put(plan, part.numbers(plan, layout, levels, rows, range(first_hour, end_hour), config))


def _planned(
    whole: Plan, streams: Sequence[Stream], cells: Cells, config: DetectionConfig
) -> tuple[Plan, list[int], int]:
    """Return the plan of one feature, which of ``streams`` each stream of it takes the dispersion from, and how many
    keys were seen once."""
    feature = streams[0].feature
    places = {stream: place for place, stream in enumerate(streams)}
    if FEATURES[feature].counting is not Counting.CATEGORIES:
        values, clipped = planned_values(feature, cells.bin, cells.n, config)
        sources = [_alike(streams, stream) for stream in values]
        clips = {} if clipped is None else {feature: clipped}
        return Plan(whole.subject, whole.classes, whole.rare_classes, tuple(values), {}, clips), sources, 0
    counts = np.bincount(cells.key, cells.n, minlength=len(cells.words))
    seen = {cells.words[int(code)]: float(counts[code]) for code in np.flatnonzero(counts) if cells.words[int(code)]}
    rare = whole.rare_keys.get(feature, ())
    known = {stream.key for stream in streams} | set(rare)
    rare = (*rare, *sorted(key for key in seen if key not in known))
    kept = [stream for stream in streams if stream.kind is StreamKind.KEY]
    others = [Stream(feature, StreamKind.OTHER)] if rare else []
    new = Stream(feature, StreamKind.NEW)
    chosen = [*kept, *others, new]
    sources = [places.get(stream, places[new]) for stream in chosen]
    plan = Plan(whole.subject, whole.classes, whole.rare_classes, tuple(chosen), {feature: rare}, {})
    return plan, sources, sum(n <= 1 for n in seen.values())


def _alike(streams: Sequence[Stream], wanted: Stream) -> int:
    """Return the place of the stream that varies as ``wanted``: the mean, or the threshold of about its quantile."""
    of_kind = [place for place, stream in enumerate(streams) if stream.kind is wanted.kind]
    return min(of_kind or range(len(streams)), key=lambda place: abs(streams[place].level - wanted.level))


@dataclass(frozen=True, slots=True)
class _Part:
    """One feature of a baseline."""

    baseline: Baseline
    feature: str
    sources: tuple[int, ...]
    """Of each new stream, the one of the feature's old streams that it takes season and dispersion from."""

    @property
    def _streams(self) -> slice:
        first = next(place for place, one in enumerate(self.baseline.streams) if one.feature == self.feature)
        return slice(first, first + sum(one.feature == self.feature for one in self.baseline.streams))

    @property
    def _slots(self) -> slice:
        classes, group = self.baseline.plan.places_of_classes, self._group
        return slice(group * classes, (group + 1) * classes)

    @property
    def _group(self) -> int:
        return self.baseline.plan.features.index(self.feature)

    def _old(self, name: str) -> Floats:
        return np.asarray(getattr(self.baseline, name)[..., self._streams][..., list(self.sources)])

    def numbers(
        self, plan: Plan, layout: Layout, levels: LevelsByClass, rows: Rows, hours: range, config: DetectionConfig
    ) -> Baseline:
        """Return the baseline of the feature alone."""
        group = slice(self._group, self._group + 1)
        old, is_mean = self.baseline, layout.is_mean
        before, after = (np.clip(one, _LEAST_SHARE, 1 - _LEAST_SHARE) for one in (self._old("level"), levels.level))
        wider = np.where(is_mean, 1.0, after * (1 - after) / (before * (1 - before)))
        pairs = Layout([old.plan])
        mine = pairs.group_of_stream[pairs.pairs[0]] == self._group
        numbers = Baseline(
            plan,
            hours.start,
            hours.stop,
            old.runs,
            levels.share,
            levels.variance,
            levels.class_share,
            np.zeros(layout.stream_count),
            self._old("season"),
            self._old("constant"),
            self._old("by_hour") * wider,
            self._old("by_day") * wider,
            old.hour_runs[group],
            old.day_runs[group],
            old.day_hours[group],
            old.pair_dispersion[mine],
            levels.cumulants,
            levels.center,
            levels.scale,
            levels.level,
        )
        asked = np.arange(hours.start, hours.stop)
        expected = Null(layout, [numbers], config).expect(rows, rows.hour - hours.start, asked)
        residual, information = residuals(layout, expected)
        known = np.maximum(information.sum(axis=0), 1e-9)
        is_new = np.array([stream.kind is StreamKind.NEW for stream in plan.streams])
        off = np.where(is_new, 0.0, residual.sum(axis=0) / known)
        beyond = np.maximum(numbers.constant + numbers.by_hour + numbers.by_day * MEMORY - levels.dispersion, 0)
        return replace(
            numbers,
            share=np.where(is_mean[:, None], 0.0, _moved(levels.share, off)),
            center=levels.center + (off[is_mean].sum() if is_mean.any() else 0.0) * levels.scale,
            common_error=np.sqrt(beyond / known),
        )

    def put(self, plan: Plan, part: Baseline) -> Baseline:
        """Return the whole baseline with ``part``, that of ``plan``, in the place of the feature."""
        old, streams, slots = self.baseline, self._streams, self._slots
        clips = {name: bins for name, bins in old.plan.clipped_bins.items() if name != self.feature}
        whole = Plan(
            old.plan.subject,
            old.plan.classes,
            old.plan.rare_classes,
            (*old.streams[: streams.start], *plan.streams, *old.streams[streams.stop :]),
            {**old.plan.rare_keys, **plan.rare_keys},
            {**clips, **plan.clipped_bins},
        )

        def by_stream(before: Floats, now: Floats) -> Floats:
            return np.concatenate([before[: streams.start], now, before[streams.stop :]])

        def by_column(before: Floats, now: Floats) -> Floats:
            return np.concatenate([before[:, : streams.start], now, before[:, streams.stop :]], axis=1)

        def by_slot(before: Floats, now: Floats) -> Floats:
            return np.concatenate([before[: slots.start], now, before[slots.stop :]])

        return replace(
            old,
            plan=whole,
            share=by_stream(old.share, part.share),
            variance=by_stream(old.variance, part.variance),
            class_share=by_slot(old.class_share, part.class_share),
            common_error=by_stream(old.common_error, part.common_error),
            season=by_column(old.season, part.season),
            constant=by_stream(old.constant, part.constant),
            by_hour=by_stream(old.by_hour, part.by_hour),
            by_day=by_stream(old.by_day, part.by_day),
            cumulants=by_column(old.cumulants, part.cumulants),
            center=by_slot(old.center, part.center),
            scale=by_slot(old.scale, part.scale),
            level=by_stream(old.level, part.level),
        )


def _moved(share: Floats, off: Floats) -> Floats:
    clipped = np.clip(share, 1e-9, 1 - 1e-9)
    return np.where(off[:, None] == 0, share, probability(np.log(clipped / (1 - clipped)) + off[:, None]))
