"""Notices as webhooks and mail have them.

Names in a notice come from spans, and whoever sends spans may write into them what a chat or a mail program takes for
markup. So each format lets nothing be markup but what it adds itself.
"""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape
from typing import Any, Final

from pydantic import SecretStr

from agentvigil.analysis.alerts.destinations import Format, Mail, signing_key
from agentvigil.analysis.alerts.notices import Notice, Transition
from agentvigil.analysis.alerts.texts import one_line
from agentvigil.semconv import __version__

_TYPE: Final = "agentvigil.alert"
_MOST_SUBJECT: Final = 150
_MOST_BLOCK: Final = 2900
"""Slack takes 3,000 characters in a block of text."""

_URL: Final = re.compile(r"https?://[A-Za-z0-9.\[\]:/_-]+")
"""A link that can hold no markup."""

_MARKS: Final = {Transition.RESOLVED: "resolved", Transition.TEST: "test", Transition.SUMMARY: "summary"}


def headline(notice: Notice) -> str:
    """Return a notice in a few words."""
    mark = _MARKS.get(notice.transition, notice.severity.value)
    again = {Transition.WORSE: "worse: ", Transition.REPEATED: "still: "}.get(notice.transition, "")
    return f"[{mark}] {again}{notice.title}"


def body_of(notice: Notice, body_format: Format) -> bytes:
    """Return the body that a webhook is sent, JSON in ASCII."""
    document = _slack(notice) if body_format is Format.SLACK else {"type": _TYPE, "version": 1, **notice.told()}
    return json.dumps(document).encode("ascii")


def headers_of(notice: Notice, body: bytes, secret: SecretStr | None, now: datetime) -> dict[str, str]:
    """Return the headers of a webhook, signed with ``secret`` if there is one.

    They are those of Standard Webhooks, https://www.standardwebhooks.com: the signature is over id, time and body, so
    that a request that was caught can be sent again only with its id, and not for long.
    """
    timestamp = str(int(now.timestamp()))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"agentvigil/{__version__}",
        "webhook-id": notice.id,
        "webhook-timestamp": timestamp,
    }
    if secret is not None:
        signed = f"{notice.id}.{timestamp}.".encode() + body
        digest = hmac.new(signing_key(secret), signed, hashlib.sha256).digest()
        headers["webhook-signature"] = f"v1,{base64.b64encode(digest).decode()}"
    return headers


def mail_of(notice: Notice, mail: Mail, now: datetime) -> EmailMessage:
    """Return the message for the recipients of ``mail``: plain text, and the same as HTML."""
    message = EmailMessage(policy=SMTP)
    message["From"] = mail.sender
    message["To"] = ", ".join(mail.recipients)
    message["Subject"] = one_line(headline(notice), _MOST_SUBJECT)
    message["Date"] = format_datetime(now.astimezone(UTC))
    message["Message-ID"] = f"<{notice.id}@{mail.sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message["X-AgentVigil-Notice"] = notice.id
    # Not every server takes bytes beyond ASCII.
    message.set_content(_plain(notice), cte="quoted-printable")
    message.add_alternative(_html(notice), subtype="html", cte="quoted-printable")
    return message


def _rows(notice: Notice) -> list[tuple[str, str]]:
    rows = [("Rule", notice.rule), ("Project", notice.project)]
    if notice.transition is not Transition.TEST:
        rows.append(("Since", f"{notice.opened_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"))
    rows += [(fact.name, fact.value) for fact in notice.facts]
    return [*rows, ("More", notice.link)] if notice.link else rows


def _plain(notice: Notice) -> str:
    parts = [headline(notice), "", notice.text, ""] if notice.text else [headline(notice), ""]
    parts += [f"- {line}" for line in notice.lines] + ([""] if notice.lines else [])
    parts += [f"{name}: {value}" for name, value in _rows(notice)]
    return "\n".join(parts) + "\n"


def _html(notice: Notice) -> str:
    lines = "".join(f"<li>{escape(line)}</li>" for line in notice.lines)
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{_linked(value) if name == 'More' else escape(value)}</td></tr>"
        for name, value in _rows(notice)
    )
    return (
        f"<html><body><p><b>{escape(headline(notice))}</b></p><p>{escape(notice.text)}</p>"
        f"{f'<ul>{lines}</ul>' if lines else ''}<table>{rows}</table></body></html>\n"
    )


def _linked(link: str) -> str:
    shown = escape(link, quote=True)
    return f'<a href="{shown}">{shown}</a>' if link.startswith(("http://", "https://")) else shown


def _slack(notice: Notice) -> Mapping[str, Any]:
    """Return a message that shows text and nothing else: blocks of plain text, in which Slack reads no markup.

    Only a link is markup, made of an address of ours and an id.

    ``text`` is what notifications show, and all that other programs read which take Slack's messages.
    """
    parts = [notice.text] if notice.text else []
    parts += [f"• {line}" for line in notice.lines]
    rows = "\n".join(f"{name}: {value}" for name, value in _rows(notice))
    blocks = [_block(headline(notice)), *([_block("\n".join(parts))] if parts else []), _block(rows)]
    if _URL.fullmatch(notice.link):
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": f"<{notice.link}|Read on>"}})
    return {"text": _slack_text("\n".join([headline(notice), *parts, rows])), "mrkdwn": False, "blocks": blocks}


def _block(text: str) -> Mapping[str, Any]:
    return {"type": "section", "text": {"type": "plain_text", "emoji": False, "text": _slack_text(text)}}


def _slack_text(text: str) -> str:
    """Return ``text`` so that it mentions nobody: https://docs.slack.dev/messaging/formatting-message-text.

    Slack mentions by ``<!channel>`` and ``<@U1>``; Mattermost, which takes the same messages, by ``@channel`` as well,
    which a space of no width after the sign keeps from being one. It is cut here, where no entity is halved.
    """
    escaped = ""
    for char in text:
        piece = _ENTITIES.get(char, char)
        if len(escaped) + len(piece) >= _MOST_BLOCK:
            return escaped + "…"
        escaped += piece
    return escaped


_ENTITIES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "@\u200b"}
