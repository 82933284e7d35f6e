"""Notices reach real servers, and what those do wrong is told in words of ours."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from pydantic import SecretStr

from agentvigil.analysis.alerts.connecting import NotAllowed, Reach, connect
from agentvigil.analysis.alerts.destinations import Mail, Security, Webhook
from agentvigil.analysis.alerts.notices import Fact, Notice, Transition
from agentvigil.analysis.alerts.sending import Outcome, Result, Sender
from agentvigil.analysis.findings.model import Severity
from alert_receivers import (
    HOST,
    Answer,
    Mailbox,
    babble,
    hang_up,
    mailbox,
    serving_as,
    status,
    trusting,
    webhooks,
)

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
ANYWHERE = Reach(may_be_private=True)
INTERNET = Reach(may_be_private=False)
TOKEN = "T0KEN"
NOTICE = Notice(
    id="0123456789abcdef0123456789abcdef",
    project="default",
    rule="r",
    transition=Transition.OPENED,
    severity=Severity.MAJOR,
    subject="a",
    title="Überlast — drift of a: tools",
    text="The share moved.",
    at=NOW,
    opened_at=NOW,
    facts=(Fact("Detector", "mixture"),),
)


def send(destination: Webhook | Mail, reach: Reach = ANYWHERE, sender: Sender | None = None) -> Outcome:
    return (sender or Sender(trusting)).send(NOTICE, destination, reach, NOW)


def webhook(url: str, **more: Any) -> Webhook:
    return Webhook(url=SecretStr(url), **more)


# Webhooks


def test_a_webhook_is_posted_to() -> None:
    with webhooks() as server:
        outcome = send(webhook(server.url(f"/hook/{TOKEN}?a=1")))
        (got,) = server.got
    assert outcome == Outcome(Result.DELIVERED, 200)
    assert (got.path, got.headers["content-type"]) == (f"/hook/{TOKEN}?a=1", "application/json")
    assert (got.headers["webhook-id"], got.headers["host"]) == (NOTICE.id, f"{HOST}:{server.port}")
    assert got.document["title"] == NOTICE.title


def test_over_tls_it_is_known_by_its_certificate() -> None:
    with webhooks(serving_as("localhost")) as server:
        assert send(webhook(server.url(scheme="https", host="localhost"))).result is Result.DELIVERED
        other_name = send(webhook(server.url(scheme="https")))
        not_trusted = send(webhook(server.url(scheme="https", host="localhost")), sender=Sender())
        assert len(server.got) == 1
    for outcome in (other_name, not_trusted):
        assert outcome.result is Result.TRY_AGAIN
        assert "certificate is not trusted" in outcome.error


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (status(204), Outcome(Result.DELIVERED, 204)),
        (status(500), Outcome(Result.TRY_AGAIN, 500, "the answer was 500")),
        (status(503, Retry_After="120"), Outcome(Result.TRY_AGAIN, 503, "the answer was 503", timedelta(minutes=2))),
        (status(429, Retry_After="7"), Outcome(Result.TRY_AGAIN, 429, "the answer was 429", timedelta(seconds=7))),
        (
            status(429, Retry_After="Mon, 30 Nov 2026 12:05:00 GMT"),
            Outcome(Result.TRY_AGAIN, 429, "the answer was 429", timedelta(minutes=5)),
        ),
        (status(429, Retry_After="9" * 40), Outcome(Result.TRY_AGAIN, 429, "the answer was 429", timedelta(hours=6))),
        (status(429, Retry_After="soon"), Outcome(Result.TRY_AGAIN, 429, "the answer was 429")),
        (status(408), Outcome(Result.TRY_AGAIN, 408, "the answer was 408")),
        (status(404), Outcome(Result.FAILED, 404, "the answer was 404")),
        (status(410), Outcome(Result.FAILED, 410, "the answer was 410")),
        (hang_up, Outcome(Result.TRY_AGAIN, 0, "the connection was closed before there was an answer")),
        (babble, Outcome(Result.TRY_AGAIN, 0, "the answer was no HTTP")),
    ],
)
def test_what_a_webhook_answers_is_understood(answer: Answer, expected: Outcome) -> None:
    with webhooks() as server:
        server.answers = [answer]
        assert send(webhook(server.url(f"/{TOKEN}"))) == expected
        assert len(server.got) == 1


def test_redirects_are_not_followed() -> None:
    """Where it points to was looked at by nobody."""
    with webhooks() as server, webhooks() as other:
        server.answers = [status(307, Location=other.url()), status(302, Location=other.url())]
        for _ in range(2):
            outcome = send(webhook(server.url()))
            assert outcome.result is Result.FAILED
            assert "redirects are not followed" in outcome.error
        assert other.got == []


@pytest.mark.parametrize("drips", [False, True], ids=["silent", "dripping"])
def test_a_slow_server_holds_nobody_up(*, drips: bool) -> None:
    """A byte now and then is no answer either."""
    over = threading.Event()

    def slow(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while drips and not over.wait(0.05):
            try:
                handler.wfile.write(b"x")
            except OSError:
                return
        over.wait(20)

    with webhooks() as server:
        server.answers = [slow]
        outcome = send(webhook(server.url(), timeout_s=1))
        over.set()
    assert outcome == Outcome(Result.TRY_AGAIN, 0, "no answer within 1 s")


def test_nobody_there_is_told() -> None:
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
    assert send(webhook(f"http://{HOST}:{port}/{TOKEN}")) == Outcome(Result.TRY_AGAIN, 0, "connection refused")
    unknown = send(webhook(f"https://no-such-host.invalid/{TOKEN}"))
    assert unknown == Outcome(Result.TRY_AGAIN, 0, "the host's name is not known")


# Where it may go


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1:1/",
        "https://localhost:1/",
        "https://10.1.2.3/",
        "https://192.168.0.1/",
        "https://100.64.0.1/",
        "https://[::1]/",
        "https://[fd00::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[64:ff9b::10.0.0.1]/",
        "https://[2002:7f00:1::]/",
        "https://2130706433/",
        "https://0x7f.1/",
    ],
)
def test_what_the_api_made_reaches_nothing_inside(url: str) -> None:
    outcome = send(webhook(url), INTERNET)
    assert outcome.result is Result.FAILED
    assert "private" in outcome.error


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/latest", "http://[fe80::1]/", "http://0.0.0.0:1/", "http://224.0.0.1/"]
)
def test_nobody_reaches_what_tells_machines_their_credentials(url: str) -> None:
    outcome = send(webhook(url), ANYWHERE)
    assert outcome.result is Result.FAILED
    assert "link-local" in outcome.error


def test_nothing_goes_over_the_internet_in_the_clear() -> None:
    for reach in (ANYWHERE, INTERNET):
        with pytest.raises(NotAllowed, match="without TLS"):
            connect("8.8.8.8", 80, reach, 1, is_encrypted=False)


# Mail


def mail(server: Mailbox, **more: Any) -> Mail:
    said = {
        "host": "localhost",
        "port": server.port,
        "security": "none",
        "sender": "vigil@example.org",
        "recipients": ["ops@example.org", "b@example.org"],
        "timeout_s": 20,
    }
    return Mail.model_validate(said | more)


def test_mail_is_handed_over_after_starttls_by_who_knows_the_password() -> None:
    with mailbox(tls=serving_as("localhost"), login=("vigil", "pass word")) as server:
        login = {"security": "starttls", "username": "vigil", "password": "pass word"}
        assert send(mail(server, **login)) == Outcome(Result.DELIVERED, 250)
        ((sender, recipients, message),) = server.got
        wrong = send(mail(server, **(login | {"password": TOKEN})))
        assert server.logins[0] == (b"vigil", b"pass word")
        assert len(server.got) == 1
    assert (sender, list(recipients)) == ("vigil@example.org", ["ops@example.org", "b@example.org"])
    assert message["Subject"] == f"[major] {NOTICE.title}"
    assert message["Message-ID"] == f"<{NOTICE.id}@example.org>"
    plain = message.get_body(("plain",))
    assert plain is not None
    assert "The share moved." in plain.get_content()
    assert (wrong.result, wrong.code, wrong.error) == (Result.FAILED, 535, "user or password were refused")


def test_mail_is_handed_over_by_tls() -> None:
    with mailbox(tls=serving_as("localhost"), at_once=True) as server:
        assert send(mail(server, security="tls")).result is Result.DELIVERED
        refused = send(mail(server, security="tls"), sender=Sender())
        assert len(server.got) == 1
    assert "certificate is not trusted" in refused.error


def test_mail_servers_say_no_in_many_ways() -> None:
    with mailbox() as server:
        server.replies = ["451 come back later", "554 we do not like it"]
        assert send(mail(server)) == Outcome(Result.TRY_AGAIN, 451, "it was refused")
        assert send(mail(server)) == Outcome(Result.FAILED, 554, "it was refused")
        server.refused = {"b@example.org"}
        assert send(mail(server)) == Outcome(Result.DELIVERED, 250, "1 of 2 recipients were refused")
        server.refused = {"b@example.org", "ops@example.org"}
        assert send(mail(server)) == Outcome(Result.FAILED, 550, "every recipient was refused")
        no_tls = send(mail(server, security="starttls"))
        assert no_tls == Outcome(Result.FAILED, 0, "the server does not offer STARTTLS")
        assert send(mail(server), INTERNET).result is Result.FAILED
        assert len(server.got) == 1


@contextmanager
def smtp_that(talks: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server that listens and then only ``talks``."""
    with socket.create_server((HOST, 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                talks(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


@pytest.mark.parametrize(
    ("talks", "error"),
    [
        (lambda connection: connection.recv(1), "no answer within 1 s"),
        (lambda connection: connection.sendall(b"554 go away\r\n"), "it was refused"),
        (lambda connection: None, "the connection was closed before there was an answer"),
        (lambda connection: connection.sendall(b"HTTP/1.1 400 Bad\r\n\r\n"), "it was refused"),
    ],
    ids=["silent", "unwilling", "gone", "no SMTP"],
)
def test_what_is_no_mail_server_is_told(talks: Callable[[socket.socket], None], error: str) -> None:
    with smtp_that(talks) as port:
        outcome = send(mail(Mailbox(port), host=HOST, security=Security.NONE, timeout_s=1))
    assert outcome.error == error
