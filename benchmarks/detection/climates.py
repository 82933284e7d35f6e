"""How much an agent's world moves without anything being wrong with the agent."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Climate:
    """What a detector has to live with. Standard deviations, unless they are named otherwise."""

    category_wander: float
    """Of the log-odds of each key, by a slow walk that forgets itself in two days."""
    category_days: float
    """Of the log-odds of each key, anew each day in each input class."""
    category_hours: float
    """Of the log-odds of each key, anew each hour in each input class."""
    value_wander: float
    """Of the mean, as part of the spread of the values, by a slow walk that forgets itself in two days."""
    value_days: float
    value_hours: float
    volume_wander: float
    """Of the logarithm of the runs per hour."""
    mix_wander: float
    """Of the log-odds of the input classes."""
    repeats: float
    """Share of runs that are the same as the run before them: a session that tries again, a batch."""
    bursts_per_hour: float
    burst_size: float
    """How many times as many runs come at most in an hour with a burst; they are less different from each other."""
    outages: float
    """Expected number in 30 days, 3 to 14 hours each, with no runs at all."""
    volume_step: bool
    """Whether the volume becomes threefold, or a third, once and for good."""
    mix_step: bool
    """Whether one input class becomes much more frequent and another much rarer, once and for good."""
    releases: bool
    """Whether half of the agents get a new version, which behaves as the one before."""


CALM: Final = Climate(
    category_wander=0.03,
    category_days=0.03,
    category_hours=0.05,
    value_wander=0.02,
    value_days=0.02,
    value_hours=0.04,
    volume_wander=0.15,
    mix_wander=0.15,
    repeats=0.1,
    bursts_per_hour=0.003,
    burst_size=4,
    outages=0.3,
    volume_step=False,
    mix_step=False,
    releases=True,
)
HARSH: Final = Climate(
    category_wander=0.08,
    category_days=0.08,
    category_hours=0.12,
    value_wander=0.06,
    value_days=0.06,
    value_hours=0.1,
    volume_wander=0.4,
    mix_wander=0.4,
    repeats=0.3,
    bursts_per_hour=0.01,
    burst_size=10,
    outages=2,
    volume_step=True,
    mix_step=True,
    releases=True,
)
