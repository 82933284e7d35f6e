"""From spans to the account: what settling writes is what explaining reads."""

from typing import Any

from agent_traces import agent, chat, id_of, receive, retrieval, settle, tool

from agentvigil.analysis.explaining import RunFacts, StepFacts, account_of, next_actions_of, root_cause_of
from agentvigil.storage.store import Store

SECRET = "Anna's card 4111 was not found"


def rows_of(store: Store, table: str, order: str) -> list[dict[str, Any]]:
    columns = [
        name
        for (name,) in store.rows(
            "SELECT name FROM system.columns WHERE database = currentDatabase() "
            "AND table = {table:String} ORDER BY position",
            {"table": table},
        )
    ]
    rows = store.rows(f"SELECT {', '.join(columns)} FROM {table} FINAL ORDER BY {order}")
    return [dict(zip(columns, row, strict=True)) for row in rows]


def failing(error: str) -> dict[str, Any]:
    return {"error": SECRET, "attributes": {"error.type": error}}


def test_a_failing_run_from_spans_to_the_account(store: Store) -> None:
    receive(
        store,
        agent(1, 0, "shop", 0, 41_000, **failing("AgentError")),
        chat(2, 1, 0, 900, finish="tool_calls"),
        retrieval(3, 1, 1000, 1500, attributes={"agentvigil.retrieval.document.count": 3}),
        agent(4, 1, "resolver", 2000, 40_000, **failing("AgentError")),
        chat(5, 4, 2000, 2500, model="gpt-4o-mini", finish="tool_calls"),
        *[tool(n, 4, "refund", n * 3000, n * 3000 + 2000, **failing("TimeoutError")) for n in (6, 7, 8)],
    )
    settle(store)
    (run,) = [RunFacts.of_row(row) for row in rows_of(store, "agent_runs", "RunId")]
    steps = [StepFacts.of_row(row) for row in rows_of(store, "agent_steps", "Ordinal")]
    account = account_of(run, steps, steps_total=run.steps)
    told, _, took = account.partition("; gave up; ")
    assert told == ("Searched docs (3 results), handed over to resolver, which called refund three times (timeout ×3)")
    assert took.startswith("2 models, ")
    assert took.endswith(", 41 s.")
    cause = root_cause_of(run, steps)
    assert cause is not None
    assert (cause.span_id, cause.attempts, cause.path) == (id_of(8), 3, ("shop", "resolver", "refund"))
    assert cause.summary == (
        "Tool refund timed out in all 3 attempts (step 7 of 7, inside agent resolver); it was the last step."
    )
    actions = next_actions_of(cause.failure_type, cause.failure_code, tool=cause.name, attempts=cause.attempts)
    assert all("refund" in text or "idempotency" in text or "three attempts" in text for text in actions)
    assert "Anna" not in f"{account} {cause} {actions}"


def test_a_retry_and_the_server_of_a_tool_from_spans_to_the_account(store: Store) -> None:
    receive(
        store,
        agent(1, 0, "shop", 0, 9000),
        tool(2, 1, "add", 0, 500),
        tool(3, 2, "add", 100, 400, service="mcp"),
        chat(4, 1, 1000, 2000, tokens=None, **failing("RateLimitError")),
        chat(5, 1, 3000, 4000),
        chat(6, 5, 3000, 4000, scope="opentelemetry.instrumentation.openai"),
    )
    settle(store)
    (run,) = [RunFacts.of_row(row) for row in rows_of(store, "agent_runs", "RunId")]
    steps = [StepFacts.of_row(row) for row in rows_of(store, "agent_steps", "Ordinal")]
    account = account_of(run, steps, steps_total=run.steps)
    assert account.startswith("Called add, asked gpt-4o twice (rate limited, then fine), answered; ")
    cause = root_cause_of(run, steps)
    assert cause is not None
    assert (cause.span_id, cause.attempts, cause.is_recovered) == (id_of(4), 2, True)
