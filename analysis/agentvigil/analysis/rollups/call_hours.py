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
        for name, sql in load_queries("agentvigil.analysis.rollups", "call_hours.sql").items()
    }
    return HourlySums("calls", "agent_step_changes", "agent_step_hours_made", statements["sum_hours"])


CALL_HOURS: Final = _load()
"""The statements of ``call_hours.sql`` with the texts of ``calls.sql`` filled in."""
