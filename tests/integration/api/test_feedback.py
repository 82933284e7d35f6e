"""Feedback by the API is the telemetry that the SDK sends, and all of it is told, whichever way it came."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from agent_traces import START, agent, chat, id_of, receive, run_of, settle, settle_traces, trace_of
from fastapi.testclient import TestClient
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from trace_requests import NOW, S, a_span, admitted, attributes, take

from agentvigil.receiver.content_policies import ContentPolicies
from agentvigil.receiver.otlp import LOGS
from agentvigil.semconv import names
from agentvigil.storage.embedded import EmbeddedStore
from served_api import app_over

RUN = run_of(1, 1)
EVENT = names.EVENT_GEN_AI_EVALUATION_RESULT
HOSTILE = "it's \"\\ \n\0 \u2028 =1+1 {x:String} '; DROP TABLE otel_logs"


@pytest.fixture
def run(store: EmbeddedStore) -> None:
    receive(store, agent(1), chat(2, 1))
    settle(store, final=True)


@pytest.fixture
def frank(store: EmbeddedStore) -> Iterator[TestClient]:
    """A client of a server that stores what people say in ``default``, and masks it in ``careful``."""
    policies = ContentPolicies.parse(["default=full", "careful=masked"])
    with TestClient(app_over(store, policies=policies), base_url="http://127.0.0.1") as client:
        yield client


def told(client: TestClient, path: str = "/v1/feedback", **asked: Any) -> list[dict[str, Any]]:
    answer = client.get(path, params=asked)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


def log_event(at_ns: int, said: dict[str, Any], trace_id: bytes = b"", span_id: bytes = b"") -> bytes:
    request = ExportLogsServiceRequest()
    request.resource_logs.add().scope_logs.add().log_records.add(
        time_unix_nano=at_ns, event_name=EVENT, attributes=attributes(said), trace_id=trace_id, span_id=span_id
    )
    return request.SerializeToString()


@pytest.mark.usefixtures("run")
def test_it_becomes_the_event_that_the_sdk_sends(client: TestClient, store: EmbeddedStore) -> None:
    """The keys are those of agentvigil.agent.feedback, so that nobody has to look in two places."""
    answer = client.post(f"/v1/runs/{RUN}/feedback", json={"score": 0.5, "label": "helpful", "source": "reviewer"})

    assert answer.status_code == 201, answer.text
    assert store.rows("SELECT EventName, TraceId, SpanId, ServiceName, Project, LogAttributes FROM otel_logs") == [
        (
            EVENT, trace_of(1), id_of(1), "shop", "default",
            {
                "agentvigil.feedback.label": "helpful", "agentvigil.feedback.run_id": RUN,
                "agentvigil.feedback.score": "0.5", "agentvigil.feedback.source": "reviewer",
                "gen_ai.evaluation.name": "feedback", "gen_ai.evaluation.score.label": "helpful",
                "gen_ai.evaluation.score.value": "0.5",
            },
        )
    ]  # fmt: skip
    (item,) = told(client, f"/v1/runs/{RUN}/feedback")
    assert item.pop("at")[:23] == answer.json()["at"][:23]
    assert item == {
        "run_id": RUN, "trace_id": trace_of(1), "span_id": id_of(1), "name": "feedback", "score": 0.5,
        "label": "helpful", "source": "reviewer", "comment": None,
    }  # fmt: skip


@pytest.mark.usefixtures("run")
def test_a_span_names_its_run(client: TestClient) -> None:
    for span in (1, 2):
        given = {"trace_id": trace_of(1), "span_id": id_of(span), "label": f"of-{span}"}
        assert client.post("/v1/feedback", json=given).json()["run_id"] == RUN

    assert [(item["label"], item["span_id"]) for item in told(client)] == [("of-2", id_of(2)), ("of-1", id_of(1))]


NO_FEEDBACK: list[dict[str, Any]] = [
    {},
    {"comment": "x"},
    {"score": "NaN"},
    {"score": 1e999},
    {"label": "two words"},
    {"label": "a\n"},
    {"label": "x" * 65},
    {"score": 1, "source": "somebody"},
    {"score": 1, "colour": "red"},
    {"score": 1, "name": ""},
    {"score": 1, "comment": "\ud800"},
]


@pytest.mark.usefixtures("run")
def test_what_is_no_feedback_is_refused(client: TestClient, store: EmbeddedStore) -> None:
    headers = {"content-type": "application/json"}
    for given in NO_FEEDBACK:
        answer = client.post(f"/v1/runs/{RUN}/feedback", content=_json(given), headers=headers)
        assert answer.status_code == 422, (given, answer.text)
    assert store.rows("SELECT count() FROM otel_logs") == [(0,)]


@pytest.mark.usefixtures("run")
def test_what_is_judged_must_be_there(client: TestClient) -> None:
    assert client.post("/v1/runs/nothing/feedback", json={"score": 1}).status_code == 404
    assert client.post("/v1/feedback", json={"score": 1, "run_id": "nothing"}).status_code == 404
    unknown = {"score": 1, "trace_id": trace_of(1), "span_id": id_of(9)}
    assert client.post("/v1/feedback", json=unknown).status_code == 404
    assert client.post("/v1/feedback", json={"score": 1}).status_code == 422
    assert client.post("/v1/feedback", json={"score": 1, "trace_id": trace_of(1)}).status_code == 422
    assert client.post("/v1/feedback", json={**unknown, "run_id": RUN}).status_code == 422
    assert client.post(f"/v1/runs/{RUN}/feedback?project=other", json={"score": 1}).status_code == 404


@pytest.mark.usefixtures("run")
def test_comments_are_refused_where_the_policy_is_off(client: TestClient, store: EmbeddedStore) -> None:
    answer = client.post(f"/v1/runs/{RUN}/feedback", json={"score": 1, "comment": "Anna says no"})

    assert answer.status_code == 403
    assert "content policy of project default is off" in answer.json()["detail"]
    assert store.rows("SELECT count() FROM otel_logs") == [(0,)]


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize("comment", ["the second answer was right", HOSTILE])
def test_comments_are_stored_where_they_are_allowed(frank: TestClient, comment: str) -> None:
    answer = frank.post(f"/v1/runs/{RUN}/feedback", json={"score": 1, "comment": comment})

    assert answer.status_code == 201, answer.text
    assert [item["comment"] for item in told(frank)] == [comment]


def test_comments_are_masked_where_the_policy_says_so(frank: TestClient, store: EmbeddedStore) -> None:
    receive(store, agent(1, project="careful"))
    settle(store, final=True, project="careful")

    said = {"score": 1, "comment": "ask anna@example.org"}
    assert frank.post(f"/v1/runs/{RUN}/feedback?project=careful", json=said).status_code == 201

    assert [item["comment"] for item in told(frank, project="careful")] == ["ask [mail]"]
    assert told(frank) == []


def test_what_others_send_is_told_too(client: TestClient, store: EmbeddedStore) -> None:
    """By any OTLP sender, as a log record or on a span, with the conventions' names alone."""
    said = {
        "gen_ai.evaluation.name": "tone",
        "gen_ai.evaluation.score.value": -2,
        "gen_ai.evaluation.score.label": "rude",
    }
    explained = {**said, "gen_ai.evaluation.explanation": "because"}
    take(store, admitted(log_event(NOW - 3 * S, explained, bytes(15) + b"\1", bytes(7) + b"\1"), otlp=LOGS), otlp=LOGS)
    take(store, admitted(log_event(NOW - 2 * S, {"gen_ai.evaluation.score.value": "nan"}), otlp=LOGS), otlp=LOGS)
    other = Span.Event(name="exception", time_unix_nano=NOW - S)
    event = Span.Event(name=EVENT, time_unix_nano=NOW - S, attributes=attributes(explained))
    span = a_span(1, trace_id=bytes(15) + b"\2", start_time_unix_nano=START, events=[other, event])
    request = ExportTraceServiceRequest()
    request.resource_spans.add().scope_spans.add().spans.append(span)
    take(store, admitted(request.SerializeToString()))

    items = told(client)

    assert [(item["run_id"], item["trace_id"], item["span_id"]) for item in items] == [
        (trace_of(2), trace_of(2), id_of(1)),
        ("", None, None),
        (trace_of(1), trace_of(1), id_of(1)),
    ]
    assert [(item["name"], item["score"], item["label"], item["comment"]) for item in items] == [
        ("tone", -2, "rude", "because"),
        ("feedback", None, None, None),
        ("tone", -2, "rude", "because"),
    ]


def test_what_names_a_trace_is_meant_for_its_runs(client: TestClient, store: EmbeddedStore) -> None:
    receive(store, agent(1), agent(1, trace=2))
    settle(store, 1, 2, final=True)
    said = {"agentvigil.feedback.run_id": trace_of(1), "agentvigil.feedback.label": "of-the-trace"}
    take(store, admitted(log_event(NOW, said), otlp=LOGS), otlp=LOGS)

    assert [item["label"] for item in told(client, f"/v1/runs/{RUN}/feedback")] == ["of-the-trace"]
    assert told(client, f"/v1/runs/{run_of(2, 1)}/feedback") == []
    assert len(told(client, run=RUN)) == 1


@pytest.mark.usefixtures("run")
def test_filters_and_pages(client: TestClient, store: EmbeddedStore) -> None:
    for number in range(5):
        said = {"agentvigil.feedback.run_id": RUN, "agentvigil.feedback.score": number, "gen_ai.evaluation.name": "n"}
        take(store, admitted(log_event(NOW + number // 2, said), otlp=LOGS), otlp=LOGS)

    seen: list[float] = []
    cursor = None
    while True:
        page = client.get("/v1/feedback", params={"limit": 2, **({"cursor": cursor} if cursor else {})}).json()
        seen += [item["score"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert (seen[0], sorted(seen)) == (4, [0, 1, 2, 3, 4])
    assert {item["score"] for item in told(client, min_score=1, max_score=3)} == {1, 2, 3}
    assert (len(told(client, name="n")), told(client, name="m"), told(client, label="x")) == (5, [], [])
    assert (told(client, until="1h"), told(client, run="other")) == ([], [])
    assert client.get("/v1/feedback?colour=red").status_code == 422


def test_projects_do_not_see_each_other(client: TestClient, store: EmbeddedStore) -> None:
    for project in ("default", "other"):
        receive(store, agent(1, project=project))
        settle_traces(store, {(project, 1): True})
        assert client.post(f"/v1/runs/{RUN}/feedback?project={project}", json={"label": project}).status_code == 201

    for project in ("default", "other"):
        assert [item["label"] for item in told(client, project=project)] == [project]
        assert [item["label"] for item in told(client, f"/v1/runs/{RUN}/feedback", project=project)] == [project]
    assert store.rows("SELECT Project, Label FROM agent_feedback ORDER BY Project") == [
        ("default", "default"),
        ("other", "other"),
    ]


def _json(given: dict[str, Any]) -> bytes:
    return json.dumps(given).replace('"NaN"', "NaN").replace("Infinity", "1e999").encode()
