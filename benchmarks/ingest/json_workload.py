"""Any draft as OTLP/JSON, as the JavaScript exporter spells it, and where its changing fields are in the text.

Ids are hex, 64-bit integers are strings, enums are numbers, there is no white space:
https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding. The text is made once by protobuf's own JSON mapping;
what the specification has otherwise is respelled here, and sentinels become others of the width that the field has in
JSON: ids twice as many hex digits, times 19 digits, decimal numbers ten digits and a point among them.
"""

import base64
import json
import re
import struct
from typing import Any, Final

import numpy as np
from google.protobuf.json_format import MessageToDict
from patching import (
    DECIMAL,
    DECIMAL_DIGITS,
    TIME,
    TIME_DIGITS,
    Draft,
    Indices,
    Kind,
    Places,
    Template,
    offsets,
)

_ID_KEYS: Final = frozenset({"traceId", "spanId", "parentSpanId"})
_TIME_MARK: Final = "~tim"
_DECIMAL_MARK: Final = "~dec"
_QUOTED_DECIMAL: Final = re.compile(rf'"({_DECIMAL_MARK}[0-9.]+)"')


def json_template(draft: Draft) -> Template:
    """The draft as OTLP/JSON."""
    document = _respelled("", MessageToDict(draft.message, use_integers_for_enums=True))
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    # A number has no quotes, but what stands in for it is no number.
    body = _QUOTED_DECIMAL.sub(r"\1", text).encode()
    if draft.fraction_digits is not None:
        body = _with_points(body, draft.fraction_digits)
    places = {
        kind: Places.of(offsets(body, _magic(kind), _columns(kind, draft), len(value)), value)
        for kind, value in draft.fields.items()
    }
    return Template(draft, "json", np.frombuffer(body, dtype=np.uint8), places)


def _respelled(key: str, value: Any) -> Any:
    match value:
        case dict():
            return {name: _respelled(name, of_name) for name, of_name in value.items()}
        case list():
            return [_respelled(key, item) for item in value]
        case str() if key in _ID_KEYS:
            return base64.b64decode(value).hex()
        case str() if key.endswith("UnixNano"):
            is_sentinel = int(value).to_bytes(8, "little").startswith(TIME.magic)
            return _TIME_MARK.ljust(TIME_DIGITS, "0") if is_sentinel else value
        case float() if struct.pack("<d", value).startswith(DECIMAL.magic):
            return _DECIMAL_MARK.ljust(DECIMAL_DIGITS + 1, "0")
        case float() if value.is_integer():
            return int(value)  # JSON.stringify(1.0) is 1
        case _:
            return value


def _with_points(body: bytes, fraction_digits: Indices) -> bytes:
    """Put the point of every decimal number in its place, which is never within the marker."""
    points = iter(DECIMAL_DIGITS - fraction_digits)

    def pointed(found: re.Match[bytes]) -> bytes:
        digits, point = found[0][:-1], next(points)
        return digits[:point] + b"." + digits[point:]

    return re.sub(rb"~dec0{7}", pointed, body)


def _magic(kind: Kind) -> bytes:
    match kind.form:
        case "id":
            return kind.magic.hex().encode()
        case "time":
            return _TIME_MARK.encode()
        case "decimal":
            return _DECIMAL_MARK.encode()
        case "hex":
            return kind.magic


def _columns(kind: Kind, draft: Draft) -> Indices:
    match kind.form:
        case "id":
            return np.arange(2 * kind.width)
        case "time":
            return np.arange(TIME_DIGITS)
        case "hex":
            return np.arange(kind.width)
        case "decimal":
            assert draft.fraction_digits is not None
            digits = np.arange(DECIMAL_DIGITS)
            return digits + (digits >= DECIMAL_DIGITS - draft.fraction_digits.reshape(-1, 1))
