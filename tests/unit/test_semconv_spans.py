"""Reading spans: whatever people have at hand becomes the same span, and anything else is refused by name."""

import json
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind as OtelKind
from opentelemetry.trace import Status
from opentelemetry.trace import StatusCode as OtelStatus

from agentvigil.semconv.check import check
from agentvigil.semconv.spans import NotASpan, Span, SpanDict, SpanEvent, SpanKind, StatusCode, span_of, spans_in
from agentvigil.semconv.spans import typed_attributes as typed

ATTRIBUTES = {
    "gen_ai.operation.name": "chat",
    "gen_ai.usage.input_tokens": 1200,
    "gen_ai.request.temperature": 0.5,
    "gen_ai.request.stream": True,
    "gen_ai.response.finish_reasons": ["stop"],
}
EXPECTED = Span(
    name="chat gpt-4.1",
    kind=SpanKind.CLIENT,
    attributes=ATTRIBUTES,
    status=StatusCode.ERROR,
    status_message="no answer",
    events=(SpanEvent("retry", {"attempt": 2}),),
    trace_id="5b8efff798038103d269b633813fc60c",
    span_id="eee19b7ec3c1b174",
)

BY_HAND: SpanDict = {
    "name": "chat gpt-4.1",
    "kind": "client",
    "attributes": ATTRIBUTES,
    "status": {"code": "ERROR", "message": "no answer"},
    "events": [{"name": "retry", "attributes": {"attempt": 2}}],
    "trace_id": EXPECTED.trace_id,
    "span_id": EXPECTED.span_id,
}
OTLP_ATTRIBUTES = [
    {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
    {"key": "gen_ai.usage.input_tokens", "value": {"intValue": "1200"}},
    {"key": "gen_ai.request.temperature", "value": {"doubleValue": 0.5}},
    {"key": "gen_ai.request.stream", "value": {"boolValue": True}},
    {"key": "gen_ai.response.finish_reasons", "value": {"arrayValue": {"values": [{"stringValue": "stop"}]}}},
]
OTLP: dict[str, Any] = {
    "name": "chat gpt-4.1",
    "kind": 3,
    "attributes": OTLP_ATTRIBUTES,
    "status": {"code": 2, "message": "no answer"},
    "events": [{"name": "retry", "attributes": [{"key": "attempt", "value": {"intValue": 2}}]}],
    "traceId": EXPECTED.trace_id,
    "spanId": EXPECTED.span_id,
}
EXPORT = {"resourceSpans": [{"resource": {}, "scopeSpans": [{"scope": {}, "spans": [OTLP]}]}]}


@pytest.mark.parametrize(
    "document",
    [
        BY_HAND,
        OTLP,
        [OTLP],
        EXPORT,
        [EXPORT, {}],
        EXPORT["resourceSpans"],
        {**OTLP, "kind": "SPAN_KIND_CLIENT", "status": {"code": "STATUS_CODE_ERROR", "message": "no answer"}},
    ],
    ids=["by hand", "OTLP", "list", "export", "exports", "resource spans", "names of enums"],
)
def test_every_shape_becomes_the_same_span(document: object) -> None:
    """A user exports from wherever is easiest."""
    assert list(spans_in(document)) == [EXPECTED]


def test_the_sdk_is_read_as_it_prints_its_spans() -> None:
    """ConsoleSpanExporter is the first exporter that anybody tries."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with provider.get_tracer("test").start_as_current_span("chat gpt-4.1", kind=OtelKind.CLIENT) as span:
        span.set_attributes(ATTRIBUTES)
        span.add_event("retry", {"attempt": 2})
        span.set_status(Status(OtelStatus.ERROR, "no answer"))
    (finished,) = exporter.get_finished_spans()

    read = span_of(json.loads(finished.to_json()))

    assert (read.name, read.kind, read.attributes) == (EXPECTED.name, EXPECTED.kind, EXPECTED.attributes)
    assert (read.status, read.status_message, read.events) == (StatusCode.ERROR, "no answer", EXPECTED.events)
    assert read.span_id == f"{finished.context.span_id:016x}"


def test_what_protobuf_makes_of_a_request_is_read() -> None:
    """Its JSON mapping spells 64-bit integers as strings and enums by name."""
    request = ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add(name="chat", kind="SPAN_KIND_CLIENT")
    span.attributes.add(key="gen_ai.usage.input_tokens").value.int_value = 2**53 + 1
    span.attributes.add(key="nested").value.kvlist_value.values.add(key="k").value.array_value.values.add()

    (read,) = spans_in(MessageToDict(request))

    assert (read.kind, read.attributes) == (
        SpanKind.CLIENT,
        {"gen_ai.usage.input_tokens": 2**53 + 1, "nested": {"k": [None]}},
    )


@pytest.mark.parametrize("document", [{}, [], {"resourceSpans": []}, {"resourceSpans": [{"resource": {}}]}])
def test_a_request_without_spans_has_none(document: object) -> None:
    """Exporters may send empty requests."""
    assert list(spans_in(document)) == []


@pytest.mark.parametrize(
    "document",
    [
        "text",
        1,
        None,
        {"resourceLogs": []},
        {"resourceSpans": {}},
        {"name": 1},
        {"name": "x", "kind": 6},
        {"name": "x", "kind": True},
        {"name": "x", "kind": "BOSS"},
        {"name": "x", "status": "FINE"},
        {"name": "x", "attributes": "y"},
        {"name": "x", "attributes": [{"value": {}}]},
        {"name": "x", "attributes": [{"key": "k", "value": "plain"}]},
        {"name": "x", "attributes": [{"key": "k", "value": {"intValue": "ten"}}]},
        {"name": "x", "events": "y"},
        {"name": "x", "events": ["y"]},
    ],
)
def test_what_is_no_span_is_refused(document: object) -> None:
    """A check that passes over what it could not read would say that all is well."""
    with pytest.raises(NotASpan):
        list(spans_in(document))


def test_a_value_nested_too_deep_is_refused() -> None:
    """A decoder may take more levels than the stack."""
    value: dict[str, Any] = {"stringValue": "x"}
    for _ in range(100):
        value = {"arrayValue": {"values": [value]}}

    with pytest.raises(NotASpan, match="deeper than 64"):
        span_of({"name": "x", "attributes": [{"key": "k", "value": value}]})


def test_keys_that_come_twice_are_told() -> None:
    """OTLP forbids them, and stores disagree about which one counts."""
    pair = {"key": "gen_ai.request.model", "value": {"stringValue": "a"}}
    other = {"key": "gen_ai.request.model", "value": {"stringValue": "b"}}

    read = span_of({"name": "x", "attributes": [pair, other, pair]})

    assert (read.repeated, read.attributes) == (("gen_ai.request.model",), {"gen_ai.request.model": "a"})


def test_stored_text_gets_its_types_back() -> None:
    """The store's map holds text; without types every stored number would be a mistake."""
    stored = {
        "gen_ai.operation.name": "chat",
        "gen_ai.usage.input_tokens": "1200",
        "gen_ai.usage.output_tokens": "12.5",
        "gen_ai.request.max_tokens": "many",
        "gen_ai.request.temperature": "1",
        "gen_ai.request.stream": "true",
        "gen_ai.response.finish_reasons": '["stop"]',
        "gen_ai.request.model": "7",
        "own": "7",
    }

    assert isinstance(typed(stored)["gen_ai.request.temperature"], float)
    assert typed(stored) == {
        **stored,
        "gen_ai.usage.input_tokens": 1200,
        "gen_ai.request.temperature": 1.0,
        "gen_ai.request.stream": True,
        "gen_ai.response.finish_reasons": ["stop"],
    }


words = (
    "name kind attributes status code message events spans resourceSpans scopeSpans key value stringValue intValue "
    "doubleValue arrayValue values kvlistValue context traceId gen_ai.operation.name gen_ai.usage.input_tokens "
    "gen_ai.prompt.0 mcp.method.name error.type"
)
keys = st.sampled_from(words.split())
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=12,
)


@given(anything)
def test_any_json_is_spans_or_refused(document: object) -> None:
    """Files come from anywhere; nothing but the named error may come of them."""
    try:
        spans = list(spans_in(document))
    except NotASpan:
        return
    for span in spans:
        for problem in check(span):
            assert problem.message


@given(st.dictionaries(keys | st.text(max_size=12).map("gen_ai.".__add__), anything, max_size=6), st.text(max_size=12))
def test_any_attributes_can_be_checked(attributes: dict[str, object], name: str) -> None:
    """A value of the wrong type is a problem to tell, not one to have."""
    for kind in (None, *SpanKind):
        check(Span(name=name, kind=kind, attributes=attributes))
