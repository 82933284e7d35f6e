"""Real clients over a real socket: clickhouse-connect, and requests as curl and clickhouse-go send them."""

import base64
import contextlib
import datetime as dt
import functools
import gzip
import http.client
import io
import ipaddress
import json
import re
import shutil
import socket
import subprocess
import threading
import time
import urllib.parse
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import clickhouse_connect
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import urllib3
import uvicorn
from access_by_key import access_by
from clickhouse_connect import common
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError

from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.sql.clickhouse_http import ClickHouseHttp, clickhouse_http_app
from agentvigil.storage.sql.encodings import ENCODERS, inflate
from agentvigil.storage.sql.formats import CONTENT_TYPES
from agentvigil.storage.sql.gateway import SqlGateway
from agentvigil.storage.sql.native_blocks import BlockEncoder, decode_blocks
from agentvigil.storage.sql.settings import Limits

KEY = "vgl_test-key"
PATIENCE_S = 100  # for what must come, on a machine that is busy


@dataclass(frozen=True)
class Served:
    port: int
    database: str
    app: ClickHouseHttp

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


LIMITS = Limits(max_execution_time_s=30, max_query_bytes=100_000)

# Formats whose answer names its columns though it has no rows, as a ClickHouse server's does.
WITH_NAMES = {name for name in CONTENT_TYPES if re.search("WithNames|^XML$|^MD$|^Markdown$|^JSON$|Metadata", name)}
WITH_NAMES |= {"JSONStrings", "JSONColumns", "JSONCompact", "JSONCompactStrings"}
WITH_NAMES |= {"Native", "Parquet", "ORC", "Arrow", "ArrowStream", "Avro"}

DECODERS: dict[str, Callable[[bytes], bytes]] = {
    coding: functools.partial(inflate, coding, limit=10**8) for coding in ENCODERS
}


def _serve(engine: EmbeddedStore, database: str, key: str | None, limits: Limits = LIMITS) -> Iterator[Served]:
    gateway = SqlGateway(
        engine.open_handle, database=database, allowed_tables=lambda: frozenset({"spans"}), limits=limits
    )
    app = clickhouse_http_app(gateway, access_by(key))
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
        assert thread.is_alive()
    yield Served(server.servers[0].sockets[0].getsockname()[1], database, app)
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


def test_clickhouse_connect_sends_long_parameters_as_a_form(client: Client) -> None:
    """From some thousand bytes on; what may not be asked in a URL may not be asked there either."""
    texts = [f"x' OR 1\n\t\\ {number}" for number in range(2000)]

    found = client.query("SELECT {l:Array(String)}, length({s:String})", parameters={"l": texts, "s": "é" * 5000})

    assert found.result_rows == [(texts, 10_000)]
    with pytest.raises(DatabaseError, match=r"ACCESS_DENIED|UNKNOWN_FUNCTION") as refused:
        client.query("SELECT file('secrets'), {s:String}", parameters={"s": "x" * 10_000})
    assert "secret" not in str(refused.value).replace("secrets", "")


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


VALUES = [
    ("UInt64", 2**64 - 1),
    ("Int128", -(2**100)),
    ("Float64", 1.5),
    ("Decimal(18, 3)", Decimal("12.345")),
    ("String", "x' OR 1\n\t\\ \" ü {a:Int8} `"),
    ("FixedString(2)", b"ab"),
    ("Bool", True),
    ("Date", dt.date(2026, 1, 2)),
    ("DateTime", dt.datetime(2026, 1, 2, 3, 4, 5)),  # noqa: DTZ001 - ClickHouse's has no zone of its own
    ("UUID", uuid.UUID("61f0c404-5cb3-11e7-907b-a6006ad3dba0")),
    ("IPv4", ipaddress.IPv4Address("1.2.3.4")),
    ("Nullable(String)", None),
    ("Nullable(Int64)", -7),
    ("Array(String)", ["a'", "b\\"]),
    ("Array(Nullable(Int8))", [1, None]),
    ("Map(String, Int64)", {"a": 1}),
    ("Map(String, Array(String))", {"k": ["v'"]}),
    ("Tuple(String, UInt8)", ("a", 1)),
    ("LowCardinality(String)", "low"),
    ("Enum8('a' = 1, 'b' = 2)", "b"),
]


@pytest.fixture
def dicts_as_maps() -> Iterator[None]:
    """clickhouse-connect writes dicts as JSON unless told otherwise, which no Map is read from."""
    common.set_setting("dict_parameter_format", "map")
    yield
    common.set_setting("dict_parameter_format", "json")


@pytest.mark.parametrize(("type_name", "value"), VALUES)
def test_clickhouse_connect_sends_and_gets_back_values_of_every_type(
    type_name: str, value: Any, client: Client, dicts_as_maps: None
) -> None:
    row = client.query(f"SELECT {{v:{type_name}}}", parameters={"v": value}).first_row

    assert row == (value,)


def test_clickhouse_connect_makes_frames_and_arrow_tables(client: Client) -> None:
    query = "SELECT name, n FROM spans WHERE n < {n:UInt64} ORDER BY n"

    frame = client.query_df(query, parameters={"n": 3})
    table = client.query_arrow(query, parameters={"n": 3})

    assert list(frame["n"]) == [0, 1, 2]
    assert table.column_names == ["name", "n"]
    assert table["n"].to_pylist() == [0, 1, 2]
    # query_df() itself drops the columns of a frame without rows, whatever the server sent.
    with client.query_df_stream(query, parameters={"n": 0}) as frames:
        assert [list(frame.columns) for frame in frames] == [["name", "n"]]
    assert list(client.query_df_arrow(query, parameters={"n": 0}).columns) == ["name", "n"]
    assert client.query_arrow(query, parameters={"n": 0}).column_names == ["name", "n"]
    assert client.query_np("SELECT n FROM spans WHERE n < 2 ORDER BY n").tolist() == [[0], [1]]


def test_clickhouse_connect_streams(client: Client) -> None:
    query = "SELECT number, toString(number) AS text FROM numbers(300000)"

    with client.query_row_block_stream(query) as blocks:
        rows = [len(block) for block in blocks]
    with client.query_df_stream(query) as frames:
        framed = sum(len(frame) for frame in frames)
    with client.query_arrow_stream(query) as batches:
        arrow = sum(batch.num_rows for batch in batches)
    with client.raw_stream(query, fmt="CSV") as raw:
        lines = raw.read().count(b"\n")

    assert len(rows) > 1
    assert sum(rows) == framed == arrow == lines == 300_000


@pytest.mark.parametrize("compress", ["lz4", "zstd", "gzip", False])
def test_clickhouse_connect_speaks_every_compression(compress: Any, served: Served) -> None:
    with clickhouse_connect.get_client(host="127.0.0.1", port=served.port, compress=compress) as client:
        assert client.query("SELECT max(number) FROM numbers(10)").first_row == (9,)
        assert len(client.query("SELECT number FROM numbers(300000)").result_rows) == 300_000
        with pytest.raises(DatabaseError) as error:
            client.query("SELECT * FROM nowhere")
        assert error.value.code == 60


@pytest.mark.parametrize("compress", ["lz4", "zstd", "gzip", False])
def test_clickhouse_connect_sees_an_error_midway(compress: Any, served: Served) -> None:
    with clickhouse_connect.get_client(host="127.0.0.1", port=served.port, compress=compress) as client:
        with pytest.raises(ClickHouseError, match="395"):
            client.query("SELECT number, throwIf(number = 900000) FROM numbers(1000000)")
        assert client.query("SELECT 2").result_rows == [(2,)]


def test_many_clients_at_once_get_their_own_answers(served: Served) -> None:
    """Also next to others' errors: chDB would hand rows of a failed query to whoever asks next on its handle."""

    def ask(number: int) -> list[object]:
        got: list[object] = []
        with clickhouse_connect.get_client(host="127.0.0.1", port=served.port) as client:
            for step in range(4):
                try:
                    got.append(
                        client.query(
                            f"SELECT throwIf(number = 70000 AND {number % 2}), {number} + {step} FROM numbers(100000)"
                        ).result_rows[-1][1]
                    )
                except ClickHouseError:
                    got.append("failed")
                got.append(client.query(f"SELECT {number}").first_row[0])
        return got

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(ask, range(6)))

    for number, got in enumerate(answers):
        steps = [number + step if number % 2 == 0 else "failed" for step in range(4)]
        assert got == [value for step in steps for value in (step, number)]


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
        ("SELECT 1", {"wait_end_of_query": "1", "max_result_rows": "x"}, 400, 72),
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
    for path in ("/ping", "/replicas_status"):
        assert served.ask(path=path).data == b"Ok.\n"
    assert served.ask().data == b"Ok.\n"
    assert served.ask(path="/nowhere").status == 404
    assert served.ask("SELECT 1", method="DELETE").status == 405
    assert served.ask(method="POST", body="").status == 400
    for query in ("SELECT 1", "SELECT number FROM numbers(1000000)"):
        head = served.ask(query, method="HEAD")
        assert (head.status, head.data) == (200, b"")


@pytest.mark.parametrize("coding", DECODERS)
def test_answers_are_compressed_on_request(coding: str, served: Served) -> None:
    """Short ones and ones that are sent as they come."""
    for query in ("SELECT repeat('x', 10000)", "SELECT number FROM numbers(500000)"):
        packed = served.ask(query, headers={"Accept-Encoding": f"br, {coding}"}, enable_http_compression="1")
        plain = served.ask(query, headers={"Accept-Encoding": coding})

        assert packed.headers["Content-Encoding"] == coding
        assert "Content-Encoding" not in plain.headers
        assert DECODERS[coding](packed.data) == plain.data
        assert decode_blocks(served.ask(query, compress="1").data, 10**7) == plain.data


@pytest.mark.parametrize("coding", ENCODERS)
def test_queries_may_be_compressed(coding: str, served: Served) -> None:
    query = b"SELECT 1 + 1"
    encoder = ENCODERS[coding]()
    packed = encoder.encode(query) + encoder.finish()
    blocks = BlockEncoder().encode(query)
    encoder = ENCODERS[coding]()
    both = encoder.encode(blocks) + encoder.finish()
    headers = {"Content-Encoding": coding}

    assert served.ask(method="POST", body=packed, headers=headers).data == b"2\n"
    assert served.ask(method="POST", body=blocks, decompress="1").data == b"2\n"
    assert served.ask(method="POST", body=both, headers=headers, decompress="1").data == b"2\n"


def test_queries_longer_than_the_limit_and_not_utf8_are_refused(served: Served) -> None:
    bomb = gzip.compress(b"SELECT 1" + b" " * 10_000_000)

    assert served.ask(method="POST", body="SELECT 1" + " " * 200_000).status == 413
    assert served.ask(method="POST", body=bomb, headers={"Content-Encoding": "gzip"}).status == 413
    assert served.ask(method="POST", body=BlockEncoder().encode(bytes(200_000)), decompress="1").status == 413
    assert served.ask(method="POST", body=b"SELECT '\xff'").status == 400
    assert served.ask(method="POST", body=b"SELECT 1", headers={"Content-Encoding": "gzip"}).status == 400
    assert served.ask(method="POST", body=b"SELECT 1", headers={"Content-Encoding": "br"}).status == 400
    assert served.ask(method="POST", body=b"SELECT 1", decompress="1").status == 400


HIDDEN = "SELECT file('secrets')"


@pytest.mark.parametrize(
    "request_",
    [
        {"body": gzip.compress(HIDDEN.encode()), "headers": {"Content-Encoding": "gzip"}},
        {"body": BlockEncoder().encode(HIDDEN.encode()), "decompress": "1"},
        {"body": BlockEncoder().encode(HIDDEN.encode()), "decompress": "true"},
        {"query": "SELECT", "body": "file('secrets')"},
        {"query": "SELECT file(", "body": gzip.compress(b"'secrets')"), "headers": {"Content-Encoding": "x-gzip"}},
        {"query": "SELECT 1;", "body": "DROP TABLE spans"},
        {"query": "INSERT INTO spans FORMAT CSV", "body": "1"},
        {"query": "SELECT 1 --", "body": "; DROP TABLE spans"},
        {"query": "SELECT /*", "body": "*/ file('secrets')"},
        {"query": "SELECT '", "body": "' || file('secrets')"},
        {"query": "SELECT * FROM {t:Identifier}", "param_t": "secrets"},
        {"query": "SELECT * FROM t", "t_format": "CSV", "t_structure": "a Int8"},
        {"query": "SELECT 1", "body": b"x", "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
        {"query": "SELECT 1", "body": b"x", "headers": {"Content-Type": "Multipart/form-data; boundary=x"}},
        {"query": "SELECT 1", "default_format": "Template"},
        {"query": "SELECT 1", "headers": {"X-ClickHouse-Format": "Protobuf"}},
        {"query": "SELECT 1", "headers": {"X-ClickHouse-Database": "information_schema"}},
        {"query": "SELECT 1", "database": "../default"},
        {"query": "SELECT 1", "allow_ddl": "1", "dialect": "prql"},
        {"query": "SELECT 1", "readonly": "0", "allow_introspection_functions": "1"},
        {"query": "SELECT 1", "additional_table_filters": "{'spans': 'file(\\'secrets\\') = 1'}"},
        {"query": "SELECT 1", "max_execution_time": "1'; DROP TABLE spans; --"},
        {"query": "SELECT 1", "max_execution_time = 1, allow_ddl": "1"},
        {"query": "SELECT 1", "param_a b": "1"},
        {"query": "SELECT 1", "param_": "1"},
        {"query": "SELECT 1", "profile": "default"},
        {"query": "SELECT 1\0", "body": ""},
        {"body": HIDDEN.encode("utf-16")},
        {"body": b"\xef\xbb\xbf" + HIDDEN.encode()},
        {"body": HIDDEN, "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
    ],
)
def test_escapes_by_way_of_http_are_refused(request_: dict[str, Any], served: Served) -> None:
    """The road to the gateway must not change what it is asked."""
    answer = served.ask(method="POST", **request_)

    assert 400 <= answer.status < 500
    assert re.match(rb"Code: \d+\. DB::Exception: .+ \([A-Z_]+\)$", answer.data.rstrip(b"\n"), re.DOTALL)
    assert served.ask("SELECT count() FROM spans").data == b"1000\n"


def test_a_long_answer_comes_in_pieces_and_whole(served: Served) -> None:
    rows = 400_000
    expected = b"".join(b"%d\n" % number for number in range(rows))

    streamed = served.ask(f"SELECT number FROM numbers({rows})")
    held = served.ask(f"SELECT number FROM numbers({rows})", wait_end_of_query="1")

    assert streamed.data == held.data == expected
    assert streamed.headers["Transfer-Encoding"] == "chunked"
    assert held.headers["Content-Length"] == str(len(expected))
    assert json.loads(held.headers["X-ClickHouse-Summary"])["read_rows"] == str(rows)


@pytest.mark.parametrize("transport", [{}, {"compress": "1"}, {"enable_http_compression": "1"}])
def test_an_error_midway_is_marked_and_breaks_the_connection(transport: dict[str, str], served: Served) -> None:
    """Half an answer must never pass for a whole one."""
    query = "SELECT number, throwIf(number = 900000) FROM numbers(1000000)"
    fields = urllib.parse.urlencode({"query": query, **transport})
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)
    connection.request("GET", f"/?{fields}", headers={"Accept-Encoding": "gzip"})
    answer = connection.getresponse()

    with pytest.raises(http.client.IncompleteRead) as broken:
        answer.read()

    body = broken.value.partial
    if transport.get("compress"):
        body = decode_blocks(body, 10**8)
    elif transport:
        body = gzip.decompress(body)
    tag = answer.headers["X-ClickHouse-Exception-Tag"].encode()
    data, _, block = body.partition(b"\r\n__exception__\r\n" + tag + b"\r\n")
    message, _, end = block.partition(b"\n")
    assert data.startswith(b"0\t0\n1\t0\n")
    assert message.startswith(b"Code: 395. DB::Exception: ")
    assert end == b"%d %s\r\n__exception__\r\n" % (len(message) + 1, tag)
    assert served.ask("SELECT 1").data == b"1\n"


def test_with_wait_end_of_query_an_error_midway_has_its_status(served: Served) -> None:
    query = "SELECT number, throwIf(number = 900000) FROM numbers(1000000)"

    answer = served.ask(query, wait_end_of_query="1")

    assert (answer.status, answer.headers["X-ClickHouse-Exception-Code"]) == (500, "395")


HEAVY = "SELECT count() FROM numbers_mt(1000000000000) WHERE NOT ignore(sipHash128(toString(number)))"
ENDLESS = "SELECT number, toString(number) FROM numbers(1000000000000)"


@pytest.fixture(scope="module")
def patient(engine: EmbeddedStore, database: str) -> Iterator[Served]:
    """A server whose limits end no query of these tests."""
    limits = Limits(max_execution_time_s=600, max_concurrent=2, max_wait_s=600, max_result_rows=10**15)
    yield from _serve(engine, database, None, limits)


def _hang(port: int, query: str) -> socket.socket:
    """Ask, and do not read."""
    client = socket.create_connection(("127.0.0.1", port))
    path = "/?" + urllib.parse.urlencode({"query": query})
    client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    return client


def _wait_for_running(engine: EmbeddedStore, fragment: str, count: int) -> None:
    handle = engine.open_handle()
    question = f"SELECT count() FROM system.processes WHERE query LIKE '%{fragment}%' AND query NOT LIKE '%processes%'"
    give_up = time.monotonic() + PATIENCE_S
    while int(handle.query(question, "TSV").bytes()) != count:
        assert time.monotonic() < give_up
        time.sleep(0.02)
    handle.close()


@pytest.mark.parametrize(
    ("query", "fragment"),
    [
        (HEAVY, "sipHash128(toString(number))"),
        (f"SELECT ({HEAVY}) FORMAT Native", "sipHash128(toString(number))"),
        (f"EXPLAIN PLAN SELECT ({HEAVY})", "sipHash128(toString(number))"),
        (ENDLESS, "numbers(1000000000000)"),
        (f"{ENDLESS} FORMAT JSON", "numbers(1000000000000)"),
    ],
)
def test_a_client_that_hangs_up_stops_its_query(
    query: str, fragment: str, engine: EmbeddedStore, patient: Served
) -> None:
    """Also while the query has nothing to send, and while it waits for the client to read."""
    client = _hang(patient.port, query)
    _wait_for_running(engine, fragment, 1)

    client.close()

    _wait_for_running(engine, fragment, 0)
    assert patient.ask("SELECT count() FROM spans").data == b"1000\n"


def test_a_client_that_hangs_up_leaves_the_queue(engine: EmbeddedStore, patient: Served) -> None:
    running = [_hang(patient.port, HEAVY) for _ in range(2)]
    _wait_for_running(engine, "sipHash128(toString(number))", 2)
    waiting = [_hang(patient.port, HEAVY) for _ in range(8)]

    for client in [*waiting, *running]:
        client.close()

    give_up = time.monotonic() + PATIENCE_S
    while (answer := patient.ask("SELECT number FROM numbers(3)")).status == 503:  # no room yet, not even to wait
        assert time.monotonic() < give_up
    assert answer.data == b"0\n1\n2\n"
    _wait_for_running(engine, "sipHash128(toString(number))", 0)


def test_closing_the_interface_stops_its_queries(engine: EmbeddedStore, database: str) -> None:
    limits = Limits(max_execution_time_s=600, max_concurrent=1)
    with contextlib.contextmanager(_serve)(engine, database, None, limits) as served:
        client = _hang(served.port, HEAVY)
        _wait_for_running(engine, "sipHash128(toString(number))", 1)
        served.app.close()

        assert b"Code: 394. DB::Exception: " in client.recv(2000)
        _wait_for_running(engine, "sipHash128(toString(number))", 0)
        assert served.ask("SELECT 1").status == 503
        client.close()


def test_a_client_that_takes_nothing_loses_its_query(engine: EmbeddedStore, database: str) -> None:
    limits = Limits(max_concurrent=1, max_wait_s=60, max_stall_s=0.5, max_result_rows=10**15)
    with contextlib.contextmanager(_serve)(engine, database, None, limits) as served:
        client = _hang(served.port, ENDLESS)
        _wait_for_running(engine, "numbers(1000000000000)", 1)

        assert served.ask("SELECT 1").data == b"1\n"
        client.close()


CURL = shutil.which("curl")


def _without_chance(output: str, body: bytes) -> bytes:
    """The answer without what differs between two runs of a query: times, marks, and how rows came in blocks."""
    if output == "Avro":
        mark = body[-16:]
        return body.replace(mark, b"")
    if output == "Native":
        return body.replace(EMPTY_NATIVE_BLOCK, b"") or EMPTY_NATIVE_BLOCK
    return re.sub(rb'"elapsed".*|<elapsed>.*', b"", body)


EMPTY_NATIVE_BLOCK = b"\x01\x00\x0athe_number\x06UInt64"


@pytest.mark.skipif(CURL is None, reason="there is no curl")
@pytest.mark.parametrize("output", CONTENT_TYPES)
def test_curl_gets_every_format(output: str, served: Served) -> None:
    """By GET and by POST, with rows and without; names of columns stay where the format has them."""
    query = "SELECT n AS the_number FROM spans WHERE {}"
    if output == "GeoJSON":
        query = "SELECT (1., 2.)::Point AS the_point, n AS the_number FROM spans WHERE {}"
    answers = []
    for condition in ("n < 2 ORDER BY n", "0"):
        text = query.format(condition)
        url = f"http://127.0.0.1:{served.port}/"
        for arguments in (
            ["--get", "--data-urlencode", f"query={text}", "--data", f"default_format={output}", url],
            ["--data-binary", f"{text} FORMAT {output}", url],
        ):
            command = [
                str(CURL),
                "--silent",
                "--show-error",
                "--write-out",
                "\n%{http_code} %{content_type}",
                *arguments,
            ]
            out = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout
            body, _, end = out.rpartition(b"\n")
            assert end.decode() == f"200 {CONTENT_TYPES[output]}"
            answers.append(_without_chance(output, body))
    assert answers[0] == answers[1]
    assert answers[2] == answers[3]
    if output != "Null":
        assert answers[0]
    assert (b"the_number" in answers[2]) == (output in WITH_NAMES)


def test_the_rows_of_an_empty_answer_have_types_for_arrow_and_parquet(client: Client) -> None:
    for arrow in (
        pa.ipc.open_file(client.raw_query("SELECT n FROM spans WHERE 0", fmt="Arrow")).read_all(),
        pa.ipc.open_stream(client.raw_query("SELECT n FROM spans WHERE 0", fmt="ArrowStream")).read_all(),
        pq.read_table(io.BytesIO(client.raw_query("SELECT n FROM spans WHERE 0", fmt="Parquet"))),
    ):
        assert arrow.schema.field("n").type == pa.uint64()
        assert arrow.num_rows == 0


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
