"""What Grafana's ClickHouse datasource makes of a query before it sends it, and of the rows that come back.

After grafana/clickhouse-datasource 4.20.0: its front end replaces $__conditionalAll and variables, its back end the
other macros. Formats of values are those of Grafana 11.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

ALL: Final = ("$__all",)


@dataclass(frozen=True)
class Shown:
    """What is shown: a range of time, how wide a step in it is, and what was chosen, by the names of variables."""

    start: datetime
    end: datetime
    step_s: int = 3600
    chosen: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def sent(self, sql: str) -> str:
        """Return what the datasource sends for the query of a panel."""
        return self.sent_by_back_end(_VARIABLE.sub(self._value, self._without_conditions(sql)))

    def sent_by_back_end(self, sql: str) -> str:
        """Return what it sends for that of an alert rule, which no front end ever sees."""
        sql = _COMMENT.sub(lambda match: match[1] or "", sql)
        while found := re.search(r"\$__(\w+)", sql):
            arguments, end = _arguments(sql, found.end()) if sql[found.end() :].startswith("(") else ([], found.end())
            sql = sql[: found.start()] + self._macros()[found[1]](*arguments) + sql[end:]
        return sql

    def _without_conditions(self, sql: str) -> str:
        macro = "$__conditionalAll("
        while (at := sql.rfind(macro)) >= 0:
            (condition, variable), end = _arguments(sql, at + len(macro) - 1)
            name = _VARIABLE.search(variable)
            assert name is not None
            chosen = self.chosen.get(name["braced"] or name["plain"], ALL)
            sql = sql[:at] + ("1=1" if tuple(chosen) in (ALL, ()) else condition) + sql[end:]
        return sql

    def _value(self, match: re.Match[str]) -> str:
        name = match["braced"] or match["plain"]
        values = self.chosen[name]
        if match["format"] == "percentencode":
            return quote("{" + ",".join(values) + "}", safe="-_.~")
        assert match["format"] is None, match["format"]
        return "'" + "','".join(values) + "'"

    def _macros(self) -> Mapping[str, Callable[..., str]]:
        first, last = int(self.start.timestamp()), int(self.end.timestamp())
        first_day, last_day = (time.astimezone(UTC).strftime("%Y-%m-%d") for time in (self.start, self.end))
        return {
            "fromTime": lambda: f"toDateTime({first})",
            "toTime": lambda: f"toDateTime({last})",
            "interval_s": lambda: str(self.step_s),
            "timeFilter": lambda of: f"{of} >= toDateTime({first}) AND {of} <= toDateTime({last})",
            "dateFilter": lambda of: f"{of} >= toDate('{first_day}') AND {of} <= toDate('{last_day}')",
            "timeInterval": lambda of: f"toStartOfInterval(toDateTime({of}), INTERVAL {self.step_s} second)",
        }


_COMMENT: Final = re.compile(r"('(?:[^'\\]|\\.)*')|--[^\n]*")
"""Comments are dropped, but not what looks like one in a text."""

_VARIABLE: Final = re.compile(r"\$\{(?P<braced>\w+)(?::(?P<format>\w+))?\}|\$(?P<plain>(?!__)\w+)")


def _arguments(sql: str, at: int) -> tuple[list[str], int]:
    """Return what stands between the bracket at ``at`` and its other half, and where that ends."""
    depth, begin, found = 0, at + 1, []
    for match in re.compile(r"[(),]").finditer(sql, at):
        depth += {"(": 1, ")": -1, ",": 0}[match[0]]
        if (match[0] == "," and depth == 1) or depth == 0:
            found.append(sql[begin : match.start()].strip())
            begin = match.end()
        if depth == 0:
            return found, match.end()
    raise ValueError(f"a bracket is open in {sql[at : at + 80]!r}")
