"""The statements about prices, with the list cost expression filled in where they name it."""

import re
from typing import Final

from agentvigil.storage.named_queries import load_queries


def _statements() -> dict[str, str]:
    parts = load_queries("agentvigil.storage.prices", "list_cost.sql")
    statements = load_queries("agentvigil.storage.prices", "prices.sql")
    texts = {name: re.sub(r"\A(?:--.*\n)+", "", sql) for name, sql in {**statements, **parts}.items()}
    return {
        name: re.sub(r"\{\{(\w+)\}\}", lambda match: texts.get(match[1], match[0]), sql) for name, sql in texts.items()
    }


STATEMENTS: Final = _statements()
"""Statements and parts by name."""
