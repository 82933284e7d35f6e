"""The dashboards and alert rules of grafana/, asked as Grafana's ClickHouse datasource asks, of what the demo's fleet sent."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from demo_home import DAYS, play
from grafana_plugin import Shown

from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.prices.loading import load_prices
from agentvigil.storage.project_tables import project_tables_of
from agentvigil.storage.sql.gateway import SqlGateway
from migrated_stores import MigratedStores

GRAFANA: Final = Path(__file__).parents[2] / "grafana"
BOARDS: Final = {path.stem: json.loads(path.read_text()) for path in sorted((GRAFANA / "dashboards").glob("*.json"))}
PANELS: Final = {f"{name}: {panel['title']}": panel for name, board in BOARDS.items() for panel in board["panels"]}
VARIABLES: Final = {
    f"{name}: {variable['name']}": variable["query"]
    for name, board in BOARDS.items()
    for variable in board["templating"]["list"]
    if variable["type"] == "query"
}
MARKS: Final = {
    f"{name}: {mark['name']}": mark["target"]["rawSql"]
    for name, board in BOARDS.items()
    for mark in board["annotations"].get("list", ())
    if "target" in mark
}
NUMBERS: Final = re.compile(r"(Nullable\()?(U?Int|Float|Decimal)\d*")
TEXTS: Final = re.compile(r"(LowCardinality\()?(Nullable\()?String")
TIMES: Final = re.compile(r"(Nullable\()?Date")


@pytest.fixture(scope="module")
def home(migrated_stores: MigratedStores) -> Iterator[EmbeddedStore]:
    """The demo's fleet, played once for all tests of this module."""
    with migrated_stores.taken() as store:
        load_prices(store)
        play(store)
        yield store


@pytest.fixture(scope="module")
def gateway(home: EmbeddedStore) -> SqlGateway:
    """The one way in for SQL, as port 8123 has it."""
    return SqlGateway(
        home.open_handle,
        database=home.database,
        allowed_tables=home.readable_tables,
        project_tables=lambda: project_tables_of(home),
    )


@pytest.fixture(scope="module")
def shown() -> Shown:
    end = datetime.now(UTC) + timedelta(minutes=1)
    return Shown(end - timedelta(days=DAYS + 1), end, step_s=6 * 3600)


@pytest.fixture(scope="module")
def one_agent(shown: Shown) -> Shown:
    """The same with something chosen in every variable."""
    chosen = {
        "project": ["default"],
        "environment": ["production"],
        "agent": ["support-agent", "concierge"],
        "version": ["1.3", "1.4", "5.1"],
        "model": ["gpt-4.1-mini", "mistral-small-2603", "mistral-small-2506"],
    }
    return Shown(shown.start, shown.end, shown.step_s, chosen)


class Rows(list[dict[str, Any]]):
    """Rows by the names of their columns, and the ``types`` of these."""

    types: dict[str, str]


def ask(gateway: SqlGateway, sql: str) -> Rows:
    """Return what the datasource is answered."""
    assert "$__" not in sql, sql
    answer = json.loads(gateway.execute(sql, default_format="JSON").body)
    rows = Rows(answer["data"])
    rows.types = {column["name"]: column["type"] for column in answer["meta"]}
    return rows


def sql_of(panel: dict[str, Any]) -> str:
    (target,) = panel["targets"]
    return str(target["rawSql"])


@pytest.mark.parametrize("name", PANELS)
def test_each_panel_shows_something_of_the_demo(name: str, gateway: SqlGateway, shown: Shown) -> None:
    """A panel that is empty for a newcomer is one that nobody ever looks at again."""
    panel = PANELS[name]
    rows = ask(gateway, shown.sent(sql_of(panel)))

    assert rows, "no rows"
    numbers = [column for column, type_ in rows.types.items() if NUMBERS.match(type_)]
    texts = [column for column, type_ in rows.types.items() if TEXTS.match(type_)]
    match panel["type"]:
        case "timeseries":
            first = next(iter(rows.types))
            assert first == "time"
            assert rows.types["time"].startswith("DateTime")
            assert [row["time"] for row in rows] == sorted(row["time"] for row in rows), "long series come in order"
            assert {"time", *numbers, *texts} == rows.types.keys()
            label = panel["fieldConfig"]["defaults"].get("displayName", "")
            assert label == (f"${{__field.labels.{texts[0]}}}" if texts else "")
            assert len(texts) <= 1
            assert len(numbers) == 1 or not texts
            assert len({row["time"] for row in rows}) > 1 or "Findings by kind" in name
        case "stat":
            assert len(rows) == 1
            assert list(rows.types) == numbers
        case "barchart":
            assert list(rows.types) == [*texts, *numbers]
            assert (len(texts), len(numbers)) == (1, 1)
        case "table":
            shown_otherwise = {one["matcher"]["options"] for one in panel["fieldConfig"]["overrides"]}
            assert shown_otherwise <= rows.types.keys()
    assert any(row[column] is not None for row in rows for column in numbers or texts), "nothing but NULL"


@pytest.mark.parametrize("name", PANELS)
def test_each_panel_answers_for_what_is_chosen(name: str, gateway: SqlGateway, one_agent: Shown) -> None:
    ask(gateway, one_agent.sent(sql_of(PANELS[name])))
