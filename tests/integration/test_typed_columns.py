"""The typed columns of real libraries' spans, held against the reference normalizer's reading of the same spans."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from trace_requests import admitted, take

import golden_payloads
from agentvigil.semconv import names as n
from agentvigil.semconv.privacy import ContentPolicy
from agentvigil.semconv.reference import Normalized, Span, normalize
from agentvigil.semconv.reference.values import text
from agentvigil.storage.embedded import EmbeddedStore

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
    return {
        "Dialect": said.dialect,
        "Operation": said.operation,
        "IsStep": said.operation == "step",
        "Billing": said.billing if said.dialect else "",
        "FinishReason": reasons[0] if isinstance(reasons, list) else reasons,
        "TokenConvention": " ".join(conventions),
        **{column: said.attributes.get(name, "") for column, name in TEXTS.items()},
        **{column: said.attributes.get(name) for column, name in NUMBERS.items()},
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


def store_all(store: EmbeddedStore, policy: ContentPolicy) -> None:
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


class AnyText:
    """Equal to every text that is no name, as its hash stands for it."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and (len(other) > 64 or re.fullmatch(r"[\w.:/@-]+", other) is None)

    def __hash__(self) -> int:
        return 0


def hashed_texts(row: Mapping[str, Any]) -> dict[str, Any]:
    return {column: AnyText() for column in TEXTS if re.fullmatch("~[0-9a-f]{16}", row[column])}


def test_rows_that_a_collector_writes_are_read_alike(
    store: EmbeddedStore, sent: Mapping[str, list[tuple[str, Span]]]
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
    store.insert_rows("otel_traces", columns, rows)

    assert not (found := differences(sent, rows_by_span(store))), "\n".join(found)


def texts(attributes: Mapping[str, Any]) -> dict[str, str]:
    return {key: text(value) for key, value in attributes.items()}
