"""How columns of tables are shown, by the names that the dashboards' SQL gives them.

A name means the same in every table, so its title, unit and link are written once.
"""

import re
from dataclasses import dataclass
from typing import Final

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models.dashboard import DynamicConfigValue

from agentvigil_grafana import links


@dataclass(frozen=True, slots=True)
class _Column:
    unit: str = ""
    width: int = 0
    link: dashboard.DashboardLink | None = None
    title: str = ""
    colors: bool = False


_TIME: Final = _Column("dateTimeAsLocal", 180)
_SHARE: Final = _Column("percentunit", 90)
_USD: Final = _Column("currencyUSD", 110)
_COUNT: Final = _Column("short", 100)
_SECONDS: Final = _Column("s", 100)

_COLUMNS: Final = {
    **dict.fromkeys(["began", "found", "resolved", "at", "last_run", "last_seen", "first_run", "day"], _TIME),
    **dict.fromkeys(["failed", "partial", "models_share", "tools_share", "retrieval_share"], _SHARE),
    **dict.fromkeys(["cost", "cost_per_run", "cost_per_call", "cost_per_day"], _USD),
    **dict.fromkeys(["p50", "p95", "first_chunk", "duration"], _SECONDS),
    **dict.fromkeys(
        [
            *("runs", "failed_runs", "sessions", "versions", "steps", "retries", "failures", "mended", "root_causes"),
            *("calls", "model_calls", "unpriced", "tokens", "input_tokens", "output_tokens"),
            *("spans", "services", "withheld", "rows", "excess"),
        ],
        _COUNT,
    ),
    "bytes": _Column("bytes", 120),
    "agent": _Column(width=180, link=links.to_agent()),
    "run": _Column(width=150, link=links.to_api("runs", "run")),
    "finding": _Column(width=150, link=links.to_api("findings", "finding")),
    "trace": _Column(width=150, link=links.to_explore()),
    "severity": _Column(width=90, colors=True),
    "status": _Column(width=90, colors=True),
    "explanation": _Column(width=600),
}
_COLORS: Final = {
    "critical": "red",
    "major": "orange",
    "minor": "yellow",
    "failure": "red",
    "partial": "orange",
    "success": "green",
    "open": "blue",
}


def overrides(sql: str) -> list[tuple[str, list[DynamicConfigValue]]]:
    """Return what to show otherwise than by default, of the columns that ``sql`` gives names of this vocabulary."""
    named = dict.fromkeys(re.findall(r"\bAS (\w+)", sql))
    return [(name, _properties(name, _COLUMNS[name])) for name in named if name in _COLUMNS]


def _properties(name: str, column: _Column) -> list[DynamicConfigValue]:
    properties: dict[str, object] = {"displayName": column.title or name.replace("_", " ").capitalize()}
    if column.unit:
        properties["unit"] = column.unit
    if column.width:
        properties["custom.width"] = column.width
    if column.link:
        properties["links"] = [column.link.build()]
    if column.colors:
        options = {value: {"color": color, "index": place} for place, (value, color) in enumerate(_COLORS.items())}
        properties["mappings"] = [{"type": "value", "options": options}]
        properties["custom.cellOptions"] = {"type": "color-text"}
    return [DynamicConfigValue(id_val=key, value=value) for key, value in properties.items()]
