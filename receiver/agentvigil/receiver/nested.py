"""Attribute values that the store does not read: maps, bytes, and arrays but for those of a few short strings.

They are rewritten here to the text that the Collector would store, before the request goes to the store, which reads
values byte by byte in SQL. On spans they are rare, so the common request pays only for finding out: a scan of its
bytes. The scan may take a look-alike inside a string for such a value; then the walk in Python finds nothing to
rewrite, and only time is lost. A string whose length takes more bytes than it needs is found as well: serialising it
again mends that.
"""

import base64
import json
import math
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

import numpy as np
import numpy.typing as npt
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

# Tags of the wire format, a field's number and its wire type in one byte.
ATTRIBUTE_VALUE: Final = 0x12
"""Stands before an attribute's value: field 2 of a KeyValue."""
LOG_BODY: Final = 0x2A
"""Stands before a body: field 5 of a LogRecord."""
_STRING_VALUE: Final = 0x0A
_ARRAY_VALUE: Final = 0x2A
_KVLIST_VALUE: Final = 0x32
_BYTES_VALUE: Final = 0x3A
_ARRAY_VALUES: Final = 0x0A

_LONGEST_VARINT: Final = 5
"""Bytes of a length; some encoders pad theirs with continuation bytes."""
_MOST_ELEMENTS: Final = 64
_LONGEST_ELEMENT_BYTES: Final = 125
"""Of strings in arrays that the store reads; with the two bytes before it, its length is still of one byte."""

_SHORTEST_VALUE: Final = 3
"""Bytes of a value that can be one of those: a tag, a length and a tag."""

_IS_SUSPECT: Final = np.isin(np.arange(256), (_ARRAY_VALUE, _KVLIST_VALUE, _BYTES_VALUE))
"""By tag of an AnyValue's field: whether it may have to be rewritten."""

_Octets = npt.NDArray[np.uint8]
_Offsets = npt.NDArray[np.int64]


def may_need_flattening(body: bytes, value_tags: Sequence[int]) -> bool:
    """Say whether a serialised export request may have values that :func:`flatten` rewrites.

    ``value_tags`` are the tags that values stand behind, :data:`ATTRIBUTE_VALUE` and :data:`LOG_BODY`.

    False is certain for what encoders write: an AnyValue with one field in it. One that sets several fields of its
    oneof can slip through, and then loses that value.
    """
    octets = np.frombuffer(body, np.uint8)
    is_tag = octets[:-_SHORTEST_VALUE] == value_tags[0]
    for tag in value_tags[1:]:
        is_tag |= octets[:-_SHORTEST_VALUE] == tag
    at = np.flatnonzero(is_tag)
    # Most values are short: their length is one byte and their tag the next. Only the others need their length read.
    is_short = octets[at + 1] < 0x80
    short_values, long_at = at[is_short] + 2, at[~is_short]
    lengths, values = _varints(octets, long_at + 1)
    # Of a string in a short value the length is one byte as well, if it is not padded.
    suspect_short = _IS_SUSPECT[octets[short_values]] | (
        (octets[short_values] == _STRING_VALUE) & (_at(octets, short_values + 1) >= 0x80)
    )
    suspect_long = _IS_SUSPECT[_at(octets, values)] | (
        (_at(octets, values) == _STRING_VALUE) & _has_padding(octets, values + 1)
    )
    values = np.concatenate((short_values[suspect_short], values[suspect_long]))
    ends = values + np.concatenate((octets[values[: suspect_short.sum()] - 1], lengths[suspect_long]))
    inner_lengths, contents = _varints(octets, values + 1)
    # A value of one field fills its message exactly.
    real = contents + inner_lengths == ends
    if (octets[values[real]] != _ARRAY_VALUE).any():
        return True
    return not _all_short_strings(octets, contents[real], ends[real])


def flatten(values: Iterable[AnyValue], *, keep_octets: bool = True) -> None:
    """Rewrite every map, every bytes value and every array that the store does not read to its text, in place.

    Without ``keep_octets`` bytes become a word for them: in base64 what somebody said looks like a label, which the
    store keeps under every policy.
    """
    for value in values:
        match value.WhichOneof("value"):
            case "bytes_value":
                value.string_value = _octets_text(value.bytes_value, keep_octets)
            case "kvlist_value":
                value.string_value = json_text(value, keep_octets=keep_octets)
            case "array_value" if not _is_stored_array(value):
                value.string_value = json_text(value, keep_octets=keep_octets)


def json_text(value: AnyValue, *, keep_octets: bool = True) -> str:
    """Return ``value`` as the JSON text that the Collector writes: no spaces, keys sorted, bytes in base64.

    Numbers that JSON lacks become strings.
    """
    match value.WhichOneof("value"):
        case "string_value":
            return _json_string(value.string_value)
        case "bool_value":
            return "true" if value.bool_value else "false"
        case "int_value":
            return str(value.int_value)
        case "double_value":
            return _json_double(value.double_value)
        case "bytes_value":
            return f'"{_octets_text(value.bytes_value, keep_octets)}"'
        case "array_value":
            items = (json_text(item, keep_octets=keep_octets) for item in value.array_value.values)
            return f"[{','.join(items)}]"
        case "kvlist_value":
            members = {pair.key: pair.value for pair in value.kvlist_value.values}
            pairs = (
                f"{_json_string(key)}:{json_text(members[key], keep_octets=keep_octets)}" for key in sorted(members)
            )
            return f"{{{','.join(pairs)}}}"
        case _:
            return "null"


def _octets_text(octets: bytes, keep_octets: bool) -> str:
    return base64.b64encode(octets).decode() if keep_octets else "(bytes)"


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


def _is_stored_array(value: AnyValue) -> bool:
    elements = value.array_value.values
    return len(elements) <= _MOST_ELEMENTS and all(
        element.WhichOneof("value") == "string_value" and len(element.string_value.encode()) <= _LONGEST_ELEMENT_BYTES
        for element in elements
    )


def _all_short_strings(octets: _Octets, starts: _Offsets, ends: _Offsets) -> bool:
    """Say whether the ArrayValues between ``starts`` and ``ends`` are such as the store reads; walks all in step."""
    at = starts
    for _ in range(_MOST_ELEMENTS + 1):
        going = at < ends
        if not going.any():
            return True
        at, ends = at[going], ends[going]
        lengths = _at(octets, at + 1).astype(np.int64)
        plain = (
            (_at(octets, at) == _ARRAY_VALUES)
            & (lengths < 0x80)
            & (_at(octets, at + 2) == _STRING_VALUE)
            & (_at(octets, at + 3) + 2 == lengths)
        )
        if not plain.all():
            return False
        at = at + 2 + lengths
    return False


def _has_padding(octets: _Octets, at: _Offsets) -> npt.NDArray[np.bool_]:
    """Say which of the varints that start at ``at`` are longer than they need to be: their last byte is nothing."""
    _, behind = _varints(octets, at)
    is_padded: npt.NDArray[np.bool_] = (behind - at > 1) & (_at(octets, behind - 1) == 0)
    return is_padded


def _varints(octets: _Octets, at: _Offsets) -> tuple[_Offsets, _Offsets]:
    """Return the values of the varints that start at ``at``, and the offsets behind them."""
    values = np.zeros(len(at), np.int64)
    behind = at.copy()
    going = np.ones(len(at), bool)
    for index in range(_LONGEST_VARINT):
        octet = _at(octets, at + index).astype(np.int64)
        values += np.where(going, (octet & 0x7F) << (7 * index), 0)
        behind += going
        going &= octet >= 0x80
        if not going.any():
            break
    return values, behind


def _at(octets: _Octets, offsets: _Offsets) -> _Octets:
    """Return the bytes at ``offsets``; beyond the end, where only look-alikes lead, the last one."""
    return octets[np.minimum(offsets, len(octets) - 1)]
