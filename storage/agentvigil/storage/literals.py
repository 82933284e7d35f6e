"""Constants of our own as ClickHouse literals, for SQL that is made from the vocabulary's data."""

from collections.abc import Iterable


def quote(text: str) -> str:
    """Return ``text`` as a string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def array(values: Iterable[object]) -> str:
    """Return strings or integers as an array literal."""
    return "[" + ", ".join(quote(value) if isinstance(value, str) else str(value) for value in values) + "]"


def values(texts: Iterable[str]) -> str:
    """Return strings as what may stand behind IN."""
    return "(" + ", ".join(map(quote, texts)) + ")"
