"""Whatever the order and the groups in which spans arrive, the rows in the end are the same; and hostile shapes."""

import time
from typing import Any

import pytest
from agent_traces import Sp, agent, chat, everything, id_of, receive, retrieval, run_of, runs, settle, step, steps, tool
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from agentvigil.storage.store import Store

TABLES = ("otel_traces", "otel_traces_trace_id_ts", "agent_runs", "agent_steps")


def forget(store: Store) -> None:
    for table in TABLES:
        store.command("TRUNCATE TABLE {table:Identifier}", {"table": table})


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


@hypothesis_settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.data())
def test_any_order_and_any_groups_settle_to_the_same_rows(store: Store, data: st.DataObject) -> None:
    spans = data.draw(a_forest())
    forget(store)
    receive(store, *spans)
    settle(store, 1, 2, final=True)
    expected = everything(store)

    forget(store)
    shuffled = data.draw(st.permutations(spans))
    at = sorted(data.draw(st.lists(st.integers(0, len(spans)), min_size=1, max_size=2)))
    for low, high in zip([0, *at], [*at, len(spans)], strict=True):
        if shuffled[low:high]:
            receive(store, *shuffled[low:high])
            settle(store, *sorted({span.trace for span in shuffled[low:high]}), final=True)
    assert everything(store) == expected


def test_a_late_span_changes_its_run_and_nothing_is_left_of_what_was(store: Store) -> None:
    receive(store, Sp(1, name="POST /"), chat(3, 2, 100, 200), tool(4, 2, "search", 200, 300))
    settle(store)
    assert runs(store, "RunId, AgentName, Steps") == [(run_of(1, 1), "", 2)]
    first = runs(store, "Version")

    receive(store, agent(2, 1, "late", 50, 900))
    settle(store)
    assert runs(store, "RunId, AgentName, Steps") == [(run_of(1, 2), "late", 2)]
    assert steps(store, "RunId, AgentName, SpanId") == [
        (run_of(1, 2), "late", id_of(3)),
        (run_of(1, 2), "late", id_of(4)),
    ]
    assert runs(store, "Version") > first


def test_a_span_that_turns_out_to_be_the_run_is_no_step_any_more(store: Store) -> None:
    receive(store, agent(1, 9, "solo"), chat(2, 1))
    settle(store)
    receive(store, agent(9, 0, "outer", 0, 2000))
    settle(store)
    assert steps(store, "SpanId") == [id_of(1), id_of(2)]
    assert runs(store, "RunId, NestedAgents") == [(run_of(1, 9), 1)]


def test_a_trace_of_fifty_thousand_spans(store: Store) -> None:
    """Half of them are siblings, which the critical path has to be found through."""
    receive(
        store,
        agent(1, end=3_000_000),
        *[tool(n, 1, "t", n * 50, n * 50 + 40) for n in range(2, 25_000)],
        *[Sp(n, n - 24_998, "http", (n - 24_998) * 50, (n - 24_998) * 50 + 30) for n in range(25_000, 50_000)],
    )
    began = time.process_time()
    settle(store)
    assert runs(store, "Spans, Steps, ToolCalls, Status") == [(49_999, 24_998, 24_998, "success")]
    assert time.process_time() - began < 60


@pytest.mark.parametrize("closed", [False, True])
def test_a_chain_of_ten_thousand(store: Store, closed: bool) -> None:
    links = [step(n, n - 1, "s", n, 20_000 - n) for n in range(2, 10_000)]
    receive(store, agent(1, 9_999 if closed else 0, "a", 0, 20_000), *links, chat(10_000, 9_999, 9_999, 10_000))
    settle(store, final=True)
    if closed:
        assert runs(store, "sum(Spans) OVER ()")[0] == 10_000
    else:
        assert runs(store, "RunId, Steps, Depth") == [(run_of(1, 1), 9_999, 9_999)]
