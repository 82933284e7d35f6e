"""Next actions: every failure has some, nothing is left to fill in, and the page shows what the data says."""

import os
import re
from itertools import product
from pathlib import Path

import pytest

from agentvigil.analysis.explaining import next_actions_of
from agentvigil.analysis.explaining.next_actions import PLACEHOLDERS, templates
from agentvigil.semconv import failures
from agentvigil.semconv.enums import FailureCode, FailureType

CODES = [rule.code for rule in failures.load().rules]
PAIRS = list(product(FailureType, CODES))

DOCUMENT = Path(__file__).parents[2] / "docs" / "explaining.md"
BEGIN, END = "<!-- next actions -->\n", "<!-- end of next actions -->"
REGENERATE = "AGENTVIGIL_REGENERATE"
"""Set this variable to write the tables anew; then read the difference."""


def test_every_type_and_code_has_some_and_nothing_else_does() -> None:
    assert set(CODES) == set(FailureCode)
    assert {(kind, code) for kind, by_code in templates().items() for code in by_code} == set(PAIRS)


@pytest.mark.parametrize(("kind", "code"), PAIRS)
def test_one_to_three_sentences_in_which_everything_is_filled_in(kind: str, code: str) -> None:
    known = next_actions_of(kind, code, tool="refund", model="gpt-4.1", provider="openai", agent="resolver", attempts=3)
    unknown = next_actions_of(kind, code)
    assert 1 <= len(known) == len(unknown) <= 3
    for text in (*known, *unknown):
        assert not re.search(r"[{}]|=`|[?&]`|``", text)
        assert text[0].isupper()
        assert text[-1] in ".?"
        assert len(text) < 300


def test_no_two_failures_are_answered_alike() -> None:
    sentences = [text for by_code in templates().values() for texts in by_code.values() for text in texts]
    assert len(set(sentences)) == len(sentences)


def test_placeholders_are_known_and_begin_no_sentence() -> None:
    for by_code in templates().values():
        for text in (text for texts in by_code.values() for text in texts):
            assert set(re.findall(r"\{(\w+)\}", text)) <= set(PLACEHOLDERS)
            assert not re.search(r"(^|\. )\{", text)


def test_names_are_quoted_in_sentences_and_encoded_in_addresses() -> None:
    first, second, _ = next_actions_of("model", "rate_limited", model="m`&\nx", provider="openai")
    assert "the limit of openai is per key" in first
    assert "`/v1/runs?failure_code=rate_limited&model=m%60%26%0Ax`" in second
    (_, _, third) = next_actions_of("model", "rate_limited", model="m`&\nx")
    assert 'how many calls of "m\'& x" run at the same time' in third


def test_unknown_names_are_left_out_of_addresses() -> None:
    assert "`/v1/runs?failure_code=rate_limited`" in next_actions_of("model", "rate_limited")[1]
    assert "`/v1/runs?failure_code=rate_limited`" in next_actions_of("model", "rate_limited", model="m" * 200)[1]


def test_attempts_are_counted_in_words() -> None:
    assert "rather than after three attempts" in next_actions_of("tool", "timeout", attempts=3)[1]
    assert "rather than after one attempt." in next_actions_of("tool", "timeout")[1]


def test_codes_and_types_that_somebody_made_up_are_answered_too() -> None:
    assert next_actions_of("tool", "out_of_stock", tool="buy") == next_actions_of("tool", "other", tool="buy")
    assert next_actions_of("weather", "rain") == next_actions_of("orchestration", "other")


def test_the_tables_of_next_actions_are_up_to_date() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    tables, after = rest.split(END)
    expected = "".join(map(_table, FailureType))
    if os.environ.get(REGENERATE):
        DOCUMENT.write_text(before + BEGIN + expected + END + after, encoding="utf-8")
    else:
        assert tables == expected, f"run it once with {REGENERATE}=1"


def _table(kind: FailureType) -> str:
    rows = "".join(f"| `{code}` | {'<br>'.join(templates()[kind][code])} |\n" for code in CODES)
    return f"\n### {kind.capitalize()}\n\n| code | next actions |\n|---|---|\n{rows}"
