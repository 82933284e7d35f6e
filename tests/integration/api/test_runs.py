"""Runs over HTTP say what the store's rows say, page by page, for the project that is asked for."""

from typing import Any

from agent_traces import START, agent, chat, id_of, receive, run_of, settle_traces, tool, trace_of
from fastapi.testclient import TestClient

from agentvigil.storage.embedded import EmbeddedStore


def fill(store: EmbeddedStore, count: int, **more: Any) -> None:
    """Store and settle ``count`` runs, a second apart, every third of which fails in its tool."""
    spans = []
    for number in range(1, count + 1):
        failed = "TimeoutError" if number % 3 == 0 else None
        begin = number * 1000
        spans += [
            agent(1, trace=number, name=f"agent{number % 2}", start=begin, end=begin + 500, error=failed, **more),
            chat(2, 1, start=begin, end=begin + 100, trace=number, tokens=(100 * number, 10), **more),
            tool(3, 1, "refund", begin + 100, begin + 400, trace=number, error=failed, **more),
        ]
    receive(store, *spans)
    settle_traces(store, {(more.get("project", "default"), number): True for number in range(1, count + 1)})


def test_a_run_is_told_with_its_numbers(client: TestClient, store: EmbeddedStore) -> None:
    fill(store, 3)

    run = client.get(f"/v1/runs/{run_of(3, 1)}").json()

    assert run["agent"] == "agent1"
    assert run["status"] == "failure"
    assert (run["llm_calls"], run["tool_calls"], run["models"], run["tools"]) == (1, 1, ["gpt-4o"], ["refund"])
    assert run["duration_ms"] == 500
    assert run["tokens"]["input"] == 300
    assert run["root_cause"]["type"] == "tool"
    assert run["started_at"].endswith("Z")
    assert run["links"]["steps"] == f"/v1/runs/{run_of(3, 1)}/steps"


def test_pages_hold_every_run_once(client: TestClient, store: EmbeddedStore) -> None:
    fill(store, 7)
    seen: list[str] = []
    cursor = None
    while True:
        page = client.get("/v1/runs", params={"limit": 2, **({"cursor": cursor} if cursor else {})}).json()
        seen += [run["trace_id"] for run in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert seen == [trace_of(number) for number in range(7, 0, -1)]


def test_steps_are_in_order(client: TestClient, store: EmbeddedStore) -> None:
    fill(store, 1)

    steps = client.get(f"/v1/runs/{run_of(1, 1)}/steps").json()["items"]

    assert [(step["ordinal"], step["type"], step["span_id"], step["offset_ms"]) for step in steps] == [
        (1, "respond", id_of(2), 0),
        (2, "tool", id_of(3), 100),
    ]


def test_what_is_not_there_is_said_so(client: TestClient) -> None:
    answer = client.get("/v1/runs/nothing")

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert "project default has no run 'nothing'" in answer.json()["detail"]
    assert client.get("/v1/runs?colour=red").status_code == 422
    assert client.get("/v1/runs?cursor=abc").status_code == 400
    assert START


def test_why_a_run_failed_is_one_request(client: TestClient, store: EmbeddedStore) -> None:
    fill(store, 6)

    told = client.get(f"/v1/runs/{run_of(6, 1)}/failures").json()

    assert told["root_cause"]["summary"].startswith("Tool refund timed out")
    assert (told["root_cause"]["type"], told["root_cause"]["code"]) == ("tool", "timeout")
    assert [step["span_id"] for step in told["failures"]] == [id_of(3)]
    assert told["next_actions"]
    assert "refund" in told["account"]
    assert told["similar"]["runs"] == 0  # run 3 failed the same way, and is another agent's
    expected = "/v1/runs?agent=agent0&failure_type=tool&failure_code=timeout&tool=refund&since="
    assert told["similar"]["list"].startswith(expected)


def test_similar_failures_are_those_of_the_same_agent_and_tool(client: TestClient, store: EmbeddedStore) -> None:
    fill(store, 9)

    similar = client.get(f"/v1/runs/{run_of(9, 1)}/failures").json()["similar"]

    assert similar["runs"] == 1
    assert [run["id"] for run in similar["newest"]] == [run_of(3, 1)]
    listed = client.get(similar["list"]).json()["items"]
    assert {run["id"] for run in listed} == {run_of(9, 1), run_of(3, 1)}


def test_runs_are_found_by_the_tags_that_their_programs_set(client: TestClient, store: EmbeddedStore) -> None:
    """As ``agent.tag(team="billing")`` does."""
    receive(
        store,
        agent(1, attributes={"agentvigil.tag.team": "billing", "agentvigil.tag.beta": True}),
        chat(2, 1, attributes={"agentvigil.tag.team": "billing"}),
        agent(1, trace=2, attributes={"agentvigil.tag.team": "search"}),
    )
    settle_traces(store, {("default", 1): True, ("default", 2): True})
    client.put(f"/v1/runs/{run_of(2, 1)}/tags/to-review")

    def found(*tags: str) -> list[str]:
        return [run["id"] for run in client.get("/v1/runs", params={"tag": tags, "sort": "started_at"}).json()["items"]]

    assert found("team=billing") == [run_of(1, 1)]
    assert found("team=billing", "to-review") == [run_of(1, 1), run_of(2, 1)]
    assert found("team") == []
    assert client.get(f"/v1/runs/{run_of(1, 1)}").json()["tags"] == ["beta=true", "team=billing"]
    assert client.get(f"/v1/runs/{run_of(2, 1)}").json()["tags"] == ["team=search", "to-review"]
