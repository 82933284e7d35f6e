"""Dashboards and alert rules, asked as Grafana's ClickHouse datasource asks, of what the demo's fleet sent."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
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
RULES: Final = yaml.safe_load((GRAFANA / "provisioning/alerting/agentvigil.yaml").read_text())["groups"][0]["rules"]
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
def all_shown() -> Shown:
    """Nothing is chosen, as when a dashboard is opened first."""
    end = datetime.now(UTC) + timedelta(minutes=1)
    return Shown(end - timedelta(days=DAYS + 1), end, step_s=6 * 3600)


@pytest.fixture(scope="module")
def shown(all_shown: Shown, gateway: SqlGateway) -> Shown:
    """Every value that there is was chosen by hand, in each variable: conditions are all there, and all hold."""
    chosen = {
        name.partition(": ")[2]: [row["value"] for row in ask(gateway, all_shown.sent(sql))]
        for name, sql in VARIABLES.items()
    }
    assert set(chosen) == {"project", "environment", "agent", "version", "model"}
    return replace(all_shown, chosen=chosen)


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


def test_lists_of_values_are_of_texts_and_depend_on_what_is_chosen(gateway: SqlGateway, all_shown: Shown) -> None:
    def values(board: str, variable: str, **chosen: list[str]) -> list[str]:
        rows = ask(gateway, replace(all_shown, chosen=chosen).sent(VARIABLES[f"{board}: {variable}"]))
        assert list(rows.types) == ["value"]
        assert TEXTS.match(rows.types["value"])
        return [row["value"] for row in rows]

    assert values("agentvigil-agent", "project") == ["default"]
    assert values("agentvigil-agent", "environment") == ["production", "staging"]
    assert {"concierge", "support-agent"} <= set(values("agentvigil-agent", "agent", project=["default"]))
    assert values("agentvigil-agent", "agent", project=["another"]) == []
    assert values("agentvigil-agent", "version", agent=["support-agent"]) == ["1.4", "1.3"]
    assert {"mistral-small-2603", "gpt-4.1-mini-2025-04-14"} <= set(values("agentvigil-cost", "model"))


@pytest.mark.parametrize("name", sorted({name.partition(": ")[2] for name in MARKS}))
def test_marks_have_a_time_a_text_and_tags(name: str, gateway: SqlGateway, all_shown: Shown) -> None:
    (sql,) = {sql for mark, sql in MARKS.items() if mark.endswith(f": {name}")}
    rows = ask(gateway, all_shown.sent(sql))

    assert list(rows.types) == ["time", "text", "tags"]
    assert TIMES.match(rows.types["time"])
    assert [TEXTS.match(rows.types[column]) is not None for column in ("text", "tags")] == [True, True]
    if name == "Versions":
        assert [row["text"] for row in rows] == ["support-agent runs in version 1.4"]
    else:
        assert any("handbook-agent" in row["text"] for row in rows)


def test_what_is_chosen_is_all_that_is_shown(gateway: SqlGateway, all_shown: Shown) -> None:
    sql = sql_of(PANELS["agentvigil-overview: Agents"])
    everybody = {row["agent"]: row["runs"] for row in ask(gateway, all_shown.sent(sql))}
    two = replace(all_shown, chosen={"agent": ["concierge", "classifier"], "project": ["default"]})

    assert {row["agent"]: row["runs"] for row in ask(gateway, two.sent(sql))} == {
        agent: runs for agent, runs in everybody.items() if agent in two.chosen["agent"]
    }


@pytest.mark.parametrize(
    "name", ["x' OR 1=1 --", "x\\' OR 1=1 --", "x\\", "x')) OR 1=1", "$__timeFilter(x)", "${api}", "名"]
)
def test_a_name_is_never_sql(name: str, gateway: SqlGateway, all_shown: Shown) -> None:
    """Names of agents come from spans, and a link in a table chooses one."""
    hostile = replace(all_shown, chosen={"agent": [name], "project": ["default"]})
    (row,) = ask(gateway, hostile.sent(sql_of(PANELS["agentvigil-overview: Runs"])))
    assert row["runs"] in (0, "0")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["uid"]))
def test_alert_rules_ask_for_one_number_for_each_set_of_labels(
    rule: dict[str, Any], gateway: SqlGateway, all_shown: Shown
) -> None:
    query = rule["data"][0]
    # The fleet's last hour, as if it were the one that the rule looks at.
    start = all_shown.end - timedelta(seconds=query["relativeTimeRange"]["from"])
    rows = ask(gateway, Shown(start, all_shown.end).sent_by_back_end(query["model"]["rawSql"]))

    *labels, value = rows.types
    assert value == "value"
    assert rows.types["value"].startswith("Float64")
    assert all(TEXTS.match(rows.types[label]) for label in labels)
    assert len({tuple(row[label] for label in labels) for row in rows}) == len(rows) > 0
    named = set(re.findall(r"\.Labels\.(\w+)", rule["annotations"]["summary"]))
    assert named <= set(labels)
