"""The view that tells how each source's keys are read, held against the reference normalizer."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from trace_requests import DAY, NOW, a_request, a_span, admitted, attributes, take

from agentvigil.semconv.reference import normalize
from agentvigil.storage.mapping_sql import counted_as_one
from agentvigil.storage.store import Store
from golden_payloads import all_goldens, message, spans

DIALECTS = Path(__file__).parents[1] / "testdata" / "dialects"


def test_it_says_what_the_reference_says_of_every_recorded_payload(store: Store) -> None:
    """Per scope and dialect: the same keys are unmapped and deprecated, and what a value was read from is said."""
    payloads = [golden.request for golden in all_goldens()]
    payloads += [
        json.loads(path.read_text("utf-8")) for path in DIALECTS.glob("*.json") if ".expected" not in path.name
    ]
    take(store, *(admitted(body) for body in {message(payload).SerializeToString() for payload in payloads}))

    expected: dict[tuple[str, str], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    read: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
    for span in (span for payload in payloads for span in spans(payload)):
        result = normalize(span)
        source = (span.scope, result.dialect)
        for reading, keys in (("unmapped", result.unmapped_keys), ("deprecated", result.deprecated_keys)):
            expected[source][reading] |= set(map(counted_as_one, keys))
        read[source] |= {(counted_as_one(key), target) for target, key in result.sources.items()}

    stored: dict[tuple[str, str], dict[str, Any]] = defaultdict(dict)
    for scope, dialect, key, reading, targets in store.rows(
        "SELECT ScopeName, Dialect, Key, Reading, Targets FROM mapping_report WHERE Reading != 'withheld'"
    ):
        stored[scope, dialect][key] = (reading, targets)
    assert len(stored) > 30
    for source, keys in stored.items():
        for reading in ("unmapped", "deprecated"):
            assert {key for key, (said, _) in keys.items() if said == reading} == expected[source][reading] & set(
                keys
            ), (source, reading)
        assert [(key, target) for key, target in read[source] if key in keys and target not in keys[key][1]] == []


def test_each_reading(store: Store) -> None:
    sent = {
        "acme.list.7.id": "y",
        "error.message": "no",
        "gen_ai.input.messages": "[]",
        "gen_ai.prompt.0.role": "user",
        "gen_ai.request.model": "m",
        "gen_ai.system": "openai",
        "http.route": "/",
    }
    take(store, admitted(a_request(a_span(1, attributes=attributes(sent)))))

    found = store.rows("SELECT Key, Reading, Targets, Spans FROM mapping_report WHERE Dialect = 'otel-genai'")

    assert {key: (reading, list(targets), spans) for key, reading, targets, spans in found} == {
        "acme.list.N.id": ("unmapped", [], 1),
        "error.message": ("ignored", [], 1),
        "gen_ai.input.messages": ("withheld", [], 1),
        "gen_ai.prompt.N.role": ("read", [], 1),
        "gen_ai.request.model": ("mapped", ["gen_ai.request.model"], 1),
        "gen_ai.system": ("deprecated", ["gen_ai.provider.name"], 1),
        "http.route": ("ignored", [], 1),
    }


def test_a_dialect_that_nobody_knows_is_reported(store: Store) -> None:
    """And a span counts once for keys that differ by a number."""
    sent = {f"llm.input_messages.{number}.message.role": "user" for number in range(5)} | {"acme.key": "x"}
    take(store, admitted(a_request(a_span(1, attributes=attributes(sent)))))

    assert store.rows("SELECT Dialect, Key, Reading, Spans FROM mapping_report ORDER BY Key") == [
        ("unknown", "acme.key", "unmapped", 1),
        ("unknown", "llm.input_messages.N.message.role", "read", 1),
    ]


def test_spans_that_are_not_about_ai_are_left_out(store: Store) -> None:
    take(store, admitted(a_request(a_span(1, attributes=attributes({"acme.key": "x"})))))

    assert store.rows("SELECT Key FROM mapping_report") == []


def test_a_day_is_read_alone(store: Store) -> None:
    """The report of a day must not read the others' partitions."""
    for day in range(3):
        span = a_span(day + 1, start_time_unix_nano=NOW - day * DAY, attributes=attributes({"gen_ai.system": "openai"}))
        take(store, admitted(a_request(span)))

    plan = store.rows(
        "EXPLAIN indexes = 1, json = 1 SELECT * FROM mapping_report WHERE Day = toDate({now:UInt64})",
        {"now": NOW // 10**9},
    )

    parts = [(index["Initial Parts"], index["Selected Parts"]) for index in _indexes(json.loads(plan[0][0]))]
    assert (parts[0][0], parts[-1][1]) == (3, 1)


def _indexes(plan: Any) -> list[dict[str, Any]]:
    """Every description of an index in ``plan``, however deep."""
    if isinstance(plan, list):
        return [index for item in plan for index in _indexes(item)]
    if not isinstance(plan, dict):
        return []
    return plan.get("Indexes", []) + [index for value in plan.values() for index in _indexes(value)]
