"""Whether agents that moved together are back: what :func:`.explaining.is_inside` asks of one, asked of all."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from agentvigil.analysis.detection.alarms import Direction
from agentvigil.analysis.detection.baseline import DEFAULT, Baseline
from agentvigil.analysis.detection.config import DetectionConfig
from agentvigil.analysis.detection.counting import Layout
from agentvigil.analysis.detection.expecting import Null, probability
from agentvigil.analysis.detection.explaining import Moved
from agentvigil.analysis.detection.pooling import Dimension, Pool
from agentvigil.analysis.detection.streams import Stream, StreamKind
from agentvigil.analysis.features.cells import Cells, Subject


@dataclass(frozen=True, slots=True)
class Departure:
    """How far the runs of a pool lie from what its members' baselines expect of them, and how sure that is.

    All are in log odds, of a mean in standard deviations.
    """

    shift: float
    baseline_error: float
    """Standard deviation of what was expected: the errors of members average out."""
    runs_error: float
    """That of ``shift`` for the number of runs."""


@dataclass(slots=True)
class _Sums:
    runs: float = 0.0
    hits: float = 0.0
    expected: float = 0.0
    """Hits that the baselines expect."""
    information: float = 0.0
    error: float = 0.0
    """Variance of the sum of what is expected, in units of information."""
    noise: float = 0.0
    """Variance of the hits, dispersion included."""

    def add(self, member: Baseline, stream: Stream, cells: Cells, hours: range, config: DetectionConfig) -> None:
        layout = Layout([member.plan])
        null = Null(layout, [member], config)
        asked = np.arange(hours.start, hours.stop)
        rows = layout.rows([(0, cells.between(hours.start, hours.stop))])
        expected = null.expect(rows, rows.hour - hours.start, asked)
        place = member.streams.index(stream)
        runs, level = expected.runs[:, place], expected.level[:, place]
        total = float(runs.sum())
        if not total:
            return
        share = probability(level)
        is_mean = stream.kind is StreamKind.MEAN
        information = float((runs * (1.0 if is_mean else share * (1 - share))).sum())
        error = float(np.average(expected.error[:, place], weights=runs))
        self.runs += total
        self.hits += float(expected.hits[:, place].sum())
        self.expected += float((runs * (level if is_mean else share)).sum())
        self.information += information
        self.error += (information * error) ** 2
        self.noise += information * float(member.dispersion[place])


def departure(
    pool: Pool,
    stream: Stream,
    cells: Iterable[tuple[Subject, Cells]],
    first_hour: int,
    end_hour: int,
    config: DetectionConfig = DEFAULT,
) -> Departure | None:
    """Return how far the runs of a pool lie from what is expected, from ``first_hour`` to before ``end_hour``.

    ``cells`` are those of its members, an agent at a time. None where no run shows the stream.
    """
    members = {member.subject: member for member in pool.members if stream in member.streams}
    sums = _Sums()
    for subject, mine in cells:
        if subject in members:
            sums.add(members[subject], stream, _of_pool(pool, mine), range(first_hour, end_hour), config)
    if not sums.information:
        return None
    error, noise = float(np.sqrt(sums.error)) / sums.information, float(np.sqrt(sums.noise)) / sums.information
    if stream.kind is StreamKind.MEAN:
        return Departure((sums.hits - sums.expected) / sums.runs, error, noise)
    before, now = sums.expected / sums.runs, (sums.hits + sums.expected / sums.runs) / (sums.runs + 1)
    return Departure(_log_odds(now) - _log_odds(before), error, noise)


def is_inside(moved: Moved, found: Departure, config: DetectionConfig = DEFAULT) -> bool:
    """Say whether what moved is back inside the margin, and the runs tell that from where it had moved to."""
    sign = -1 if moved.direction is Direction.DOWN else 1
    margin = config.margin_sd if moved.stream.kind is StreamKind.MEAN else config.margin_log_odds
    shift = sign * found.shift
    return shift <= margin + found.baseline_error + found.runs_error and shift + 2 * found.runs_error < abs(moved.shift)


def _of_pool(pool: Pool, cells: Cells) -> Cells:
    if pool.dimension is Dimension.TOOL:
        return cells
    codes = getattr(cells, pool.dimension.value)
    return cells.where(codes == (cells.words.index(pool.value) if pool.value in cells.words else -1))


def _log_odds(share: float) -> float:
    share = min(max(share, 1e-9), 1 - 1e-9)
    return float(np.log(share / (1 - share)))
