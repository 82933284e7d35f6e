"""What made a run dearer: its cost taken apart into factors, and the shift shared out among them, to the last cent.

With models m, the cost of a run is

    first calls × tries per call × Σ_m share_m × price_m × (p_m plain_m + q_m cached_m + r_m output_m)

where the tokens are those of one call: input that is not read from a cache, input that is, and output. The share that
is read from the cache is a factor of its own. What a token of each kind costs (p, q, r) is not in what is counted, so
it is found by least squares from the hours before: where prices do not change, cost is a sum of tokens times prices
exactly. Hours that do not vary enough, or that are not explained
so, leave it at the usual proportions, 1 : 0.1 : 4. Whatever cost the tokens do
not explain after that is ``price``, so the product is the cost, before as after.

A factor's part is its Shapley value: what the cost rises by when this factor goes from before to after, averaged over
all orders in which the factors could have gone. Parts sum to the shift, no order is preferred, and a factor that did
not change has none (Shorrocks 2013, Journal of Economic Inequality 11, 99-126).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agentvigil.analysis.features.cells import Cells

Vector = NDArray[np.float64]

FACTORS: Final = ("calls", "retries", "model_mix", "input_tokens", "cache_rate", "output_tokens", "price")
USAGE_KEYS: Final = ("calls", "input_tokens", "output_tokens", "cache_read_tokens", "cost_usd", "retries")

_USUAL_PROPORTIONS: Final = np.array([1.0, 0.1, 4.0])
"""Of the prices of input, input from a cache, and output."""
_PULL: Final = 1e-4
"""Towards them, as part of what the hours say together."""
_UNEXPLAINED: Final = 0.01
"""Of the squares of hourly costs. Where prices leave more, costs are not made of tokens alone, or prices changed; what
least squares would make of that is anything, so the usual proportions are taken."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What the models used in some runs."""

    runs: float
    models: tuple[str, ...]
    sums: NDArray[np.float64]
    """(M, 6) in the order of ``USAGE_KEYS``."""

    @property
    def cost_per_run(self) -> float:
        return float(self.sums[:, USAGE_KEYS.index("cost_usd")].sum()) / self.runs if self.runs else 0.0


@dataclass(frozen=True, slots=True)
class Part:
    """How much of the shift one factor carries."""

    factor: str
    usd_per_run: float
    share: float
    """Of the shift; below 0 for what made runs cheaper."""


def usage_of(cells: Cells) -> Usage:
    """Return what was used, over all hours and input classes."""
    rows = cells.of("usage")
    models = np.unique(rows.model)
    sums = np.zeros((len(models), len(USAGE_KEYS)))
    for at, key in enumerate(USAGE_KEYS):
        of_key = rows.where(rows.key == _code(rows, key))
        np.add.at(sums[:, at], np.searchsorted(models, of_key.model), of_key.s)
    runs = float(cells.of("cost").n.sum())
    return Usage(runs, tuple(cells.words[int(model)] for model in models), sums)


def token_prices(cells: Cells) -> Mapping[str, Vector]:
    """Return what a token of input, of input from a cache, and of output costs with each model, in USD."""
    rows = cells.of("usage")
    return {cells.words[int(model)]: _prices(rows.where(rows.model == model)) for model in np.unique(rows.model)}


def shift_shares(before: Usage, after: Usage, prices: Mapping[str, Vector]) -> list[Part]:
    """Return the part of each factor in the shift of the cost of a run, the largest first; none if nothing is known.

    The sum of ``usd_per_run`` is the shift.
    """
    models = sorted({*before.models, *after.models})
    if not before.runs or not after.runs or not models:
        return []
    old, new = _factors(before, after, models, prices)
    shift = after.cost_per_run - before.cost_per_run
    parts = _shapley(old, new)
    # Costs of factors that never went together can be far larger than the shift, and leave more than its last digits.
    largest = max(range(len(parts)), key=lambda at: abs(parts[at]))
    parts[largest] += shift - math.fsum(parts)
    return [
        Part(factor, value, value / shift if shift else 0.0)
        for factor, value in sorted(zip(FACTORS, parts, strict=True), key=lambda part: -abs(part[1]))
    ]


def _shapley(old: Sequence[Vector], new: Sequence[Vector]) -> list[float]:
    count = len(FACTORS)
    costs = [_cost([new[at] if chosen >> at & 1 else old[at] for at in range(count)]) for chosen in range(1 << count)]
    weights = [math.factorial(size) * math.factorial(count - 1 - size) / math.factorial(count) for size in range(count)]
    return [
        sum(
            weights[chosen.bit_count()] * (costs[chosen | 1 << at] - costs[chosen])
            for chosen in range(1 << count)
            if not chosen >> at & 1
        )
        for at in range(count)
    ]


def _cost(factors: Sequence[Vector]) -> float:
    calls, retries, mix, uncached_and_cached, cache_rate, output, price = factors
    # Input comes as what it costs per call if none, and if all of it, is read from a cache.
    plain, cached = uncached_and_cached
    tokens = plain * (1 - cache_rate) + cached * cache_rate + output
    return float(calls[0] * retries[0] * (mix * price * tokens).sum())


def _factors(
    before: Usage, after: Usage, models: Sequence[str], prices: Mapping[str, Vector]
) -> tuple[list[Vector], list[Vector]]:
    sums = [_on(usage, models) for usage in (before, after)]
    has_calls = [side[:, 0] > 0 for side in sums]
    has_tokens = [(side[:, 1] + side[:, 2]) > 0 for side in sums]
    per_model = np.array([prices.get(model, _USUAL_PROPORTIONS) for model in models])
    sides: list[list[Vector]] = []
    for usage, amounts, calling in zip((before, after), sums, has_calls, strict=True):
        calls = amounts[:, 0]
        total = max(float(calls.sum()), 1e-12)
        first = total - min(float(amounts[:, 5].sum()), 0.999 * total)
        per_call = amounts / np.where(calling, calls, 1.0)[:, None]
        sides.append(
            [
                np.array([first / usage.runs]),
                np.array([total / first]),
                calls / total,
                per_call[:, 1],
                np.clip(amounts[:, 3] / np.where(amounts[:, 1] > 0, amounts[:, 1], 1.0), 0.0, 1.0),
                per_call[:, 2],
                per_call[:, 4],
            ]
        )
    old, new = sides
    # A model that only one side calls is as dear in the other as in this: that it came or went is the mix.
    for one, other, calling in ((old, new, has_calls[0]), (new, old, has_calls[1])):
        for at in range(3, len(FACTORS)):
            one[at] = np.where(calling, one[at], other[at])
    # Calls whose tokens are not known on both sides have a price per call.
    known = (has_tokens[0] | ~has_calls[0]) & (has_tokens[1] | ~has_calls[1])
    for side in sides:
        tokens = np.where(known, side[3], 1.0)
        rate = np.where(known, side[4], 0.0)
        spent = per_model[:, 2] * np.where(known, side[5], 0.0)
        plain, cached = per_model[:, 0] * tokens, per_model[:, 1] * tokens
        explained = plain * (1 - rate) + cached * rate + spent
        side[3:] = [
            np.stack([plain, cached]),
            rate,
            spent,
            side[6] / np.where(explained > 0, explained, 1.0),
        ]
        # What costs something and is explained by nothing costs it by the call.
        costs_by_call = (explained <= 0) & (side[6] > 0)
        side[5] = np.where(costs_by_call, 1.0, side[5])
    return old, new


def _on(usage: Usage, models: Sequence[str]) -> NDArray[np.float64]:
    out = np.zeros((len(models), len(USAGE_KEYS)))
    for model, sums in zip(usage.models, usage.sums, strict=True):
        out[models.index(model)] = sums
    # What costs was called, even where nobody counted that.
    out[:, 0] = np.where((out[:, 0] == 0) & (out.sum(axis=1) > 0), 1.0, out[:, 0])
    return out


def _prices(rows: Cells) -> Vector:
    """Return the prices of one model's tokens, by least squares over hours and input classes."""
    place = rows.hour.astype(np.int64) * len(rows.words) + rows.input_class
    places, at = np.unique(place, return_inverse=True)
    columns = {
        key: np.bincount(at, np.where(rows.key == _code(rows, key), rows.s, 0.0), len(places)) for key in USAGE_KEYS
    }
    cached = np.minimum(columns["cache_read_tokens"], columns["input_tokens"])
    tokens = np.stack([columns["input_tokens"] - cached, cached, columns["output_tokens"]], axis=1)
    usual = float(tokens.sum(axis=0) @ _USUAL_PROPORTIONS)
    cost = columns["cost_usd"]
    if usual <= 0 or cost.sum() <= 0:
        return _USUAL_PROPORTIONS
    guess = _USUAL_PROPORTIONS * float(cost.sum()) / usual
    explained = tokens * guess
    # The multiple of each guessed price, pulled towards 1.
    square = explained.T @ explained
    pull = np.eye(3) * _PULL * float(np.trace(square)) / 3
    multiple = np.maximum(1 + np.linalg.solve(square + pull, explained.T @ (cost - explained.sum(axis=1))), 0.0)
    left = float(((cost - explained @ multiple) ** 2).sum() / (cost**2).sum())
    prices: Vector = guess * multiple if left <= _UNEXPLAINED else guess
    return prices


def _code(cells: Cells, key: str) -> int:
    return cells.words.index(key) if key in cells.words else -1
