"""OTLP that waited in Kafka becomes the rows that it becomes on its way through our receiver.

The embedded engine has Kafka's table engine and starts no consumer. So a query stands in for what it reads: it has the
same columns, from OTLP's bytes, in the same format.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import grpc
import pytest
from agent_traces import agent, chat, request_of, runs, settle_traces, tool
from click.testing import CliRunner
from collector_processes import OTELCOL_CONFIG, otelcol
from kafka_stand_in import KafkaStandIn
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValueList
from otlp_requests import a_metric, a_point, a_record, an_exemplar, logs_of, metrics_of, rows_of
from server_process import until
from trace_requests import NOW, S, admitted, attributes, take
from trace_requests import rows_of as spans_of

from agentvigil.cli.commands import agentvigil
from agentvigil.receiver import otlp
from agentvigil.semconv.privacy import ContentPolicy
from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.envelope import OTLP_SCHEMA
from agentvigil.storage.errors import QueryFailed
from agentvigil.storage.hash_key import hash_key_of
from agentvigil.storage.kafka import TOPICS, KafkaSource, kafka_statements, reading, request_columns, request_message
from agentvigil.storage.literals import quote
from agentvigil.storage.prices.loading import load_prices
from agentvigil.storage.signals import SIGNALS, TRACES, Signal
from golden_payloads import DIRECTORY, golden, message

pytestmark = pytest.mark.long

SOURCE: Final = KafkaSource("127.0.0.1:9", project="queued", keep_days=30)
OF_THE_ROAD: Final = ("Project", "KeepDays", "IngestedAt", "RequestHash")
"""Columns that tell how a row came."""
SECRET: Final = "correct horse battery staple"

Read = Callable[..., None]


@pytest.fixture
def read(servers_store: EmbeddedStore, tmp_path: Path) -> Read:
    """A function that puts a message through what is between Kafka and where requests arrive."""
    schema = tmp_path / "otlp.proto"
    schema.write_text(OTLP_SCHEMA, encoding="utf-8")
    key = b"key of the tests".hex()
    servers_store.command(f"CREATE OR REPLACE VIEW agentvigil_hash_key AS SELECT '{key}' AS HashKey")
    assert hash_key_of(servers_store, None) == b"key of the tests"
    for statement in kafka_statements(SOURCE):
        if not any(f"EXISTS kafka_{signal.name}{end}" in statement for signal in SIGNALS for end in ("\n", "_mv ")):
            servers_store.command(statement)

    def put(signal: Signal, body: bytes, offset: int = 0, error: str = "") -> None:
        path = tmp_path / "message"
        path.write_bytes(body)
        decoded = f"file({quote(str(path))}, 'ProtobufSingle', {quote(request_columns(signal))})"
        place = f"'{signal.name}' AS _topic, toUInt64(3) AS _partition, toUInt64({offset}) AS _offset"
        beside = f"{place}, now64(3) AS _timestamp_ms, {quote(error)} AS _error"
        servers_store.command(
            f"INSERT INTO kafka_{signal.name}_read {reading(signal, f'(SELECT *, {beside} FROM {decoded})')} "
            f"SETTINGS format_schema = '{schema}:{request_message(signal)}', input_format_protobuf_oneof_presence = 1"
        )

    return put


def without_road(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name not in OF_THE_ROAD} for row in rows]


def by_both_roads(store: EmbeddedStore, read: Read, of: otlp.OtlpSignal, body: bytes) -> int:
    """Send ``body`` both ways, and return how many rows each makes, all alike."""
    read(of.signal, body)
    take(store, admitted(body, received_at_ns=time.time_ns(), otlp=of, policy=ContentPolicy.OFF), otlp=of)
    return assert_alike(store, of)


def assert_alike(store: EmbeddedStore, of: otlp.OtlpSignal) -> int:
    """Return how many rows came by each road."""
    count = 0
    for destination in of.signal.destinations:
        rows = spans_of(store, "ALL") if of is otlp.TRACES else rows_of(store, destination, "ALL")
        queued = [row for row in rows if row["Project"] == "queued"]
        direct = [row for row in rows if row["Project"] == "default"]
        assert without_road(queued) == without_road(direct), destination.table
        assert all(row["KeepDays"] == 30 and row["RequestHash"] not in ("", "0" * 32) for row in queued)
        count += len(queued)
    return count


def test_spans_of_every_dialect_become_what_they_become_directly(servers_store: EmbeddedStore, read: Read) -> None:
    """Typed columns, what is withheld and its hashes, and how many spans the request has."""
    request = ExportTraceServiceRequest()
    for path in sorted({path.parts[-3]: path for path in DIRECTORY.rglob("*.traces.json")}.values()):
        request.MergeFrom(message(golden(path).request))
    spans = [span for resource in request.resource_spans for scope in resource.scope_spans for span in scope.spans]
    moved = NOW - S - max(span.end_time_unix_nano for span in spans)
    for span in spans:
        # As long ago as they are, they would be believed on neither road.
        span.start_time_unix_nano += moved
        span.end_time_unix_nano += moved
    assert len({span.name for span in spans}) > 20
    assert by_both_roads(servers_store, read, otlp.TRACES, request.SerializeToString()) == len(spans)


def test_log_records_become_what_they_become_directly(servers_store: EmbeddedStore, read: Read) -> None:
    said = {"gen_ai.operation.name": "chat", "gen_ai.input.messages": SECRET, "count": 7}
    records = (
        a_record("calling the model"),
        a_record(SECRET, said, event_name="gen_ai.client.inference.operation.details", severity_number=9),
    )
    body = logs_of(*records).SerializeToString()
    assert by_both_roads(servers_store, read, otlp.LOGS, body) == 2
    assert not servers_store.rows("SELECT 1 FROM otel_logs WHERE Body LIKE {text:String}", {"text": f"%{SECRET}%"})


def test_data_points_of_every_kind_become_what_they_become_directly(servers_store: EmbeddedStore, read: Read) -> None:
    """One topic has all kinds, and each has a table of its own; a request's rows are counted over all of them."""
    exemplar = an_exemplar({"kept": "yes"}, as_double=0.5, time_unix_nano=NOW - S, span_id=b"12345678")
    body = metrics_of(
        a_metric("gauge", a_point("gauge", {"k": "v"}, as_int=7), a_point("gauge", as_double=0.25)),
        a_metric("sum", a_point("sum", as_double=1.5, exemplars=[exemplar]), is_monotonic=True),
        a_metric("histogram", a_point("histogram", count=2, sum=3.0, bucket_counts=[1, 1], explicit_bounds=[1.0])),
        a_metric("exponential_histogram", a_point("exponential_histogram", count=3, scale=2)),
        a_metric("summary", a_point("summary", count=4, sum=2.5)),
    ).SerializeToString()
    assert by_both_roads(servers_store, read, otlp.METRICS, body) == 6


def test_runs_are_settled_with_their_costs(servers_store: EmbeddedStore, read: Read) -> None:
    load_prices(servers_store)
    spans = (agent(1), chat(2, 1, 100, 200, tokens=(1000, 100)), tool(3, 1, start=300, end=400))
    read(TRACES, request_of(spans).SerializeToString())
    settle_traces(servers_store, {("queued", 1): True})
    (run,) = runs(servers_store, "Project", "AgentName", "Status", "Steps", "InputTokens", "toString(BilledCostUSD)")
    assert run == ("queued", "helper", "success", 2, 1000, "0.0035")


def test_a_message_that_comes_twice_has_one_hash_and_others_have_others(
    servers_store: EmbeddedStore, read: Read
) -> None:
    """Kafka hands messages out again after a crash. The hash tells, and how many spans the request has."""
    request = request_of([agent(1), chat(2, 1)]).SerializeToString()
    read(TRACES, request, 1)
    read(TRACES, request_of([agent(1, trace=2)]).SerializeToString(), 2)
    counts = "SELECT any(RequestSpans), count() FROM otel_traces GROUP BY RequestHash ORDER BY ALL"
    assert servers_store.rows(counts) == [(1, 1), (2, 2)]


def test_what_is_no_otlp_is_told_without_its_words(servers_store: EmbeddedStore, read: Read) -> None:
    """It stops nothing, and nothing of it becomes a row."""
    read(TRACES, request_of([agent(1)]).SerializeToString(), 5, f"Code: 444. Unexpected '{SECRET}'")
    assert servers_store.rows("SELECT Topic, Partition, Offset, Error FROM kafka_errors") == [
        ("traces", 3, 5, "Code: 444. Unexpected ")
    ]
    assert servers_store.rows("SELECT count() FROM otel_traces") == [(0,)]


@pytest.mark.parametrize("signal", SIGNALS, ids=lambda signal: signal.name)
def test_kafkas_table_engine_takes_the_statements(signal: Signal, servers_store: EmbeddedStore) -> None:
    """It checks its settings and the format's, and only then asks for threads, which the embedded engine lacks."""
    statements = kafka_statements(SOURCE)
    (queue,) = (text for text in statements if f"EXISTS kafka_{signal.name}\n" in text)
    with pytest.raises(QueryFailed) as no_threads:
        servers_store.command(queue)
    assert no_threads.value.code == 49
    (kafka_engine,) = servers_store.rows(
        "SELECT engine_full FROM system.tables WHERE database = currentDatabase() AND name = {name:String}",
        {"name": f"kafka_{signal.name}"},
    )[0]
    assert kafka_engine.startswith("Kafka")
    with pytest.raises(QueryFailed) as unknown_setting:
        servers_store.command(queue.replace("kafka_flush_", "kafka_flash_").replace("EXISTS kafka_", "EXISTS other_"))
    assert unknown_setting.value.code == 115


def test_reading_begins_when_everything_is_there() -> None:
    """Messages that are read before the views exist are gone: Kafka has them marked as read."""
    statements = kafka_statements(SOURCE)
    for signal in SIGNALS:
        places = [place for place, text in enumerate(statements) if f"kafka_{signal.name}" in text]
        (begins,) = (place for place in places if f"kafka_{signal.name}_mv TO" in statements[place])
        assert begins == max(places)


def test_the_command_prints_statements_that_clickhouse_parses(servers_store: EmbeddedStore) -> None:
    printed = CliRunner().invoke(agentvigil, ["kafka", "--brokers", "one:9092,two:9092", "--project", "shop"])
    statements = kafka_statements(KafkaSource("one:9092,two:9092", project="shop"))
    key, _, others = printed.output.partition(";\n\n")
    assert others == "".join(f"{statement};\n\n" for statement in statements)
    for statement in (key, *statements):
        (formatted,) = servers_store.rows("SELECT formatQuerySingleLineOrNull({text:String})", {"text": statement})[0]
        assert formatted is not None


# With the Collector


def a_map(**pairs: Any) -> AnyValue:
    return AnyValue(kvlist_value=KeyValueList(values=attributes(pairs)))


@pytest.fixture
def broker() -> Iterator[KafkaStandIn]:
    broker = KafkaStandIn()
    yield broker
    broker.stop()


def test_what_the_collector_sends_becomes_what_it_becomes_directly(
    broker: KafkaStandIn, servers_store: EmbeddedStore, read: Read, tmp_path: Path
) -> None:
    """With its batches, its compression, and what it does to values that ClickHouse can not read."""
    size = {"flags": [True, False], "counts": [1, 2], "map": a_map(a=a_map(b=1)), "size": 7, "share": 0.25}
    nested = {**size, "said": SECRET, "gen_ai.input.messages": [a_map(role="user", content=SECRET)]}
    spans = request_of([agent(1, attributes=nested), chat(2, 1, 100, 200), tool(3, 1, start=300, end=400)])
    records = logs_of(a_record("calling the model", nested), a_record(a_map(nested=[1, a_map(c=None)]), nested))
    points = metrics_of(a_metric("gauge", a_point("gauge", nested, as_int=7)))
    requests = {otlp.TRACES: spans, otlp.LOGS: records, otlp.METRICS: points}
    collector = otelcol(
        tmp_path / "collector",
        {"AGENTVIGIL_KAFKA_BROKERS": f"[{broker.address}]", "AGENTVIGIL_COLLECTOR_DETECTORS": "[env]"},
        OTELCOL_CONFIG.with_name("otel-collector-kafka.yaml"),
    )
    try:
        collector.start()
        with grpc.insecure_channel(collector.grpc) as channel:
            for of, request in requests.items():
                send = channel.unary_unary(f"/{of.grpc_service}/Export")
                send(request.SerializeToString(), timeout=60)
        topics = {TOPICS[of.signal] for of in requests}
        until(lambda: broker.messages.keys() == topics and all(broker.messages.values()), "messages")
    finally:
        collector.kill()
    for of, request in requests.items():
        (sent,) = broker.messages[TOPICS[of.signal]]
        read(of.signal, sent)
        body = request.SerializeToString()
        take(servers_store, admitted(body, received_at_ns=time.time_ns(), otlp=of, policy=ContentPolicy.OFF), otlp=of)
        assert_alike(servers_store, of)
