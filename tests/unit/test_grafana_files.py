"""What is committed in grafana/: made by its code, whole, and leading where something is."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

import jsonschema
import pytest
import yaml

import agentvigil_grafana.__main__ as generation
from agentvigil_grafana.links import trace_sql
from agentvigil_grafana.statements import statements

GRAFANA: Final = Path(__file__).parents[2] / "grafana"
BOARDS: Final = {path.stem: json.loads(path.read_text()) for path in sorted((GRAFANA / "dashboards").glob("*.json"))}
PLUGIN: Final = "grafana-clickhouse-datasource"
SCHEMAS: Final = json.loads((Path(__file__).parent / "grafana_schemas.json").read_text())


def variables_of(board: dict[str, Any]) -> list[dict[str, Any]]:
    return list(board["templating"]["list"])


def links_in(value: Any) -> Iterator[str]:
    """Yield every URL that stands anywhere in ``value``."""
    if isinstance(value, dict):
        if isinstance(value.get("url"), str):
            yield value["url"]
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from links_in(each)


def test_what_is_committed_is_what_the_code_makes(capsys: pytest.CaptureFixture[str]) -> None:
    """Run ``make grafana`` after a change of it."""
    assert generation.main(["--check"]) == 0, capsys.readouterr().err


def test_a_file_that_says_something_else_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(generation, "GRAFANA", tmp_path)
    assert generation.main(["--check"]) == 1
    assert generation.main([]) == 0
    assert generation.main(["--check"]) == 0
    (tmp_path / "dashboards" / "agentvigil-gone.json").write_text("{}")
    assert generation.main(["--check"]) == 1


def test_there_are_nine_dashboards_each_with_a_uid_of_its_own() -> None:
    assert len(BOARDS) == 9
    assert [board["uid"] for board in BOARDS.values()] == list(BOARDS)
    assert len({board["title"] for board in BOARDS.values()}) == 9


@pytest.mark.parametrize("name", BOARDS)
def test_each_panel_says_what_it_is_in_which_unit_and_when_it_has_nothing(name: str) -> None:
    panels = BOARDS[name]["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        defaults = panel["fieldConfig"]["defaults"]
        assert panel["description"].endswith("."), panel["title"]
        assert defaults["unit"], panel["title"]
        assert defaults["noValue"], panel["title"]
        assert defaults["thresholds"]["steps"], panel["title"]


@pytest.mark.parametrize("name", BOARDS)
def test_panels_fill_their_rows_and_none_lies_over_another(name: str) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in BOARDS[name]["panels"]:
        place = panel["gridPos"]
        cells = {(x + place["x"], y + place["y"]) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells


@pytest.mark.parametrize("name", BOARDS)
def test_each_variable_is_used_and_each_that_is_used_is_there(name: str) -> None:
    board = BOARDS[name]
    known = {variable["name"] for variable in variables_of(board)}
    # What panels and marks use; that a variable's list depends on another makes neither used.
    used = set(re.findall(r"\$\{?(?!_)(\w+)", json.dumps([board["panels"], board["annotations"].get("list")])))
    assert used == known
    for variable in variables_of(board):
        asked = set(re.findall(r"\$\{?(?!_)(\w+)", json.dumps(variable.get("query", ""))))
        assert asked <= known - {variable["name"]}


@pytest.mark.parametrize("name", BOARDS)
def test_everything_is_read_from_the_datasource_that_is_chosen(name: str) -> None:
    board = BOARDS[name]
    chosen = {"type": PLUGIN, "uid": "${datasource}"}
    queries = [target for panel in board["panels"] for target in panel["targets"]]
    queries += [mark["target"] for mark in board["annotations"].get("list", ())]
    places = [*board["panels"], *queries, *(each for each in variables_of(board) if each["type"] == "query")]
    assert all(place["datasource"] == chosen for place in places)
    assert variables_of(board)[0]["type"] == "datasource"
    for query in queries:
        assert (query["editorType"], query["format"]) in {("sql", 0), ("sql", 1)}


@pytest.mark.parametrize("name", BOARDS)
def test_links_lead_to_dashboards_to_the_api_and_to_explore(name: str) -> None:
    for url in set(links_in(BOARDS[name]["panels"])):
        where = urlsplit(url.replace("${api}", "http://api"))
        if where.path.startswith("/d/"):
            other = BOARDS[where.path.removeprefix("/d/")]
            asked = set(re.findall(r"var-(\w+)=|\$\{(\w+):queryparam\}", where.query))
            assert {one or two for one, two in asked} <= {variable["name"] for variable in variables_of(other)}
        elif where.netloc == "api":
            assert re.fullmatch(
                r"/v1/(runs/\$\{__data\.fields\.run|findings/\$\{__data\.fields\.finding)\}", where.path
            )
        else:
            assert where.path == "/explore"
            ((pane,),) = (json.loads(parse_qs(where.query)["panes"][0]).values(),)
            (query,) = pane["queries"]
            assert query["rawSql"] == trace_sql("${__data.fields.trace}")
            assert query["datasource"] == {"type": PLUGIN, "uid": "${datasource}"}
            assert "%24" not in unquote(url), "Grafana replaces what it can see"


@pytest.mark.parametrize(
    "board", sorted({path.stem for path in GRAFANA.glob("agentvigil_grafana/queries/*.sql")} - {"parts"})
)
def test_each_statement_is_used(board: str) -> None:
    """One that no panel shows is one that nobody notices when it breaks."""
    everything = json.dumps([*BOARDS.values(), generation.alerts.provisioning()])
    unused = {
        name for name, statement in statements(board).items() if json.dumps(statement.sql)[1:-1] not in everything
    }
    assert unused == set()


def test_the_page_about_it_names_every_dashboard_and_alert_rule() -> None:
    page = (GRAFANA.parent / "docs" / "grafana.md").read_text()
    (group,) = generation.alerts.provisioning()["groups"]
    for title in (board["title"].removeprefix("AgentVigil: ") for board in BOARDS.values()):
        assert f"| {title} |" in page
    for rule in group["rules"]:
        assert f"| {rule['title']} |" in page


# --- provisioning


@pytest.mark.parametrize("kind", ["datasources", "dashboards", "alerting"])
def test_provisioning_says_what_grafana_reads(kind: str) -> None:
    """Grafana passes over keys that it does not know, so that a misspelt one is found out in production."""
    said = yaml.safe_load((GRAFANA / "provisioning" / kind / "agentvigil.yaml").read_text())
    jsonschema.validate(said, SCHEMAS[kind])


def test_the_key_and_the_folder_are_variables_of_the_environment() -> None:
    """A file that everybody reads holds no secret."""
    datasources = yaml.safe_load((GRAFANA / "provisioning/datasources/agentvigil.yaml").read_text())["datasources"]
    providers = yaml.safe_load((GRAFANA / "provisioning/dashboards/agentvigil.yaml").read_text())["providers"]
    assert [each["secureJsonData"] for each in datasources] == [{"password": "$AGENTVIGIL_KEY"}]
    assert [each["options"]["path"] for each in providers] == ["$AGENTVIGIL_DASHBOARDS"]


def test_alert_rules_are_of_the_provisioned_datasource_and_show_panels_that_are_there() -> None:
    (datasource,) = yaml.safe_load((GRAFANA / "provisioning/datasources/agentvigil.yaml").read_text())["datasources"]
    (group,) = yaml.safe_load((GRAFANA / "provisioning/alerting/agentvigil.yaml").read_text())["groups"]
    rules = group["rules"]
    assert len({rule["uid"] for rule in rules}) == len(rules) == 6
    for rule in rules:
        query, threshold = rule["data"]
        assert query["datasourceUid"] == query["model"]["datasource"]["uid"] == datasource["uid"]
        assert threshold["refId"] == rule["condition"]
        assert threshold["model"]["expression"] == query["refId"]
        board = BOARDS[rule["annotations"]["__dashboardUid__"]]
        assert int(rule["annotations"]["__panelId__"]) in {panel["id"] for panel in board["panels"]}
        # Of a text, Grafana replaces $NAME by the environment everywhere but in the query.
        assert "$" not in json.dumps([rule["annotations"], rule["labels"], rule["title"]])
