"""A server as its operators see it from outside: what it counts, what it logs, and the spans it makes about itself."""

import http.server
import json
import re
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import grpc
import pytest
from agent_traces import START, Sp, agent, chat, receive, trace_of
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Tracer
from own_receiver import Receiver
from server_process import OtlpSender, Server, free_port, until
from trace_requests import S, a_request, a_span, writer_of

from agentvigil.analysis.settling import Trace, TraceSettler
from agentvigil.receiver.checking import OWN_SCOPE
from agentvigil.receiver.otlp import OTLP_SIGNALS
from agentvigil.storage.embedded import EmbeddedStore

pytestmark = pytest.mark.long

StartServer = Callable[..., Server]
KEY: Final = "vgl_a-key-for-tests"
DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "metrics.md"
_SAMPLE: Final = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)


def call(url: str, *, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> tuple[int, Any, bytes]:
    """Status, headers and body of the answer."""
    request = urllib.request.Request(url, data=body, headers={"Authorization": f"Bearer {KEY}", **(headers or {})})
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, response.headers, response.read()
    except urllib.error.HTTPError as exc:
        return exc.code, exc.headers, exc.read()


def samples(server: Server) -> dict[tuple[str, str], float]:
    """What ``/metrics`` says, by name and labels."""
    text = call(f"http://{server.addresses['api']}/metrics")[2].decode()
    return {(name, labels): float(value) for name, labels, value in _SAMPLE.findall(text)}


def ask(server: Server, query: str) -> list[list[Any]]:
    """Rows of ``query`` over the SQL interface."""
    url = f"http://{server.addresses['clickhouse_http']}/?query={urllib.parse.quote(query + ' FORMAT JSONCompact')}"
    rows: list[list[Any]] = json.loads(call(url)[2])["data"]
    return rows


def send(server: Server, *bodies: bytes) -> None:
    sender = OtlpSender(server.addresses["otlp_grpc"])
    for body in bodies:
        sender.send(body, [("authorization", f"Bearer {KEY}")])
    sender.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, start_shared_server: StartServer) -> Server:
    """A server that logs all it has to say in JSON and sends its own spans to itself."""
    address = f"127.0.0.1:{free_port()}"
    return start_shared_server(
        tmp_path_factory.mktemp("shared") / "data",
        *("--otlp-grpc", address, "--own-traces-endpoint", f"grpc://{address}"),
        *("--log-format", "json", "--log-level", "debug"),
        variables={
            "AGENTVIGIL_INGEST_KEY": KEY,
            "OTEL_EXPORTER_OTLP_HEADERS": f"authorization=Bearer {KEY}",
            "OTEL_BSP_SCHEDULE_DELAY": "20",
        },
    )


# --- spans about itself


def own_spans(server: Server, name: str) -> int:
    query = f"SELECT count() FROM otel_traces WHERE ScopeName = '{OWN_SCOPE}' AND SpanName = '{name}'"
    return int(ask(server, query)[0][0])


def test_a_server_that_sends_its_spans_to_itself_makes_none_about_them(server: Server) -> None:
    """Each would bring the next one, for ever.

    Spans are sent in the order in which they end. So when the span about a request of ours is there, those about all
    that was stored before would be there too.
    """
    for number in range(1, 5):
        send(server, a_request(a_span(number)))
        until(lambda n=number: own_spans(server, "group_commit traces") >= n, "the span about the request")

    assert own_spans(server, "group_commit traces") == 4
    (attributes, resource), *_ = ask(
        server,
        "SELECT SpanAttributes, ResourceAttributes['service.name'] FROM otel_traces "
        f"WHERE ScopeName = '{OWN_SCOPE}' AND SpanName LIKE 'group%' LIMIT 1",
    )
    assert resource == "agentvigil"
    assert attributes["agentvigil.signal"] == "traces"
    assert attributes["agentvigil.requests.stored"] == attributes["agentvigil.requests"]


def test_requests_to_the_api_are_spans_and_probes_are_not(server: Server) -> None:
    """Probes come all day long."""
    call(f"http://{server.addresses['api']}/health")
    call(f"http://{server.addresses['api']}/v1/nothing/secret-name?q=1")

    until(lambda: own_spans(server, "GET none"), "the span about the request")
    assert own_spans(server, "GET /health") == 0
    assert own_spans(server, "GET /metrics") == 0


@pytest.fixture
def watched() -> tuple[Tracer, InMemorySpanExporter]:
    provider, exporter = TracerProvider(shutdown_on_exit=False), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider.get_tracer(OWN_SCOPE), exporter


def test_settling_makes_a_span_of_a_batch_with_runs_and_none_of_its_own_spans(
    store: EmbeddedStore, watched: tuple[Tracer, InMemorySpanExporter]
) -> None:
    """Else every batch would make a trace that the next batch settles."""
    tracer, exporter = watched
    receive(store, Sp(1, name="group_commit traces", trace=1, scope=OWN_SCOPE, service="agentvigil"))
    receive(store, agent(2, 0, "support", 0, 900, trace=2), chat(3, 2, trace=2))
    began = datetime.fromtimestamp(START / S, UTC)
    own, theirs = (
        Trace("default", trace_of(number), began, began + timedelta(hours=1), 10, False) for number in (1, 2)
    )
    settler = TraceSettler(store, batch_spans=100_000, tracer=tracer)

    settler.settle([own])
    assert exporter.get_finished_spans() == ()

    settler.settle([own, theirs])
    (span,) = exporter.get_finished_spans()
    assert span.name == "settle"
    assert dict(span.attributes or {}) == {"agentvigil.traces": 2, "agentvigil.spans": 20, "agentvigil.runs": 1}


def test_statements_are_spans_within_a_span_and_say_nothing_of_their_text(
    store: EmbeddedStore, watched: tuple[Tracer, InMemorySpanExporter], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that nobody asked for would be a stream of their own; texts have values in them."""
    tracer, exporter = watched
    monkeypatch.setattr(store, "tracer", tracer)
    store.rows("SELECT 1")
    with tracer.start_as_current_span("request"):
        store.rows("SELECT 'secret'")
        with pytest.raises(Exception, match="UNKNOWN_TABLE"):
            store.rows("SELECT * FROM secret")
    done, failed, request = exporter.get_finished_spans()

    assert request.context is not None
    assert done.parent is not None
    assert (done.name, done.parent.span_id) == ("clickhouse", request.context.span_id)
    assert dict(failed.attributes or {})["error.type"] == "UNKNOWN_TABLE"
    assert "secret" not in done.to_json() + failed.to_json()


class _Refusing(http.server.BaseHTTPRequestHandler):
    """Refuses whatever is sent, and counts it."""

    refused = 0

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        type(self).refused += 1
        self.send_response(400)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def refusing() -> Iterator[str]:
    """The address of somebody who takes no spans."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Refusing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


@dataclass(frozen=True)
class Unwatched:
    """Two servers, one after the other on the same data, whose own spans nobody takes: what each said and did."""

    endpoint: str
    """Where the first one's are refused; where the second one's should go, nobody is."""
    before: Mapping[tuple[str, str], float]
    first: Mapping[tuple[str, str], float]
    second: Mapping[tuple[str, str], float]
    """Metrics of the first server before its first span and after three, and of the second at its start."""
    stored: list[list[Any]]
    output: str
    exit_codes: tuple[int, int]


@pytest.fixture(scope="module")
def unwatched(tmp_path_factory: pytest.TempPathFactory, start_shared_server: StartServer, refusing: str) -> Unwatched:
    data, key = tmp_path_factory.mktemp("unwatched") / "data", {"AGENTVIGIL_INGEST_KEY": KEY}
    server = start_shared_server(
        data, *("--own-traces-endpoint", f"http://{refusing}"), variables={**key, "OTEL_BSP_SCHEDULE_DELAY": "10"}
    )
    before = samples(server)
    for number in range(1, 4):
        refused = _Refusing.refused
        send(server, a_request(a_span(number)))
        until(lambda n=refused: _Refusing.refused > n, "an attempt")
    first, stored = samples(server), ask(server, "SELECT toUInt32(count()) FROM otel_traces")
    exit_code = server.stop()
    again = start_shared_server(
        data,
        *("--own-traces-endpoint", f"grpc://127.0.0.1:{free_port()}"),
        variables={**key, "OTEL_EXPORTER_OTLP_TIMEOUT": "3600"},
    )
    second = samples(again)
    send(again, a_request(a_span(4)))
    return Unwatched(refusing, before, first, second, stored, server.output(), (exit_code, again.stop()))


def test_an_endpoint_that_takes_nothing_costs_one_warning(unwatched: Unwatched) -> None:
    """Telemetry about us must never be in the way of telemetry of theirs."""
    assert unwatched.stored == [[3]]
    assert unwatched.exit_codes[0] == 0
    assert unwatched.output.count("own traces do not reach") == 1
    assert unwatched.endpoint in unwatched.output
    assert "Traceback" not in unwatched.output


def test_an_endpoint_where_nobody_is_does_not_keep_a_server_from_stopping(unwatched: Unwatched) -> None:
    """The exporter would try again for as long as it may, and the kernel has a SIGKILL for who does not end."""
    assert unwatched.exit_codes[1] == 0


# --- metrics


def test_every_metric_is_documented_and_every_documented_one_is_there(server: Server) -> None:
    """A dashboard is built from the list, and an alert on a name that is gone never fires."""
    documented = set(re.findall(r"^\| `(agentvigil_\w+)`", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE))
    send(server, a_request(a_span(90)))
    text = call(f"http://{server.addresses['api']}/metrics")[2].decode()
    told = {name for name, kind in re.findall(r"^# TYPE (agentvigil_\w+) (\w+)", text, re.MULTILINE)}
    told -= {name for name in told if name.endswith("_created")}

    assert told | {"agentvigil_spool_bytes"} == documented


def test_what_came_in_is_what_was_stored_and_what_was_refused(store: EmbeddedStore) -> None:
    """Every item that could be read is in one of the three, so that nothing is lost unseen."""
    long = "x" * 5000
    with Receiver({otlp: writer_of(store, otlp) for otlp in OTLP_SIGNALS}) as receiver:
        taken = [
            a_request(a_span(1), a_span(2)),
            a_request(a_span(3), a_span(4, trace_id=b"\1" * 15)),
            a_request(a_span(5, span_id=b"")),
            b"no protobuf",
        ]
        for body in taken:
            post(receiver, body)
        post(receiver, long.encode(), "text/plain")
        receiver.run(stop(receiver))
        post(receiver, a_request(a_span(6)))

        assert receiver.count("items_received") == 5
        assert receiver.count("items_stored") == 3
        assert receiver.count("items_rejected") == receiver.count("items_rejected", reason="invalid_ids") == 2
        reasons = ("bad_request", "unsupported_media_type", "unavailable", "busy")
        assert [receiver.count("requests_refused", reason=reason) for reason in reasons] == [2, 1, 1, 0]


def post(receiver: Receiver, body: bytes, content_type: str = "application/x-protobuf") -> int:
    url = f"http://127.0.0.1:{receiver.http_port}/v1/traces"
    return call(url, body=body, headers={"Content-Type": content_type})[0]


async def stop(receiver: Receiver) -> None:
    receiver.committer.stop()


def test_the_newest_span_has_an_age_from_the_first_on_and_after_a_start(unwatched: Unwatched) -> None:
    """It is what tells an operator that senders fell silent, also if the server was restarted meanwhile."""
    name = "agentvigil_receiver_newest_item_age_seconds"
    traces, logs = (name, 'signal="traces"'), (name, 'signal="logs"')

    assert traces not in unwatched.before
    assert 0 <= unwatched.first[traces] < unwatched.second[traces] < 600
    assert logs not in unwatched.second


# --- ids and logs


def test_every_http_interface_gives_its_requests_an_id(server: Server) -> None:
    """One id leads from an answer to the log, whichever port it came from."""
    request = ExportTraceServiceRequest().SerializeToString()
    asked = {"X-Request-Id": "asked-1", "Content-Type": "application/x-protobuf"}
    for name, path, body in (
        ("api", "/health", None),
        ("otlp_http", "/v1/traces", request),
        ("clickhouse_http", "/?query=SELECT+1", None),
    ):
        status, headers, _ = call(f"http://{server.addresses[name]}{path}", body=body, headers=asked)
        assert (status, headers["x-request-id"]) == (200, "asked-1"), name


def test_the_log_is_json_and_leads_from_a_request_to_its_lines(server: Server) -> None:
    """And there is neither key nor content in it, for logs go further than data does."""
    call(f"http://{server.addresses['api']}/v1/secret-name?q=secret-words", headers={"X-Request-Id": "asked-2"})
    with pytest.raises(grpc.RpcError):
        send(server, b"no protobuf")

    def lines() -> list[dict[str, Any]]:
        text = "".join(path.read_text() for path in server.logs.glob("*.stderr"))
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    (line,) = until(lambda: [line for line in lines() if line.get("request_id") == "asked-2"], "the line")
    assert line["logger"] == "agentvigil.api.access"
    assert (line["level"], line["method"], line["route"], line["status"]) == ("debug", "GET", "none", 404)
    assert all({"time", "level", "logger", "message"} <= line.keys() for line in lines())
    assert not re.search(f"secret|{KEY}", json.dumps(lines()))
