"""A series of values over time as a few lines of bars."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from statistics import median
from typing import Final

from rich.text import Text

from agentvigil.cli.views.paper import Paper

_HEIGHT: Final = 5
_FAR_FROM_0: Final = 0.9
_GAP: Final = 3
"""So many times as far apart as points mostly are, and there is something missing between them."""
_MOST_COLUMNS: Final = 72
_EIGHTHS: Final = " ▁▂▃▄▅▆▇█"
_ASCII: Final = " .:|#"


@dataclass(frozen=True, slots=True)
class Point:
    """A value of ``n`` runs, or of something else that weighs as much, at a time."""

    at: datetime
    value: float
    n: float = 1.0


def plot(
    points: Sequence[Point], changed_at: datetime | None, written: Callable[[float], str], paper: Paper
) -> Iterator[Text]:
    """Yield ``points``, in the order of time, as lines of bars; what came from ``changed_at`` on is in another colour,
    and a mark stands under where it begins.

    Bars begin at 0. Where all values are far from it they begin a little below the lowest, so that small shifts of
    large values are seen too. Where nothing is known for a while there is a gap.
    """
    if len(points) < 2 or points[0].at >= points[-1].at:
        return
    low, high = min(point.value for point in points), max(point.value for point in points)
    low = 0.0 if 0 <= low <= _FAR_FROM_0 * high else low - (high - low)
    labels = [written(high), written(low)]
    margin = max(map(len, labels)) + 2
    width = max(10, min(_MOST_COLUMNS, paper.width - margin))
    begin, length_s = points[0].at, (points[-1].at - points[0].at).total_seconds()

    def column_of(time: datetime) -> int:
        return min(width - 1, int((time - begin).total_seconds() / length_s * width))

    columns = _means(points, column_of, width)
    _fill(columns, points, column_of)
    mark = None if changed_at is None or not begin <= changed_at <= points[-1].at else column_of(changed_at)
    letters = _EIGHTHS if paper.draws else _ASCII
    steps = len(letters) - 1
    for row in range(_HEIGHT - 1, -1, -1):
        label = labels[0] if row == _HEIGHT - 1 else labels[1] if row == 0 else ""
        line = Text(label.rjust(margin - 2) + "  ", "dim")
        for place, value in enumerate(columns):
            share = 0.0 if value is None or high == low else (value - low) / (high - low)
            # The least that is drawn tells a value from none.
            eighths = 0 if value is None else max(1, round(share * _HEIGHT * steps))
            letter = letters[max(0, min(steps, eighths - row * steps))]
            line.append(letter, "yellow" if mark is not None and place >= mark else "blue")
        line.rstrip()
        yield line
    if mark is not None:
        yield Text(" " * (margin + mark)).append("▲" if paper.draws else "^", "yellow")
    first, last = f"{begin:%m-%d %H:%M}", f"{points[-1].at:%m-%d %H:%M}"
    is_wide = width > len(first) + len(last)
    yield Text(" " * margin + first + (last.rjust(width - len(first)) if is_wide else ""), "dim")


def _means(points: Sequence[Point], column_of: Callable[[datetime], int], width: int) -> list[float | None]:
    """Return the mean value of each column, None where it has no point."""
    sums = [(0.0, 0.0)] * width
    for point in points:
        column = column_of(point.at)
        value, n = sums[column]
        weight = point.n if point.n > 0 else 1e-9
        sums[column] = value + point.value * weight, n + weight
    return [value / n if n else None for value, n in sums]


def _fill(columns: list[float | None], points: Sequence[Point], column_of: Callable[[datetime], int]) -> None:
    """Let each value go on up to the next one where points are fewer than columns."""
    apart = [(after.at - before.at).total_seconds() for before, after in pairwise(points)]
    usual_s = median(apart)
    for (before, after), apart_s in zip(pairwise(points), apart, strict=True):
        if apart_s <= _GAP * usual_s:
            begin = column_of(before.at)
            for place in range(begin + 1, column_of(after.at)):
                columns[place] = columns[begin]
