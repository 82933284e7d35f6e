"""Whatever the order and the groups in which spans arrive, the rows in the end are the same; and hostile shapes."""

from collections.abc import Iterator
from itertools import chain, count
from typing import Any

import pytest
from agent_traces import Sp, agent, chat, id_of, receive, retrieval, run_of, settle_traces, step, tool
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from settling_scenarios import Found, Scenarios, within

from agentvigil.storage.embedded import EmbeddedStore
from migrated_stores import MigratedStores

GROUPS = 3
"""In how many groups the spans of a forest arrive; some may be empty."""

scenarios = Scenarios()


@pytest.fixture(scope="module")
def settled(migrated_stores: MigratedStores) -> Iterator[EmbeddedStore]:
    """A store in which all scenarios of this module are settled."""
    with migrated_stores.taken() as store:
        scenarios.settle(store)
        yield store


@pytest.fixture
def found(settled: EmbeddedStore, request: pytest.FixtureRequest) -> Found:
    """What the scenario of the test has settled to."""
    return Found(settled, request.function.__name__)


@st.composite
def a_forest(draw: st.DrawFn) -> list[Sp]:
    """Spans of two traces with parents that may be missing, in circles, or duplicates of each other."""
    spans = []
    for number in range(1, draw(st.integers(2, 9)) + 1):
        make = draw(st.sampled_from([agent, chat, tool, retrieval, step, Sp]))
        start = draw(st.integers(0, 3)) * 100
        more: dict[str, Any] = {
            "parent": draw(st.integers(0, 10)),
            "start": start,
            "end": start + draw(st.integers(0, 4)) * 100,
            "trace": draw(st.integers(1, 2)),
            "error": draw(st.sampled_from([None, None, "timeout"])),
            "scope": draw(st.sampled_from(["a", "b"])),
        }
        if make is chat:
            more["response"] = draw(st.sampled_from(["", "", "x", "y"]))
        spans.append(make(draw(st.integers(1, number)), **more))
    return spans


@st.composite
def in_groups(draw: st.DrawFn, forest: st.SearchStrategy[list[Sp]]) -> list[list[Sp]]:
    """A forest in any order, in ``GROUPS`` groups."""
    spans = draw(st.permutations(draw(forest)))
    cuts = sorted(draw(st.integers(0, len(spans))) for _ in range(GROUPS - 1))
    return [spans[low:high] for low, high in zip([0, *cuts], [*cuts, len(spans)], strict=True)]


EXAMPLES = count()


@hypothesis_settings(
    max_examples=2,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.large_base_example],
)
@given(forests=st.lists(in_groups(a_forest()), min_size=6, max_size=10))
@pytest.mark.long
def test_any_order_and_any_groups_settle_to_the_same_rows(
    settled: EmbeddedStore, forests: list[list[list[Sp]]]
) -> None:
    """Each forest is in two projects: in one it comes in groups, in the other all at once with the last groups."""
    example = next(EXAMPLES)
    for round_ in range(GROUPS):
        arriving = []
        for number, groups in enumerate(forests):
            arriving += within(f"{example}: {number} in groups", *groups[round_])
            if round_ == GROUPS - 1:
                arriving += within(f"{example}: {number} at once", *chain.from_iterable(groups))
        receive(settled, *arriving)
        settle_traces(settled, {(span.project, span.trace): True for span in arriving})
    for number, groups in enumerate(forests):
        at_once = Found(settled, f"{example}: {number} at once").everything()
        assert Found(settled, f"{example}: {number} in groups").everything() == at_once, groups


@scenarios.of(
    Sp(1, name="POST /"),
    chat(3, 2, 100, 200),
    tool(4, 2, "search", 200, 300),
    then=[[agent(2, 1, "late", 50, 900)]],
)
def test_a_late_span_changes_its_run_and_nothing_is_left_of_what_was(found: Found) -> None:
    assert found.after(1).runs("RunId, AgentName, Steps") == [(run_of(1, 1), "", 2)]
    assert found.runs("RunId, AgentName, Steps") == [(run_of(1, 2), "late", 2)]
    assert found.steps("RunId, AgentName, SpanId") == [
        (run_of(1, 2), "late", id_of(3)),
        (run_of(1, 2), "late", id_of(4)),
    ]
    assert found.runs("Version") > found.after(1).runs("Version")


@scenarios.of(agent(1, 9, "solo"), chat(2, 1), then=[[agent(9, 0, "outer", 0, 2000)]])
def test_a_span_that_turns_out_to_be_the_run_is_no_step_any_more(found: Found) -> None:
    assert found.steps("SpanId") == [id_of(1), id_of(2)]
    assert found.runs("RunId, NestedAgents") == [(run_of(1, 9), 1)]


@scenarios.of(
    agent(1, end=3_000_000),
    *[tool(n, 1, "t", n * 50, n * 50 + 40) for n in range(2, 25_000)],
    *[Sp(n, n - 24_998, "http", (n - 24_998) * 50, (n - 24_998) * 50 + 30) for n in range(25_000, 50_000)],
)
def test_a_trace_of_fifty_thousand_spans(found: Found) -> None:
    """Half of them are siblings, which the critical path has to be found through."""
    assert found.runs("Spans, Steps, ToolCalls, Status") == [(49_999, 24_998, 24_998, "success")]


CHAIN = [step(n, n - 1, "s", n, 20_000 - n) for n in range(2, 10_000)] + [chat(10_000, 9_999, 9_999, 10_000)]


@scenarios.of(
    # Not in the first round, beside fifty thousand spans that would be looked at again for each of its levels.
    then=[
        [
            *within("open", agent(1, 0, "a", 0, 20_000), *CHAIN),
            *within("closed", agent(1, 9_999, "a", 0, 20_000), *CHAIN),
        ]
    ],
    final=True,
)
def test_a_chain_of_ten_thousand(found: Found) -> None:
    assert found.within("open").runs("RunId, Steps, Depth") == [(run_of(1, 1), 9_999, 9_999)]
    assert sum(found.within("closed").runs("Spans")) == 10_000
