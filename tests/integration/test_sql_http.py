"""Real clients over a real socket: clickhouse-connect, and requests as curl and clickhouse-go send them."""

import base64
import gzip
import json
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import clickhouse_connect
import pytest
import urllib3
import uvicorn
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.sql.clickhouse_http import clickhouse_http_app
from agentvigil.storage.sql.gateway import SqlGateway
from agentvigil.storage.sql.settings import Limits

KEY = "vgl_test-key"


@dataclass(frozen=True)
class Served:
    port: int
    database: str

    def ask(
        self,
        query: str = "",
        *,
        method: str = "GET",
        body: str | bytes | None = None,
        headers: dict[str, str] | None = None,
        path: str = "/",
        **parameters: str,
    ) -> urllib3.BaseHTTPResponse:
        fields = {**({"query": query} if query else {}), **parameters}
        pool = urllib3.PoolManager()
        return pool.request_encode_url(
            method,
            f"http://127.0.0.1:{self.port}{path}",
            fields=fields,
            body=body,
            headers=headers,
            retries=False,
            decode_content=False,
        )


def _serve(engine: EmbeddedStore, database: str, key: str | None) -> Iterator[Served]:
    limits = Limits(max_execution_time_s=5, max_query_bytes=100_000)
    gateway = SqlGateway(
        engine.open_handle, database=database, allowed_tables=lambda: frozenset({"spans"}), limits=limits
    )
    config = uvicorn.Config(clickhouse_http_app(gateway, key=key), host="127.0.0.1", port=0, log_level="warning")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
        assert thread.is_alive()
    yield Served(server.servers[0].sockets[0].getsockname()[1], database)
    server.should_exit = True
    thread.join(20)


@pytest.fixture(scope="module")
def database(engine: EmbeddedStore) -> Iterator[str]:
    name = f"http_{uuid.uuid4().hex[:8]}"
    handle = engine.open_handle()
    handle.query(f"CREATE DATABASE {name}")
    handle.query(
        f"CREATE TABLE {name}.spans (ts DateTime64(9), name LowCardinality(String), attributes Map(String, String), "
        "n UInt64) ENGINE = MergeTree ORDER BY ts"
    )
    handle.query(
        f"INSERT INTO {name}.spans SELECT toDateTime64('2026-01-01 00:00:00', 9), 'chat', map('k', 'v'), number"
        " FROM numbers(1000)"
    )
    yield name
    handle.query(f"DROP DATABASE {name}")
    handle.close()


@pytest.fixture(scope="module")
def served(engine: EmbeddedStore, database: str) -> Iterator[Served]:
    yield from _serve(engine, database, None)


@pytest.fixture(scope="module")
def locked(engine: EmbeddedStore, database: str) -> Iterator[Served]:
    yield from _serve(engine, database, KEY)


@pytest.fixture
def client(served: Served) -> Iterator[Client]:
    client = clickhouse_connect.get_client(host="127.0.0.1", port=served.port, database=served.database)
    yield client
    client.close()


def test_clickhouse_connect_reads_rows_types_and_names(client: Client) -> None:
    result = client.query("SELECT name, attributes, n FROM spans ORDER BY n LIMIT 2")

    assert result.column_names == ("name", "attributes", "n")
    assert result.result_rows == [("chat", {"k": "v"}, 0), ("chat", {"k": "v"}, 1)]


def test_clickhouse_connect_binds_parameters(client: Client) -> None:
    """Both ways it has: on the server, and written into the text."""
    hostile = "x' OR 1\n\t\\"

    bound = client.query("SELECT {s:String}, {l:Array(Int64)}", parameters={"s": hostile, "l": [1, 2]})
    written = client.query("SELECT %(s)s", parameters={"s": hostile})

    assert bound.result_rows == [(hostile, [1, 2])]
    assert written.result_rows == [(hostile,)]


def test_clickhouse_connect_gets_settings_large_results_and_empty_ones(client: Client) -> None:
    assert len(client.query("SELECT number FROM numbers(300000)").result_rows) == 300_000
    assert client.query("SELECT n FROM spans WHERE 0").result_rows == []
    assert client.query("SELECT n FROM spans LIMIT 0").column_names == ("n",)
    assert client.query("SELECT 1", settings={"max_threads": 1}).result_rows == [(1,)]
    assert client.command("SELECT count() FROM spans") == 1000
    assert "name" in client.raw_query("SELECT name FROM spans LIMIT 1", fmt="CSVWithNames").decode()


def test_clickhouse_connect_raises_the_servers_error_and_goes_on(client: Client) -> None:
    for query, code in (("SELECT file('/etc/passwd')", 497), ("SELEC 1", 62), ("SELECT * FROM nowhere", 60)):
        with pytest.raises(DatabaseError, match=f"{code}"):
            client.query(query)
        assert client.query("SELECT 2").result_rows == [(2,)]
    with pytest.raises(DatabaseError):
        client.insert("spans", [[1]], column_names=["n"])


def test_a_query_in_the_url_and_the_headers_of_the_answer(served: Served) -> None:
    answer = served.ask("SELECT count() FROM spans", query_id="q-1")

    assert (answer.status, answer.data) == (200, b"1000\n")
    assert answer.headers["X-ClickHouse-Query-Id"] == "q-1"
    assert answer.headers["X-ClickHouse-Format"] == "TabSeparated"
    assert answer.headers["X-ClickHouse-Timezone"]
    assert answer.headers["X-ClickHouse-Server-Display-Name"] == "agentvigil"
    assert json.loads(answer.headers["X-ClickHouse-Summary"]).keys() >= {"read_rows", "elapsed_ns"}
    assert answer.headers["Content-Type"].startswith("text/tab-separated-values")


def test_url_and_body_make_one_query(served: Served) -> None:
    assert served.ask("SELECT", method="POST", body="1 + 1").data == b"2\n"
    assert served.ask(method="POST", body="SELECT 3 FORMAT JSONEachRow").data == b'{"3":3}\n'


def test_formats_parameters_and_settings_come_in_the_url(served: Served) -> None:
    assert served.ask("SELECT {a:UInt8} AS a", param_a="5", default_format="JSONEachRow").data == b'{"a":5}\n'
    assert served.ask("SELECT 1 AS a", headers={"X-ClickHouse-Format": "CSVWithNames"}).data == b'"a"\n1\n'
    assert served.ask("SELECT 1", database=served.database).data == b"1\n"
    assert (
        served.ask("SELECT 1", database="default", session_id="s", wait_end_of_query="1", max_threads="1").status == 200
    )
    assert served.ask("SELECT * FROM {t:Identifier}", param_t="spans").status == 400


@pytest.mark.parametrize(
    ("query", "parameters", "status", "code"),
    [
        ("SELECT (", {}, 400, 62),
        ("SELECT * FROM nowhere", {}, 404, 60),
        ("SELECT no_column FROM spans", {}, 404, 47),
        ("SELECT file('x')", {}, 403, 497),
        ("DROP TABLE spans", {}, 403, 164),
        ("SELECT 1", {"database": "other"}, 404, 81),
        ("SELECT 1", {"default_format": "Nope"}, 404, 73),
        ("SELECT 1", {"allow_introspection_functions": "1"}, 400, 452),
        ("SELECT 1", {"compress": "1"}, 400, 36),
        ("SELECT throwIf(1)", {}, 500, 395),
    ],
)
def test_errors_have_clickhouses_code_status_and_text(
    query: str, parameters: dict[str, str], status: int, code: int, served: Served
) -> None:
    answer = served.ask(query, **parameters)

    assert (answer.status, answer.headers["X-ClickHouse-Exception-Code"]) == (status, str(code))
    assert answer.data.startswith(f"Code: {code}. DB::Exception: ".encode())
    assert served.ask("SELECT 1").data == b"1\n"


def test_ping_root_and_other_paths(served: Served) -> None:
    assert served.ask(path="/ping").data == b"Ok.\n"
    assert served.ask().data == b"Ok.\n"
    assert served.ask(path="/nowhere").status == 404
    assert served.ask("SELECT 1", method="DELETE").status == 405
    assert served.ask(method="POST", body="").status == 400
    assert served.ask("SELECT 1", method="HEAD").data == b""


def test_answers_are_gzipped_on_request(served: Served) -> None:
    query = "SELECT repeat('x', 10000)"

    packed = served.ask(query, headers={"Accept-Encoding": "lz4, gzip"}, enable_http_compression="1")
    plain = served.ask(query, headers={"Accept-Encoding": "gzip"})

    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data


def test_queries_longer_than_the_limit_and_not_utf8_are_refused(served: Served) -> None:
    assert served.ask(method="POST", body="SELECT 1" + " " * 200_000).status == 413
    assert served.ask(method="POST", body=b"SELECT '\xff'").status == 400
    assert (
        served.ask(method="POST", body=gzip.compress(b"SELECT 1"), headers={"Content-Encoding": "gzip"}).status == 400
    )


def test_clickhouse_go_is_greeted_in_its_own_framing(served: Served) -> None:
    """clickhouse-go (Grafana) reads the first answer at revision 54460, and revision 0 from then on."""
    hello = "SELECT displayName(), version(), revision(), timezone()"

    answer = served.ask(method="POST", body=hello, default_format="Native", client_protocol_version="54460")

    assert answer.data.startswith(
        b"\x01\x00\x02\xff\xff\xff\xff\x00\x04\x01\x0ddisplayName()\x06String\x00\x0aagentvigil"
    )
    assert b"revision()\x06UInt32\x00\x00\x00\x00\x00" in answer.data
    ping = served.ask(method="POST", body="SELECT 1", default_format="Native", client_protocol_version="54460")
    assert ping.data == b"\x01\x01\x011\x05UInt8\x01"


def test_without_a_key_other_names_and_pages_are_turned_away(served: Served) -> None:
    """A page whose name resolves to this machine (DNS rebinding) must not read the traces."""
    for host in ("evil.example", "evil.example:8123", "localhost.evil.example", ""):
        assert served.ask("SELECT 1", headers={"Host": host}).status == 403
    for host in (f"localhost:{served.port}", "127.0.0.1", "[::1]:8123", "192.168.1.5:8123"):
        assert served.ask("SELECT 1", headers={"Host": host}).status == 200
    assert served.ask("SELECT 1", headers={"Origin": "https://evil.example"}).status == 403
    assert served.ask("SELECT 1", headers={"Origin": "null"}).status == 403


def test_the_key_is_needed_and_every_client_has_a_way_to_send_it(locked: Served) -> None:
    basic = base64.b64encode(f"default:{KEY}".encode()).decode()

    assert locked.ask(path="/ping").status == 200
    for headers in ({}, {"Authorization": "Bearer no"}, {"Authorization": "Basic !!"}, {"X-ClickHouse-Key": KEY + "x"}):
        answer = locked.ask("SELECT 1", headers=headers)
        assert (answer.status, answer.headers["X-ClickHouse-Exception-Code"]) == (403, "516")
    for headers in ({"Authorization": f"Bearer {KEY}"}, {"Authorization": f"Basic {basic}"}, {"X-ClickHouse-Key": KEY}):
        assert locked.ask("SELECT 1", headers=headers).data == b"1\n"
    assert locked.ask("SELECT 1", password=KEY).data == b"1\n"
    assert locked.ask("SELECT 1", password=KEY, headers={"Host": "traces.example"}).status == 200
    assert locked.ask().status == 403


def test_clickhouse_connect_logs_in_with_the_key(locked: Served) -> None:
    with clickhouse_connect.get_client(host="127.0.0.1", port=locked.port, username="default", password=KEY) as client:
        assert client.query("SELECT 1").result_rows == [(1,)]
    with pytest.raises(DatabaseError):
        clickhouse_connect.get_client(host="127.0.0.1", port=locked.port, password="wrong")
