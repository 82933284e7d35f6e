"""Nothing gets out of the read-only interface, and what dashboards ask gets through."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from chdb.state.sqlitelike import Connection

from agentvigil.storage.sql.errors import SqlError
from agentvigil.storage.sql.gateway import SqlGateway

DATA = Path(__file__).parents[2] / "data"
CANARY = "canary-9c41e7"


def _statements(name: str) -> list[str]:
    lines = (DATA / name).read_text(encoding="utf-8").splitlines()
    marks = {"<TAB>": "\t", "<NL>": "\n", "<NUL>": "\0"}
    return [
        re.sub("<(?:TAB|NL|NUL)>", lambda mark: marks[mark[0]], line)
        for line in lines
        if line and not line.startswith("--")
    ]


ESCAPES = _statements("sql_escapes.sql")
QUERIES = _statements("sql_queries.sql")


@pytest.fixture(scope="module")
def unchanged(open_handle: Callable[[], Connection], default_spans: None) -> Iterator[Callable[[], bool]]:
    """Tells whether the engine holds what it held before, as seen by a handle that no rule holds."""
    handle = open_handle()
    question = (
        "SELECT (SELECT count() FROM default.spans), (SELECT groupArray((database, name)) FROM system.tables), "
        "(SELECT count() FROM system.dictionaries)"
    )
    functions = "SELECT count() FROM system.functions"  # slow, so asked only before the first and after the last
    before = [bytes(handle.query(text, "TSV").bytes()) for text in (question, functions)]
    yield lambda: bool(handle.query(question, "TSV").bytes() == before[0])
    assert bytes(handle.query(functions, "TSV").bytes()) == before[1]
    handle.close()


@pytest.mark.parametrize("statement", ESCAPES)
def test_every_escape_is_refused_and_leaves_no_trace(
    statement: str, default_gateway: SqlGateway, canaries: Callable[[], set[str]], unchanged: Callable[[], bool]
) -> None:
    """One passing line is one way to read or write the user's files."""
    before = canaries()

    with pytest.raises(SqlError) as refusal:
        default_gateway.execute(statement, parameters={"t": "secrets"})

    assert re.fullmatch(r"Code: \d+\. DB::Exception: .+\. \([A-Z_]+\)", str(refusal.value), re.DOTALL)
    assert type(refusal.value).__name__ == "QueryRefused", "refused by us, before the engine ran it"
    assert CANARY not in str(refusal.value)
    assert canaries() == before
    assert unchanged()
    assert default_gateway.execute("SELECT count() FROM spans").body == b"1\n", "another client's query goes on"


def test_the_list_of_escapes_is_long_and_has_no_doubles() -> None:
    assert len(ESCAPES) >= 450
    assert len(set(ESCAPES)) == len(ESCAPES)


@pytest.mark.parametrize("statement", QUERIES)
def test_queries_of_clients_pass(statement: str, gateway: SqlGateway, database: str) -> None:
    """The list is no use if people cannot ask what they need."""
    mine = re.sub(r"\bdefault\b", database, statement)

    assert gateway.execute(mine, settings={}).query_id


# Not those that answer differently each time, or that our own lists answer.
_SELF_CONTAINED = [
    query
    for query in QUERIES
    if not re.search(r"now|rand|UUID|SHOW|SETTINGS|EXISTS|version|FORMAT|DESC|system\.|EXPLAIN", query)
]


@pytest.mark.parametrize("statement", _SELF_CONTAINED)
def test_queries_answer_what_the_engine_answers(statement: str, gateway: SqlGateway, database: str) -> None:
    """Lifting FORMAT and SETTINGS out must not change a result."""
    mine = re.sub(r"\bdefault\b", database, statement)
    with gateway._handle({}) as handle:
        expected = sorted(bytes(handle.query(mine, "TSV").bytes()).splitlines())

    assert sorted(gateway.execute(mine).body.splitlines()) == expected
