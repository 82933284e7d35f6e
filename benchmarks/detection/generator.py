"""Draws the runs of agents and counts them, as the rollup of features counts real ones.

Runs are drawn one by one where they have values, and as binomial counts where they have keys, which are the same in
distribution. Every feature has random numbers of its own: what a fault does to one leaves all others as they were, bit
for bit. An agent with 20,000 runs a day takes about a second for 44 days, one with 1,000 a tenth of it.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Final

import numpy as np
from climates import CALM, Climate
from course import Categories, Course, Tally, Values, expit, lay_out
from numpy.typing import NDArray
from traits import Agent, draw

from agentvigil.analysis.features.cells import Cells, Subject, Words
from agentvigil.analysis.features.names import BINS_PER_OCTAVE, FEATURES, ZERO_BIN

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PROJECT: Final = "benchmark"
BASELINE_DAYS: Final = 14
MONITORED_DAYS: Final = 30
LOWEST_BIN: Final = BINS_PER_OCTAVE * -24
HIGHEST_BIN: Final = BINS_PER_OCTAVE * 36
_BINS: Final = HIGHEST_BIN - LOWEST_BIN + 2
"""And one for 0, which stands first."""

USED: Final = ("cost", "input_tokens", "output_tokens")
"""Values that the sums of ``usage`` are made of."""

Fault = Callable[[Course], None]
"""Changes a course in place."""


def subject_of(agent: Agent) -> Subject:
    """Return whose runs an agent's cells count."""
    return Subject(PROJECT, "production", agent.name)


def course_of(
    seed: int,
    number: int,
    count: int,
    climate: Climate = CALM,
    days: int = BASELINE_DAYS + MONITORED_DAYS,
    faults: Iterable[Fault] = (),
) -> Course:
    """Return the course of agent ``number`` of the fleet of ``count`` agents that ``seed`` names, faults included."""
    course = lay_out(draw(seed, number, count), climate, seed, days, calm_days=BASELINE_DAYS)
    for fault in faults:
        fault(course)
    return course


def fleet(
    seed: int,
    count: int,
    climate: Climate = CALM,
    days: int = BASELINE_DAYS + MONITORED_DAYS,
    faults: Iterable[Fault] = (),
) -> Iterator[tuple[Course, Cells]]:
    """Yield the agents of a fleet one after the other, with the cells of their runs."""
    faults = tuple(faults)
    for number in range(count):
        course = course_of(seed, number, count, climate, days, faults)
        yield course, count_runs(course)


def count_runs(course: Course, features: Collection[str] = FEATURES) -> Cells:
    """Draw the runs of a course and return their cells.

    Of ``features`` alone, where that is given: they are the same with others and without.
    """
    runs = _runs(course)
    rows = _Rows(course)
    for name, categories in course.categories.items():
        if name in features:
            _count_categories(course, rows, runs, name, categories)
    sums: dict[str, Floats] = {}
    factor = _common_factor(course, runs)
    for name, values in course.values.items():
        if name in features or (name in USED and "usage" in features):
            sums[name] = _count_values(course, rows, runs, name, values, factor)
    if "response_model" in features:
        for model, name in enumerate(course.models):
            here = np.zeros_like(runs)
            here[:, :, model] = runs[:, :, model]
            rows.add("response_model", "", here)
            rows.add("response_model", name, here)
    for name, tally in course.tallies.items():
        if name in features:
            _count_tally(course, rows, runs, name, tally)
    if "usage" in features:
        _count_usage(course, rows, runs, sums)
    return rows.cells()


class _Rows:
    """Rows of cells, gathered feature by feature."""

    def __init__(self, course: Course) -> None:
        self._course, self._words = course, Words()
        self._parts: list[tuple[Ints, int, int, NDArray[np.int16], Floats, Floats]] = []

    def add(self, feature: str, key: str, n: Floats | Ints, s: Floats | None = None) -> None:
        """Add a row for each cell of an array (H, C, M) that is not empty."""
        flat = n.ravel()
        cells = np.flatnonzero(flat > 0)
        sums = np.zeros(len(cells)) if s is None else s.ravel()[cells]
        self._put(feature, key, cells, np.zeros(len(cells), np.int16), flat[cells].astype(float), sums)

    def add_bins(self, feature: str, cells: Ints, bins: NDArray[np.int16], n: Floats, s: Floats) -> None:
        """Add a row for each of these cells and bins."""
        self._put(feature, "", cells, bins, n, s)

    def _put(self, feature: str, key: str, cells: Ints, bins: NDArray[np.int16], n: Floats, s: Floats) -> None:
        self._parts.append((cells, self._words.code(feature), self._words.code(key), bins, n, s))

    def cells(self) -> Cells:
        """Return all rows in the order of their hours."""
        course, words = self._course, self._words
        counts = [len(part[0]) for part in self._parts]
        cell = np.concatenate([part[0] for part in self._parts])
        hour, input_class, model = np.unravel_index(cell, course.model_share.shape)
        begins = np.array([begin for begin, _ in course.versions])
        versions = np.array([words.code(name) for _, name in course.versions], np.int32)
        classes = np.array([words.code(name) for name in course.agent.classes], np.int32)
        models = np.array([words.code(name) for name in course.models], np.int32)
        order = np.argsort(hour, kind="stable")
        hour = hour[order]

        def column(place: int) -> NDArray[np.int32]:
            return np.repeat(np.array([part[place] for part in self._parts], np.int32), counts)[order]

        return Cells(
            words=tuple(words),
            hour=(hour + course.first_hour).astype(np.int32),
            input_class=classes[input_class[order]],
            version=versions[np.searchsorted(begins, hour, side="right") - 1],
            model=models[model[order]],
            feature=column(1),
            key=column(2),
            bin=np.concatenate([part[3] for part in self._parts])[order],
            n=np.concatenate([part[4] for part in self._parts])[order],
            s=np.concatenate([part[5] for part in self._parts])[order],
        )


def _runs(course: Course) -> Ints:
    """Return how many runs finish in each hour, class and model: (H, C, M)."""
    random = course.random("counts")
    # Counts of a rate that is itself uncertain by a sixth from hour to hour: real ones are never as even as Poisson's.
    expected = course.runs * random.gamma(36, 1 / 36, course.runs.shape)
    counts = random.poisson(expected)
    own = len(course.agent.models)
    share = course.model_share[:, :, :own]
    runs = course.random("models").multinomial(counts, share / share.sum(axis=2, keepdims=True))
    for place in range(own, len(course.models)):
        moved = course.random(course.models[place]).binomial(runs, course.model_share[:, :, place, None])
        runs = np.concatenate([runs - moved, moved.sum(axis=2, keepdims=True)], axis=2)
    return runs


def _noise(course: Course, name: str, shape: tuple[int, ...], days: float, hours: float) -> Floats:
    """Return what moves by the day and by the hour: (H, C, ...)."""
    random = course.random(f"noise {name}")
    whole_days = -(-shape[0] // 24)
    by_day = random.standard_normal((whole_days, *shape[1:])).repeat(24, axis=0)[: shape[0]]
    return days * by_day + hours * random.standard_normal(shape)


def _binomial(course: Course, of: str, n: Ints, p: Floats) -> Ints:
    """Return how many of ``n`` runs have what each has with ``p``, when some are the same as the one before."""
    pairs = course.random(f"pairs {of}").binomial(n // 2, course.climate.repeats)
    singles = course.random(of).binomial(n - 2 * pairs, p)
    return singles + 2 * course.random(f"of pairs {of}").binomial(pairs, p)


def _count_categories(course: Course, rows: _Rows, runs: Ints, name: str, categories: Categories) -> None:
    climate = course.climate
    counted = runs if categories.counted == 1 else course.random(f"counted {name}").binomial(runs, categories.counted)
    rows.add(name, "", counted)
    for place, key in enumerate(categories.keys):
        of = f"{name} {key}"
        noise = _noise(course, of, categories.log_odds.shape[:2], climate.category_days, climate.category_hours)
        log_odds = (categories.log_odds[:, :, place] + noise)[:, :, None]
        if categories.by_model is not None:
            log_odds = log_odds + categories.by_model[:, None, :, place]
        rows.add(name, key, _binomial(course, of, counted, expit(log_odds)))


def _common_factor(course: Course, runs: Ints) -> Floats:
    """Return for each run how large it is altogether, which all of its values share."""
    return course.random("size").standard_normal(int(runs.sum()))


def _count_values(course: Course, rows: _Rows, runs: Ints, name: str, values: Values, factor: Floats) -> Floats:
    """Draw a value for each run that has one, add the rows, and return their sums by cell: (H, C, M)."""
    climate = course.climate
    noise = _noise(course, name, values.log2_mean.shape, climate.value_days, climate.value_hours)
    means = (values.log2_mean + values.spread * noise)[:, :, None] + np.zeros(runs.shape[2])
    if values.by_model is not None:
        means = means + values.by_model[:, None, :]
    cells = np.repeat(np.arange(runs.size), runs.ravel())
    count = len(cells)
    own = course.random(name).standard_normal(count)
    log2 = means.ravel()[cells] + values.spread * (0.6 * factor + 0.8 * own)
    if values.tail_share:
        in_tail = np.flatnonzero(course.random(f"in tail {name}").random(count) < values.tail_share)
        log2[in_tail] += np.log2(1 + course.random(f"tail {name}").pareto(values.tail_index, len(in_tail)))
    _repeat_some(course.random(f"repeats {name}"), log2, cells, climate.repeats)
    log2 = np.minimum(log2, np.log2(values.highest))
    value = np.exp2(log2)
    if values.whole:
        value = np.maximum(1.0, np.round(value))
        log2 = np.log2(value)
    bins = np.clip(np.floor(BINS_PER_OCTAVE * log2), LOWEST_BIN, HIGHEST_BIN).astype(np.int64) - LOWEST_BIN + 1
    if values.zeros:
        zero = course.random(f"zeros {name}").random(count) < values.zeros
        bins[zero], value[zero] = 0, 0.0
    if values.counted < 1:
        has = course.random(f"counted {name}").random(count) < values.counted
        cells, bins, value = cells[has], bins[has], value[has]
    _add_values(rows, name, runs.size, cells, bins, value)
    return np.bincount(cells, value, runs.size).reshape(runs.shape)


def _add_values(rows: _Rows, name: str, size: int, cells: Ints, bins: Ints, value: Floats) -> None:
    """Add the rows of values: by a table of all cells and bins where runs are many, by sorting where they are few."""
    if not len(cells):
        return
    lowest, width = bins.min(), bins.max() - bins.min() + 1
    place = cells * width + (bins - lowest)
    if size * width <= 8 * len(place):
        n = np.bincount(place, minlength=size * width)
        s = np.bincount(place, value, size * width)
        found = np.flatnonzero(n)
        counts, sums = n[found].astype(float), s[found]
    else:
        found, inverse = np.unique(place, return_inverse=True)
        counts = np.bincount(inverse).astype(float)
        sums = np.bincount(inverse, value)
    number = found % width + lowest
    bin_number = np.where(number == 0, ZERO_BIN, number - 1 + LOWEST_BIN).astype(np.int16)
    rows.add_bins(name, found // width, bin_number, counts, sums)


def _repeat_some(random: np.random.Generator, values: Floats, cells: Ints, repeats: float) -> None:
    """Let some runs have the value of the run before them in the same cell."""
    again = random.random(len(values)) < repeats / 2
    again[:1] = False
    again[1:] &= cells[1:] == cells[:-1]
    source = np.maximum.accumulate(np.where(again, 0, np.arange(len(values))))
    values[:] = values[source]


def _count_tally(course: Course, rows: _Rows, runs: Ints, name: str, tally: Tally) -> None:
    climate = course.climate
    for place, key in enumerate(tally.keys):
        of = f"{name} {key}"
        noise = _noise(course, of, (course.hours,), climate.category_days, climate.category_hours)
        n = course.random(f"number {of}").poisson(runs * tally.per_run[:, place, None, None])
        p = expit(tally.log_odds[:, place] + noise)[:, None, None]
        rows.add(name, key, n, _binomial(course, of, n, p).astype(float))


def _count_usage(course: Course, rows: _Rows, runs: Ints, sums: dict[str, Floats]) -> None:
    """Add what calls used: the sums of what the runs used, which are those of the values of the same name."""
    calls = runs + course.random("calls").poisson(runs * np.maximum(course.calls_per_run - 1, 0)[:, None, None])
    used = {
        "calls": calls.astype(float),
        "input_tokens": sums["input_tokens"],
        "output_tokens": sums["output_tokens"],
        "cache_read_tokens": np.round(sums["input_tokens"] * course.cached[:, None, None]),
        "cost_usd": sums["cost"],
        "retries": course.random("retries").binomial(calls, 0.02).astype(float),
    }
    for key, total in used.items():
        rows.add("usage", key, runs, total)
