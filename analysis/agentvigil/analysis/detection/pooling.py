"""Evidence of many agents together: by model, by version, or by tool.

Runs of different agents are independent of each other under the null, so the product of what bets on each pay is again
a bet, and its logarithm is a sum. A shift that is too small for any agent alone, since each has few runs, is found when
all who use the same model show it. What moves everywhere is not the model's doing: the other pools of the same kind are
the control that tells a silent update of one model from a change of the world. Where everything moves, the largest pool
shows it first, so an alarm waits until the others have told whether they moved as well.

A member of a pool is an agent's runs with that model (or version), with a baseline of its own, so that an agent that
moves its traffic from one model to another alarms in neither pool.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import numpy as np

from agentvigil.analysis.detection import sudden
from agentvigil.analysis.detection.alarms import Direction
from agentvigil.analysis.detection.baseline import DEFAULT, Baseline, fit
from agentvigil.analysis.detection.bets import grown, log_bets
from agentvigil.analysis.detection.changetime import ChangeTime, change_time, since_each_hour
from agentvigil.analysis.detection.clusters_and_wander import FleetSpread
from agentvigil.analysis.detection.config import DetectionConfig
from agentvigil.analysis.detection.counting import Bools, Floats, Ints, Layout
from agentvigil.analysis.detection.errors import HourOutOfOrder
from agentvigil.analysis.detection.expecting import Null
from agentvigil.analysis.detection.planning import TooFewRuns
from agentvigil.analysis.detection.streams import Stream, StreamKind
from agentvigil.analysis.detection.tilts import BETS, ORDINARY, SUDDEN, SUDDEN_WEIGHT, UPWARDS
from agentvigil.analysis.features.cells import Cells, Subject

MIN_MEMBERS: Final = 3
"""Agents that a pool needs: what two have in common may be chance."""
MIN_MEMBER_RUNS: Final = 60
"""Runs of an agent's baseline: fewer than when it is watched alone, since its error is one of many."""
_NEVER: Final = -1
_DOUBT: Final = 20
_ACQUITTED: Final = -3.0
"""Logarithm of how likely a shift of the others is beside none, up to which they did not move: 1 in 20."""
_SUSPECT: Final = 1.0
"""The same for one of them, from which it may have moved."""
_LONGEST_DOUBT_HOURS: Final = 72
"""Others that have told nothing for so long have too few runs to tell."""
_KINDS: Final = {StreamKind.KEY, StreamKind.MEAN}


class Dimension(StrEnum):
    """What the members of a pool have in common."""

    MODEL = "model"
    VERSION = "version"
    TOOL = "tool"
    """Whose use is watched over all agents that have it."""


@dataclass(frozen=True, slots=True)
class Pool:
    """The agents of one project and environment that share a model, a version or a tool."""

    dimension: Dimension
    value: str
    members: tuple[Baseline, ...]


@dataclass(frozen=True, slots=True)
class PoolAlarm:
    """Agents that share something left their baselines together."""

    dimension: Dimension
    value: str
    project: str
    environment: str
    feature: str
    stream: Stream
    direction: Direction
    hour: int
    watched_from: int
    since: ChangeTime
    statistic: float
    threshold: float
    hours_between_false_alarms: float
    agents: tuple[str, ...]
    """Those whose runs are in it."""
    others_moved: bool
    """Whether agents without it moved the same way: then it is not the cause."""


def fit_pools(
    cells: Iterable[tuple[Subject, Cells]],
    dimension: Dimension,
    first_hour: int,
    end_hour: int,
    *,
    fleet: FleetSpread,
    config: DetectionConfig = DEFAULT,
) -> list[Pool]:
    """Learn the baselines of pools with three agents or more, from the cells of a fleet, an agent at a time."""
    config = replace(config, min_runs=MIN_MEMBER_RUNS)
    members: dict[tuple[str, str, str], list[Baseline]] = {}
    for subject, mine in cells:
        mine = mine.between(first_hour, end_hour)
        for value, part in _parts(mine, dimension):
            baseline = fit(subject, part, first_hour, end_hour, fleet=fleet, config=config)
            if not isinstance(baseline, TooFewRuns):
                for name in [value] if value is not None else _tools(baseline):
                    members.setdefault((subject.project, subject.environment, name), []).append(baseline)
    return [
        Pool(dimension, value, tuple(sorted(found, key=lambda member: member.subject)))
        for (_, _, value), found in sorted(members.items(), key=lambda item: item[0])
        if len(found) >= MIN_MEMBERS
    ]


def _parts(cells: Cells, dimension: Dimension) -> list[tuple[str | None, Cells]]:
    """Return the cells by model or version. Of tools there are no parts: a run may use several."""
    if dimension is Dimension.TOOL:
        return [(None, cells)]
    codes = getattr(cells, dimension.value)
    present = [int(code) for code in np.unique(codes) if cells.words[int(code)]]
    return [(cells.words[code], cells.where(codes == code)) for code in present]


def _tools(baseline: Baseline) -> list[str]:
    return [s.key for s in baseline.streams if s.feature == "tool" and s.kind is StreamKind.KEY]


class _Watched:
    """The arrays of one pool: streams of its members, and the streams of the pool that they add up to."""

    def __init__(self, pool: Pool, config: DetectionConfig) -> None:
        self.pool = pool
        self.layout = Layout([member.plan for member in pool.members])
        self.null = Null(self.layout, pool.members, config)
        places: dict[Stream, int] = {}
        joins: list[int] = []
        for member in pool.members:
            for stream in member.streams:
                wanted = stream.kind in _KINDS and (
                    pool.dimension is not Dimension.TOOL or (stream.feature == "tool" and stream.key == pool.value)
                )
                joins.append(places.setdefault(stream, len(places)) if wanted else -1)
        counts = np.bincount(np.array(joins)[np.array(joins) >= 0], minlength=len(places))
        kept = [stream for stream, place in places.items() if counts[place] >= MIN_MEMBERS]
        self.streams = tuple(sorted(kept, key=lambda s: (s.feature, s.kind.value, s.key)))
        new_place = {places[stream]: place for place, stream in enumerate(self.streams)}
        self.joins: Ints = np.array([new_place.get(join, -1) for join in joins], dtype=np.int64)
        # Errors of members' estimates are independent, so that of their sum is 1/√(all runs), where each member's own
        # is 1/√(its runs). With the edge of each its own, edges would add up to more than there is to find.
        runs = np.repeat([float(member.runs) for member in pool.members], [len(m.streams) for m in pool.members])
        joined = self.joins >= 0
        together = np.bincount(self.joins[joined], runs[joined], minlength=len(self.streams))
        self.null.error_scale[joined] = np.sqrt(runs[joined] / together[self.joins[joined]])
        self.features = tuple(dict.fromkeys(stream.feature for stream in self.streams))
        self.group: Ints = np.array([self.features.index(s.feature) for s in self.streams], dtype=np.int64)
        self.group_size = np.bincount(self.group, minlength=len(self.features))
        self.log_r = np.full((BETS, len(self.streams)), -np.inf)
        self.recent = sudden.nothing(len(self.layout.sudden_streams))
        """Of the members' streams."""
        self.alarmed = np.zeros(len(self.features), dtype=np.bool_)
        self.since = np.full(len(self.features), _NEVER, dtype=np.int64)
        self.threshold = config.hours_between_false_alarms * len(self.features)
        self.paid: list[tuple[int, Floats, Bools]] = []
        """By hour: what bets paid, and which streams had runs."""

    def advance(self, hour: int, last_hour: int | None, cells: Mapping[Subject, Cells]) -> None:
        """Add the evidence of one hour."""
        if last_hour is not None:
            self.recent = sudden.moved_on(self.recent, last_hour, hour)
        given = [
            (place, cells[member.subject].between(hour, hour + 1))
            for place, member in enumerate(self.pool.members)
            if member.subject in cells
        ]
        only = None if self.pool.dimension is Dimension.TOOL else (self.pool.dimension.value, self.pool.value)
        rows = self.layout.rows(given, only)
        count = len(self.streams)
        paid, active = np.zeros((BETS, count)), np.zeros(count, dtype=np.bool_)
        if len(rows.n) and count:
            expected = self.null.expect(rows, np.zeros_like(rows.hour), np.array([hour]))
            paid = self._joined(log_bets(self.null, expected)[:, 0, : self.layout.stream_count], self.joins)
            active = self._joined(expected.runs, self.joins)[0] > 0
            self.recent[0] = sudden.paid(self.null, expected)[0]
        self.log_r = grown(self.log_r, paid, active)
        self.paid.append((hour, paid, active))
        has_runs = np.bincount(self.group, active, minlength=len(self.features)) > 0
        self.since[has_runs & (self.since == _NEVER)] = hour

    def evidence(self) -> Floats:
        """Return R by bet and stream of the pool, so weighted that those of a stream add up to one."""
        joins = self.joins[self.layout.sudden_streams]
        began = self._joined(sudden.had_runs(self.recent), joins) > 0
        r = np.zeros((len(SUDDEN), len(self.streams)))
        for mine, some in zip(sudden.log_bets(self.recent), began, strict=True):
            r += np.where(some, np.exp(np.minimum(self._joined(mine, joins), sudden.MOST)), 0)
        return np.concatenate([np.exp(self.log_r) / (2 * BETS), SUDDEN_WEIGHT[:, None] * r / 2])

    def won_since(self, hour: int, stream: int) -> Floats:
        """Return the logarithms of what bets on a stream of the pool paid from an hour on."""
        paid = [np.zeros(BETS), *(paid[:, stream] for at, paid, _ in self.paid if at >= hour)]
        return np.asarray(np.sum(paid, axis=0))

    def _joined(self, paid: Floats | sudden.Paid | Bools, joins: Ints) -> Floats:
        """Add up what bets (rows) paid on streams of members, by stream of the pool."""
        joined = joins >= 0
        sums = [np.bincount(joins[joined], one[joined], minlength=len(self.streams)) for one in paid]
        return np.stack(sums).astype(np.float64, copy=False)


def _since(watched: _Watched, stream: int, leaning: Bools) -> ChangeTime:
    hours, paid, active = zip(*watched.paid, strict=True)
    log_e = np.stack([one[leaning, stream] for one in paid], axis=1)
    return change_time(np.array(hours), since_each_hour(log_e), np.array([one[stream] for one in active]))


class PooledMonitor:
    """Watches pools of one dimension, some weeks: it remembers each hour.

    A feature of a pool alarms once, until :meth:`rearm`.
    """

    def __init__(self, pools: Iterable[Pool], config: DetectionConfig = DEFAULT) -> None:
        """Begin with no evidence."""
        self._config = config
        self._watched = [_Watched(pool, config) for pool in pools]
        self._last_hour: int | None = None

    @property
    def last_hour(self) -> int | None:
        """The last hour that was added; None before the first."""
        return self._last_hour

    def pool(self, environment: str, value: str) -> Pool | None:
        """Return the pool of the agents of an environment that share ``value``; None if there is none."""
        return next((watched.pool for watched in self._of(environment, value)), None)

    def rearm(self, environment: str, value: str, feature: str) -> None:
        """Forget the evidence of a feature of a pool, so that it may alarm again; unknown ones are passed over."""
        for watched in self._of(environment, value):
            groups = np.array([one == feature for one in watched.features])
            watched.alarmed[groups] = False
            watched.since[groups] = _NEVER
            watched.log_r[:, groups[watched.group]] = -np.inf
            joins = watched.joins[watched.layout.sudden_streams]
            watched.recent[:, :, (joins >= 0) & groups[watched.group][joins]] = 0

    def _of(self, environment: str, value: str) -> list[_Watched]:
        return [
            watched
            for watched in self._watched
            if (watched.pool.members[0].subject.environment, watched.pool.value) == (environment, value)
        ]

    def advance(self, hour: int, cells: Mapping[Subject, Cells]) -> list[PoolAlarm]:
        """Add the evidence of one hour, and return the features of pools that leave their baselines with it.

        The same rules as for :meth:`FleetMonitor.advance` hold.

        Raises:
            HourOutOfOrder: if the hour comes before the last one.
        """
        if self._last_hour is not None and hour <= self._last_hour:
            if hour == self._last_hour:
                return []
            raise HourOutOfOrder(hour, self._last_hour)
        last_hour, self._last_hour = self._last_hour, hour
        for watched in self._watched:
            watched.advance(hour, last_hour, cells)
        return [alarm for watched in self._watched for alarm in self._alarms(watched, hour)]

    def _alarms(self, watched: _Watched, hour: int) -> list[PoolAlarm]:
        evidence = watched.evidence()
        of_stream = evidence.sum(axis=0)
        of_group = np.bincount(watched.group, of_stream, minlength=len(watched.features)) / watched.group_size
        alarms = []
        for group in np.flatnonzero((of_group >= watched.threshold) & ~watched.alarmed):
            mine = np.flatnonzero(watched.group == group)
            leading = int(mine[np.argmax(of_stream[mine])])
            is_up = bool(2 * evidence[UPWARDS, leading].sum() >= evidence[:, leading].sum())
            since = _since(watched, leading, (ORDINARY > 0) if is_up else (ORDINARY < 0))
            others_moved = self._others_moved(watched, leading, is_up, since, hour)
            if others_moved is None:
                continue
            watched.alarmed[group] = True
            stream, first = watched.streams[leading], watched.pool.members[0].subject
            alarms.append(
                PoolAlarm(
                    watched.pool.dimension,
                    watched.pool.value,
                    first.project,
                    first.environment,
                    stream.feature,
                    stream,
                    Direction.UP if is_up else Direction.DOWN,
                    hour,
                    int(watched.since[group]),
                    since,
                    float(of_group[group]),
                    watched.threshold,
                    self._config.hours_between_false_alarms,
                    tuple(member.subject.agent for member in watched.pool.members),
                    others_moved,
                )
            )
        return alarms

    def _others_moved(self, watched: _Watched, leading: int, is_up: bool, since: ChangeTime, hour: int) -> bool | None:
        """Say whether other pools of the project and environment moved the same way; None if they can not tell yet.

        One that has moved has evidence of it: R is t in expectation after t hours if nothing moved, so it is 20·t or
        more once in 20 times. That none has is told by the bet that won most since the shift began here: if all of them
        together have lost by it, and none has won, they did not move by as much.
        """
        stream, place = watched.streams[leading], watched.pool.members[0].subject[:2]
        others = [
            (other, other.streams.index(stream))
            for other in self._watched
            if other is not watched and other.pool.members[0].subject[:2] == place and stream in other.streams
        ]
        leaning = UPWARDS if is_up else ~UPWARDS
        for other, at in others:
            hours = hour + 1 - int(other.since[other.group[at]])
            if 2 * other.evidence()[leaning, at].sum() >= _DOUBT * hours:
                return True
        won = np.where((ORDINARY > 0) == is_up, watched.won_since(since.hour, leading), -np.inf)
        theirs = [float(other.won_since(since.hour, at)[np.argmax(won)]) for other, at in others]
        may_have = max(theirs, default=0.0) >= _SUSPECT
        if not others or (sum(theirs) <= _ACQUITTED and not may_have):
            return False
        return may_have if hour - since.hour >= _LONGEST_DOUBT_HOURS else None
