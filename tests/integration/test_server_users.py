"""What a ClickHouse server is told about a user who sees one project.

The engine of the tests keeps no users, so it can not run these statements: it says that it understands them.
"""

import hashlib
import re

import pytest
from click.testing import CliRunner

from agentvigil.cli.commands import agentvigil
from agentvigil.storage.access import LabelInvalid
from agentvigil.storage.access.server_users import user_statements
from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.store import PRIVATE_TABLES


def test_the_engine_understands_every_statement(servers_store: EmbeddedStore) -> None:
    for statement in user_statements(servers_store, "a:b/c.d@e-f", "shop_grafana", "it's"):
        (printed,), *_ = servers_store.rows("SELECT formatQuerySingleLine({text:String})", {"text": statement})
        assert str(printed).startswith(("CREATE USER IF NOT EXISTS", "CREATE ROW POLICY OR REPLACE", "GRANT SELECT ON"))


def test_every_right_to_a_table_has_a_policy_before_it(servers_store: EmbeddedStore) -> None:
    """A right without one would show every project."""
    statements = user_statements(servers_store, "shop", "reader", "secret")
    engines = dict(servers_store.rows("SELECT name, engine FROM system.tables WHERE database = currentDatabase()"))
    with_project = {
        table
        for (table,) in servers_store.rows(
            "SELECT table FROM system.columns WHERE database = currentDatabase() AND name = 'Project'"
        )
    }
    guarded: set[str] = set()
    granted: set[str] = set()
    for statement in statements[1:]:
        place = re.search(rf"ON `{servers_store.database}`\.`(\w+)`", statement)
        assert place is not None, statement
        if statement.startswith("CREATE ROW POLICY"):
            assert "USING Project = 'shop' AS PERMISSIVE TO `reader`" in statement
            guarded.add(place[1])
        else:
            assert place[1] in guarded or engines[place[1]] == "View", statement
            granted.add(place[1])

    assert {"otel_traces", "otel_logs", "agent_runs", "agent_steps", "agent_sessions", "agent_failures"} <= granted
    assert granted <= with_project - PRIVATE_TABLES
    assert not {"otel_traces_trace_id_ts", "span_content", "agentvigil_prices"} & granted


def test_a_view_reads_only_what_is_granted_too(servers_store: EmbeddedStore) -> None:
    """It runs as whoever asks, so that the policies on the tables hold inside of it."""
    statements = user_statements(servers_store, "shop", "reader", "secret")
    granted = {match[1] for s in statements if (match := re.match(r"GRANT SELECT ON `\w+`\.`(\w+)`", s))}
    views = servers_store.rows(
        "SELECT name, create_table_query FROM system.tables "
        "WHERE database = currentDatabase() AND engine = 'View' AND name IN {names:Array(String)}",
        {"names": sorted(granted)},
    )
    assert views
    for name, definition in views:
        assert "SQL SECURITY" not in definition
        assert "dictGet" not in definition
        read = set(re.findall(rf"(?:FROM|JOIN) `?{servers_store.database}`?\.`?(\w+)", definition))
        assert read, name
        assert read <= granted, name


def test_no_statement_holds_the_password(servers_store: EmbeddedStore) -> None:
    text = "\n".join(user_statements(servers_store, "shop", "reader", "hunter2"))

    assert "hunter2" not in text
    assert hashlib.sha256(b"hunter2").hexdigest() in text


@pytest.mark.parametrize(("project", "user"), [("a'b", "u"), ("a", "u`; DROP USER x"), ("", "u"), ("a", "")])
def test_names_that_are_no_labels_never_reach_a_statement(
    servers_store: EmbeddedStore, project: str, user: str
) -> None:
    with pytest.raises(LabelInvalid):
        user_statements(servers_store, project, user, "secret")


def test_an_embedded_store_has_no_users() -> None:
    result = CliRunner().invoke(
        agentvigil, ["projects", "grant", "shop", "--user", "u"], env={"AGENTVIGIL_CLICKHOUSE": ""}
    )

    assert result.exit_code == 2
    assert "keys create --project shop" in result.output
