"""Attribute values that nest: maps, and arrays that hold maps or arrays.

The store's decoder reads values one level deep. What nests is rewritten here to the JSON text that the Collector
would store, before the request goes there. On spans that is rare, so finding out must cost little, three steps of
rising price: a scan of the bytes for what a nested value starts with; for requests that have such bytes, a parse with
descriptors in which nested values lack a required field; and for those that really nest, a walk in Python.
"""

import base64
import json
import math
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor import FileDescriptor
from google.protobuf.message import Message
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.resource.v1 import resource_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

_ARRAY_VALUE: Final = 0x2A  # tag of AnyValue.array_value
_KVLIST_VALUE: Final = 0x32  # tag of AnyValue.kvlist_value
_KEY_VALUE_VALUE: Final = 0x12  # tag of KeyValue.value
_ARRAY_VALUES: Final = 0x0A  # tag of ArrayValue.values
_LONGEST_VARINT: Final = 5  # bytes; some encoders pad lengths with continuation bytes


def holds_nested_values(body: bytes) -> bool:
    """Say whether the serialised ``ExportTraceServiceRequest`` has a value that nests.

    A value that sets several fields of AnyValue's oneof, which no encoder writes, may be missed.
    """
    return _looks_nested(body) and not _TRAP_REQUEST.FromString(body).IsInitialized()


def flatten(request: ExportTraceServiceRequest) -> None:
    """Rewrite every nested value of ``request`` to its JSON text, in place."""
    for attribute in _attributes(request):
        kind = attribute.value.WhichOneof("value")
        if kind == "kvlist_value" or (kind == "array_value" and _nests(attribute.value)):
            attribute.value.string_value = json_text(attribute.value)


def json_text(value: AnyValue) -> str:
    """Return ``value`` as the JSON text that the Collector writes: no spaces, keys sorted, bytes in base64.

    Numbers that JSON lacks become strings.
    """
    kind = value.WhichOneof("value")
    match kind:
        case "string_value":
            return _json_string(value.string_value)
        case "bool_value":
            return "true" if value.bool_value else "false"
        case "int_value":
            return str(value.int_value)
        case "double_value":
            return _json_double(value.double_value)
        case "bytes_value":
            return f'"{base64.b64encode(value.bytes_value).decode()}"'
        case "array_value":
            return f"[{','.join(map(json_text, value.array_value.values))}]"
        case "kvlist_value":
            members = {pair.key: pair.value for pair in value.kvlist_value.values}
            return "{" + ",".join(f"{_json_string(key)}:{json_text(members[key])}" for key in sorted(members)) + "}"
        case _:
            return "null"


def _json_string(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _json_double(number: float) -> str:
    """Shortest digits that read back the same, in ECMAScript's notation, which is Go's for JSON."""
    if math.isnan(number):
        return '"NaN"'
    if math.isinf(number):
        return '"Infinity"' if number > 0 else '"-Infinity"'
    shortest = Decimal(repr(number)).normalize()
    return f"{shortest:f}" if number == 0 or 1e-6 <= abs(number) < 1e21 else f"{shortest:e}"


def _nests(value: AnyValue) -> bool:
    return any(item.WhichOneof("value") in ("array_value", "kvlist_value") for item in value.array_value.values)


def _attributes(request: ExportTraceServiceRequest) -> Iterator[KeyValue]:
    for resource_spans in request.resource_spans:
        yield from resource_spans.resource.attributes
        for scope_spans in resource_spans.scope_spans:
            yield from scope_spans.scope.attributes
            for span in scope_spans.spans:
                yield from span.attributes
                for event in span.events:
                    yield from event.attributes
                for link in span.links:
                    yield from link.attributes


def _looks_nested(body: bytes) -> bool:
    """Look for an AnyValue of just a map, or of just an array inside an array: tag, length, tag, length that agree."""
    octets = np.frombuffer(body, np.uint8)
    return _starts_value(octets, _KVLIST_VALUE, (_KEY_VALUE_VALUE, _ARRAY_VALUES)) or _starts_value(
        octets, _ARRAY_VALUE, (_ARRAY_VALUES,)
    )


def _starts_value(octets: npt.NDArray[np.uint8], tag: int, outer_tags: Iterable[int]) -> bool:
    at = np.flatnonzero(octets == tag)
    at = at[(at >= 2) & (at < len(octets) - 1)]
    at = at[octets[at - 1] < 0x80]  # the last byte of the outer length
    if not len(at):
        return False
    inner, inner_size = _varints_after(octets, at)
    expected = inner + inner_size + 1
    # The outer length ends right before `at` and is as long as there are continuation bytes in front of its last.
    outer = octets[at - 1].astype(np.int64)
    open_at = np.arange(len(at))
    for size in range(1, _LONGEST_VARINT + 1):
        positions = at[open_at]
        enough = positions >= size + 1
        open_at, positions = open_at[enough], positions[enough]
        before = octets[positions - size - 1]
        done = before < 0x80
        hit = done & (outer[open_at] == expected[open_at]) & np.isin(before, np.array(tuple(outer_tags), np.uint8))
        if hit.any():
            return True
        open_at, before = open_at[~done], before[~done]
        if not len(open_at):
            return False
        outer[open_at] = (outer[open_at] << 7) | (before & 0x7F)
    return False


def _varints_after(
    octets: npt.NDArray[np.uint8], at: npt.NDArray[np.intp]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Values and sizes of the varints that start one after each of ``at``."""
    values = np.zeros(len(at), np.int64)
    sizes = np.zeros(len(at), np.int64)
    going = np.ones(len(at), bool)
    for index in range(_LONGEST_VARINT):
        octet = octets[np.minimum(at + 1 + index, len(octets) - 1)].astype(np.int64)
        values += np.where(going, (octet & 0x7F) << (7 * index), 0)
        sizes += going
        going &= octet >= 0x80
        if not going.any():
            break
    return values, sizes


def _trap_request() -> type[Message]:
    """Build OTLP's messages anew, with a required field in every message that only a nested value contains."""
    pool = descriptor_pool.DescriptorPool()
    for module in (common_pb2, resource_pb2, trace_pb2, trace_service_pb2):
        pool.Add(_as_proto2(module.DESCRIPTOR))
    name = trace_service_pb2.ExportTraceServiceRequest.DESCRIPTOR.full_name
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(name))


def _as_proto2(source: FileDescriptor) -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto()
    source.CopyToProto(file)
    file.syntax = "proto2"
    messages: dict[str, Any] = {message.name: message for message in file.message_type}
    if "AnyValue" in messages:
        _add_trap(messages["KeyValueList"])
        # The elements of an array are a message of their own, whose arrays are the trapped kind.
        nested_array = file.message_type.add()
        nested_array.name = "NestedArray"
        _add_trap(nested_array)
        element = file.message_type.add()
        element.CopyFrom(messages["AnyValue"])
        element.name = "ArrayElement"
        for field in element.field:
            if field.name == "array_value":
                field.type_name = f".{file.package}.NestedArray"
        messages["ArrayValue"].field[0].type_name = f".{file.package}.ArrayElement"
    return file


def _add_trap(message: Any) -> None:
    message.field.add(
        name="never_sent",
        number=536_870_911,  # the largest field number there is
        label=descriptor_pb2.FieldDescriptorProto.LABEL_REQUIRED,
        type=descriptor_pb2.FieldDescriptorProto.TYPE_BOOL,
    )


_TRAP_REQUEST: Final[Any] = _trap_request()
