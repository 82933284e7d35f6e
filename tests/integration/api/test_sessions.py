"""Sessions over HTTP are the rows of agent_sessions, chosen, ordered and with their runs."""

from decimal import Decimal
from typing import Any
from urllib.parse import quote

from agent_traces import Sp, agent, chat, receive, run_of, settle_traces, tool
from fastapi.testclient import TestClient

from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.prices.book import PriceBook


def turn(trace: int, session: str, begin: int, **how: Any) -> list[Sp]:
    """A run of ``session``: an agent, a call of a model, and a tool that fails with ``error``."""
    error, user, name = how.pop("error", None), how.pop("user", "u1"), how.pop("name", "helper")
    tokens = how.pop("tokens", (1000, 10))
    said = {"gen_ai.conversation.id": session, "user.id": user}
    return [
        agent(1, trace=trace, name=name, start=begin, end=begin + 500, error=error, attributes=said, **how),
        chat(2, 1, begin, begin + 100, trace=trace, tokens=tokens, **how),
        tool(3, 1, "refund", begin + 100, begin + 400, trace=trace, error=error, **how),
    ]


def fill(store: EmbeddedStore, *turns: list[Sp]) -> None:
    """Store and settle ``turns``; a million tokens cost a dollar."""
    PriceBook(store).set([{"provider": "openai", "model": "gpt-4o", "input": 1, "output": 1}])
    spans = [span for one in turns for span in one]
    receive(store, *spans)
    settle_traces(store, {(span.project, span.trace): True for span in spans})


def listed(client: TestClient, **asked: Any) -> list[str]:
    """The ids of all sessions that are found, page by page, one session each."""
    found, cursor = [], None
    while True:
        answer = client.get("/v1/sessions", params={"limit": 1, **asked, **({"cursor": cursor} if cursor else {})})
        assert answer.status_code == 200, answer.text
        found += [session["id"] for session in answer.json()["items"]]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            return found


def test_sessions_are_what_sql_says(client: TestClient, store: EmbeddedStore) -> None:
    fill(
        store,
        turn(1, "a", 0),
        turn(2, "b", 1000, error="TimeoutError"),
        turn(3, "a", 2000, name="other", user="u2"),
        turn(4, "a", 3000, error="TimeoutError", tokens=None),
    )
    rows = store.records("SELECT * FROM agent_sessions ORDER BY LastTimestamp DESC")

    sessions = client.get("/v1/sessions").json()["items"]

    assert [session["id"] for session in sessions] == ["a", "b"] == [row["ConversationId"] for row in rows]
    for session, row in zip(sessions, rows, strict=True):
        assert (session["runs"], session["failed_runs"], session["partial_runs"], session["open_runs"]) == (
            row["Runs"],
            row["FailedRuns"],
            row["PartialRuns"],
            row["OpenRuns"],
        )
        assert session["agents"] == list(row["AgentNames"])
        assert row["UserId"] in session["users"]
        assert (session["llm_calls"], session["tool_calls"]) == (row["LlmCalls"], row["ToolCalls"])
        assert (session["tokens"]["input"], session["tokens"]["output"]) == (row["InputTokens"], row["OutputTokens"])
        assert Decimal(session["cost"]["billed_usd"]) == row["BilledCostUSD"] > 0
        assert session["duration_ms"] == row["Duration"] / 1_000_000
        assert (session["first_run_id"], session["last_run_id"]) == (row["FirstRunId"], row["LastRunId"])
    assert sessions[0]["users"] == ["u1", "u2"]
    assert sessions[0]["tokens"]["calls_without"] == 1


def test_sessions_are_chosen_by_any_of_their_runs(client: TestClient, store: EmbeddedStore) -> None:
    production = {"resource": {"deployment.environment.name": "production"}}
    fill(
        store,
        turn(1, "a", 0, user="u1", **production),
        turn(2, "b", 1000, error="TimeoutError", user="u2"),
        turn(3, "a", 2000, user="u3", name="other"),
        turn(4, "c", 3000, tokens=(1_000_000, 10)),
    )

    assert listed(client) == ["c", "a", "b"]
    assert listed(client, sort="-runs") == ["a", "c", "b"]
    assert listed(client, sort="-cost_usd") == ["c", "a", "b"]
    assert listed(client, user="u3") == ["a"]
    assert listed(client, user=["u2", "u3"]) == ["a", "b"]
    assert listed(client, agent="other") == ["a"]
    assert listed(client, environment="production") == ["a"]
    assert listed(client, status="failure") == ["b"]
    assert listed(client, min_cost_usd="1") == ["c"]
    assert listed(client, until="2h") == []
    (chosen,) = client.get("/v1/sessions", params={"user": "u3"}).json()["items"]
    assert chosen["runs"] == 2


def test_a_session_without_a_price_is_the_cheapest(client: TestClient, store: EmbeddedStore) -> None:
    fill(store, turn(1, "a", 0), turn(2, "b", 1000, tokens=None))

    assert listed(client, sort="-cost_usd") == ["a", "b"]
    assert client.get("/v1/sessions/b").json()["cost"]["billed_usd"] is None
    assert listed(client, min_cost_usd="0") == ["a"]


def test_a_session_is_told_with_its_runs_in_order(client: TestClient, store: EmbeddedStore) -> None:
    fill(store, turn(2, "a", 1000), turn(1, "a", 0), turn(3, "a", 2000), turn(4, "b", 3000))

    first = client.get("/v1/sessions/a", params={"limit": 2}).json()
    second = client.get("/v1/sessions/a", params={"limit": 2, "cursor": first["next_cursor"]}).json()

    assert [run["id"] for run in first["items"] + second["items"]] == [run_of(1, 1), run_of(2, 1), run_of(3, 1)]
    assert second["next_cursor"] is None
    assert first["runs"] == second["runs"] == 3
    assert client.get("/v1/sessions/b", params={"cursor": first["next_cursor"]}).status_code == 400


def test_one_id_in_two_projects_is_two_sessions(client: TestClient, store: EmbeddedStore) -> None:
    fill(store, turn(1, "a", 0), turn(2, "a", 1000, project="other"), turn(3, "a", 2000, project="other"))

    ours, theirs = (client.get("/v1/sessions/a", params={"project": name}).json() for name in ("default", "other"))

    assert ([run["id"] for run in ours["items"]], ours["runs"]) == ([run_of(1, 1)], 1)
    assert ([run["id"] for run in theirs["items"]], theirs["runs"]) == ([run_of(2, 1), run_of(3, 1)], 2)
    assert client.get("/v1/sessions/a", params={"project": "nobodys"}).status_code == 404


def test_any_id_names_its_session(client: TestClient, store: EmbeddedStore) -> None:
    """Ids come from senders; with the policy `full` they are stored as they are."""
    ids = [
        "tenant/7/chat",
        "//",
        "a b?c#d",
        "'; DROP TABLE agent_runs --",
        "{x:String}",
        "a\\b",
        "\u00fc\u202e",
        "a\nb\n",
    ]
    fill(store, *(turn(number, session, number * 1000) for number, session in enumerate(ids, 1)))

    for session in client.get("/v1/sessions").json()["items"]:
        assert client.get(session["link"]).json().get("id") == session["id"], session["link"]
    for session_id in ids:
        answer = client.get(f"/v1/sessions/{quote(session_id, safe='')}")
        assert (answer.json()["id"], answer.json()["runs"]) == (session_id, 1)


def test_ids_longer_than_a_cursor_stop_no_pages(client: TestClient, store: EmbeddedStore) -> None:
    ids = ["\u00fc" * 900, "\u00f6" * 900, "a"]
    fill(store, *(turn(number, session, 0) for number, session in enumerate(ids, 1)))

    assert sorted(listed(client)) == sorted(ids)


def test_what_is_no_session_is_said_so(client: TestClient) -> None:
    answer = client.get("/v1/sessions/a/b")

    assert answer.status_code == 404
    assert answer.json()["detail"] == "project default has no session 'a/b'"
    assert client.get("/v1/sessions/").status_code == 422
    assert client.get("/v1/sessions?sort=last_at").status_code == 422
    assert client.get("/v1/sessions/a?since=1d").status_code == 422
