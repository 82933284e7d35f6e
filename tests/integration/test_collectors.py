"""A collector between an application and AgentVigil: what arrives is what was sent, and so it is when one of them dies.

Rotel is installed with the development tools. Tests with the OpenTelemetry Collector run where one is named, see
docs/collector.md.
"""

import json
import os
import re
import socket
import ssl
import threading
import time
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import grpc
import pytest
import trustme
from clickhouse_stand_in import ClickHouseStandIn
from collector_processes import OTELCOL_CONFIG, Collector, otelcol, otelcol_binary, rotel
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcLogExporter
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter as GrpcMetricExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpanExporter
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter as HttpMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    MetricExporter,
    MetricExportResult,
    MetricsData,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, SpanContext, SpanKind, StatusCode, TraceFlags, TraceState
from server_process import OtlpSender, Server, free_port, insert_under_way, run_cli, run_statements, until

from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.signals import EXPONENTIAL_HISTOGRAM, SIGNALS

StartServer = Callable[..., Server]
StartCollector = Callable[[Collector], Collector]

pytestmark = pytest.mark.long

KEY: Final = "vgl_a-key-for-collectors"
SECRET: Final = "correct horse battery staple"
MESSAGES: Final = [{"role": "user", "parts": [{"type": "text", "content": SECRET}]}]
TABLES: Final = {destination.table: signal for signal in SIGNALS for destination in signal.destinations}
OF_THE_REQUEST: Final = {"IngestedAt", "RequestHash", "ListCostUSD", *(signal.count_column for signal in SIGNALS)}
"""Columns that tell how a row came, or that the prices of the home tell, which only one of the two has."""

TOKENS: Final = "gen_ai.client.token.usage"
DURATION: Final = "gen_ai.client.operation.duration"


# What an application sends


class Road:
    """Exporters to one address, with one key, over one of OTLP's protocols.

    They wait longer than the ten seconds of their own: a busy machine may take those for a server's first insert.
    """

    def __init__(self, protocol: str, address: str, key: str = "") -> None:
        headers = {"authorization": f"Bearer {key}"} if key else {}
        if protocol == "grpc":
            url = f"http://{address}"
            self.spans, self.logs, self.metrics = (
                exporter(endpoint=url, headers=headers, insecure=True, timeout=60)
                for exporter in (GrpcSpanExporter, GrpcLogExporter, GrpcMetricExporter)
            )
        else:
            self.spans, self.logs, self.metrics = (
                exporter(endpoint=f"http://{address}/v1/{signal}", headers=headers, timeout=60)
                for exporter, signal in (
                    (HttpSpanExporter, "traces"),
                    (HttpLogExporter, "logs"),
                    (HttpMetricExporter, "metrics"),
                )
            )


class MetricsByEveryRoad(MetricExporter):
    """Exports what was collected once by every road: each reader of its own would collect at a time of its own."""

    def __init__(self, roads: Sequence[Road]) -> None:
        super().__init__()
        self._exporters = [road.metrics for road in roads]

    def export(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **_: Any) -> MetricExportResult:
        results = [exporter.export(metrics_data, timeout_millis) for exporter in self._exporters]
        return (
            MetricExportResult.SUCCESS if set(results) == {MetricExportResult.SUCCESS} else MetricExportResult.FAILURE
        )

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        return all(exporter.force_flush(timeout_millis) for exporter in self._exporters)

    def shutdown(self, timeout_millis: float = 30_000, **_: Any) -> None:
        for exporter in self._exporters:
            exporter.shutdown(timeout_millis)


def play_agent(instance: str, *roads: Road) -> None:
    """Send one agent's run by every road, all three signals; ``instance`` marks what belongs to it."""
    resource = Resource(
        {"service.name": "support-bot", "service.version": "1.4", "service.instance.id": instance, "host.cpu": 2},
        "https://opentelemetry.io/schemas/1.37.0",
    )
    tracers = TracerProvider(resource=resource, shutdown_on_exit=False)
    loggers = LoggerProvider(resource=resource, shutdown_on_exit=False)
    for road in roads:
        tracers.add_span_processor(BatchSpanProcessor(road.spans))
        loggers.add_log_record_processor(BatchLogRecordProcessor(road.logs))
    meters = MeterProvider(
        [PeriodicExportingMetricReader(MetricsByEveryRoad(roads), export_interval_millis=3_600_000)],
        resource=resource,
        shutdown_on_exit=False,
        views=[View(instrument_name=DURATION, aggregation=ExponentialBucketHistogramAggregation())],
    )
    scope = ("agent.lib", "1.2.3")
    attributes = {"scope.flag": True, "scope.size": 7}
    tracer = tracers.get_tracer(*scope, "https://example.org/scope", attributes)
    logger = loggers.get_logger(*scope, "https://example.org/scope", attributes)
    meter = meters.get_meter(*scope, "https://example.org/scope", attributes)

    elsewhere = SpanContext(
        0xFEDC, 0xBA98, is_remote=True, trace_flags=TraceFlags(1), trace_state=TraceState([("v", "1")])
    )
    agent = {"gen_ai.agent.name": "support", "gen_ai.agent.version": "1.4"}
    model = {"gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4.1"}
    with tracer.start_as_current_span(
        "invoke_agent support",
        kind=SpanKind.SERVER,
        attributes={"gen_ai.operation.name": "invoke_agent", "gen_ai.conversation.id": "c-1", **agent},
        links=[Link(elsewhere, {"link.reason": "retry"})],
    ):
        with tracer.start_as_current_span("chat gpt-4.1", kind=SpanKind.CLIENT, attributes={**agent, **model}) as chat:
            chat.set_attributes(
                {
                    "gen_ai.operation.name": "chat",
                    "gen_ai.usage.input_tokens": 1200,
                    "gen_ai.usage.output_tokens": 0,
                    "gen_ai.usage.cache_read.input_tokens": 1000,
                    "gen_ai.request.temperature": 0.2,
                    "gen_ai.response.finish_reasons": ["stop", "length"],
                    "gen_ai.input.messages": json.dumps(MESSAGES),
                    "text.empty": "",
                    "text.unicode": 'héllo 日本 😀 \t"\\/',
                    "number.max": 2**63 - 1,
                    "number.min": -(2**63),
                    "number.large": 1e21,
                    "flag.false": False,
                    "flags": [True, False],
                    "doubles": [0.5, 1e-7],
                }
            )
            chat.add_event("first token", {"gen_ai.choice.index": 0})
            chat.add_event("gen_ai.content.prompt", {"gen_ai.prompt": SECRET, "kept": "yes"})
            usage = meter.create_histogram(TOKENS, "{token}", "tokens used")
            for kind, tokens in (("input", 1200), ("input", 3), ("output", 85)):
                usage.record(tokens, {"gen_ai.token.type": kind, **model})
            meter.create_histogram(DURATION, "s").record(0.25, model)
            meter.create_counter("agent.runs").add(1, agent)
            meter.create_up_down_counter("agent.open_runs").add(-2.5)
            meter.create_gauge("agent.queue").set(7, {"gen_ai.input.messages": SECRET, "kept": "yes"})
            for record in (
                LogRecord(body="calling the model", severity_number=SeverityNumber.INFO, severity_text="INFO"),
                LogRecord(body={"nested": {"list": [1, "two", None], "flag": False}}, attributes={"count": 0}),
                LogRecord(
                    event_name="gen_ai.client.inference.operation.details",
                    attributes={"gen_ai.operation.name": "chat", **model, "gen_ai.input.messages": MESSAGES},
                ),
            ):
                record.timestamp = time.time_ns()
                logger.emit(record)
        with tracer.start_as_current_span("execute_tool search", attributes={"gen_ai.tool.name": "search"}) as tool:
            tool.set_attributes({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.call.arguments": SECRET})
            tool.set_attribute("error.type", "timeout")
            tool.set_status(StatusCode.ERROR, "index is away")
    for provider in (tracers, loggers, meters):
        provider.shutdown()


# What became of it


def ask(address: str, query: str, database: str = "default", tls: ssl.SSLContext | None = None) -> list[dict[str, Any]]:
    """The rows that ClickHouse's HTTP interface at ``address`` answers to ``query``."""
    request = urllib.request.Request(
        f"{'https' if tls else 'http'}://{address}/?{urllib.parse.urlencode({'database': database})}",
        f"{query} FORMAT JSONEachRow".encode(),
        {"Authorization": f"Bearer {KEY}"},
    )
    with urllib.request.urlopen(request, timeout=30, context=tls) as response:
        return [json.loads(line) for line in response]


def rows_of(
    address: str, instance: str, database: str = "default", project: str = "default"
) -> dict[str, list[dict[str, Any]]]:
    """All that ``project`` has of ``instance``, by table, in an order that does not depend on how it came."""
    rows = {}
    for table in TABLES:
        names = ", ".join(f"`{name}`" for name in columns_of(address, table, database).keys() - OF_THE_REQUEST)
        query = f"SELECT {names} FROM {table} WHERE {_of(instance, project)}"
        rows[table] = sorted(ask(address, query, database), key=identity)
    return rows


def counts_of(address: str, instance: str, database: str = "default", project: str = "default") -> dict[str, int]:
    """How many rows :func:`rows_of` would return, by table: cheap enough to be asked until they are there."""
    counts = (
        f"SELECT '{table}' AS name, toUInt32(count()) AS rows FROM {table} WHERE {_of(instance, project)}"
        for table in TABLES
    )
    return {row["name"]: row["rows"] for row in ask(address, f"SELECT * FROM ({' UNION ALL '.join(counts)})", database)}


def _of(instance: str, project: str) -> str:
    return f"ResourceAttributes['service.instance.id'] = '{instance}' AND Project = '{project}'"


def identity(row: dict[str, Any]) -> str:
    """What tells rows of one table apart, among those that were sent at once."""
    return json.dumps([row.get(name) for name in ("Timestamp", "SpanId", "MetricName", "Attributes")], sort_keys=True)


def columns_of(address: str, table: str, database: str = "default") -> dict[str, str]:
    """The table's columns by name, each with the kind of its default, which is empty where there is none."""
    where = f"database = currentDatabase() AND table = '{table}' AND default_kind NOT IN ('ALIAS', 'EPHEMERAL')"
    columns = ask(address, f"SELECT name, default_kind FROM system.columns WHERE {where}", database)
    return {column["name"]: column["default_kind"] for column in columns}


@dataclass(frozen=True)
class Home:
    """A server that applications send to with ``KEY``, and collectors with the key ``behind`` of another project.

    So each project stores what the other does.
    """

    server: Server
    behind: str

    def address(self, name: str) -> str:
        return self.server.addresses[name]


BEHIND: Final = "behind"
"""The project of what comes through a collector."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, start_shared_server: StartServer) -> Home:
    server = start_shared_server(tmp_path_factory.mktemp("home") / "data", variables={"AGENTVIGIL_INGEST_KEY": KEY})
    made = run_cli("keys", "create", "--data", str(server.data), "--project", BEHIND)
    assert made.returncode == 0, made.stderr
    return Home(server, made.stdout.removesuffix("\n"))


@pytest.fixture
def start_collector() -> Iterator[StartCollector]:
    """A function that starts a collector and returns when it listens; whatever still runs at the end is killed."""
    started: list[Collector] = []

    def start(collector: Collector) -> Collector:
        started.append(collector)
        collector.start()
        return collector

    yield start
    for collector in started:
        collector.kill()


@pytest.fixture
def an_otelcol() -> None:
    """Skips a test before it starts a server for nothing."""
    otelcol_binary()


def assert_alike_by_both_roads(protocol: str, home: Home, collector: Collector) -> None:
    sql = home.address("clickhouse_http")
    instance = uuid.uuid4().hex
    play_agent(
        instance,
        Road(protocol, home.address(f"otlp_{protocol}"), KEY),
        Road(protocol, collector.grpc if protocol == "grpc" else collector.http),
    )

    sent = rows_of(sql, instance)
    counts = {table: len(rows) for table, rows in sent.items()}
    assert counts == {
        "otel_traces": 3,
        "otel_logs": 3,
        "otel_metrics_gauge": 1,
        "otel_metrics_sum": 2,
        "otel_metrics_histogram": 2,
        EXPONENTIAL_HISTOGRAM.table: 1,
        "otel_metrics_summary": 0,
    }
    until(
        lambda: counts_of(sql, instance, project=BEHIND) == counts,
        "what the collector has to pass on",
        pause_s=0.1,
    )
    arrived = rows_of(sql, instance, project=BEHIND)
    for table in TABLES:
        assert arrived[table] == [{**row, "Project": BEHIND} for row in sent[table]], table
    assert SECRET not in json.dumps(arrived)
    assert all(row["Exemplars.TraceId"] for row in arrived["otel_metrics_histogram"]), "exemplars came along"


# Rotel, and who inserts into ClickHouse itself


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_what_comes_through_rotel_is_stored_as_if_it_came_directly(
    protocol: str, home: Home, start_collector: StartCollector, tmp_path: Path
) -> None:
    """A collector in between must change neither what is stored nor what is withheld."""
    address = home.address(f"otlp_{protocol}")
    collector = start_collector(
        rotel(
            tmp_path,
            *("--exporter", "otlp", "--otlp-exporter-protocol", protocol),
            *("--otlp-exporter-endpoint", f"http://{address}"),
            *("--otlp-exporter-custom-headers", f"authorization=Bearer {home.behind}"),
            *("--otlp-exporter-retry-max-elapsed-time", "24h", "--batch-max-size", "1000"),
        )
    )
    assert_alike_by_both_roads(protocol, home, collector)


@pytest.fixture
def stand_in(engine: EmbeddedStore, tmp_path: Path) -> Iterator[ClickHouseStandIn]:
    """A ClickHouse server's writable HTTP interface."""
    stand_in = ClickHouseStandIn(engine.open_handle, tmp_path / "sent.proto")
    stand_in.start()
    yield stand_in
    stand_in.stop()


@pytest.mark.parametrize("writer", ["rotel, lz4", "rotel, none", "otelcol"])
def test_rows_that_a_collector_inserts_itself_get_our_columns(
    writer: str,
    home: Home,
    stand_in: ClickHouseStandIn,
    servers_store: EmbeddedStore,
    start_collector: StartCollector,
    tmp_path: Path,
) -> None:
    """Who has a ClickHouse server may let others write into our tables; queries must not tell the difference."""
    inserted, direct = f"127.0.0.1:{stand_in.port}", home.server.addresses
    if writer == "otelcol":
        collector = otelcol(
            tmp_path / "collector",
            {
                # The stand-in does not compress its answers.
                "AGENTVIGIL_CLICKHOUSE": f"http://{inserted}?compress=none",
                "AGENTVIGIL_DATABASE": servers_store.database,
                "AGENTVIGIL_COLLECTOR_FLUSH": "200ms",
                "AGENTVIGIL_COLLECTOR_DETECTORS": "[env]",
            },
            OTELCOL_CONFIG.with_name("otel-collector-clickhouse.yaml"),
        )
    else:
        collector = rotel(
            tmp_path / "collector",
            *("--exporter", "clickhouse", "--clickhouse-exporter-endpoint", f"http://{inserted}"),
            *("--clickhouse-exporter-database", servers_store.database),
            *("--clickhouse-exporter-compression", writer.removeprefix("rotel, ")),
        )
    start_collector(collector)
    play_agent(writer, Road("grpc", direct["otlp_grpc"], KEY), Road("grpc", collector.grpc))

    expected = rows_of(direct["clickhouse_http"], writer)

    counts = {table: len(rows) for table, rows in expected.items()}
    until(lambda: counts_of(inserted, writer, servers_store.database) == counts, "inserts", 0.1)
    arrived = rows_of(inserted, writer, servers_store.database)
    named = sent_columns(stand_in)
    differs = CONTENT_KEYS | (SCREENED_TEXTS.keys() if writer == "otelcol" else ROTELS_OWN_WAY)
    for table, rows in expected.items():
        kinds = columns_of(inserted, table, servers_store.database)
        filled = {name for name, kind in kinds.items() if name in named.get(table, ()) or kind} - OF_THE_REQUEST
        for row, expected_row in zip(arrived[table], rows, strict=True):
            screened = differs | set(expected_row["WithheldKeys"])
            for name in filled - {column for text, column in SCREENED_TEXTS.items() if text in screened}:
                value, expected_value = (without(screened, name, given[name]) for given in (row, expected_row))
                assert value == expected_value, (table, name)
    # Rotel passes on all that was said; the Collector withholds it as our receiver does.
    assert (SECRET in json.dumps(arrived)) == (writer != "otelcol")
    chat = next(row for row in arrived["otel_traces"] if row["SpanName"] == "chat gpt-4.1")
    typed = ("Operation", "Provider", "RequestModel", "AgentName", "AgentVersion", "InputTokens", "OutputTokens")
    assert [chat[name] for name in typed] == ["chat", "openai", "gpt-4.1", "support", "1.4", 1200, 0]
    assert (chat["ReasoningTokens"], chat["Project"], chat["KeepDays"]) == (None, "default", 90)


CONTENT_KEYS: Final = {"gen_ai.input.messages", "gen_ai.prompt", "gen_ai.tool.call.arguments"}
"""Those of :func:`play_agent`. Content is withheld by our receiver, which these rows did not pass."""

SCREENED_TEXTS: Final = {
    "(status message)": "StatusMessage",
    "(body)": "Body",
    "(metric description)": "MetricDescription",
}
"""What ``WithheldKeys`` calls a column of which our receiver withheld something."""

ROTELS_OWN_WAY: Final = {"gen_ai.response.finish_reasons", "flags", "doubles", "number.large", "Body"}
"""Arrays, maps and large numbers are text of another form in what Rotel inserts."""


def without(keys: set[str], column: str, value: Any) -> Any:
    """``value`` as far as it can be the same: attributes without ``keys``, and no body if that is among them."""
    if column.endswith("Attributes"):
        maps = value if isinstance(value, list) else [value]
        return [{key: text for key, text in one.items() if key not in keys} for one in maps]
    if column == "Body" and column in keys:
        return None
    return value


def sent_columns(stand_in: ClickHouseStandIn) -> dict[str, set[str]]:
    """By table, the columns that inserts named."""
    texts = (parameters.get("query", "").replace('"', "").replace("`", "") for parameters, _ in stand_in.requests)
    inserts = (re.match(r"INSERT INTO (?:\w+\.)?(\w+) \((.*?)\)", text, re.DOTALL) for text in texts)
    return {insert[1]: set(re.split(r"[\s,]+", insert[2].strip())) for insert in inserts if insert}


# The OpenTelemetry Collector


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_what_comes_through_the_collector_is_stored_as_if_it_came_directly(
    protocol: str, home: Home, start_collector: StartCollector, tmp_path: Path
) -> None:
    """The configuration we ship works as it is, with a key, for all three signals."""
    collector = start_collector(
        otelcol(
            tmp_path,
            {
                "AGENTVIGIL_ENDPOINT": f"http://{home.address(f'otlp_{protocol}')}",
                "AGENTVIGIL_INGEST_KEY": home.behind,
                "AGENTVIGIL_COLLECTOR_EXPORTER": f"otlp_{protocol}/agentvigil",
                # Not which machine it is from, which what comes directly does not say.
                "AGENTVIGIL_COLLECTOR_PROCESSORS": "[memory_limiter]",
            },
        )
    )
    assert_alike_by_both_roads(protocol, home, collector)
    assert collector.stop() == 0
    assert home.behind not in collector.output()


@pytest.mark.usefixtures("an_otelcol")
def test_the_collector_needs_no_key_where_the_server_has_none(
    tmp_path: Path, start_server: StartServer, start_collector: StartCollector
) -> None:
    """On one machine nobody sets one; the header is there all the same, with nothing in it."""
    server = start_server(tmp_path / "data")
    collector = start_collector(
        otelcol(tmp_path / "collector", {"AGENTVIGIL_ENDPOINT": f"http://{server.addresses['otlp_grpc']}"})
    )
    sender = OtlpSender(collector.grpc)
    sender.send(a_request())
    sender.send(a_request(host="elsewhere"))
    sender.close()
    until(lambda: stored(server) == (2 * SPANS, 2 * SPANS), "the spans")
    hosts = "SELECT DISTINCT ResourceAttributes['host.name'] AS host FROM otel_traces"
    found = {row["host"] for row in ask(server.addresses["clickhouse_http"], hosts)}
    assert found == {socket.gethostname(), "elsewhere"}, "what the application says stands"


@pytest.mark.parametrize("protocol", ["grpc", "http"])
@pytest.mark.usefixtures("an_otelcol")
def test_an_https_endpoint_and_the_authority_are_all_that_tls_takes(
    protocol: str, tmp_path: Path, start_server: StartServer, start_collector: StartCollector
) -> None:
    """The same configuration serves one machine without TLS and a network with it."""
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    files = {name: tmp_path / f"{name}.pem" for name in ("ca", "chain", "key")}
    authority.cert_pem.write_to_path(files["ca"])
    certificate.private_key_pem.write_to_path(files["key"])
    certificate.cert_chain_pems[0].write_to_path(files["chain"])
    server = start_server(tmp_path / "data", "--tls-cert", str(files["chain"]), "--tls-key", str(files["key"]))
    collector = start_collector(
        otelcol(
            tmp_path / "collector",
            {
                "AGENTVIGIL_ENDPOINT": f"https://{server.addresses[f'otlp_{protocol}']}",
                "AGENTVIGIL_CA_FILE": str(files["ca"]),
                "AGENTVIGIL_COLLECTOR_EXPORTER": f"otlp_{protocol}/agentvigil",
            },
        )
    )
    sender = OtlpSender(collector.grpc)
    sender.send(a_request())
    sender.close()
    trusting = ssl.create_default_context(cafile=files["ca"])
    until(lambda: stored(server, trusting) == (SPANS, SPANS), "the spans")


@pytest.mark.parametrize(("victim", "batches"), [("server", True), ("collector", True), ("collector", False)])
@pytest.mark.usefixtures("an_otelcol")
def test_a_kill_in_mid_stream_loses_nothing_and_doubles_nothing(
    victim: str, batches: bool, tmp_path: Path, start_server: StartServer, start_collector: StartCollector
) -> None:
    """What the Collector acknowledged is in its queue, and what it sends twice has the same bytes both times.

    But a Collector that was killed forms its batches anew, so that some spans may be there twice if it makes any.
    """
    port = free_port()
    server = start_server(
        tmp_path / "data", "--otlp-grpc", f"127.0.0.1:{port}", variables={"AGENTVIGIL_INGEST_KEY": KEY}
    )
    collector = start_collector(
        otelcol(
            tmp_path / "collector",
            {
                "AGENTVIGIL_ENDPOINT": f"http://127.0.0.1:{port}",
                "AGENTVIGIL_INGEST_KEY": KEY,
                **({} if batches else {"AGENTVIGIL_COLLECTOR_BATCH_BYTES": "0"}),
            },
        )
    )
    with Stream(collector.grpc) as stream:
        for _ in range(4):
            sent = stream.spans
            until(lambda sent=sent: stream.spans > sent + 10 * SPANS, "more spans")  # type: ignore[misc]
            until(lambda: insert_under_way(server.data), "an insert", pause_s=0)
            dies: Server | Collector = server if victim == "server" else collector
            dies.kill()
            with stream.paused() if victim == "collector" else nullcontext():
                dies.start()

    until(lambda: stored(server)[1] >= stream.spans, "what waited in the queue", pause_s=0.2)
    assert collector.stop() == 0
    assert server.stop() == 0
    (((rows, spans),),) = run_statements(
        server.data, "SELECT toUInt32(count()), toUInt32(uniqExact(SpanId)) FROM otel_traces"
    )
    assert spans == stream.spans
    if victim == "server" or not batches:
        assert rows == spans


SPANS: Final = 20
"""In each request of a stream."""


class Stream:
    """Threads that send requests one after the other, each until it is acknowledged; ``spans`` were acknowledged."""

    def __init__(self, address: str) -> None:
        self.spans = 0
        self._address = address
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._gates = [threading.Lock() for _ in range(4)]
        self._threads = [threading.Thread(target=self._run, args=[gate]) for gate in self._gates]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Nothing is sent meanwhile."""
        with ExitStack() as closed:
            for gate in self._gates:
                closed.enter_context(gate)
            yield

    def _run(self, gate: threading.Lock) -> None:
        sender = OtlpSender(self._address)
        while not self._ended.wait(0.02):
            body = a_request()
            while not self._sent(sender, body, gate):
                time.sleep(0.05)
            with self._lock:
                self.spans += SPANS
        sender.close()

    def _sent(self, sender: OtlpSender, body: bytes, gate: threading.Lock) -> bool:
        try:
            with gate:
                sender.send(body)
        except grpc.RpcError:
            return False
        return True


def a_request(host: str = "") -> bytes:
    now = time.time_ns()
    request = ExportTraceServiceRequest()
    resource_spans = request.resource_spans.add()
    if host:
        resource_spans.resource.attributes.add(key="host.name").value.string_value = host
    spans = resource_spans.scope_spans.add().spans
    for _ in range(SPANS):
        span = spans.add(trace_id=os.urandom(16), span_id=os.urandom(8), name="chat")
        span.start_time_unix_nano = now
        span.end_time_unix_nano = now + 1000
    return request.SerializeToString()


def stored(server: Server, tls: ssl.SSLContext | None = None) -> tuple[int, int]:
    """How many rows there are of spans, and how many spans."""
    (row,) = ask(
        server.addresses["clickhouse_http"],
        "SELECT toUInt32(count()) AS rows, toUInt32(uniqExact(SpanId)) AS spans FROM otel_traces",
        tls=tls,
    )
    return row["rows"], row["spans"]
