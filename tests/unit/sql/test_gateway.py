"""One query's settings, errors and costs stay with that query."""

import contextlib
import re
import threading
import time
from collections.abc import Callable

import pytest
from chdb.state.sqlitelike import Connection

from agentvigil.storage.sql.errors import EngineError, GatewayBusy, QueryRefused
from agentvigil.storage.sql.gateway import SqlGateway
from agentvigil.storage.sql.settings import Limits


def test_parameters_are_values(gateway: SqlGateway) -> None:
    """A value is data whatever it looks like."""
    result = gateway.execute(
        "SELECT {a:Int8}, {s:String}, {l:Array(String)}, {m:Map(String, Int8)} FORMAT JSONCompactEachRow",
        parameters={"a": "3", "s": "x' OR file(\\'secrets\\') \\n", "l": "['a','b']", "m": "{'k':1}"},
    )

    assert result.body == b'[3, "x\' OR file(\'secrets\') \\n", ["a","b"], {"k":1}]\n'


def test_a_missing_parameter_is_the_engines_error(gateway: SqlGateway) -> None:
    with pytest.raises(EngineError) as error:
        gateway.execute("SELECT {a:Int8}")
    assert error.value.code == 456


def test_an_error_does_not_show_in_the_next_answer(gateway: SqlGateway) -> None:
    """chDB hands rows of a failed query to whoever asks next on the same handle."""
    for _ in range(5):
        with pytest.raises(EngineError) as error:
            gateway.execute("SELECT throwIf(number = 70000, 'boom') FROM numbers(100000) SETTINGS max_block_size = 100")
        assert error.value.code == 395
        assert gateway.execute("SELECT 7").body == b"7\n"


def test_settings_do_not_stick(gateway: SqlGateway) -> None:
    query = "SELECT toUInt64(1) AS a FORMAT JSONEachRow"

    assert gateway.execute(query, settings={"output_format_json_quote_64bit_integers": "1"}).body == b'{"a":"1"}\n'
    assert gateway.execute(f"{query} SETTINGS output_format_json_quote_64bit_integers = 1").body == b'{"a":"1"}\n'
    assert gateway.execute(query).body == b'{"a":1}\n'


@pytest.mark.parametrize(
    "output", ["JSON", "TSVWithNames", "TSVWithNamesAndTypes", "CSVWithNames", "JSONCompact", "Native"]
)
def test_an_empty_result_still_names_its_columns(output: str, gateway: SqlGateway) -> None:
    assert b"trace_id" in gateway.execute("SELECT trace_id FROM spans WHERE 0", default_format=output).body


def test_a_filter_of_the_client_narrows_a_table(gateway: SqlGateway, database: str) -> None:
    """Grafana's ad-hoc filters."""
    query = (
        f"SELECT count() FROM spans SETTINGS additional_table_filters = {{'{database}.spans': ' name = \\'chat\\' '}}"
    )

    assert gateway.execute(query).body == b"50\n"


def test_system_tables_show_what_may_be_read(gateway: SqlGateway, database: str) -> None:
    tables = gateway.execute("SELECT database, name FROM system.tables WHERE database != 'system'").body
    columns = gateway.execute("SELECT DISTINCT table FROM system.columns WHERE database != 'system'").body
    databases = gateway.execute("SHOW DATABASES").body
    filtered = f"SELECT 1 FROM system.tables SETTINGS additional_table_filters = {{'{database}.spans': '1'}}"

    assert tables == f"{database}\tspans\n".encode()
    assert columns == b"spans\n"
    assert databases.split() == sorted([database.encode(), b"system"])
    assert b"secret_keys" not in gateway.execute(filtered).body
    assert b"processes" not in gateway.execute("SELECT name FROM system.tables").body


def test_time_rows_and_bytes_are_limited(open_handle: Callable[[], Connection], database: str) -> None:
    limits = Limits(max_execution_time_s=0.5, max_result_rows=10, max_answer_bytes=1000)
    gateway = SqlGateway(open_handle, database=database, allowed_tables=frozenset, limits=limits)

    for query, code in (
        ("SELECT count() FROM numbers(1000000000000)", 159),
        ("SELECT number FROM numbers(1000)", 396),
        ("SELECT char(65) || repeat('x', 5000)", 396),
        ("SELECT 1 AS " + "a" * 600 + " FORMAT JSON", 396),
        ("SELECT number FROM numbers(1000) SETTINGS max_result_rows = 100000, max_execution_time = 0", 396),
    ):
        with pytest.raises((EngineError, QueryRefused)) as error:
            gateway.execute(query)
        assert error.value.code == code


def test_a_long_query_is_refused(open_handle: Callable[[], Connection], database: str) -> None:
    gateway = SqlGateway(
        open_handle, database=database, allowed_tables=frozenset, limits=Limits(max_query_bytes=600_000)
    )

    assert gateway.execute(f"SELECT length('{'x' * 500_000}')").body == b"500000\n"
    with pytest.raises(QueryRefused) as refusal:
        gateway.execute(f"SELECT length('{'x' * 600_000}')")
    assert refusal.value.code == 229


def test_when_all_slots_are_taken_a_query_is_turned_away(open_handle: Callable[[], Connection], database: str) -> None:
    entered, leave = threading.Event(), threading.Event()

    def slow() -> Connection:
        entered.set()
        leave.wait(30)
        return open_handle()

    limits = Limits(max_concurrent=1, max_wait_s=0.01)
    gateway = SqlGateway(slow, database=database, allowed_tables=frozenset, limits=limits)
    first = threading.Thread(target=gateway.execute, args=("SELECT 1",))
    first.start()
    entered.wait(30)

    with pytest.raises(GatewayBusy) as refusal:
        gateway.execute("SELECT 1")
    leave.set()
    first.join()

    assert refusal.value.code == 202
    assert gateway.execute("SELECT 1").body == b"1\n"


def test_many_threads_get_their_own_answers(gateway: SqlGateway) -> None:
    answers: dict[int, bytes] = {}

    def ask(i: int) -> None:
        answers[i] = gateway.execute(f"SELECT {i}, count() FROM spans").body

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == {i: f"{i}\t100\n".encode() for i in range(16)}


@pytest.mark.parametrize("text", ["", "  \n", "\ud800", "-- only a comment"])
def test_what_is_no_query_is_a_syntax_error(text: str, gateway: SqlGateway) -> None:
    with pytest.raises(QueryRefused) as refusal:
        gateway.execute(text)
    assert refusal.value.code == 62


@pytest.mark.parametrize(
    "text",
    [
        "SELECT " + "(" * 400 + "1" + ")" * 400,
        "SELECT " + "-".join(["1"] * 3000),
        "SELECT * FROM (" * 150 + "SELECT 1" + ")" * 150,
        "SELECT " + "abs(" * 300 + "1" + ")" * 300,
        "SELECT " + "[" * 900 + "1" + "]" * 900,
        "(" * 5000,
    ],
    ids=["brackets", "chain", "subqueries", "functions", "arrays", "open"],
)
def test_deep_queries_run_or_are_refused(text: str, gateway: SqlGateway) -> None:
    """Never a RecursionError, never a crash."""
    with contextlib.suppress(EngineError, QueryRefused):
        gateway.execute(text)

    assert gateway.execute("SELECT 1").body == b"1\n"


def test_an_answer_is_read_in_pieces_and_equals_the_whole_one(gateway: SqlGateway) -> None:
    query = "SELECT number, toString(number) AS text FROM numbers(300000)"
    for output in ("TSVWithNames", "JSONCompact", "Parquet", "ArrowStream", "Native"):
        with gateway._handle({}) as handle:
            expected = bytes(handle.query(query, output).bytes())

        with gateway.open(query, default_format=output).answer as answer:
            pieces = list(iter(answer.read, b""))

        assert len(pieces) > 1
        assert _timeless(b"".join(pieces)) == _timeless(expected)
        assert answer.cost is not None
        assert answer.cost.rows_read == 300_000


def _timeless(body: bytes) -> bytes:
    return re.sub(rb'"elapsed":.*', b"", body)


@pytest.mark.parametrize("query", ["SHOW DATABASES", "SHOW TABLES", "EXPLAIN AST SELECT 1", "DESCRIBE TABLE spans"])
def test_statements_that_are_no_select_answer_too(query: str, gateway: SqlGateway) -> None:
    """chDB loses the rows of some of them when they are written to a file."""
    for output in ("TSV", "Native", "JSON"):
        assert len(gateway.execute(query, default_format=output).body) > 5


@pytest.mark.parametrize("output", ["Null", "Values", "TSV", "null", "VALUES"])
def test_format_at_the_end_may_be_called_like_a_keyword(output: str, gateway: SqlGateway) -> None:
    assert gateway.execute(f"SELECT 1 FORMAT {output}").format.lower() == output.lower()


def test_a_stopped_query_frees_its_slot_and_its_engine(open_handle: Callable[[], Connection], database: str) -> None:
    """And the next query, of somebody else, is answered right."""
    limits = Limits(max_concurrent=1, max_execution_time_s=600, max_wait_s=0.01)
    gateway = SqlGateway(open_handle, database=database, allowed_tables=frozenset, limits=limits)
    stop = threading.Event()
    heavy = "SELECT count() FROM numbers(1000000000000) WHERE NOT ignore(sipHash128(toString(number)))"

    opened = gateway.open(heavy, asked_to_stop=stop)
    with pytest.raises(GatewayBusy):
        gateway.execute("SELECT 1")
    while not opened.progress().rows_read:
        time.sleep(0.01)
    stop.set()
    with pytest.raises(QueryRefused) as refusal, opened.answer as answer:
        answer.read()

    assert refusal.value.code == 394
    assert opened.progress().rows_read == 0, "it is no longer among the running queries"
    assert gateway.execute("SELECT 7").body == b"7\n"


def test_a_client_that_left_does_not_wait_for_a_slot(gateway: SqlGateway) -> None:
    gone = threading.Event()
    gone.set()

    with pytest.raises(QueryRefused) as refusal:
        gateway.open("SELECT 1", asked_to_stop=gone)

    assert refusal.value.code == 394


def test_no_client_may_name_a_query(gateway: SqlGateway) -> None:
    """Its name is how a query is found when it has to be stopped."""
    question = "SELECT value FROM system.settings WHERE name = 'log_comment'"

    named = gateway.execute(f"{question} SETTINGS log_comment = 'mine'").body
    assert len(named) == 33
    assert gateway.execute(question, settings={"log_comment": "mine"}).body != named
