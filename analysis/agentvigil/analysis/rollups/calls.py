"""What a call is and what is summed of calls, for everything that sums them: the texts of ``calls.sql``.

``steps_…`` are sums of rows of agent_steps, ``hours_…`` the same of rows of agent_step_hours.
"""

import re
from enum import StrEnum
from typing import Final

from agentvigil.storage.named_queries import load_queries

CALLS: Final = load_queries("agentvigil.analysis.rollups", "calls.sql")

_QUANTILES: Final = re.compile(r"^quantiles\w+(\([^()]*\))", re.MULTILINE)
"""How a sum begins that can not be added up: states of it are put together."""


class Quantiles(StrEnum):
    """What quantiles are computed from: every value, or a sketch of a few kilobytes."""

    EXACT = "quantilesExactInclusive"
    SKETCHED = "quantilesTDigest"


def part(sum_of_rows: str, quantiles: Quantiles) -> str:
    """Return the expression for what :func:`whole` makes ``sum_of_rows`` of."""
    return _QUANTILES.sub(rf"{quantiles}State\1", sum_of_rows)


def whole(sum_of_rows: str, column: str, quantiles: Quantiles) -> str:
    """Return the expression for what ``sum_of_rows`` is of all rows of which ``column`` has parts."""
    found = _QUANTILES.search(sum_of_rows)
    return f"{quantiles}Merge{found[1]}({column})" if found else f"sum({column})"
