"""The typed columns of real libraries' spans, held against the reference normalizer's reading of the same spans."""

import json
import os
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from clickhouse_stand_in import ClickHouseStandIn
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Status
from trace_requests import NOW, a_span, admitted, attributes, take

import golden_payloads
from agentvigil.semconv import names as n
from agentvigil.semconv.dialects import load
from agentvigil.semconv.privacy import ContentPolicy
from agentvigil.semconv.reference import Normalized, Span, normalize
from agentvigil.semconv.reference.values import text
from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.server import ServerStore
from agentvigil.storage.store import Store

DIALECTS: Final = Path(__file__).parents[1] / "testdata" / "dialects"

TEXTS: Final = {
    "Provider": n.GEN_AI_PROVIDER_NAME,
    "RequestModel": n.GEN_AI_REQUEST_MODEL,
    "ResponseModel": n.GEN_AI_RESPONSE_MODEL,
    "ResponseId": n.GEN_AI_RESPONSE_ID,
    "AgentName": n.GEN_AI_AGENT_NAME,
    "AgentVersion": n.GEN_AI_AGENT_VERSION,
    "WorkflowName": n.GEN_AI_WORKFLOW_NAME,
    "ToolName": n.GEN_AI_TOOL_NAME,
    "ToolCallId": n.GEN_AI_TOOL_CALL_ID,
    "ConversationId": n.GEN_AI_CONVERSATION_ID,
    "UserId": n.USER_ID,
    "StepName": n.AGENTVIGIL_STEP_NAME,
    "Framework": n.AGENTVIGIL_FRAMEWORK,
    "ErrorType": n.ERROR_TYPE,
}
NUMBERS: Final = {
    "InputTokens": n.GEN_AI_USAGE_INPUT_TOKENS,
    "OutputTokens": n.GEN_AI_USAGE_OUTPUT_TOKENS,
    "CacheReadTokens": n.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS,
    "CacheWriteTokens": n.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS,
    "ReasoningTokens": n.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS,
    "InputAudioTokens": n.GEN_AI_USAGE_AUDIO_INPUT_TOKENS,
    "OutputAudioTokens": n.GEN_AI_USAGE_AUDIO_OUTPUT_TOKENS,
    "ReportedCostUSD": n.AGENTVIGIL_COST_USD,
    "TimeToFirstChunk": n.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK,
}
COLUMNS: Final = (
    "Dialect",
    "Operation",
    "IsStep",
    "Billing",
    "FinishReason",
    "TokenConvention",
    *TEXTS,
    *NUMBERS,
)


def expected_row(said: Normalized) -> dict[str, Any]:
    """The columns of a span that the reference reads so."""
    reasons = said.attributes.get(n.GEN_AI_RESPONSE_FINISH_REASONS) or [""]
    tokens = said.tokens
    conventions = [f"{tokens.input}/{tokens.input_evidence}"] if tokens.input_evidence else []
    conventions += [f"{tokens.output}/{tokens.output_evidence}"] if tokens.output_evidence else []
    cost = said.attributes.get(n.AGENTVIGIL_COST_USD)
    return {
        "Dialect": said.dialect,
        "Operation": said.operation,
        "IsStep": said.operation == "step",
        "Billing": said.billing if said.dialect else "",
        "FinishReason": reasons[0] if isinstance(reasons, list) else reasons,
        "TokenConvention": " ".join(conventions),
        **{column: said.attributes.get(name, "") for column, name in TEXTS.items()},
        **{column: said.attributes.get(name) for column, name in NUMBERS.items()},
        # No call costs less than nothing, or a million.
        "ReportedCostUSD": cost if isinstance(cost, float) and 0 <= cost < 1_000_000 else None,
    }


def rows_by_span(store: EmbeddedStore) -> dict[tuple[str, str], dict[str, Any]]:
    found = store.rows(f"SELECT Project, SpanId, {', '.join(COLUMNS)} FROM otel_traces")
    rows = {}
    for project, span_id, *values in found:
        row = dict(zip(COLUMNS, values, strict=True))
        for column in ("ReportedCostUSD", "TimeToFirstChunk"):
            row[column] = None if row[column] is None else pytest.approx(float(row[column]), abs=1e-9)
        rows[project, span_id] = row
    return rows


def payloads() -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and OTLP/JSON of every payload, from real libraries and by hand."""
    for golden in golden_payloads.all_goldens():
        yield golden.name, golden.request
    for path in sorted(DIALECTS.glob("*.json")):
        if not path.name.endswith(".expected.json"):
            yield f"by hand {path.stem}", json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def sent() -> dict[str, list[tuple[str, Span]]]:
    """Payload → its spans with their ids."""
    return {
        name: list(zip(span_ids(request), golden_payloads.spans(request), strict=True)) for name, request in payloads()
    }


def span_ids(request: dict[str, Any]) -> list[str]:
    return [
        span["spanId"]
        for of_resource in request["resourceSpans"]
        for of_scope in of_resource["scopeSpans"]
        for span in of_scope["spans"]
    ]


def last_end_ns(request: dict[str, Any]) -> int:
    return max(
        int(span["endTimeUnixNano"])
        for of_resource in request["resourceSpans"]
        for of_scope in of_resource["scopeSpans"]
        for span in of_scope["spans"]
    )


def store_all(store: Store, policy: ContentPolicy) -> None:
    take(
        store,
        *(
            admitted(
                golden_payloads.message(request).SerializeToString(),
                project=name,
                policy=policy,
                received_at_ns=last_end_ns(request),
                keep_days=3650,
            )
            for name, request in payloads()
        ),
    )


def differences(
    sent: Mapping[str, list[tuple[str, Span]]], rows: Mapping[tuple[str, str], dict[str, Any]]
) -> list[str]:
    found = []
    for name, spans in sent.items():
        for span_id, span in spans:
            expected, row = expected_row(normalize(span)), rows[name, span_id]
            found += [
                f"{name} {span.name!r} {column}: {row[column]!r} instead of {expected[column]!r}"
                for column in COLUMNS
                if row[column] != expected[column]
            ]
    return found


def test_every_payload_is_read_as_by_the_reference(
    store: EmbeddedStore, sent: Mapping[str, list[tuple[str, Span]]]
) -> None:
    store_all(store, ContentPolicy.FULL)

    found = differences(sent, rows_by_span(store))
    assert not found, "\n".join(found)


def test_withholding_content_changes_no_column(
    store: EmbeddedStore, sent: Mapping[str, list[tuple[str, Span]]]
) -> None:
    """Under the default policy everything is read as under any other, but for texts that are no names: their hash."""
    store_all(store, ContentPolicy.OFF)
    rows = {key: row | hashed_texts(row) for key, row in rows_by_span(store).items()}

    assert not (found := differences(sent, rows)), "\n".join(found)


@pytest.mark.parametrize("policy", ContentPolicy)
def test_the_views_of_a_server_make_the_same_rows(
    policy: ContentPolicy, store: EmbeddedStore, servers_store: EmbeddedStore, engine: EmbeddedStore, tmp_path: Path
) -> None:
    """One set of SELECTs, put into each other here and behind one another there: every column of every payload."""
    stand_in = ClickHouseStandIn(engine.open_handle, tmp_path / "sent.proto")
    stand_in.start()
    server = ServerStore(f"http://127.0.0.1:{stand_in.port}", servers_store.database)
    for home in (store, server):
        store_all(home, policy)
    server.close()
    stand_in.stop()

    for table in ("otel_traces", "span_content"):
        every_row = f"SELECT * FROM {table} ORDER BY ALL"
        rows = store.rows(every_row)
        assert (len(rows) > 500) == (table == "otel_traces" or policy is not ContentPolicy.OFF)
        assert servers_store.rows(every_row) == rows


class AnyText:
    """Equal to every text that is no name, as its hash stands for it."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and (len(other) > 64 or re.fullmatch(r"[\w.:/@-]+", other) is None)

    def __hash__(self) -> int:
        return 0


def hashed_texts(row: Mapping[str, Any]) -> dict[str, Any]:
    return {column: AnyText() for column in TEXTS if re.fullmatch("~[0-9a-f]{16}", row[column])}


def test_rows_that_a_collector_writes_are_read_alike(
    servers_store: EmbeddedStore, sent: Mapping[str, list[tuple[str, Span]]]
) -> None:
    """Its exporter gives the columns that it knows, with every attribute as text; ours fill themselves."""
    columns = (
        "Timestamp",
        "SpanId",
        "ParentSpanId",
        "SpanName",
        "ResourceAttributes",
        "ScopeName",
        "SpanAttributes",
        "StatusCode",
        "Events.Timestamp",
        "Events.Name",
        "Events.Attributes",
        "Project",
        "KeepDays",
    )
    rows = [
        (
            datetime.fromtimestamp(span.start_time_unix_nano / 1e9, UTC),
            span_id,
            span.parent_span_id,
            span.name,
            texts(span.resource),
            span.scope,
            texts(span.attributes),
            span.status.capitalize(),
            [datetime.fromtimestamp(0, UTC)] * len(span.events),
            [event.name for event in span.events],
            [texts(event.attributes) for event in span.events],
            name,
            3650,
        )
        for name, spans in sent.items()
        for span_id, span in spans
    ]
    servers_store.insert_rows("otel_traces", columns, rows)

    assert not (found := differences(sent, rows_by_span(servers_store))), "\n".join(found)


def texts(attributes: Mapping[str, Any]) -> dict[str, str]:
    return {key: text(value) for key, value in attributes.items()}


SEED: Final = int(os.environ.get("AGENTVIGIL_TEST_SEED", "20261121"))
HOSTILE: Final = (
    "", "0", "1", "7", "12", "-1", "007", "3.5", "1e308", "1e400", "nan", "NaN", "inf", "-Infinity", "999999999999",
    "1000000000000", "9223372036854775807", "9223372036854775808", "18446744073709551616", "true", "TRUE", "null", "[]",
    "{}", "[", '"', "'", "\\", "it's", "a\nb", "\x00", "é", "LLM", "chat", "CHAIN", "agent", "openai", "azure",
    "langchain", "crewai", "1.5e-05", "gpt-4o", "us.anthropic.claude-sonnet-4", "openai/gpt-4o",
    '["stop","length"]', '"chat"', "tools/call",
    "USD",
    '{"input": 5, "output": 7, "total": 20, "cache_read_input_tokens": 8}', '{"input": {"a": 1}}', '{"input": "x"}',
    "{'cache_read': 5, 'audio': None}", '{"input_tokens": 1e400}', "2026-11-20T00:00:00.5Z", '"2026-11-20T00:00:01Z"',
    "x" * 5000, "1" * 5000,
)  # fmt: skip


def known_keys() -> list[str]:
    registry = load()
    return sorted(
        {rule.source for dialect in registry.in_order() for rule in dialect.rules}
        | {rule.source for dialect in registry.in_order() for rule in dialect.operations}
        | {key for dialect in registry.in_order() for key in dialect.detection.attributes}
        | {rule.attribute for dialect in registry.in_order() for rule in dialect.errors}
        | set(registry.targets)
        | {"input_tokens", "llm.prompts", "llm.input_messages.0.message.role", "some.key"}
    )


def random_span(chance: random.Random, keys: Sequence[str], number: int) -> Span:
    registry = load()
    scopes = [scope for dialect in registry.in_order() for scope in dialect.detection.scopes]
    names = [rule.text + chance.choice(["", "x"]) for dialect in registry.in_order() for rule in dialect.span_names]
    return Span(
        attributes={key: chance.choice(HOSTILE) for key in chance.sample(keys, chance.randrange(8))},
        name=chance.choice([*names, "GET /", f"span-{number}"]),
        scope=chance.choice([*scopes, "", "", "langfuse-sdk", "langfuse-sdk", "litellm", "vercel.ai"]),
        parent_span_id=chance.choice(["", "00000000000000aa"]),
        start_time_unix_nano=NOW - 10**9,
        status=chance.choice(["unset", "ok", "error"]),
    )


def test_no_value_of_any_key_is_misread(store: EmbeddedStore) -> None:
    """Whatever stands in a known key, the engine reads it as the reference does, and neither raises."""
    chance, keys = random.Random(SEED), known_keys()
    spans = {f"{number:016x}": random_span(chance, keys, number) for number in range(1, 3001)}
    statuses = {"unset": 0, "ok": 1, "error": 2}
    request = ExportTraceServiceRequest(
        resource_spans=[
            ResourceSpans(
                scope_spans=[
                    ScopeSpans(
                        scope=InstrumentationScope(name=span.scope),
                        spans=[
                            a_span(
                                span_id=bytes.fromhex(span_id),
                                parent_span_id=bytes.fromhex(span.parent_span_id),
                                name=span.name,
                                attributes=attributes(dict(span.attributes)),
                                start_time_unix_nano=span.start_time_unix_nano,
                                end_time_unix_nano=NOW,
                                status=Status(code=statuses[span.status]),
                            )
                        ],
                    )
                ]
            )
            for span_id, span in spans.items()
        ]
    )
    take(store, admitted(request.SerializeToString(), project="random", policy=ContentPolicy.FULL))

    assert not (found := differences({"random": list(spans.items())}, rows_by_span(store))), "\n".join(found[:50])
