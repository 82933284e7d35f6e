"""Users switch OTEL_EXPORTER_OTLP_PROTOCOL and expect the same telemetry."""

import base64
import importlib
import json
import math
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format, text_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from agentvigil.receiver import otlp
from agentvigil.receiver.errors import BadRequest
from agentvigil.receiver.otlp_json import json_of, protobuf_of

TESTDATA = Path(__file__).parents[1] / "testdata" / "otlp_json"
GOLDEN = sorted(TESTDATA.glob("*.json"))
REQUESTS: dict[str, type[Message]] = {
    "traces": ExportTraceServiceRequest,
    "logs": ExportLogsServiceRequest,
    "metrics": ExportMetricsServiceRequest,
}
IDS = {"traceId": 16, "spanId": 8, "parentSpanId": 8}
MOST_NESTED = 4
"""Of AnyValues in random messages."""

_INTEGERS = {
    FieldDescriptor.TYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_SINT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.TYPE_FIXED32: (0, 2**32 - 1),
    FieldDescriptor.TYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_SFIXED64: (-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_UINT64: (0, 2**64 - 1),
    FieldDescriptor.TYPE_FIXED64: (0, 2**64 - 1),
}


def random_value(draw: st.DrawFn, field: FieldDescriptor, nested: int) -> Any:
    """Draw one value of ``field``, extremes and zeros among them."""
    if field.message_type:
        return random_message(draw, field.message_type, nested + (field.message_type.name == "AnyValue"))
    if field.type in _INTEGERS:
        lowest, highest = _INTEGERS[field.type]
        return draw(st.sampled_from([lowest, highest, 0]) | st.integers(lowest, highest))
    if field.enum_type:
        return draw(st.sampled_from([value.number for value in field.enum_type.values]))
    if field.type == FieldDescriptor.TYPE_BYTES:
        size = IDS.get(field.json_name)
        return draw(st.binary(max_size=20) if size is None else st.binary(min_size=size, max_size=size) | st.just(b""))
    by_type: dict[int, st.SearchStrategy[Any]] = {
        FieldDescriptor.TYPE_BOOL: st.booleans(),
        # JSON has one NaN, of the many.
        FieldDescriptor.TYPE_DOUBLE: st.floats(allow_nan=False) | st.just(math.nan),
        FieldDescriptor.TYPE_STRING: st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    }
    return draw(by_type[field.type])


def random_message(draw: st.DrawFn, descriptor: Descriptor, nested: int = 0) -> dict[str, Any]:
    """Draw the arguments of a message: some of its fields, at most one of a oneof."""
    fields = {}
    for field in descriptor.fields:
        if nested >= MOST_NESTED and field.message_type and field.message_type.name in ("ArrayValue", "KeyValueList"):
            continue
        if not draw(st.booleans()):
            continue
        if field.containing_oneof:
            fields = {name: value for name, value in fields.items() if name not in _names(field)}
        count = draw(st.integers(0, 2)) if field.is_repeated else 1
        values = [random_value(draw, field, nested) for _ in range(count)]
        fields[field.name] = values if field.is_repeated else values[0]
    return fields


def _names(field: FieldDescriptor) -> set[str]:
    return {other.name for other in field.containing_oneof.fields}


@st.composite
def requests(draw: st.DrawFn) -> Message:
    """Requests of all three signals, with at least one resource in them."""
    message = REQUESTS[draw(st.sampled_from(sorted(REQUESTS)))]
    (field,) = message.DESCRIPTOR.fields
    return message(**{field.name: [random_message(draw, field.message_type)]})


def otlp_document(value: Any, *, ids: Callable[[bytes], str] = bytes.hex, integers: Callable[[str], Any] = str) -> Any:
    """Turn protobuf's JSON into OTLP's, which differs in ids, and whose integers may be numbers."""
    if isinstance(value, list):
        return [otlp_document(item, ids=ids, integers=integers) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: ids(base64.b64decode(item))
        if name in IDS
        else _integers(item, integers)
        if name in ("intValue", "asInt", "count", "zeroCount", "bucketCounts") or name.endswith("UnixNano")
        else otlp_document(item, ids=ids, integers=integers)
        for name, item in value.items()
    }


def _integers(value: Any, integers: Callable[[str], Any]) -> Any:
    return [integers(item) for item in value] if isinstance(value, list) else integers(value)


@settings(max_examples=300, deadline=None)
@given(request=requests(), named=st.booleans(), numbers=st.booleans(), upper=st.booleans(), ascii_only=st.booleans())
def test_both_encodings_mean_the_same(
    request: Message, named: bool, numbers: bool, upper: bool, ascii_only: bool
) -> None:
    """The other road is protobuf's own JSON writer, with ids in hex as OTLP wants."""
    document = otlp_document(
        json_format.MessageToDict(request, use_integers_for_enums=not named),
        ids=(lambda octets: octets.hex().upper()) if upper else bytes.hex,
        integers=int if numbers else str,
    )
    body = json.dumps(document, ensure_ascii=ascii_only).encode()

    back = type(request).FromString(protobuf_of(body, type(request)))

    # NaN is no equal of itself; the bytes of it are.
    assert back.SerializeToString(deterministic=True) == request.SerializeToString(deterministic=True)


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_what_senders_write_is_understood(path: Path) -> None:
    """Each file is one sender's way of writing; its meaning stands beside it."""
    message = REQUESTS[path.stem.rpartition("_")[2]]
    expected = text_format.Parse(path.with_suffix(".txtpb").read_text(encoding="utf-8"), message())

    request = message.FromString(protobuf_of(path.read_bytes(), message))

    assert text_format.MessageToString(request) == text_format.MessageToString(expected)


def attribute(value: object) -> bytes:
    """A request with one span with one attribute."""
    return span(attributes=[{"key": "k", "value": value}])


def span(**fields: object) -> bytes:
    """A request with one span."""
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [fields]}]}]}).encode()


def only_span(body: bytes) -> Any:
    """What became of the one span in it."""
    request = ExportTraceServiceRequest.FromString(protobuf_of(body, ExportTraceServiceRequest))
    return request.resource_spans[0].scope_spans[0].spans[0]


@pytest.mark.parametrize("zero", [{"stringValue": ""}, {"boolValue": False}, {"intValue": 0}, {"doubleValue": 0}])
def test_a_zero_is_a_value(zero: dict[str, object]) -> None:
    """An attribute set to nothing much is not one without a value."""
    value = only_span(attribute(zero)).attributes[0].value

    assert [field.json_name for field, _ in value.ListFields()] == list(zero)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ({"intValue": 5.0}, 5),
        ({"intValue": "-0007"}, -7),
        ({"intValue": -(2**63)}, -(2**63)),
        ({"doubleValue": "1.5e3"}, 1500.0),
        ({"doubleValue": "Infinity"}, math.inf),
        ({"doubleValue": "-Infinity"}, -math.inf),
        ({"doubleValue": 7}, 7.0),
        ({"bytesValue": "-_8"}, b"\xfb\xff"),
        ({"bytesValue": "+/8="}, b"\xfb\xff"),
        ({"bytesValue": ""}, b""),
        ({"stringValue": "a", "intValue": None}, "a"),
    ],
)
def test_values_are_taken_in_every_spelling(written: dict[str, object], meant: object) -> None:
    """Be liberal in what you accept, as long as there is one way to read it."""
    value = only_span(attribute(written)).attributes[0].value

    assert getattr(value, value.WhichOneof("value")) == meant


@pytest.mark.parametrize(
    ("written", "taken"),
    [
        ("0AF7651916CD43DD8448EB211C80319C", bytes.fromhex("0af7651916cd43dd8448eb211c80319c")),
        ("", b""),
        ("abcd", b"\xab\xcd"),
        ("W47/95gDgQPSabYzgT/GDA==", b"\0"),
        ("xyz", b"\0"),
        ("abc", b"\0"),
        ("ab cd", b"\0"),
        ("é", b"\0"),
    ],
)
def test_a_bad_id_fails_alone(written: str, taken: bytes) -> None:
    """Its length is no id's, so admission leaves out that span and keeps the others."""
    assert only_span(span(traceId=written)).trace_id == taken


def test_an_enum_that_we_do_not_know_passes() -> None:
    """A newer protocol than ours is none of the sender's mistakes."""
    assert only_span(span(kind=99)).kind == 99
    assert only_span(span(kind="5")).kind == 5


def test_of_a_key_that_comes_twice_the_last_counts() -> None:
    """As in JavaScript and most parsers."""
    body = b'{"resourceSpans": [{}], "resourceSpans": [{}, {}]}'

    assert len(ExportTraceServiceRequest.FromString(protobuf_of(body, ExportTraceServiceRequest)).resource_spans) == 2


def test_an_empty_object_is_an_empty_request() -> None:
    """A valid request with nothing in it."""
    assert protobuf_of(b" {} ", ExportTraceServiceRequest) == b""


@pytest.fixture
def request_of_an_otlp_to_come() -> type[Message]:
    """With a field of a type that no message of OTLP has today."""
    file = FileDescriptorProto(name="to_come.proto", package="to_come", syntax="proto3")
    file.message_type.add(name="Request").field.add(
        name="ratio", number=1, type=FieldDescriptorProto.TYPE_FLOAT, label=FieldDescriptorProto.LABEL_OPTIONAL
    )
    pool = DescriptorPool()
    pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName("to_come.Request"))


def test_a_type_that_nobody_can_encode_is_named(request_of_an_otlp_to_come: type[Message]) -> None:
    """Even where no sender uses the field yet: passed over, its values would be lost in silence."""
    with pytest.raises(TypeError, match=r"to_come\.Request\.ratio is a TYPE_FLOAT"):
        protobuf_of(b"{}", request_of_an_otlp_to_come)


def test_such_a_type_stops_the_start(
    request_of_an_otlp_to_come: type[Message], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever upgrades ``opentelemetry-proto`` is told, not the first sender of JSON."""
    monkeypatch.setattr(otlp, "OTLP_SIGNALS", (replace(otlp.TRACES, request=request_of_an_otlp_to_come),))
    monkeypatch.delitem(sys.modules, "agentvigil.receiver.otlp_json")

    with pytest.raises(TypeError, match="TYPE_FLOAT"):
        importlib.import_module("agentvigil.receiver.otlp_json")


SPAN = r"resourceSpans\[0\]\.scopeSpans\[0\]\.spans\[0\]"
VALUE = SPAN + r"\.attributes\[0\]\.value"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "not JSON"),
        (b"\x0a\x00", "not JSON"),
        (b"{", "not JSON"),
        (b'{"a": 1}}', "not JSON"),
        (b'{"a": NaN}', "not JSON"),
        (b'{"a": Infinity}', "not JSON"),
        (b'{"a": 1e999}', "not JSON"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not JSON"),
        (b'{"a": "\xff"}', "not JSON.*UTF-8"),
        (b'{"a": "\xed\xa0\x80"}', "not JSON.*UTF-8"),
        (b'{"a": "\n"}', "not JSON"),
        ("{}".encode("utf-16"), "not JSON"),
        (b"[" * 2**24, "not JSON.*depth"),
        (b'{"a":' * 2**20, "not JSON.*depth"),
        (b"[]", "the body is an array, expected an object"),
        (b"null", "the body is null"),
        (b'"text"', "the body is the string 'text'"),
        (b'{"resourceSpans": {}}', "resourceSpans is an object, expected an array"),
        (b'{"resourceSpans": [{}, null]}', r"resourceSpans\[1\] is null, expected an object"),
        (b'{"resourceSpans": [{"resource": []}]}', r"resourceSpans\[0\]\.resource is an array"),
        (span(traceId=7), SPAN + r"\.traceId is the number 7, expected a string of hex digits"),
        (span(name=True), SPAN + r"\.name is true, expected a string"),
        (span(kind="SERVER"), SPAN + r"\.kind is the string 'SERVER', expected a number, or one of .*SPAN_KIND_SERVER"),
        (span(kind=2**31), SPAN + r"\.kind is the number 2147483648"),
        (span(kind=1.5), SPAN + r"\.kind is the number 1.5"),
        (span(flags=-1), SPAN + r"\.flags is the number -1, expected an integer from 0 to 4294967295"),
        (span(startTimeUnixNano="soon"), SPAN + r"\.startTimeUnixNano is the string 'soon'"),
        (span(startTimeUnixNano=2**64), SPAN + r"\.startTimeUnixNano is the number 1.8"),
        (span(startTimeUnixNano=str(2**64)), SPAN + r"\.startTimeUnixNano is the string '18446744073709551616'"),
        (span(startTimeUnixNano="9" * 10**6), SPAN + r"\.startTimeUnixNano is the string '9{40}'…"),
        (span(startTimeUnixNano="1_000"), SPAN + r"\.startTimeUnixNano"),
        (span(startTimeUnixNano="\u0661"), SPAN + r"\.startTimeUnixNano"),
        (span(startTimeUnixNano=True), SPAN + r"\.startTimeUnixNano is true"),
        (span(startTimeUnixNano=""), SPAN + r"\.startTimeUnixNano"),
        (attribute("bare"), VALUE + " is the string 'bare', expected an object"),
        (attribute({"stringValue": 1}), VALUE + r"\.stringValue is the number 1, expected a string"),
        (attribute({"boolValue": "true"}), VALUE + r"\.boolValue is the string 'true', expected true or false"),
        (attribute({"intValue": str(2**63)}), VALUE + r"\.intValue"),
        (attribute({"doubleValue": "nan"}), VALUE + r"\.doubleValue is the string 'nan'"),
        (attribute({"doubleValue": "1e999"}), VALUE + r"\.doubleValue is the string '1e999'"),
        (attribute({"doubleValue": False}), VALUE + r"\.doubleValue is false"),
        (attribute({"bytesValue": "&"}), VALUE + r"\.bytesValue is the string '&', expected a string of base64"),
        (attribute({"bytesValue": "AAAAA"}), VALUE + r"\.bytesValue"),
        (attribute({"bytesValue": [1]}), VALUE + r"\.bytesValue is an array"),
        (attribute({"stringValue": "", "intValue": 0}), "only one of stringValue and intValue"),
        (
            attribute({"arrayValue": {"values": [{}, {"kvlistValue": {"values": [{"key": 1}]}}]}}),
            VALUE + r"\.arrayValue\.values\[1\]\.kvlistValue\.values\[0\]\.key is the number 1",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_place(body: bytes, said: str) -> None:
    """Whoever wrote the exporter reads this, with nothing else to go by."""
    with pytest.raises(BadRequest, match=rf"(?s)\b{said}"):
        protobuf_of(body, ExportTraceServiceRequest)


@pytest.mark.parametrize("array", [True, False], ids=["arrays", "maps"])
def test_nesting_ends_where_protobuf_ends_it(array: bool) -> None:
    """What we take must be readable, and what protobuf takes must be sendable as JSON too."""
    outcomes = []
    value: dict[str, Any] = {"intValue": 1}
    message: Any = {"int_value": 1}
    for _ in range(120):
        request = ExportTraceServiceRequest(
            resource_spans=[{"scope_spans": [{"spans": [{"attributes": [{"key": "k", "value": message}]}]}]}]
        )
        try:
            ExportTraceServiceRequest.FromString(request.SerializeToString())
            is_readable = True
        except DecodeError:
            is_readable = False
        try:
            is_taken = protobuf_of(attribute(value), ExportTraceServiceRequest) == request.SerializeToString()
        except BadRequest as exc:
            is_taken = "within each other" not in str(exc)
        assert is_taken == is_readable
        outcomes.append(is_taken)
        value = (
            {"arrayValue": {"values": [value]}}
            if array
            else {"kvlistValue": {"values": [{"key": "k", "value": value}]}}
        )
        message = (
            {"array_value": {"values": [message]}}
            if array
            else {"kvlist_value": {"values": [{"key": "k", "value": message}]}}
        )
    assert set(outcomes) == {True, False}


def test_lone_surrogates_cost_no_batch() -> None:
    """JavaScript writes them when a prompt is cut within an emoji; a body full of them must not stop us either."""
    body = span(name="x").replace(b'"x"', b'"' + rb"\ud83d" * 2**20 + b'"')
    started = time.process_time()

    assert only_span(body).name == "\ufffd" * 2**20
    assert time.process_time() - started < 10


@pytest.mark.parametrize("junk", [rb"\\", rb"\ud83d\ude00", rb"\n", rb"\\u"], ids=bytes.decode)
def test_no_escapes_keep_us_busy(junk: bytes) -> None:
    """A broken body is searched for lone surrogates; 16 MiB of anything else must not make that slow."""
    body = b'{"a": "' + junk * (2**24 // len(junk)) + rb"\ud83d"
    started = time.process_time()

    with pytest.raises(BadRequest):
        protobuf_of(body, ExportTraceServiceRequest)

    assert time.process_time() - started < 10


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["resourceSpans", "resource", "scopeSpans", "spans", "attributes", "key", "value", "kind"])
            | st.sampled_from(["traceId", "intValue", "doubleValue", "bytesValue", "arrayValue", "values", "links"]),
            inner,
            max_size=4,
        )
    ),
)


@given(json_values.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=50))
def test_any_body_is_understood_or_refused(body: bytes) -> None:
    """Nothing else may come out, and what does is a message."""
    try:
        encoded = protobuf_of(body, ExportTraceServiceRequest)
    except BadRequest:
        return
    ExportTraceServiceRequest.FromString(encoded)


def test_responses_are_json() -> None:
    """Spelled as https://opentelemetry.io/docs/specs/otlp/#otlphttp-response has them."""
    response = ExportTraceServiceResponse()
    assert json_of(response) == b"{}"
    response.partial_success.rejected_spans = 3
    response.partial_success.error_message = "é"
    assert json.loads(json_of(response)) == {"partialSuccess": {"rejectedSpans": "3", "errorMessage": "é"}}


def test_a_refusal_is_json() -> None:
    """Its details too, which say when to come back."""
    status = Status(code=8, message="busy")
    retry = RetryInfo()
    retry.retry_delay.seconds = 2
    status.details.add().Pack(retry)

    document = json.loads(json_of(status))

    assert document["code"] == 8
    assert document["details"] == [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "2s"}]
