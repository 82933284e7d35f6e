"""Turns the prices of a model into rates per token: what ClickHouse multiplies with a call's counts.

genai-prices prices the parts of a count apart where a price for them is known (of the input: what was read from or
written to a cache, and audio), and the rest by the price of the whole. Written out, that is a sum over counts, each
times a constant: a part's constant is its price less the price that the whole has counted for it already. So a cost
is one scalar product, whatever is priced.

Source: https://github.com/pydantic/genai-prices/blob/main/packages/python/genai_prices/decompose.py
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import cached_property
from typing import Final

from genai_prices.types import ModelInfo, ModelPrice, StartDateConstraint, TieredPrices, TimeOfDateConstraint

from agentvigil.storage.prices.errors import PackageUnknown

SERVICE_TIERS: Final[Mapping[str, Mapping[str, str]]] = {
    "batch": {"processing": "batch"},
    "default": {"service_tier": "default"},
    "fast": {"service_tier": "fast", "speed": "fast"},
    "flex": {"service_tier": "flex"},
    "priority": {"service_tier": "priority"},
}
"""What our ``ServiceTier`` is in the package's terms; any other tier has the standard price."""

_TERMS: Final[Mapping[str, Mapping[str, int]]] = {
    "Requests": {"requests_kcount": 1},
    "Input": {"input_mtok": 1},
    "CacheRead": {"cache_read_mtok": 1, "input_mtok": -1},
    "CacheWrite": {"cache_write_mtok": 1, "input_mtok": -1},
    "InputAudio": {"input_audio_mtok": 1, "input_mtok": -1},
    "CacheReadAudio": {"cache_audio_read_mtok": 1, "cache_read_mtok": -1, "input_audio_mtok": -1, "input_mtok": 1},
    "Output": {"output_mtok": 1},
    "OutputAudio": {"output_audio_mtok": 1, "output_mtok": -1},
    "Reasoning": {"output_reasoning_mtok": 1, "output_mtok": -1},
}
"""Of which prices the rate of a count is the sum, if its own price, the first, is known."""

COUNTS: Final = tuple(_TERMS)
"""The counts that a call's cost is made of, in the order of the rates."""

TOKEN_PRICES: Final = tuple(next(iter(terms)) for terms in _TERMS.values())
"""The prices that list cost is made of, by the names of genai-prices, in the order of ``COUNTS``."""
_EVER: Final = (-(2**63), 2**63 - 1)
_SLOT_S: Final = 1800
_SLOTS: Final = 86400 // _SLOT_S

_BY_TIME_OF_DAY: Final = 1 << 3
_SLOT_SHIFT: Final = 4
_VARIANT_BITS: Final = 10
"""The lowest bits of a schedule's number are 0 but for one flag. ClickHouse adds to it the number of the service tier
(3 bits) and, if the flag says that prices differ by the time of day, the half hour of the day (6 bits)."""


class UnknownPrice(PackageUnknown):
    """genai-prices has a price that can not be told to ClickHouse; the message says which."""


@dataclass(frozen=True)
class RateTable:
    """Rates by the size of a call: pairs of the least number of input tokens, ascending from 0, and the rates in USD,
    one for each count of ``COUNTS``."""

    levels: tuple[tuple[int, tuple[float, ...]], ...]

    @cached_property
    def id(self) -> int:
        """A number made of the content, so that equal tables are one."""
        return _number(repr(self.levels)) or 1


@dataclass(frozen=True, slots=True)
class Span:
    """What of a schedule holds from second ``since`` to second ``until`` (both included, since 1970 in UTC).

    ``variant`` is the service tier and half hour of the day that it is for.
    """

    variant: int
    since: int
    until: int
    rates: RateTable


@dataclass(frozen=True)
class Schedule:
    """All rates of a model, now and earlier."""

    spans: tuple[Span, ...]
    by_time_of_day: bool = False

    @cached_property
    def id(self) -> int:
        """A number made of the content, so that equal schedules are one; 0 if there are no rates."""
        if not self.spans:
            return 0
        content = [(span.variant, span.since, span.until, span.rates.id) for span in self.spans]
        number = (_number(repr(content)) >> _VARIANT_BITS << _VARIANT_BITS) or 1 << _VARIANT_BITS
        return number | (_BY_TIME_OF_DAY if self.by_time_of_day else 0)


def _number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")


@dataclass(frozen=True, slots=True)
class Period:
    """The prices of one service tier (as in ``SERVICE_TIERS``, '' for the standard one) that hold together.

    ``since`` is their first day, None if they held always; ``until`` the first day after them, None if they hold still.
    They hold from ``day_from`` to ``day_until`` of every day, in seconds of the day in UTC.
    """

    service_tier: str
    since: date | None
    until: date | None
    day_from: int
    day_until: int
    prices: ModelPrice


def schedule_of(model: ModelInfo, *, with_tiers: bool = True) -> Schedule:
    """Return the schedule of ``model``; ``with_tiers`` as in :func:`periods_by_tier`.

    Raises:
        UnknownPrice: if its prices change at a time of the day that is no half or full hour in UTC.
    """
    return schedule_from(list(periods_by_tier(model, with_tiers=with_tiers).values()))


def periods_by_tier(model: ModelInfo, *, with_tiers: bool = True) -> dict[str, list[Period]]:
    """Return all periods of ``model`` for the standard tier, '', and each of ``SERVICE_TIERS``.

    ``with_tiers`` is False for a provider that offers another's model: the package has no tiers there.
    """
    standard = list(_periods(model, ""))
    return {"": standard} | {
        tier: list(_periods(model, tier)) if with_tiers and model.price_variants else standard for tier in SERVICE_TIERS
    }


def schedule_from(by_tier: Sequence[Sequence[Period]]) -> Schedule:
    """Return the schedule of a model that has these periods, for the standard tier and each of ``SERVICE_TIERS``.

    Raises:
        UnknownPrice: if prices change at a time of the day that is no half or full hour in UTC.
    """
    times = {time for tier in by_tier for period in tier for time in (period.day_from, period.day_until)}
    if odd := [time for time in times if time % _SLOT_S]:
        raise UnknownPrice(f"genai-prices has prices that change {min(odd)} seconds after midnight, not at a half hour")
    slots = range(_SLOTS) if len(times) > 2 else (0,)
    spans = []
    for number, tier in enumerate(by_tier):
        tables = [(period, rate_table(period.prices)) for period in tier if is_by_token(period.prices)]
        spans += [
            Span(
                number + (slot << _SLOT_SHIFT),
                _EVER[0] if period.since is None else _second(period.since),
                _EVER[1] if period.until is None else _second(period.until) - 1,
                table,
            )
            for slot in slots
            for period, table in tables
            if period.day_from <= slot * _SLOT_S < period.day_until
        ]
    return Schedule(tuple(spans), by_time_of_day=len(slots) > 1)


def rate_table(prices: ModelPrice) -> RateTable:
    """Return ``prices`` as rates."""
    return RateTable(tuple((start + 1, _rates(known)) for start, known in reversed(levels(prices))))


def differing(by_tier: Mapping[str, Sequence[Period]]) -> Iterator[Period]:
    """Yield the periods of the standard tier, and of the others what differs from it."""
    yield from by_tier[""]
    for tier, own in by_tier.items():
        if tier:
            yield from (p for p in own if not any(_holds_throughout(other, p) for other in by_tier[""]))


def _holds_throughout(one: Period, other: Period) -> bool:
    """Return whether ``one`` has the prices of ``other``, and holds whenever ``other`` does."""
    return (
        one.prices == other.prices
        and (one.since is None or (other.since is not None and one.since <= other.since))
        and (one.until is None or (other.until is not None and other.until <= one.until))
        and one.day_from <= other.day_from
        and other.day_until <= one.day_until
    )


def levels(prices: ModelPrice) -> list[tuple[int, dict[str, Decimal]]]:
    """Return the prices by how many input tokens a call has to have more than, largest first, -1 for any number.

    Prices are in the package's units: USD for a million tokens, or for a thousand requests.
    """
    known = {name: value for name, value in vars(prices).items() if value is not None}
    starts = {tier.start for value in known.values() if isinstance(value, TieredPrices) for tier in value.tiers}
    return [
        (start, {name: _at(value, start) for name, value in known.items()}) for start in sorted({-1, *starts})[::-1]
    ]


def is_by_token(prices: ModelPrice) -> bool:
    """Return whether a call's tokens say what it costs. Prices by the hour or the page alone do not; no prices do."""
    known = {name for name, value in vars(prices).items() if value is not None}
    return not known or not known.isdisjoint(TOKEN_PRICES)


def _at(price: Decimal | TieredPrices, start: int) -> Decimal:
    if not isinstance(price, TieredPrices):
        return price
    return next((tier.price for tier in reversed(price.tiers) if tier.start <= start), price.base)


def _rates(prices: Mapping[str, Decimal]) -> tuple[float, ...]:
    return tuple(
        float(sum((prices.get(name, Decimal(0)) * sign for name, sign in terms.items()), Decimal(0)) / _per(count))
        if next(iter(terms)) in prices
        else 0.0
        for count, terms in _TERMS.items()
    )


def _per(count: str) -> int:
    return 1000 if count == "Requests" else 1_000_000


def _periods(model: ModelInfo, tier: str) -> Iterator[Period]:
    constraints = _constraints(model)
    days: list[date | None] = [None, *sorted({c.start_date for c in constraints if isinstance(c, StartDateConstraint)})]
    times = sorted(
        {0, *(_second_of_day(t) for c in constraints if isinstance(c, TimeOfDateConstraint) for t in _ends(c))}
    )
    found: list[Period] = []
    for since, until in zip(days, [*days[1:], None], strict=True):
        day = since or (date.fromordinal(until.toordinal() - 1) if until else date(1970, 1, 1))
        of_day: list[Period] = []
        for day_from, day_until in zip(times, [*times[1:], 86400], strict=True):
            at = datetime.fromtimestamp(_second(day) + day_from, UTC)
            prices = model.get_prices(at, SERVICE_TIERS.get(tier)) if model.prices != [] else ModelPrice()
            if of_day and of_day[-1].prices == prices:
                day_from = of_day.pop().day_from
            of_day.append(Period(tier, since, until, day_from, day_until, prices))
        if [(p.day_from, p.prices) for p in found[-len(of_day) :]] == [(p.day_from, p.prices) for p in of_day]:
            since = found[-1].since
            del found[-len(of_day) :]
        found += [Period(tier, since, until, p.day_from, p.day_until, p.prices) for p in of_day]
    yield from found


def _constraints(model: ModelInfo) -> list[StartDateConstraint | TimeOfDateConstraint]:
    prices = [] if isinstance(model.prices, ModelPrice) else model.prices
    return [p.constraint for p in (*prices, *(model.price_variants or ())) if p.constraint is not None]


def _ends(constraint: TimeOfDateConstraint) -> Sequence[time]:
    return constraint.start_time, constraint.end_time


def _second_of_day(at: time) -> int:
    return int(datetime.combine(date(1970, 1, 1), at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()) % 86400


def _second(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
