"""What a sender wrote must be found again in SQL, under the Collector's columns and as itself."""

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status
from opentelemetry.sdk.resources import Resource as SdkResource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import Link, SpanContext, SpanKind, StatusCode, TraceFlags, TraceState, set_span_in_context
from trace_requests import DAY, NOW, REQUEST_COLUMNS, S, a_request, a_span, admitted, attributes, rows_of, take

from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.envelope import Limits

TESTDATA = Path(__file__).parents[1] / "testdata" / "otlp"
REGENERATE = "AGENTVIGIL_REGENERATE"
"""Set this variable to write the payloads and their rows anew; then read the difference."""

RECORDED_NS = 1_750_000_000 * S
"""When the recorded spans were made: 2025-06-15."""


# Payloads of real exporters


class CountingIds(IdGenerator):
    def __init__(self) -> None:
        self._numbers = count(1)

    def generate_span_id(self) -> int:
        return next(self._numbers)

    def generate_trace_id(self) -> int:
        return 0x0AF7651916CD43DD8448EB211C80319C


def play_agent(provider: TracerProvider) -> None:
    """An agent's run with everything that the SDK's API can express."""
    tracer = provider.get_tracer(
        "agent.lib", "1.2.3", "https://example.org/scope", {"scope.flag": True, "scope.size": 7}
    )
    elsewhere = SpanContext(
        trace_id=0xFEDC, span_id=0xBA98, is_remote=True, trace_flags=TraceFlags(1), trace_state=TraceState([("v", "1")])
    )
    root = tracer.start_span(
        "invoke_agent support",
        set_span_in_context(None),  # type: ignore[arg-type]
        SpanKind.SERVER,
        {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "support", "gen_ai.conversation.id": "c-1"},
        [Link(elsewhere, {"link.reason": "retry"}), Link(SpanContext(1, 2, is_remote=False))],
        RECORDED_NS,
    )
    chat = tracer.start_span(
        "chat gpt-4.1",
        set_span_in_context(root),
        SpanKind.CLIENT,
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.system": "openai",
            "gen_ai.request.model": "gpt-4.1",
            "gen_ai.response.model": "gpt-4.1-2025-04-14",
            "gen_ai.usage.input_tokens": 1200,
            "gen_ai.usage.output_tokens": 0,
            "gen_ai.request.temperature": 0.2,
            "gen_ai.response.finish_reasons": ["stop", "length"],
            "gen_ai.input.messages": '[{"role":"user","content":"SECRET"}]',
            "text.empty": "",
            "text.unicode": 'héllo 日本 😀 \u2028 \t"\\/',
            "number.zero": 0,
            "number.negative": -1,
            "number.max": 2**63 - 1,
            "number.min": -(2**63),
            "number.double": 0.1,
            "number.large": 1e21,
            "flag.false": False,
            "flags": [True, False],
            "numbers": [1, -2, 3],
            "doubles": [0.5, 1e-7],
        },
        start_time=RECORDED_NS + 1_000_000,
    )
    chat.add_event("first token", {"gen_ai.choice.index": 0}, RECORDED_NS + 400_000_123)
    chat.add_event("gen_ai.content.prompt", {"gen_ai.prompt": "SECRET", "kept": "yes"}, RECORDED_NS + 1_000_001)
    chat.end(RECORDED_NS + 900_000_001)
    tool = tracer.start_span(
        "execute_tool search",
        set_span_in_context(root),
        SpanKind.INTERNAL,
        {"gen_ai.tool.name": "search"},
        start_time=RECORDED_NS + 910_000_000,
    )
    tool.set_status(StatusCode.ERROR, "index is away")
    tool.set_attribute("error.type", "TimeoutError")
    tool.end(RECORDED_NS + 1_910_000_000)
    root.set_status(StatusCode.OK)
    root.end(RECORDED_NS + 2_000_000_000)


@pytest.fixture
def record() -> Iterator[Callable[[Callable[[TracerProvider], None]], bytes]]:
    """A function that returns the bytes which the HTTP exporter sends for what an application does."""
    bodies: list[bytes] = []

    class Recorder(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Recorder)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()

    def record(application: Callable[[TracerProvider], None]) -> bytes:
        resource = SdkResource(
            {"service.name": "support-bot", "service.version": "1.4", "host.cpu": 2}, "https://example.org/r"
        )
        provider = TracerProvider(resource=resource, id_generator=CountingIds(), shutdown_on_exit=False)
        exporter = OTLPSpanExporter(endpoint=f"http://127.0.0.1:{server.server_port}/v1/traces")
        provider.add_span_processor(BatchSpanProcessor(exporter))
        application(provider)
        provider.shutdown()
        return b"".join(bodies)

    yield record
    server.shutdown()
    thread.join()
    server.server_close()


def recorded_rows(store: EmbeddedStore, payload: bytes) -> list[dict[str, Any]]:
    take(store, admitted(payload, received_at_ns=RECORDED_NS + 5 * S, keep_days=3650))
    rows: list[dict[str, Any]] = json.loads(json.dumps(rows_of(store)))
    return rows


def test_a_recorded_payload_becomes_these_rows(
    store: EmbeddedStore, record: Callable[[Callable[[TracerProvider], None]], bytes]
) -> None:
    """The whole contract on one page: read ``python_sdk.json`` to see what a span looks like in SQL."""
    payload_file, rows_file = TESTDATA / "python_sdk.binpb", TESTDATA / "python_sdk.json"
    if os.environ.get(REGENERATE):
        payload_file.write_bytes(record(play_agent))
        rows = recorded_rows(store, payload_file.read_bytes())
        rows_file.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        store.command("TRUNCATE TABLE otel_traces")

    rows = recorded_rows(store, payload_file.read_bytes())

    assert rows == json.loads(rows_file.read_text(encoding="utf-8"))
    assert "SECRET" not in json.dumps(rows)


def test_the_installed_sdk_gives_the_recorded_rows(
    store: EmbeddedStore, record: Callable[[Callable[[TracerProvider], None]], bytes]
) -> None:
    """A new release of the SDK may encode otherwise; the rows have to stay."""
    rows = recorded_rows(store, record(play_agent))

    expected = json.loads((TESTDATA / "python_sdk.json").read_text(encoding="utf-8"))
    for row in (*rows, *expected):
        del row["RequestHash"]
    assert rows == expected


# Field by field


def only_row(store: EmbeddedStore) -> dict[str, Any]:
    (row,) = rows_of(store)
    return row


def rows_by_name(store: EmbeddedStore) -> dict[str, dict[str, Any]]:
    return {row["SpanName"]: row for row in rows_of(store)}


def test_everything_a_span_holds_is_found_again(store: EmbeddedStore) -> None:
    """One span with every field that OTLP has for it."""
    span = a_span(
        trace_id=bytes.fromhex("0AF7651916CD43DD8448EB211C80319C"),
        span_id=bytes.fromhex("B7AD6B7169203331"),
        parent_span_id=bytes.fromhex("00F067AA0BA902B7"),
        trace_state="vendor=a,other=b",
        name="chat",
        kind=Span.SPAN_KIND_CLIENT,
        start_time_unix_nano=NOW - 10 * S + 1,
        end_time_unix_nano=NOW - 7 * S,
        flags=0x301,
        attributes=attributes({"b": 1, "a": "x"}),
        dropped_attributes_count=3,
        events=[
            Span.Event(time_unix_nano=NOW - 8 * S, name="second", attributes=attributes({"z": True, "e": ""})),
            Span.Event(time_unix_nano=NOW - 9 * S + 1, name="first", dropped_attributes_count=1),
            Span.Event(),
        ],
        dropped_events_count=4,
        links=[
            Span.Link(
                trace_id=b"\xfe" * 16,
                span_id=b"\xdc" * 8,
                trace_state="l=1",
                attributes=attributes({"why": 1.5}),
                flags=1,
            ),
            Span.Link(),
        ],
        dropped_links_count=5,
        status=Status(code=Status.STATUS_CODE_ERROR, message="it broke"),
    )
    request = ExportTraceServiceRequest(
        resource_spans=[
            ResourceSpans(
                resource=Resource(attributes=attributes({"service.name": "bot", "n": 1}), dropped_attributes_count=1),
                schema_url="https://example.org/resource",
                scope_spans=[
                    ScopeSpans(
                        scope=InstrumentationScope(name="lib", version="2.0", attributes=attributes({"s": b"\0\1"})),
                        schema_url="https://example.org/scope",
                        spans=[span],
                    )
                ],
            )
        ]
    )
    taken = admitted(request.SerializeToString(), received_at_ns=NOW + 123_456_789, keep_days=30, project="shop")

    take(store, taken)

    row = only_row(store)
    expected = {
        "Timestamp": NOW - 10 * S + 1,
        "TraceId": "0af7651916cd43dd8448eb211c80319c",
        "SpanId": "b7ad6b7169203331",
        "ParentSpanId": "00f067aa0ba902b7",
        "TraceState": "vendor=a,other=b",
        "SpanName": "chat",
        "SpanKind": "Client",
        "ServiceName": "bot",
        "ResourceAttributes": {"n": "1", "service.name": "bot"},
        "ScopeName": "lib",
        "ScopeVersion": "2.0",
        "SpanAttributes": {"a": "x", "b": "1"},
        "Duration": 3 * S - 1,
        "StatusCode": "Error",
        "StatusMessage": "it broke",
        "Events.Timestamp": [NOW - 8 * S, NOW - 9 * S + 1, 0],
        "Events.Name": ["second", "first", ""],
        "Events.Attributes": [{"e": "", "z": "true"}, {}, {}],
        "Links.TraceId": ["fe" * 16, ""],
        "Links.SpanId": ["dc" * 8, ""],
        "Links.TraceState": ["l=1", ""],
        "Links.Attributes": [{"why": "1.5"}, {}],
        "Project": "shop",
        "KeepDays": 30,
        "IngestedAt": (NOW + 123_456_789) // 10**6,
        "RequestHash": taken.request_hash.hex(),
        "RequestSpans": 1,
        "ResourceSchemaUrl": "https://example.org/resource",
        "ScopeAttributes": {"s": "AAE="},
        "ScopeSchemaUrl": "https://example.org/scope",
        "TraceFlags": 0x301,
        "DroppedAttributes": 3,
        "DroppedEvents": 4,
        "DroppedLinks": 5,
    }
    assert {name: row[name] for name in expected} == expected
    assert list(row["SpanAttributes"]) == ["a", "b"]
    assert store.rows(
        "SELECT TraceId, toUnixTimestamp(Start), toUnixTimestamp(End), KeepDays FROM otel_traces_trace_id_ts"
    ) == [("0af7651916cd43dd8448eb211c80319c", NOW // S - 10, NOW // S - 10, 30)]


def test_a_bare_span_has_empty_columns(store: EmbeddedStore) -> None:
    """Nothing is invented: no service name, no parent, no status."""
    span = Span(trace_id=b"\1" * 16, span_id=b"\2" * 8, start_time_unix_nano=NOW, end_time_unix_nano=NOW)
    body = ExportTraceServiceRequest(resource_spans=[ResourceSpans(scope_spans=[ScopeSpans(spans=[span])])])

    take(store, admitted(body.SerializeToString()))

    row = only_row(store)
    filled = {"Timestamp", "TraceId", "SpanId", "Project", "KeepDays", *REQUEST_COLUMNS}
    nulls = {
        *(f"{part}Tokens" for part in ("Input", "Output", "CacheRead", "CacheWrite", "Reasoning")),
        *(f"{part}AudioTokens" for part in ("Input", "Output", "CacheRead")),
        *("ListCostUSD", "ReportedCostUSD", "RetrievedDocuments", "TimeToFirstChunk"),
    }
    assert {name: value for name, value in row.items() if value not in ("", 0, {}, []) and name not in filled} == {
        "SpanKind": "Unspecified",
        "StatusCode": "Unset",
        **dict.fromkeys(nulls),
    }


VALUES: dict[str, tuple[Any, str]] = {
    "empty text": ("", ""),
    "nothing": (None, ""),
    "plain": ("text", "text"),
    "unicode": ("é 日本 😀 \u2028\ufeff", "é 日本 😀 \u2028\ufeff"),
    "control": ("\0\1\n\x7f", "\0\1\n\x7f"),
    "quotes": ("'\"\\`", "'\"\\`"),
    "zero": (0, "0"),
    "minus one": (-1, "-1"),
    "largest": (2**63 - 1, "9223372036854775807"),
    "smallest": (-(2**63), "-9223372036854775808"),
    "false": (False, "false"),
    "true": (True, "true"),
    "double zero": (0.0, "0"),
    "double": (0.1, "0.1"),
    "whole double": (3.0, "3"),
    "not a number": (float("nan"), "NaN"),
    "bytes": (b"\0\xff", "AP8="),
    "no bytes": (b"", ""),
    "array": (["a", 1, 0, "", None, False, 0.5, b"\0"], '["a",1,0,"",null,false,0.5,"AA=="]'),
    "empty array": ([], "[]"),
    "nested": ([[1], []], "[[1],[]]"),
}


def test_values_of_every_kind_are_texts(store: EmbeddedStore) -> None:
    """0, false and "" are values and not the absence of one."""
    pairs = attributes({name: content for name, (content, _) in VALUES.items()})
    span = a_span(attributes=pairs, events=[Span.Event(attributes=pairs)], links=[Span.Link(attributes=pairs)])

    take(store, admitted(a_request(span)))

    expected = {name: text for name, (_, text) in VALUES.items()}
    row = only_row(store)
    assert row["SpanAttributes"] == expected
    assert row["Events.Attributes"] == row["Links.Attributes"] == [expected]
    assert store.rows(
        "SELECT mapContains(SpanAttributes, 'empty text'), mapContains(SpanAttributes, 'absent') FROM otel_traces"
    ) == [(1, 0)]


def test_of_two_values_under_one_key_the_last_counts(store: EmbeddedStore) -> None:
    """OTLP forbids it and senders do it; a map has room for one."""
    span = a_span(attributes=[*attributes({"k": 1, "a": 0}), *attributes({"k": 2})])

    take(store, admitted(a_request(span)))

    assert only_row(store)["SpanAttributes"] == {"a": "0", "k": "2"}


def test_kinds_and_states_have_the_collectors_names(store: EmbeddedStore) -> None:
    """A number that nobody has defined yet is stored as nothing, not refused."""
    kinds = {
        0: "Unspecified",
        1: "Internal",
        2: "Server",
        3: "Client",
        4: "Producer",
        5: "Consumer",
        6: "",
        42: "",
        -1: "",
    }
    states = {0: "Unset", 1: "Ok", 2: "Error", 3: "", 42: ""}
    spans = [a_span(1 + kind % 100, name=f"kind {kind}", kind=kind) for kind in kinds]  # type: ignore[arg-type]
    spans += [a_span(200 + code, name=f"status {code}", status=Status(code=code)) for code in states]  # type: ignore[arg-type]

    take(store, admitted(a_request(*spans)))

    rows = rows_by_name(store)
    assert {kind: rows[f"kind {kind}"]["SpanKind"] for kind in kinds} == kinds
    assert {code: rows[f"status {code}"]["StatusCode"] for code in states} == states


def test_a_parent_of_zeros_is_none(store: EmbeddedStore) -> None:
    """Some senders write the zeros; a root is found by ParentSpanId = ''."""
    take(
        store,
        admitted(
            a_request(
                a_span(1, name="zeros", parent_span_id=bytes(8)), a_span(2, name="child", parent_span_id=b"\1" * 8)
            )
        ),
    )

    rows = rows_by_name(store)
    assert (rows["zeros"]["ParentSpanId"], rows["child"]["ParentSpanId"]) == ("", "01" * 8)


# Times


def test_absurd_start_times_are_replaced_and_kept(store: EmbeddedStore) -> None:
    """A partition of 1677 or 2299 would be dropped at once or never; the span is worth more than its clock."""
    original = "agentvigil.original_start_time_unix_nano"
    received = NOW + 10 * DAY + 7  # ahead, or the store would drop the oldest as soon as it merges
    sane = {
        "now": received,
        "a day ahead": received + DAY,
        "as old as retention": received - 90 * DAY,
        "old": NOW - 79 * DAY,
    }
    absurd = {
        "zero": 0,
        "one": 1,
        "seconds": NOW // S,
        "milliseconds": NOW // 10**6,
        "2^63 - 1": 2**63 - 1,
        "2^63": 2**63,
        "2^64 - 1": 2**64 - 1,
        "more than a day ahead": received + DAY + 1,
        "older than retention": received - 90 * DAY - 1,
    }
    spans = [
        a_span(n, name=name, start_time_unix_nano=at) for n, (name, at) in enumerate({**sane, **absurd}.items(), 1)
    ]

    take(store, admitted(a_request(*spans), received_at_ns=received))

    rows = rows_by_name(store)
    assert {name: rows[name]["Timestamp"] for name in sane} == sane
    assert {name: rows[name]["Timestamp"] for name in absurd} == dict.fromkeys(absurd, received)
    assert {name: rows[name]["SpanAttributes"] for name in absurd} == {n: {original: str(t)} for n, t in absurd.items()}
    assert all(rows[name]["SpanAttributes"] == {} for name in sane)


def test_durations_are_never_negative_nor_absurd(store: EmbeddedStore) -> None:
    """Duration is unsigned: a clock that runs backwards would give 584 years."""
    start = NOW - S
    cases = {
        "usual": (start, start + 5, 5),
        "none": (start, start, 0),
        "backwards": (start, start - 1, 0),
        "never ended": (start, 0, 0),
        "ended in the far future": (start, 2**64 - 1, 0),
        "ended within the day ahead": (start, NOW + DAY, DAY + S),
        "absurd start, usual length": (5, 10, 5),
        "absurd start, a day": (5, 5 + DAY, DAY),
        "absurd start, more than a day": (5, 6 + DAY, 0),
        "no start": (0, start, 0),
    }
    spans = [
        a_span(n, name=name, start_time_unix_nano=begin, end_time_unix_nano=end)
        for n, (name, (begin, end, _)) in enumerate(cases.items(), 1)
    ]

    take(store, admitted(a_request(*spans)))

    rows = rows_by_name(store)
    assert {name: rows[name]["Duration"] for name in cases} == {
        name: expected for name, (_, _, expected) in cases.items()
    }


def test_absurd_event_times_do_not_fail(store: EmbeddedStore) -> None:
    """Beyond what the column holds they are cut to its end."""
    take(store, admitted(a_request(a_span(events=[Span.Event(time_unix_nano=t) for t in (0, 1, 2**63, 2**64 - 1)]))))

    assert only_row(store)["Events.Timestamp"] == [0, 1, 2**63 - 1, 2**63 - 1]


# Limits


def test_what_is_over_the_limits_is_cut_and_counted(store: EmbeddedStore) -> None:
    """A span of a million events must not be able to stop the store; the row says what is missing."""
    span = a_span(
        attributes=attributes({f"k{n}": n for n in range(5)}),
        events=[Span.Event(name=f"e{n}") for n in range(4)],
        links=[Span.Link(trace_state=f"l{n}") for n in range(3)],
        dropped_attributes_count=10,
        dropped_events_count=20,
        dropped_links_count=30,
    )

    take(store, admitted(a_request(span), limits=Limits(attributes=3, events=2, links=1)))

    row = only_row(store)
    assert row["SpanAttributes"] == {"k0": "0", "k1": "1", "k2": "2"}
    assert row["Events.Name"] == ["e0", "e1"]
    assert row["Links.TraceState"] == ["l0"]
    assert len(row["Events.Attributes"]) == 2
    assert len(row["Links.Attributes"]) == 1
    assert (row["DroppedAttributes"], row["DroppedEvents"], row["DroppedLinks"]) == (12, 22, 32)


def test_exactly_at_the_limits_nothing_is_cut(store: EmbeddedStore) -> None:
    """The limit is how many are kept."""
    span = a_span(
        attributes=attributes({f"k{n}": n for n in range(128)}),
        events=[Span.Event(name=f"e{n}") for n in range(128)],
        links=[Span.Link(trace_state=f"l{n}") for n in range(128)],
    )

    take(store, admitted(a_request(span)))

    row = only_row(store)
    assert (len(row["SpanAttributes"]), len(row["Events.Name"]), len(row["Links.SpanId"])) == (128, 128, 128)
    assert (row["DroppedAttributes"], row["DroppedEvents"], row["DroppedLinks"]) == (0, 0, 0)


def test_content_takes_no_room_from_what_is_kept(store: EmbeddedStore) -> None:
    """Withheld attributes are not cut ones: they count for no limit and for no loss."""
    span = a_span(attributes=attributes({"gen_ai.input.messages": "x", "gen_ai.prompt.0.content": "x", "a": 1, "b": 2}))

    take(store, admitted(a_request(span), limits=Limits(attributes=2)))

    row = only_row(store)
    assert (row["SpanAttributes"], row["DroppedAttributes"]) == ({"a": "1", "b": "2"}, 0)


# Typed columns


def test_typed_columns_read_old_and_foreign_names(store: EmbeddedStore) -> None:
    """Unknown tokens are NULL and never 0: a sum over them would be wrong without anybody seeing it."""
    spans = {
        "current": {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "m",
            "gen_ai.response.model": "m-1",
            "gen_ai.agent.name": "support",
            "gen_ai.agent.version": "1.4",
            "gen_ai.conversation.id": "c",
            "gen_ai.tool.name": "search",
            "gen_ai.usage.input_tokens": 10,
            "gen_ai.usage.output_tokens": 20,
            "gen_ai.usage.cache_read.input_tokens": 3,
            "gen_ai.usage.cache_write.input_tokens": 4,
            "gen_ai.usage.reasoning.output_tokens": 5,
            "error.type": "TimeoutError",
        },
        "old": {"gen_ai.system": "anthropic", "gen_ai.usage.prompt_tokens": 7, "gen_ai.usage.completion_tokens": 0},
        "foreign": {
            "llm.provider": "x",
            "llm.model_name": "y",
            "llm.token_count.prompt": 8,
            "session.id": "s",
            "tool.name": "t",
        },
        "both": {
            "gen_ai.system": "old",
            "gen_ai.provider.name": "new",
            "gen_ai.usage.prompt_tokens": 1,
            "gen_ai.usage.input_tokens": 2,
        },
        "no numbers": {
            "gen_ai.usage.input_tokens": "many",
            "gen_ai.usage.output_tokens": -1,
            "gen_ai.usage.reasoning.output_tokens": 1.5,
        },
        "absent": {},
        "zero": {"gen_ai.usage.input_tokens": 0, "gen_ai.usage.output_tokens": "0"},
        "largest": {"gen_ai.usage.input_tokens": 10**12 - 1},
        "beyond belief": {"gen_ai.usage.input_tokens": 10**12},
    }

    take(
        store,
        admitted(
            a_request(
                *(
                    a_span(n, name=name, attributes=attributes(pairs))
                    for n, (name, pairs) in enumerate(spans.items(), 1)
                )
            )
        ),
    )

    columns = (
        "Operation", "Provider", "RequestModel", "ResponseModel", "AgentName", "AgentVersion", "ConversationId",
        "ToolName",
        "InputTokens", "OutputTokens", "CacheReadTokens", "CacheWriteTokens", "ReasoningTokens", "ErrorType",
    )  # fmt: skip
    unknown = {**dict.fromkeys(columns, ""), **dict.fromkeys(column for column in columns if column.endswith("Tokens"))}
    rows = rows_by_name(store)
    assert {name: {column: rows[name][column] for column in columns} for name in spans} == {
        "current": dict(
            zip(
                columns,
                ("chat", "openai", "m", "m-1", "support", "1.4", "c", "search", 10, 20, 3, 4, 5, "TimeoutError"),
                strict=True,
            )
        ),
        "old": {**unknown, "Provider": "anthropic", "InputTokens": 7, "OutputTokens": 0},
        "foreign": {
            **unknown,
            "Provider": "x",
            "RequestModel": "y",
            "ResponseModel": "y",
            "InputTokens": 8,
            "ConversationId": "s",
            "ToolName": "t",
        },
        "both": {**unknown, "Provider": "new", "InputTokens": 2},
        "no numbers": unknown,
        "absent": unknown,
        "zero": {**unknown, "InputTokens": 0, "OutputTokens": 0},
        "largest": {**unknown, "InputTokens": 10**12 - 1},
        "beyond belief": unknown,
    }


def test_rows_that_a_collector_writes_get_everything_too(servers_store: EmbeddedStore) -> None:
    """Its exporter names the columns it knows; ours have to come by themselves."""
    store = servers_store
    store.command(
        """
        INSERT INTO otel_traces (
            Timestamp, TraceId, SpanId, ParentSpanId, TraceState, SpanName, SpanKind, ServiceName, ResourceAttributes,
            ScopeName, ScopeVersion, SpanAttributes, Duration, StatusCode, StatusMessage,
            Events.Timestamp, Events.Name, Events.Attributes,
            Links.TraceId, Links.SpanId, Links.TraceState, Links.Attributes
        )
        SELECT
            fromUnixTimestamp64Nano({start:Int64}), 'abc', 'def', '', '', 'chat', 'Client', 'bot',
            map('service.name', 'bot'), 'lib', '1',
            map('gen_ai.system', 'openai', 'gen_ai.usage.input_tokens', '12', 'gen_ai.operation.name', 'chat'),
            5, 'Ok', '',
            [], [], [], [], [], [], []
        """,
        {"start": NOW + 1},
    )

    row = only_row(store)
    expected = {
        "Timestamp": NOW + 1,
        "Operation": "chat",
        "Provider": "openai",
        "InputTokens": 12,
        "OutputTokens": None,
        "Project": "default",
        "KeepDays": 90,
        "RequestHash": "00" * 16,
        "RequestSpans": 0,
    }
    assert {name: row[name] for name in expected} == expected
    assert abs(row["IngestedAt"] - time.time_ns() // 10**6) < 600_000
    assert store.rows("SELECT TraceId, toUnixTimestamp(Start), toUnixTimestamp(End) FROM otel_traces_trace_id_ts") == [
        ("abc", NOW // S, NOW // S)
    ]


def test_the_index_of_traces_holds_first_and_last(store: EmbeddedStore) -> None:
    """Readers narrow the lookup of a trace by it; a span that arrives later must widen it."""
    early, late = a_span(1, start_time_unix_nano=NOW - 100 * S), a_span(2, start_time_unix_nano=NOW - 10 * S)
    other = a_span(3, trace_id=b"\xbb" * 16, start_time_unix_nano=NOW - 50 * S)
    take(store, admitted(a_request(late)), admitted(a_request(other)))
    take(store, admitted(a_request(early), keep_days=7))

    found = store.rows(
        "SELECT TraceId, toUnixTimestamp(min(Start)), toUnixTimestamp(max(End)), max(KeepDays) "
        "FROM otel_traces_trace_id_ts GROUP BY TraceId ORDER BY TraceId"
    )

    assert found == [
        ("aa" * 15 + "01", NOW // S - 100, NOW // S - 10, 90),
        ("bb" * 16, NOW // S - 50, NOW // S - 50, 90),
    ]


@pytest.mark.parametrize("keep_days", [7, 30, 90, 365, 3650])
def test_retention_is_a_class_of_the_row(store: EmbeddedStore, keep_days: int) -> None:
    """Retention drops whole parts, so rows of one class have to lie together."""
    take(store, admitted(a_request(a_span()), keep_days=keep_days))

    assert only_row(store)["KeepDays"] == keep_days
    day = store.rows("SELECT toString(toDate(Timestamp)) FROM otel_traces")[0][0]
    partitions = store.rows(
        "SELECT partition FROM system.parts WHERE database = currentDatabase() AND table = 'otel_traces' AND active"
    )
    assert partitions == [(f"('{day}',{keep_days})",)]


# Batches

span_plans = st.lists(
    st.fixed_dictionaries(
        {
            "attributes": st.dictionaries(
                st.sampled_from("abcde"), st.none() | st.integers(-3, 3) | st.text(max_size=3), max_size=3
            ),
            "events": st.integers(0, 2),
            "links": st.integers(0, 2),
            "kind": st.integers(0, 5),
            "service": st.sampled_from(["one", "two"]),
            "request": st.integers(0, 3),
            "start": st.sampled_from([0, NOW - S, NOW - 2 * DAY]),
        }
    ),
    min_size=1,
    max_size=12,
)


def planned_span(number: int, plan: dict[str, Any]) -> Span:
    own = attributes(plan["attributes"])
    return a_span(
        number,
        kind=plan["kind"],
        start_time_unix_nano=plan["start"],
        attributes=own,
        events=[Span.Event(name=f"e{n}", attributes=own) for n in range(plan["events"])],
        links=[Span.Link(span_id=bytes([n]) * 8, attributes=own) for n in range(plan["links"])],
    )


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plans=span_plans)
def test_splitting_a_batch_changes_nothing(store: EmbeddedStore, plans: list[dict[str, Any]]) -> None:
    """How an exporter cuts its batches, and which requests meet in a group, is an accident."""
    spans = list(enumerate(plans, 1))
    whole = ExportTraceServiceRequest()
    split: dict[int, ExportTraceServiceRequest] = {}
    for number, plan in spans:
        one = ExportTraceServiceRequest.FromString(a_request(planned_span(number, plan), service=plan["service"]))
        whole.MergeFrom(one)
        split.setdefault(plan["request"], ExportTraceServiceRequest()).MergeFrom(one)

    def rows_after(*requests: ExportTraceServiceRequest) -> list[dict[str, Any]]:
        store.command("TRUNCATE TABLE otel_traces")
        take(store, *(admitted(request.SerializeToString()) for request in requests))
        return rows_of(store, order="SpanId", without=sorted(REQUEST_COLUMNS))

    together = rows_after(whole)

    assert len(together) == len(spans)
    assert rows_after(*split.values()) == together
