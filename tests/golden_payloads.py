"""Golden payloads: what real libraries sent, and the rows it has to become. ``tools/goldens`` makes them."""

import base64
import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from agentvigil.semconv.reference import Normalized, Span, SpanEvent
from agentvigil.semconv.reference.span import Status

ROOT = Path(__file__).parents[1]
DIRECTORY = ROOT / "tests" / "testdata" / "goldens"
DECLARATION = ROOT / "tools" / "goldens" / "libraries.toml"

_TRACES = ".traces.json"
_IDS = ("traceId", "spanId", "parentSpanId")
_STATUSES: tuple[Status, ...] = ("unset", "ok", "error")
"""By their codes in OTLP."""


class Golden(NamedTuple):
    """One scenario of one library."""

    path: Path
    """Of the payload of spans."""
    request: dict[str, Any]
    """OTLP/JSON of an ``ExportTraceServiceRequest``."""
    expected: list[dict[str, Any]]
    """What each span becomes, in the order of ``spans``."""

    @property
    def name(self) -> str:
        """Dialect, library with its version, and scenario."""
        return str(self.path.relative_to(DIRECTORY)).removesuffix(_TRACES)

    @property
    def dialect(self) -> str:
        """Id of the dialect that the library writes."""
        return self.path.parts[-3]

    @property
    def library(self) -> str:
        """Name and version."""
        return self.path.parts[-2]

    @property
    def scenario(self) -> str:
        """What was done with the library."""
        return self.path.name.removesuffix(_TRACES)

    @property
    def calls(self) -> list[dict[str, Any]]:
        """The calls that the provider answered, with the usage that it told."""
        content: list[dict[str, Any]] = json.loads(beside(self.path, "calls").read_text(encoding="utf-8"))
        return content


def beside(path: Path, kind: str) -> Path:
    """The other file of a payload's scenario: ``calls``, ``expected`` or ``logs``."""
    return path.with_name(path.name.removesuffix(_TRACES) + f".{kind}.json")


def all_goldens() -> list[Golden]:
    """All payloads of spans, sorted by path."""
    return [golden(path) for path in sorted(DIRECTORY.rglob(f"*{_TRACES}"))]


def golden(path: Path) -> Golden:
    """Read one; a payload that is new has no expectations yet."""
    expected = beside(path, "expected")
    return Golden(
        path,
        json.loads(path.read_text(encoding="utf-8")),
        json.loads(expected.read_text(encoding="utf-8")) if expected.exists() else [],
    )


def declared_libraries() -> dict[str, dict[str, Any]]:
    """What ``libraries.toml`` says of each library: name with version → its table."""
    tables = tomllib.loads(DECLARATION.read_text(encoding="utf-8"))["library"]
    return {f"{table['name']}-{_version(table)}": table for table in tables}


def _version(table: Mapping[str, Any]) -> str:
    pins: dict[str, str] = dict(pin.split("==") for pin in table["pins"])
    return next(version for name, version in pins.items() if name.partition("[")[0] == table["distribution"])


def message(request: dict[str, Any]) -> ExportTraceServiceRequest:
    """The request as protobuf."""

    def with_bytes(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                key: base64.b64encode(bytes.fromhex(item)).decode() if key in _IDS else with_bytes(item)
                for key, item in value.items()
            }
        return [with_bytes(item) for item in value] if isinstance(value, list) else value

    return json_format.ParseDict(with_bytes(request), ExportTraceServiceRequest())


def spans(request: dict[str, Any]) -> Iterator[Span]:
    """All spans of a request as the reference normalizer takes them."""
    for of_resource in request["resourceSpans"]:
        resource = _attributes(of_resource["resource"].get("attributes", []))
        for of_scope in of_resource["scopeSpans"]:
            for span in of_scope["spans"]:
                yield Span(
                    attributes=_attributes(span.get("attributes", [])),
                    name=span["name"],
                    scope=of_scope["scope"]["name"],
                    resource=resource,
                    events=tuple(
                        SpanEvent(event["name"], _attributes(event.get("attributes", [])))
                        for event in span.get("events", [])
                    ),
                    parent_span_id=span.get("parentSpanId", ""),
                    start_time_unix_nano=int(span["startTimeUnixNano"]),
                    status=_STATUSES[span.get("status", {}).get("code", 0)],
                )


def row(span: Span, result: Normalized) -> dict[str, Any]:
    """What is expected of one span, as it is written down."""
    tokens = result.tokens
    return {
        "name": span.name,
        "dialect": result.dialect,
        "operation": result.operation,
        "billing": result.billing,
        "attributes": dict(sorted(result.attributes.items())),
        "tokens": [tokens.input, tokens.input_evidence, tokens.output, tokens.output_evidence],
        "status": [result.status, result.status_message],
        "unmapped": sorted(result.unmapped_keys),
        "deprecated": sorted(result.deprecated_keys),
        "rejected": sorted(result.rejected_keys),
        "truncated": sorted(result.truncated),
    }


def _attributes(pairs: list[dict[str, Any]]) -> dict[str, Any]:
    return {pair["key"]: _value(pair.get("value", {})) for pair in pairs}


def _value(any_value: dict[str, Any]) -> Any:
    match any_value:
        case {"intValue": digits}:
            return int(digits)
        case {"arrayValue": held}:
            return [_value(item) for item in held.get("values", [])]
        case {"kvlistValue": held}:
            return _attributes(held.get("values", []))
        case _:
            return next(iter(any_value.values()), None)
