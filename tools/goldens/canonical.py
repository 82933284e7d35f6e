"""What was captured, as OTLP/JSON that comes out the same on every run and every machine.

Requests of one run become one. Ids are numbered in the order of appearance, times in the order of time, one millisecond
apart, so that parents, order and durations greater than zero survive. Attributes are sorted, since some libraries write
them in the order of a set. Facts about the machine become constants. What else a library sends stays as it is.
"""

import base64
import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias

from google.protobuf import json_format
from google.protobuf.message import Message

Document: TypeAlias = dict[str, Any]
"""A JSON object."""

_START_UNIX_NANO: Final = 1_780_000_000 * 10**9
_STEP_NANO: Final = 10**6

_IDS: Final = ("traceId", "spanId", "parentSpanId")
_HEX: Final = re.compile(r"(?<![0-9a-f])([0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12})(?![0-9a-f])")
"""A UUID, with or without dashes; a trace id looks the same."""
_SHORT: Final = re.compile(r"(?<=_)[0-9a-f]{12}(?![0-9a-f])")
"""A random id behind a word that says of what."""
_SPAN_ID: Final = re.compile(r"(?<![0-9a-f])[0-9a-f]{16}(?![0-9a-f])")
_ADDRESS: Final = re.compile(r"0x[0-9a-f]{8,16}\b")
_MOMENT: Final = re.compile(r"20\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?")
_DURATION: Final = 0.25
"""Stands for every measured time and random name."""


def traces_document(requests: Iterable[Message]) -> Document:
    """One OTLP/JSON request of all spans, per resource and scope in the order of their start."""
    return _merged([_document(request) for request in requests], "resourceSpans", "scopeSpans", "spans")


def logs_document(requests: Iterable[Message]) -> Document:
    """One OTLP/JSON request of all log records, per resource and scope in the order they came."""
    return _merged([_document(request) for request in requests], "resourceLogs", "scopeLogs", "logRecords")


def canonical(documents: list[Document], facts: Mapping[str, str], volatile: tuple[str, ...]) -> list[Document]:
    """Rewrite documents of one run together, so that logs still name their spans.

    ``facts`` are texts of this machine and what stands for them; ``volatile`` are the keys of measured times
    and random names, of attributes or within the text of a JSON object.
    """
    ids = _Ids(documents)
    clock = _Clock(documents)
    within = re.compile(rf'("(?:{"|".join(map(re.escape, volatile))})": ?)(?:[0-9.e-]+|(")[^"]*")')

    def text(value: str) -> str:
        for fact, constant in facts.items():
            value = value.replace(fact, constant)
        value = within.sub(lambda found: f"{found[1]}{found[2] or ''}{_DURATION}{found[2] or ''}", value)
        return _ADDRESS.sub("0x1", clock.text(ids.text(value)))

    def rewritten(value: Any) -> Any:
        match value:
            case {"key": str(key), "value": dict(said)}:
                held = _measured(said) if _is_among(key, volatile) else rewritten(said)
                return {"key": text(key), "value": held}
            case dict():
                return {key: _field(key, item) for key, item in value.items()}
            case [{"key": str()}, *_]:
                return [rewritten(pair) for pair in sorted(value, key=lambda pair: str(pair["key"]))]
            case list():
                return [rewritten(item) for item in value]
            case str():
                return text(value)
            case _:
                return value

    def _field(key: str, item: Any) -> Any:
        if key in _IDS:
            return ids.id(item)
        if key.lower().endswith("timeunixnano"):
            return clock.nano(item)
        if key == "intValue":
            return facts.get(item, item)
        return rewritten(item)

    return [_with_durations(rewritten(document)) for document in documents]


def rendered(document: Document) -> str:
    """As it is written to a file."""
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _document(request: Message) -> Document:
    document: Document = json_format.MessageToDict(request, use_integers_for_enums=True)

    def hexed(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                key: base64.b64decode(item).hex() if key in _IDS else hexed(item)
                for key, item in value.items()
                if not (key == "parentSpanId" and not item)
            }
        return [hexed(item) for item in value] if isinstance(value, list) else value

    result: Document = hexed(document)
    return result


def _merged(documents: list[Document], of_resource: str, of_scope: str, items: str) -> Document:
    resources: dict[str, Document] = {}
    scopes: dict[tuple[str, str], Document] = {}
    for resource in (entry for document in documents for entry in document.get(of_resource, [])):
        resource_key = _key(resource, of_scope)
        kept = resources.setdefault(resource_key, {**resource, of_scope: []})
        for scope in resource[of_scope]:
            key = (resource_key, _key(scope, items))
            if key not in scopes:
                scopes[key] = {**scope, items: []}
                kept[of_scope].append(scopes[key])
            scopes[key][items] += scope.get(items, [])
    for scope in scopes.values():
        scope[items].sort(key=lambda item: int(item.get("startTimeUnixNano", 0)))
    return {of_resource: list(resources.values())}


def _key(entry: Document, without: str) -> str:
    return json.dumps({key: value for key, value in entry.items() if key != without}, sort_keys=True)


def _walk(value: Any, see: Callable[[str, Any], None]) -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            see(key, item)
            _walk(item, see)
    elif isinstance(value, list):
        for item in value:
            if isinstance(item, str):
                see("", item)
            _walk(item, see)


class _Ids:
    """Ids of spans and traces, and everything that looks like a UUID, numbered from 1."""

    def __init__(self, documents: list[Document]) -> None:
        self._known: dict[int, dict[str, str]] = {}
        spans = [
            span
            for document in documents
            for resource in document.get("resourceSpans", [])
            for scope in resource["scopeSpans"]
            for span in scope["spans"]
        ]
        for span in sorted(spans, key=lambda span: int(span["startTimeUnixNano"])):
            self.id(span["traceId"])
            self.id(span["spanId"])

    def id(self, value: str) -> str:
        """The number of an id among those of its width, as wide as it."""
        known = self._known.setdefault(len(value), {})
        return known.setdefault(value, f"{len(known) + 1:0{len(value)}x}")

    def text(self, value: str) -> str:
        """``value`` with every id in it replaced."""
        value = _HEX.sub(self._uuid, value)
        value = _SHORT.sub(lambda found: self.id(found[0]), value)
        return _SPAN_ID.sub(lambda found: self._known.get(16, {}).get(found[0], found[0]), value)

    def _uuid(self, found: re.Match[str]) -> str:
        digits = self.id(found[0].replace("-", ""))
        if "-" not in found[0]:
            return digits
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


class _Clock:
    """All moments of a run, in order."""

    def __init__(self, documents: list[Document]) -> None:
        times: set[int] = set()
        texts: set[str] = set()

        def see(key: str, item: Any) -> None:
            if key.lower().endswith("timeunixnano"):
                times.add(int(item))
            elif isinstance(item, str):
                texts.update(_MOMENT.findall(item))

        _walk(documents, see)
        minute = 60 * 10**9
        self._first, self._last = min(times, default=0) - minute, max(times, default=0) + minute
        moments = {nano for nano in map(_nano, texts) if self._is_of_this_run(nano)}
        ordered = sorted((times | moments) - {0})
        self._known = {time: _START_UNIX_NANO + n * _STEP_NANO for n, time in enumerate(ordered)} | {0: 0}

    def nano(self, value: str) -> str:
        """The moment that stands for ``value``."""
        return str(self._known[int(value)])

    def text(self, value: str) -> str:
        """``value`` with every moment of this run in it replaced, in the same way of writing."""
        return _MOMENT.sub(self._moment, value)

    def _is_of_this_run(self, nano: int) -> bool:
        return self._first <= nano <= self._last

    def _moment(self, found: re.Match[str]) -> str:
        nano = _nano(found[0])
        if not self._is_of_this_run(nano):
            return found[0]
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=self._known[nano] // 1000)
        written = moment.isoformat(timespec="microseconds").removesuffix("+00:00")
        zone = re.search(r"(Z|[+-]\d\d:?\d\d)$", found[0][19:])
        return written.replace("T", found[0][10]) + (zone[0] if zone else "")


def _nano(written: str) -> int:
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        return 0
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round((moment - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1)) * 1000


def _is_among(key: str, patterns: tuple[str, ...]) -> bool:
    return any(key.startswith(p[:-1]) if p.endswith("*") else key == p for p in patterns)


def _measured(said: Document) -> Document:
    ((kind, value),) = said.items()
    match kind:
        case "arrayValue":
            return {kind: {"values": [_measured(item) for item in value["values"]]}}
        case "intValue":
            return {kind: str(round(_DURATION * 1000))}
        case "stringValue":
            return {kind: str(_DURATION)}
        case _:
            return {kind: _DURATION}


def _with_durations(document: Document) -> Document:
    """Spans that began and ended in one tick of the clock get the shortest duration there is."""

    def see(key: str, item: Any) -> None:
        if key == "spans":
            for span in item:
                if span["endTimeUnixNano"] == span["startTimeUnixNano"]:
                    span["endTimeUnixNano"] = str(int(span["startTimeUnixNano"]) + 1)

    _walk(document, see)
    return document
