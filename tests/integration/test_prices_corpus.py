"""Every model of genai-prices costs in ClickHouse what genai-prices itself says, to the micro-dollar."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from genai_prices import Usage
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import (
    ClauseAnd,
    ClauseOr,
    ClauseRegex,
    MatchLogic,
    ModelInfo,
    ModelPrice,
    Provider,
    StartDateConstraint,
    TieredPrices,
    TimeOfDateConstraint,
)
from priced_store import costs, insert_calls, priced_store

from agentvigil.storage.data_directory import DataDirectory
from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.prices.loading import load_prices
from agentvigil.storage.prices.schedules import SERVICE_TIERS, TOKEN_PRICES, schedule_of

_NOW = datetime(2026, 11, 15, 12, tzinfo=UTC)
_MICRO_DOLLAR = Decimal("0.000001")

_COLUMNS = {
    "InputTokens": "input_tokens",
    "OutputTokens": "output_tokens",
    "CacheReadTokens": "cache_read_tokens",
    "CacheWriteTokens": "cache_write_tokens",
    "ReasoningTokens": "output_reasoning_tokens",
    "InputAudioTokens": "input_audio_tokens",
    "OutputAudioTokens": "output_audio_tokens",
    "CacheReadAudioTokens": "cache_audio_read_tokens",
}
_PLAIN = {"InputTokens": 1234, "OutputTokens": 567}
_CACHED = {"InputTokens": 9876, "OutputTokens": 543, "CacheReadTokens": 4321, "CacheWriteTokens": 1234}
_AUDIO = {
    "InputTokens": 5000,
    "OutputTokens": 900,
    "CacheReadTokens": 2000,
    "InputAudioTokens": 3000,
    "CacheReadAudioTokens": 1000,
    "OutputAudioTokens": 400,
}
_USAGES = (
    _PLAIN,
    _CACHED,
    _AUDIO,
    {"InputTokens": 0, "OutputTokens": 0},
    {"InputTokens": 777, "OutputTokens": 999, "ReasoningTokens": 800},
    {"InputTokens": 900_000_001, "OutputTokens": 90_000_001, "CacheReadTokens": 7},
    {"InputTokens": 3},
    {"OutputTokens": 3},
)


@pytest.fixture(scope="module")
def store(data_directory: DataDirectory, engine: EmbeddedStore) -> Iterator[EmbeddedStore]:
    """A store with the package's prices."""
    with priced_store(data_directory, "test_prices_corpus") as store:
        assert load_prices(store)
        yield store


def test_every_model_costs_what_the_package_says(store: EmbeddedStore) -> None:
    calls, expected = [], []
    for provider, model, name in _models():
        for at, usage, tier in _cases(model):
            calls.append(
                {"Provider": provider.id, "ResponseModel": name, "Timestamp": at, "ServiceTier": tier, **usage}
            )
            expected.append(_package_cost(provider, model, at, usage, tier))
    assert len({(call["Provider"], call["ResponseModel"]) for call in calls}) > 2000

    insert_calls(store, calls)

    wrong = [
        (call, engine, package)
        for call, engine, package in zip(calls, costs(store), expected, strict=True)
        if (engine is None) != (package is None)
        or (engine is not None and package is not None and abs(engine - package) >= _MICRO_DOLLAR)
    ]
    assert wrong == []


@pytest.mark.long
def test_every_name_finds_the_model_that_the_package_finds(store: EmbeddedStore) -> None:
    literals = sorted(set(_literal_names()))
    variants = sorted({variant for name in literals for variant in _variants(name)})
    providers = ["", *(provider.id for provider in get_snapshot().providers)]
    assert len(literals) > 2000
    # Every name with the providers that have the most patterns, and a part of all variants with each provider.
    pairs = [(provider, name) for provider in ("", "openai", "azure", "google") for name in literals]
    pairs += [(p, name) for number, p in enumerate(providers) for name in variants[number % 29 :: 29]]
    query = """
        SELECT groupArray(dictGet('agentvigil_price_names', 'Schedule', concat(pair.1, '\n', lower(pair.2))))
        FROM (SELECT arrayJoin(arrayZip({providers:Array(String)}, {names:Array(String)})) AS pair)
    """
    found = store.rows(query, {"providers": [p for p, _ in pairs], "names": [n for _, n in pairs]})[0][0]
    expected = [_package_schedule(provider, name) for provider, name in pairs]

    assert [(p, e) for p, e, f in zip(pairs, expected, found, strict=True) if e != f] == []


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("openai", "openai"),
        ("anthropic", "anthropic"),
        ("aws.bedrock", "aws"),
        ("azure.ai.openai", "azure"),
        ("azure.ai.inference", "azure"),
        ("gcp.gemini", "google"),
        ("gcp.vertex_ai", "google"),
        ("gcp.gen_ai", "google"),
        ("mistral_ai", "mistral"),
        ("x_ai", "x-ai"),
        ("moonshot_ai", "moonshotai"),
        ("OpenRouter", "openrouter"),
        ("fireworks", "fireworks"),
        ("together", "together"),
        ("", ""),
        ("ibm.watsonx.ai", "?"),
    ],
)
def test_names_of_providers(store: EmbeddedStore, ours: str, theirs: str) -> None:
    query = "SELECT dictGet('agentvigil_price_names', 'Provider', lower({name:String}))"
    assert store.rows(query, {"name": ours}) == [(theirs,)]


def _models() -> Iterator[tuple[Provider, ModelInfo, str]]:
    """Yield every model with its provider and a name by which the package finds it there."""
    for provider in get_snapshot().providers:
        for model in provider.models:
            for name in (model.id, *_literals(model.match)):
                if _find(provider.id, name) == (provider, model):
                    yield provider, model, name
                    break


def _cases(model: ModelInfo) -> Iterator[tuple[datetime, dict[str, int], str]]:
    """Yield times, usages and service tiers for ``model``: around each of its boundaries, of time and of size."""
    yield from ((_NOW, usage, "") for usage in (*_USAGES, *_sizes(model)))
    for at in _times(model):
        yield from ((at, usage, "") for usage in (_PLAIN, _CACHED))
    for tier in (*SERVICE_TIERS, "no such tier") if model.price_variants else ():
        yield from ((at, _CACHED, tier) for at in (_NOW, *_times(model)))


def _times(model: ModelInfo) -> Iterator[datetime]:
    prices = [] if isinstance(model.prices, ModelPrice) else model.prices
    constraints = [part.constraint for part in (*prices, *(model.price_variants or ()))]
    for constraint in constraints:
        if isinstance(constraint, StartDateConstraint):
            start = datetime.combine(constraint.start_date, time(), UTC)
            yield from (start - timedelta(microseconds=1), start)
        elif isinstance(constraint, TimeOfDateConstraint):
            for at in (constraint.start_time, constraint.end_time):
                for day in (date(2025, 3, 1), _NOW.date()):
                    edge = datetime.combine(day, at if at.tzinfo else at.replace(tzinfo=UTC))
                    yield from (edge - timedelta(microseconds=1), edge)


def _sizes(model: ModelInfo) -> Iterator[dict[str, int]]:
    prices = [model.prices] if isinstance(model.prices, ModelPrice) else [part.prices for part in model.prices]
    starts = {
        tier.start
        for price in prices
        for value in vars(price).values()
        if isinstance(value, TieredPrices)
        for tier in value.tiers
    }
    for start in sorted(starts):
        for tokens in (start, start + 1):
            yield {"InputTokens": tokens, "OutputTokens": 1000, "CacheReadTokens": 500, "CacheWriteTokens": 250}


def _package_cost(
    provider: Provider, model: ModelInfo, at: datetime, usage: dict[str, int], tier: str
) -> Decimal | None:
    context = SERVICE_TIERS.get(tier)
    prices = vars(model.get_prices(at, context))
    if prices and not any(prices.get(name) is not None for name in TOKEN_PRICES):
        return None  # by the hour, page or character: its tokens do not say what it costs
    counts: Any = {_COLUMNS[name]: count for name, count in usage.items()}
    return model.calc_price(Usage(**counts), provider, genai_request_timestamp=at, price_context=context).total_price


def _package_schedule(provider: str, name: str) -> int:
    found = _find(provider or None, name)
    if found is None:
        return 0
    own = any(found[1] is model for model in found[0].models)
    key = id(found[1]), own
    if key not in _SCHEDULES:
        _SCHEDULES[key] = schedule_of(found[1], with_tiers=own).id
    return _SCHEDULES[key]


_SCHEDULES: dict[tuple[int, bool], int] = {}


def _find(provider: str | None, name: str) -> tuple[Provider, ModelInfo] | None:
    try:
        return get_snapshot().find_provider_model(name, None, provider, None)
    except LookupError:
        return None


def _literal_names() -> Iterator[str]:
    for provider in get_snapshot().providers:
        for model in provider.models:
            yield model.id
            yield from _literals(model.match)


def _literals(clause: MatchLogic) -> Iterator[str]:
    """Yield the texts in ``clause``, and an example of what its regular expressions match."""
    if isinstance(clause, (ClauseOr, ClauseAnd)):
        for part in clause.or_ if isinstance(clause, ClauseOr) else clause.and_:
            yield from _literals(part)
    elif isinstance(clause, ClauseRegex):
        plain = clause.regex.strip("^$").replace(r"\d{8}", "20250807").replace(r"\d{4}-\d{2}-\d{2}", "2025-08-07")
        yield plain.replace("\\", "")
    else:
        yield next(iter(vars(clause).values()))


def _variants(name: str) -> Iterator[str]:
    yield from (name, name.upper(), f"us.{name}", f"models/{name}", f"openai/{name}", f"{name}x")
    yield from (f"{name}-20250807", f"{name}-2025-08-07", f"{name}-tts", f"{name}-tts-2025-08-07")
    yield re.sub(r"-(20\d\d)-(\d\d)-(\d\d)", r"-\1\2\3", name)
