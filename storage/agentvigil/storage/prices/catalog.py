"""Puts the prices together: genai-prices' snapshot, and the user's own on top.

The package is read as it is installed. Its way of updating itself over the network is not used.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.metadata import version
from itertools import groupby
from typing import Final

from genai_prices.data_snapshot import find_provider_by_id, get_snapshot
from genai_prices.types import ModelInfo, Provider

from agentvigil.storage.prices.errors import OverrideInvalid
from agentvigil.storage.prices.matching import Outcome, Rule, first_match, schedule_outcome
from agentvigil.storage.prices.overrides import Override, periods_of
from agentvigil.storage.prices.schedules import (
    SERVICE_TIERS,
    Period,
    Schedule,
    differing,
    levels,
    periods_by_tier,
    schedule_from,
    schedule_of,
)

PROVIDER_NAMES: Final = {
    "azure.ai.inference": "azure",
    "azure.ai.openai": "azure",
    "fireworks_ai": "fireworks",
    "gcp.gen_ai": "google",
    "together.ai": "together",
    "x_ai": "x-ai",
}
"""Our names of providers which the package does not know, or takes for another's: ``azure.ai.openai`` for OpenAI's."""

USER: Final = "user"
"""The source of the user's own prices."""

_UNKNOWN_PROVIDER: Final = "?"
"""For a provider that was named but is not known; no name at all is '', and leaves it to the model's name."""

_UNPRICED: Final = schedule_outcome(0)


@dataclass(frozen=True, slots=True)
class Listed:
    """A period of a model's prices as it is shown to people; ``source`` is the package and its version, or ``USER``."""

    source: str
    provider: str
    model: str
    period: Period


@dataclass(frozen=True, slots=True)
class Catalog:
    """Everything that ClickHouse needs to price a call, and what people see of it."""

    rules: tuple[Rule, ...]
    schedules: dict[int, Schedule]
    listed: tuple[Listed, ...]


@cache
def package_source() -> str:
    """Return the package and its version as a source of prices, e.g. ``"genai-prices 0.2.3"``."""
    return f"genai-prices {version('genai-prices')}"


def provider_id(name: str) -> str:
    """Return the id under which a provider's prices are listed: the package's if it knows it, else the name."""
    name = name.strip().lower()
    known = PROVIDER_NAMES.get(name)
    found = None if known else find_provider_by_id(get_snapshot().providers, name)
    return known or (found.id if found else name)


def build_catalog(overrides: Sequence[Override] = ()) -> Catalog:
    """Return the catalog of the installed package with ``overrides`` on top.

    Raises:
        PackageUnknown: if the package says something that the engine can not be told.
        OverrideInvalid: if the overrides of one name do not go together.
    """
    package = _package()
    own = sorted(overrides, key=_most_special_first)
    names = {override.provider for override in own} - {"*", *package.provider_ids}
    rules = [Rule(f"^{re.escape(name)}$", _provider_outcome(name)) for name in sorted(names)]
    schedules = dict(package.schedules)
    listed: list[Listed] = []
    for (provider, model), group in groupby(own, key=lambda override: (override.provider, override.model)):
        named = _Named(provider, model, tuple(group))
        schedule = schedule_from(list(named.periods().values()))
        schedules[schedule.id] = schedule
        rules.append(Rule(named.pattern(), schedule_outcome(schedule.id)))
        listed += named.listed()
    # The providers' exact names come before the user's: nobody can make another provider of one of them.
    return Catalog((*package.provider_rules, *rules, *package.rules), schedules, (*listed, *package.listed))


def package_prices(override: Override, today: date) -> list[tuple[int, dict[str, Decimal]]]:
    """Return what the package says for the name of ``override`` on its first day, or ``today`` if it has none.

    Pairs as :func:`~agentvigil.storage.prices.schedules.levels` gives them; none if the package has no price.
    """
    found = _find(override.model, override.provider)
    if found is None:
        return []
    day = override.since or today
    periods = periods_by_tier(found[1], with_tiers=_is_own(*found))[override.service_tier]
    holding = [p for p in periods if (p.since or day) <= day and (p.until is None or day < p.until)]
    return levels(holding[0].prices) if holding else []


@dataclass(frozen=True, slots=True)
class _Named:
    """The overrides of one name, of which there is at least one.

    Raises:
        OverrideInvalid: if they do not go together.
    """

    provider: str
    model: str
    overrides: tuple[Override, ...]

    def __post_init__(self) -> None:
        if self.overrides[0].is_pattern and all(override.service_tier for override in self.overrides):
            raise OverrideInvalid(f"{self.overrides[0]}: set the price without a service tier too")

    def periods(self) -> dict[str, list[Period]]:
        found = None if self.overrides[0].is_pattern else _find(self.model, self.provider)
        package = periods_by_tier(found[1], with_tiers=_is_own(*found)) if found else {}
        return dict(zip(("", *SERVICE_TIERS), periods_of(self.overrides, package), strict=True))

    def pattern(self) -> str:
        provider = "[^\n]*" if self.provider == "*" else re.escape(self.provider)
        claimed = None if self.overrides[0].is_pattern else _find(self.model, None)
        if claimed is not None and claimed[0].id == self.provider:
            # A span that does not say its provider means this one too.
            provider = f"(?:{provider})?"
        return f"^{provider}\n{'.*'.join(map(re.escape, self.model.split('*')))}$"

    def listed(self) -> list[Listed]:
        said = {(override.service_tier, override.since) for override in self.overrides}
        shown = differing(self.periods())
        return [Listed(USER, self.provider, self.model, p) for p in shown if (p.service_tier, p.since) in said]


@dataclass(frozen=True, slots=True)
class _Package:
    """What the installed package says; ``provider_rules`` come first, ``rules`` last."""

    provider_ids: frozenset[str]
    provider_rules: tuple[Rule, ...]
    rules: tuple[Rule, ...]
    schedules: dict[int, Schedule]
    listed: tuple[Listed, ...]


@cache
def _package() -> _Package:
    known = get_snapshot().providers
    reader = _PackageReader(known)
    rules = tuple(reader.rules())
    exact = {**PROVIDER_NAMES, **{provider.id: provider.id for provider in known}}
    return _Package(
        provider_ids=frozenset(provider.id for provider in known),
        provider_rules=tuple(Rule(f"^{re.escape(name)}$", _provider_outcome(its)) for name, its in exact.items()),
        rules=rules,
        schedules=reader.schedules,
        listed=tuple(
            Listed(package_source(), provider.id, model.id, period)
            for provider in known
            for model in provider.models
            for period in differing(periods_by_tier(model))
        ),
    )


class _PackageReader:
    def __init__(self, providers: Sequence[Provider]) -> None:
        self._providers = providers
        self._by_id = {provider.id: provider for provider in providers}
        self._outcomes: dict[tuple[int, bool], Outcome] = {}
        self.schedules: dict[int, Schedule] = {}

    def rules(self) -> Iterator[Rule]:
        named = [(p.provider_match, _provider_outcome(p.id)) for p in self._providers if p.provider_match is not None]
        yield from first_match("^", named)
        yield Rule("^[^\n]+$", _provider_outcome(_UNKNOWN_PROVIDER))
        for provider in self._providers:
            yield from self._models_of(provider, f"^{re.escape(provider.id)}\n")
        # Nobody said who the provider is: the first that claims such names has them, whether it has a price or not.
        claims = [
            (provider.model_match, Outcome(_UNPRICED.values, tuple(self._models_of(provider, "^\n"))))
            for provider in self._providers
            if provider.model_match is not None
        ]
        yield from first_match("^\n", claims, otherwise=_UNPRICED)

    def _models_of(self, provider: Provider, prefix: str) -> Iterator[Rule]:
        models = [(model.match, self._outcome(model, with_tiers=True)) for model in provider.models]
        for other in provider.fallback_model_providers or ():
            if other in self._by_id:
                models += [(model.match, self._outcome(model, with_tiers=False)) for model in self._by_id[other].models]
        return first_match(prefix, models, otherwise=_UNPRICED, dates=True)

    def _outcome(self, model: ModelInfo, *, with_tiers: bool) -> Outcome:
        known = self._outcomes.get((id(model), with_tiers))
        if known is not None:
            return known
        schedule = schedule_of(model, with_tiers=with_tiers)
        outcome = self._outcomes[id(model), with_tiers] = schedule_outcome(schedule.id)
        if schedule.id:
            self.schedules[schedule.id] = schedule
        return outcome


def _find(model: str, provider: str | None) -> tuple[Provider, ModelInfo] | None:
    try:
        return get_snapshot().find_provider_model(model, None, provider, None)
    except LookupError:
        return None


def _most_special_first(override: Override) -> tuple[bool, bool, int, str, str]:
    return override.provider == "*", "*" in override.model, -len(override.model), override.provider, override.model


def _is_own(provider: Provider, model: ModelInfo) -> bool:
    return any(model is own for own in provider.models)


def _provider_outcome(name: str) -> Outcome:
    return Outcome((("Provider", name),))
