"""The table of failure codes in docs/runs.md is what the taxonomy says."""

import os
from pathlib import Path

from agentvigil.semconv import failures

DOCUMENT = Path(__file__).parents[2] / "docs" / "runs.md"
BEGIN, END = (
    "<!-- failure codes -->\n| code | meaning | known by, for example |\n|---|---|---|\n",
    "<!-- end of failure codes -->",
)
REGENERATE = "AGENTVIGIL_REGENERATE"
"""Set this variable to write the table anew; then read the difference."""


def test_the_table_of_failure_codes_is_up_to_date() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    table, after = rest.split(END)
    expected = "".join(map(_row, failures.load().rules))
    if os.environ.get(REGENERATE):
        DOCUMENT.write_text(before + BEGIN + expected + END + after, encoding="utf-8")
    else:
        assert table == expected, f"run it once with {REGENERATE}=1"


def _row(rule: failures.FailureRule) -> str:
    known = [f"`{name}`" for name in (*rule.error_types, *rule.vague_types)[:3]]
    known += [f"HTTP {status}" for status in (*rule.http_statuses, *rule.vague_http_statuses)[:3]]
    known += [f"finish reason `{reason}`" for reason in rule.finish]
    known += ["no documents"] if rule.no_documents else []
    code = f"`{rule.code}`" + (" *soft*" if rule.soft else "")
    return f"| {code} | {rule.meaning} | {', '.join(known) or 'nothing else'} |\n"
