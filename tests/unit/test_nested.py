"""Attribute values must come out as the texts that the OpenTelemetry Collector stores for them."""

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.message import Message
from hypothesis import assume, given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from agentvigil.receiver.nested import flatten, json_text, may_need_flattening
from agentvigil.receiver.otlp import TRACES
from agentvigil.receiver.trace_messages import trace_values
from agentvigil.storage.embedded import EmbeddedStore

CORPUS = Path(__file__).parents[1] / "testdata" / "collector_values.json"
"""Made by the Go program beside it, ``collector_values/main.go``."""

OURS = {
    # Go's encoder fails on numbers that JSON lacks, and the Collector stores an empty text for the whole array or map.
    **{
        f"array of double {go}": f'["{ours}"]'
        for go, ours in (("NaN", "NaN"), ("+Inf", "Infinity"), ("-Inf", "-Infinity"))
    },
    "array in array of double NaN": '[["NaN"]]',
    "array in array of double +Inf": '[["Infinity"]]',
    "array in array of double -Inf": '[["-Infinity"]]',
    "map of double NaN": '{"k":"NaN"}',
    "map of double +Inf": '{"k":"Infinity"}',
    "map of double -Inf": '{"k":"-Infinity"}',
    # Go decodes bytes of length 0 inside an array or a map to nil, which it writes as null; for us they are bytes.
    "array of bytes ": '[""]',
    "array in array of bytes ": '[[""]]',
    "map of bytes ": '{"k":""}',
    "map of empty ones": '{"":"empty key","array":[],"bytes":"","map":{},"value":null}',
}
"""Where we differ from the Collector on purpose, by the name of the value: neither loses what was sent."""

CONTROL_CHARACTERS = "array of control characters"


def corpus() -> tuple[ExportTraceServiceRequest, dict[str, str]]:
    document = json.loads(CORPUS.read_text(encoding="utf-8"))
    return ExportTraceServiceRequest.FromString(base64.b64decode(document["request"])), document["texts"]


def spans_of(request: ExportTraceServiceRequest) -> Iterator[Span]:
    for resource_spans in request.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            yield from scope_spans.spans


def test_every_deliberate_difference_is_one() -> None:
    """A difference that the Collector has mended, or a name that is gone, must not linger in the table."""
    texts = corpus()[1]

    assert {name: texts[name] for name in OURS if texts[name] == OURS[name]} == {}
    assert CONTROL_CHARACTERS in texts


def test_arrays_and_maps_become_the_collectors_json() -> None:
    """Queries written against a Collector's tables compare these texts."""
    request, texts = corpus()

    ours = {
        span.name: json_text(span.attributes[0].value)
        for span in spans_of(request)
        if span.attributes[0].value.WhichOneof("value") in ("array_value", "kvlist_value")
    }

    assert len(ours) > 500
    assert ours == {name: OURS.get(name, texts[name]) for name in ours}


def test_flatten_rewrites_uncommon_values_and_nothing_else() -> None:
    """The store reads the common kinds by itself."""
    request, texts = corpus()
    before = {
        span.name: AnyValue.FromString(span.attributes[0].value.SerializeToString()) for span in spans_of(request)
    }

    flatten(trace_values(request))

    for span in spans_of(request):
        value = span.attributes[0].value
        if is_uncommon(before[span.name]):
            assert value == AnyValue(string_value=OURS.get(span.name, texts[span.name]))
        else:
            assert value == before[span.name]


def test_the_store_holds_the_collectors_texts(store: EmbeddedStore, insert_traces: Callable[[bytes], None]) -> None:
    """Somebody who replaces the Collector's exporter by us must find the values that the old queries look for."""
    request, texts = corpus()

    insert_traces(request.SerializeToString())

    stored = dict(store.rows("SELECT SpanName, SpanAttributes['v'] FROM otel_traces"))
    # ClickHouse writes the digits of an escaped control character in upper case: other text, the same JSON.
    assert json.loads(stored[CONTROL_CHARACTERS]) == json.loads(texts[CONTROL_CHARACTERS])
    assert stored.pop(CONTROL_CHARACTERS).lower() == texts.pop(CONTROL_CHARACTERS)
    assert stored == {**texts, **OURS}


# Values of any shape

scalars = st.one_of(
    st.builds(AnyValue),
    st.text(max_size=20).map(lambda text: AnyValue(string_value=text)),
    st.booleans().map(lambda flag: AnyValue(bool_value=flag)),
    st.integers(-(2**63), 2**63 - 1).map(lambda number: AnyValue(int_value=number)),
    st.floats().map(lambda number: AnyValue(double_value=number)),
    # Bytes that look like the tags and lengths which the scan goes by.
    st.lists(st.sampled_from(b"\x0a\x12\x2a\x32\x00\x01\x02\x04\x06\x80"), max_size=20).map(
        lambda octets: AnyValue(bytes_value=bytes(octets))
    ),
)
keys = st.text(max_size=5)


def array_of(values: list[AnyValue]) -> AnyValue:
    return AnyValue(array_value=ArrayValue(values=values))


def map_of(members: dict[str, AnyValue]) -> AnyValue:
    return AnyValue(kvlist_value=KeyValueList(values=[KeyValue(key=k, value=v) for k, v in members.items()]))


any_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3).map(array_of) | st.dictionaries(keys, inner, max_size=3).map(map_of),
    max_leaves=8,
)
flat_values = scalars | st.lists(scalars, max_size=30).map(array_of)


def requests_with(values: st.SearchStrategy[AnyValue]) -> st.SearchStrategy[ExportTraceServiceRequest]:
    """Requests with values of ``values`` in any of the places that have attributes."""
    attributes = st.lists(st.builds(KeyValue, key=keys, value=values), max_size=2)
    empty: st.SearchStrategy[list[KeyValue]] = st.just([])
    places = st.tuples(*[empty | attributes for _ in range(5)])
    return places.map(lambda found: request_of(*found))


def request_of(
    of_resource: list[KeyValue],
    of_scope: list[KeyValue],
    of_span: list[KeyValue],
    of_event: list[KeyValue],
    of_link: list[KeyValue],
) -> ExportTraceServiceRequest:
    span = Span(
        attributes=of_span, events=[Span.Event(attributes=of_event)], links=[Span.Link(attributes=of_link)], name="s"
    )
    scope_spans = ScopeSpans(scope=InstrumentationScope(attributes=of_scope), spans=[span])
    return ExportTraceServiceRequest(
        resource_spans=[ResourceSpans(resource=Resource(attributes=of_resource), scope_spans=[scope_spans])]
    )


def is_uncommon(value: AnyValue) -> bool:
    """The definition: a map, bytes, or an array that holds anything but strings."""
    kind = value.WhichOneof("value")
    return kind in ("kvlist_value", "bytes_value") or (
        kind == "array_value" and any(item.WhichOneof("value") != "string_value" for item in value.array_value.values)
    )


def attributes_of(request: ExportTraceServiceRequest) -> list[KeyValue]:
    attributes: list[KeyValue] = []
    for resource_spans in request.resource_spans:
        attributes += resource_spans.resource.attributes
        for scope_spans in resource_spans.scope_spans:
            attributes += scope_spans.scope.attributes
            for span in scope_spans.spans:
                attributes += span.attributes
                for part in (*span.events, *span.links):
                    attributes += part.attributes
    return attributes


def encode_padded(message: Message, paddings: Iterator[int]) -> bytes:
    """Serialise ``message`` with lengths longer than needed, as encoders do that write a length before knowing it."""
    out = bytearray()
    for field, value in message.ListFields():
        if field.message_type is None:
            alone: Any = type(message)()
            if isinstance(value, str | bytes | int | float):
                setattr(alone, field.name, value)
            else:
                getattr(alone, field.name).extend(value)
            out += alone.SerializeToString()
            continue
        for item in [value] if isinstance(value, Message) else value:
            body = encode_padded(item, paddings)
            out += bytes([field.number << 3 | 2]) + padded_varint(len(body), next(paddings)) + body
    return bytes(out)


def padded_varint(value: int, size: int) -> bytes:
    groups = [value & 0x7F]
    while value := value >> 7:
        groups.append(value & 0x7F)
    groups += [0] * (size - len(groups))
    return bytes([*(group | 0x80 for group in groups[:-1]), groups[-1]])


@given(requests_with(any_values) | requests_with(flat_values), st.lists(st.integers(1, 5), min_size=1, max_size=50))
def test_misses_no_uncommon_value(request: ExportTraceServiceRequest, sizes: list[int]) -> None:
    """One that is missed would be stored as nothing; one that is imagined only costs a walk in Python."""
    assume(any(is_uncommon(attribute.value) for attribute in attributes_of(request)))
    padded = encode_padded(request, (sizes[i % len(sizes)] for i in range(10**6)))
    assert ExportTraceServiceRequest.FromString(padded) == request or "nan" in str(request)

    assert may_need_flattening(request.SerializeToString(), TRACES.value_tags)
    assert may_need_flattening(padded, TRACES.value_tags)


@given(st.integers(1, 3), st.binary(max_size=300), st.text(max_size=300))
def test_finds_uncommon_values_behind_long_neighbours(depth: int, octets: bytes, text: str) -> None:
    """Lengths of two bytes and more are the usual case of prompts."""
    value = map_of({text: AnyValue(bytes_value=octets)})
    for _ in range(depth):
        value = array_of([AnyValue(string_value=text), value])
    request = request_of([], [], [KeyValue(key="k", value=value)], [], [])

    assert may_need_flattening(request.SerializeToString(), TRACES.value_tags)


@given(requests_with(any_values))
def test_flatten_leaves_nothing_uncommon(request: ExportTraceServiceRequest) -> None:
    """The store's decoder would take such a value for an absent one."""
    flatten(trace_values(request))

    assert not any(is_uncommon(attribute.value) for attribute in attributes_of(request))


def test_an_ordinary_request_is_not_suspected() -> None:
    """Nearly every request is one, and a walk in Python costs several times what the scan does."""
    values = [AnyValue(string_value=text) for text in ("gpt-4.1", "2026-11-20", ":", "*", "a" * 300)]
    values += [AnyValue(int_value=42), AnyValue(bool_value=True), AnyValue(double_value=0.7), array_of([])]
    values += [array_of([AnyValue(string_value="stop"), AnyValue(string_value="x" * 125)])]
    request = request_of([], [], [KeyValue(key=f"k{i}", value=value) for i, value in enumerate(values)], [], [])

    assert not may_need_flattening(request.SerializeToString(), TRACES.value_tags)


@given(any_values)
def test_json_text_is_json(value: AnyValue) -> None:
    """Whoever reads the text parses it."""
    json.loads(json_text(value), parse_constant=pytest.fail)
