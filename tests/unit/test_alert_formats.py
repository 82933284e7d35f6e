"""Whatever spans say, a notice is text: it mentions nobody, adds no header and no markup; and it is signed as sent."""

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from agentvigil.analysis.alerts.destinations import Format, Mail
from agentvigil.analysis.alerts.formats import body_of, headers_of, mail_of
from agentvigil.analysis.alerts.notices import Fact, Notice, Transition
from agentvigil.analysis.findings.model import Severity

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
HOSTILE = (
    "<!channel> <@U123> <https://evil.example|click> @here @everyone &amp; *b* `x`\r\nBcc: victim@example.org\r\n\r\n"
    "<script>alert(1)</script>\u2028\u0085\x00\x1b[31m \u202egnp.exe \ud800 \" ' --> ]]>"
)
MAIL = Mail.model_validate(
    {"host": "h", "sender": "vigil@example.org", "recipients": ["ops@example.org", "b@example.org"]}
)


def notice(text: str = "fine", **more: Any) -> Notice:
    return replace(
        Notice(
            id="0123456789abcdef",
            project="default",
            rule="r",
            transition=Transition.OPENED,
            severity=Severity.MAJOR,
            subject=text,
            title=text,
            text=text,
            at=NOW,
            opened_at=NOW,
            facts=(Fact(text, text),),
            lines=(text,),
        ),
        **more,
    ).cleaned()


def texts_in(document: Any) -> list[str]:
    if isinstance(document, dict):
        return [text for value in document.values() for text in texts_in(value)]
    if isinstance(document, list):
        return [text for value in document for text in texts_in(value)]
    return [document] if isinstance(document, str) else []


@settings(deadline=None)
@given(st.one_of(st.just(HOSTILE), st.text(), st.text("<>@!&|#CU1 here").map(lambda text: f"<!{text}> @{text}")))
def test_slack_is_told_nothing_that_mentions(text: str) -> None:
    document = json.loads(body_of(notice(text, link=f"/v1/findings/{text}"), Format.SLACK))

    for told in texts_in(document):
        assert "<" not in told
        assert ">" not in told
        assert all(told[place : place + 2] == "@\u200b" for place, char in enumerate(told) if char == "@")
    assert all(block["text"]["type"] == "plain_text" for block in document["blocks"])
    assert all(len(told) <= 3000 for told in texts_in(document))


def test_slack_gets_a_link_of_ours() -> None:
    document = json.loads(body_of(notice(link="https://vigil.example.org/v1/findings/abc"), Format.SLACK))
    assert document["blocks"][-1]["text"] == {
        "type": "mrkdwn",
        "text": "<https://vigil.example.org/v1/findings/abc|Read on>",
    }


@settings(deadline=None)
@given(st.one_of(st.just(HOSTILE), st.text()))
def test_mail_has_the_headers_that_are_ours(text: str) -> None:
    message = mail_of(notice(text), MAIL, NOW)
    raw = message.as_bytes()
    head = raw.partition(b"\r\n\r\n")[0].decode("ascii")

    names = [line.partition(":")[0] for line in head.split("\r\n") if not line.startswith((" ", "\t"))]
    ours = {"From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "X-AgentVigil-Notice"}
    assert sorted(names) == sorted({*ours, "MIME-Version", "Content-Type"})
    assert message["To"] == "ops@example.org, b@example.org"


def test_mail_has_markup_of_ours_alone() -> None:
    message = mail_of(notice(HOSTILE, link="https://v.example.org/\"onclick='x'"), MAIL, NOW)
    page = message.get_body(("html",))
    plain = message.get_body(("plain",))
    assert page is not None
    assert plain is not None
    html = page.get_content()
    for name in ("script", "!channel", "https", "@U123"):
        assert f"<{name}" not in html
    assert '"onclick' not in html
    assert "&lt;script&gt;" in html
    assert "<script>" in plain.get_content()
    assert "\u202e" not in html + plain.get_content()


@settings(deadline=None)
@given(st.text())
def test_json_is_what_was_told(text: str) -> None:
    said = notice(text)
    body = body_of(said, Format.JSON)
    document = json.loads(body)
    assert body.isascii()
    assert (document["type"], document["version"], document["id"]) == ("agentvigil.alert", 1, said.id)
    assert document["title"] == said.title
    assert len(document["title"]) <= 200
    assert Notice.parse(said.as_json()) == said


def test_the_signature_is_that_of_standard_webhooks() -> None:
    """The example of https://www.standardwebhooks.com, computed here by itself."""
    key = bytes(range(32))
    body = body_of(notice(HOSTILE), Format.JSON)
    headers = headers_of(notice(), body, SecretStr("whsec_" + base64.b64encode(key).decode()), NOW)

    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert int(headers["webhook-timestamp"]) == NOW.timestamp()


def test_without_a_secret_nothing_is_signed() -> None:
    assert "webhook-signature" not in headers_of(notice(), b"{}", None, NOW)


@pytest.mark.parametrize(
    ("transition", "head"),
    [
        (Transition.OPENED, "[major] t"),
        (Transition.WORSE, "[major] worse: t"),
        (Transition.REPEATED, "[major] still: t"),
        (Transition.RESOLVED, "[resolved] t"),
        (Transition.SUMMARY, "[summary] t"),
        (Transition.TEST, "[test] t"),
    ],
)
def test_the_subject_says_what_became_of_it(transition: Transition, head: str) -> None:
    assert mail_of(notice("t", transition=transition), MAIL, NOW)["Subject"] == head
