"""Attribute values that the store's decoder does not read: maps, bytes, and arrays of anything but strings.

They are rewritten here to the text that the Collector would store, before the request goes to the store. On spans they
are rare, and every kind that ClickHouse decodes costs columns for each attribute of each span, so the common request
pays only for finding out: a scan of its bytes. The scan may take a look-alike inside a string for such a value; then
the walk in Python finds nothing to rewrite, and only time is lost.
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
_MOST_ELEMENTS: Final = 256
"""An array with more elements than this is not scanned to its end but taken for one to rewrite."""

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
    suspect_short = _IS_SUSPECT[octets[short_values]]
    suspect_long = _IS_SUSPECT[_at(octets, values)]
    values = np.concatenate((short_values[suspect_short], values[suspect_long]))
    ends = values + np.concatenate((octets[values[: suspect_short.sum()] - 1], lengths[suspect_long]))
    inner_lengths, contents = _varints(octets, values + 1)
    # A value of one field fills its message exactly.
    real = contents + inner_lengths == ends
    if (octets[values[real]] != _ARRAY_VALUE).any():
        return True
    return not _all_strings(octets, contents[real], ends[real])


def flatten(values: Iterable[AnyValue], *, keep_octets: bool = True) -> None:
    """Rewrite every map, every bytes value and every array of anything but strings to its text, in place.

    Without ``keep_octets`` bytes become a word for them: in base64 what somebody said looks like a label, which the
    store keeps under every policy.
    """
    for value in values:
        match value.WhichOneof("value"):
            case "bytes_value":
                value.string_value = _octets_text(value.bytes_value, keep_octets)
            case "kvlist_value":
                value.string_value = json_text(value, keep_octets=keep_octets)
            case "array_value" if not _is_string_array(value):
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


def _is_string_array(value: AnyValue) -> bool:
    return all(item.WhichOneof("value") == "string_value" for item in value.array_value.values)


def _all_strings(octets: _Octets, starts: _Offsets, ends: _Offsets) -> bool:
    """Say whether the ArrayValues between ``starts`` and ``ends`` hold strings only; walks all of them in step."""
    at = starts
    for _ in range(_MOST_ELEMENTS):
        going = at < ends
        if not going.any():
            return True
        at, ends = at[going], ends[going]
        lengths, elements = _varints(octets, at + 1)
        string_lengths, strings = _varints(octets, elements + 1)
        plain = (
            (_at(octets, at) == _ARRAY_VALUES)
            & (_at(octets, elements) == _STRING_VALUE)
            & (strings + string_lengths == elements + lengths)
        )
        if not plain.all():
            return False
        at = elements + lengths
    return False


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
