"""What can be known of a failure mode's fault at all: the power of the best test of two shares that knows the day.

    python benchmarks/detection/mode_bounds.py

The most powerful unbiased test that one share is larger than another is Fisher's, with its chance used up by lot. It is
given the day of the fault, 22 days before and 21 after it, one look, no seasons and no input classes, and the chance of
a false alarm that a mode has in a whole month. Nothing that has to find the day itself can be better with fewer runs.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from climates import CALM
from scipy.stats import hypergeom

DAYS_BEFORE, DAYS_SINCE = 22.5, 21.5
CHANCE: Final = 0.005
"""Of a false alarm of a mode in a month."""
SIZES: Final = (20, 30, 40, 60, 80, 120, 200)
_DRAWS: Final = 20_000


@dataclass(frozen=True)
class Counted:
    """What a fault changes."""

    words: str
    per_run: float
    """Of things that may go wrong."""
    before: float
    since: float


def _of_odds(share: float, ratio: float) -> float:
    return ratio * share / (1 - share + ratio * share)


COUNTED: Final = (
    Counted("skill bloat: runs with a tool error", 1.0, 0.04, 0.09),
    Counted("context rot: calls with a full context that go wrong", 0.3, 0.045, _of_odds(0.045, 3)),
    Counted("confident hallucination: confident answers judged bad", 0.2, 0.06, 0.18),
    Counted("confident hallucination: runs that succeed on nothing", 1.0, 0.01, 0.04),
    Counted("cascade: agents after a failed one that fail", 0.05, 0.1, 0.6),
)


def power(counted: Counted, runs_per_day: float) -> float:
    """Return how often the best test finds it."""
    # A part of the runs repeats the one before, so there are fewer that tell anything.
    telling = counted.per_run * runs_per_day / (1 + CALM.repeats)
    before, since = round(telling * DAYS_BEFORE), round(telling * DAYS_SINCE)
    random = np.random.default_rng(0)
    bad_since = random.binomial(since, counted.since, _DRAWS)
    bad = bad_since + random.binomial(before, counted.before, _DRAWS)
    beyond = hypergeom.sf(bad_since, before + since, bad, since)
    here = hypergeom.pmf(bad_since, before + since, bad, since)
    return float(np.clip((CHANCE - beyond) / np.maximum(here, 1e-300), 0, 1).mean())


def main() -> None:
    """Print the powers by size of agents."""
    print("| runs a day | " + " | ".join(f"{size}" for size in SIZES) + " |\n|---|" + "---|" * len(SIZES))
    for counted in COUNTED:
        print(f"| {counted.words} | " + " | ".join(f"{100 * power(counted, size):.0f} %" for size in SIZES) + " |")


if __name__ == "__main__":
    main()
