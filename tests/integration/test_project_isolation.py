"""Who is bound to a project sees that project by SQL, and nothing of another, however the query is written."""

from collections.abc import Iterator
from functools import partial

import pytest
from two_projects import MINE, THEIRS, fill, secret_of

from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.project_tables import project_tables_of
from agentvigil.storage.sql.errors import SqlError
from agentvigil.storage.sql.gateway import SqlGateway
from agentvigil.storage.store import PRIVATE_TABLES
from migrated_stores import MigratedStores


@pytest.fixture(scope="module")
def filled(migrated_stores: MigratedStores) -> Iterator[EmbeddedStore]:
    with migrated_stores.taken() as store:
        fill(store)
        yield store


@pytest.fixture(scope="module")
def gateway(filled: EmbeddedStore) -> SqlGateway:
    return SqlGateway(
        filled.open_handle,
        database=filled.database,
        allowed_tables=filled.readable_tables,
        project_tables=partial(project_tables_of, filled),
    )


def answer(gateway: SqlGateway, query: str, project: str | None = MINE, **settings: str) -> str:
    return gateway.execute(query, settings=settings, project=project).body.decode()


def test_every_table_and_view_shows_one_project_or_is_not_there(filled: EmbeddedStore, gateway: SqlGateway) -> None:
    """Of whatever the schema has: a new table or view is tried here without being named."""
    found = project_tables_of(filled)
    for name in sorted(found.filtered | found.through):
        everybody = answer(gateway, f"SELECT * FROM {name}", None)
        assert MINE in everybody or name in found.through, f"{name} has no row for this test: teach two_projects one"
        assert THEIRS in everybody
        for final in ("", " FINAL") if _engine(filled, name) == "ReplacingMergeTree" else ("",):
            mine = answer(gateway, f"SELECT * FROM {name}{final}")
            assert MINE in mine, name
            assert THEIRS not in mine, name
        assert answer(gateway, f"SELECT count() FROM {name}") == answer(
            gateway, f"SELECT count() FROM (SELECT * FROM {name})"
        )
    for name in sorted(filled.readable_tables() - found.filtered - found.through):
        with pytest.raises(SqlError, match="Unknown table"):
            answer(gateway, f"SELECT * FROM {name}")


def test_keys_are_shown_to_nobody(filled: EmbeddedStore, gateway: SqlGateway) -> None:
    """Not even to who may see every project: digests, names and the key of the hashes are no telemetry."""
    made = {name for (name,) in filled.rows("SELECT name FROM system.tables WHERE database = currentDatabase()")}
    assert made > {"agentvigil_keys", "agentvigil_key_uses", "agentvigil_projects"}
    assert not PRIVATE_TABLES & (filled.readable_tables() | project_tables_of(filled).filtered)
    for project in (None, MINE):
        for name in PRIVATE_TABLES:
            for query in (f"SELECT * FROM {name}", f"SHOW CREATE TABLE {name}", f"DESCRIBE TABLE {name}"):
                with pytest.raises(SqlError, match="Unknown table"):
                    answer(gateway, query, project)
            assert answer(gateway, f"EXISTS TABLE {name}", project) == "0\n"
            for query in ("SELECT name FROM system.tables", "SELECT table FROM system.columns", "SHOW TABLES"):
                assert name not in answer(gateway, query, project).split()


READS = [
    "SELECT * FROM otel_traces",
    "SELECT * FROM {db}.otel_traces",
    "SELECT * FROM otel_traces WHERE Project = 'theirs' OR 1",
    "SELECT * FROM otel_traces PREWHERE Project = 'theirs'",
    "SELECT * FROM otel_traces AS t WHERE t.Project != 'mine'",
    "SELECT 'their' || 's' AS p, p = Project ? p : '' AS found, TraceId FROM otel_traces WHERE found != ''",
    "SELECT 'mine' AS Project, TraceId FROM otel_traces",
    "WITH 'mine' AS Project SELECT Project, TraceId FROM otel_traces",
    "SELECT * FROM otel_traces AS otel_logs",
    "SELECT * FROM otel_traces AS agent_runs",
    "SELECT * FROM otel_traces AS `{db}.otel_logs`",
    "SELECT * FROM otel_traces AS `system.tables`",
    "SELECT * FROM otel_traces AS `system.databases`",
    "SELECT * FROM otel_traces AS `system.columns`",
    "SELECT * FROM agent_runs AS tables",
    "SELECT * FROM agent_sessions AS `system.tables`",
    "SELECT * FROM system.tables AS `{db}.otel_traces`",
    "SELECT * FROM otel_traces_trace_id_ts AS otel_traces",
    "SELECT * FROM otel_traces_trace_id_ts AS `system.tables`",
    "SELECT * FROM agent_runs FINAL",
    "SELECT * FROM agent_runs AS `system.tables` FINAL",
    "SELECT a.Project, b.Project, b.TraceId FROM agent_runs AS a CROSS JOIN agent_steps AS b",
    "SELECT * FROM agent_runs AS a, otel_traces AS b",
    "SELECT * FROM agent_runs AS a LEFT JOIN otel_traces AS b ON a.Project != b.Project",
    "SELECT * FROM agent_runs AS a FULL JOIN agent_steps AS b ON a.RunId = b.RunId",
    "SELECT * FROM agent_runs AS a RIGHT JOIN agent_steps AS b USING RunId",
    "SELECT * FROM agent_runs AS a SEMI LEFT JOIN otel_traces AS b ON a.TraceId = b.TraceId",
    "SELECT * FROM agent_runs AS a ANTI LEFT JOIN otel_traces AS b ON a.TraceId = b.TraceId",
    "SELECT * FROM agent_runs AS a PASTE JOIN agent_steps AS b",
    "SELECT * FROM numbers(3) AS n LEFT JOIN otel_traces AS b ON n.number < 9 AND b.Project != ''",
    "SELECT * FROM (SELECT * FROM (SELECT * FROM otel_traces))",
    "SELECT (SELECT groupArray(TraceId) FROM otel_traces)",
    "SELECT TraceId IN (SELECT TraceId FROM otel_logs), * FROM otel_traces",
    "SELECT 'secret-of-theirs' IN (SELECT TraceId FROM otel_traces) ? 'theirs' : 'no'",
    "SELECT (SELECT count() FROM otel_traces WHERE Project = 'theirs') > 0 ? 'theirs' : 'no'",
    "SELECT exists(SELECT 1 FROM otel_traces WHERE Project = 'theirs') ? 'theirs' : 'no'",
    "SELECT TraceId FROM otel_traces UNION ALL SELECT TraceId FROM otel_logs",
    "SELECT TraceId FROM otel_traces UNION DISTINCT SELECT RunId FROM agent_runs",
    "SELECT TraceId FROM otel_traces INTERSECT SELECT TraceId FROM otel_traces",
    "SELECT TraceId FROM otel_traces EXCEPT SELECT 'x'",
    "WITH t AS (SELECT * FROM otel_traces) SELECT * FROM t",
    "WITH t AS (SELECT * FROM otel_traces) SELECT * FROM t AS a CROSS JOIN t AS b",
    "WITH (SELECT groupArray(Project) FROM otel_traces) AS p SELECT p",
    "WITH otel_logs AS (SELECT * FROM otel_traces) SELECT * FROM otel_logs",
    "SELECT * FROM otel_traces ARRAY JOIN [1, 2] AS n",
    "SELECT * FROM otel_traces SAMPLE 1",
    "SELECT Project, count() FROM otel_traces GROUP BY Project WITH TOTALS",
    "SELECT Project, count() FROM otel_traces GROUP BY ROLLUP(Project)",
    "SELECT groupArray(Project) OVER () FROM otel_traces",
    "SELECT any(Project), min(Project), max(Project) FROM otel_traces",
    "SELECT uniqExact(Project) = 2 ? 'theirs' : 'no' FROM otel_traces",
    "SELECT count() = 2 ? 'theirs' : 'no' FROM otel_traces",
    "SELECT max(Timestamp), count() = 2 ? 'theirs' : 'no' FROM otel_traces",
    "SELECT DISTINCT Project FROM otel_traces ORDER BY Project DESC LIMIT 1 BY Project",
    "SELECT * FROM otel_traces WHERE TraceId = {{secret:String}}",
    "SELECT * FROM mapping_report",
    "SELECT * FROM mapping_report AS `{db}.otel_traces`",
    "SELECT * FROM withheld_attributes AS w JOIN otel_traces AS t ON w.Key = t.WithheldKeys[1]",
    "SELECT * FROM agent_failures AS `system.columns`",
    "SELECT * FROM span_content",
    "SELECT * FROM content_messages AS `system.tables`",
    "SHOW TABLES",
    "SHOW CREATE TABLE otel_traces",
    "DESCRIBE TABLE otel_traces",
    "DESCRIBE (SELECT * FROM otel_traces)",
    "EXPLAIN AST SELECT * FROM otel_traces",
    "EXPLAIN SYNTAX SELECT * FROM otel_traces",
    "EXPLAIN QUERY TREE SELECT * FROM otel_traces",
    "EXPLAIN PLAN SELECT * FROM otel_traces",
    "SELECT * FROM system.tables",
    "SELECT * FROM system.columns",
    "SELECT * FROM system.databases",
]

SETTINGS: list[dict[str, str]] = [
    {},
    {"allow_experimental_analyzer": "0"},
    {"optimize_trivial_count_query": "1", "optimize_use_projections": "1", "optimize_use_implicit_projections": "1"},
    {"optimize_move_to_prewhere": "0", "optimize_aggregation_in_order": "1", "optimize_read_in_order": "1"},
    {"additional_table_filters": "{{'otel_traces': '1 OR 1', 'agent_runs': 'Project = ''theirs'' OR 1'}}"},
    {"additional_table_filters": "{{'otel_traces_trace_id_ts': '1'}}"},
    {"final": "1", "join_use_nulls": "1", "transform_null_in": "1", "prefer_column_name_to_alias": "1"},
]


@pytest.mark.parametrize(
    ("query", "settings"),
    [
        pytest.param(
            query,
            settings,
            id=f"{','.join(settings) or 'plain'}: {query}",
            marks=[pytest.mark.long] if kind and (number + kind) % 2 else [],
        )
        for number, query in enumerate(READS)
        for kind, settings in enumerate(SETTINGS)
        # Every query as it is and under two of the others, each of those with a third of them; half of it is long.
        if kind == 0 or (number + kind) % 3 == 0
    ],
)
def test_no_way_to_write_a_query_reaches_another_project(
    query: str, settings: dict[str, str], filled: EmbeddedStore, gateway: SqlGateway
) -> None:
    text = query.format(db=filled.database)
    given = {name: value.format() for name, value in settings.items()}
    found = ""
    try:
        found = gateway.execute(
            text, settings=given, parameters={"secret": secret_of(THEIRS)}, default_format="JSON", project=MINE
        ).body.decode()
    except SqlError as exc:
        # The engine has its reasons, but it may not be for want of the names.
        assert "Authentication" not in str(exc)
        found = str(exc).replace(text, "")
    assert f"{secret_of(THEIRS)}" not in found.replace(f"'{secret_of(THEIRS)}'", "")
    assert '"theirs"' not in found


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM otel_traces",
        "SELECT * FROM agent_runs AS a, otel_traces AS b",
        "SELECT * FROM agent_runs AS a FULL JOIN agent_steps AS b ON a.RunId = b.RunId",
        "SELECT * FROM (SELECT * FROM (SELECT * FROM otel_traces))",
        "SELECT (SELECT groupArray(TraceId) FROM otel_traces)",
        "SELECT TraceId FROM otel_traces UNION ALL SELECT TraceId FROM otel_logs",
        "WITH t AS (SELECT * FROM otel_traces) SELECT * FROM t AS a CROSS JOIN t AS b",
        "SELECT * FROM otel_traces_trace_id_ts",
        "SELECT * FROM agent_failures",
    ],
)
def test_what_shows_all_to_others_still_answers_who_is_bound(query: str, gateway: SqlGateway) -> None:
    """What refuses everything isolates too, and is no use."""
    everybody, mine = answer(gateway, query, None), answer(gateway, query)

    assert secret_of(THEIRS) in everybody
    assert secret_of(MINE) in mine
    assert secret_of(THEIRS) not in mine


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM agentvigil_prices",
        "SELECT * FROM agentvigil_keys",
        "SELECT * FROM settling_state",
        "SELECT dictGet('content_body', 'Body', ('theirs', 1))",
        "SELECT * FROM dictionary('content_body')",
        "SELECT * FROM merge('otel_.*')",
        "SELECT * FROM view(SELECT * FROM otel_traces)",
        "SELECT * FROM mergeTreeIndex(currentDatabase(), otel_traces)",
        "SELECT * FROM system.parts",
        "SELECT * FROM system.query_log",
        "SELECT * FROM system.processes",
        "EXPLAIN ESTIMATE SELECT * FROM otel_traces",
        "EXPLAIN indexes = 1 SELECT * FROM otel_traces",
        "EXPLAIN PLAN projections = 1 SELECT * FROM otel_traces",
        "SELECT * FROM otel_traces SETTINGS additional_table_filters = {'system.tables': '1'}",
        "SELECT * FROM otel_traces SETTINGS additional_table_filters = {'agentvigil_keys': '1'}",
        "SELECT * FROM otel_traces SETTINGS additional_table_filters = {'otel_traces': '1) OR (1'}",
        "SELECT 1 SETTINGS additional_table_filters = {'otel_traces': 'TraceId IN (SELECT TraceId FROM otel_traces)'}",
        "SELECT * FROM otel_traces SETTINGS additional_result_filter = '1'",
        "SELECT * FROM otel_traces SETTINGS enable_analyzer = 0",
        "SELECT * FROM otel_traces SETTINGS compatibility = '22.1'",
    ],
)
def test_what_is_not_of_one_project_is_refused(query: str, gateway: SqlGateway) -> None:
    with pytest.raises(SqlError) as caught:
        answer(gateway, query)
    assert type(caught.value).__name__ == "QueryRefused", "by us, before the engine ran it"


def test_no_alias_shows_more_of_the_schema(filled: EmbeddedStore, gateway: SqlGateway) -> None:
    for alias in ("otel_traces_trace_id_ts", "otel_traces"):
        query = f"SELECT name FROM system.tables AS `{filled.database}.{alias}`"
        for filters in ("{}", f"{{'{alias}': '1'}}"):
            try:
                names = answer(gateway, query, additional_table_filters=filters)
            except SqlError:
                continue
            assert "otel_traces" in names.split()
            assert not {"agentvigil_prices", *PRIVATE_TABLES} & set(names.split())


def test_a_project_that_is_no_label_is_refused(gateway: SqlGateway) -> None:
    """It stands in a condition, so it can not be trusted to have been checked when the key was made."""
    for project in ("", "x' OR '1", "mine\\", "a b", "x" * 65, "mine\n"):
        with pytest.raises(SqlError, match="no name of a project"):
            answer(gateway, "SELECT 1", project)


def _engine(store: EmbeddedStore, name: str) -> str:
    query = "SELECT engine FROM system.tables WHERE database = currentDatabase() AND name = {name:String}"
    return str(store.rows(query, {"name": name})[0][0])
