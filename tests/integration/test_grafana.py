"""Dashboards and alert rules, asked as Grafana's ClickHouse datasource asks, of what the demo's fleet sent."""

import json
import re
import threading
import time
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import pytest
import urllib3
import uvicorn
import yaml
from access_by_key import access_by
from clickhouse_connect.driver.ctypes import RespBuffCls
from clickhouse_connect.driver.query import QueryContext, QueryResult
from clickhouse_connect.driver.transform import NativeTransform
from demo_home import DAYS, play
from grafana_plugin import Shown

from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.prices.loading import load_prices
from agentvigil.storage.project_tables import project_tables_of
from agentvigil.storage.sql.clickhouse_http import clickhouse_http_app
from agentvigil.storage.sql.errors import QueryRefused
from agentvigil.storage.sql.gateway import SqlGateway
from agentvigil_grafana.links import trace_sql
from migrated_stores import MigratedStores

KEY: Final = "vgl_test-key"
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
OF_ALL_PROJECTS: Final = {"agentvigil-health: Runs are behind by"}
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
    return Shown(end - timedelta(days=DAYS + 1), end, step_s=3600)


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


def ask(gateway: SqlGateway, sql: str, project: str | None = None) -> Rows:
    """Return what the datasource is answered, with a key of ``project`` or of all projects."""
    assert "$__" not in sql, sql
    answer = json.loads(gateway.execute(sql, default_format="JSON", project=project).body)
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
    # A project's key is the one that may least. What it can not see at all, docs/grafana.md names.
    rows = ask(gateway, shown.sent(sql_of(panel)), None if name in OF_ALL_PROJECTS else "default")

    assert rows, "no rows"
    numbers = [column for column, type_ in rows.types.items() if NUMBERS.match(type_)]
    texts = [column for column, type_ in rows.types.items() if TEXTS.match(type_)]
    readable = [type_ for type_ in rows.types.values() if TIMES.match(type_) or type_ == "Bool"]
    assert len(numbers) + len(texts) + len(readable) == len(rows.types), "no arrays, maps or tuples"
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
    assert set(values("agentvigil-agent", "version", agent=["support-agent"])) == {"1.3", "1.4"}
    assert {"mistral-small-2603", "gpt-4.1-mini-2025-04-14"} <= set(values("agentvigil-cost", "model"))


@pytest.mark.parametrize("name", sorted({name.partition(": ")[2] for name in MARKS}))
def test_marks_have_a_time_a_text_and_tags(name: str, gateway: SqlGateway, all_shown: Shown) -> None:
    (sql,) = {sql for mark, sql in MARKS.items() if mark.endswith(f": {name}")}
    rows = ask(gateway, all_shown.sent(sql))

    assert list(rows.types) == ["time", "text", "tags"]
    assert TIMES.match(rows.types["time"])
    assert [TEXTS.match(rows.types[column]) is not None for column in ("text", "tags")] == [True, True]
    if name == "Versions":
        # The only agent of the fleet that has two; the first version of an agent is no news.
        (row,) = rows
        assert re.fullmatch("support-agent runs in version 1.[34]", row["text"])
    else:
        assert {"concierge is not as it was.", "handbook-agent is not as it was."} <= {row["text"] for row in rows}


@pytest.mark.parametrize("name", OF_ALL_PROJECTS)
def test_what_is_of_all_projects_is_refused_to_the_key_of_one(name: str, gateway: SqlGateway, all_shown: Shown) -> None:
    with pytest.raises(QueryRefused, match="Unknown table"):
        ask(gateway, all_shown.sent(sql_of(PANELS[name])), "default")


def test_the_key_of_another_project_shows_nothing(gateway: SqlGateway, all_shown: Shown) -> None:
    assert ask(gateway, all_shown.sent(sql_of(PANELS["agentvigil-overview: Agents"])), "another") == []
    assert ask(gateway, all_shown.sent(sql_of(PANELS["agentvigil-calls: Tools"])), "another") == []


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


# --- what the datasource asks by itself, over a socket


@dataclass(frozen=True)
class Asked:
    """Asks as clickhouse-go does over HTTP with the datasource's options, and reads its Native blocks."""

    port: int
    database: str

    def bytes_of(self, sql: str) -> bytes:
        settings = {"max_execution_time": "30", "client_protocol_version": "54460", "default_format": "Native"}
        answer = urllib3.request(
            "POST",
            f"http://127.0.0.1:{self.port}/?{urllib.parse.urlencode({'database': self.database, **settings})}",
            body=sql.encode(),
            headers={**urllib3.make_headers(basic_auth=f"grafana:{KEY}"), "Accept-Encoding": "gzip"},
            retries=False,
        )
        assert answer.status == 200, answer.data
        return answer.data

    def rows(self, sql: str) -> list[dict[str, Any]]:
        source = SimpleNamespace(gen=iter([self.bytes_of(sql)]), close=lambda: None, exception_tag=None)
        answer = NativeTransform().parse_response(RespBuffCls(source), QueryContext())
        assert isinstance(answer, QueryResult)
        return list(answer.named_results())


@pytest.fixture(scope="module")
def asked(gateway: SqlGateway) -> Iterator[Asked]:
    """The interface that Grafana connects to, with a key."""
    server = uvicorn.Server(
        uvicorn.Config(clickhouse_http_app(gateway, access_by(KEY)), host="127.0.0.1", port=0, log_config=None)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    yield Asked(server.servers[0].sockets[0].getsockname()[1], gateway.database)
    server.should_exit = True
    thread.join(20)


def test_connecting_and_the_health_check(asked: Asked) -> None:
    hello = asked.bytes_of("SELECT displayName(), version(), revision(), timezone()")
    assert hello.startswith(b"\x01\x00\x02\xff\xff\xff\xff\x00\x04\x01\x0ddisplayName()\x06String\x00\x0aagentvigil")
    assert asked.rows("SELECT 1") == [{"1": 1}]
    # Ad-hoc filters are offered from 22.7 on.
    ((_, version),) = asked.rows("SELECT version()")[0].items()
    assert tuple(map(int, version.split(".")[:2])) >= (22, 7)


def test_browsing_the_schema(asked: Asked) -> None:
    def names(sql: str) -> set[str]:
        return {next(iter(row.values())) for row in asked.rows(sql)}

    database = asked.database
    assert names("SHOW DATABASES") == {database, "system"}
    assert {"agent_runs", "otel_traces", "findings"} <= names(f'SHOW TABLES FROM "{database}"')
    assert {"agent_runs", "otel_traces"} <= names(f"SELECT name FROM system.tables WHERE database = '{database}'")
    for table in ("otel_traces", "otel_logs", "otel_traces_trace_id_ts"):
        columns = asked.rows(f'DESC TABLE "{database}"."{table}"')
        assert [list(column)[:2] for column in columns] == [["name", "type"]] * len(columns)
    assert {"Start", "End", "TraceId"} <= names(f'DESC TABLE "{database}"."otel_traces_trace_id_ts"')
    # By this column the datasource tells which version of the Collector's table it is.
    assert {"Timestamp", "TimestampTime"} <= names(f'DESC TABLE "{database}"."otel_logs"')
    assert {"Body"} <= names(f"SELECT name FROM system.columns WHERE database = '{database}' AND table = 'otel_logs'")
    tags = asked.rows("SELECT name, type, table FROM system.columns")
    assert {"name": "RunName", "type": "LowCardinality(String)", "table": "agent_runs"} in tags
    functions = asked.rows(
        "SELECT name, is_aggregate, case_insensitive, alias_to, origin, description, "
        "syntax, arguments, returned_value, examples, categories FROM system.functions LIMIT 10000"
    )
    assert len(functions) > 1000


def test_keys_and_values_of_maps_and_columns(asked: Asked) -> None:
    table = f'"{asked.database}"."otel_traces"'
    keys = asked.rows(
        f'SELECT DISTINCT arrayJoin(mapKeys("SpanAttributes")) as keys FROM {table} '
        'WHERE "Timestamp" >= now() - INTERVAL 6 HOUR LIMIT 1000'
    )
    assert {"keys": "gen_ai.agent.name"} in keys
    values = asked.rows(
        f"SELECT DISTINCT \"SpanAttributes\"['gen_ai.agent.name'] FROM {table} "
        "WHERE mapContains(\"SpanAttributes\", 'gen_ai.agent.name') LIMIT 1000"
    )
    assert "concierge" in {next(iter(row.values())) for row in values}
    assert {"ServiceName": "concierge"} in asked.rows(f"select distinct ServiceName from {table} limit 1000")


def test_ad_hoc_filters_narrow_a_panel(asked: Asked, all_shown: Shown) -> None:
    sql = all_shown.sent(sql_of(PANELS["agentvigil-overview: Agents"]))
    for table in ("agent_runs", f"{asked.database}.agent_runs"):
        rows = asked.rows(f"{sql} settings additional_table_filters={{'{table}' : ' RunName = \\'concierge\\' '}}")
        assert [row["agent"] for row in rows] == ["concierge"]


def test_a_series_arrives_with_its_types(asked: Asked, all_shown: Shown) -> None:
    (row, *_) = asked.rows(all_shown.sent(sql_of(PANELS["agentvigil-overview: Cost by agent"])))
    assert [type(value) for value in row.values()] == [datetime, str, float]


def test_the_view_of_a_trace(asked: Asked) -> None:
    """What the links of the tables open, and what the datasource makes of a trace id in Explore."""
    (found,) = asked.rows("SELECT any(TraceId) AS id, any(Spans) AS spans FROM agent_runs WHERE Spans > 3 LIMIT 1")
    ours = asked.rows(trace_sql(found["id"]))
    theirs = asked.rows(_trace_view(asked.database, found["id"]))

    assert len(ours) == len(theirs) >= found["spans"]
    for row in (*ours, *theirs):
        assert row["traceID"] == found["id"]
        assert row["duration"] >= 0
        # Milliseconds since 1970.
        assert row["startTime"] / 1000 == pytest.approx(datetime.now(UTC).timestamp(), rel=0.01)
        assert {"key": "service.name", "value": row["serviceName"]} in row["serviceTags"]
    assert [row["spanID"] for row in ours if not row["parentSpanID"]] != []


def _trace_view(database: str, trace_id: str) -> str:
    times = f'"{database}"."otel_traces_trace_id_ts"'
    fields = "arrayMap(key -> map('key', key, 'value', attributes[key]), mapKeys(attributes))"
    return (
        f"WITH '{trace_id}' as __gf_trace_id, "
        f"(SELECT min(Start) FROM {times} WHERE TraceId = __gf_trace_id) as __gf_trace_start, "
        f"(SELECT max(End) + 1 FROM {times} WHERE TraceId = __gf_trace_id) as __gf_trace_end "
        'SELECT "TraceId" as traceID, "SpanId" as spanID, "ParentSpanId" as parentSpanID, '
        '"ServiceName" as serviceName, "SpanName" as operationName, '
        'multiply(toUnixTimestamp64Nano("Timestamp"), 0.000001) as startTime, '
        'multiply("Duration", 0.000001) as duration, '
        "arrayMap(key -> map('key', key, 'value',\"SpanAttributes\"[key]), mapKeys(\"SpanAttributes\")) as tags, "
        "arrayMap(key -> map('key', key, 'value',\"ResourceAttributes\"[key]), mapKeys(\"ResourceAttributes\")) "
        "as serviceTags, if(\"StatusCode\" IN ('Error', 'STATUS_CODE_ERROR'), 2, 0) as statusCode, "
        "arrayMap((name, timestamp, attributes) -> tuple(name, toString(toUnixTimestamp64Milli(timestamp)), "
        f"{fields})::Tuple(name String, timestamp String, fields Array(Map(String, String))), "
        '"Events".Name, "Events".Timestamp, "Events".Attributes) AS logs, '
        f"arrayMap((traceID, spanID, attributes) -> tuple(traceID, spanID, {fields})"
        "::Tuple(traceID String, spanID String, tags Array(Map(String, String))), "
        '"Links".TraceId, "Links".SpanId, "Links".Attributes) AS references, "SpanKind" as kind, '
        '"StatusMessage" as statusMessage, "TraceState" as traceState '
        f'FROM "{database}"."otel_traces" WHERE traceID = __gf_trace_id AND "Timestamp" >= __gf_trace_start '
        'AND "Timestamp" <= __gf_trace_end'
    )


def test_searching_traces(asked: Asked, all_shown: Shown) -> None:
    sql = (
        'SELECT "TraceId" as traceID, "ServiceName" as serviceName, "SpanName" as operationName, '
        '"Timestamp" as startTime, multiply("Duration", 0.000001) as duration '
        f'FROM "{asked.database}"."otel_traces" WHERE ( Timestamp >= $__fromTime AND Timestamp <= $__toTime ) '
        "AND ( ParentSpanId = '' ) AND ( Duration > 0 ) ORDER BY Timestamp DESC, Duration DESC LIMIT 1000"
    )
    rows = asked.rows(all_shown.sent(sql))
    starts = [row["startTime"] for row in rows]
    assert starts == sorted(starts, reverse=True)
    assert {"concierge", "support-agent"} <= {row["serviceName"] for row in rows}


def test_logs_and_how_many_there_are(asked: Asked, all_shown: Shown) -> None:
    """The fleet sends none: what counts is that the answers have their columns."""
    where = f'FROM "{asked.database}"."otel_logs" WHERE ( TimestampTime >= $__fromTime AND TimestampTime <= $__toTime )'
    sql = (
        'SELECT Timestamp as "timestamp", Body as "body", SeverityText as "level", TraceId as "traceID", '
        'ResourceAttributes as "resource_attributes", ScopeAttributes as "scope_attributes", '
        f'LogAttributes as "log_attributes" {where} ORDER BY (TimestampTime, timestamp) DESC LIMIT 1000'
    )
    volume = (
        'SELECT toStartOfInterval("Timestamp", INTERVAL 1 MINUTE) as "time", '
        "sum(multiSearchAny(toString(\"SeverityText\"), ['error','ERROR','Error'])) as error "
        f"{where} GROUP BY time ORDER BY time ASC"
    )
    for query, columns in ((sql, 7), (volume, 2)):
        # A block without rows still says which columns there are.
        assert asked.bytes_of(all_shown.sent(query))[:2] == bytes([columns, 0])
