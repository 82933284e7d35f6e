"""What is known of an alarm: how far, since when, carried by which runs, and what else changed then."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from agentvigil.analysis.detection.alarms import Alarm, Direction
from agentvigil.analysis.detection.baseline import DEFAULT, Baseline
from agentvigil.analysis.detection.bets import log_bets
from agentvigil.analysis.detection.changetime import ChangeTime, change_time
from agentvigil.analysis.detection.confidence import TIGHTEST_RUNS, share_interval, sum_reach
from agentvigil.analysis.detection.config import HOURS_PER_DAY, DetectionConfig
from agentvigil.analysis.detection.counting import Bools, Floats, Ints, Layout, log2_of_bin
from agentvigil.analysis.detection.decomposition import DIMENSIONS, KeyShift, Part, key_shifts, parts_of
from agentvigil.analysis.detection.expecting import Expected, Null, probability
from agentvigil.analysis.detection.streams import Stream, StreamKind
from agentvigil.analysis.detection.tilts import WINDOW
from agentvigil.analysis.features.cells import Cells
from agentvigil.analysis.features.names import FEATURES, ZERO_BIN, Counting

_SLACK_HOURS: Final = 2
"""A version that is rolled out shows in what is counted an hour or two later."""
SERIES_DAYS: Final = 14
SERIES_STEP_HOURS: Final = 6
_SHOWN_PARTS: Final = 6


@dataclass(frozen=True, slots=True)
class Moved:
    """A stream that moved, and how far: what tells later whether it is back."""

    stream: Stream
    direction: Direction
    shift: float
    """In log odds, of a mean in standard deviations, from what was expected of the same input classes."""


@dataclass(frozen=True, slots=True)
class Change:
    """Something that was first seen when the shift began."""

    what: str
    """version, model, tool, response_model or input_class."""
    name: str
    hour: int
    runs: int
    """That had it since."""


@dataclass(frozen=True, slots=True)
class Point:
    """Some hours of a stream: its value, and the value that was expected."""

    hour: int
    runs: int
    value: float
    expected: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """An alarm explained. Values are shares; of means, typical values (geometric means) in the unit of the feature."""

    alarm: Alarm
    moved: Moved
    since: ChangeTime
    runs: int
    hours: int
    baseline_value: float
    """What the baseline expects of the input classes and hours since the change."""
    window_value: float
    low: float
    high: float
    effect_size: float
    """Relative change of the share; of features with values, of the value itself."""
    quantile: tuple[float, float, float] | None
    """Of a threshold: the quantile of the baseline, its value before and after."""
    runs_per_day: float
    usd_per_day: float | None
    failed_runs_per_day: float | None
    parts: Mapping[str, list[Part]]
    keys: list[KeyShift]
    changes: list[Change]
    series: list[Point]


def explain(
    alarm: Alarm, baseline: Baseline, before: Cells, after: Cells, config: DetectionConfig = DEFAULT
) -> Explanation:
    """Explain an alarm from the cells of the baseline's hours, and of the hours that were watched.

    Both may hold more hours; what comes after the alarm is not looked at.
    """
    before = before.between(baseline.first_hour, baseline.end_hour)
    after = after.between(alarm.watched_from, alarm.hour + 1)
    layout = Layout([baseline.plan])
    null = Null(layout, [baseline], config)
    place = baseline.streams.index(alarm.stream)
    hours = np.arange(alarm.watched_from, alarm.hour + 1)
    expected = _expected(null, after, hours)
    leaning = null.tilts[:, place] < 0 if alarm.direction is Direction.DOWN else null.tilts[:, place] > 0
    leaning &= WINDOW == 0
    log_e = log_bets(null, expected)[leaning, :, place]
    since = change_time(hours, log_e, expected.runs[:, place] > 0)

    window = after.between(since.hour, alarm.hour + 1)
    recent = hours >= since.hour
    runs = float(expected.runs[recent, place].sum())
    span = alarm.hour + 1 - since.hour
    value = _value(baseline, null, place, window, expected, recent)
    per_day = runs / span * HOURS_PER_DAY
    is_failure = alarm.feature == "failure" or (alarm.feature == "status" and alarm.stream.key == "failure")
    return Explanation(
        alarm,
        Moved(alarm.stream, alarm.direction, value.shift),
        since,
        round(runs),
        span,
        value.expected,
        value.current,
        value.low,
        value.high,
        *_effect(alarm.stream, value, before, window),
        per_day,
        _usd_per_run(window) * per_day - _usd_per_run(before) * per_day if alarm.feature == "cost" else None,
        (value.current - value.expected) * per_day if is_failure else None,
        {
            dimension: parts_of(baseline.plan, alarm.stream, dimension, before, window)[:_SHOWN_PARTS]
            for dimension in DIMENSIONS
        },
        _keys(alarm, before, window),
        changes_between(before, after, since.first_hour - _SLACK_HOURS, since.last_hour + 1),
        _series(null, place, before, after, alarm.hour + 1),
    )


def is_inside(
    moved: Moved, baseline: Baseline, cells: Cells, first_hour: int, end_hour: int, config: DetectionConfig = DEFAULT
) -> bool:
    """Say whether a stream that moved is back inside the margin, from ``first_hour`` to before ``end_hour``.

    It is, if it lies within the margin up to one standard error, and these runs tell the baseline from where it moved
    to (two standard errors): with too few runs the answer is no.
    """
    if moved.stream not in baseline.streams:
        return False
    null = Null(Layout([baseline.plan]), [baseline], config)
    place = baseline.streams.index(moved.stream)
    hours = np.arange(first_hour, end_hour)
    expected = _expected(null, cells.between(first_hour, end_hour), hours)
    runs = expected.runs[:, place]
    if not runs.sum():
        return False
    level = float(np.average(expected.level[:, place], weights=runs))
    error = float(np.average(expected.error[:, place], weights=runs))
    shift = _shift(null, place, expected, np.ones(len(hours), dtype=np.bool_))
    is_mean = moved.stream.kind is StreamKind.MEAN
    halfway = float(probability(np.array(level + moved.shift / 2)))
    information = runs.sum() * (1.0 if is_mean else halfway * (1 - halfway))
    se = float(np.sqrt(baseline.dispersion[place] / information))
    sign = -1 if moved.direction is Direction.DOWN else 1
    margin = error + (config.margin_sd if is_mean else config.margin_log_odds)
    return sign * shift <= margin + se and sign * shift + 2 * se < abs(moved.shift)


def changes_between(before: Cells, after: Cells, first_hour: int, last_hour: int) -> list[Change]:
    """Return what is first seen in ``after`` from ``first_hour`` to ``last_hour``, and not in ``before`` at all."""
    found: list[Change] = []
    for what, feature in (("version", "status"), ("model", "status"), ("input_class", "status"),
                          ("tool", "tool"), ("response_model", "response_model")):  # fmt: skip
        old, new = before.of(feature), after.of(feature)
        column = what if feature == "status" else "key"
        known = {before.words[code] for code in np.unique(getattr(old, column))}
        codes, first = np.unique(getattr(new, column), return_index=True)
        for code, at in zip(codes, first, strict=True):
            name, hour = after.words[int(code)], int(new.hour[at])
            if name and name not in known and first_hour <= hour <= last_hour:
                mine = getattr(new, column) == code
                mine &= (new.key == 0) if column != "key" else True
                found.append(Change(what, name, hour, round(float(new.n[mine].sum()))))
    return sorted(found, key=lambda change: (change.hour, -change.runs, change.what, change.name))


@dataclass(frozen=True, slots=True)
class _Value:
    shift: float
    expected: float
    current: float
    low: float
    high: float


def _expected(null: Null, cells: Cells, hours: Ints) -> Expected:
    rows = null.layout.rows([(0, cells)])
    return null.expect(rows, rows.hour - int(hours[0]), hours)


def _shift(null: Null, place: int, expected: Expected, hours: Bools) -> float:
    runs, hits = expected.runs[hours, place], expected.hits[hours, place]
    level = expected.level[hours, place]
    if null.layout.is_mean[place]:
        return float((hits.sum() - (runs * level).sum()) / runs.sum())
    share = float((runs * probability(level)).sum() / runs.sum())
    current = float((hits.sum() + share) / (runs.sum() + 1))
    return float(np.log(current / max(1 - current, 1e-9)) - np.log(share / (1 - share)))


def _value(
    baseline: Baseline,
    null: Null,
    place: int,
    window: Cells,
    expected: Expected,
    recent: Bools,
) -> _Value:
    """Return the value since the change, with a confidence sequence, beside what was expected."""
    stream, layout = baseline.streams[place], null.layout
    runs, hits = expected.runs[recent, place], expected.hits[recent, place]
    total, phi = float(runs.sum()), float(baseline.dispersion[place])
    shift = _shift(null, place, expected, recent)
    if stream.kind is not StreamKind.MEAN:
        share = float((runs * probability(expected.level[recent, place])).sum() / total)
        current = min(float(hits.sum()) / total, 1.0)
        return _Value(shift, share, current, *share_interval(current * total / phi, total / phi))
    rows = layout.rows([(0, window)])
    rows = rows.where(rows.group == layout.group_of_stream[place])
    mean = float(np.average(rows.log2, weights=rows.n))
    sd = float(np.average(null.scale[rows.slot], weights=rows.n))
    reach = sd * sum_reach(phi * total, phi * TIGHTEST_RUNS) / total
    return _Value(shift, 2 ** (mean - shift * sd), 2**mean, 2 ** (mean - reach), 2 ** (mean + reach))


def _effect(
    stream: Stream, value: _Value, before: Cells, window: Cells
) -> tuple[float, tuple[float, float, float] | None]:
    if stream.kind is not StreamKind.ABOVE:
        return value.current / max(value.expected, 1e-9) - 1, None
    old, new = (_quantile(cells.of(stream.feature), stream.level) for cells in (before, window))
    return new / old - 1 if old > 0 else float(new > 0), (stream.level, old, new)


def _quantile(cells: Cells, level: float) -> float:
    order = np.argsort(cells.bin, kind="stable")
    share = np.cumsum(cells.n[order]) / cells.n.sum()
    number = cells.bin[order][min(int(np.searchsorted(share, level)), len(order) - 1)]
    return 0.0 if number == ZERO_BIN else float(2 ** log2_of_bin(np.array([number]))[0])


def _usd_per_run(cells: Cells) -> float:
    cost = cells.of("cost")
    return float(cost.s.sum() / max(cost.n.sum(), 1))


def _keys(alarm: Alarm, before: Cells, window: Cells) -> list[KeyShift]:
    """Return the keys that moved most; if new ones are what alarmed, those come first."""
    if FEATURES[alarm.feature].counting is not Counting.CATEGORIES:
        return []
    shifts = key_shifts(alarm.feature, before, window)
    if alarm.direction is Direction.NEW:
        shifts.sort(key=lambda shift: shift.before > 0)
    return shifts[:_SHOWN_PARTS]


def _series(null: Null, place: int, before: Cells, after: Cells, end_hour: int) -> list[Point]:
    """Return points of six hours each, of the two weeks before the alarm; those without runs are left out."""
    hours = np.arange(end_hour - SERIES_DAYS * HOURS_PER_DAY, end_hour)
    rows: list[tuple[Floats, Floats, Floats]] = []
    for cells in (before, after):
        expected = _expected(null, cells.between(int(hours[0]), end_hour), hours)
        level = expected.level[:, place]
        value = level if null.layout.is_mean[place] else probability(level)
        runs = expected.runs[:, place]
        rows.append((runs, expected.hits[:, place], runs * value))
    runs, hits, wanted = (
        (rows[0][part] + rows[1][part]).reshape(-1, SERIES_STEP_HOURS).sum(axis=1) for part in range(3)
    )
    starts = hours[::SERIES_STEP_HOURS]
    return [
        Point(int(hour), round(float(n)), float(y / n), float(x / n))
        for hour, n, y, x in zip(starts, runs, hits, wanted, strict=True)
        if n > 0
    ]
