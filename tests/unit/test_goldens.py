"""Golden payloads of real libraries: what their spans become, and whether that is what was really spent."""

import json
import os
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple, Self

import pytest

from agentvigil.semconv.reference import normalize

sys.path.insert(0, str(Path(__file__).parents[1]))

from golden_payloads import DIRECTORY, Golden, all_goldens, beside, declared_libraries, message, row, spans

GOLDENS = all_goldens()
DECLARED = declared_libraries()

each_golden = pytest.mark.parametrize("golden", GOLDENS, ids=lambda golden: golden.name)


@each_golden
def test_spans_become_what_is_expected(golden: Golden) -> None:
    """Everything that is said of a span is compared, so that no change to the data goes unseen."""
    rows = [row(span, normalize(span)) for span in spans(golden.request)]
    if os.environ.get("AGENTVIGIL_REGENERATE"):
        content = json.dumps(rows, indent=1, ensure_ascii=False) + "\n"
        beside(golden.path, "expected").write_text(content, encoding="utf-8")
    else:
        assert rows == golden.expected


class Spent(NamedTuple):
    """Tokens of one call. None is not known; a part or an output of nothing is as good as none."""

    model: str
    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    reasoning: int | None = None

    @classmethod
    def of(cls, said: dict[str, Any]) -> Self:
        """From the names that calls and declarations have."""
        parts = {name: said.get(name) or None for name in ("output", "cache_read", "cache_write", "reasoning")}
        return cls(said["model"], input=said.get("input"), **parts)


@each_golden
def test_what_is_billed_is_what_was_spent(golden: Golden) -> None:
    """Against the provider's own list, which no normalizer had a hand in. A library that lies is declared, exactly."""
    table = DECLARED[golden.library].get("misreports", {}).get(golden.scenario)
    spent = Counter(Spent.of(call | {"model": call["request_model"]}) for call in golden.calls)
    told = spent if table is None else Counter(Spent.of(entry) for entry in table["reported"])
    assert table is None or told != spent, "declared to misreport what is right: remove the declaration"

    asked_for = {call["response_model"]: call["request_model"] for call in golden.calls if call["response_model"]}
    billed = Counter()
    for span in spans(golden.request):
        result = normalize(span)
        if result.is_leaf:
            said = result.attributes
            model = str(said.get("gen_ai.request.model") or said.get("gen_ai.response.model") or "")
            usage = {name: said.get(f"gen_ai.usage.{key}") for name, key in USAGE.items()}
            billed[Spent.of(usage | {"model": asked_for.get(model, model)})] += 1

    assert billed == told


USAGE = {
    "input": "input_tokens",
    "output": "output_tokens",
    "cache_read": "cache_read.input_tokens",
    "cache_write": "cache_write.input_tokens",
    "reasoning": "reasoning.output_tokens",
}


@each_golden
def test_a_library_writes_its_dialect(golden: Golden) -> None:
    """Other libraries in the same process may write theirs as well; the declaration names them."""
    others = DECLARED[golden.library].get("other_dialects", [])
    dialects = {normalize(span).dialect for span in spans(golden.request)} - {"", *others}

    assert dialects == {golden.dialect}


@each_golden
def test_every_key_is_understood(golden: Golden) -> None:
    """A key that a real library sends is mapped, or left out with a reason."""
    unmapped = {key for span in spans(golden.request) for key in normalize(span).unmapped_keys}

    assert unmapped == set()


@each_golden
def test_a_payload_is_a_whole_request(golden: Golden) -> None:
    """Valid OTLP with ids as they should be, spans that took time, and nothing of the machine that made it."""
    found = [s for r in message(golden.request).resource_spans for scope in r.scope_spans for s in scope.spans]
    text = golden.path.read_text(encoding="utf-8")

    assert {len(span.trace_id) for span in found} == {16}
    assert {len(span.span_id) for span in found} == {8}
    assert len({(span.trace_id, span.span_id) for span in found}) == len(found)
    assert all(span.end_time_unix_nano > span.start_time_unix_nano for span in found)
    assert re.findall(r"/(?:root|work|tmp|home/(?!user))\b[^\"]*", text) == []


def test_goldens_are_those_that_are_declared() -> None:
    """No library without payloads, no scenario that nobody declared, no file left from an older version."""
    declared = {
        DIRECTORY / table["dialect"] / library / f"{scenario}.traces.json"
        for library, table in DECLARED.items()
        for scenario in table["scenarios"]
    }

    assert {golden.path for golden in GOLDENS} == declared
    assert all(set(table.get("misreports", {})) <= set(table["scenarios"]) for table in DECLARED.values())
