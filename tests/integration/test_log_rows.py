"""What a sender logged must be found again in SQL, under the Collector's columns; what was said to a model must not."""

import json
import time
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValueList
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from otlp_requests import VALUES, a_record, columns_of, insert, keys_of, logs_of, only_row, request_hash, rows_of
from trace_requests import DAY, NOW, S, attributes, value

from agentvigil.semconv.content import CONTENT_KEYS, CONTENT_NUMBERED_PREFIXES, CONTENT_PREFIXES
from agentvigil.semconv.privacy import ContentPolicy
from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.signals import LOGS

(DESTINATION,) = LOGS.destinations
ORIGINAL_TIME = "agentvigil.original_time_unix_nano"
SECRET = "what somebody said"

COLLECTORS_COLUMNS = {
    "Timestamp": "DateTime64(9)",
    "TraceId": "String",
    "SpanId": "String",
    "TraceFlags": "UInt8",
    "SeverityText": "LowCardinality(String)",
    "SeverityNumber": "UInt8",
    "ServiceName": "LowCardinality(String)",
    "Body": "String",
    "ResourceSchemaUrl": "LowCardinality(String)",
    "ResourceAttributes": "Map(LowCardinality(String), String)",
    "ScopeSchemaUrl": "LowCardinality(String)",
    "ScopeName": "String",
    "ScopeVersion": "LowCardinality(String)",
    "ScopeAttributes": "Map(LowCardinality(String), String)",
    "LogAttributes": "Map(LowCardinality(String), String)",
    "EventName": "String",
    "__otel_materialized_k8s.cluster.name": "LowCardinality(String)",
    "__otel_materialized_k8s.container.name": "LowCardinality(String)",
    "__otel_materialized_k8s.deployment.name": "LowCardinality(String)",
    "__otel_materialized_k8s.namespace.name": "LowCardinality(String)",
    "__otel_materialized_k8s.node.name": "LowCardinality(String)",
    "__otel_materialized_k8s.pod.name": "LowCardinality(String)",
    "__otel_materialized_k8s.pod.uid": "LowCardinality(String)",
    "__otel_materialized_deployment.environment.name": "LowCardinality(String)",
}
"""Those of ``otel_logs`` as the Collector's ClickHouse exporter 0.161 creates it."""

TYPED = (
    "Operation", "Provider", "RequestModel", "ResponseModel", "AgentName", "AgentVersion", "ConversationId", "ToolName",
    "InputTokens", "OutputTokens", "CacheReadTokens", "CacheWriteTokens", "ReasoningTokens", "ErrorType",
)  # fmt: skip


def rows_by_event(store: EmbeddedStore) -> dict[str, dict[str, Any]]:
    return {row["EventName"]: row for row in rows_of(store, DESTINATION)}


def test_the_table_starts_with_the_collectors_columns(store: EmbeddedStore) -> None:
    """Its exporter, Rotel and Grafana name them in their own statements."""
    columns = columns_of(store, DESTINATION)

    assert {name: type_ for name, type_, _ in columns[: len(COLLECTORS_COLUMNS)]} == COLLECTORS_COLUMNS
    assert [name for name, _, _ in columns[: len(COLLECTORS_COLUMNS)]] == list(COLLECTORS_COLUMNS)
    assert keys_of(store, DESTINATION) == (
        "toStartOfFiveMinutes(Timestamp), ServiceName, Timestamp",
        "(toDate(Timestamp), KeepDays)",
    )


def test_everything_a_record_holds_is_found_again(store: EmbeddedStore) -> None:
    """One record with every field that OTLP has for it, and every column of its row."""
    record = LogRecord(
        time_unix_nano=NOW - 10 * S + 1,
        observed_time_unix_nano=NOW - 9 * S + 2,
        severity_number=17,
        severity_text="ERROR",
        body=AnyValue(string_value="it broke"),
        attributes=attributes({"b": 1, "a": "x"}),
        dropped_attributes_count=3,
        flags=0x301,
        trace_id=bytes.fromhex("0AF7651916CD43DD8448EB211C80319C"),
        span_id=bytes.fromhex("B7AD6B7169203331"),
        event_name="app.broke",
    )
    request = ExportLogsServiceRequest(
        resource_logs=[
            ResourceLogs(
                resource=Resource(
                    attributes=attributes({"service.name": "bot", "k8s.pod.name": "p-1", "a": 1.5}),
                    dropped_attributes_count=1,
                ),
                schema_url="https://example.org/resource",
                scope_logs=[
                    ScopeLogs(
                        scope=InstrumentationScope(name="lib", version="2.0", attributes=attributes({"s": True})),
                        schema_url="https://example.org/scope",
                        log_records=[record],
                    )
                ],
            )
        ]
    )

    insert(store, LOGS, request, received_at_ns=NOW + 123_456_789, keep_days=30, project="shop", items=7)

    row = only_row(store, DESTINATION)
    assert row == {
        "Timestamp": NOW - 10 * S + 1,
        "TraceId": "0af7651916cd43dd8448eb211c80319c",
        "SpanId": "b7ad6b7169203331",
        "TraceFlags": 1,
        "SeverityText": "ERROR",
        "SeverityNumber": 17,
        "ServiceName": "bot",
        "Body": "it broke",
        "ResourceSchemaUrl": "https://example.org/resource",
        "ResourceAttributes": {"a": "1.5", "k8s.pod.name": "p-1", "service.name": "bot"},
        "ScopeSchemaUrl": "https://example.org/scope",
        "ScopeName": "lib",
        "ScopeVersion": "2.0",
        "ScopeAttributes": {"s": "true"},
        "LogAttributes": {"a": "x", "b": "1"},
        "EventName": "app.broke",
        **{name: "" for name in COLLECTORS_COLUMNS if name.startswith("__otel")},
        "__otel_materialized_k8s.pod.name": "p-1",
        "TimestampTime": NOW // S - 10,
        "Project": "shop",
        "KeepDays": 30,
        "IngestedAt": (NOW + 123_456_789) // 10**6,
        "RequestHash": request_hash(request).hex(),
        "RequestLogRecords": 7,
        "ObservedTimestamp": NOW - 9 * S + 2,
        "BodyWithheld": False,
        "DroppedAttributes": 3,
        "WithheldKeys": [],
        "NormalizedAttributes": {"a": "x", "b": "1"},
        **{name: None if name.endswith("Tokens") else "" for name in TYPED},
    }
    assert list(row["ResourceAttributes"]) == ["a", "k8s.pod.name", "service.name"]
    assert list(row["LogAttributes"]) == ["a", "b"]


def test_a_bare_record_has_empty_columns(store: EmbeddedStore) -> None:
    """Nothing is invented but the time: without one there is no partition to store it in."""
    request = ExportLogsServiceRequest(resource_logs=[ResourceLogs(scope_logs=[ScopeLogs(log_records=[LogRecord()])])])

    insert(store, LOGS, request)

    row = only_row(store, DESTINATION)
    assert {name: value for name, value in row.items() if value not in ("", 0, {}, [])} == {
        "Timestamp": NOW,
        "TimestampTime": NOW // S,
        "Project": "default",
        "KeepDays": 90,
        "IngestedAt": NOW // 10**6,
        "RequestHash": request_hash(request).hex(),
        "RequestLogRecords": 1,
        **{name: None for name in TYPED if name.endswith("Tokens")},
    }


def test_empty_requests_give_no_rows(store: EmbeddedStore) -> None:
    """An empty resource or scope among others takes nothing from them."""
    full = ScopeLogs(log_records=[a_record("a"), a_record("b")])
    request = ExportLogsServiceRequest(
        resource_logs=[
            ResourceLogs(),
            ResourceLogs(scope_logs=[ScopeLogs(), full]),
            ResourceLogs(resource=Resource(attributes=attributes({"service.name": "second"})), scope_logs=[full, full]),
            ResourceLogs(scope_logs=[ScopeLogs()]),
        ]
    )

    insert(store, LOGS, ExportLogsServiceRequest(), request, ExportLogsServiceRequest(resource_logs=[ResourceLogs()]))

    found = [(row["ServiceName"], row["Body"]) for row in rows_of(store, DESTINATION, "ServiceName, Body")]
    assert found == [("", "a"), ("", "b"), ("second", "a"), ("second", "a"), ("second", "b"), ("second", "b")]


# Values


def test_values_of_every_kind_are_texts(store: EmbeddedStore) -> None:
    """0, false and "" are values and not the absence of one, in a body as in an attribute."""
    records = [
        a_record(content, {name: content for name, (content, _) in VALUES.items()}, event_name=name)
        for name, (content, _) in VALUES.items()
    ]
    scope = InstrumentationScope(attributes=records[0].attributes)

    insert(store, LOGS, logs_of(*records, scope=scope, **{name: content for name, (content, _) in VALUES.items()}))

    expected = {name: text for name, (_, text) in VALUES.items()}
    rows = rows_by_event(store)
    assert {name: rows[name]["Body"] for name in VALUES} == expected
    assert all(rows[name]["LogAttributes"] == rows[name]["ScopeAttributes"] == expected for name in VALUES)
    assert all(rows[name]["ResourceAttributes"] == {**expected, "service.name": "test"} for name in VALUES)


def test_a_map_that_nobody_rewrote_is_nothing(store: EmbeddedStore) -> None:
    """Admission makes maps, bytes and other arrays text; what it left is skipped and breaks no request."""
    fields = AnyValue(kvlist_value=KeyValueList(values=attributes({"k": "v"})))

    insert(store, LOGS, logs_of(a_record(fields, {"map": fields, "bytes": AnyValue(bytes_value=b"x"), "after": 1})))

    row = only_row(store, DESTINATION)
    assert (row["Body"], row["LogAttributes"]) == ("", {"after": "1", "bytes": "", "map": ""})


def test_ids_of_zeros_are_none(store: EmbeddedStore) -> None:
    """A record of no span is found by TraceId = ''."""
    insert(
        store,
        LOGS,
        logs_of(
            a_record(event_name="zeros", trace_id=bytes(16), span_id=bytes(8)),
            a_record(event_name="ids", trace_id=bytes(15) + b"\1", span_id=b"\1" + bytes(7)),
            a_record(event_name="none"),
        ),
    )

    found = {event: (row["TraceId"], row["SpanId"]) for event, row in rows_by_event(store).items()}
    assert found == {"zeros": ("", ""), "ids": ("00" * 15 + "01", "01" + "00" * 7), "none": ("", "")}


def test_unknown_severities_are_kept_within_the_column(store: EmbeddedStore) -> None:
    """A severity beyond those known is high and not, by an overflow, low."""
    cases: dict[Any, int] = {0: 0, 1: 1, 24: 24, 25: 25, 255: 255, 256: 255, -1: 0, 2**31 - 1: 255}

    insert(store, LOGS, logs_of(*(a_record(severity_number=number, event_name=str(number)) for number in cases)))

    rows = rows_by_event(store)
    assert {number: rows[str(number)]["SeverityNumber"] for number in cases} == cases


def test_trace_flags_are_the_low_byte(store: EmbeddedStore) -> None:
    """The others are OTLP's own and not W3C's."""
    insert(store, LOGS, logs_of(a_record(flags=0xFFFFFF02)))

    assert only_row(store, DESTINATION)["TraceFlags"] == 2


def test_an_event_has_its_name_from_either_place(store: EmbeddedStore) -> None:
    """Before OTLP had the field, the name was an attribute."""
    insert(
        store,
        LOGS,
        logs_of(
            a_record(1, event_name="field"),
            a_record(2, {"event.name": "attribute"}),
            a_record(3, {"event.name": "other"}, event_name="both"),
        ),
    )

    assert [row["EventName"] for row in rows_of(store, DESTINATION, "Body")] == ["field", "attribute", "both"]


# Privacy


def test_content_is_withheld_everywhere(store: EmbeddedStore) -> None:
    """Resource, scope and record, and the body of a record that has any of it."""
    keys = [
        *CONTENT_KEYS,
        *(prefix + "x" for prefix in CONTENT_PREFIXES),
        *(prefix + "0.content" for prefix in CONTENT_NUMBERED_PREFIXES),
    ]
    content: dict[str, Any] = {**dict.fromkeys(keys, SECRET), "kept": "yes"}
    records = [a_record(SECRET, {key: SECRET, "kept": "yes"}) for key in keys]

    insert(
        store,
        LOGS,
        logs_of(*records, scope=InstrumentationScope(name="s", attributes=attributes(content)), **content),
        policy=ContentPolicy.OFF,
    )

    rows = rows_of(store, DESTINATION)
    assert len(rows) == len(keys)
    assert SECRET not in json.dumps(rows)
    for row in rows:
        assert row["LogAttributes"] == row["ScopeAttributes"] == {"kept": "yes"}
        assert row["ResourceAttributes"] == {"kept": "yes", "service.name": "test"}
        assert (row["Body"], row["BodyWithheld"], row["DroppedAttributes"]) == ("", True, 0)


def test_the_body_of_a_model_call_is_withheld(store: EmbeddedStore) -> None:
    """It is a prompt or an answer, by whatever sign; where there was none, none is said to be withheld."""
    withheld = [
        a_record("x", event_name="gen_ai.client.inference.operation.details"),
        a_record("x", {"event.name": "gen_ai.user.message"}),
        a_record("x", {"event.name": "gen_ai.choice"}, event_name="other"),
        LogRecord(
            body=value("x"), attributes=[*attributes({"event.name": "a"}), *attributes({"event.name": "gen_ai.b"})]
        ),
        a_record("x", {"gen_ai.system": "openai"}),
        a_record("x", {"a": 1, "gen_ai.unheard_of": 1, "z": 1}),
        a_record("x", {"input.value": "y"}),
        a_record(0, {"gen_ai.system": "openai"}),
        a_record(["x"], {"gen_ai.system": "openai"}),
    ]
    empty = [a_record("", {"gen_ai.system": "openai"}), a_record(None, {"gen_ai.system": "openai"})]
    kept = [
        a_record("failed"),
        a_record("failed", {"event.name": "app.gen_ai.x"}, event_name="gen_airy"),
        a_record("failed", {"gen_airy": 1, "app.gen_ai.x": "gen_ai.", "llm.model_name": "m"}),
    ]
    records = [*withheld, *empty, *kept]
    for number, record in enumerate(records):
        record.time_unix_nano = NOW - S + number

    insert(store, LOGS, logs_of(*records), policy=ContentPolicy.OFF)

    found = [(row["Body"], row["BodyWithheld"]) for row in rows_of(store, DESTINATION, "Timestamp")]
    assert found == [("", True)] * len(withheld) + [("", False)] * len(empty) + [("failed", False)] * len(kept)


def test_a_sign_beyond_the_limit_counts(store: EmbeddedStore) -> None:
    """An attribute that is cut off still tells what the record is about."""
    insert(
        store,
        LOGS,
        logs_of(a_record(SECRET, {"a": 1, "gen_ai.system": "openai"})),
        attribute_limit=1,
        policy=ContentPolicy.OFF,
    )

    row = only_row(store, DESTINATION)
    assert (row["Body"], row["BodyWithheld"], row["LogAttributes"]) == ("", True, {"a": "1"})


# Times and limits


def test_a_record_is_dated_by_the_first_time_known(store: EmbeddedStore) -> None:
    """Its own, else when it was seen, else when it came here."""
    cases = {
        "both": (NOW - 5 * S, NOW - 4 * S, NOW - 5 * S),
        "only observed": (0, NOW - 4 * S, NOW - 4 * S),
        "none": (0, 0, NOW),
    }
    insert(
        store,
        LOGS,
        logs_of(
            *(
                a_record(event_name=name, time_unix_nano=at, observed_time_unix_nano=seen)
                for name, (at, seen, _) in cases.items()
            )
        ),
    )

    rows = rows_by_event(store)
    assert {name: rows[name]["Timestamp"] for name in cases} == {name: stored for name, (_, _, stored) in cases.items()}
    assert {name: rows[name]["ObservedTimestamp"] for name in cases} == {n: seen for n, (_, seen, _) in cases.items()}
    assert all(row["LogAttributes"] == {} for row in rows.values())


def test_absurd_times_are_replaced_and_kept(store: EmbeddedStore) -> None:
    """A partition of 1677 or 2299 would be dropped at once or never; the record is worth more than its clock."""
    received = NOW + 10 * DAY + 7  # ahead, or the store would drop the oldest as soon as it merges
    sane = {"now": received, "a day ahead": received + DAY, "as old as retention": received - 90 * DAY}
    absurd = {
        "one": 1,
        "seconds": NOW // S,
        "2^63 - 1": 2**63 - 1,
        "2^63": 2**63,
        "2^64 - 1": 2**64 - 1,
        "more than a day ahead": received + DAY + 1,
        "older than retention": received - 90 * DAY - 1,
    }
    records = [a_record(event_name=name, time_unix_nano=at) for name, at in {**sane, **absurd}.items()]
    records.append(a_record(event_name="observed", time_unix_nano=0, observed_time_unix_nano=2**64 - 1))

    insert(store, LOGS, logs_of(*records), received_at_ns=received)

    rows = rows_by_event(store)
    assert {name: rows[name]["Timestamp"] for name in sane} == sane
    assert all(rows[name]["LogAttributes"] == {} for name in sane)
    absurd["observed"] = 2**64 - 1
    assert {name: rows[name]["Timestamp"] for name in absurd} == dict.fromkeys(absurd, received)
    assert {name: rows[name]["LogAttributes"] for name in absurd} == {
        n: {ORIGINAL_TIME: str(t)} for n, t in absurd.items()
    }
    assert rows["observed"]["ObservedTimestamp"] == 2**63 - 1


def test_what_is_over_the_limit_is_cut_and_counted(store: EmbeddedStore) -> None:
    """Withheld attributes are not cut ones, and an original time is kept whatever the limit."""
    pairs = {"message": SECRET, **{f"k{n}": n for n in range(5)}}
    insert(
        store,
        LOGS,
        logs_of(
            a_record(None, pairs, event_name="over", dropped_attributes_count=10),
            a_record(None, {f"k{n}": n for n in range(3)}, event_name="at"),
            a_record(None, pairs, event_name="absurd", time_unix_nano=5),
        ),
        attribute_limit=3,
    )

    rows = rows_by_event(store)
    kept = {"k0": "0", "k1": "1", "k2": "2"}
    found = {name: (row["LogAttributes"], row["DroppedAttributes"]) for name, row in rows.items()}
    assert found == {"over": (kept, 12), "at": (kept, 0), "absurd": ({ORIGINAL_TIME: "5", **kept}, 2)}


def test_retention_is_a_class_of_the_row(store: EmbeddedStore) -> None:
    """Retention drops whole parts, so rows of one class have to lie together."""
    for keep_days in (7, 3650):
        insert(store, LOGS, logs_of(a_record()), keep_days=keep_days)

    day = store.rows("SELECT toString(toDate(Timestamp)) FROM otel_logs")[0][0]
    partitions = store.rows(
        "SELECT partition FROM system.parts WHERE database = currentDatabase() AND table = 'otel_logs' AND active "
        "ORDER BY length(partition)"
    )
    assert partitions == [(f"('{day}',7)",), (f"('{day}',3650)",)]


# Other writers and readers


def test_typed_columns_read_old_and_foreign_names(store: EmbeddedStore) -> None:
    """Events of the GenAI conventions arrive as log records; unknown tokens are NULL and never 0."""
    insert(
        store,
        LOGS,
        logs_of(
            a_record(
                None,
                {
                    "gen_ai.operation.name": "chat",
                    "gen_ai.system": "openai",
                    "llm.model_name": "m",
                    "gen_ai.usage.prompt_tokens": 7,
                    "gen_ai.usage.output_tokens": "many",
                    "error.type": "TimeoutError",
                },
            )
        ),
    )

    row = only_row(store, DESTINATION)
    assert {name: row[name] for name in TYPED if row[name] not in ("", None)} == {
        "Operation": "chat",
        "Provider": "openai",
        "RequestModel": "m",
        "InputTokens": 7,
        "ErrorType": "TimeoutError",
    }
    assert row["OutputTokens"] is None


def test_rows_that_a_collector_writes_get_everything_too(store: EmbeddedStore) -> None:
    """Its exporter names the columns it knows; ours have to come by themselves."""
    written = [name for name in COLLECTORS_COLUMNS if not name.startswith("__otel")]
    store.command(
        f"INSERT INTO otel_logs ({', '.join(written)}) SELECT fromUnixTimestamp64Nano({{at:Int64}}), 'abc', 'def', 1, "
        "'INFO', 9, 'bot', 'hello', '', map('service.name', 'bot', 'k8s.node.name', 'n'), '', 'lib', '1', map(), "
        "map('gen_ai.system', 'openai'), 'app.event'",
        {"at": NOW + 1},
    )

    row = only_row(store, DESTINATION)
    expected = {
        "Timestamp": NOW + 1,
        "Body": "hello",
        "EventName": "app.event",
        "__otel_materialized_k8s.node.name": "n",
        "TimestampTime": NOW // S,
        "Project": "default",
        "KeepDays": 90,
        "RequestHash": "00" * 16,
        "RequestLogRecords": 0,
        "ObservedTimestamp": 0,
        "BodyWithheld": False,
        "DroppedAttributes": 0,
        "Provider": "openai",
    }
    assert {name: row[name] for name in expected} == expected
    assert abs(row["IngestedAt"] - time.time() * 1000) < 600_000


def test_a_trace_finds_its_records_by_the_index(store: EmbeddedStore) -> None:
    """The page of a run asks for them, over all of retention."""
    insert(store, LOGS, logs_of(a_record("x", trace_id=b"\xaa" * 16)))

    plan = store.rows(f"EXPLAIN indexes = 1 SELECT Body FROM otel_logs WHERE TraceId = '{'aa' * 16}'")
    assert any("idx_trace_id" in line for (line,) in plan)
