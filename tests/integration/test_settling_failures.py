"""What failed, why, and what only failed with it."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from agent_traces import Sp, agent, chat, id_of, retrieval, run_of, step, tool
from settling_scenarios import Found, Scenarios

from agentvigil.semconv import failures
from agentvigil.storage.embedded import EmbeddedStore
from migrated_stores import MigratedStores

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


def failing(error: str = "", message: str = "", **more: Any) -> dict[str, Any]:
    said = more.pop("attributes", {})
    return {"error": message, "attributes": {**({"error.type": error} if error else {}), **said}, **more}


def every_name_and_status() -> dict[str, str]:
    taxonomy = failures.load()
    names = {**taxonomy.codes_by_type(vague=False), **taxonomy.codes_by_type(vague=True)}
    statuses = {**taxonomy.codes_by_status(vague=False), **taxonomy.codes_by_status(vague=True)}
    return names | {str(status): code for status, code in statuses.items()}


@scenarios.of(
    agent(1),
    *[
        step(n, 1, name, n, n + 1, **failing(f"some.module.{name.title()}"))
        for n, name in enumerate(every_name_and_status(), 2)
    ],
)
def test_every_name_and_status_of_the_taxonomy_is_found(found: Found) -> None:
    assert dict(found.steps("StepName, FailureCode")) == every_name_and_status()
    assert set(found.steps("FailureType")) == {"orchestration"}


KNOWN: list[tuple[Sp, tuple[str, str]]] = [
    (chat(2, 1, **failing("openai.RateLimitError")), ("model", "rate_limited")),
    (chat(2, 1, **failing("anthropic.APIStatusError", "Error code: 529 - Overloaded")), ("model", "unavailable")),
    (
        chat(2, 1, **failing("openai.BadRequestError", "This model's maximum context length is 8192 tokens")),
        ("model", "context_length_exceeded"),
    ),
    (chat(2, 1, **failing("openai.BadRequestError", "no idea")), ("model", "invalid_request")),
    (chat(2, 1, **failing("400")), ("model", "invalid_request")),
    (chat(2, 1, **failing("429")), ("model", "rate_limited")),
    (chat(2, 1, **failing("", "", exception="httpx.ReadTimeout")), ("model", "timeout")),
    (chat(2, 1, **failing("", "Invalid API key provided")), ("model", "auth")),
    (chat(2, 1, attributes={"http.response.status_code": 503}), ("model", "unavailable")),
    (chat(2, 1, attributes={"http.response.status_code": 200}), ("", "")),
    (chat(2, 1, finish="content_filter"), ("model", "content_filtered")),
    (chat(2, 1, finish="max_tokens"), ("model", "truncated")),
    (tool(2, 1, "t", **failing("ToolException")), ("tool", "tool_error")),
    (tool(2, 1, "t", **failing("", "something odd")), ("tool", "tool_error")),
    (tool(2, 1, "t", **failing("pydantic_core._pydantic_core.ValidationError")), ("tool", "schema_invalid")),
    (tool(2, 1, "t", **failing("asyncio.exceptions.CancelledError")), ("tool", "cancelled")),
    (retrieval(2, 1, **failing("", "connection refused")), ("retrieval", "unavailable")),
    (step(2, 1, "s", **failing("langgraph.errors.GraphRecursionError")), ("orchestration", "max_steps_exceeded")),
    (step(2, 1, "s", **failing("langgraph.errors.GraphInterrupt")), ("", "")),
    (agent(2, 1, "a", **failing("agents.exceptions.MaxTurnsExceeded")), ("orchestration", "max_steps_exceeded")),
    (agent(2, 1, "a", **failing("ValueError")), ("orchestration", "other")),
    (
        step(2, 1, "s", attributes={"agentvigil.failure.type": "tool", "agentvigil.failure.code": "out_of_stock"}),
        ("tool", "out_of_stock"),
    ),
    (
        tool(2, 1, "t", **failing("TimeoutError", attributes={"agentvigil.failure.code": "wrong_answer"})),
        ("tool", "wrong_answer"),
    ),
]


@scenarios.of(
    *[agent(1, trace=trace) for trace in range(1, len(KNOWN) + 1)],
    *[replace(span, trace=trace) for trace, (span, _) in enumerate(KNOWN, 1)],
)
def test_type_and_code(found: Found) -> None:
    assert found.steps("FailureType, FailureCode") == [expected for _, expected in KNOWN]


@scenarios.of(
    agent(1), retrieval(2, 1, 0, 100, attributes={"agentvigil.retrieval.document.count": 0}), chat(3, 1, 200, 300)
)
def test_a_search_that_found_nothing_and_tells_no_documents(found: Found) -> None:
    assert found.steps("FailureCode, RetrievedDocuments") == [("empty_retrieval", 0), ("", None)]


@scenarios.of(agent(1), retrieval(2, 1, attributes={"agentvigil.retrieval.document.count": 3}))
def test_a_search_that_found_something_and_tells_no_documents(found: Found) -> None:
    assert found.steps("FailureCode, RetrievedDocuments") == [("", 3)]


@scenarios.of(agent(1), retrieval(2, 1, 0, 100, attributes={"gen_ai.retrieval.documents": "[]"}), chat(3, 1, 200, 300))
def test_a_search_that_found_nothing(found: Found) -> None:
    assert found.steps("FailureType, FailureCode, IsSoftFailure") == [
        ("retrieval", "empty_retrieval", True),
        ("", "", False),
    ]
    assert found.runs("Status, RootCauseCode") == [("partial", "empty_retrieval")]


@scenarios.of(
    agent(1, 0, "outer", **failing("ToolException", "search failed")),
    agent(2, 1, "inner", 0, 900, **failing("ToolException", "search failed")),
    step(3, 2, "node", 0, 800, **failing("ToolException")),
    tool(4, 3, "search", 0, 700, **failing("TimeoutError", "timed out")),
)
def test_the_root_cause_is_told_apart_from_its_victims(found: Found) -> None:
    assert found.steps("SpanId, IsRootCause, IsVictim, FailureCode") == [
        (id_of(2), False, True, "tool_error"),
        (id_of(3), False, True, "tool_error"),
        (id_of(4), True, False, "timeout"),
    ]
    assert found.runs(
        "Status, Failures, FirstFailureSpanId, RootCauseType, RootCauseCode, RootCauseSpanId, RootCauseMessage",
    ) == [("failure", 1, id_of(2), "tool", "timeout", id_of(4), "timed out")]


@scenarios.of(agent(1, **failing("X")), Sp(2, 1, "wrapper"), tool(3, 2, "t", **failing("TimeoutError")))
def test_a_plain_span_between_does_not_hide_the_cause(found: Found) -> None:
    assert found.runs("RootCauseSpanId, RootCauseCode") == [(id_of(3), "timeout")]


@scenarios.of(
    agent(1, **failing("agents.exceptions.MaxTurnsExceeded", "Max turns (10) exceeded")),
    tool(2, 1, "search", 0, 100, **failing("TimeoutError")),
    tool(3, 1, "search", 100, 200),
    chat(4, 1, 200, 300),
)
def test_an_agent_that_fails_by_itself_is_the_cause(found: Found) -> None:
    assert found.runs("Status, FirstFailureCode, RootCauseType, RootCauseCode, RootCauseSpanId, Failures") == [
        ("failure", "timeout", "orchestration", "max_steps_exceeded", id_of(1), 1)
    ]
    assert found.rows("agent_failures", "SpanId, FailureCode, IsRecovered, IsRootCause", order="SpanId") == [
        (id_of(1), "max_steps_exceeded", False, True),
        (id_of(2), "timeout", True, False),
    ]


@scenarios.of(agent(1), tool(2, 1, "t", 0, 100), chat(3, 1, 200, 300, tokens=None, **failing("429")))
def test_a_failed_call_that_ends_the_run_fails_it_though_its_top_says_nothing(found: Found) -> None:
    """The instrumentations of openai-agents leave the root without error on a 429."""
    assert found.runs("Status, RootCauseType, RootCauseCode, RootCauseSpanId") == [
        ("failure", "model", "rate_limited", id_of(3))
    ]


@scenarios.of(agent(1), tool(2, 1, "t", 0, 100, **failing("TimeoutError")), chat(3, 1, 200, 300))
def test_a_failed_tool_that_the_agent_coped_with_leaves_the_run_partial(found: Found) -> None:
    assert found.runs("Status, Failures, RootCauseSpanId") == [("partial", 1, id_of(2))]


@scenarios.of(agent(1, ok=True), tool(2, 1, "t", 0, 100, **failing("TimeoutError")))
def test_a_top_that_says_ok_is_believed(found: Found) -> None:
    assert found.runs("Status") == ["partial"]


@scenarios.of(
    agent(1),
    tool(2, 1, "add", 0, 500),
    tool(3, 2, "add", 100, 400, service="mcp", **failing("tool_error")),
    chat(4, 1, 600, 900),
)
def test_a_failure_of_the_mcp_server_below_an_unset_client_is_found(found: Found) -> None:
    assert found.runs("Status, RootCauseSpanId, RootCauseCode") == [("partial", id_of(3), "tool_error")]


@scenarios.of(
    agent(1),
    step(2, 1, "try", 0, 100, **failing("ValueError")),
    tool(3, 2, "search", 0, 90, **failing("TimeoutError")),
    step(4, 1, "try", 100, 300),
    tool(5, 4, "search", 100, 200),
)
def test_a_whole_attempt_that_a_later_one_mends(found: Found) -> None:
    assert found.steps("SpanId, Attempt, IsRecovered, IsRootCause, IsVictim", where="Status = 'failure'") == [
        (id_of(2), 1, True, False, False),
        (id_of(3), 1, True, False, False),
    ]
    assert found.runs("Status, Failures, RecoveredFailures") == [("success", 0, 2)]


@scenarios.of(
    agent(1, **failing("RateLimitError")),
    *[chat(n, 1, n * 100, n * 100 + 50, tokens=None, **failing("RateLimitError")) for n in (2, 3, 4)],
)
def test_retries_that_all_failed_fail_the_run_by_the_last(found: Found) -> None:
    assert found.steps("Attempt, IsRootCause") == [(1, True), (2, True), (3, True)]
    assert found.runs("Status, Retries, FirstFailureSpanId, RootCauseSpanId") == [("failure", 2, id_of(2), id_of(4))]


@scenarios.of(Sp(1, name="POST /", error="boom"), chat(2, 1, 100, 200))
def test_a_web_request_that_failed_around_a_call_that_did_not(found: Found) -> None:
    assert found.runs("RunId, Status, RootCauseType, RootCauseSpanId") == [
        (run_of(1, 1), "failure", "orchestration", id_of(1))
    ]


ODD = "\\N'\"\n\t\x00 ü{x:String} %s " * 100


@scenarios.of(agent(1), tool(2, 1, ODD[:200], **failing(ODD[:100], ODD)))
def test_messages_are_cut_and_odd_bytes_do_no_harm(found: Found) -> None:
    (message,) = found.steps("FailureMessage")
    assert 0 < len(message.encode()) <= 1000


SAID = {"gen_ai.conversation.id": "c1", "user.id": "u1"}


@scenarios.of(
    agent(1, 0, "a", 0, 1000, attributes=SAID),
    chat(2, 1),
    agent(1, 0, "b", 2000, 3000, attributes=SAID, trace=2),
    chat(2, 1, 2000, 2500, trace=2, **failing("429")),
    agent(1, attributes={"gen_ai.conversation.id": "c2"}, trace=3),
)
def test_sessions_are_the_runs_of_one_conversation(found: Found) -> None:
    columns = "ConversationId, Runs, FailedRuns, AgentNames, UserId, LlmCalls, InputTokens, LastRunId"
    assert found.rows("agent_sessions", columns, order="ConversationId") == [
        ("c1", 2, 1, ["a", "b"], "u1", 2, 200, run_of(2, 1)),
        ("c2", 1, 0, ["helper"], "", 0, None, run_of(3, 1)),
    ]
