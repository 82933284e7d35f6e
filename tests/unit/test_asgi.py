"""Asking an application of this process: its answers come piece by piece, and one that breaks off is noticed."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from agentvigil.cli.asgi import InProcess, Interrupted


def asked(app: ASGIApp) -> tuple[int, Iterator[bytes]]:
    return InProcess(app).open("POST", "/a%2Fb", "x=1", {"Authorization": "Bearer k"}, b"body")


async def start(send: Send, status: int = 200) -> None:
    await send({"type": "http.response.start", "status": status, "headers": []})


def test_the_application_sees_the_request_as_a_server_would_hand_it_over() -> None:
    """Names of sessions and agents have slashes in them; routes get them decoded."""
    seen: dict[str, Any] = {}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.update(scope, body=(await receive())["body"])
        await start(send, 418)
        await send({"type": "http.response.body", "body": b"short"})

    status, pieces = asked(app)

    assert (status, list(pieces)) == (418, [b"short"])
    assert (seen["path"], seen["raw_path"], seen["query_string"], seen["body"]) == ("/a/b", b"/a%2Fb", b"x=1", b"body")
    assert seen["headers"] == [(b"authorization", b"Bearer k")]


def test_pieces_come_while_the_application_still_makes_them() -> None:
    """An export may be larger than memory."""
    made = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await start(send)
        for number in range(1000):
            made.append(number)
            await send({"type": "http.response.body", "body": b"%d" % number, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    _, pieces = asked(app)

    assert next(pieces) == b"0"
    assert len(made) < 20
    assert len(list(pieces)) == 1000


@pytest.mark.parametrize("pieces_before", [0, 1])
def test_an_answer_that_breaks_off_is_not_taken_for_a_whole_one(pieces_before: int) -> None:
    """Half an export that looks like all of it is worse than none."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await start(send)
        for _ in range(pieces_before):
            await send({"type": "http.response.body", "body": b"piece", "more_body": True})
        raise RuntimeError("the disk is gone")

    _, pieces = asked(app)

    with pytest.raises(Interrupted):
        list(pieces)


def test_no_answer_at_all_is_told() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError("nothing works")

    with pytest.raises(Interrupted):
        asked(app)


def test_who_reads_no_further_stops_the_work() -> None:
    """After `| head` nobody wants the other million rows."""
    ended = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await start(send)
        try:
            while True:
                await send({"type": "http.response.body", "body": b"piece", "more_body": True})
        except asyncio.CancelledError:
            ended.append(True)
            raise

    process = InProcess(app)
    _, pieces = process.open("GET", "/", "", {}, b"")
    assert next(pieces) == b"piece"
    process.close()

    assert ended == [True]
    process.close()
