"""Puts expressions that build on each other into nested SELECTs, each level a query over the one before."""

import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

Levels: TypeAlias = Sequence[Sequence[str]]
"""Names of parts, level by level: a part needs only those of earlier levels."""


def around(levels: Levels, parts: Mapping[str, str]) -> tuple[str, str]:
    """Return what stands before and behind a source in parentheses, so that its rows have all ``parts`` as columns."""
    before = ""
    for level in levels:
        columns = ",\n".join(f"{parts[name]} AS {name}" for name in level)
        before = f"(\nSELECT *,\n{columns}\nFROM {before}"
    return before, ")" * len(levels)


def part(sql: str) -> str:
    """Return a statement of a file of parts without the sentences about it."""
    return re.sub(r"\A(?:--.*\n)+", "", sql).strip()
