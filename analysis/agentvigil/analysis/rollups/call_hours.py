"""Calls of models and tools summed by the hour, into agent_step_hours."""

import re
from typing import Final

from agentvigil.analysis.rollups.calls import CALLS, Quantiles, part
from agentvigil.analysis.rollups.hourly import HourlySums
from agentvigil.storage.named_queries import load_queries


def _load() -> HourlySums:
    texts = {name: part(sql, Quantiles.SKETCHED) for name, sql in CALLS.items()}
    statements = {
        name: re.sub(r"\{\{(\w+)\}\}", lambda match: texts[match[1]], sql)
        for name, sql in load_queries("agentvigil.analysis.rollups", "hours.sql").items()
    }
    return HourlySums("calls", statements["waiting"], statements["sum_hours"], statements["made"])


CALL_HOURS: Final = _load()
"""The statements of ``hours.sql`` with the texts of ``calls.sql`` filled in."""
