"""Sends one notice to one destination, once, and says what became of it."""

import contextlib
import http.client
import smtplib
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from agentvigil.analysis.alerts.connecting import NotAllowed, NotReached, Reach, connect, encrypted, until
from agentvigil.analysis.alerts.destinations import Mail, Security, Webhook
from agentvigil.analysis.alerts.formats import body_of, headers_of, mail_of
from agentvigil.analysis.alerts.notices import Notice

_TRY_AGAIN: Final = frozenset({408, 425, 429})
_MOST_WAIT: Final = timedelta(hours=6)
_TRANSIENT: Final = range(400, 500)
"""Of SMTP; where HTTP has the mistakes of who asks, SMTP has those that pass."""


class Result(StrEnum):
    """How an attempt ended."""

    DELIVERED = "delivered"
    TRY_AGAIN = "try_again"
    FAILED = "failed"
    """It would fail again."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an attempt. ``code`` is of HTTP or SMTP, 0 if none was heard; ``error`` holds no words of the
    other side, which may repeat secrets or serve to read what only this server reaches."""

    result: Result
    code: int = 0
    error: str = ""
    wait: timedelta | None = None
    """How long the other side asks to wait."""


TlsContext = Callable[[], ssl.SSLContext]


class Sender:
    """Sends; ``tls_context`` says which certificates are trusted, by default those of the system."""

    def __init__(self, tls_context: TlsContext = ssl.create_default_context) -> None:
        self._tls_context = tls_context

    def send(self, notice: Notice, destination: Webhook | Mail, reach: Reach, now: datetime) -> Outcome:
        """Send ``notice`` to ``destination``, which must be within ``reach``; never raises for what is its fault."""
        try:
            if isinstance(destination, Webhook):
                return self._post(notice, destination, reach, now)
            return self._hand_over(notice, destination, reach, now)
        except NotAllowed as exc:
            return Outcome(Result.FAILED, error=str(exc))
        except NotReached as exc:
            return Outcome(Result.TRY_AGAIN, error=str(exc))

    def _post(self, notice: Notice, webhook: Webhook, reach: Reach, now: datetime) -> Outcome:
        # http.client on a connection of ours: it follows no redirects, asks no proxy, tries nothing again by itself,
        # and its errors do not hold the URL.
        parts = urlsplit(webhook.url.get_secret_value())
        host = parts.hostname or ""
        is_encrypted = parts.scheme == "https"
        port = parts.port or (443 if is_encrypted else 80)
        body = body_of(notice, webhook.format)
        headers = headers_of(notice, body, webhook.secret, now)
        bare = connect(host, port, reach, webhook.timeout_s, is_encrypted=is_encrypted)
        with bare, until(bare, webhook.timeout_s) as deadline:
            try:
                connection = http.client.HTTPConnection(host, port, timeout=webhook.timeout_s)
                connection.sock = encrypted(bare, host, self._tls_context()) if is_encrypted else bare
                try:
                    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
                    headers["Host"] = parts.netloc
                    connection.request("POST", target, body, {**headers, "Connection": "close"})
                    answer = connection.getresponse()
                    if deadline.is_over:
                        # Cut off in its headers an answer looks whole.
                        raise TimeoutError
                    return _meaning(answer.status, answer.headers.get("Retry-After"), now)
                finally:
                    connection.close()
            except (OSError, http.client.HTTPException, NotReached) as exc:
                return Outcome(Result.TRY_AGAIN, error=_reason(exc, webhook.timeout_s, is_over=deadline.is_over))

    def _hand_over(self, notice: Notice, mail: Mail, reach: Reach, now: datetime) -> Outcome:
        message = mail_of(notice, mail, now)
        is_encrypted = mail.security is not Security.NONE
        bare = connect(mail.host, mail.real_port, reach, mail.timeout_s, is_encrypted=is_encrypted)
        with bare, until(bare, mail.timeout_s) as deadline:
            try:
                connection: socket.socket = bare
                if mail.security is Security.TLS:
                    connection = encrypted(bare, mail.host, self._tls_context())
                with contextlib.closing(_SmtpOver(connection, mail.host, mail.real_port, mail.timeout_s)) as smtp:
                    if mail.security is Security.STARTTLS:
                        smtp.starttls(context=self._tls_context())
                    if mail.username is not None and mail.password is not None:
                        smtp.login(mail.username.get_secret_value(), mail.password.get_secret_value())
                    refused = smtp.send_message(message, mail.sender, list(mail.recipients))
                    # It has the message: what it says to a farewell changes nothing.
                    with contextlib.suppress(OSError):
                        smtp.quit()
            except smtplib.SMTPRecipientsRefused as exc:
                codes = {code for code, _ in exc.recipients.values()}
                passes = any(code in _TRANSIENT for code in codes)
                result = Result.TRY_AGAIN if passes else Result.FAILED
                return Outcome(result, max(codes), "every recipient was refused")
            except smtplib.SMTPResponseException as exc:
                # One that was not heard in full has the code -1.
                passes = exc.smtp_code in _TRANSIENT or exc.smtp_code < 0
                is_login = isinstance(exc, smtplib.SMTPAuthenticationError)
                said = "user or password were refused" if is_login else "it was refused"
                return Outcome(Result.TRY_AGAIN if passes else Result.FAILED, max(exc.smtp_code, 0), said)
            except (smtplib.SMTPServerDisconnected, NotReached) as exc:
                return Outcome(Result.TRY_AGAIN, error=_reason(exc, mail.timeout_s, is_over=deadline.is_over))
            except smtplib.SMTPException:
                return Outcome(Result.FAILED, error=f"the server does not offer {_wanted(mail)}")
            except OSError as exc:
                return Outcome(Result.TRY_AGAIN, error=_reason(exc, mail.timeout_s, is_over=deadline.is_over))
        if refused:
            return Outcome(Result.DELIVERED, 250, f"{len(refused)} of {len(mail.recipients)} recipients were refused")
        return Outcome(Result.DELIVERED, 250)


class _SmtpOver(smtplib.SMTP):
    """SMTP over a connection that is there already; ``host`` is whom STARTTLS has to find."""

    def __init__(self, connection: socket.socket, host: str, port: int, timeout_s: float) -> None:
        self._connection = connection
        super().__init__(host, port, local_hostname="agentvigil.invalid", timeout=timeout_s)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:  # noqa: ARG002 - smtplib's
        return self._connection


def _meaning(status: int, retry_after: str | None, now: datetime) -> Outcome:
    if 200 <= status < 300:
        return Outcome(Result.DELIVERED, status)
    if status in _TRY_AGAIN or status >= 500:
        return Outcome(Result.TRY_AGAIN, status, f"the answer was {status}", _wait(retry_after, now))
    if 300 <= status < 400:
        return Outcome(Result.FAILED, status, f"the answer was {status}, and redirects are not followed")
    return Outcome(Result.FAILED, status, f"the answer was {status}")


def _wait(retry_after: str | None, now: datetime) -> timedelta | None:
    """Return how long a header ``Retry-After``, seconds or a date, asks to wait: some hours at most."""
    text = (retry_after or "").strip()
    try:
        if text.isascii() and text.isdigit():
            wait = timedelta(seconds=int(text[:9]))
        else:
            wait = parsedate_to_datetime(text) - now
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(wait, timedelta()), _MOST_WAIT)


def _reason(exc: Exception, timeout_s: float, *, is_over: bool) -> str:
    """Return why there was no answer, in words of ours."""
    if is_over or isinstance(exc, TimeoutError):
        return f"no answer within {timeout_s:g} s"
    if isinstance(exc, NotReached):
        return str(exc)
    if isinstance(exc, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {exc.verify_message}"
    if isinstance(exc, ssl.SSLError):
        return "TLS failed"
    if isinstance(exc, http.client.RemoteDisconnected | smtplib.SMTPServerDisconnected | ConnectionError):
        return "the connection was closed before there was an answer"
    if isinstance(exc, http.client.HTTPException):
        return "the answer was no HTTP"
    return "the connection failed"


def _wanted(mail: Mail) -> str:
    return "STARTTLS" if mail.security is Security.STARTTLS else "a way to log in"
