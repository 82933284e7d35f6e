"""Answers in pieces, from both homes: whole, or with an error."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from api_serving import serving
from clickhouse_connect import get_client
from clickhouse_connect.driver.client import Client
from clickhouse_stand_in import ClickHouseStandIn

from agentvigil.storage.access import Access, KeyBook
from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.errors import QueryFailed
from agentvigil.storage.server import ServerStore
from agentvigil.storage.sql.clickhouse_http import clickhouse_http_app
from agentvigil.storage.sql.gateway import SqlGateway
from agentvigil.storage.store import Store
from agentvigil.storage.streams import ServerStream

TEXT = "it's\n\\ \t\0 \u2028"


@pytest.fixture(params=["embedded", "server"])
def either_store(
    engine: EmbeddedStore, store: EmbeddedStore, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Store]:
    if request.param == "embedded":
        yield store
        return
    server = ClickHouseStandIn(engine.open_handle, tmp_path / "sent.proto")
    server.start()
    over_http = ServerStore(f"http://default:secret@127.0.0.1:{server.port}", store.database)
    yield over_http
    over_http.close()
    server.stop()


def test_both_homes_answer_alike(either_store: Store) -> None:
    parameters = {"text": TEXT, "texts": [TEXT, "b"], "count": 3}
    sql = "SELECT {text:String} AS a, {texts:Array(String)} AS b, number AS c FROM numbers({count:UInt8})"

    with either_store.stream(
        sql, parameters, "JSONCompactEachRow", {"output_format_json_quote_64bit_integers": 1}
    ) as s:
        body = b"".join(s).decode()

    text = r'"it' + r"'s\n\\ \t\u0000 \u2028" + '"'
    assert body.splitlines() == [f'[{text}, [{text},"b"], "{number}"]' for number in range(3)]


def test_an_empty_answer_is_whole_in_its_format(either_store: Store) -> None:
    with either_store.stream("SELECT 1 AS a WHERE 0", {}, "CSVWithNames") as stream:
        assert b"".join(stream) == b'"a"\n'


def test_a_query_that_can_not_be_is_an_error(either_store: Store) -> None:
    with pytest.raises(QueryFailed) as caught, either_store.stream("SELECT missing", {}, "CSV") as stream:
        stream.read()
    assert caught.value.code == 47


def test_stopping_ends_an_endless_one(store: EmbeddedStore) -> None:
    with store.stream("SELECT number FROM system.numbers", {}, "CSV") as stream:
        assert stream.read()
        stream.stop()
        with pytest.raises(QueryFailed) as caught:
            b"".join(stream)
    assert caught.value.code == 394


@pytest.fixture(params=["broken off", "ended"])
def connect(store: EmbeddedStore, request: pytest.FixtureRequest) -> Iterator[Callable[[], Client]]:
    """Connects to our own ClickHouse interface, which tells of late errors as a server does.

    It breaks the connection off behind one; a proxy in between may end it as if all were well.
    """
    gateway = SqlGateway(store.open_handle, database=store.database, allowed_tables=store.readable_tables)
    access = Access(KeyBook(store))
    access.load()
    app = clickhouse_http_app(gateway, access)

    async def ending(scope: Any, receive: Any, send: Any) -> None:
        has_ended = False

        async def watch(message: Any) -> None:
            nonlocal has_ended
            has_ended = message["type"] == "http.response.body" and not message.get("more_body")
            await send(message)

        await app(scope, receive, watch)
        if not has_ended:
            await send({"type": "http.response.body", "body": b""})

    with serving(app if request.param == "broken off" else ending) as port:
        yield lambda: get_client(host="127.0.0.1", port=port)
    app.close()


def test_what_a_server_reports_behind_a_part_is_an_error(
    connect: Callable[[], Client], request: pytest.FixtureRequest
) -> None:
    sql = "SELECT throwIf(number = 3000000), number FROM numbers(9000000)"
    with ServerStream(connect, sql, {}, "CSV", {"max_threads": 1}) as stream:
        assert stream.read()
        with pytest.raises(QueryFailed) as caught:
            b"".join(stream)
    assert caught.value.code == (395 if "ended" in request.node.callspec.id else 0)


def test_nothing_is_lost_at_the_end_of_a_servers_answer(connect: Callable[[], Client]) -> None:
    with ServerStream(connect, "SELECT number FROM numbers(300000)", {}, "CSV", {}) as stream:
        body = b"".join(stream)
    assert body == b"".join(b"%d\n" % number for number in range(300_000))
