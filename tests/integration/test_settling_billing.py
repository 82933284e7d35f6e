"""Each real call is billed once, however many instrumentations saw it, wherever and whenever their spans arrive."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations

import pytest
from agent_traces import (
    ANTHROPIC,
    SCOPE,
    TRACELOOP,
    Sp,
    agent,
    chat,
    id_of,
    run_of,
    step,
    tool,
    trace_of,
)
from settling_scenarios import Found, Scenarios, within

from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.prices.loading import load_prices
from migrated_stores import MigratedStores

scenarios = Scenarios()


@pytest.fixture(scope="module")
def settled(migrated_stores: MigratedStores) -> Iterator[EmbeddedStore]:
    """A store in which all scenarios of this module are settled."""
    with migrated_stores.taken() as store:
        load_prices(store)
        scenarios.settle(store)
        yield store


@pytest.fixture
def found(settled: EmbeddedStore, request: pytest.FixtureRequest) -> Found:
    """What the scenario of the test has settled to."""
    return Found(settled, request.function.__name__)


def billed(found: Found) -> list[str]:
    """Return ``trace:span`` of every billed step, and check that the rows of runs agree."""
    steps = found.steps("TraceId, SpanId, BilledCostUSD, ListCostUSD", where="Billed")
    assert all(cost == list_cost for _, _, cost, list_cost in steps)
    in_runs = sum(cost for cost in found.runs("BilledCostUSD") if cost is not None)
    assert in_runs == sum(cost for _, _, cost, _ in steps if cost is not None)
    return sorted(f"{int(trace, 16)}:{int(span, 16)}" for trace, span, _, _ in steps)


@scenarios.of(agent(1), chat(2, 1, 0, 900), Sp(3, 2, "http"), chat(4, 3, 10, 890, response="r", scope=ANTHROPIC))
def test_of_a_call_inside_a_call_the_inner_one_is_billed(found: Found) -> None:
    assert billed(found) == ["1:4"]
    assert found.steps("SpanId, BillingNote, DuplicateOfSpanId") == [
        (id_of(2), "duplicate", id_of(4)),
        (id_of(4), "", ""),
    ]
    assert found.runs("LlmCalls, InputTokens") == [(1, 100)]


@scenarios.of(agent(1), chat(2, 1), chat(3, 2, scope=TRACELOOP), chat(4, 3, scope=ANTHROPIC))
def test_three_layers_are_one_call(found: Found) -> None:
    assert billed(found) == ["1:4"]


@scenarios.of(agent(1), chat(2, 1), chat(3, 2, tokens=None, scope=TRACELOOP))
def test_an_inner_call_without_tokens_leaves_the_bill_to_the_outer_one(found: Found) -> None:
    assert billed(found) == ["1:2"]


@scenarios.of(agent(1), chat(2, 1), chat(3, 2, 0, 400, response="a"), chat(4, 2, 500, 900, response="b"))
def test_two_calls_inside_one_are_both_billed(found: Found) -> None:
    assert billed(found) == ["1:3", "1:4"]


@scenarios.of(
    *within("tool", agent(1), chat(2, 1), tool(3, 2, "ask"), chat(4, 3)),
    *within("agent", agent(1), chat(2, 1), agent(3, 2, "sub"), chat(4, 3)),
)
def test_a_call_in_a_tool_or_agent_inside_a_call_is_another_one(found: Found) -> None:
    assert billed(found.within("tool")) == ["1:2", "1:4"]
    assert billed(found.within("agent")) == ["1:2", "1:4"]


@scenarios.of(
    agent(1),
    chat(2, 1, model="gpt-4o"),
    chat(3, 2, model="gpt-4o-mini"),
    chat(4, 1, response="a"),
    chat(5, 4, response="b"),
)
def test_a_call_of_another_model_or_with_another_id_inside_a_call_is_another_one(found: Found) -> None:
    assert billed(found) == ["1:2", "1:3", "1:4", "1:5"]


NAMES = [
    ("gpt-4o", "gpt-4o-2024-08-06"),
    ("openai/gpt-4o", "gpt-4o"),
    ("claude-3-5-sonnet-latest", "claude-3-5-sonnet-20241022"),
    ("us.anthropic.claude-sonnet-4-20250514-v1:0", "claude-sonnet-4@20250514"),
    ("models/gemini-2.5-pro", "gemini-2.5-pro"),
    ("", "gpt-4o"),
]


@scenarios.of(
    *[
        span
        for one, other in NAMES
        for span in within(
            f"{one} is {other}", agent(1), chat(2, 1, model=one), chat(3, 2, model=other, scope=ANTHROPIC)
        )
    ]
)
def test_one_model_has_many_names(found: Found) -> None:
    for one, other in NAMES:
        assert billed(found.within(f"{one} is {other}")) == ["1:3"]


TOTAL = {"gen_ai.usage.input_tokens": 500, "gen_ai.usage.output_tokens": 50}


@scenarios.of(agent(1, attributes=TOTAL), agent(2, 1, "inner", attributes=TOTAL), chat(3, 2), chat(4, 1))
def test_usage_of_agents_and_workflows_is_a_sum(found: Found) -> None:
    assert billed(found) == ["1:3", "1:4"]
    assert found.runs("InputTokens") == [200]


@scenarios.of(
    *[
        span
        for extra in (0, 1)
        for span in within(
            f"{extra} more",
            agent(1),
            chat(2, 1, 100, 900, tokens=(100, 10 + extra), scope=TRACELOOP),
            chat(7, 0, 110, 890, response="msg_1", scope=ANTHROPIC, trace=2),
        )
    ]
)
def test_a_stream_whose_other_sighting_is_a_root_elsewhere(found: Found) -> None:
    """Traceloop's Anthropic spans are never current, and count the first chunk's token twice."""
    for project in ("0 more", "1 more"):
        assert billed(found.within(project)) == ["1:2"]
        assert found.within(project).runs("RunId, DuplicateOfTraceId") == [
            (run_of(1, 1), ""),
            (run_of(2, 7), trace_of(1)),
        ]


@scenarios.of(
    agent(1),
    chat(2, 1, 100, 900, tokens=(100, 90), response="msg_1", scope=TRACELOOP),
    chat(7, 0, 110, 890, tokens=(400, 10), response="msg_1", scope=ANTHROPIC, trace=2),
)
def test_sightings_by_response_id_may_count_tokens_differently(found: Found) -> None:
    assert billed(found) == ["1:2"]


@scenarios.of(
    agent(1),
    chat(2, 1, 100, 900, response="lc_run--0b7c", scope=TRACELOOP),
    chat(3, 2, 110, 890, response="chatcmpl-1"),
)
def test_ids_that_langchain_makes_up_are_no_ids(found: Found) -> None:
    assert billed(found) == ["1:3"]


@scenarios.of(
    agent(1),
    chat(2, 1, 100, 900, tokens=(100, 20), scope="langfuse-sdk"),
    chat(
        7, 0, 110, 890, tokens=(100, 90), trace=2, response="r",
        attributes={"gen_ai.usage.reasoning.output_tokens": 70},
    ),
)  # fmt: skip
def test_output_without_reasoning_is_the_same_call(found: Found) -> None:
    """Langfuse's LangChain handler leaves reasoning out of the output."""
    assert billed(found) == ["1:2"]


ALIKE = {
    "later": chat(7, 0, 901, 990, scope=ANTHROPIC),
    "overlapping": chat(7, 0, 200, 1100, scope=ANTHROPIC),
    "another service": chat(7, 0, 110, 890, scope=ANTHROPIC, service="other"),
    "more input": chat(7, 0, 110, 890, tokens=(101, 10), scope=ANTHROPIC),
    "more output": chat(7, 0, 110, 890, tokens=(100, 13), scope=ANTHROPIC),
    "another model": chat(7, 0, 110, 890, model="gpt-5", scope=ANTHROPIC),
    "one instrumentation": chat(7, 0, 110, 890, scope=SCOPE),
    "no tokens": chat(7, 0, 110, 890, tokens=None, scope=ANTHROPIC),
}


@scenarios.of(
    *[
        span
        for name, other in ALIKE.items()
        for span in within(name, agent(1), chat(2, 1, 100, 900, scope=SCOPE), replace(other, trace=2))
    ]
)
def test_calls_that_only_look_alike_are_both_billed(found: Found) -> None:
    for name in ALIKE:
        assert billed(found.within(name)) == ["1:2", "2:7"]


@scenarios.of(
    agent(1),
    chat(2, 1, response="r"),
    then=[[chat(7, 0, response="r", scope=ANTHROPIC, trace=2, project="other")]],
)
def test_projects_do_not_see_each_others_calls(found: Found) -> None:
    assert billed(found) == ["1:2"]
    assert billed(found.within("other")) == ["2:7"]


@scenarios.of(
    agent(1),
    chat(2, 1, 100, 900, response="a", scope=SCOPE),
    chat(7, 0, 110, 890, response="b", scope=ANTHROPIC, trace=2),
)
def test_different_ids_are_different_calls(found: Found) -> None:
    assert billed(found) == ["1:2", "2:7"]


@scenarios.of(agent(1, end=9000), chat(2, 1, 0, 100, response="mock"), chat(3, 1, 5000, 5100, response="mock"))
def test_an_id_used_again_later_is_another_call(found: Found) -> None:
    """Fakes and caches answer with one id for ever."""
    assert billed(found) == ["1:2", "1:3"]


@scenarios.of(agent(1), chat(2, 1, 100, 900, scope=TRACELOOP), chat(3, 1, 110, 890, response="r", scope=ANTHROPIC))
def test_two_instrumentations_beside_each_other_under_one_parent(found: Found) -> None:
    assert billed(found) == ["1:3"]


CACHED = {"gen_ai.usage.cache_read.input_tokens": 50}


@scenarios.of(
    agent(1),
    chat(2, 1, 100, 900, response="r"),
    chat(
        7, 0, 110, 890, response="r", scope=ANTHROPIC, trace=2,
        attributes={**CACHED, "gen_ai.usage.reasoning.output_tokens": 5},
    ),
    chat(8, 0, 120, 880, response="r", scope=TRACELOOP, trace=3),
)  # fmt: skip
def test_the_sighting_inside_an_agent_is_billed_before_the_one_with_more_detail(found: Found) -> None:
    assert billed(found) == ["1:2"]


@scenarios.of(
    chat(7, 0, 110, 890, response="r", scope=TRACELOOP, trace=1),
    chat(8, 0, 120, 880, response="r", attributes=CACHED, scope=ANTHROPIC, trace=2),
)
def test_outside_agents_the_sighting_with_more_detail_is_billed(found: Found) -> None:
    assert billed(found) == ["2:8"]


SIGHTINGS = {
    1: [agent(1), chat(2, 1, 100, 900, scope=TRACELOOP)],
    2: [chat(7, 0, 110, 890, response="r", scope=ANTHROPIC, trace=2)],
    3: [chat(8, 0, 120, 880, response="r", scope=SCOPE, trace=3)],
}
ORDERS = list(permutations(SIGHTINGS))


def nth_of_each_order(place: int) -> list[Sp]:
    return [span for order in ORDERS for span in within(str(order), *SIGHTINGS[order[place]])]


@scenarios.of(*nth_of_each_order(0), then=[nth_of_each_order(1), nth_of_each_order(2)])
def test_sightings_that_arrive_one_after_the_other_are_billed_the_same_in_any_order(found: Found) -> None:
    first = found.within(str(ORDERS[0])).everything()
    for order in map(str, ORDERS):
        assert billed(found.within(order)) == ["1:2"]
        assert found.within(order).everything() == first


UNDECIDED = {"gen_ai.usage.input_tokens": 9, "gen_ai.usage.output_tokens": 9, "gen_ai.request.model": "gpt-4o"}


@scenarios.of(
    agent(1),
    Sp(2, 1, "mystery", 0, 400, UNDECIDED),
    chat(3, 2, 0, 300, model="gpt-4o-mini"),
    Sp(4, 1, "mystery", 500, 900, UNDECIDED),
)
def test_usage_of_an_unknown_kind_is_billed_only_where_no_call_is_inside(found: Found) -> None:
    assert billed(found) == ["1:3", "1:4"]
    assert found.steps("BillingNote", where=f"SpanId = '{id_of(2)}'") == ["sum"]


@scenarios.of(agent(1), chat(2, 1, tokens=None), chat(3, 1, model="unpriced"))
def test_unknown_tokens_are_unknown_and_no_zero(found: Found) -> None:
    assert found.runs("LlmCalls, UnknownUsageCalls, UnpricedCalls, InputTokens, BilledCostUSD") == [
        (2, 1, 1, 100, None)
    ]
    assert found.steps("BillingNote") == ["no tokens", "no price"]


@scenarios.of(agent(1), chat(2, 1, tokens=None))
def test_a_run_where_no_call_says_tokens_has_none(found: Found) -> None:
    assert found.runs("InputTokens, OutputTokens, BilledCostUSD") == [(None, None, None)]


@scenarios.of(agent(1), chat(2, 1, tokens=(2**62, 10)), chat(3, 1, tokens=(5, 5)))
def test_absurd_tokens_are_not_believed(found: Found) -> None:
    assert found.runs("InputTokens, OutputTokens") == [(5, 15)]


@scenarios.of(
    agent(1),
    chat(2, 1, 0, 100, tokens=None, error="429", attributes={"error.type": "openai.RateLimitError"}),
    chat(3, 1, 100, 200),
)
def test_a_call_that_was_refused_used_nothing_unknown(found: Found) -> None:
    assert found.runs("LlmCalls, UnknownUsageCalls") == [(2, 0)]
    assert found.steps("BillingNote") == ["failed", ""]


@scenarios.of(agent(1), step(2, 1), chat(3, 2, attributes={"agentvigil.cost.usd": "0.5"}))
def test_reported_costs_are_kept_apart(found: Found) -> None:
    assert [float(cost) for cost in found.runs("ReportedCostUSD")] == [0.5]


@scenarios.of(agent(1), *[chat(n, 1, 0, 900, response="same", tokens=(1, 1)) for n in range(2, 1002)])
def test_a_thousand_calls_with_one_id_cost_no_pairs_of_all_with_all(found: Found) -> None:
    assert found.runs("Steps, Status") == [(1000, "success")]
