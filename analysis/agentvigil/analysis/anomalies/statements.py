"""The statements of this package, with their common texts filled in."""

import re
from typing import Final

from agentvigil.storage.named_queries import load_queries


def _load() -> dict[str, str]:
    package = "agentvigil.analysis.anomalies"
    texts = load_queries(package, "baselines.sql") | load_queries(package, "looking.sql")

    def fill(sql: str) -> str:
        return re.sub(r"\{\{(\w+)\}\}", lambda match: texts[match[1]], sql)

    return {name: fill(fill(sql)) for name, sql in texts.items()}


STATEMENTS: Final = _load()
