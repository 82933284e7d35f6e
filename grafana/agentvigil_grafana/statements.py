"""The dashboards' SQL: named statements, filled with their parts and with the conditions of variables.

A value that somebody chose may be the name of an agent, which comes from spans: from anywhere. So it gets into the SQL
percent-encoded, in which form no character ends a text or begins anything, and ClickHouse decodes it. (Grafana's own
formats for SQL escape quotes and no backslashes, by which ClickHouse escapes as well.) Several values come as {a,b}; a
name with a comma in it can be shown among all others, and not be chosen.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

_QUERIES: Final = Path(__file__).parent / "queries"
_PART: Final = re.compile(r"\{\{(\w+)\}\}")
_CHOSEN: Final = re.compile(r"\{\{chosen (\w+) (in|among) ([^{}]+)\}\}")
_CHOICE: Final = "splitByChar(',', trim(BOTH '{{}}' FROM decodeURLComponent('${{{name}:percentencode}}')))"
_CONDITIONS: Final = {
    "in": "$__conditionalAll(has({choice}, {column}), ${name})",
    "among": "$__conditionalAll(hasAny({choice}, {column}), ${name})",
}


@dataclass(frozen=True, slots=True)
class Statement:
    """A query and the sentence that says what it is."""

    name: str
    sentence: str
    sql: str


@cache
def statements(board: str) -> Mapping[str, Statement]:
    """Return the statements of ``queries/{board}.sql`` by their names, filled.

    Raises:
        KeyError: if one names a part that there is not.
    """
    raw = _split(board)
    # A statement may have the name of a part that it is made of.
    parts = {name: sql for name, (_, sql) in {**raw, **_split("parts")}.items()}
    return {name: Statement(name, sentence, _filled(sql, parts)) for name, (sentence, sql) in raw.items()}


def _split(board: str) -> dict[str, tuple[str, str]]:
    """Return sentence and SQL of what stands in a file, by names."""
    pieces = re.split(r"^-- (\w+) --\n", (_QUERIES / f"{board}.sql").read_text(encoding="utf-8"), flags=re.MULTILINE)
    found = {}
    for name, text in zip(pieces[1::2], pieces[2::2], strict=True):
        lines = text.strip().splitlines()
        said = [line.removeprefix("-- ") for line in lines if line.startswith("-- ")]
        found[name] = (" ".join(said), "\n".join(line for line in lines if not line.startswith("-- ")))
    return found


def _filled(sql: str, parts: Mapping[str, str]) -> str:
    while _PART.search(sql):
        sql = _PART.sub(lambda match: parts[match[1]], sql)
    return _CHOSEN.sub(lambda match: _condition(*match.groups()), sql)


def _condition(name: str, kind: str, column: str) -> str:
    return _CONDITIONS[kind].format(choice=_CHOICE.format(name=name), column=column, name=name)
