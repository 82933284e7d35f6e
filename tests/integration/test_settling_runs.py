"""Which spans make a run, and what its row and the rows of its steps say."""

from collections.abc import Iterator

import pytest
from agent_traces import (
    START,
    Sp,
    agent,
    chat,
    id_of,
    retrieval,
    run_of,
    step,
    tool,
)
from settling_scenarios import Found, Scenarios, within

from agentvigil.storage.embedded import EmbeddedStore
from migrated_stores import MigratedStores

MS = 1_000_000
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


@scenarios.of(
    Sp(1, name="POST /ask", end=2000),
    agent(
        2,
        1,
        "support",
        100,
        1900,
        attributes={
            "gen_ai.agent.version": "1.4",
            "gen_ai.conversation.id": "c-7",
            "user.id": "u-1",
            "gen_ai.workflow.name": "desk",
        },
        resource={"deployment.environment.name": "prod"},
    ),
    chat(3, 2, 200, 500, finish="tool_calls", attributes={"gen_ai.response.time_to_first_chunk": 0.1}),
    tool(4, 2, "search", 500, 900),
    Sp(5, 4, "GET /index", 510, 890),
    chat(6, 2, 900, 1800, tokens=(200, 30), attributes={"gen_ai.response.time_to_first_chunk": 0.25}),
)
def test_the_run_of_an_agent_behind_a_web_request(found: Found) -> None:
    assert found.runs(
        "RunId, TopSpanId, Status, RunName, AgentName, AgentVersion, WorkflowName, ConversationId, UserId, Environment",
    ) == [(run_of(1, 2), id_of(2), "success", "support", "support", "1.4", "desk", "c-7", "u-1", "prod")]
    assert found.runs("Duration, Spans, Steps, Depth, LlmCalls, ToolCalls, Retries, Models, Tools") == [
        (1800 * MS, 5, 3, 1, 2, 1, 0, ["gpt-4o"], ["search"])
    ]
    assert found.runs("InputTokens, OutputTokens, TimeToFirstChunk, UnknownUsageCalls") == [(300, 40, 0.25, 0)]
    assert found.runs("toUnixTimestamp64Nano(Timestamp)") == [START + 100 * MS]
    assert found.steps("Ordinal, SpanId, StepType, StepName, AgentName, Attempt, Depth, ParentStepId") == [
        (1, id_of(3), "plan", "chat gpt-4o", "support", 1, 0, ""),
        (2, id_of(4), "tool", "search", "support", 1, 0, ""),
        (3, id_of(6), "respond", "chat gpt-4o", "support", 1, 0, ""),
    ]


@scenarios.of(
    Sp(1, name="POST /", end=3000),
    agent(2, 1, "first", 0, 1000),
    chat(3, 2, 100, 200),
    agent(4, 1, "second", 1000, 2900),
    agent(5, 4, "inner", 1100, 2000),
    chat(6, 5, 1200, 1300),
)
def test_disjoint_agents_of_one_trace_are_runs_of_their_own_and_nested_ones_are_steps(found: Found) -> None:
    assert found.runs("RunId, AgentName, NestedAgents, LlmCalls, Depth") == [
        (run_of(1, 2), "first", 0, 1, 1),
        (run_of(1, 4), "second", 1, 1, 2),
    ]
    assert found.steps("RunId, SpanId, AgentName, Depth, ParentStepId") == [
        (run_of(1, 2), id_of(3), "first", 0, ""),
        (run_of(1, 4), id_of(5), "inner", 0, ""),
        (run_of(1, 4), id_of(6), "inner", 1, id_of(5)),
    ]


@scenarios.of(Sp(1, name="job", end=500), step(2, 1, "a", 0, 100), chat(3, 2, 0, 90), chat(4, 1, 200, 400))
def test_a_trace_without_an_agent_is_one_run_by_its_root(found: Found) -> None:
    assert found.runs("RunId, RunName, Steps, LlmCalls, Status") == [(run_of(1, 1), "job", 3, 2, "success")]


@scenarios.of(chat(1, 0, 0, 500))
def test_a_call_that_is_a_whole_trace_is_run_and_step(found: Found) -> None:
    assert found.runs("RunId, Steps, LlmCalls, InputTokens") == [(run_of(1, 1), 1, 1, 100)]
    assert found.steps("SpanId, Ordinal, Depth") == [(id_of(1), 1, 0)]


@scenarios.of(
    Sp(1, name="POST /", end=3000),
    step(2, 1, "LangGraph", 0, 2900),
    agent(3, 2, "agent", 0, 1000),
    chat(4, 3, 10, 900),
    step(5, 2, "tools", 1000, 1500),
    tool(6, 5, "search", 1000, 1400),
    agent(7, 2, "agent", 1500, 2800),
    chat(8, 7, 1600, 2700),
)
def test_a_frameworks_step_around_agents_is_their_workflow(found: Found) -> None:
    assert found.runs("RunId, Steps, LlmCalls, ToolCalls, NestedAgents") == [(run_of(1, 2), 6, 2, 1, 2)]


@scenarios.of(Sp(1, name="GET /"), Sp(2, 1, "SELECT"))
def test_traces_without_ai_make_no_run(found: Found) -> None:
    assert found.runs("RunId") == []


@scenarios.of(
    *within("a", agent(1), chat(2, 1)),
    *within("b", agent(1), chat(2, 9)),
)
def test_projects_with_the_same_ids_stay_apart(found: Found) -> None:
    for project in ("a", "b"):
        assert found.within(project).runs("RunId, LlmCalls") == [(run_of(1, 1), 1)]


@scenarios.of(agent(1), chat(3, 2, 100, 200))
def test_spans_whose_parent_was_lost_hang_from_the_root(found: Found) -> None:
    assert found.runs("RunId, Status, LlmCalls") == [(run_of(1, 1), "success", 1)]


@scenarios.of(chat(3, 2, 100, 200), chat(4, 2, 300, 400), tool(5, 7, "search", 300, 400), then=[[agent(2, end=500)]])
def test_a_run_is_open_until_its_top_has_ended(found: Found) -> None:
    assert found.after(1).runs("RunId, TopSpanId, Status, Steps, Duration") == [(run_of(1), "", "open", 3, 300 * MS)]
    assert found.runs("RunId, TopSpanId, Status, Steps, Duration") == [(run_of(1, 2), id_of(2), "success", 3, 500 * MS)]
    assert set(found.steps("RunId")) == {run_of(1, 2)}


@scenarios.of(chat(3, 2, 100, 200), final=True)
def test_what_never_ends_is_settled_as_it_is(found: Found) -> None:
    assert found.runs("RunId, TopSpanId, Status") == [(run_of(1), "", "success")]


@scenarios.of(agent(2, 1, "inner", 100, 500), chat(3, 2, 200, 300), then=[[agent(1, 0, "outer")]])
def test_a_nested_agent_that_ends_before_the_agent_around_it(found: Found) -> None:
    assert found.after(1).runs("RunId, Status, AgentName") == [(run_of(1, 2), "open", "inner")]
    assert found.runs("RunId, Status, AgentName") == [(run_of(1, 1), "success", "outer")]
    assert found.steps("RunId, SpanId") == [(run_of(1, 1), id_of(2)), (run_of(1, 1), id_of(3))]


@scenarios.of(agent(2, 1, remote=True), chat(3, 2))
def test_an_agent_called_from_another_service_waits_for_nobody(found: Found) -> None:
    assert found.runs("RunId, Status") == [(run_of(1, 2), "success")]


@scenarios.of(
    *(twice := [agent(1), chat(2, 1, 100, 200), tool(3, 1, "search", 200, 300)]),
    *twice,
    then=[[*twice, Sp(9, 1)]],
)
def test_a_span_that_came_twice_counts_once(found: Found) -> None:
    assert found.after(1).runs("Spans, Steps, LlmCalls, ToolCalls, InputTokens") == [(3, 2, 1, 1, 100)]
    assert found.runs("Spans, Steps, LlmCalls, ToolCalls, InputTokens") == [(4, 2, 1, 1, 100)]


@scenarios.of(
    agent(1, end=5000),
    tool(2, 1, "search", 0, 100, error="no", attributes={"error.type": "TimeoutError"}),
    tool(3, 1, "search", 100, 200, error="no", attributes={"error.type": "TimeoutError"}),
    tool(4, 1, "search", 200, 300),
    tool(5, 1, "search", 400, 500),
    tool(6, 1, "fetch", 500, 600),
    chat(7, 1, 700, 800),
)
def test_retries_are_numbered_and_mend_what_failed(found: Found) -> None:
    assert found.steps("SpanId, Attempt, Status, IsRecovered") == [
        (id_of(2), 1, "failure", True),
        (id_of(3), 2, "failure", True),
        (id_of(4), 3, "success", False),
        (id_of(5), 1, "success", False),
        (id_of(6), 1, "success", False),
        (id_of(7), 1, "success", False),
    ]
    assert found.runs("Status, Retries, Failures, RecoveredFailures, FirstFailureCode, RootCauseCode") == [
        ("success", 2, 0, 2, "timeout", "")
    ]


@scenarios.of(
    agent(1, end=5000),
    tool(2, 1, "search", 0, 100, error="no"),
    tool(3, 1, "search", 50, 150),
    chat(4, 1, 700, 800),
)
def test_calls_side_by_side_are_no_retries_of_each_other(found: Found) -> None:
    assert found.steps("Attempt, IsRecovered") == [(1, False), (1, False), (1, False)]
    assert found.runs("Status") == ["partial"]


@scenarios.of(
    agent(1, end=5000),
    chat(2, 1, 0, 500, error="", tokens=None, attributes={"agentvigil.step.attempt": 1}),
    chat(3, 1, 400, 900, attributes={"agentvigil.step.attempt": 2}),
)
def test_an_attempt_said_by_hand_is_believed(found: Found) -> None:
    assert found.steps("Attempt, IsRecovered") == [(1, True), (2, False)]


@scenarios.of(
    agent(1, end=1000),
    chat(2, 1, 0, 200),
    tool(3, 1, "slow", 200, 800),
    tool(4, 1, "fast", 200, 500),
    Sp(5, 3, "http", 300, 700),
    retrieval(6, 1, 850, 1000),
)
def test_the_critical_path_goes_through_what_ended_last(found: Found) -> None:
    assert found.steps("SpanId, IsOnCriticalPath, CriticalPathTime, SelfTime", where="1") == [
        (id_of(2), True, 200 * MS, 200 * MS),
        (id_of(3), True, 600 * MS, 600 * MS),
        (id_of(4), False, 0, 300 * MS),
        (id_of(6), True, 150 * MS, 150 * MS),
    ]
    assert found.runs(
        "CriticalPathModelTime, CriticalPathToolTime, CriticalPathRetrievalTime, CriticalPathOtherTime"
    ) == [(200 * MS, 600 * MS, 150 * MS, 50 * MS)]


@scenarios.of(
    agent(1, end=1000),
    agent(2, 1, "inner", 0, 1000),
    chat(3, 2, 100, 300),
    chat(4, 2, 200, 400),
    chat(5, 2, 900, 1500),
)
def test_self_time_is_what_steps_inside_leave(found: Found) -> None:
    assert found.steps("SelfTime", where=f"SpanId = '{id_of(2)}'") == [600 * MS]


@scenarios.of(agent(1), tool(2, 1, "add", 0, 500), tool(3, 2, "add", 100, 400, service="mcp"))
def test_the_clients_and_the_servers_span_of_a_tool_are_one_call(found: Found) -> None:
    assert found.runs("ToolCalls, Steps") == [(1, 2)]


@scenarios.of(
    agent(1),
    Sp(2, 1, "MCP send tools/call add", 0, 500, {"mcp.method.name": "tools/call"}, scope="mcp-python-sdk"),
    tool(3, 2, "add", 100, 400, attributes={"mcp.method.name": "tools/call"}, scope="mcp-python-sdk", service="mcp"),
)
def test_the_client_of_mcps_sdk_names_the_tool_in_the_spans_name_only(found: Found) -> None:
    assert found.runs("ToolCalls, Steps") == [(1, 2)]
    assert found.steps("StepType, StepName") == [("tool", "MCP send tools/call add"), ("tool", "add")]


@scenarios.of(
    *within("its own parent", agent(1, 1), chat(2, 1)),
    *within("each other's parents", agent(1, 2), agent(2, 1), chat(3, 2)),
    *within("beside a root", agent(9), agent(1, 2), agent(2, 1), chat(3, 2)),
    final=True,
)
def test_parents_that_go_round_in_circles(found: Found) -> None:
    assert found.within("its own parent").runs("RunId, LlmCalls") == [(run_of(1, 1), 1)]
    assert found.within("each other's parents").runs("RunId, LlmCalls") == [(run_of(1, 1), 0), (run_of(1, 2), 1)]
    # All hang from the root.
    assert found.within("beside a root").runs("RunId, LlmCalls") == [(run_of(1, 9), 1)]


@scenarios.of(
    *within("short first", agent(1), chat(2, 1, 0, 100, tokens=(1, 1))),
    *within("long first", agent(1), chat(2, 1, 0, 900, tokens=(7, 7))),
    then=[
        [
            *within("short first", chat(2, 1, 0, 900, tokens=(7, 7))),
            *within("long first", chat(2, 1, 0, 100, tokens=(1, 1))),
        ]
    ],
)
def test_of_spans_with_one_id_the_longest_is_believed_whichever_came_first(found: Found) -> None:
    for project in ("short first", "long first"):
        assert found.within(project).runs("InputTokens, LlmCalls") == [(7, 1)]


@scenarios.of(agent(1, 0, "a", 500, 500), chat(2, 1, 0, 5000), tool(3, 1, "t", 600, 600), tool(4, 2, "t", 9000, 9999))
def test_children_beyond_their_parents_time_and_empty_spans(found: Found) -> None:
    assert found.runs("Duration, Steps, CriticalPathModelTime + CriticalPathToolTime + CriticalPathOtherTime") == [
        (0, 3, 0)
    ]
