"""How often daily looks at the ends of a window are wrong in a month, where counts are Poisson's and nothing happens.

    python benchmarks/detection/mode_chances.py

Two statistics, each by its formula and on arrays of many agents at once, without days that differ: a count since
against a count before (what confident hallucination, skill bloat and cascade rest on), and the two conditions of
context rot. The chance of a look is what the modes have; errors within seven days are one.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from agentvigil.analysis.failure_modes.looking import LOOKS

Floats = NDArray[np.float64]

AGENTS: Final = 5_000
BASELINE_DAYS, DAYS = 14, 104
SPANS: Final = np.array([3, 7, 14, 21, 28])
LEAST: Final = 10
_SAME_DAYS: Final = 7
_ROT_CHANCE, _RATIO_CHANCE = 1 / 500, 1 / 300
_HIGH_PER_RUN, _LOW_PER_RUN = 0.3 * 0.045, 2.0 * 0.04
"""Calls that go wrong, of those with a full and with an empty context."""


def root(since: Floats, before: Floats, duration: float | Floats) -> Floats:
    """Return the signed root of the likelihood ratio of two counts, the one for ``duration`` times as long."""
    expected = (since + before) * duration / (1 + duration)
    other = since + before - expected
    divergence = since * _log(since, expected) + before * _log(before, other)
    return np.asarray(np.sign(since - expected) * np.sqrt(2 * np.maximum(divergence, 0)))


def _log(count: Floats, expected: Floats) -> Floats:
    return np.asarray(np.log(np.where(count > 0, count, 1) / np.where(count > 0, expected, 1)))


def rate(is_wrong: NDArray[np.bool_]) -> float:
    """Return the errors in an agent's month, from (agents, looks)."""
    errors, last = 0, np.full(len(is_wrong), -_SAME_DAYS)
    for day in range(is_wrong.shape[1]):
        new = is_wrong[:, day] & (day - last >= _SAME_DAYS)
        errors += int(new.sum())
        last[new] = day
    return errors / (len(is_wrong) * (DAYS - BASELINE_DAYS) / 30)


def rates(runs_per_day: float) -> tuple[float, float]:
    """Return the errors in a month of a count at 1 in LOOKS, and of the two conditions of context rot."""
    random = np.random.default_rng(round(runs_per_day))
    high, low = (
        np.concatenate(
            [np.zeros((AGENTS, 1)), random.poisson(runs_per_day * share, (AGENTS, DAYS)).cumsum(axis=1)], axis=1
        )
        for share in (_HIGH_PER_RUN, _LOW_PER_RUN)
    )
    part = SPANS / SPANS.sum()
    for_count, for_rot, for_ratio = norm.isf(part / LOOKS), norm.isf(part * _ROT_CHANCE), norm.isf(_RATIO_CHANCE)
    of_count, of_rot = [], []
    for end in range(BASELINE_DAYS + 1, DAYS + 1):
        start = max(0, end - 56)
        count, rot = np.zeros(AGENTS, bool), np.zeros(AGENTS, bool)
        for place, days in enumerate(SPANS):
            if days > end - BASELINE_DAYS:
                continue
            middle = end - days
            bad, before = high[:, end] - high[:, middle], high[:, middle] - high[:, start]
            errors = np.where(bad >= LEAST, root(bad, before, days / (middle - start)), 0)
            count |= errors >= for_count[place]
            others, others_before = low[:, end] - low[:, middle], low[:, middle] - low[:, start]
            rot |= (errors >= for_rot[place]) & (_ratio(bad, before, others, others_before) >= for_ratio)
        of_count.append(count)
        of_rot.append(rot)
    return rate(np.stack(of_count, axis=1)), rate(np.stack(of_rot, axis=1))


def _ratio(bad: Floats, before: Floats, others: Floats, others_before: Floats) -> Floats:
    """Return by how many errors the ratio of full to empty contexts is above what it was, and above 1."""
    usual = _HIGH_PER_RUN / _LOW_PER_RUN
    now, then = (np.log((a + 0.5) / (b + 0.5) / usual) for a, b in ((bad, others), (before, others_before)))
    worth, worth_then = (1 / (1 / (a + 0.5) + 1 / (b + 0.5)) for a, b in ((bad, others), (before, others_before)))
    margin = np.log(1.1)
    beside = root(worth, worth_then, worth / worth_then * np.exp(-(now - then - margin)))
    alone = now - margin
    above = np.sign(alone) * np.sqrt(2 * worth * np.maximum(alone - 1 + np.exp(-alone), 0))
    is_large = now - np.maximum(then, 0) >= np.log(1.5)
    return np.asarray(np.where(is_large, np.minimum(beside, above), 0))


def main() -> None:
    """Print the rates by size of agents."""
    print(f"Errors in an agent's month, {AGENTS * (DAYS - BASELINE_DAYS) // 30:,} months of each:\n")
    print("| runs a day | a count | the two conditions of context rot |\n|---|---|---|")
    for runs_per_day in (30, 60, 120, 240):
        count, rot = rates(runs_per_day)
        print(f"| {runs_per_day} | {count:.4f} | {rot:.4f} |", flush=True)


if __name__ == "__main__":
    main()
