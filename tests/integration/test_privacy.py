"""What people said reaches no disk under the default policy, also when the process is killed while it stores.

A canary is sent wherever there can be text, and then searched in every column and in every byte of every file the
server may have written. So that bytes can be searched at all, the tables are made without compression first; that the
search would find something is proved by a label that is kept, and by a project that lets everything be stored.
"""

import contextlib
import gzip
import itertools
import os
import shutil
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final, Self

import grpc
import pytest
from canaries import CANARY, MARKER, TEXTS, columns_with, request_with, spellings
from server_process import OtlpSender, Server, free_port, insert_under_way, prepare, run_statements, until

from agentvigil.receiver.otlp import LOGS, METRICS, OTLP_SIGNALS, TRACES, OtlpSignal
from agentvigil.storage.signals import SUMMARY

KILLS: Final = int(os.environ.get("AGENTVIGIL_TEST_KILLS", "1"))
SECRET: Final = CANARY
SOME_TEXTS: Final = TEXTS[:1]
"""Enough for a request that is sent while servers are killed; test_canaries has them all."""


def _field(number: int, octets: bytes) -> bytes:
    """A length-delimited field of protobuf's wire format."""

    def varint(value: int) -> bytes:
        return (bytes([value & 0x7F | 0x80]) + varint(value >> 7)) if value > 0x7F else bytes([value])

    return varint(number << 3 | 2) + varint(len(octets)) + octets


def poisoned_requests(trace_id: bytes) -> dict[str, bytes]:
    """Requests in which something is wrong after the secret, and what is wrong with them."""
    good = request_with(TRACES, trace_id, SOME_TEXTS)
    secret = SECRET.encode()
    # resource_spans { scope_spans { spans { ... } } } with what no encoder writes into the innermost.
    span = _field(1, trace_id) + _field(2, bytes(7) + b"\x01")

    def with_span(*octets: bytes) -> bytes:
        return good + _field(1, _field(2, _field(2, span + b"".join(octets))))

    key = _field(1, b"input.value")
    attribute = _field(9, key + _field(2, _field(1, secret)))
    return {
        "cut off": good[:-7],
        "ends in a tag": good + b"\x0a",
        "no protobuf": secret + good,
        "text that is not UTF-8": with_span(_field(9, key + _field(2, _field(1, secret + b"\xff\xfe")))),
        "a kind that is a string": with_span(attribute, _field(6, secret)),
        "a start that is a string": with_span(attribute, _field(7, secret)),
        "a status that is a number": with_span(attribute, b"\x78\x01"),
        "a value that is a number": with_span(_field(9, key + b"\x10\x01"), attribute),
        "a number that is a string": with_span(_field(9, key + _field(2, _field(3, secret)))),
        "an unknown field": with_span(attribute, _field(99, secret)),
        "no ids": good + _field(1, _field(2, _field(2, attribute))),
        "nothing but a span without ids": _field(1, _field(2, _field(2, attribute))),
    }


@dataclass
class Senders:
    """Threads that send the secret until they are told to end; ``acknowledged`` counts what was stored."""

    address: str
    acknowledged: Counter[str] = field(default_factory=Counter)
    _end: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._threads = [
            threading.Thread(target=self._send, args=shape, daemon=True)
            for shape in enumerate((TRACES, TRACES, LOGS, METRICS))
        ]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join(30)

    def _send(self, number: int, otlp: OtlpSignal) -> None:
        placeholder = b"trace id to come"
        body = request_with(otlp, placeholder, SOME_TEXTS)
        sender = OtlpSender(self.address, otlp)
        for count in itertools.count(1):
            if self._end.is_set():
                break
            try:
                sender.send(body.replace(placeholder, (number << 64 | count).to_bytes(16, "big")))
                self.acknowledged[otlp.signal.name] += 1
                # What one is sent while it is killed need not be as much as it can take.
                self._end.wait(0.2)
            except grpc.RpcError:
                time.sleep(0.1)
        sender.close()


@pytest.fixture(scope="module")
def uncompressed_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose schema is such that everything ClickHouse writes there can be read by eye; to be copied."""
    data = prepare(tmp_path_factory.mktemp("uncompressed") / "data")
    ((columns,),) = (
        run_statements(
            data,
            "SELECT table, name FROM system.columns "
            "WHERE database = currentDatabase() AND default_kind NOT IN ('ALIAS', 'EPHEMERAL') "
            "AND type LIKE '%String%' AND table IN "
            "(SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree')",
        ),
    )
    codecs: dict[str, list[str]] = {}
    for table, column in columns:
        codecs.setdefault(table, []).append(f"MODIFY COLUMN `{column}` CODEC(NONE)")
    run_statements(
        data,
        *(f"ALTER TABLE {table} {', '.join(changes)}" for table, changes in codecs.items()),
        *(
            f"ALTER TABLE {table} MODIFY SETTING compress_marks = 0, compress_primary_key = 0, "
            "marks_compression_codec = 'NONE', primary_key_compression_codec = 'NONE', "
            "default_compression_codec = 'NONE'"
            for table in codecs
        ),
    )
    return data


def files_with(needles: Iterable[bytes], *folders: Path) -> list[str]:
    """Names of the files under ``folders`` that have one of ``needles`` in their name or their bytes."""
    needles = list(needles)
    found = []
    # Not with Path.rglob, which fails on folders that are merged away meanwhile.
    for folder, _, names in itertools.chain.from_iterable(map(os.walk, folders)):
        for path in (Path(folder, name) for name in names):
            with contextlib.suppress(FileNotFoundError):
                octets = str(path).encode() + b"\n" + path.read_bytes()
                if any(needle in octets for needle in needles):
                    found.append(str(path))
    return found


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every place the server may write to: its data, its temporary files, where it was started, its home, its log."""
    root = tmp_path_factory.mktemp("privacy")
    places = {name: root / name for name in ("data", "tmp", "cwd", "home", "log")}
    for place in places.values():
        place.mkdir()
    return places


@pytest.fixture(scope="module")
def uncompressed(folders: dict[str, Path], uncompressed_home: Path) -> Iterator[Server]:
    """A server whose tables are not compressed, and that writes nowhere but to ``folders``."""
    shutil.copytree(uncompressed_home, folders["data"], symlinks=True, dirs_exist_ok=True)
    server = Server(
        folders["data"],
        folders["log"],
        *("--otlp-grpc", f"127.0.0.1:{free_port()}", "--log-level", "debug"),
        *("--max-span-attributes", "100000"),
        variables={"TMPDIR": str(folders["tmp"]), "HOME": str(folders["home"])},
        cwd=folders["cwd"],
    )
    yield server
    server.kill()


@pytest.fixture
def server(uncompressed: Server) -> Server:
    """That server, running."""
    if not uncompressed.is_running:
        uncompressed.start()
    return uncompressed


@pytest.mark.long
def test_files_of_a_project_that_allows_it_have_it(tmp_path: Path, uncompressed_home: Path) -> None:
    """The search of files would find what is there, and the policy reaches the store."""
    data, logs = tmp_path / "data", tmp_path / "log"
    shutil.copytree(uncompressed_home, data, symlinks=True)
    logs.mkdir()
    server = Server(data, logs, "--content-policy", "default=full")
    server.start()
    for otlp in OTLP_SIGNALS:
        OtlpSender(server.addresses["otlp_grpc"], otlp).send(request_with(otlp, bytes(15) + b"\x01", SOME_TEXTS))
    ready = server.output()
    assert server.stop() == 0

    assert "default=full" in ready
    found = {Path(name).suffix for name in files_with([SECRET.encode()], data / "clickhouse")}
    assert ".bin" in found
    assert "otel_logs.LogAttributes" in columns_with(asking(data), SECRET)


def asking(data: Path) -> Any:
    """Ask the store in ``data``, which no server has open."""
    return partial(run_statements, data)


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_what_is_wrong_with_a_request_is_told_without_its_content(
    protocol: str, server: Server, folders: dict[str, Path]
) -> None:
    """Errors are where content leaks: ClickHouse quotes the data it fails on, and answers end up in senders' logs."""
    # Each that only the store finds fault with costs it seconds, and it does not know how they came.
    send, which = (_send_grpc, slice(None)) if protocol == "grpc" else (_send_http, slice(None, None, 3))
    told = {}
    for wrong, body in list(poisoned_requests(uuid.uuid4().bytes).items())[which]:
        told[wrong] = send(server, body)
    # The server is well, and takes the next request.
    OtlpSender(server.addresses["otlp_grpc"]).send(request_with(TRACES, uuid.uuid4().bytes, SOME_TEXTS))

    needles = spellings(SECRET)
    print(*(f"{wrong}: {answer[:60]!r}" for wrong, answer in told.items()), sep="\n")
    assert {wrong: answer for wrong, answer in told.items() if any(needle in answer for needle in needles)} == {}
    assert [needle for needle in needles if needle in server.output().encode()] == []
    assert files_with(needles, *folders.values()) == []


def _send_grpc(server: Server, body: bytes) -> bytes:
    sender = OtlpSender(server.addresses["otlp_grpc"])
    try:
        return b"OK " + sender.send(body).SerializeToString()
    except grpc.RpcError as exc:
        return f"{exc.code()} {exc.details()} {exc.trailing_metadata()}".encode()
    finally:
        sender.close()


def _send_http(server: Server, body: bytes) -> bytes:
    request = urllib.request.Request(
        f"http://{server.addresses['otlp_http']}/v1/traces",
        data=gzip.compress(body),
        headers={"Content-Type": "application/x-protobuf", "Content-Encoding": "gzip"},
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return b"OK " + response.read()
    except urllib.error.HTTPError as exc:
        return str(exc.code).encode() + str(exc.headers).encode() + exc.read()


@pytest.mark.timeout(300 + 15 * KILLS)
@pytest.mark.long
def test_kills_while_storing_leave_no_content_on_any_disk(server: Server, folders: dict[str, Path]) -> None:
    """Nobody may have to trust a dead process: what it was sent must not be readable from what it left behind."""
    left_behind = []
    with Senders(server.addresses["otlp_grpc"]) as senders:
        for _ in range(KILLS):
            enough = {otlp.signal.name: senders.acknowledged[otlp.signal.name] + 1 for otlp in OTLP_SIGNALS}
            until(
                lambda enough=enough: all(senders.acknowledged[name] >= count for name, count in enough.items()),  # type: ignore[misc]
                "acknowledgements",
            )
            until(lambda: insert_under_way(folders["data"]), "an insert", pause_s=0)
            server.kill()
            # Before the next start, which clears away what was not finished.
            left_behind += files_with(spellings(SECRET), *folders.values())
            server.start()
    assert server.stop() == 0
    left_behind += files_with(spellings(SECRET), *folders.values())
    marked = files_with([MARKER.encode()], folders["data"])

    assert left_behind == []
    elsewhere = [name for name in ("tmp", "cwd", "home") if any(folders[name].iterdir())]
    assert elsewhere == [], "the server writes only to its data directory"
    assert [name for name in marked if name.endswith(".bin")], "the search does not find what is there"
    assert columns_with(asking(folders["data"]), SECRET) == []
    attributes = {
        TRACES: ("SpanAttributes", "Events.Attributes", "Links.Attributes"),
        LOGS: ("LogAttributes",),
        METRICS: ("Attributes", "Exemplars.FilteredAttributes"),
    }
    assert set(columns_with(asking(folders["data"]), MARKER)) >= {
        f"{destination.table}.{column}"
        for otlp, columns in attributes.items()
        for destination in otlp.signal.destinations
        for column in ("ResourceAttributes", "ScopeAttributes", *columns)
        if (destination, column) != (SUMMARY, "Exemplars.FilteredAttributes")
    }
