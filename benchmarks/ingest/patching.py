"""Requests made by writing fresh ids, times and numbers over a template's bytes: far faster than building messages.

Building a protobuf message item by item in Python costs as much as a server spends on it, so a sender that did it
would measure itself. Instead:

1. A pool of requests is built once with the real protobuf classes: a :class:`Draft` each. Every field that must
   differ from one send to the next holds a sentinel: four magic bytes that occur nowhere else, padded to the field's
   width.
2. A draft is spelled once, as protobuf or as JSON, and the text searched for the sentinels, which gives the byte offset
   of every such field: a :class:`Template`.
3. Each send copies a template and writes fresh values over those offsets with numpy. All of them are of fixed width
   in both spellings (ids, times, identifiers in hex text, numbers of ten digits), so no length prefix changes.

A draft lists, for each kind of field and in the order of serialisation, which of the request's fresh values belongs
there: a trace id stands in many spans. Protobuf and JSON have the same order, that of field numbers.
"""

import hashlib
import random
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Self

import numpy as np
import numpy.typing as npt
from google.protobuf.message import Message

SECOND_NS: Final = 1_000_000_000
DECIMAL_DIGITS: Final = 10
"""Of a ``decimal`` field, its point not counted."""

AttributeValue = str | int | float | bool | list[str]
Indices = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
Form = Literal["id", "hex", "time", "decimal"]
Encoding = Literal["protobuf", "json"]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of field that is fresh in every request. ``width`` is in bytes, as protobuf has it.

    Fresh values are a matrix of random bytes for ``id`` (raw in protobuf, hex in JSON) and ``hex`` (text in both),
    a vector of int64 for ``time`` (ns since 1970) and ``decimal`` (ten digits, see :attr:`Draft.fraction_digits`).
    """

    magic: bytes
    width: int
    form: Form


# Bytes above 0x7f cannot occur in our ASCII strings, "~" in none of our labels.
TRACE_ID: Final = Kind(b"\xfeTI\xfe", 16, "id")
SPAN_ID: Final = Kind(b"\xfeSI\xfe", 8, "id")
TIME: Final = Kind(b"\xfeTM\xfe", 8, "time")
DECIMAL: Final = Kind(b"\xfeDE\xfe", 8, "decimal")
CALL_ID: Final = Kind(b"~cid", 16, "hex")
CONVERSATION: Final = Kind(b"~cnv", 12, "hex")

Values = Mapping[Kind, npt.NDArray[Any]]
"""Fresh values of one request by kind. Kinds that stand for the same thing may share them."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A request not yet spelled: ``message`` with sentinels, ``plan`` with what the signal needs to draw values for it.

    ``fields`` maps each kind to the indices of the values that its fields take, in serialisation order. The value of
    a ``decimal`` field, of its own, is ten digits, of which the last ``fraction_digits`` (1 to 6, one number per field)
    stand after the point.
    ``relative_times`` is what the seed decided of the times, in ns; it only goes into the digest.
    """

    message: Message
    items: int
    fields: Mapping[Kind, Indices]
    plan: Any
    relative_times: Indices
    fraction_digits: Indices | None = None


@dataclass(frozen=True, slots=True)
class Places:
    """Where the fields of one kind are: byte offsets, a row per field and a column per byte, and each one's value.

    ``value`` is None where every field has a value of its own, in order: nothing is to be looked up then.
    """

    at: Indices
    value: Indices | None

    @classmethod
    def of(cls, at: Indices, value: Indices) -> Self:
        """Fields at ``at`` that take the values ``value``."""
        return cls(at, None if np.array_equal(value, np.arange(len(value))) else value)


@dataclass(frozen=True, slots=True)
class Template:
    """A draft as bytes, and where its changing fields are in them."""

    draft: Draft
    encoding: Encoding
    body: Bytes
    places: Mapping[Kind, Places]

    def patched(self, values: Values) -> bytes:
        """The request with these values."""
        body = self.body.copy()
        for kind, places in self.places.items():
            if kind.form == "decimal" and self.encoding == "protobuf":
                # Dividing rounds once, as reading the decimal text does; multiplying by 0.01 would round twice.
                assert self.draft.fraction_digits is not None
                doubles = values[kind] / 10.0**self.draft.fraction_digits
                spelled = doubles.astype("<f8").view(np.uint8).reshape(-1, 8)
            else:
                spelled = _SPELL[self.encoding, kind.form](values[kind])
            body[places.at] = spelled if places.value is None else spelled[places.value]
        return body.tobytes()


def protobuf_template(draft: Draft) -> Template:
    """The draft as OTLP protobuf."""
    body = draft.message.SerializeToString()
    places = {
        kind: Places.of(offsets(body, kind.magic, np.arange(kind.width), len(value)), value)
        for kind, value in draft.fields.items()
    }
    return Template(draft, "protobuf", np.frombuffer(body, dtype=np.uint8), places)


def sentinel(magic: bytes, index: int, width: int) -> bytes:
    """What stands in a template for a field of ``width`` bytes."""
    return magic + index.to_bytes(width - len(magic), "big")


def text_sentinel(kind: Kind) -> str:
    """What stands in a template for an identifier in hex text."""
    return kind.magic.decode().ljust(kind.width, "0")


def offsets(body: bytes, magic: bytes, columns: Indices, expected: int) -> Indices:
    """Offsets of the bytes ``columns`` of every field that starts with ``magic``, in serialisation order.

    ``columns`` counts from the start of the field, one row for all of them or a row each.
    """
    starts = [found.start() for found in re.finditer(re.escape(magic), body)]
    if len(starts) != expected:
        raise AssertionError(f"{expected} fields marked {magic!r}, {len(starts)} found: the marker is not unique")
    return np.array(starts, dtype=np.int64).reshape(-1, 1) + columns


_HEX_PAIRS: Final = np.frombuffer(b"".join(b"%02x" % i for i in range(256)), dtype=np.uint16)


def hex_digits(raw: npt.NDArray[Any]) -> Bytes:
    """ASCII hex digits of each row."""
    return _HEX_PAIRS[raw].view(np.uint8)


_FOUR_DIGITS: Final = np.frombuffer(b"".join(b"%04d" % i for i in range(10_000)), dtype=np.uint32)


def decimal_digits(numbers: npt.NDArray[Any], digits: int) -> Bytes:
    """ASCII decimal digits of each number, ``digits`` of them."""
    groups = -(-digits // 4)
    rest, columns = numbers.astype(np.int64), np.empty((len(numbers), groups), dtype=np.uint32)
    for group in range(groups - 1, -1, -1):
        rest, low = np.divmod(rest, 10_000)
        columns[:, group] = _FOUR_DIGITS[low]
    return columns.view(np.uint8).reshape(len(numbers), 4 * groups)[:, 4 * groups - digits :]


TIME_DIGITS: Final = 19
"""Of nanoseconds since 1970, from 2001 to 2286."""

_SPELL: Final[dict[tuple[Encoding, Form], Callable[[npt.NDArray[Any]], Bytes]]] = {
    ("protobuf", "id"): lambda raw: raw,
    ("protobuf", "hex"): hex_digits,
    ("protobuf", "time"): lambda ns: ns.astype("<i8").view(np.uint8).reshape(-1, 8),
    ("json", "id"): hex_digits,
    ("json", "hex"): hex_digits,
    ("json", "time"): lambda ns: decimal_digits(ns, TIME_DIGITS),
    ("json", "decimal"): lambda numbers: decimal_digits(numbers, DECIMAL_DIGITS),
}


class Pool:
    """Templates of one size and one encoding, and what draws values for them.

    Share it between threads; give each thread its own stream. ``new_source`` makes, for one stream, what turns a plan
    and the time into fresh values.
    """

    def __init__(
        self,
        drafts: Sequence[Draft],
        spell: Callable[[Draft], Template],
        new_source: Callable[[np.random.Generator], "Callable[[Any, int], Values]"],
    ) -> None:
        self.templates = tuple(spell(draft) for draft in drafts)
        self.items_per_request = drafts[0].items
        self.new_source = new_source

    @property
    def bytes_per_item(self) -> float:
        """Mean size of an item in a request, its share of the resource included."""
        return sum(len(t.body) for t in self.templates) / sum(t.draft.items for t in self.templates)

    @property
    def digest(self) -> str:
        """Hex digest of all that the seed decides: the templates with their sentinels, and the relative times."""
        digest = hashlib.sha256()
        for template in self.templates:
            digest.update(template.body.tobytes())
            digest.update(template.draft.relative_times.astype("<i8").tobytes())
        return digest.hexdigest()[:16]

    def stream(self) -> "Stream":
        """An endless source of requests for one thread."""
        return Stream(self)


class Stream:
    """Requests, each one distinct. Not thread-safe."""

    def __init__(self, pool: Pool) -> None:
        self._templates = pool.templates
        # Ids come from the system's entropy: two runs against one server must not meet in the same trace.
        rng = np.random.default_rng()
        self._next = int(rng.integers(len(self._templates)))
        self._fresh_values = pool.new_source(rng)

    def request(self, now_ns: int | None = None) -> bytes:
        """One serialised request whose items are of the time before ``now_ns``."""
        template = self._templates[self._next % len(self._templates)]
        self._next += 1
        now_ns = time.time_ns() if now_ns is None else now_ns
        return template.patched(self._fresh_values(template.draft.plan, now_ns))


def add_attributes(attributes: Any, pairs: Mapping[str, AttributeValue]) -> None:
    """Append ``pairs`` to a repeated field of ``KeyValue``."""
    for key, value in pairs.items():
        item = attributes.add()
        item.key = key
        match value:
            case bool():
                item.value.bool_value = value
            case int():
                item.value.int_value = value
            case float():
                item.value.double_value = value
            case str():
                item.value.string_value = value
            case list():
                for element in value:
                    item.value.array_value.values.add().string_value = element


def add_resource(resource: Any, rng: random.Random, service: str) -> None:
    """Fill a ``Resource`` as an instance of ``service`` would."""
    add_attributes(
        resource.attributes,
        {
            "service.name": service,
            "service.version": f"1.{rng.randrange(6)}.0",
            "service.instance.id": f"{service}-{rng.randrange(4)}",
            "deployment.environment.name": "production",
            "telemetry.sdk.language": "python",
            "telemetry.sdk.name": "opentelemetry",
            "telemetry.sdk.version": "1.40.0",
        },
    )
