"""What operators see of the API: ids of requests, counts, log lines, spans, and whether it is alive and ready."""

import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.responses import StreamingResponse
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry
from starlette.testclient import TestClient

from agentvigil.api.operations import Check, operations_router
from agentvigil.api.problems import Unavailable, answer_problems
from agentvigil.api.request_ids import RequestIds, current_request_id
from agentvigil.api.telemetry import UNTRACED, ApiMetrics, ApiTelemetry
from agentvigil.cli.health import HealthChecks
from agentvigil.receiver.ingest import DiskHeadroom
from agentvigil.storage.access import Access, KeyBook
from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.errors import QueryFailed
from agentvigil.storage.store import Store

DOCUMENT = Path(__file__).parents[2] / "docs" / "metrics.md"


class Bench:
    """An application with every kind of answer, watched as the server watches its own."""

    def __init__(self) -> None:
        app = FastAPI()
        app.state.access, app.state.cors_origins = Access(KeyBook(cast("EmbeddedStore", None))), frozenset[str]()
        answer_problems(app)
        things = APIRouter(prefix="/things")

        @things.get("/{thing_id}")
        def thing(thing_id: str) -> dict[str, str]:
            trace.get_current_span().set_attribute("seen", True)
            return {"thing": thing_id, "request_id": current_request_id()}

        @things.get("/{thing_id}/stream")
        async def stream(thing_id: str) -> StreamingResponse:
            return StreamingResponse(iter(["a", "b"]))

        @things.post("/{thing_id}/fail")
        def fail(thing_id: str) -> None:
            raise LookupError(f"secret of {thing_id}")

        @things.get("/{thing_id}/busy")
        def busy(thing_id: str) -> None:
            raise Unavailable(f"{thing_id} is busy")

        app.include_router(things, prefix="/v1")
        self.checks = [Check(name="store", ok=True, detail="answered in 1 ms")]
        self.registry = CollectorRegistry()
        app.include_router(operations_router(lambda: self.checks, self.registry))
        self.spans = InMemorySpanExporter()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self.spans))
        self.metrics = ApiMetrics(self.registry)
        watched = ApiTelemetry(app, self.metrics, provider.get_tracer("test"))
        self.client = TestClient(RequestIds(watched), base_url="http://127.0.0.1", raise_server_exceptions=False)

    def count(self, method: str, route: str, status: int) -> float:
        labels = {"method": method, "route": route, "status": str(status)}
        return self.registry.get_sample_value("agentvigil_api_requests_total", labels) or 0


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    with bench.client:
        yield bench


# --- ids of requests


def test_a_label_of_the_callers_is_the_requests_id(bench: Bench) -> None:
    """Whoever calls us from a system with ids of its own looks for them in our logs."""
    answer = bench.client.get("/v1/things/7", headers={"X-Request-Id": "web-1/a:b@c.d_e"})

    assert answer.headers["x-request-id"] == "web-1/a:b@c.d_e"
    assert answer.json()["request_id"] == "web-1/a:b@c.d_e", "the context reaches threads"


@pytest.mark.parametrize("given", [None, "", "two words", "x" * 65, "\u00e9", "a\tb", "<script>"])
def test_anything_else_is_replaced(bench: Bench, given: str | None) -> None:
    """It is written to logs and headers, where a hostile one could pass for something else."""
    headers = {} if given is None else {"X-Request-Id": given.encode()}
    answers = [bench.client.get("/v1/things/7", headers=headers) for _ in range(2)]

    made = [answer.headers["x-request-id"] for answer in answers]
    assert all(re.fullmatch("[0-9a-f]{32}", request_id) for request_id in made)
    assert made[0] != made[1]


@pytest.mark.parametrize(("path", "status"), [("/v1/things/7/fail", 500), ("/nowhere", 404)])
def test_answers_that_say_no_have_an_id_too(bench: Bench, path: str, status: int) -> None:
    """These are the ones that people ask about."""
    answer = bench.client.post(path, headers={"X-Request-Id": "asked"})

    assert (answer.status_code, answer.headers["x-request-id"]) == (status, "asked")


# --- metrics


def test_requests_are_counted_by_their_route_and_never_by_their_path(bench: Bench) -> None:
    """A label for each path would let anybody fill our memory, and Prometheus' disk."""
    for thing in ("1", "2"):
        bench.client.get(f"/v1/things/{thing}?q=1")
    bench.client.get("/v1/things/1/stream")
    bench.client.post("/v1/things/1/fail")
    bench.client.post("/v1/things/1")
    bench.client.get("/wp-login.php")
    bench.client.request("BREW", "/coffee")

    assert bench.count("GET", "/v1/things/{thing_id}", 200) == 2
    assert bench.count("GET", "/v1/things/{thing_id}/stream", 200) == 1
    assert bench.count("POST", "/v1/things/{thing_id}/fail", 500) == 1
    assert bench.count("POST", "/v1/things/{thing_id}", 405) == 1
    assert bench.count("GET", "none", 404) == 1
    assert bench.count("other", "none", 404) == 1
    seconds = "agentvigil_api_request_seconds_count"
    assert bench.registry.get_sample_value(seconds, {"route": "/v1/things/{thing_id}"}) == 3
    text = DOCUMENT.read_text(encoding="utf-8")
    assert "`agentvigil_api_requests_total`" in text
    assert "`agentvigil_api_request_seconds`" in text


# --- log lines


def test_success_is_a_line_for_debugging_and_failure_a_warning(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """A line for each success drowns the others; a failure says which route, and why, and quotes nobody."""
    with caplog.at_level(logging.DEBUG, "agentvigil.api.access"):
        bench.client.get("/v1/things/secret?key=secret")
        bench.client.post("/v1/things/secret/fail")
        bench.client.get("/v1/things/secret/busy")
    lines = [record for record in caplog.records if record.name == "agentvigil.api.access"]

    assert [(line.levelname, line.getMessage().partition(" in ")[0]) for line in lines] == [
        ("DEBUG", "GET /v1/things/{thing_id} 200"),
        ("WARNING", "POST /v1/things/{thing_id}/fail 500"),
        ("WARNING", "GET /v1/things/{thing_id}/busy 503"),
    ]
    assert lines[1].getMessage().endswith(" ms: LookupError")
    assert lines[2].getMessage().endswith(" ms: Service unavailable")
    assert not any("secret" in line.getMessage() for line in lines)


# --- spans


def test_each_request_is_a_span_of_a_trace_of_its_own(bench: Bench) -> None:
    """A caller that sends a traceparent must not decide what we sample, nor find our spans in an agent's trace."""
    parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
    bench.client.get("/v1/things/7?q=secret", headers={"traceparent": parent})
    bench.client.post("/v1/things/7/fail")
    found, failed = bench.spans.get_finished_spans()

    assert found.name == "GET /v1/things/{thing_id}"
    assert found.parent is None
    assert f"{found.context.trace_id:032x}" not in parent
    assert dict(found.attributes or {}) == {
        "seen": True,
        "http.request.method": "GET",
        "http.route": "/v1/things/{thing_id}",
        "http.response.status_code": 200,
    }
    assert failed.status.status_code is trace.StatusCode.ERROR
    assert dict(failed.attributes or {})["error.type"] == "LookupError"
    assert failed.events == (), "an exception's message may quote data"


def test_probes_and_scrapes_are_no_spans(bench: Bench) -> None:
    """They come every few seconds for as long as the server lives."""
    for path in UNTRACED:
        assert bench.client.get(path).status_code == 200

    assert bench.spans.get_finished_spans() == ()


# --- health


def test_a_server_that_is_well_is_alive_and_ready(bench: Bench) -> None:
    health = bench.client.get("/health")

    assert health.status_code == 200
    assert health.json() | {"version": ""} == {
        "status": "ok",
        "live": True,
        "ready": True,
        "version": "",
        "checks": [{"name": "store", "ok": True, "detail": "answered in 1 ms"}],
    }
    assert bench.client.get("/health/ready").json() == {"ready": True, "reasons": []}
    assert bench.client.get("/health/live").json()["live"] is True


def test_a_server_that_can_not_store_is_alive_and_not_ready(bench: Bench) -> None:
    """Restarting it would not bring ClickHouse back, and would lose what it holds."""
    bench.checks.append(Check(name="disk", ok=False, detail="1 MiB free, 1024 MiB kept"))
    health, ready, live = (bench.client.get(path) for path in ("/health", "/health/ready", "/health/live"))

    assert (health.status_code, health.json()["status"]) == (503, "failing")
    assert (health.json()["live"], health.json()["ready"]) == (True, False)
    assert (ready.status_code, ready.json()) == (503, {"ready": False, "reasons": ["disk: 1 MiB free, 1024 MiB kept"]})
    assert live.status_code == 200


def failing(checks: HealthChecks) -> dict[str, str]:
    return {check.name: check.detail for check in checks() if not check.ok}


def test_a_server_that_stops_says_so(store: EmbeddedStore) -> None:
    """A load balancer should look elsewhere while what was taken is being stored."""
    checks = HealthChecks(store, DiskHeadroom(None, 0), None)
    assert failing(checks) == {}

    checks.stop()

    assert failing(checks) == {"running": "the server is stopping"}


def test_a_full_disk_and_a_store_that_is_away_are_told_with_figures(
    store: EmbeddedStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An operator should know from the answer alone what to do."""

    def away(*_: object) -> None:
        raise QueryFailed(0, "OperationalError", "connection refused")

    monkeypatch.setattr(store, "rows", away)
    found = failing(HealthChecks(store, DiskHeadroom(tmp_path, 2**60), None))

    assert found.keys() == {"store", "disk"}
    assert found["store"] == "ClickHouse did not answer (OperationalError)"
    assert found["disk"].endswith(f"{2**40} MiB kept")


@pytest.mark.parametrize(
    ("change", "is_ready", "words"),
    [
        ("ALTER TABLE agentvigil_migrations DELETE WHERE Version = 11 SETTINGS mutations_sync = 1", False, "missing"),
        ("INSERT INTO agentvigil_migrations (Version, Name, Checksum) VALUES (999, 'x', 'x')", True, "version 999"),
    ],
    ids=["older", "newer"],
)
def test_the_schema_of_a_server_is_looked_at(servers_store: Store, change: str, is_ready: bool, words: str) -> None:
    """Somebody may restore an old copy; a newer release that is being rolled out must not stop the ones before it."""
    checks = HealthChecks(servers_store, DiskHeadroom(None, 0), None)
    assert [check.detail for check in checks() if check.name == "schema"] == ["as this release knows it"]

    servers_store.command(change)

    (schema,) = [check for check in checks() if check.name == "schema"]
    assert schema.ok is is_ready
    assert words in schema.detail


def test_every_answer_is_documented_with_an_example(bench: Bench) -> None:
    """Who reads the OpenAPI document sees what a probe will see."""
    document: dict[str, Any] = bench.client.get("/openapi.json").json()

    for path in ("/health", "/health/ready"):
        answers = document["paths"][path]["get"]["responses"]
        assert answers.keys() == {"200", "503"}, "nothing else, and nothing undocumented"
        assert answers["503"]["content"]["application/json"]["example"]
    assert document["paths"]["/metrics"]["get"]["responses"]["200"]["content"]["text/plain"]["example"]
