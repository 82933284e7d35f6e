"""The baseline of a subject: what its runs were like, and how much that varied."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import blake2b
from typing import Final

import numpy as np

from agentvigil.analysis.detection import arrays, sudden
from agentvigil.analysis.detection.alike import added_up
from agentvigil.analysis.detection.bets import log_bets_on_streams, most_of_path, path, with_pairs
from agentvigil.analysis.detection.clusters_and_wander import (
    FleetSpread,
    Spread,
    dispersion_of,
    families_of,
    fleet_spread,
    pair_dispersion,
    spread_of,
    sums_of_days,
)
from agentvigil.analysis.detection.config import HOURS_PER_DAY, MEMORY, SEASONS, DetectionConfig
from agentvigil.analysis.detection.counting import Floats, Ints, Layout, Rows
from agentvigil.analysis.detection.errors import ForeignState
from agentvigil.analysis.detection.expecting import Expected, Null, probability, season_of
from agentvigil.analysis.detection.planning import Planned, TooFewRuns, plan_of
from agentvigil.analysis.detection.season import season_step
from agentvigil.analysis.detection.shares import mean_errors, new_key_share, shares_of
from agentvigil.analysis.detection.streams import Plan, Stream, StreamKind
from agentvigil.analysis.detection.tilts import BETS, ORDINARY
from agentvigil.analysis.features.cells import Cells, Subject

DEFAULT: Final = DetectionConfig()
POOLED_SUBJECTS: Final = 64
"""Subjects that the fleet's dispersion is learned from: with so many its error is small beside any one agent's."""
_SEASON_STEPS: Final = 2
_LEAST_SCALE: Final = 1 / 16
"""Half a bin: the least standard deviation of logarithms that bins can show."""
_PRIOR_RUNS_OF_SCALE: Final = 20.0
_MAX_RAISE: Final = 8.0
_RAISE: Final = 1.25
_ROUNDED: Final = 0.99
"""Far more than R and what bounds it are rounded by."""
_KIND: Final = "baseline of the drift detector"
_VERSION: Final = 5
_ARRAYS: Final = (
    "share", "variance", "class_share", "common_error", "season", "constant", "by_hour", "by_day", "hour_runs",
    "day_runs", "day_hours", "pair_dispersion", "cumulants", "center", "scale", "level",
)  # fmt: skip


@dataclass(frozen=True)
class Baseline:
    """What is expected of a subject's runs. Shapes and units of the arrays are those of :class:`expecting.Numbers`."""

    plan: Plan
    first_hour: int
    end_hour: int
    runs: int
    share: Floats
    variance: Floats
    class_share: Floats
    common_error: Floats
    season: Floats
    constant: Floats
    by_hour: Floats
    by_day: Floats
    hour_runs: Floats
    day_runs: Floats
    day_hours: Floats
    pair_dispersion: Floats
    cumulants: Floats
    center: Floats
    scale: Floats
    level: Floats
    """Of each stream, over all runs: share, or mean of the clipped logarithm to base 2."""
    too_few: Mapping[str, TooFewRuns] = field(default_factory=dict)
    """Features that are not watched, and why."""
    raised: Mapping[str, float] = field(default_factory=dict)
    """By what the dispersion of features was multiplied, since they alarmed on the baseline itself."""

    @property
    def subject(self) -> Subject:
        """Whose it is."""
        return self.plan.subject

    @cached_property
    def dispersion(self) -> Floats:
        """Of each stream: the variance of long sums, relative to that of independent runs, at the usual volume."""
        return np.asarray(self.constant + self.by_hour + self.by_day * MEMORY)

    def fingerprint_of(self, feature: str) -> str:
        """Tell what is expected of one feature from anything else: where it is the same, evidence of it goes on."""
        plan, features = self.plan, self.plan.features
        places = [place for place, stream in enumerate(plan.streams) if stream.feature == feature]
        streams, classes, group = slice(places[0], places[-1] + 1), plan.places_of_classes, features.index(feature)
        slots = slice(group * classes, (group + 1) * classes)
        layout = Layout([plan])
        pairs = layout.group_of_stream[layout.pairs[0]] == group
        digest = blake2b(digest_size=16)
        words = plan.streams[streams], plan.rare_keys.get(feature), plan.clipped_bins.get(feature)
        digest.update(
            repr((plan.subject, plan.classes, plan.rare_classes, *words, self.first_hour, self.end_hour)).encode()
        )
        for name in _ARRAYS:
            array = getattr(self, name)
            if name in {"season", "cumulants"}:
                part = array[:, streams]
            elif name in {"class_share", "center", "scale"}:
                part = array[slots]
            elif name in {"hour_runs", "day_runs", "day_hours"}:
                part = array[group]
            else:
                part = array[pairs] if name == "pair_dispersion" else array[streams]
            digest.update(np.ascontiguousarray(part).tobytes())
        return digest.hexdigest()

    @cached_property
    def fingerprint(self) -> str:
        """Tells this baseline from any other: a digest of all of it."""
        digest = blake2b(digest_size=16)
        digest.update(repr((self.plan, self.first_hour, self.end_hour, self.runs)).encode())
        for name in _ARRAYS:
            digest.update(np.ascontiguousarray(getattr(self, name)).tobytes())
        return digest.hexdigest()

    def to_bytes(self) -> bytes:
        """Return all of it. What is read back has the same fingerprint, so evidence against it goes on."""
        plan = self.plan
        texts = {
            "subject": list(plan.subject),
            "classes": list(plan.classes),
            "rare_classes": list(plan.rare_classes),
            "streams": [[s.feature, s.kind.value, s.key, s.edge_bin, s.level] for s in plan.streams],
            "rare_keys": [[feature, list(keys)] for feature, keys in plan.rare_keys.items()],
            "clipped_bins": [[feature, *bins] for feature, bins in plan.clipped_bins.items()],
            "hours": [self.first_hour, self.end_hour],
            "runs": self.runs,
            "too_few": [[f, few.runs, few.needed_runs, few.days, few.needed_days] for f, few in self.too_few.items()],
            "raised": [[feature, factor] for feature, factor in self.raised.items()],
        }
        return arrays.to_bytes(_KIND, _VERSION, texts, {name: getattr(self, name) for name in _ARRAYS})

    @classmethod
    def from_bytes(cls, data: bytes) -> "Baseline":
        """Read what :meth:`to_bytes` gave.

        Raises:
            ForeignState: if the bytes are something else, or damaged.
        """
        texts, stored = arrays.from_bytes(_KIND, _VERSION, data)
        try:
            plan = Plan(
                Subject(*texts["subject"]),
                tuple(texts["classes"]),
                tuple(texts["rare_classes"]),
                tuple(Stream(f, StreamKind(kind), key, edge, level) for f, kind, key, edge, level in texts["streams"]),
                {feature: tuple(keys) for feature, keys in texts["rare_keys"]},
                {feature: (low, high) for feature, low, high in texts["clipped_bins"]},
            )
            first_hour, end_hour = texts["hours"]
            few = {feature: TooFewRuns(*numbers) for feature, *numbers in texts["too_few"]}
            numbers = {name: stored[name].astype(np.float64, copy=False) for name in _ARRAYS}
            raised = {feature: float(factor) for feature, factor in texts["raised"]}
            found = cls(plan, first_hour, end_hour, texts["runs"], **numbers, too_few=few, raised=raised)
        except (KeyError, TypeError, ValueError) as exc:
            raise ForeignState(f"the {_KIND} misses a part; learn it anew: {exc}") from exc
        shape = (len(plan.streams), plan.places_of_classes)
        if found.share.shape != shape or found.season.shape != (SEASONS, shape[0]):
            raise ForeignState(f"the parts of the {_KIND} do not fit each other; learn it anew")
        return found

    @property
    def streams(self) -> tuple[Stream, ...]:
        """Of which the arrays tell, in their order."""
        return self.plan.streams


def fit(
    subject: Subject,
    cells: Cells,
    first_hour: int,
    end_hour: int,
    *,
    fleet: FleetSpread | None = None,
    config: DetectionConfig = DEFAULT,
) -> Baseline | TooFewRuns:
    """Learn the baseline of a subject from its cells in ``first_hour`` to before ``end_hour`` (hours since 1970, UTC).

    ``fleet`` is what others say of the dispersion (:func:`spread_of_fleet`); without it, mild values stand in. The
    baseline is tried on its own hours, and where that alarms, the dispersion is raised until it does not.

    The days are those from the first run to the end, so a young agent is not taken for an old one that was idle.
    """
    measured = _measure(subject, cells, first_hour, end_hour, fleet or FleetSpread(), config)
    return measured if isinstance(measured, TooFewRuns) else _tried(measured, config)


def spread_of_fleet(
    cells: Mapping[Subject, Cells], first_hour: int, end_hour: int, *, config: DetectionConfig = DEFAULT
) -> FleetSpread:
    """Learn how much the runs of a fleet vary, from up to 64 of its subjects that are spread evenly."""
    sample = ((subject, cells[subject]) for subject in sample_of(sorted(cells)))
    return spread_of_subjects(sample, first_hour, end_hour, config=config)


def sample_of(subjects: Sequence[Subject]) -> list[Subject]:
    """Return up to 64 of a fleet's subjects that are spread evenly: those that its dispersion is learned from."""
    step = max(len(subjects) / POOLED_SUBJECTS, 1)
    return [subjects[int(number * step)] for number in range(min(len(subjects), POOLED_SUBJECTS))]


def spread_of_subjects(
    cells: Iterable[tuple[Subject, Cells]], first_hour: int, end_hour: int, *, config: DetectionConfig = DEFAULT
) -> FleetSpread:
    """Learn how much the runs of a fleet vary from all of these subjects; none is held for longer than it takes."""
    measured = (_measure(subject, mine, first_hour, end_hour, FleetSpread(), config) for subject, mine in cells)
    return fleet_spread([found.spread for found in measured if not isinstance(found, TooFewRuns)])


def fit_fleet(
    cells: Mapping[Subject, Cells],
    first_hour: int,
    end_hour: int,
    *,
    fleet: FleetSpread | None = None,
    config: DetectionConfig = DEFAULT,
) -> dict[Subject, Baseline | TooFewRuns]:
    """Learn the baselines of many subjects. ``cells`` may read them when they are asked for, one subject at a time.

    The subjects that the fleet's dispersion is learned from are asked for twice, unless ``fleet`` is given.
    """
    fleet = fleet or spread_of_fleet(cells, first_hour, end_hour, config=config)
    return {
        subject: fit(subject, mine, first_hour, end_hour, fleet=fleet, config=config) for subject, mine in cells.items()
    }


@dataclass(frozen=True, slots=True)
class _Measured:
    baseline: Baseline
    null: Null
    expected: Expected
    spread: Spread


def _measure(
    subject: Subject, cells: Cells, first_hour: int, end_hour: int, fleet: FleetSpread, config: DetectionConfig
) -> _Measured | TooFewRuns:
    cells = cells.between(first_hour, end_hour)
    if len(cells):
        # Whole days, counted back from the end: the first may be cut.
        lived = -(-(end_hour - int(cells.hour[0])) // HOURS_PER_DAY) * HOURS_PER_DAY
        first_hour = max(first_hour, end_hour - lived)
    alike = added_up(cells)
    planned = plan_of(subject, alike.sums, (end_hour - first_hour) / HOURS_PER_DAY, config)
    if isinstance(planned, TooFewRuns):
        return planned
    layout = Layout([planned.plan])
    sums = layout.rows([(0, alike.sums)])
    by_class = levels_by_class(layout, planned, sums, fleet, config)
    rows = alike.by_hour(sums, cells)
    hours = np.arange(first_hour, end_hour)
    at = rows.hour - first_hour
    runs_of_slot = layout.runs(rows, at, len(hours))
    hits = layout.hits(rows, at, len(hours), by_class.center, by_class.scale)
    families = families_of(planned.plan.streams)
    runs_of_group = np.add.reduceat(runs_of_slot, layout.first_slot, axis=1)
    first_dispersion = np.array([family.clusters for family in fleet.of(families)])

    numbers = Baseline(
        planned.plan,
        first_hour,
        end_hour,
        planned.runs,
        by_class.share,
        by_class.variance,
        by_class.class_share,
        np.zeros(layout.stream_count),
        np.zeros((SEASONS, layout.stream_count)),
        np.ones(layout.stream_count),
        np.zeros(layout.stream_count),
        np.zeros(layout.stream_count),
        _of_average_run(runs_of_group),
        _of_average_run(sums_of_days(runs_of_group)),
        _hours_of_day(runs_of_group),
        np.ones(layout.pairs.shape[1]),
        by_class.cumulants,
        by_class.center,
        by_class.scale,
        by_class.level,
        planned.too_few,
    )
    season, places = numbers.season, season_of(hours)
    null = Null(layout, [numbers], config)
    usual = expected = null.compare(runs_of_slot, hits, season[places])
    has_season = np.array([stream.kind is not StreamKind.NEW for stream in planned.plan.streams])
    free = np.ones_like(usual.level)
    for _ in range(_SEASON_STEPS):
        step, own = season_step(*residuals(layout, expected), places, first_dispersion)
        season, free = season + np.where(has_season, step, 0), free * (1 - np.where(has_season, own, 0))
        expected = replace(usual, level=usual.level + season[places])
    residual, information = residuals(layout, expected)
    spread = spread_of(families, residual, information, free)
    dispersion = dispersion_of(spread, fleet, config)
    # What the level of the baseline's days wandered is an error that all classes share.
    beyond = np.maximum(dispersion.constant + dispersion.by_hour + dispersion.by_day * MEMORY - by_class.dispersion, 0)
    numbers = replace(
        numbers,
        season=season,
        common_error=np.sqrt(beyond / np.maximum(information.sum(axis=0), 1)),
        constant=dispersion.constant,
        by_hour=dispersion.by_hour,
        by_day=dispersion.by_day,
        pair_dispersion=pair_dispersion(residual[:, layout.pairs[0]], residual[:, layout.pairs[1]]),
    )
    error = np.hypot(expected.error, numbers.common_error * np.sqrt(expected.concentration))
    return _Measured(numbers, Null(layout, [numbers], config), replace(expected, error=error), spread)


def _of_average_run(runs: Floats) -> Floats:
    """Return the runs of the time that the average run was in (times × groups)."""
    return np.asarray((runs**2).sum(axis=0) / np.maximum(runs.sum(axis=0), 1))


def _hours_of_day(runs: Floats) -> Floats:
    """Return how many hours of a day have runs, of days that have some (hours × groups)."""
    hours = sums_of_days((runs > 0).astype(np.float64))
    return np.asarray(hours.sum(axis=0) / np.maximum((hours > 0).sum(axis=0), 1))


def residuals(layout: Layout, expected: Expected) -> tuple[Floats, Floats]:
    """Return what came beyond what was expected, and the information in it, both times × streams."""
    share = probability(expected.level)
    mean = np.where(layout.is_mean, expected.level, share)
    one = np.where(layout.is_mean, 1.0, share * (1 - share))
    return expected.hits - expected.runs * mean, expected.runs * one


@dataclass(frozen=True, slots=True)
class LevelsByClass:
    """Levels by input class, and their errors; ``dispersion`` is what clusters make of it, by stream."""

    share: Floats
    variance: Floats
    class_share: Floats
    dispersion: Floats
    center: Floats
    scale: Floats
    cumulants: Floats
    level: Floats


def levels_by_class(
    layout: Layout, planned: Planned, rows: Rows, fleet: FleetSpread, config: DetectionConfig
) -> LevelsByClass:
    """Learn shares and means by input class."""
    places = planned.plan.places_of_classes
    streams = planned.plan.streams
    at = rows.slot - layout.first_slot[rows.group]
    zeros = np.zeros_like(at)
    runs_of_slot = layout.runs(rows, zeros, 1)[0]
    runs = runs_of_slot.reshape(-1, places)[layout.group_of_stream]
    pooled = fleet.of(families_of(streams))
    dispersion = np.array([family.clusters for family in pooled])

    values = rows.where(rows.is_value)
    logs = values.log2
    center, scale, mean_variance = _means(layout, values, logs, runs_of_slot, dispersion, config)
    hits = layout.hits(rows, at, places, center, scale).T
    shares = shares_of(np.minimum(hits, runs), runs, dispersion, config)
    share, variance = shares.share, shares.variance
    once = np.array([planned.keys_seen_once.get(stream.feature, 0) for stream in streams], dtype=np.float64)
    all_runs = runs.sum(axis=1)
    new = np.array([stream.kind is StreamKind.NEW for stream in streams], dtype=np.bool_)
    missing = new_key_share(once, all_runs)
    share[new] = missing[new, None]
    variance[new] = (dispersion * missing / np.maximum(all_runs, 1))[new, None]
    share[layout.is_mean] = 0.0
    variance[layout.is_mean] = mean_variance[layout.group_of_stream[layout.is_mean]]

    weight = runs_of_slot.reshape(-1, places)
    class_share = weight / np.maximum(weight.sum(axis=1, keepdims=True), 1)
    # The error of any other class allows for all that is not known of it.
    class_share[:, -1] = np.inf
    mean = (center.reshape(-1, places) * weight).sum(axis=1) / np.maximum(weight.sum(axis=1), 1)
    level = np.where(layout.is_mean, mean[layout.group_of_stream], hits.sum(axis=1) / np.maximum(all_runs, 1))
    return LevelsByClass(
        share,
        variance,
        class_share.ravel(),
        dispersion,
        center,
        scale,
        _cumulants(layout, values, logs, center, scale),
        level,
    )


def _means(
    layout: Layout, rows: Rows, logs: Floats, runs_of_slot: Floats, dispersion: Floats, config: DetectionConfig
) -> tuple[Floats, Floats, Floats]:
    """Return the mean and the standard deviation by slot, and the variance of the mean's error by group and class."""
    places = int(layout.slots_of_group[0]) if layout.group_count else 1
    center, scale = np.zeros(layout.slot_count), np.ones(layout.slot_count)
    variance = np.zeros((layout.group_count, places))
    total = _added(rows.slot, rows.n * logs, layout.slot_count)
    means = total / np.maximum(runs_of_slot, 1)
    within = _added(rows.slot, rows.n * (logs - means[rows.slot]) ** 2, layout.slot_count)
    runs_of_group = np.maximum(_added(layout.group_of_slot, runs_of_slot, layout.group_count), 1)
    of_all = _added(layout.group_of_slot, total, layout.group_count) / runs_of_group
    around = _added(rows.group, rows.n * (logs - of_all[rows.group]) ** 2, layout.group_count)
    for group in np.flatnonzero(layout.mean_stream >= 0):
        slots = slice(int(layout.first_slot[group]), int(layout.first_slot[group]) + places)
        runs = runs_of_slot[slots]
        pooled = within[slots].sum() / max(runs.sum(), 1)
        sd = np.sqrt((within[slots] + _PRIOR_RUNS_OF_SCALE * pooled) / (runs + _PRIOR_RUNS_OF_SCALE))
        # Any other class is as wide as all runs together.
        sd[-1] = np.sqrt(around[group] / runs_of_group[group])
        sd = np.maximum(sd, _LEAST_SCALE)
        phi = float(dispersion[layout.mean_stream[group]])
        center[slots], variance[group] = mean_errors(means[slots], sd, runs, phi, config)
        scale[slots] = sd
    return center, scale, variance


def _added(places: Ints, values: Floats, count: int) -> Floats:
    # Of nothing it would count, in integers.
    return np.bincount(places, values, minlength=count).astype(np.float64, copy=False)


def _cumulants(layout: Layout, rows: Rows, logs: Floats, center: Floats, scale: Floats) -> Floats:
    """Return the logarithm of the mean of ``exp(θ·z)`` over the runs of the baseline, z being their deviation."""
    cumulants = np.zeros((BETS, layout.stream_count))
    # Few values differ: one for each slot and bin.
    _, one, inverse = np.unique(rows.slot * 2**17 + rows.bin, return_index=True, return_inverse=True)
    n = np.bincount(inverse, rows.n, minlength=len(one))
    group = rows.group[one]
    z = (logs[one] - center[rows.slot[one]]) / scale[rows.slot[one]]
    known = layout.mean_stream[group] >= 0
    n, group, z = n[known], group[known], z[known]
    if not len(n):
        return cumulants
    total = np.bincount(group, n, minlength=layout.group_count)
    mean = np.bincount(group, n * z, minlength=layout.group_count) / np.maximum(total, 1)
    z = z - mean[group]
    groups = np.unique(group)
    for bet, tilt in enumerate(ORDINARY):
        sums = np.bincount(group, n * np.exp(tilt * z), minlength=layout.group_count)
        cumulants[bet, layout.mean_stream[groups]] = np.log(sums[groups] / total[groups])
    return cumulants


def _tried(measured: _Measured, config: DetectionConfig) -> Baseline:
    """Raise the dispersion of features that would have alarmed in their own baseline."""
    baseline, null, layout = measured.baseline, measured.null, measured.null.layout
    single, paid = log_bets_on_streams(null, measured.expected), sudden.paid(null, measured.expected)
    bound = config.hours_between_false_alarms * layout.group_count
    raised: dict[str, float] = {}
    factors = np.ones(layout.stream_count)
    for group in _near(bound, null, single, paid):
        trial = _Trial(null, baseline.first_hour, single, paid, measured.expected.runs, group)
        factor = 1.0
        while factor < _MAX_RAISE and trial.reaches(bound, factor):
            factor *= _RAISE
        if factor > 1:
            factors[layout.group_of_stream == group] = factor
            raised[baseline.plan.features[group]] = round(factor, 3)
    if not raised:
        return baseline
    return replace(
        baseline,
        constant=baseline.constant * factors,
        by_hour=baseline.by_hour * factors,
        by_day=baseline.by_day * factors,
        raised=raised,
    )


def _near(bound: float, null: Null, single: Floats, paid: sudden.Paid) -> list[int]:
    """Return the groups whose R may have come to ``bound``: few, so that hour by hour it is computed of few."""
    layout = null.layout
    most = most_of_path(single, layout.pairs, null.pair_dispersion) * layout.weight
    of_sudden = sudden.most_of_path(paid, layout.sudden_pairs, null.pair_dispersion)
    most[layout.sudden_columns] += of_sudden * layout.sudden_weight
    of_group = np.bincount(layout.group_of_column, most, minlength=layout.group_count)
    return [int(group) for group in np.flatnonzero(~(of_group < bound * _ROUNDED))]


class _Trial:
    """The evidence against one feature on its own hours, with more dispersion than it was given."""

    def __init__(
        self, null: Null, first_hour: int, single: Floats, paid: sudden.Paid, runs: Floats, group: int
    ) -> None:
        layout = null.layout
        self._first_hour = first_hour
        streams = np.flatnonzero(layout.group_of_stream == group)
        pairs = np.flatnonzero(layout.group_of_stream[layout.pairs[0]] == group)
        dispersion = null.pair_dispersion[pairs]
        by_time = with_pairs(single[:, :, streams], layout.pairs[:, pairs] - streams[0], dispersion)
        self._log_e = by_time.transpose(1, 0, 2)
        self._active = np.repeat(runs[:, streams[:1]] > 0, by_time.shape[2], axis=1)
        self._weight = layout.weight[layout.group_of_column == group]
        of_sudden = np.flatnonzero(layout.group_of_stream[layout.sudden_streams] == group)
        self._paid = paid[:, :, of_sudden]
        self._pairs = layout.sudden_pairs[:, pairs] - (of_sudden[0] if len(of_sudden) else 0)
        self._pair_dispersion = dispersion
        self._sudden_weight = layout.sudden_weight[layout.group_of_column[layout.sudden_columns] == group]

    def reaches(self, bound: float, factor: float) -> bool:
        """Return whether R ever comes to ``bound`` with so many times the dispersion."""
        lasting = path(self._log_e / factor, self._active) @ self._weight
        slowed = self._paid.copy()
        slowed[:, 1:] /= factor
        of_sudden = sudden.most_by_hour(slowed, self._pairs, self._pair_dispersion) @ self._sudden_weight
        near = np.flatnonzero(~(lasting + of_sudden < bound * _ROUNDED))
        return any(
            lasting[hour] + self._of_sudden(slowed, hour) >= bound
            for hour in near[np.argsort(of_sudden[near])[::-1]].tolist()
        )

    def _of_sudden(self, slowed: sudden.Paid, hour: int) -> float:
        columns = sudden.evidence_after(slowed, self._first_hour, hour, self._pairs, self._pair_dispersion)
        return float(columns @ self._sudden_weight)
