"""The user's own prices: what one may say, in a file or on the command line, and what it means.

A price is said for a provider and a model, in USD for a million tokens. ``*`` stands for any text in a model's name,
and alone for any provider. It may start on a day, be for one service tier, or for large calls only.
"""

import csv
import io
import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from genai_prices.types import ModelPrice, Tier, TieredPrices

from agentvigil.storage.prices.errors import OverrideInvalid
from agentvigil.storage.prices.schedules import SERVICE_TIERS, Period

PRICE_FIELDS: Final = {
    "input": "input_mtok",
    "output": "output_mtok",
    "cache_read": "cache_read_mtok",
    "cache_write": "cache_write_mtok",
    "input_audio": "input_audio_mtok",
    "output_audio": "output_audio_mtok",
    "cache_read_audio": "cache_audio_read_mtok",
    "reasoning": "output_reasoning_mtok",
    "requests": "requests_kcount",
}
"""Our names of prices, and genai-prices'. All are for a million tokens but ``requests``, which is for a thousand."""

_WHOLES: Final = {
    "cache_read_mtok": ("input_mtok",),
    "cache_write_mtok": ("input_mtok",),
    "input_audio_mtok": ("input_mtok",),
    "cache_audio_read_mtok": ("cache_read_mtok", "input_audio_mtok"),
    "output_audio_mtok": ("output_mtok",),
    "output_reasoning_mtok": ("output_mtok",),
}
_FIELDS: Final = ("provider", "model", "service_tier", "since", "input_from", *PRICE_FIELDS)
_OUR_NAMES: Final = {theirs: ours for ours, theirs in PRICE_FIELDS.items()}
_LONGEST_NAME: Final = 256
_HIGHEST_PRICE: Final = 10**9
_MOST_DECIMALS: Final = 18


@dataclass(frozen=True, slots=True)
class Override:
    """A user's own price: ``prices`` by the names of genai-prices, in USD for a million tokens or a thousand requests.

    ``service_tier`` is one of ``SERVICE_TIERS``, or '' for every tier that has no price of its own; ``since`` the first
    day in UTC, None if it was always so; ``input_from`` the least number of input tokens of a call that it is for.

    Raises:
        OverrideInvalid: if it can not be.
    """

    provider: str
    model: str
    prices: Mapping[str, Decimal] = field(default_factory=dict)
    service_tier: str = ""
    since: date | None = None
    input_from: int = 0

    def __post_init__(self) -> None:
        for name in ("provider", "model"):
            text = getattr(self, name).strip().lower()
            object.__setattr__(self, name, text)
            if not text or len(text) > _LONGEST_NAME or not text.isprintable():
                raise OverrideInvalid(
                    f"a {name} is a name of 1 to {_LONGEST_NAME} printable characters, not {text[:80]!r}"
                )
        if "*" in self.provider and self.provider != "*":
            raise OverrideInvalid(f"a provider is a name, or * alone for any, not {self.provider!r}")
        if self.service_tier not in ("", *SERVICE_TIERS):
            raise OverrideInvalid(
                f"{self}: a service tier is one of {', '.join(SERVICE_TIERS)}, not {self.service_tier!r}"
            )
        if self.since is not None and ("*" in self.model or self.provider == "*"):
            raise OverrideInvalid(f"{self}: a price for any name can not start on a day; leave `since` away")
        if not 0 <= self.input_from < 2**63:
            raise OverrideInvalid(f"{self}: `input_from` is a number of tokens, not {self.input_from}")
        self._check_prices()

    def _check_prices(self) -> None:
        for name, price in self.prices.items():
            ours = _OUR_NAMES.get(name, name)
            if name not in _OUR_NAMES:
                raise OverrideInvalid(f"{self}: there is no price {name!r}; prices are {', '.join(PRICE_FIELDS)}")
            if not price.is_finite() or not 0 <= price < _HIGHEST_PRICE:
                raise OverrideInvalid(f"{self}: a price is 0 or more USD, `{ours}` is {price}")
            if -int(price.as_tuple().exponent) > _MOST_DECIMALS:
                raise OverrideInvalid(f"{self}: a price has up to {_MOST_DECIMALS} decimals, `{ours}` is {price}")
            missing = [whole for whole in _WHOLES.get(name, ()) if whole not in self.prices]
            if missing:
                raise OverrideInvalid(
                    f"{self}: `{ours}` is a part of `{_OUR_NAMES[missing[0]]}`, which needs a price then too"
                )

    def __str__(self) -> str:
        details = [self.service_tier, f"since {self.since}" if self.since else ""]
        details += [f"from {self.input_from} input tokens" if self.input_from else ""]
        return " ".join([f"{self.provider} {self.model}", *filter(None, details)])

    @property
    def key(self) -> tuple[str, str, str, date | None, int]:
        """What it is a price for: an override replaces the one of the same key."""
        return self.provider, self.model, self.service_tier, self.since, self.input_from

    @property
    def is_pattern(self) -> bool:
        return "*" in self.model or self.provider == "*"


def parse_file(name: str, content: bytes) -> list[Override]:
    """Return the overrides in a file: ``.json`` (a list of objects), ``.toml`` (tables ``[[prices]]``) or ``.csv``.

    Raises:
        OverrideInvalid: if it can not be read or something in it can not be; nothing is taken then.
    """
    read = _READERS.get(name.rpartition(".")[2])
    if read is None:
        raise OverrideInvalid(f"{name}: prices come from a file named .json, .toml or .csv")
    try:
        entries = read(content.decode("utf-8-sig"))
    except (ValueError, csv.Error) as exc:
        raise OverrideInvalid(f"{name} can not be read: {exc}") from exc
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise OverrideInvalid(f"{name} holds no list of prices; see docs/prices.md for its format")
    overrides = []
    for number, entry in enumerate(entries, start=1):
        try:
            overrides.append(parse_entry(entry))
        except OverrideInvalid as exc:
            raise OverrideInvalid(f"{name}, price {number}: {exc}") from exc
    return overrides


def _read_json(text: str) -> object:
    found = json.loads(text, parse_float=Decimal)
    return found.get("prices") if isinstance(found, dict) else found


def _read_toml(text: str) -> object:
    return tomllib.loads(text, parse_float=Decimal).get("prices")


def _read_csv(text: str) -> object:
    return list(csv.DictReader(io.StringIO(text)))


_READERS: Final = {"json": _read_json, "toml": _read_toml, "csv": _read_csv}


def parse_entry(entry: Mapping[str, Any]) -> Override:
    """Return the override that ``entry`` says: its fields by name, empty ones and None are not said.

    Raises:
        OverrideInvalid: if it can not be.
    """
    said = {str(name): value for name, value in entry.items() if value is not None and value != ""}
    if unknown := sorted(said.keys() - set(_FIELDS)):
        raise OverrideInvalid(f"there is no field {unknown[0]!r}; fields are {', '.join(_FIELDS)}")
    prices = {theirs: _price(ours, said[ours]) for ours, theirs in PRICE_FIELDS.items() if ours in said}
    if not prices:
        raise OverrideInvalid(f"there is no price in it; prices are {', '.join(PRICE_FIELDS)}")
    return Override(prices=prices, **parse_key(said))


def parse_key(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ``entry`` says that a price is for, as arguments of :class:`Override`.

    Raises:
        OverrideInvalid: if it can not be.
    """
    for name in ("provider", "model", "service_tier"):
        if not isinstance(entry.get(name, ""), str):
            raise OverrideInvalid(f"`{name}` is a text, not {entry[name]!r}")
    return {
        "provider": entry.get("provider", ""),
        "model": entry.get("model", ""),
        "service_tier": entry.get("service_tier", ""),
        "since": _day(entry.get("since")),
        "input_from": _tokens(entry.get("input_from", 0)),
    }


def _day(value: object) -> date | None:
    if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError as exc:
        raise OverrideInvalid(f"`since` is a day like 2026-01-31, not {str(value)[:80]!r}") from exc


def _tokens(value: object) -> int:
    try:
        return int(str(value))
    except ValueError as exc:
        raise OverrideInvalid(f"`input_from` is a number of tokens, not {str(value)[:80]!r}") from exc


def as_entry(override: Override) -> dict[str, Any]:
    """Return ``override`` as :func:`parse_entry` takes it, its prices as text."""
    entry: dict[str, Any] = {"provider": override.provider, "model": override.model}
    entry |= {"service_tier": override.service_tier} if override.service_tier else {}
    entry |= {"since": override.since.isoformat()} if override.since else {}
    entry |= {"input_from": override.input_from} if override.input_from else {}
    return entry | {_OUR_NAMES[name]: f"{price.normalize():f}" for name, price in override.prices.items()}


def periods_of(overrides: Sequence[Override], package: Mapping[str, Sequence[Period]]) -> list[list[Period]]:
    """Return the periods of one name that has ``overrides``, for the standard tier and each of ``SERVICE_TIERS``.

    ``package`` has genai-prices' periods for the name by service tier, none if it has no price: they hold until the
    first day of an override, and where only other tiers are overridden.

    Raises:
        OverrideInvalid: if there is a price for large calls only.
    """
    standard = _tier_periods([o for o in overrides if not o.service_tier], package.get("", ()))
    by_tier = [standard or list(package.get("", ()))]
    for tier in SERVICE_TIERS:
        own = _tier_periods([o for o in overrides if o.service_tier == tier], package.get(tier, ()))
        by_tier.append(own or standard or list(package.get(tier, ())))
    return by_tier


def _tier_periods(overrides: Sequence[Override], package: Sequence[Period]) -> list[Period]:
    days = sorted({override.since for override in overrides}, key=lambda day: day or date.min)
    if not days:
        return []
    first = days[0]
    earlier = [p for p in package if first is not None and (p.since is None or p.since < first)]
    found = [replace(p, until=first if p.until is None else min(p.until, first)) for p in earlier if first is not None]
    for since, until in zip(days, [*days[1:], None], strict=True):
        prices = _model_price([override for override in overrides if override.since == since])
        found.append(Period(overrides[0].service_tier, since, until, 0, 86400, prices))
    return found


def _model_price(overrides: Iterable[Override]) -> ModelPrice:
    smallest, *larger = sorted(overrides, key=lambda override: override.input_from)
    if smallest.input_from:
        raise OverrideInvalid(f"{smallest}: set the price for smaller calls too, without `input_from`")
    prices: dict[str, Decimal | TieredPrices] = dict(_complete(smallest.prices))
    for name, base in _complete(smallest.prices).items():
        tiers = [
            Tier(start=override.input_from - 1, price=_complete({**smallest.prices, **override.prices})[name])
            for override in larger
        ]
        if tiers:
            prices[name] = TieredPrices(base=base, tiers=tiers)
    for override in larger:
        if more := sorted(override.prices.keys() - smallest.prices.keys()):
            raise OverrideInvalid(f"{override}: set `{_OUR_NAMES[more[0]]}` for smaller calls too")
    return ModelPrice(**prices)


def _complete(prices: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Return ``prices``, and where cached input and audio have one, cached audio costs like the former."""
    if "cache_read_mtok" in prices and "input_audio_mtok" in prices:
        return {"cache_audio_read_mtok": prices["cache_read_mtok"], **prices}
    return dict(prices)


def _price(name: str, value: object) -> Decimal:
    try:
        return Decimal(str(value).strip())
    except InvalidOperation as exc:
        raise OverrideInvalid(f"`{name}` is a price in USD, not {str(value)[:80]!r}") from exc
