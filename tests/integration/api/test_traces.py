"""Traces and spans over HTTP say what the store's rows say, whatever senders make of ids and parents."""

import json
from typing import Any

from agent_traces import MS, Sp, agent, chat, id_of, receive, run_of, settle_traces, tool, trace_of
from fastapi.testclient import TestClient
from trace_requests import NOW, S, a_request, a_span, admitted, attributes, take

from agentvigil.api.traces import reading
from agentvigil.receiver.content_policies import ContentPolicies
from agentvigil.semconv.privacy import ContentPolicy
from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.prices.book import PriceBook
from served_api import app_over


def web_request(trace: int, begin: int = 0, error: str | None = None, **more: Any) -> list[Sp]:
    """A web request in which an agent runs, calls a model, and a tool that fails with ``error``."""
    return [
        Sp(1, 0, "POST /chat", begin, begin + 900, trace=trace, error=error, service="web", **more),
        agent(2, 1, start=begin + 100, end=begin + 800, trace=trace, error=error, **more),
        chat(3, 2, start=begin + 200, end=begin + 300, trace=trace, **more),
        tool(4, 2, "refund", begin + 300, begin + 700, trace=trace, error=error, **more),
    ]


def listed(client: TestClient, **asked: Any) -> list[str]:
    """The ids of all traces that are found, page by page."""
    found, cursor = [], None
    while True:
        answer = client.get("/v1/traces", params={**asked, **({"cursor": cursor} if cursor else {})})
        assert answer.status_code == 200, answer.text
        found += [trace["trace_id"] for trace in answer.json()["items"]]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            return found


def tree_of(client: TestClient, trace: int = 1) -> list[tuple[Any, ...]]:
    spans = client.get(f"/v1/traces/{trace_of(trace)}").json()["spans"]
    return [(int(span["span_id"], 16), span["depth"], span["parent_is_missing"]) for span in spans]


def test_a_trace_is_told_by_its_root(client: TestClient, store: EmbeddedStore) -> None:
    receive(store, *web_request(1), *web_request(2, 2000, "TimeoutError"))
    settle_traces(store, {("default", 1): True, ("default", 2): True})

    newest, oldest = client.get("/v1/traces").json()["items"]

    assert (newest["name"], newest["service"], newest["status"]) == ("POST /chat", "web", "error")
    assert (newest["spans"], newest["error_spans"], newest["duration_ms"]) == (4, 3, 900)
    assert newest["runs"] == [run_of(2, 2)]
    assert not newest["root_is_missing"]
    assert (oldest["trace_id"], oldest["status"]) == (trace_of(1), "ok")
    assert client.get(newest["link"]).json()["runs"] == [run_of(2, 2)]


def test_filters_choose_traces_by_their_root(client: TestClient, store: EmbeddedStore) -> None:
    receive(
        store,
        *web_request(1),
        *web_request(2, 2000, "TimeoutError"),
        Sp(1, 0, "GET /health", 3000, 3010, trace=3, service="web"),
        Sp(1, 0, "nightly", 4000, 9000, trace=4, service="jobs"),
        Sp(2, 1, "GET /health", 4000, 4010, trace=4, service="jobs"),
    )
    settle_traces(store, {("default", trace): True for trace in range(1, 5)})

    def found(**asked: Any) -> list[int]:
        return [int(trace_id, 16) for trace_id in listed(client, limit=1, **asked)]

    assert found() == [4, 3, 2, 1]
    assert found(status="error") == [2]
    assert found(status="ok") == [4, 3, 1]
    assert found(name="GET /health") == [3]
    assert found(name=["GET /health", "nightly"]) == [4, 3]
    assert found(service="jobs") == [4]
    assert found(min_duration_ms=900) == [4, 2, 1]
    assert found(max_duration_ms=899.9) == [3]
    assert found(has_runs=True) == [2, 1]
    assert found(has_runs=False) == [4, 3]
    assert found(since="1d", until="2h") == []
    assert found(service="web", status="ok", has_runs=True) == [1]


def test_a_trace_whose_root_is_elsewhere_is_listed_by_its_first_run(client: TestClient, store: EmbeddedStore) -> None:
    """Where a gateway keeps its spans to itself every trace is like this."""
    receive(store, agent(2, 99, "late", 500, 900), agent(3, 99, "early", 100, 400), Sp(9, 98, "lost", trace=2))
    settle_traces(store, {("default", 1): True, ("default", 2): True})

    (trace,) = client.get("/v1/traces").json()["items"]

    assert (trace["trace_id"], trace["name"], trace["duration_ms"]) == (trace_of(1), "early", 300)
    assert trace["root_is_missing"]
    assert trace["runs"] == [run_of(1, 3), run_of(1, 2)]
    assert listed(client, name="early") == [trace_of(1)]
    assert listed(client, name="late") == []
    assert listed(client, has_runs=False) == []


def test_a_trace_with_several_roots_is_listed_once_by_the_first(client: TestClient, store: EmbeddedStore) -> None:
    receive(
        store,
        Sp(1, 0, "first", 0, 10),
        Sp(2, 0, "second", 3_000, 3_010),
        Sp(1, 0, "between", 1_000, 1_010, trace=2),
        Sp(1, 0, "between", 1_000, 1_010, trace=3),
    )

    assert listed(client, limit=1) == [trace_of(3), trace_of(2), trace_of(1)]
    assert listed(client, name="second") == []


def test_a_page_that_costs_too_much_is_told_as_it_is(
    client: TestClient, store: EmbeddedStore, monkeypatch: Any
) -> None:
    """Traces of which only a later root is what was asked for are looked at in vain: nothing after them is lost."""
    monkeypatch.setattr(reading, "_FEWEST_CANDIDATES", 2)
    monkeypatch.setattr(reading, "_MOST_ROUNDS", 1)
    spans = [Sp(1, 0, "wanted", 0, 10, trace=1)]
    for trace in range(2, 9):
        spans += [
            Sp(1, 0, "other", trace * 10, trace * 10 + 1, trace=trace),
            Sp(2, 0, "wanted", trace * 10 + 1, trace=trace),
        ]
    receive(store, *spans)

    page = client.get("/v1/traces", params={"name": "wanted", "limit": 1}).json()

    assert page["items"] == []
    assert page["next_cursor"] is not None
    assert listed(client, name="wanted", limit=1) == [trace_of(1)]


def test_spans_are_told_in_their_tree(client: TestClient, store: EmbeddedStore) -> None:
    PriceBook(store).set([{"provider": "openai", "model": "gpt-4o", "input": 1, "output": 1}])
    receive(store, *web_request(1, error="TimeoutError"))

    answer = client.get(f"/v1/traces/{trace_of(1).upper()}").json()

    assert answer["trace_id"] == trace_of(1)
    assert (answer["status"], answer["duration_ms"], answer["spans_total"], answer["is_complete"]) == (
        "error",
        900,
        4,
        True,
    )
    root, run, call, refund = answer["spans"]
    assert [span["depth"] for span in (root, run, call, refund)] == [0, 1, 2, 2]
    assert (root["parent_span_id"], run["parent_span_id"]) == (None, id_of(1))
    assert (call["operation"], call["model"], call["tokens"]["input"], call["offset_ms"]) == (
        "chat",
        "gpt-4o",
        100,
        200,
    )
    assert call["error"] is None
    assert call["list_cost_usd"] == "0.00011"
    assert (refund["tool"], refund["step_type"], refund["status"]) == ("refund", "tool", "Error")
    assert refund["error"]["message"] == "TimeoutError"
    assert "attributes" not in call


def test_the_tree_is_what_sql_says(client: TestClient, store: EmbeddedStore) -> None:
    receive(store, *web_request(1), *web_request(2, 100, "TimeoutError"))
    columns = "SpanId, SpanName, ServiceName, Duration, StatusCode, Operation, AgentName, ToolName, InputTokens"

    for trace in (1, 2):
        rows = store.rows(
            f"SELECT {columns} FROM otel_traces WHERE TraceId = {{trace:String}} ORDER BY Timestamp, SpanId",
            {"trace": trace_of(trace)},
        )
        spans = client.get(f"/v1/traces/{trace_of(trace)}").json()["spans"]
        told = [
            (
                span["span_id"],
                span["name"],
                span["service"],
                span["duration_ms"] * MS,
                span["status"],
                span["operation"] or "",
                span["agent"] or "",
                span["tool"] or "",
                span["tokens"] and span["tokens"]["input"],
            )
            for span in spans
        ]
        assert told == [tuple(row) for row in rows]


def test_orphans_hang_under_the_root(client: TestClient, store: EmbeddedStore) -> None:
    receive(store, Sp(1), Sp(5, 77, start=5), Sp(6, 5, start=6), Sp(2, 1, start=7))

    assert tree_of(client) == [(1, 0, False), (5, 1, True), (6, 2, False), (2, 1, False)]


def test_orphans_without_a_root_stand_at_the_top(client: TestClient, store: EmbeddedStore) -> None:
    receive(store, Sp(5, 77, start=5), Sp(6, 5, start=6), Sp(2, 78, start=7))

    assert tree_of(client) == [(5, 0, True), (6, 1, False), (2, 0, True)]
    assert client.get(f"/v1/traces/{trace_of(1)}").json()["root_is_missing"]


def test_cycles_lose_no_span(client: TestClient, store: EmbeddedStore) -> None:
    receive(
        store, Sp(1), Sp(2, 4, start=20), Sp(3, 2, start=30), Sp(4, 3, start=40), Sp(5, 4, start=1), Sp(6, 6, start=50)
    )

    assert sorted(tree_of(client)) == [
        (1, 0, False),
        (2, 1, True),
        (3, 1, True),
        (4, 1, True),
        (5, 2, False),
        (6, 1, True),
    ]


def test_two_spans_with_one_id_are_both_there(client: TestClient, store: EmbeddedStore) -> None:
    receive(store, Sp(1), Sp(2, 1, "one", start=10), Sp(2, 1, "other", start=20), Sp(3, 2, start=30))

    assert tree_of(client) == [(1, 0, False), (2, 1, False), (3, 2, False), (2, 1, False)]


def test_of_a_span_that_came_twice_the_last_counts(client: TestClient, store: EmbeddedStore) -> None:
    receive(store, Sp(1, end=10), at_ns=NOW)
    receive(store, Sp(1, end=20, error="TimeoutError"), at_ns=NOW + 2 * S)
    receive(store, Sp(1, end=15), at_ns=NOW + S)

    (trace,) = client.get("/v1/traces").json()["items"]
    (span,) = client.get(f"/v1/traces/{trace_of(1)}").json()["spans"]
    whole = client.get(f"/v1/traces/{trace_of(1)}/spans/{id_of(1)}").json()

    assert (trace["spans"], trace["duration_ms"], trace["status"]) == (1, 20, "error")
    assert (span["duration_ms"], whole["duration_ms"]) == (20, 20)
    assert listed(client, status="ok") == []


def test_of_too_many_spans_the_first_are_told(client: TestClient, store: EmbeddedStore, monkeypatch: Any) -> None:
    monkeypatch.setattr(reading, "MOST_SPANS", 3)
    receive(store, Sp(1), *(Sp(number, 1, start=number) for number in range(2, 7)))

    answer = client.get(f"/v1/traces/{trace_of(1)}").json()

    assert [span["span_id"] for span in answer["spans"]] == [id_of(1), id_of(2), id_of(3)]
    assert (answer["is_complete"], answer["spans_total"]) == (False, 6)


def test_a_span_is_told_whole(client: TestClient, store: EmbeddedStore) -> None:
    receive(
        store,
        chat(
            7,
            error="timed out",
            exception="TimeoutError",
            attributes={"shop.region": "eu", "user.id": "u1", "gen_ai.input.messages": "[]"},
            resource={"deployment.environment.name": "test"},
        ),
    )

    span = client.get(f"/v1/traces/{trace_of(1)}/spans/{id_of(7)}").json()

    assert span["attributes"]["shop.region"] == "eu"
    assert span["resource"]["attributes"] == {"service.name": "shop", "deployment.environment.name": "test"}
    assert (span["scope"]["name"], span["user"], span["provider"]) == (chat(1).scope, "u1", "openai")
    (event,) = span["events"]
    assert (event["name"], event["attributes"]) == ("exception", {"exception.type": "TimeoutError"})
    assert span["error"]["type"] == "TimeoutError"
    assert span["links"] == []


def saying(store: EmbeddedStore, **texts: str) -> None:
    said = {f"gen_ai.{key.replace('_', '.', 1)}": text for key, text in texts.items()}
    take(store, admitted(a_request(a_span(1, attributes=attributes(said)))))


SAID = f"/v1/traces/{'aa' * 15}01/spans/{id_of(1)}"
"""What ``saying`` stores."""


def test_what_was_said_is_told_where_it_is_stored(store: EmbeddedStore) -> None:
    text = json.dumps([{"role": "user", "parts": [{"type": "text", "content": "Hi \0 \ud83d\ude00"}]}])
    saying(store, input_messages=text, output_messages="[]")
    allowed = ContentPolicies({"default": ContentPolicy.FULL})

    with TestClient(app_over(store, policies=allowed), base_url="http://127.0.0.1") as client:
        span = client.get(SAID).json()
        tree = client.get(SAID.partition("/spans/")[0]).json()

    assert span["content"][0] == {"key": "gen_ai.input.messages", "text": text}
    assert (span["content_policy"], span["content_hint"]) == ("full", None)
    assert tree["spans"][0]["has_content"]


def test_a_deleted_message_takes_only_its_text_along(client: TestClient, store: EmbeddedStore) -> None:
    saying(store, input_messages='[{"role": "user"}]', output_messages='[{"role": "assistant"}]')
    store.command(
        "ALTER TABLE content_messages DELETE WHERE Body LIKE '%user%' SETTINGS mutations_sync = 2",
    )

    texts = {said["key"]: said["text"] for said in client.get(SAID).json()["content"]}

    assert texts == {"gen_ai.input.messages": None, "gen_ai.output.messages": '[{"role": "assistant"}]'}


def test_why_nothing_is_said_is_told(client: TestClient, store: EmbeddedStore) -> None:
    receive(store, chat(1))

    span = client.get(f"/v1/traces/{trace_of(1)}/spans/{id_of(1)}").json()

    assert span["content"] == []
    assert span["content_policy"] == "off"
    assert (
        "project default stores no content: start the server with --content-policy default=masked"
        in span["content_hint"]
    )


def test_projects_have_their_own_traces(client: TestClient, store: EmbeddedStore) -> None:
    """The same trace id in two projects is two traces."""
    receive(store, *web_request(1), Sp(1, 0, "theirs", project="other"), Sp(8, 1, "theirs", project="other"))

    theirs = client.get("/v1/traces", params={"project": "other"}).json()["items"]
    tree = client.get(f"/v1/traces/{trace_of(1)}", params={"project": "other"}).json()

    assert [(trace["name"], trace["spans"]) for trace in theirs] == [("theirs", 2)]
    assert len(tree["spans"]) == 2
    assert client.get(f"/v1/traces/{trace_of(1)}/spans/{id_of(8)}").status_code == 404
    assert client.get(f"/v1/traces/{trace_of(1)}", params={"project": "nobodys"}).status_code == 404


def test_hostile_names_are_told_as_they_are(client: TestClient, store: EmbeddedStore) -> None:
    names = [
        "'; DROP TABLE otel_traces --",
        "\\",
        "{project:String}",
        "a\tb\nc",
        "</script>\u202e",
        "{{conditions}}",
        "\0",
    ]
    receive(store, *(Sp(1, 0, name, number * 10, trace=number + 1) for number, name in enumerate(names)))

    for number, name in enumerate(names):
        (trace,) = client.get("/v1/traces", params={"name": name}).json()["items"]
        assert (trace["trace_id"], trace["name"]) == (trace_of(number + 1), name)


def test_ids_that_are_none_are_refused(client: TestClient) -> None:
    trace = trace_of(1)
    for path in ("nothing", "' OR 1", trace[:-1], trace + "0", f"{trace}/spans/1", f"{trace}/spans/{'g' * 16}"):
        assert client.get(f"/v1/traces/{path}").status_code == 422, path
    assert client.get("/v1/traces?colour=red").status_code == 422
    assert client.get(f"/v1/traces/{trace}?colour=red").status_code == 422
    missing = client.get(f"/v1/traces/{trace}")
    assert missing.status_code == 404
    assert missing.json()["detail"] == f"project default has no trace {trace}"
