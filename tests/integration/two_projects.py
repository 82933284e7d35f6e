"""Fills every table that has a column Project with rows of two projects, whatever its other columns are."""

from typing import Final

from agentvigil.storage.store import Store

MINE: Final = "mine"
THEIRS: Final = "theirs"

_SPECIAL: Final = {
    ("agent_steps", "Status"): "'failure'",
    ("agent_runs", "DuplicateOfTraceId"): "''",
    ("otel_logs", "EventName"): "'gen_ai.evaluation.result'",
}
"""What views over a table look for."""


def secret_of(project: str) -> str:
    """What stands in every text of the rows of ``project``."""
    return f"secret-of-{project}"


def fill(store: Store) -> frozenset[str]:
    """Give each table with a column Project a row of each project; return the names of the tables."""
    rows = store.rows(
        "SELECT table, groupArray((name, type)) FROM system.columns "
        "WHERE database = currentDatabase() AND default_kind IN ('', 'DEFAULT') AND position(name, '.') = 0 "
        "AND table IN (SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree') "
        "AND table IN (SELECT table FROM system.columns WHERE database = currentDatabase() AND name = 'Project') "
        "GROUP BY table"
    )
    filled = set()
    for table, columns in rows:
        if str(table).startswith("agentvigil_key") or table == "agentvigil_keys":
            continue
        for project in (MINE, THEIRS):
            values = {name: _value(str(table), name, type_, project) for name, type_ in columns}
            given = {name: value for name, value in values.items() if value is not None}
            names = ", ".join(f"`{name}`" for name in given)
            store.command(f"INSERT INTO {table} ({names}) SELECT {', '.join(given.values())}")
        filled.add(str(table))
    return frozenset(filled)


def _value(table: str, name: str, type_: str, project: str) -> str | None:
    if name == "Project":
        return f"'{project}'"
    if (table, name) in _SPECIAL:
        return _SPECIAL[table, name]
    text, plain = f"'{secret_of(project)}'", type_.replace("LowCardinality(String)", "String")
    if plain.startswith(("DateTime", "Date", "Nullable(DateTime")):
        return "now()"
    return {"String": text, "Array(String)": f"[{text}]", "Map(String, String)": f"map({text}, {text})"}.get(plain)
