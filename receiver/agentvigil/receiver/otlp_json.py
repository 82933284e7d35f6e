"""OTLP/JSON to OTLP protobuf: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding.

What comes in is JSON, what goes out is what the same exporter would have sent as protobuf, so that everything behind
this module knows one encoding. The bytes are written straight from the parsed document. For each message of the
installed ``opentelemetry-proto`` one encoder is made from its descriptor, once per process; no field is named here.
Those of the requests are made on import, so a field of a type that nobody can encode fails the start and no request.

Where the specification leaves a choice, and where senders take liberties:

1. Ids are hex. One that is not becomes the id ``00``: no id has that length, so it fails alone where ids are checked,
   not with its whole request, and a span with such a parent does not turn into a root.
2. Enums are numbers or names. A number that this process has no name for passes, a name without a number does not.
3. Integers are numbers or decimal strings. A number with a fraction of zero is an integer (``1e3``, ``5.0``).
4. Doubles are numbers, numeric strings, or the strings ``NaN``, ``Infinity`` and ``-Infinity``.
5. Bytes are base64 in either alphabet, padded or not.
6. null is an absent field, as in protobuf's own JSON, except as an element of an array.
7. Unknown keys are passed over, the protobuf spelling of a known one (``trace_id``) among them. Of a key that comes
   twice the last one counts. Two fields of a oneof are refused: nobody could say which one was meant.
8. A lone surrogate (``\\ud83d``), which JavaScript writes where it cut a text within an emoji, becomes U+FFFD.
9. A message nested deeper than protobuf's parser goes is refused here, where its path is still known.
"""

import base64
import binascii
import math
import re
import struct
from collections.abc import Callable
from functools import cache
from typing import Any, Final

import orjson
from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.descriptor_pb2 import FieldDescriptorProto
from google.protobuf.message import Message

from agentvigil.receiver.errors import BadRequest
from agentvigil.receiver.otlp import OTLP_SIGNALS
from agentvigil.storage.varint import varint

_MOST_NESTED: Final = 100
"""Messages within messages that protobuf's parser follows, in all its languages unless told otherwise."""

_INVALID_ID: Final = b"\0"

_DECIMAL: Final = re.compile(r"-?[0-9]{1,20}", re.ASCII)
_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?", re.ASCII)
_SURROGATES: Final = re.compile(
    rb"(?<!\\)(?P<before>(?:\\\\)*+)"
    rb"(?:\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<lone>\\u[dD][89a-fA-F][0-9a-fA-F]{2}))"
)
"""An escaped pair of them or a lone one, behind backslashes that are escaped themselves."""
_NOT_FINITE: Final = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}

_Content = Callable[[Any], bytes]
"""Turns a JSON value into a field's content: no tag in front, no length."""

_Nested = Callable[[Any, int], bytes]
"""The same for what may have messages in it; the number is how many levels of them are still allowed."""


class _Wrong(Exception):
    """A value that does not fit. The path to it grows from its end while this passes the encoders outwards."""

    def __init__(self, value: object, expected: str) -> None:
        super().__init__(f"{_described(value)}, expected {expected}")
        self.path: list[str] = []


def protobuf_of(body: bytes, message: type[Message]) -> bytes:
    """Return the OTLP/JSON request ``body`` as a serialised ``message``, such as ``ExportTraceServiceRequest``.

    Fields come in the order of the document, not of their numbers.

    Raises:
        BadRequest: if ``body`` is not JSON, or not such a message; says where.
        TypeError: if a field of ``message`` has a type that no field of OTLP had so far; says which.
    """
    document = _parsed(body)
    try:
        return _encoder(message.DESCRIPTOR)(document, _MOST_NESTED)
    except _Wrong as exc:
        path = ".".join(reversed(exc.path)).replace(".[", "[") or "the body"
        raise BadRequest(
            f"the body is not an OTLP {message.DESCRIPTOR.name} in JSON: {path} is {exc}; update or mend the sender, "
            "or have it send protobuf (OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf)"
        ) from exc


def _parsed(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as exc:
        mended = _SURROGATES.sub(lambda found: found["before"] + rb"\ufffd" if found["lone"] else found[0], body)
        if mended != body:
            return _parsed(mended)
        raise BadRequest(
            f"the body is not JSON although its Content-Type says so ({exc}); check that the exporter's protocol is "
            "http/json and that nothing changes the body on its way"
        ) from exc


def json_of(message: Message) -> bytes:
    """Return a response, or a ``google.rpc.Status``, as OTLP/JSON. Not for requests: their ids would be base64."""
    return json_format.MessageToJson(message, indent=None, ensure_ascii=False).encode()


def _described(value: object) -> str:
    match value:
        case None:
            return "null"
        case dict():
            return "an object"
        case list():
            return "an array"
        case str():
            return f"the string {value[:40]!r}{'…' * (len(value) > 40)}"
        case bool():
            return str(value).lower()
        case _:
            return f"the number {value}"


class _Varints(dict[int, bytes]):
    """Varints by number, the common ones ready made."""

    def __init__(self) -> None:
        super().__init__((number, varint(number)) for number in range(2048))

    def __missing__(self, number: int) -> bytes:
        return varint(number)


_VARINTS: Final = _Varints()


@cache
def _encoder(message: Descriptor) -> _Nested:
    return _message_encoder(message, {})


def _message_encoder(message: Descriptor, known: dict[str, _Nested]) -> _Nested:
    if message.full_name in known:
        return known[message.full_name]
    fields: dict[str, _Nested] = {}
    oneofs = [[field.json_name for field in oneof.fields] for oneof in message.oneofs if len(oneof.fields) > 1]

    def encode(document: Any, levels: int) -> bytes:
        if type(document) is not dict:
            raise _Wrong(document, "an object")
        if levels < 0:
            raise _Wrong(document, f"no more than {_MOST_NESTED} messages within each other")
        content, name = b"", ""
        try:
            for name, value in document.items():
                if value is not None and name in fields:
                    content += fields[name](value, levels)
        except _Wrong as exc:
            exc.path.append(name)
            raise
        if oneofs and len(document) > 1:
            _check_oneofs(oneofs, document)
        return content

    # Messages contain themselves: this one is known before its fields are.
    known[message.full_name] = encode
    fields.update((field.json_name, _field_encoder(field, known)) for field in message.fields)
    return encode


def _check_oneofs(oneofs: list[list[str]], document: dict[str, Any]) -> None:
    for oneof in oneofs:
        present = [name for name in oneof if document.get(name) is not None]
        if len(present) > 1:
            raise _Wrong(document, f"only one of {' and '.join(present)}")


def _field_encoder(field: FieldDescriptor, known: dict[str, _Nested]) -> _Nested:
    """Return what turns the JSON value of ``field`` into its tag and content."""
    if field.message_type:
        one = _delimited(_tag(field, 2), _message_encoder(field.message_type, known))
        return _repeated(one) if field.is_repeated else one
    wire_type, content = _scalar(field)
    if field.is_packed:
        return _packed(_tag(field, 2), content)
    one = _text(_tag(field, 2), content) if wire_type == 2 else _number(_tag(field, wire_type), content)
    return _repeated(one) if field.is_repeated else one


def _tag(field: FieldDescriptor, wire_type: int) -> bytes:
    return varint(field.number << 3 | wire_type)


def _delimited(tag: bytes, message: _Nested) -> _Nested:
    def encode(value: Any, levels: int) -> bytes:
        content = message(value, levels - 1)
        return tag + _VARINTS[len(content)] + content

    return encode


def _text(tag: bytes, content_of: _Content) -> _Nested:
    def encode(value: Any, _: int) -> bytes:
        content = content_of(value)
        return tag + _VARINTS[len(content)] + content

    return encode


def _number(tag: bytes, content_of: _Content) -> _Nested:
    def encode(value: Any, _: int) -> bytes:
        return tag + content_of(value)

    return encode


def _packed(tag: bytes, content_of: _Content) -> _Nested:
    elements = _repeated(lambda value, _: content_of(value))

    def encode(values: Any, levels: int) -> bytes:
        content = elements(values, levels)
        return tag + _VARINTS[len(content)] + content

    return encode


def _repeated(one: _Nested) -> _Nested:
    def encode(values: Any, levels: int) -> bytes:
        if type(values) is not list:
            raise _Wrong(values, "an array")
        parts: list[bytes] = []
        try:
            for value in values:
                parts.append(one(value, levels))  # noqa: PERF401 - their number is the index of the one that fails
        except _Wrong as exc:
            exc.path.append(f"[{len(parts)}]")
            raise
        return b"".join(parts)

    return encode


def _scalar(field: FieldDescriptor) -> tuple[int, _Content]:
    """Return the wire type of ``field`` and what writes its content."""
    match field.type:
        case FieldDescriptor.TYPE_STRING:
            return 2, _string
        case FieldDescriptor.TYPE_BYTES:
            # The specification's exception from protobuf's JSON. All fields of these names are such ids.
            return 2, _id if field.name.endswith(("trace_id", "span_id")) else _bytes
        case FieldDescriptor.TYPE_BOOL:
            return 0, _bool
        case FieldDescriptor.TYPE_DOUBLE:
            return 1, _double
        case FieldDescriptor.TYPE_ENUM:
            return 0, _enum(field.enum_type)
        case FieldDescriptor.TYPE_FIXED64:
            return 1, _integer(0, 2**64, _FIXED64)
        case FieldDescriptor.TYPE_SFIXED64:
            return 1, _integer(-(2**63), 2**63, _SFIXED64)
        case FieldDescriptor.TYPE_FIXED32:
            return 5, _integer(0, 2**32, _FIXED32)
        case FieldDescriptor.TYPE_INT64:
            return 0, _integer(-(2**63), 2**63, _signed_varint)
        case FieldDescriptor.TYPE_INT32:
            return 0, _integer(-(2**31), 2**31, _signed_varint)
        case FieldDescriptor.TYPE_UINT64:
            return 0, _integer(0, 2**64, _VARINTS.__getitem__)
        case FieldDescriptor.TYPE_UINT32:
            return 0, _integer(0, 2**32, _VARINTS.__getitem__)
        case FieldDescriptor.TYPE_SINT32:
            return 0, _integer(-(2**31), 2**31, _zigzag)
        case _:
            type_name = FieldDescriptorProto.Type.DESCRIPTOR.values_by_number[field.type].name
            raise TypeError(f"{field.full_name} is a {type_name}, as no field of OTLP was; write how it is encoded")


_FIXED32: Final = struct.Struct("<I").pack
_FIXED64: Final = struct.Struct("<Q").pack
_SFIXED64: Final = struct.Struct("<q").pack
_DOUBLE: Final = struct.Struct("<d").pack


def _signed_varint(number: int) -> bytes:
    return _VARINTS[number & 0xFFFF_FFFF_FFFF_FFFF]


def _zigzag(number: int) -> bytes:
    return _VARINTS[number << 1 if number >= 0 else ~(number << 1)]


def _integer(lowest: int, end: int, content_of: Callable[[int], bytes]) -> _Content:
    """``end`` is the first number that is too large."""

    def encode(value: Any) -> bytes:
        if type(value) is int:
            number = value
        elif (type(value) is str and _DECIMAL.fullmatch(value)) or (type(value) is float and value.is_integer()):
            number = int(value)
        else:
            number = end
        if lowest <= number < end:
            return content_of(number)
        raise _Wrong(value, f"an integer from {lowest} to {end - 1}")

    return encode


def _enum(enum: EnumDescriptor | None) -> _Content:
    numbers = {value.name: value.number for value in enum.values} if enum else {}
    integer = _integer(-(2**31), 2**31, _signed_varint)

    def encode(value: Any) -> bytes:
        if type(value) is str and not _DECIMAL.fullmatch(value):
            if value not in numbers:
                raise _Wrong(value, f"a number, or one of {', '.join(numbers)}")
            value = numbers[value]
        return integer(value)

    return encode


def _double(value: Any) -> bytes:
    if type(value) is float or type(value) is int:
        return _DOUBLE(value)
    if type(value) is str:
        if value in _NOT_FINITE:
            return _DOUBLE(_NOT_FINITE[value])
        if _NUMBER.fullmatch(value) and math.isfinite(number := float(value)):
            return _DOUBLE(number)
    raise _Wrong(value, 'a number, or "NaN", "Infinity" or "-Infinity"')


def _bool(value: Any) -> bytes:
    if type(value) is not bool:
        raise _Wrong(value, "true or false")
    return b"\1" if value else b"\0"


def _string(value: Any) -> bytes:
    if type(value) is not str:
        raise _Wrong(value, "a string")
    return value.encode()


def _bytes(value: Any) -> bytes:
    if type(value) is str:
        digits = value.rstrip("=").replace("-", "+").replace("_", "/")
        try:
            return base64.b64decode(digits + "=" * (-len(digits) % 4), validate=True)
        except ValueError:
            pass
    raise _Wrong(value, "a string of base64")


def _id(value: Any) -> bytes:
    if type(value) is not str:
        raise _Wrong(value, "a string of hex digits")
    try:
        return binascii.unhexlify(value)
    except ValueError:
        return _INVALID_ID


for _signal in OTLP_SIGNALS:
    _encoder(_signal.request.DESCRIPTOR)
