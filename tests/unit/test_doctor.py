"""Parts of the doctor that need nothing to run: clocks, words, and what a store's version means."""

import json
import socket
import threading
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

import pytest
from clickhouse_connect.driver.client import Client
from google.rpc.status_pb2 import Status as RpcStatus

from agentvigil.cli.calling import Answer, Trust, announced_url, callable_address, clickhouse_call
from agentvigil.cli.doctor.clock import ClockOffset, clock_offset, judge_clock
from agentvigil.cli.doctor.findings import Finding, Status, guarded, not_tried, note, ok, trouble
from agentvigil.cli.doctor.greeting import Certificate, Protocol, Spoken, greet
from agentvigil.cli.doctor.reaching import look_at_certificate
from agentvigil.cli.doctor.refusals import http_refusal
from agentvigil.cli.doctor.report import as_json, as_text
from agentvigil.cli.doctor.store import look_at_server
from agentvigil.cli.doctor.telemetry import Canary, probes, send_and_find
from agentvigil.storage.errors import QueryFailed
from agentvigil.storage.store import Store

HOSTILE = "\x1b]0;owned\x07 \x9b2J name\nsecond line"


class ScriptedStore(Store):
    """Answers every query with the same rows, or fails with the same error."""

    is_embedded = False

    def __init__(self, answer: Sequence[Sequence[Any]] | QueryFailed) -> None:
        super().__init__("default")
        self._answer = answer

    def rows(self, *_: object) -> Sequence[Sequence[Any]]:
        if isinstance(self._answer, QueryFailed):
            raise self._answer
        return self._answer

    def insert_protobuf(self, *_: object) -> NoReturn:
        raise AssertionError("the doctor does not insert")

    def stream(self, *_: object) -> NoReturn:
        raise AssertionError("the doctor reads nothing long")

    def _connect(self) -> Client:
        raise AssertionError("the doctor asks over HTTP")


def clocks(offset_s: float, ways_s: Sequence[tuple[float, float]]) -> tuple[Any, Any]:
    """A clock ``offset_s`` ahead of ours, asked over ways of these lengths there and back; and our clock."""
    time_s = 1000.0
    ways = iter(ways_s)

    def ask() -> float:
        nonlocal time_s
        there, back = next(ways)
        time_s += there
        read = time_s + offset_s
        time_s += back
        return read

    return ask, lambda: time_s


# --- clock


def test_the_sample_with_the_shortest_way_tells_the_offset() -> None:
    """One slow answer, here 3 s one way, must not look like a clock that is wrong."""
    ask, now = clocks(0.5, [(3.0, 0.0), (0.01, 0.01), (0.0, 2.0)])

    found = clock_offset(ask, now, samples=3)

    assert found.offset_s == pytest.approx(0.5)
    assert found.uncertainty_s == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("offset_s", "status"),
    [
        (0.0, Status.OK),
        (0.99, Status.OK),
        (-1.1, Status.NOTE),
        (4.9, Status.NOTE),
        (5.1, Status.TROUBLE),
        (-3600, Status.TROUBLE),
    ],
)
def test_a_clock_is_noted_from_one_second_and_trouble_from_five(offset_s: float, status: Status) -> None:
    """Spans of two machines can not be put in order when their clocks differ by more than the spans last."""
    ask, now = clocks(offset_s, [(0.01, 0.01)])

    finding = judge_clock("clock", "the store", clock_offset(ask, now, samples=1))

    assert finding.status is status
    assert bool(finding.advice) == (status is not Status.OK)
    assert ("behind" if offset_s < 0 else "ahead of") in finding.found


def test_what_is_not_certain_about_a_clock_does_not_count() -> None:
    """A Date header has whole seconds, and a slow network hides as much as it takes."""
    assert judge_clock("clock", "it", ClockOffset(5.5, 5.0)).status is Status.OK


# --- report


def findings() -> list[Finding]:
    return [
        ok("one", "fine"),
        note("another", HOSTILE, "look at it"),
        trouble("a third", "broken", f"mend it {HOSTILE}"),
        not_tried("last", "see a third"),
    ]


def test_what_a_server_sent_can_not_drive_the_terminal() -> None:
    """Whatever listens on a port is not our friend until it is known."""
    text = as_text(findings(), colours=False)

    assert all(c.isprintable() or c == "\n" for c in text)
    assert r"\x1b]0;owned\x07" in text
    assert len(text.splitlines()) == 4 + 2 + 1, "one line each, one for each advice, one to sum up"


def test_columns_line_up_and_the_last_line_sums_up() -> None:
    """A person looks for the word trouble down the left edge."""
    plain = as_text(findings(), colours=False).splitlines()

    assert plain[0] == "ok       one      fine"
    assert plain[-1] == "1 ok, 2 notes, 1 trouble: mend what is marked trouble, from the top"
    coloured = as_text(findings(), colours=True)
    assert "\x1b[31;1mtrouble\x1b[0m  a third" in coloured


def test_json_says_the_same() -> None:
    """Scripts read it."""
    document = json.loads(as_json(findings()))

    assert document["status"] == "trouble"
    assert [finding["status"] for finding in document["findings"]] == ["ok", "note", "trouble", "note"]
    assert document["findings"][1]["found"] == HOSTILE
    assert json.loads(as_json(findings()[:2]))["status"] == "ok"


def test_a_check_that_breaks_is_a_finding() -> None:
    """The others must still be made."""

    def breaks() -> NoReturn:
        raise ZeroDivisionError("division by zero")

    (finding,) = guarded("arithmetic", breaks)

    assert finding.status is Status.TROUBLE
    assert "ZeroDivisionError: division by zero" in finding.found


# --- store


def test_a_clickhouse_that_is_too_old_is_trouble() -> None:
    """The schema needs text indexes."""
    (finding,) = look_at_server(ScriptedStore([["25.8.12.129"]]), "http://clickhouse:8123")

    assert finding.status is Status.TROUBLE
    assert "25.8.12.129" in finding.found
    assert "26.2 is needed" in finding.found


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (QueryFailed(516, "AUTHENTICATION_FAILED", "Code: 516. DB::Exception: default: no"), "user and password"),
        (QueryFailed(0, "connection refused", "connection refused"), "check the address"),
    ],
)
def test_a_wrong_password_is_told_apart_from_no_server(error: QueryFailed, advice: str) -> None:
    """Both look like an outage to a sender."""
    (finding,) = look_at_server(ScriptedStore(error), "http://clickhouse:8123")

    assert finding.status is Status.TROUBLE
    assert advice in finding.advice


# --- test telemetry


def acknowledge(*_: object) -> bytes:
    """An empty response is a full success in every signal."""
    return b""


def test_content_that_was_stored_is_trouble() -> None:
    """This is the one check that must not be passed by a store which keeps what it should not."""
    *found, content = send_and_find("gRPC", acknowledge, ScriptedStore([[1, 1]]), timeout_s=1)

    assert [finding.status for finding in found] == [Status.OK] * 3
    assert content.status is Status.TROUBLE
    assert "stored with 3 of 3 items" in content.found


def test_what_was_acknowledged_and_is_not_there_is_trouble() -> None:
    """And then nothing is known about content."""
    *found, content = send_and_find("HTTP", acknowledge, ScriptedStore([[0, 0]]), timeout_s=0.01)

    assert [finding.status for finding in found] == [Status.TROUBLE] * 3
    assert "--database" in found[0].advice
    assert content.found.startswith("not tried")


def test_what_is_there_twice_is_trouble() -> None:
    """A request is stored once, however often it is sent."""
    assert send_and_find("gRPC", acknowledge, ScriptedStore([[2, 0]]), timeout_s=1)[0].status is Status.TROUBLE


def test_the_canary_is_in_everything_that_is_sent() -> None:
    """Else that it is nowhere would mean nothing."""
    canary = Canary.new()

    for probe in probes(canary, 10**18):
        assert canary.content.encode() in probe.body
        assert b"gen_ai.input.messages" in probe.body
    assert Canary.new() != canary


@pytest.mark.parametrize(
    ("status", "message", "advice"),
    [
        (429, "the receiver's disk has 1 MiB free", "--min-free-disk-bytes"),
        (429, "9 bytes wait to be stored", "--max-queued-bytes"),
        (503, "the store can not take it now", "the server's log"),
        (404, "nothing is at /v1/logs", "older agentvigil"),
        (401, "this receiver needs a key", "AGENTVIGIL_INGEST_KEY"),
        (502, "<html>", "do not fit together"),
    ],
)
def test_each_refusal_says_what_to_do(status: int, message: str, advice: str) -> None:
    """What a sender hears is a code; what somebody must do depends on why."""
    refused = http_refusal(Answer(status, {}, RpcStatus(message=message).SerializeToString()), None)

    assert f"HTTP {status}" in refused.found
    assert advice in refused.advice


# --- certificates


@pytest.mark.parametrize(("days", "status"), [(15, Status.OK), (13, Status.NOTE)])
def test_a_certificate_that_ends_soon_is_noted(days: int, status: Status) -> None:
    """When it ends all senders fail at once."""
    assert look_at_certificate(Certificate(("a.test",), 1e9 + days * 86_400), 1e9).status is status


# --- calling


@pytest.mark.parametrize(
    ("listens_on", "called_at"),
    [
        ("0.0.0.0:4317", "127.0.0.1:4317"),
        ("[::]:4317", "[::1]:4317"),
        ("10.0.0.5:4317", "10.0.0.5:4317"),
        ("vigil.example.org:4317", "vigil.example.org:4317"),
    ],
)
def test_a_server_that_listens_everywhere_is_called_here(listens_on: str, called_at: str) -> None:
    """0.0.0.0 is no address to call, and no name in a certificate."""
    assert callable_address(listens_on) == called_at


def test_the_scheme_comes_from_what_was_announced() -> None:
    """`agentvigil sql` and the doctor are told nowhere else that a server speaks TLS."""
    addresses = {"addresses": {"api": "0.0.0.0:8787"}}
    assert announced_url({**addresses, "certificate": None}, "api") == "http://127.0.0.1:8787"
    assert announced_url({**addresses, "certificate": "/tls/cert.pem"}, "api") == "https://127.0.0.1:8787"
    assert announced_url(addresses, "clickhouse_http") is None
    assert announced_url({}, "api") is None


def test_user_and_password_go_into_a_header() -> None:
    """So that an error may show the URL."""
    url, headers = clickhouse_call("https://me:p%40ss@clickhouse.example.org")
    assert url == "https://clickhouse.example.org:8443"
    assert headers == {"authorization": "Basic bWU6cEBzcw=="}
    assert clickhouse_call("http://[::1]:9000")[0] == "http://[::1]:9000"
    assert Trust().pinned() is None


# --- greeting


@pytest.fixture
def answering() -> Iterator[Any]:
    """A function that makes a port which says one thing to whoever calls, and returns its address."""
    listeners = []

    def listen(answer: bytes) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        return f"127.0.0.1:{listener.getsockname()[1]}"

    yield listen
    for listener in listeners:
        listener.close()


@pytest.mark.parametrize(
    ("answer", "spoken"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", Spoken.HTTP),
        (b"\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64", Spoken.HTTP2),
        (b"\x15\x03\x01\x00\x02\x02\x46", Spoken.TLS),
        (b"220 mail.example.org ESMTP\r\n", Spoken.OTHER),
        (b"", Spoken.CLOSED),
    ],
)
def test_the_first_bytes_tell_what_a_port_speaks(answering: Any, answer: bytes, spoken: Spoken) -> None:
    """gRPC calls all of these UNAVAILABLE."""
    assert greet(answering(answer), Protocol.GRPC, 5) is spoken


def test_a_port_that_says_nothing_does_not_hold_us_up() -> None:
    """The backlog of a program that hangs takes connections still."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert greet(f"127.0.0.1:{silent.getsockname()[1]}", Protocol.HTTP, 0.05) is Spoken.SILENT
