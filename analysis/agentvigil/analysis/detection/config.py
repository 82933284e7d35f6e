"""How the drift detector is tuned. Every number of it stands here, with its reason."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final


class Hours(IntEnum):
    """Presets of A: hours of data that one agent runs, on average, between two false alarms (at least)."""

    EAGER = 720
    STANDARD = 7_200
    CALM = 72_000


HOURS_PER_DAY: Final = 24
DAYS_PER_WEEK: Final = 7
SEASONS: Final = 2 * HOURS_PER_DAY
"""Hour of the day, on working days and on weekends."""

TILTS: Final = (0.1, 0.2, 0.4, 0.8, 1.6)
"""How far bets lean, in log odds or standard deviations, each way. A factor of two between neighbours: the best tilt
for an effect is never more than a factor of 1.4 away, which costs at most a ninth of the growth rate."""
NEW_KEY_TILTS: Final = (0.4, 0.8, 1.6, 2.4, 3.2, 4.0, 4.8, 5.6)
"""For what was never seen, which can only rise, and from nearly nothing to a percent is 4 in log odds."""

SUDDEN_TILTS: Final = TILTS[1:4]
"""Those of bets on sudden shifts: what a day can show, and what strong bets without an end have not found before."""
SUDDEN_WEIGHTS: Final = (0.5, 0.3, 0.2)
"""What each of them weighs: what moves, moves by little more often than by much."""
SUDDEN_HOURS: Final = 24
"""How many of the last hours each have bets of their own that begin then."""
SUDDEN_BLOCK_HOURS: Final = 6
"""Before those, bets begin once in so many hours, counted from 1970."""
SUDDEN_BLOCKS: Final = 12
"""How many of these blocks are kept, so that bets look back four days. What agents of some hundred runs a day show in
four days, bets without an end find a quarter later; looking back six days found no more."""
SUDDEN_WANDER: Final = 0.47
"""What part of the wander that a baseline's days are given bets on sudden shifts allow for: that of one day, without
all of what it was raised by for its memory and for its error, since such a bet can not win more than a level that far
off."""

MEMORY: Final = 2.8
"""By how much wander adds more to the variance of sums over many days than if each day wandered for itself: half of it
forgets itself in two days. It can not be measured in a baseline of two weeks, whose mean takes it away."""

QUANTILES: Final = (0.10, 0.25, 0.50, 0.75, 0.90, 0.95, 0.99)
"""Of the baseline: where the thresholds of a feature with values lie."""
CLIPPED: Final = (0.01, 0.99)
"""Quantiles of the baseline at which logarithms of values are clipped, so that no single run decides."""


@dataclass(frozen=True, slots=True)
class DetectionConfig:
    """What may be chosen; the defaults are what the published figures were measured with."""

    hours_between_false_alarms: float = float(Hours.STANDARD)
    min_days: float = 14
    """Two weekends, below which a week's season can not be told from a change."""
    trailing_days: float = 28
    min_runs: int = 200
    """Of a subject, and of each feature: with fewer, the interval of a share of 10 % is wider than 4 points."""
    min_key_runs: int = 5
    """Runs that a key needs for a stream of its own; rarer ones are watched together."""
    max_keys: int = 16
    """Streams of one feature by key, the commonest: evidence is averaged over streams, so each one dilutes it."""
    max_classes: int = 24
    """Input classes with numbers of their own, the commonest; all rarer ones are one class together. With half as many,
    ten of twelve agents of 60 classes whose mix was drawn anew had false alarms, with so many one."""
    min_class_runs: int = 5
    """Runs that an input class needs for that, and the next."""
    min_class_share: float = 0.005
    """Rarer ones are names of users rather than kinds of inputs: to know each from a few runs is to know none."""
    margin_log_odds: float = 0.05
    """A change too small to matter: 1 point at 30 %."""
    margin_sd: float = 0.03
    prior_days: float = 12
    """How many days of its own an agent's dispersion needs to weigh as much as the fleet's."""
    dispersion_factor: float = 1.15
    """For what a baseline does not tell of the dispersion: its own relative error, a quarter in 28 days, shrunk to the
    fleet's. In 100 harsh agent-months there were 6 false alarms with 1.0 and 3 with 1.15, and hardly less was found."""
    max_class_prior_runs: float = 200
    """The most runs that the share over all classes counts for in the share of one."""
