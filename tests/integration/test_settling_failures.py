"""What failed, why, and what only failed with it."""

from dataclasses import replace
from typing import Any

from agent_traces import Sp, agent, chat, id_of, receive, retrieval, run_of, runs, settle, step, steps, tool

from agentvigil.semconv import failures
from agentvigil.storage.store import Store


def failing(error: str = "", message: str = "", **more: Any) -> dict[str, Any]:
    said = more.pop("attributes", {})
    return {"error": message, "attributes": {**({"error.type": error} if error else {}), **said}, **more}


def test_every_name_and_status_of_the_taxonomy_is_found(store: Store) -> None:
    taxonomy = failures.load()
    expected = {**taxonomy.codes_by_type(vague=False), **taxonomy.codes_by_type(vague=True)}
    statuses = {**taxonomy.codes_by_status(vague=False), **taxonomy.codes_by_status(vague=True)}
    expected |= {str(status): code for status, code in statuses.items()}
    names = list(expected)
    receive(
        store,
        agent(1),
        *[step(n, 1, name, n, n + 1, **failing(f"some.module.{name.title()}")) for n, name in enumerate(names, 2)],
    )
    settle(store)
    found = dict(steps(store, "StepName, FailureCode"))
    assert {name: found[name] for name in names} == expected
    assert set(steps(store, "FailureType")) == {"orchestration"}


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


def test_type_and_code(store: Store) -> None:
    traces = range(1, len(KNOWN) + 1)
    receive(store, *[agent(1, trace=trace) for trace in traces])
    receive(store, *[replace(span, trace=trace) for trace, (span, _) in zip(traces, KNOWN, strict=True)])
    settle(store, *traces)
    assert steps(store, "FailureType, FailureCode") == [expected for _, expected in KNOWN]


def test_a_search_that_found_nothing(store: Store) -> None:
    receive(
        store, agent(1), retrieval(2, 1, 0, 100, attributes={"gen_ai.retrieval.documents": "[]"}), chat(3, 1, 200, 300)
    )
    settle(store)
    assert steps(store, "FailureType, FailureCode, IsSoftFailure") == [
        ("retrieval", "empty_retrieval", True),
        ("", "", False),
    ]
    assert runs(store, "Status, RootCauseCode") == [("partial", "empty_retrieval")]


def test_the_root_cause_is_told_apart_from_its_victims(store: Store) -> None:
    receive(
        store,
        agent(1, 0, "outer", **failing("ToolException", "search failed")),
        agent(2, 1, "inner", 0, 900, **failing("ToolException", "search failed")),
        step(3, 2, "node", 0, 800, **failing("ToolException")),
        tool(4, 3, "search", 0, 700, **failing("TimeoutError", "timed out")),
    )
    settle(store)
    assert steps(store, "SpanId, IsRootCause, IsVictim, FailureCode") == [
        (id_of(2), False, True, "tool_error"),
        (id_of(3), False, True, "tool_error"),
        (id_of(4), True, False, "timeout"),
    ]
    assert runs(
        store,
        "Status, Failures, FirstFailureSpanId, RootCauseType, RootCauseCode, RootCauseSpanId, RootCauseMessage",
    ) == [("failure", 1, id_of(2), "tool", "timeout", id_of(4), "timed out")]


def test_a_plain_span_between_does_not_hide_the_cause(store: Store) -> None:
    receive(store, agent(1, **failing("X")), Sp(2, 1, "wrapper"), tool(3, 2, "t", **failing("TimeoutError")))
    settle(store)
    assert runs(store, "RootCauseSpanId, RootCauseCode") == [(id_of(3), "timeout")]


def test_an_agent_that_fails_by_itself_is_the_cause(store: Store) -> None:
    receive(
        store,
        agent(1, **failing("agents.exceptions.MaxTurnsExceeded", "Max turns (10) exceeded")),
        tool(2, 1, "search", 0, 100, **failing("TimeoutError")),
        tool(3, 1, "search", 100, 200),
        chat(4, 1, 200, 300),
    )
    settle(store)
    assert runs(store, "Status, FirstFailureCode, RootCauseType, RootCauseCode, RootCauseSpanId, Failures") == [
        ("failure", "timeout", "orchestration", "max_steps_exceeded", id_of(1), 1)
    ]
    assert [tuple(row) for row in store.rows(
        "SELECT SpanId, FailureCode, IsRecovered, IsRootCause FROM agent_failures ORDER BY SpanId"
    )] == [(id_of(1), "max_steps_exceeded", False, True), (id_of(2), "timeout", True, False)]  # fmt: skip


def test_a_failed_call_that_ends_the_run_fails_it_though_its_top_says_nothing(store: Store) -> None:
    """The instrumentations of openai-agents leave the root without error on a 429."""
    receive(store, agent(1), tool(2, 1, "t", 0, 100), chat(3, 1, 200, 300, tokens=None, **failing("429")))
    settle(store)
    assert runs(store, "Status, RootCauseType, RootCauseCode, RootCauseSpanId") == [
        ("failure", "model", "rate_limited", id_of(3))
    ]


def test_a_failed_tool_that_the_agent_coped_with_leaves_the_run_partial(store: Store) -> None:
    receive(store, agent(1), tool(2, 1, "t", 0, 100, **failing("TimeoutError")), chat(3, 1, 200, 300))
    settle(store)
    assert runs(store, "Status, Failures, RootCauseSpanId") == [("partial", 1, id_of(2))]


def test_a_top_that_says_ok_is_believed(store: Store) -> None:
    receive(store, agent(1, ok=True), tool(2, 1, "t", 0, 100, **failing("TimeoutError")))
    settle(store)
    assert runs(store, "Status") == ["partial"]


def test_a_failure_of_the_mcp_server_below_an_unset_client_is_found(store: Store) -> None:
    receive(
        store,
        agent(1),
        tool(2, 1, "add", 0, 500),
        tool(3, 2, "add", 100, 400, service="mcp", **failing("tool_error")),
        chat(4, 1, 600, 900),
    )
    settle(store)
    assert runs(store, "Status, RootCauseSpanId, RootCauseCode") == [("partial", id_of(3), "tool_error")]


def test_a_whole_attempt_that_a_later_one_mends(store: Store) -> None:
    receive(
        store,
        agent(1),
        step(2, 1, "try", 0, 100, **failing("ValueError")),
        tool(3, 2, "search", 0, 90, **failing("TimeoutError")),
        step(4, 1, "try", 100, 300),
        tool(5, 4, "search", 100, 200),
    )
    settle(store)
    assert steps(store, "SpanId, Attempt, IsRecovered, IsRootCause, IsVictim", where="Status = 'failure'") == [
        (id_of(2), 1, True, False, False),
        (id_of(3), 1, True, False, False),
    ]
    assert runs(store, "Status, Failures, RecoveredFailures") == [("success", 0, 2)]


def test_retries_that_all_failed_fail_the_run_by_the_last(store: Store) -> None:
    tries = [chat(n, 1, n * 100, n * 100 + 50, tokens=None, **failing("RateLimitError")) for n in (2, 3, 4)]
    receive(store, agent(1, **failing("RateLimitError")), *tries)
    settle(store)
    assert steps(store, "Attempt, IsRootCause") == [(1, True), (2, True), (3, True)]
    assert runs(store, "Status, Retries, FirstFailureSpanId, RootCauseSpanId") == [("failure", 2, id_of(2), id_of(4))]


def test_a_web_request_that_failed_around_a_call_that_did_not(store: Store) -> None:
    receive(store, Sp(1, name="POST /", error="boom"), chat(2, 1, 100, 200))
    settle(store)
    assert runs(store, "RunId, Status, RootCauseType, RootCauseSpanId") == [
        (run_of(1, 1), "failure", "orchestration", id_of(1))
    ]


def test_messages_are_cut_and_odd_bytes_do_no_harm(store: Store) -> None:
    odd = "\\N'\"\n\t\x00 ü{x:String} %s " * 100
    receive(store, agent(1), tool(2, 1, odd[:200], **failing(odd[:100], odd)))
    settle(store)
    (message,) = steps(store, "FailureMessage")
    assert 0 < len(message.encode()) <= 1000


def test_sessions_are_the_runs_of_one_conversation(store: Store) -> None:
    said = {"gen_ai.conversation.id": "c1", "user.id": "u1"}
    receive(
        store,
        agent(1, 0, "a", 0, 1000, attributes=said),
        chat(2, 1),
        agent(1, 0, "b", 2000, 3000, attributes=said, trace=2),
        chat(2, 1, 2000, 2500, trace=2, **failing("429")),
        agent(1, attributes={"gen_ai.conversation.id": "c2"}, trace=3),
    )
    settle(store, 1, 2, 3)
    assert [
        tuple(row)
        for row in store.rows(
            "SELECT ConversationId, Runs, FailedRuns, AgentNames, UserId, LlmCalls, InputTokens, LastRunId "
            "FROM agent_sessions ORDER BY ConversationId"
        )
    ] == [("c1", 2, 1, ["a", "b"], "u1", 2, 200, run_of(2, 1)), ("c2", 1, 0, ["helper"], "", 0, None, run_of(3, 1))]
