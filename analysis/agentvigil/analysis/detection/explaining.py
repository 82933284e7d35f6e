"""What is known of an alarm: how far, since when, carried by which runs, and what else changed then."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from agentvigil.analysis.detection.alarms import Alarm, Direction
from agentvigil.analysis.detection.baseline import DEFAULT, Baseline
from agentvigil.analysis.detection.bets import won
from agentvigil.analysis.detection.changetime import ChangeTime, change_time, since_each_hour
from agentvigil.analysis.detection.confidence import TIGHTEST_RUNS, share_interval, sum_reach
from agentvigil.analysis.detection.config import HOURS_PER_DAY, DetectionConfig
from agentvigil.analysis.detection.counting import Bools, Floats, Ints, Layout, log2_of_bin
from agentvigil.analysis.detection.decomposition import DIMENSIONS, KeyShift, Part, key_shifts, parts_of
from agentvigil.analysis.detection.expecting import Expected, Null, probability
from agentvigil.analysis.detection.streams import Stream, StreamKind
from agentvigil.analysis.features.cells import Cells
from agentvigil.analysis.features.names import FEATURES, ZERO_BIN, Counting

_SLACK_HOURS: Final = 2
"""A version that is rolled out shows in what is counted an hour or two later."""
SERIES_DAYS: Final = 14
SERIES_STEP_HOURS: Final = 6
_SHOWN_PARTS: Final = 6
_LEVEL_DAYS: Final = 7
"""What goes on has the level of its last days, each weekday once."""


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
class Told:
    """What was told of an alarm, and stays as it goes on."""

    alarm: Alarm
    moved: Moved
    since: ChangeTime
    changes: Sequence[Change]


@dataclass(frozen=True, slots=True)
class Explanation:
    """An alarm explained. Values are shares; of means, typical values (geometric means) in the unit of the feature."""

    alarm: Alarm
    moved: Moved
    since: ChangeTime
    level_from: int
    """The values are of the hours from this one on; it is that of the change, or a week ago if that is later."""
    runs: int
    """Since the change; so are the hours."""
    hours: int
    baseline_value: float
    """What the baseline expects of the input classes and hours that the values are of."""
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
    after = after.between(alarm.watched_from, alarm.hour + 1)
    seen = _Seen.of(alarm.stream, baseline, before, after, range(alarm.watched_from, alarm.hour + 1), config)
    since = change_time(seen.hours, _log_since(seen, alarm.direction), seen.expected.runs[:, seen.place] > 0)
    changes = changes_between(seen.before, after, since.first_hour - _SLACK_HOURS, since.last_hour + 1)
    series = _series(seen, after, alarm.hour + 1)
    return _explained(alarm, seen, since, since.hour, None, changes, series)


def explain_further(
    told: Told, baseline: Baseline, before: Cells, after: Cells, until: int, now: int, config: DetectionConfig = DEFAULT
) -> Explanation | None:
    """Explain again what goes on, or went on until hour ``until``, where ``now`` is the hour that follows the data.

    When it began, how far it had moved and what changed then stay as they were told, and so does the evidence. The
    values are those of the last week. ``before`` are cells of the baseline's hours, and ``after`` those from the change
    on at least; neither holds rows that the other has. None where the baseline has no such stream any more, or no run
    shows it.
    """
    since, alarm = told.since, replace(told.alarm, hour=until - 1)
    if alarm.stream not in baseline.streams or until <= since.hour:
        return None
    seen = _Seen.of(alarm.stream, baseline, before, after, range(since.hour, until), config)
    level_from = max(since.hour, until - _LEVEL_DAYS * HOURS_PER_DAY)
    if not seen.runs(level_from):
        return None
    now_seen = {
        (change.what, change.name): change.runs
        for change in changes_between(seen.before, after, since.first_hour - _SLACK_HOURS, since.last_hour + 1)
    }
    changes = [replace(one, runs=now_seen.get((one.what, one.name), one.runs)) for one in told.changes]
    return _explained(alarm, seen, since, level_from, told.moved, changes, _series(seen, after, now))


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
class _Seen:
    """What a baseline expects of a stream in some hours, and what was there."""

    baseline: Baseline
    null: Null
    place: int
    """Of the stream, among those of the baseline."""
    hours: Ints
    expected: Expected
    before: Cells
    after: Cells

    @classmethod
    def of(
        cls, stream: Stream, baseline: Baseline, before: Cells, after: Cells, hours: range, config: DetectionConfig
    ) -> "_Seen":
        before = before.between(baseline.first_hour, baseline.end_hour)
        null = Null(Layout([baseline.plan]), [baseline], config)
        after = after.between(hours.start, hours.stop)
        asked = np.arange(hours.start, hours.stop)
        place = baseline.streams.index(stream)
        return cls(baseline, null, place, asked, _expected(null, after, asked), before, after)

    def runs(self, first_hour: int) -> float:
        """Return how many runs there are from an hour on."""
        return float(self.expected.runs[self.hours >= first_hour, self.place].sum())


def _log_since(seen: _Seen, direction: Direction) -> Floats:
    """Return the logarithms of what the bets that lean so win, by the hour that they began in: bets × hours.

    Which of two hours it was is told by the runs between them, so they are divided by what days vary by, not weeks.
    """
    null, expected, place = seen.null, seen.expected, seen.place
    sign = -1 if direction is Direction.DOWN else 1
    leaning = np.flatnonzero(sign * null.tilts[:, place] > 0)
    reach = (expected.error + null.margin)[:, [place]]
    found = won(null, expected, reach, leaning, np.array([place]))[:, :, 0]
    return since_each_hour(found.T / null.dispersion_of_days(expected)[:, place])


def _explained(
    alarm: Alarm,
    seen: _Seen,
    since: ChangeTime,
    level_from: int,
    moved: Moved | None,
    changes: list[Change],
    series: list[Point],
) -> Explanation:
    """Return an explanation whose values are those from ``level_from`` on; ``moved`` is None if it moved to there."""
    baseline, before, end_hour = seen.baseline, seen.before, alarm.hour + 1
    window = seen.after.between(level_from, end_hour)
    value = _value(baseline, seen.null, seen.place, window, seen.expected, seen.hours >= level_from)
    per_day = seen.runs(level_from) / (end_hour - level_from) * HOURS_PER_DAY
    is_failure = alarm.feature == "failure" or (alarm.feature == "status" and alarm.stream.key == "failure")
    return Explanation(
        alarm,
        moved or Moved(alarm.stream, alarm.direction, value.shift),
        since,
        level_from,
        round(seen.runs(since.hour)),
        end_hour - since.hour,
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
        changes,
        series,
    )


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


def _series(seen: _Seen, after: Cells, end_hour: int) -> list[Point]:
    """Return points of six hours each, of the two weeks before an hour; those without runs are left out."""
    null, place = seen.null, seen.place
    hours = np.arange(end_hour - SERIES_DAYS * HOURS_PER_DAY, end_hour)
    told: list[tuple[Floats, Floats, Floats]] = []
    for cells in (seen.before, after):
        mine = cells.between(int(hours[0]), end_hour)
        expected = _expected(null, mine, hours)
        runs, hits, level = expected.runs[:, place], expected.hits[:, place], expected.level[:, place]
        if null.layout.is_mean[place]:
            sums, spread = _logarithms(seen, mine, hours)
            told.append((runs, sums, sums - spread * (hits - runs * level)))
        else:
            told.append((runs, hits, runs * probability(level)))
    runs, hits, wanted = (
        (told[0][part] + told[1][part]).reshape(-1, SERIES_STEP_HOURS).sum(axis=1) for part in range(3)
    )
    is_mean = null.layout.is_mean[place]
    starts = hours[::SERIES_STEP_HOURS]
    return [
        Point(int(hour), round(float(n)), *(float(2**mean if is_mean else mean) for mean in (y / n, x / n)))
        for hour, n, y, x in zip(starts, runs, hits, wanted, strict=True)
        if n > 0
    ]


def _logarithms(seen: _Seen, cells: Cells, hours: Ints) -> tuple[Floats, Floats]:
    """Return the sum of the logarithms to base 2 of an hour's values, and what a standard deviation of them is."""
    layout = seen.null.layout
    rows = layout.rows([(0, cells)])
    rows = rows.where(rows.group == layout.group_of_stream[seen.place])
    at = rows.hour - int(hours[0])
    weights = (rows.n * rows.log2, rows.n, rows.n * seen.null.scale[rows.slot])
    sums, n, scales = (np.bincount(at, of, len(hours)).astype(np.float64) for of in weights)
    return sums, scales / np.maximum(n, 1)
