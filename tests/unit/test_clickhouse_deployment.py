"""What is shipped for a ClickHouse server: its users, its configuration, and the schema of a cluster."""

import re
import shlex
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

import click
import pytest
from click.testing import CliRunner

from agentvigil.cli.commands import agentvigil
from agentvigil.receiver.otlp import OTLP_SIGNALS
from agentvigil.storage.cluster import ClusterSchema
from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.migrations import RECORD_TABLE, all_migrations
from agentvigil.storage.rendering import render
from agentvigil.storage.sharding import SHARDING_KEYS
from agentvigil.storage.store import PRIVATE_TABLES
from deployed_users import DEPLOYED, may, statements

OUTLINE: Final = Path(__file__).parents[1] / "testdata" / "cluster_schema.txt"
HIDDEN: Final = PRIVATE_TABLES | {
    "agentvigil_alert_rules",
    "agentvigil_migrations",
    "agentvigil_recosted_traces",
    "agentvigil_saved_queries",
    "settling_state",
}
"""What nobody but the server needs to read."""


@pytest.fixture(scope="module")
def cluster() -> list[str]:
    return list(ClusterSchema("main", "agentvigil", "USER 'agentvigil_admin' PASSWORD 'it\\'s'").statements())


def outline(statements: list[str]) -> str:
    """Of each statement its first line, up to a hundred characters, and its engine with all that belongs to it."""
    lines = []
    for statement in statements:
        lines.append(statement.split("\n", 1)[0][:100])
        engine = re.search(r"^ENGINE = [^\n]*", statement, re.MULTILINE)
        lines += [f"    {engine[0]}"] if engine else []
    return "\n".join(lines) + "\n"


# --- the schema of a cluster


def test_its_outline_is_the_one_that_was_thought_about(cluster: list[str]) -> None:
    """A new table must be looked at: is it sharded, and by what? Then write the new outline to the file."""
    assert outline(cluster) == OUTLINE.read_text(encoding="utf-8")


def test_the_engine_understands_every_statement(cluster: list[str], servers_store: EmbeddedStore) -> None:
    for statement in cluster:
        (printed,), *_ = servers_store.rows("SELECT formatQuerySingleLine({text:String})", {"text": statement})
        assert str(printed).split()[0] in ("CREATE", "ALTER", "INSERT", "USE"), statement[:80]


def test_without_what_makes_it_a_clusters_it_is_the_schema_of_a_server() -> None:
    """Nothing is lost or changed on the way, of any migration."""
    schema = ClusterSchema("main", "agentvigil")
    for sql in (RECORD_TABLE, *(render(one.sql) for one in all_migrations() if one.home != "embedded")):
        own = [one for one in schema.of(sql) if "\nENGINE = Distributed(" not in one]
        (text,) = (re.sub(r" ON CLUSTER `main`", "", one) for one in own)
        text = re.sub(r"(\w+)_local\b", lambda name: name[1] if name[1] in SHARDING_KEYS else name[0], text)
        text = re.sub(r"ENGINE = Replicated(\w*)MergeTree\('[^']*', '[^']*'(?:, )?", r"ENGINE = \1MergeTree(", text)
        text = re.sub(r",? ?(?:\nSETTINGS )?replicated_deduplication_window = 0$", "", text).replace(
            "MergeTree()", "MergeTree"
        )
        assert text == re.sub(r"\A(?:\s*--[^\n]*\n)+", "", sql).strip()


def test_rows_that_replace_each_other_meet_on_one_shard(servers_store: EmbeddedStore) -> None:
    """So what decides the shard is part of what makes two rows one."""
    for table, key in SHARDING_KEYS.items():
        ((engine, sorting_key),) = servers_store.rows(
            "SELECT engine, sorting_key FROM system.tables "
            "WHERE database = currentDatabase() AND name = {table:String}",
            {"table": table},
        )
        if engine == "MergeTree":
            continue
        columns = set(re.findall(r"\b[A-Z]\w*", key))
        # The id of a run begins with that of its trace.
        identity = set(re.findall(r"\w+", sorting_key)) | ({"TraceId"} if "RunId" in sorting_key else set())
        assert columns <= identity, table


def test_a_statement_that_no_rule_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="no rule says"):
        list(ClusterSchema("main", "agentvigil").of("DROP TABLE agent_runs"))


def test_it_is_printed_without_a_server_and_the_same_each_time(cluster: list[str]) -> None:
    asked = ["migrate", "--cluster", "main", "--print", "--clickhouse"]
    url = "http://agentvigil_admin:it%27s@nowhere.invalid:8123/agentvigil"
    whole = CliRunner().invoke(agentvigil, [*asked, url])
    assert (whole.exit_code, whole.output) == (0, "".join(f"{statement};\n\n" for statement in cluster))

    newest = all_migrations()[-1]
    rest = CliRunner().invoke(agentvigil, [*asked, url, "--after", str(newest.version - 1)]).output
    assert rest.count("ON CLUSTER") == 2 + len([*ClusterSchema("main", "agentvigil").of(render(newest.sql))])
    assert f"({newest.version}, '{newest.name}'" in rest


@pytest.mark.parametrize("arguments", [["--cluster", "main"], ["--print"], ["--after", "3"]])
def test_half_of_what_it_takes_is_told(arguments: list[str]) -> None:
    result = CliRunner().invoke(agentvigil, ["migrate", *arguments])
    assert result.exit_code == 2
    assert "go together" in result.output


# --- users


def test_the_engine_understands_all_that_makes_users(servers_store: EmbeddedStore) -> None:
    for statement in statements():
        (printed,), *_ = servers_store.rows("SELECT formatQuerySingleLine({text:String})", {"text": statement})
        assert str(printed).startswith(("CREATE DATABASE", "CREATE USER IF NOT EXISTS", "GRANT "))


def test_readers_see_everything_but_what_is_the_servers_own(servers_store: EmbeddedStore) -> None:
    tables = {
        str(name)
        for (name,) in servers_store.rows(
            "SELECT name FROM system.tables WHERE database = currentDatabase() "
            "AND engine NOT IN ('Null', 'MaterializedView', 'Dictionary')"
        )
    }
    seen = {table for table in tables | PRIVATE_TABLES if may("agentvigil_read", "SELECT", table)}
    assert tables - seen == HIDDEN & tables
    assert not seen & PRIVATE_TABLES
    assert not any(may("agentvigil_read", right, table) for right in ("INSERT", "ALTER") for table in tables)


def test_receivers_may_write_where_otlp_arrives_and_take_their_requests_back() -> None:
    for otlp in OTLP_SIGNALS:
        for destination in otlp.signal.destinations:
            assert may("agentvigil_ingest", "INSERT", destination.arrival)
            for right in ("SELECT", "ALTER DELETE"):
                assert may("agentvigil_ingest", right, destination.table)
    for table in ("agent_runs", "findings", "agentvigil_keys", "agentvigil_projects"):
        assert not may("agentvigil_ingest", "INSERT", table)


# --- the page that says how


def test_every_command_of_the_page_is_one_that_there_is() -> None:
    page = (DEPLOYED.parents[1] / "docs" / "clickhouse.md").read_text(encoding="utf-8")
    blocks = "\n".join(re.findall(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL)).replace("\\\n", " ")
    lines = [shlex.split(line, comments=True) for line in blocks.splitlines()]
    commands = [line[line.index("agentvigil") + 1 :] for line in lines if "agentvigil" in line]
    assert {"migrate", "keys", "receiver", "api", "analyze", "doctor"} <= {command[0] for command in commands}
    for name, *arguments in commands:
        words = arguments[: next((at for at, word in enumerate(arguments) if word in ("|", ">", "&")), None)]
        command = agentvigil.get_command(click.Context(agentvigil), name)
        while isinstance(command, click.Group):
            command, words = command.commands[words[0]], words[1:]
        assert command is not None, name
        command.make_context(name, words)
    for path in re.findall(r"deploy/clickhouse/[\w./]+\w", page):
        assert (DEPLOYED.parents[1] / path).exists(), path


# --- configuration


def test_a_servers_logs_about_itself_are_off_but_the_queries_of_a_week() -> None:
    root = ET.parse(DEPLOYED / "config.d" / "agentvigil.xml").getroot()
    logs = {log.tag: log for log in root}
    kept = logs.pop("query_log")
    assert kept.findtext("ttl") == "event_date + INTERVAL 7 DAY DELETE"
    assert {
        "metric_log",
        "asynchronous_metric_log",
        "trace_log",
        "text_log",
        "part_log",
        "processors_profile_log",
    } <= set(logs)
    assert {log.get("remove") for log in logs.values()} == {"1"}


def test_the_example_of_a_cluster_has_what_the_schema_names() -> None:
    root = ET.parse(DEPLOYED / "cluster" / "cluster.xml").getroot()
    assert {macro.tag for macro in root.iterfind("macros/*")} == {"shard", "replica"}
    shards = root.findall("remote_servers/main/shard")
    assert [shard.findtext("internal_replication") for shard in shards] == ["true"] * len(shards)
    assert root.find("remote_servers/main/secret") is not None
