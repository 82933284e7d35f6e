"""List costs at insert, the user's own prices, models without one, and new costs for stored spans."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from priced_store import COUNT_COLUMNS, costs, insert_calls, priced_store

from agentvigil.storage.data_directory import DataDirectory
from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.errors import QueryFailed
from agentvigil.storage.prices import loading
from agentvigil.storage.prices.book import PriceBook, Recost
from agentvigil.storage.prices.errors import OverrideInvalid
from agentvigil.storage.prices.loading import load_prices, stored_overrides

_AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
_CALL = {
    "Provider": "openai",
    "ResponseModel": "gpt-4o",
    "Timestamp": _AT,
    "InputTokens": 1_000_000,
    "OutputTokens": 100_000,
}
_GPT_4O = Decimal("3.5")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def shared(data_directory: DataDirectory, engine: EmbeddedStore) -> Iterator[EmbeddedStore]:
    """A store with prices for the tests of this module."""
    with priced_store(data_directory, "test_prices") as store:
        load_prices(store)
        yield store


@pytest.fixture
def store(shared: EmbeddedStore) -> Iterator[EmbeddedStore]:
    """A store with the package's prices, none of the user's, and no spans."""
    yield shared
    for table in ("otel_traces", "agentvigil_recosted_traces", "agentvigil_price_overrides"):
        shared.command("TRUNCATE TABLE {table:Identifier}", {"table": table})
    load_prices(shared)


def _costs_of(store: EmbeddedStore, *calls: dict[str, Any]) -> list[Any]:
    store.command("TRUNCATE TABLE otel_traces")
    insert_calls(store, [{**_CALL, **call} for call in calls])
    return costs(store)


def test_a_paid_call_costs_and_nothing_else_does(store: EmbeddedStore) -> None:
    billing = ["leaf", "sum", "none", "undecided", ""]
    assert _costs_of(store, *({"Billing": kind} for kind in billing)) == [_GPT_4O, None, None, None, None]


def test_the_model_that_answered_comes_first_if_it_has_a_price(store: EmbeddedStore) -> None:
    assert _costs_of(
        store,
        {"RequestModel": "gpt-4o-mini"},
        {"RequestModel": "gpt-4o", "ResponseModel": "no-such-model"},
        {"RequestModel": "gpt-4o", "ResponseModel": ""},
        {"RequestModel": "no-such-model", "ResponseModel": ""},
    ) == [_GPT_4O, _GPT_4O, _GPT_4O, None]


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai", "gpt"),
        ("openai", "xgpt-4o"),
        ("openai", ""),
        ("openai", "gpt-4o\n"),
        ("openai", "'; DROP TABLE otel_traces; --"),
        ("openai", "gpt-4o" * 100_000),
        ("my-own-gateway", "gpt-4o"),
        ("open\x00ai", "gpt-4o"),
        ("", "no-such-model"),
        ("", ""),
        ("?", "gpt-4o"),
        (".*", ".*"),
        ("\\", "["),
    ],
)
def test_names_that_mean_no_price(store: EmbeddedStore, provider: str, model: str) -> None:
    assert _costs_of(store, {"Provider": provider, "ResponseModel": model}) == [None]


def test_names_that_are_no_utf8_do_not_fail_an_insert(store: EmbeddedStore) -> None:
    store.command(
        "INSERT INTO otel_traces (Provider, RequestModel, InputTokens) "
        "VALUES ('openai', '\\xff\\xfegpt-4o', 1), ('\\xff', '\\xff', 1)"
    )
    assert costs(store) == [None, None]


@pytest.mark.parametrize(
    ("counts", "cost"),
    [
        ({"InputTokens": None, "OutputTokens": None}, None),
        ({"OutputTokens": None}, Decimal("2.5")),
        ({"InputTokens": None}, Decimal(1)),
        ({"InputTokens": 0, "OutputTokens": 0}, Decimal(0)),
        ({"CacheReadTokens": 1_000_001}, None),
        ({"CacheReadTokens": 600_000, "CacheWriteTokens": 400_001}, None),
        ({"CacheReadTokens": 2**64 - 1, "CacheWriteTokens": 2**64 - 1}, None),
        ({"InputTokens": None, "CacheReadTokens": 5}, None),
        ({"InputAudioTokens": 1_000_001}, None),
        ({"OutputAudioTokens": 100_001}, None),
        ({"CacheReadAudioTokens": 1}, None),
        ({"InputTokens": 2**63, "OutputTokens": 2**64 - 1}, None),
        ({"ReasoningTokens": 2**64 - 1}, _GPT_4O),
    ],
)
def test_counts_that_are_not_known_or_contradict_each_other(
    store: EmbeddedStore, counts: dict[str, int | None], cost: Decimal | None
) -> None:
    assert _costs_of(store, counts) == [cost]


# Few inserts of many calls: to plan an insert takes far longer than to price a call.
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "Provider": st.one_of(st.sampled_from(["openai", "anthropic", "gcp.gemini", ""]), st.text(max_size=30)),
                "RequestModel": st.one_of(st.sampled_from(["gpt-4o", "claude-sonnet-4-5"]), st.text(max_size=50)),
                "ServiceTier": st.one_of(st.sampled_from(["batch", "flex"]), st.text(max_size=10)),
                "Timestamp": st.integers(-(2**31), 9 * 10**9).map(lambda s: _EPOCH + timedelta(seconds=s)),
                **{
                    name: st.one_of(st.none(), st.integers(0, 10**6), st.integers(0, 2**64 - 1))
                    for name in COUNT_COLUMNS
                },
            }
        ),
        min_size=20,
        max_size=80,
    )
)
def test_whatever_is_sent_no_insert_fails_and_no_cost_is_negative(
    store: EmbeddedStore, calls: list[dict[str, Any]]
) -> None:
    found = _costs_of(store, *({"ResponseModel": "", **call} for call in calls))
    assert len(found) == len(calls)
    # What the column holds: a Decimal of 64 bits with nine places.
    assert all(cost is None or 0 <= cost < Decimal(2**63) / 10**9 for cost in found)


def test_without_prices_everything_is_unpriced_and_inserts_go_on(
    data_directory: DataDirectory, engine: EmbeddedStore
) -> None:
    with priced_store(data_directory, "test_prices_none") as empty:
        assert _costs_of(empty, {}) == [None]
        assert load_prices(empty)
        assert _costs_of(empty, {}) == [_GPT_4O]


def test_prices_that_can_not_be_reloaded_stay(store: EmbeddedStore) -> None:
    store.command("RENAME TABLE agentvigil_price_schedules TO gone SETTINGS check_table_dependencies = 0")
    try:
        with pytest.raises(QueryFailed):
            store.command("SYSTEM RELOAD DICTIONARY agentvigil_price_times")
        assert _costs_of(store, {}) == [_GPT_4O]
    finally:
        store.command("RENAME TABLE gone TO agentvigil_price_schedules SETTINGS check_table_dependencies = 0")


def test_a_dictionary_in_use_is_not_dropped(store: EmbeddedStore) -> None:
    with pytest.raises(QueryFailed, match="HAVE_DEPENDENT_OBJECTS"):
        store.command("DROP DICTIONARY agentvigil_price_names")


def test_databases_have_prices_of_their_own(store: EmbeddedStore, data_directory: DataDirectory) -> None:
    with priced_store(data_directory, "test_prices_other") as other:
        load_prices(other)
        PriceBook(other).set([{"provider": "openai", "model": "gpt-4o", "input": 1}])
        assert _costs_of(other, {}) == [Decimal(1)]
        assert _costs_of(store, {}) == [_GPT_4O]


def test_prices_are_there_after_the_engine_forgot_them(store: EmbeddedStore) -> None:
    PriceBook(store).set([{"provider": "openai", "model": "gpt-4o", "input": 1}])
    for name in ("agentvigil_price_names", "agentvigil_price_times", "agentvigil_price_sizes"):
        # What is left afterwards is what a new start of the engine finds.
        store.command("DETACH DICTIONARY {name:Identifier} SETTINGS check_table_dependencies = 0", {"name": name})
        store.command("ATTACH DICTIONARY {name:Identifier}", {"name": name})
    assert _costs_of(store, {}) == [Decimal(1)]


def test_loading_again_does_nothing_and_another_package_version_replaces_all(
    store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    PriceBook(store).set([{"provider": "openai", "model": "gpt-4o", "input": 1}])
    assert not load_prices(store)
    monkeypatch.setattr(loading, "_FORMAT", loading._FORMAT + 1)

    assert load_prices(store)

    for table in loading._TABLES:
        generations = store.rows("SELECT uniqExact(Generation) FROM {table:Identifier}", {"table": table})
        assert generations == [(1,)], table
    assert _costs_of(store, {}) == [Decimal(1)]


def test_a_price_of_the_users_own_wins(store: EmbeddedStore) -> None:
    book = PriceBook(store)
    taken = book.set(
        [
            {"provider": "OpenAI", "model": "GPT-4o", "input": "2", "output": 8, "cache_read": 0.5},
            {"provider": "azure.ai.openai", "model": "gpt-4o", "input": 3},
            {"provider": "my-gateway", "model": "llama-*-instruct", "input": 1, "requests": 10},
        ]
    )
    assert [entry["provider"] for entry in taken] == ["openai", "azure", "my-gateway"]
    calls = [
        {},
        {"CacheReadTokens": 500_000},
        {"Provider": ""},
        {"Provider": "azure.ai.openai"},
        {"Provider": "my-gateway", "ResponseModel": "Llama-4-Instruct"},
        {"Provider": "my-gateway", "ResponseModel": "llama-4"},
        {"ResponseModel": "gpt-4o-2024-08-06"},
    ]
    assert _costs_of(store, *calls) == [
        Decimal("2.8"),
        Decimal("2.05"),
        Decimal("2.8"),
        Decimal(3),
        Decimal("1.01"),
        None,
        _GPT_4O,
    ]
    assert next(iter(book.listed("openai", "gpt-4o")))["source"] == "user"
    assert {entry["price"] for entry in book.diff() if entry["provider"] == "openai"} == {
        "input",
        "output",
        "cache_read",
    }

    assert book.unset([{"provider": "openai", "model": "gpt-4o"}]) == 1
    assert _costs_of(store, *calls[:2]) == [_GPT_4O, Decimal("2.875")]


def test_a_price_may_start_on_a_day_and_be_for_a_tier_or_large_calls(store: EmbeddedStore) -> None:
    name = {"provider": "openai", "model": "gpt-4o"}
    PriceBook(store).set(
        [
            {**name, "input": 1, "since": "2026-03-01"},
            {**name, "input": 2, "since": "2026-03-01", "input_from": 2_000_000},
            {**name, "input": "0.5", "since": "2026-03-01", "service_tier": "batch"},
        ]
    )
    midnight = datetime(2026, 3, 1, tzinfo=UTC)
    assert _costs_of(
        store,
        {"Timestamp": midnight - timedelta(microseconds=1)},
        {"Timestamp": midnight},
        {"InputTokens": 1_999_999},
        {"InputTokens": 2_000_000},
        {"ServiceTier": "batch"},
        {"ServiceTier": "priority"},
    ) == [_GPT_4O, Decimal(1), Decimal("1.999999"), Decimal(4), Decimal("0.5"), Decimal(1)]


def test_overrides_that_do_not_go_together_change_nothing(store: EmbeddedStore) -> None:
    book = PriceBook(store)
    with pytest.raises(OverrideInvalid, match="smaller calls"):
        book.set(
            [
                {"provider": "openai", "model": "o3", "input": 5},
                {"provider": "openai", "model": "gpt-4o", "input": 1, "input_from": 5},
            ]
        )
    assert stored_overrides(store) == []


def test_unpriced_models_are_listed(store: EmbeddedStore) -> None:
    insert_calls(
        store,
        [
            {**_CALL, "Provider": "my-gateway", "ResponseModel": "", "RequestModel": "llama"},
            {**_CALL, "Provider": "my-gateway", "ResponseModel": "llama", "Timestamp": _AT + timedelta(days=1)},
            {**_CALL, "ResponseModel": "whisper-1"},
            {**_CALL, "ResponseModel": "unknown-tokens", "InputTokens": None, "OutputTokens": None},
            {**_CALL, "ResponseModel": "not-paid", "Billing": "sum"},
            _CALL,
        ],
    )
    book = PriceBook(store)
    assert [(entry["provider"], entry["model"], entry["calls"]) for entry in book.unpriced()] == [
        ("my-gateway", "llama", 2),
        ("openai", "whisper-1", 1),
    ]
    assert book.unpriced()[0]["input_tokens"] == 2_000_000
    assert book.unpriced()[0]["first_seen"] == _AT.isoformat()
    assert [entry["calls"] for entry in book.unpriced(_AT + timedelta(days=1))] == [1]


def test_recost_gives_stored_spans_the_costs_of_now_and_says_which_traces(store: EmbeddedStore) -> None:
    days = [_AT, _AT + timedelta(days=1), _AT + timedelta(days=40)]
    insert_calls(store, [{**_CALL, "Timestamp": at} for at in days] + [{**_CALL, "ResponseModel": "gpt-4o-mini"}])
    before = costs(store)
    book = PriceBook(store)
    started = datetime.now(UTC) - timedelta(seconds=1)
    book.set([{"provider": "openai", "model": "gpt-4o", "input": 1}])
    assert costs(store) == before

    steps = list(book.recost(Recost(until=_AT + timedelta(days=30))))

    assert [(step["spans"], step["before_usd"], step["after_usd"]) for step in steps] == [(1, "3.5", "1")] * 2
    assert costs(store) == [Decimal(1), Decimal(1), *before[2:]]
    assert {trace for trace, _ in book.changed_traces(started)} == {"0", "1"}
    assert book.changed_traces(datetime.now(UTC) + timedelta(days=1)) == []
    assert list(book.recost(Recost(until=_AT + timedelta(days=30)))) == []
    assert list(book.recost(Recost(model="gpt-4o-mini"))) == []

    book.unset([{"provider": "openai", "model": "gpt-4o"}])
    assert len(list(book.recost(Recost(provider="openai", model="gpt-4o")))) == 2
    assert costs(store) == before


_IN_A_PROCESS_OF_ITS_OWN = """
import sys
from pathlib import Path
from priced_store import costs, insert_calls, priced_store
from agentvigil.storage.data_directory import DataDirectory
from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.prices.book import PriceBook
from agentvigil.storage.prices.loading import load_prices

with DataDirectory(Path(sys.argv[1]), purpose="pytest") as directory:
    if sys.argv[2] == "first":
        store = priced_store(directory, "prices").__enter__()
        load_prices(store)
        PriceBook(store).set([{"provider": "openai", "model": "o3", "input": 1}])
    else:
        store = EmbeddedStore(directory, "prices")
        # No load: the dictionaries find their tables by themselves.
        store.command(
            "INSERT INTO otel_traces (Timestamp, Provider, RequestModel, InputTokens) "
            "VALUES (now64(9), 'openai', 'gpt-4o', 1000000), (now64(9), 'openai', 'o3', 1000000)"
        )
        print(sorted(map(float, costs(store))), load_prices(store))
    store.close()
"""


def test_a_store_that_was_closed_and_opened_again_prices_as_before(tmp_path: Path) -> None:
    for turn in ("first", "again"):
        done = subprocess.run(
            [sys.executable, "-c", _IN_A_PROCESS_OF_ITS_OWN, str(tmp_path / "data"), turn],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
    assert done.stdout == "[1.0, 2.5] False\n"


@pytest.mark.long
def test_spans_that_a_collector_wrote_are_priced_listed_and_given_new_costs(servers_store: EmbeddedStore) -> None:
    load_prices(servers_store)
    servers_store.command(
        """
        INSERT INTO otel_traces (Timestamp, TraceId, SpanId, SpanName, KeepDays, SpanAttributes)
        SELECT
            now64(9) - toIntervalDay(number), toString(number), toString(number), 'chat', 30,
            map(
                'gen_ai.operation.name', 'chat',
                'gen_ai.provider.name', 'openai',
                'gen_ai.request.model', ['gpt-4o', 'my-own-model'][number % 2 + 1],
                'gen_ai.usage.input_tokens', '1000000',
                'gen_ai.usage.output_tokens', '100000')
        FROM numbers(4)
        """
    )
    costs_by_trace = "SELECT ListCostUSD FROM otel_traces ORDER BY TraceId"
    assert servers_store.rows(costs_by_trace) == [(_GPT_4O,), (None,), (_GPT_4O,), (None,)]
    book = PriceBook(servers_store)
    assert [(entry["model"], entry["calls"]) for entry in book.unpriced()] == [("my-own-model", 2)]

    book.set([{"provider": "openai", "model": "my-own-model", "input": 1, "output": 2}])

    assert [step["spans"] for step in book.recost(Recost())] == [1, 1]
    assert servers_store.rows(costs_by_trace) == [(_GPT_4O,), (Decimal("1.2"),), (_GPT_4O,), (Decimal("1.2"),)]
    assert {trace for trace, _ in book.changed_traces(_EPOCH)} == {"1", "3"}
    assert book.unpriced() == []
