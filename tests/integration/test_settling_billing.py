"""Each real call is billed once, however many instrumentations saw it, wherever and whenever their spans arrive."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from agent_traces import (
    ANTHROPIC,
    SCOPE,
    TRACELOOP,
    Sp,
    agent,
    chat,
    everything,
    id_of,
    receive,
    run_of,
    runs,
    settle,
    step,
    steps,
    tool,
    trace_of,
)

from agentvigil.storage.data_directory import DataDirectory
from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.migrations import migrate
from agentvigil.storage.prices.loading import load_prices
from agentvigil.storage.store import Store


@pytest.fixture(scope="module")
def priced(data_directory: DataDirectory, engine: EmbeddedStore) -> Iterator[EmbeddedStore]:
    """A store with prices for the tests of this module."""
    store = EmbeddedStore(data_directory, "test_settling_billing")
    migrate(store)
    load_prices(store)
    yield store
    store.command("DROP DATABASE {name:Identifier}", {"name": store.database})
    store.close()


@pytest.fixture
def store(priced: EmbeddedStore) -> Iterator[EmbeddedStore]:
    """A store with prices and without spans."""
    yield priced
    forget(priced)


def forget(store: Store) -> None:
    for table in ("otel_traces", "otel_traces_trace_id_ts", "agent_runs", "agent_steps"):
        store.command("TRUNCATE TABLE {table:Identifier}", {"table": table})


def billed(store: Store) -> list[str]:
    """Return ``trace:span`` of every billed step, and check that the rows of runs agree."""
    found = steps(store, "TraceId, SpanId, BilledCostUSD, ListCostUSD", where="Billed")
    assert all(cost == list_cost for _, _, cost, list_cost in found)
    in_runs = sum(cost for cost in runs(store, "BilledCostUSD") if cost is not None)
    assert in_runs == sum(cost for _, _, cost, _ in found if cost is not None)
    return sorted(f"{int(trace, 16)}:{int(span, 16)}" for trace, span, _, _ in found)


def test_of_a_call_inside_a_call_the_inner_one_is_billed(store: Store) -> None:
    receive(store, agent(1), chat(2, 1, 0, 900), Sp(3, 2, "http"), chat(4, 3, 10, 890, response="r", scope=ANTHROPIC))
    settle(store)
    assert billed(store) == ["1:4"]
    assert steps(store, "SpanId, BillingNote, DuplicateOfSpanId") == [
        (id_of(2), "duplicate", id_of(4)),
        (id_of(4), "", ""),
    ]
    assert runs(store, "LlmCalls, InputTokens") == [(1, 100)]


def test_three_layers_are_one_call(store: Store) -> None:
    receive(store, agent(1), chat(2, 1), chat(3, 2, scope=TRACELOOP), chat(4, 3, scope=ANTHROPIC))
    settle(store)
    assert billed(store) == ["1:4"]


def test_an_inner_call_without_tokens_leaves_the_bill_to_the_outer_one(store: Store) -> None:
    receive(store, agent(1), chat(2, 1), chat(3, 2, tokens=None, scope=TRACELOOP))
    settle(store)
    assert billed(store) == ["1:2"]


def test_two_calls_inside_one_are_both_billed(store: Store) -> None:
    receive(store, agent(1), chat(2, 1), chat(3, 2, 0, 400, response="a"), chat(4, 2, 500, 900, response="b"))
    settle(store)
    assert billed(store) == ["1:3", "1:4"]


@pytest.mark.parametrize("between", [tool(3, 2, "ask"), agent(3, 2, "sub")])
def test_a_call_in_a_tool_or_agent_inside_a_call_is_another_one(store: Store, between: Sp) -> None:
    receive(store, agent(1), chat(2, 1), between, chat(4, 3))
    settle(store)
    assert billed(store) == ["1:2", "1:4"]


def test_a_call_of_another_model_or_with_another_id_inside_a_call_is_another_one(store: Store) -> None:
    receive(
        store,
        agent(1),
        chat(2, 1, model="gpt-4o"),
        chat(3, 2, model="gpt-4o-mini"),
        chat(4, 1, response="a"),
        chat(5, 4, response="b"),
    )
    settle(store)
    assert billed(store) == ["1:2", "1:3", "1:4", "1:5"]


def test_one_model_has_many_names(store: Store) -> None:
    names = [
        ("gpt-4o", "gpt-4o-2024-08-06"),
        ("openai/gpt-4o", "gpt-4o"),
        ("claude-3-5-sonnet-latest", "claude-3-5-sonnet-20241022"),
        ("us.anthropic.claude-sonnet-4-20250514-v1:0", "claude-sonnet-4@20250514"),
        ("models/gemini-2.5-pro", "gemini-2.5-pro"),
        ("", "gpt-4o"),
    ]
    traces = range(1, len(names) + 1)
    for trace, (one, other) in zip(traces, names, strict=True):
        start = trace * 5000
        receive(
            store,
            agent(1, 0, "a", start, start + 1000, trace=trace),
            chat(2, 1, start, start + 900, model=one, trace=trace),
            chat(3, 2, start, start + 900, model=other, scope=ANTHROPIC, trace=trace),
        )
    settle(store, *traces)
    assert steps(store, "TraceId, SpanId", where="Billed") == [(trace_of(trace), id_of(3)) for trace in traces]


def test_usage_of_agents_and_workflows_is_a_sum(store: Store) -> None:
    total = {"gen_ai.usage.input_tokens": 500, "gen_ai.usage.output_tokens": 50}
    receive(store, agent(1, attributes=total), agent(2, 1, "inner", attributes=total), chat(3, 2), chat(4, 1))
    settle(store)
    assert billed(store) == ["1:3", "1:4"]
    assert runs(store, "InputTokens") == [200]


@pytest.mark.parametrize("traceloop_extra", [0, 1])
def test_a_stream_whose_other_sighting_is_a_root_elsewhere(store: Store, traceloop_extra: int) -> None:
    """Traceloop's Anthropic spans are never current, and count the first chunk's token twice."""
    inside = chat(2, 1, 100, 900, tokens=(100, 10 + traceloop_extra), scope=TRACELOOP)
    outside = chat(7, 0, 110, 890, response="msg_1", scope=ANTHROPIC, trace=2)
    receive(store, agent(1), inside, outside)
    settle(store, 1, 2)
    assert billed(store) == ["1:2"]
    assert runs(store, "RunId, DuplicateOfTraceId") == [(run_of(1, 1), ""), (run_of(2, 7), trace_of(1))]


def test_sightings_by_response_id_may_count_tokens_differently(store: Store) -> None:
    receive(
        store,
        agent(1),
        chat(2, 1, 100, 900, tokens=(100, 90), response="msg_1", scope=TRACELOOP),
        chat(7, 0, 110, 890, tokens=(400, 10), response="msg_1", scope=ANTHROPIC, trace=2),
    )
    settle(store, 1, 2)
    assert billed(store) == ["1:2"]


def test_ids_that_langchain_makes_up_are_no_ids(store: Store) -> None:
    receive(
        store,
        agent(1),
        chat(2, 1, 100, 900, response="lc_run--0b7c", scope=TRACELOOP),
        chat(3, 2, 110, 890, response="chatcmpl-1"),
    )
    settle(store)
    assert billed(store) == ["1:3"]


def test_output_without_reasoning_is_the_same_call(store: Store) -> None:
    """Langfuse's LangChain handler leaves reasoning out of the output."""
    receive(
        store,
        agent(1),
        chat(2, 1, 100, 900, tokens=(100, 20), scope="langfuse-sdk"),
        chat(
            7, 0, 110, 890, tokens=(100, 90), trace=2, response="r",
            attributes={"gen_ai.usage.reasoning.output_tokens": 70},
        ),
    )  # fmt: skip
    settle(store, 1, 2)
    assert billed(store) == ["1:2"]


def test_calls_that_only_look_alike_are_both_billed(store: Store) -> None:
    others = [
        chat(7, 0, 901, 990, scope=ANTHROPIC),
        chat(7, 0, 200, 1100, scope=ANTHROPIC),
        chat(7, 0, 110, 890, scope=ANTHROPIC, service="other"),
        chat(7, 0, 110, 890, tokens=(101, 10), scope=ANTHROPIC),
        chat(7, 0, 110, 890, tokens=(100, 13), scope=ANTHROPIC),
        chat(7, 0, 110, 890, model="gpt-5", scope=ANTHROPIC),
        chat(7, 0, 110, 890, scope=SCOPE),
        chat(7, 0, 110, 890, tokens=None, scope=ANTHROPIC),
    ]
    for number, other in enumerate(others):
        later = 60_000 * number
        receive(
            store,
            agent(1, 0, "a", later, later + 1000, trace=10 + number),
            chat(2, 1, later + 100, later + 900, scope=SCOPE, trace=10 + number),
            replace(other, start=later + other.start, end=later + other.end, trace=20 + number),
        )
    settle(store, *range(10, 30))
    assert set(steps(store, "Billed")) == {True}
    assert len(steps(store, "Billed")) == 2 * len(others)


def test_projects_do_not_see_each_others_calls(store: Store) -> None:
    receive(store, agent(1), chat(2, 1, response="r"), chat(7, 0, response="r", trace=2, project="other"))
    settle(store)
    settle(store, 2, project="other")
    assert billed(store) == ["1:2", "2:7"]


def test_different_ids_are_different_calls(store: Store) -> None:
    receive(
        store,
        agent(1),
        chat(2, 1, 100, 900, response="a", scope=SCOPE),
        chat(7, 0, 110, 890, response="b", scope=ANTHROPIC, trace=2),
    )
    settle(store, 1, 2)
    assert billed(store) == ["1:2", "2:7"]


def test_an_id_used_again_later_is_another_call(store: Store) -> None:
    """Fakes and caches answer with one id for ever."""
    receive(store, agent(1, end=9000), chat(2, 1, 0, 100, response="mock"), chat(3, 1, 5000, 5100, response="mock"))
    settle(store)
    assert billed(store) == ["1:2", "1:3"]


def test_two_instrumentations_beside_each_other_under_one_parent(store: Store) -> None:
    receive(store, agent(1), chat(2, 1, 100, 900, scope=TRACELOOP), chat(3, 1, 110, 890, response="r", scope=ANTHROPIC))
    settle(store)
    assert billed(store) == ["1:3"]


def test_the_sighting_inside_an_agent_is_billed_before_the_one_with_more_detail(store: Store) -> None:
    detail = {"gen_ai.usage.cache_read.input_tokens": 50, "gen_ai.usage.reasoning.output_tokens": 5}
    receive(
        store,
        agent(1),
        chat(2, 1, 100, 900, response="r"),
        chat(7, 0, 110, 890, response="r", attributes=detail, scope=ANTHROPIC, trace=2),
        chat(8, 0, 120, 880, response="r", scope=TRACELOOP, trace=3),
    )
    settle(store, 1, 2, 3)
    assert billed(store) == ["1:2"]


def test_outside_agents_the_sighting_with_more_detail_is_billed(store: Store) -> None:
    detail = {"gen_ai.usage.cache_read.input_tokens": 50}
    receive(
        store,
        chat(7, 0, 110, 890, response="r", scope=TRACELOOP, trace=1),
        chat(8, 0, 120, 880, response="r", attributes=detail, scope=ANTHROPIC, trace=2),
    )
    settle(store, 1, 2)
    assert billed(store) == ["2:8"]


def test_sightings_that_arrive_one_after_the_other_are_billed_the_same_in_any_order(store: Store) -> None:
    traces = {
        1: [agent(1), chat(2, 1, 100, 900, scope=TRACELOOP)],
        2: [chat(7, 0, 110, 890, response="r", scope=ANTHROPIC, trace=2)],
        3: [chat(8, 0, 120, 880, response="r", scope=SCOPE, trace=3)],
    }
    outcomes = []
    for order in ((1, 2, 3), (3, 2, 1), (2, 1, 3)):
        forget(store)
        for trace in order:
            receive(store, *traces[trace])
            settle(store, trace)
        assert billed(store) == ["1:2"]
        outcomes.append(everything(store))
    assert all(outcome == outcomes[0] for outcome in outcomes)


def test_usage_of_an_unknown_kind_is_billed_only_where_no_call_is_inside(store: Store) -> None:
    usage = {"gen_ai.usage.input_tokens": 9, "gen_ai.usage.output_tokens": 9, "gen_ai.request.model": "gpt-4o"}
    receive(
        store,
        agent(1),
        Sp(2, 1, "mystery", 0, 400, usage),
        chat(3, 2, 0, 300, model="gpt-4o-mini"),
        Sp(4, 1, "mystery", 500, 900, usage),
    )
    settle(store)
    assert billed(store) == ["1:3", "1:4"]
    assert steps(store, "BillingNote", where=f"SpanId = '{id_of(2)}'") == ["sum"]


def test_unknown_tokens_are_unknown_and_no_zero(store: Store) -> None:
    receive(store, agent(1), chat(2, 1, tokens=None), chat(3, 1, model="unpriced"))
    settle(store)
    assert runs(store, "LlmCalls, UnknownUsageCalls, UnpricedCalls, InputTokens, BilledCostUSD") == [
        (2, 1, 1, 100, None)
    ]
    assert steps(store, "BillingNote") == ["no tokens", "no price"]


def test_a_run_where_no_call_says_tokens_has_none(store: Store) -> None:
    receive(store, agent(1), chat(2, 1, tokens=None))
    settle(store)
    assert runs(store, "InputTokens, OutputTokens, BilledCostUSD") == [(None, None, None)]


def test_absurd_tokens_are_not_believed(store: Store) -> None:
    receive(store, agent(1), chat(2, 1, tokens=(2**62, 10)), chat(3, 1, tokens=(5, 5)))
    settle(store)
    assert runs(store, "InputTokens, OutputTokens") == [(5, 15)]


def test_a_call_that_was_refused_used_nothing_unknown(store: Store) -> None:
    receive(
        store,
        agent(1),
        chat(2, 1, 0, 100, tokens=None, error="429", attributes={"error.type": "openai.RateLimitError"}),
        chat(3, 1, 100, 200),
    )
    settle(store)
    assert runs(store, "LlmCalls, UnknownUsageCalls") == [(2, 0)]
    assert steps(store, "BillingNote") == ["failed", ""]


def test_reported_costs_are_kept_apart(store: Store) -> None:
    receive(store, agent(1), step(2, 1), chat(3, 2, attributes={"agentvigil.cost.usd": "0.5"}))
    settle(store)
    assert [float(cost) for cost in runs(store, "ReportedCostUSD")] == [0.5]


def test_a_thousand_calls_with_one_id_cost_no_pairs_of_all_with_all(store: Store) -> None:
    receive(store, agent(1), *[chat(n, 1, 0, 900, response="same", tokens=(1, 1)) for n in range(2, 1002)])
    settle(store)
    assert runs(store, "Steps, Status") == [(1000, "success")]
