"""Whole spans of each dialect, and what they become."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agentvigil.semconv.dialects import load
from agentvigil.semconv.reference import Normalized, Span, SpanEvent, normalize

DIRECTORY = Path(__file__).parents[1] / "testdata" / "dialects"
PAYLOADS = sorted(path for path in DIRECTORY.glob("*.json") if not path.name.endswith(".expected.json"))


def value(any_value: dict[str, Any]) -> Any:
    ((kind, content),) = any_value.items()
    match kind:
        case "intValue":
            return int(content)
        case "arrayValue":
            return [value(item) for item in content["values"]]
        case "kvlistValue":
            return attributes(content["values"])
        case _:
            return content


def attributes(pairs: list[dict[str, Any]]) -> dict[str, Any]:
    return {pair["key"]: value(pair["value"]) for pair in pairs}


def spans(payload: Path) -> Iterator[Span]:
    for of_resource in json.loads(payload.read_text(encoding="utf-8"))["resourceSpans"]:
        for of_scope in of_resource["scopeSpans"]:
            for span in of_scope["spans"]:
                yield Span(
                    attributes=attributes(span["attributes"]),
                    name=span["name"],
                    scope=of_scope["scope"]["name"],
                    resource=attributes(of_resource["resource"]["attributes"]),
                    events=tuple(SpanEvent(e["name"], attributes(e["attributes"])) for e in span.get("events", [])),
                    parent_span_id=span.get("parentSpanId", ""),
                    start_time_unix_nano=int(span["startTimeUnixNano"]),
                    status=("unset", "ok", "error")[span.get("status", {}).get("code", 0)],  # type: ignore[arg-type]
                )


def as_json(result: Normalized) -> dict[str, Any]:
    tokens = result.tokens
    return {
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


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda path: path.stem)
def test_spans_become_what_is_expected(payload: Path) -> None:
    """Everything that is said of a span is compared, so that no change to the data goes unseen."""
    results = [as_json(normalize(span)) for span in spans(payload)]
    expected = payload.with_suffix(".expected.json")
    if os.environ.get("AGENTVIGIL_REGENERATE"):
        expected.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

    assert results == json.loads(expected.read_text(encoding="utf-8"))


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda path: path.stem)
def test_a_payload_is_of_its_dialect(payload: Path) -> None:
    """Detection has to tell them apart by what a whole span carries."""
    assert {normalize(span).dialect for span in spans(payload)} - {""} == {payload.stem}


def test_each_dialect_has_a_payload() -> None:
    """A dialect that nobody wrote a span for is one that nobody looked at."""
    assert {payload.stem for payload in PAYLOADS} == {*load().dialects, "unknown"}
