"""A span as :func:`~agentvigil.semconv.check.check` looks at it, and how one is read from what people have at hand.

Four shapes are read: a plain mapping with the fields of :class:`SpanDict`, a span of OTLP/JSON, what the SDK's
``ConsoleSpanExporter`` prints, and rows of the store, where all values are text. Times do not matter here and are left
out, and so are links.

OTLP/JSON: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding (integers as strings or numbers, enums as
numbers, names in lowerCamelCase).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypedDict

from agentvigil.semconv.registry import ValueType, load

_DEEPEST: Final = 64  # levels of a value; a decoder may take more, the stack may not


class NotASpan(ValueError):
    """The data is none of the shapes that are read; the message says which part and why."""


class SpanKind(StrEnum):
    """Kinds of spans, in the order of OTLP's numbers."""

    UNSPECIFIED = "UNSPECIFIED"
    INTERNAL = "INTERNAL"
    SERVER = "SERVER"
    CLIENT = "CLIENT"
    PRODUCER = "PRODUCER"
    CONSUMER = "CONSUMER"


class StatusCode(StrEnum):
    """Codes of a span's status, in the order of OTLP's numbers."""

    UNSET = "UNSET"
    OK = "OK"
    ERROR = "ERROR"


class SpanDict(TypedDict, total=False):
    """A span written by hand. ``kind`` is e.g. ``"CLIENT"``, ``status`` e.g. ``"ERROR"`` or ``{"code": "ERROR"}``.

    Each of ``events`` has a ``name`` and may have ``attributes``.
    """

    name: str
    kind: str | int
    attributes: Mapping[str, object]
    status: str | Mapping[str, object]
    events: Sequence[Mapping[str, object]]
    trace_id: str
    span_id: str


@dataclass(frozen=True, slots=True)
class SpanEvent:
    """A span event."""

    name: str
    attributes: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Span:
    """A span. Values of attributes are those of Python's json: str, int, float, bool, None, list and dict.

    ``kind`` is None if the data does not say. ``repeated`` are keys that came more than once, which OTLP forbids.
    """

    name: str = ""
    kind: SpanKind | None = None
    attributes: Mapping[str, object] = field(default_factory=dict)
    status: StatusCode = StatusCode.UNSET
    status_message: str = ""
    events: tuple[SpanEvent, ...] = ()
    trace_id: str = ""
    span_id: str = ""
    repeated: tuple[str, ...] = ()


def span_of(data: Mapping[str, object]) -> Span:
    """Return the span that ``data`` is, in any of the shapes that are read.

    Raises:
        NotASpan: if it is none of them.
    """
    attributes, repeated = _attributes(data.get("attributes"))
    status, message = _status(data.get("status"))
    context = data.get("context")
    ids = {**context, **data} if isinstance(context, Mapping) else data
    return Span(
        name=_text(data.get("name"), "name"),
        kind=_kind(data.get("kind")),
        attributes=attributes,
        status=status,
        status_message=message,
        events=tuple(_events(data.get("events"))),
        trace_id=_id(ids, "traceId", "trace_id"),
        span_id=_id(ids, "spanId", "span_id"),
        repeated=repeated,
    )


def spans_in(document: object) -> Iterator[Span]:
    """Yield the spans of ``document``: an OTLP/JSON export request or a part of one, one span, or a list of these.

    Raises:
        NotASpan: if there is anything else in it.
    """
    if isinstance(document, list):
        for part in document:
            yield from spans_in(part)
        return
    if not isinstance(document, Mapping):
        raise NotASpan(f"expected a span or an export request, not {_kind_of(document)}")
    for key in ("resourceSpans", "resource_spans", "scopeSpans", "scope_spans", "spans"):
        if key in document:
            parts = document[key]
            if parts is None:
                return
            if not isinstance(parts, list):
                raise NotASpan(f"{key} has to be a list, not {_kind_of(parts)}")
            yield from spans_in(parts)
            return
    if not document:
        # An export request without any spans, as OTLP/JSON spells it.
        return
    if "name" not in document and ("resource" in document or "scope" in document):
        # A resource or a scope without spans.
        return
    if "name" not in document and "attributes" not in document:
        raise NotASpan(
            f"neither a span nor an export request of traces: it has {', '.join(map(str, list(document)[:5]))}"
        )
    yield span_of(document)


def typed_attributes(stored: Mapping[str, str]) -> dict[str, object]:
    """Return attributes as the store keeps them, all values text, with the types that the registry gives them.

    Text that does not read as the registry's type stays text, which is then wrong; a number that was sent as text can
    not be told any more.
    """
    registry = load()
    typed: dict[str, object] = {}
    for key, text in stored.items():
        attribute = registry.attribute(key)
        typed[key] = text if attribute is None else _typed(attribute.type, text)
    return typed


def _typed(kind: ValueType, text: str) -> object:
    if kind in (ValueType.STRING, ValueType.ANY):
        return text
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        return text
    fits = {
        ValueType.INT: isinstance(value, int) and not isinstance(value, bool),
        ValueType.DOUBLE: isinstance(value, (int, float)) and not isinstance(value, bool),
        ValueType.BOOLEAN: isinstance(value, bool),
        ValueType.STRING_ARRAY: isinstance(value, list),
    }
    if not fits[kind]:
        return text
    return float(value) if kind is ValueType.DOUBLE and isinstance(value, int) else value


def _attributes(data: object) -> tuple[dict[str, object], tuple[str, ...]]:
    if data is None:
        return {}, ()
    if isinstance(data, Mapping):
        return {str(key): value for key, value in data.items()}, ()
    if not isinstance(data, list):
        raise NotASpan(f"attributes have to be a mapping or a list, not {_kind_of(data)}")
    attributes: dict[str, object] = {}
    repeated: dict[str, None] = {}
    for pair in data:
        if not isinstance(pair, Mapping) or not isinstance(pair.get("key"), str):
            raise NotASpan("each attribute of a list has to have a key")
        if pair["key"] in attributes:
            repeated[pair["key"]] = None
        attributes[pair["key"]] = _any_value(pair.get("value"), _DEEPEST)
    return attributes, tuple(repeated)


def _any_value(value: object, levels: int) -> object:
    """Return what an OTLP AnyValue holds."""
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise NotASpan(f"a value has to be an object such as {{'stringValue': '...'}}, not {_kind_of(value)}")
    if levels == 0:
        raise NotASpan(f"a value is nested deeper than {_DEEPEST} levels")
    for key, held in value.items():
        match str(key).replace("_v", "V"):
            case "stringValue" | "boolValue" | "bytesValue":
                return held
            case "intValue":
                return _number(held, int)
            case "doubleValue":
                return _number(held, float)
            case "arrayValue":
                parts = held.get("values") if isinstance(held, Mapping) else None
                return [_any_value(part, levels - 1) for part in parts] if isinstance(parts, list) else []
            case "kvlistValue":
                pairs = held.get("values") if isinstance(held, Mapping) else None
                return {
                    str(pair.get("key")): _any_value(pair.get("value"), levels - 1)
                    for pair in (pairs if isinstance(pairs, list) else [])
                    if isinstance(pair, Mapping)
                }
    return None


def _number(held: object, kind: type[int] | type[float]) -> object:
    """Return the number that ``held`` is or spells; OTLP/JSON writes 64-bit integers and NaN as strings."""
    if isinstance(held, bool) or not isinstance(held, (str, int, float)):
        raise NotASpan(f"a number has to be a number or a string, not {_kind_of(held)}")
    try:
        return kind(held)
    except (ValueError, OverflowError) as exc:
        raise NotASpan(f"not a number: {str(held)[:40]!r}") from exc


def _kind(kind: object) -> SpanKind | None:
    if kind is None:
        return None
    if isinstance(kind, int) and not isinstance(kind, bool) and 0 <= kind < len(SpanKind):
        return list(SpanKind)[kind]
    if isinstance(kind, str):
        word = kind.rpartition(".")[2].upper().removeprefix("SPAN_KIND_")
        if word in SpanKind.__members__:
            return SpanKind[word]
    raise NotASpan(f"kind has to be one of {', '.join(SpanKind)} or OTLP's number for it, not {str(kind)[:40]!r}")


def _status(status: object) -> tuple[StatusCode, str]:
    if isinstance(status, Mapping):
        code = status.get("code", status.get("status_code"))
        message = status.get("message", status.get("description"))
    else:
        code, message = status, None
    if code is None:
        return StatusCode.UNSET, _text(message, "the status' message")
    if isinstance(code, int) and not isinstance(code, bool) and 0 <= code < len(StatusCode):
        return list(StatusCode)[code], _text(message, "the status' message")
    if isinstance(code, str):
        word = code.rpartition(".")[2].upper().removeprefix("STATUS_CODE_")
        if word in StatusCode.__members__:
            return StatusCode[word], _text(message, "the status' message")
    raise NotASpan(f"status has to be one of {', '.join(StatusCode)} or OTLP's number for it, not {str(code)[:40]!r}")


def _events(events: object) -> Iterator[SpanEvent]:
    if events is None:
        return
    if isinstance(events, (str, bytes)) or not isinstance(events, Sequence):
        raise NotASpan(f"events have to be a list, not {_kind_of(events)}")
    for event in events:
        if not isinstance(event, Mapping):
            raise NotASpan(f"an event has to be an object, not {_kind_of(event)}")
        yield SpanEvent(_text(event.get("name"), "an event's name"), _attributes(event.get("attributes"))[0])


def _id(data: Mapping[object, object] | Mapping[str, object], *keys: str) -> str:
    for key in keys:
        value = dict(data).get(key)
        if isinstance(value, str):
            return value.removeprefix("0x")
    return ""


def _text(value: object, what: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise NotASpan(f"{what} has to be a string, not {_kind_of(value)}")
    return value


def _kind_of(value: object) -> str:
    """Return what ``value`` is, in JSON's words."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list() | tuple():
            return "a list"
        case Mapping():
            return "an object"
        case _:
            return type(value).__name__
