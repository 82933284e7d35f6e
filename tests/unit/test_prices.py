"""What a user may say about prices, and how genai-prices' rules for names become regular expressions."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from genai_prices.types import (
    ClauseAnd,
    ClauseContains,
    ClauseEndsWith,
    ClauseEquals,
    ClauseOr,
    ClauseRegex,
    ClauseStartsWith,
    ConditionalPrice,
    MatchLogic,
    ModelInfo,
    ModelPrice,
    TimeOfDateConstraint,
)
from hypothesis import given
from hypothesis import strategies as st

from agentvigil.storage.prices.catalog import build_catalog, provider_id
from agentvigil.storage.prices.errors import OverrideInvalid
from agentvigil.storage.prices.matching import Outcome, Rule, UnknownClause, first_match, schedule_outcome
from agentvigil.storage.prices.overrides import Override, as_entry, parse_entry, parse_file
from agentvigil.storage.prices.schedules import UnknownPrice, schedule_of


def _and(parts: list[MatchLogic]) -> ClauseAnd:
    # Two different things that a name must lack are refused, see below.
    lacking = [part for part in parts if isinstance(part, ClauseRegex) and "?!" in part.regex]
    return ClauseAnd([part for part in parts if part not in lacking[1:]])


_NAMES = st.text(alphabet="ab-.20518", max_size=12)
_LEAVES = st.one_of(
    _NAMES.map(ClauseEquals),
    _NAMES.map(ClauseStartsWith),
    _NAMES.map(ClauseEndsWith),
    _NAMES.map(ClauseContains),
    st.sampled_from([ClauseRegex("^a(b|-)"), ClauseRegex("b$"), ClauseRegex(r"\.2"), ClauseRegex("^(?!.*a-)b")]),
)
_CLAUSES = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(ClauseOr), st.lists(_LEAVES, min_size=1, max_size=2).map(_and)
    ),
    max_leaves=5,
)


def _decide(rules: tuple[Rule, ...], key: str) -> str | None:
    """Return the schedule that ClickHouse's tree of regular expressions gives for ``key``."""
    for rule in rules:
        if re.match(rule.pattern, key):
            inner = _decide(rule.outcome.rules, key)
            own = dict(rule.outcome.values).get("Schedule")
            if inner is not None or own is not None:
                return inner if inner is not None else own
    return None


@given(st.lists(_CLAUSES, max_size=5), _NAMES)
def test_the_first_clause_that_is_true_decides(clauses: list[MatchLogic], name: str) -> None:
    numbered = [(clause, schedule_outcome(number)) for number, clause in enumerate(clauses, start=1)]
    rules = tuple(first_match("^p\n", numbered, otherwise=schedule_outcome(0)))
    expected = next((number for number, clause in enumerate(clauses, start=1) if clause.is_match(name)), 0)
    assert int(_decide(rules, f"p\n{name}") or 0) == expected
    assert _decide(rules, f"q\n{name}") is None


def test_clauses_that_can_not_be_told_are_refused() -> None:
    for clause in (
        ClauseRegex("a(?<=b)"),
        ClauseRegex("^a|b"),
        ClauseOr([ClauseRegex("^(?!a)b"), ClauseRegex("^(?!c)d")]),
    ):
        with pytest.raises(UnknownClause):
            list(first_match("^", [(clause, Outcome())], otherwise=Outcome()))


def test_prices_that_change_within_a_half_hour_are_refused() -> None:
    at = datetime(2026, 1, 1, 1, 15, tzinfo=UTC).timetz()
    prices = [ConditionalPrice(prices=ModelPrice(input_mtok=Decimal(1)))]
    prices += [
        ConditionalPrice(
            TimeOfDateConstraint(at, at.replace(hour=2, minute=0)), prices=ModelPrice(input_mtok=Decimal(2))
        )
    ]
    with pytest.raises(UnknownPrice, match="4500 seconds after midnight"):
        schedule_of(ModelInfo(id="m", match=ClauseEquals("m"), prices=prices))


def test_the_catalog_is_the_same_each_time() -> None:
    overrides = [
        Override("my-gateway", "a*", {"input_mtok": Decimal(1)}),
        Override("*", "b", {"input_mtok": Decimal(2)}),
    ]
    assert build_catalog(overrides) == build_catalog(overrides[::-1])


@pytest.mark.parametrize(
    ("name", "known"), [("x_ai", "x-ai"), (" OpenAI ", "openai"), ("aws.bedrock", "aws"), ("My-Gateway", "my-gateway")]
)
def test_providers_are_listed_under_the_packages_id(name: str, known: str) -> None:
    assert provider_id(name) == known


_FULL = Override(
    "openai",
    "gpt-4o",
    {"input_mtok": Decimal("2.5"), "output_mtok": Decimal(10)},
    service_tier="batch",
    since=date(2026, 2, 1),
    input_from=200_000,
)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "p.json",
            (
                '[{"provider": "openai", "model": "gpt-4o", "service_tier": "batch", "since": "2026-02-01", '
                '"input_from": 200000, "input": 2.5, "output": "10"}]'
            ),
        ),
        (
            "p.toml",
            (
                '[[prices]]\nprovider = "openai"\nmodel = "gpt-4o"\nservice_tier = "batch"\nsince = 2026-02-01\n'
                "input_from = 200000\ninput = 2.5\noutput = 10\n"
            ),
        ),
        (
            "p.csv",
            (
                "\ufeffprovider,model,service_tier,since,input_from,input,output,cache_read\n"
                "openai,gpt-4o,batch,2026-02-01,200000,2.5,10,\n"
            ),
        ),
    ],
)
def test_files_say_the_same(name: str, text: str) -> None:
    assert parse_file(name, text.encode()) == [_FULL]
    assert parse_entry(as_entry(_FULL)) == _FULL


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("p.yaml", b"", "named .json, .toml or .csv"),
        ("p.json", b"\xff", "can not be read"),
        ("p.json", b"{", "can not be read"),
        ("p.json", b"5", "no list of prices"),
        ("p.toml", b"prices = 1", "no list of prices"),
        ("p.csv", b"provider,model,price\na,b,1\n", "price 1: there is no field 'price'"),
        ("p.csv", b"provider,model,input\na,b,1,2\n", "price 1: there is no field"),
    ],
)
def test_files_that_can_not_be_read(name: str, content: bytes, message: str) -> None:
    with pytest.raises(OverrideInvalid, match=message):
        parse_file(name, content)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"input": None}, "no price in it"),
        ({"provider": ""}, "a provider is a name"),
        ({"model": "a\nb"}, "printable characters"),
        ({"model": "a" * 257}, "1 to 256"),
        ({"provider": "open*"}, "alone for any"),
        ({"model": "gpt-*", "since": "2026-01-01"}, "can not start on a day"),
        ({"since": "yesterday"}, "a day like"),
        ({"since": datetime(2026, 1, 1, tzinfo=UTC)}, "a day like"),
        ({"service_tier": "express"}, "one of batch, default"),
        ({"service_tier": 5}, "is a text"),
        ({"input_from": -1}, "number of tokens"),
        ({"input_from": True}, "number of tokens"),
        ({"input": "-1"}, "0 or more USD"),
        ({"input": "NaN"}, "0 or more USD"),
        ({"input": "1e9"}, "0 or more USD"),
        ({"input": "0." + "0" * 18 + "1"}, "up to 18 decimals"),
        ({"input": [1]}, "a price in USD"),
        ({"reasoning": 1}, "`reasoning` is a part of `output`"),
        ({"cache_read_audio": 1, "cache_read": 1}, "part of `input_audio`"),
    ],
)
def test_prices_that_can_not_be(entry: dict[str, Any], message: str) -> None:
    with pytest.raises(OverrideInvalid, match=message):
        parse_entry({"provider": "openai", "model": "gpt-4o", "input": 1, **entry})
