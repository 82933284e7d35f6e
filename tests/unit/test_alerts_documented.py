"""docs/alerts.md names every option, and what it shows works."""

import base64
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr

from agentvigil.analysis.alerts import Configuration
from agentvigil.analysis.alerts.configuration import _PLACES
from agentvigil.analysis.alerts.destinations import Format
from agentvigil.analysis.alerts.formats import body_of, headers_of
from agentvigil.analysis.alerts.notices import Notice, Transition
from agentvigil.analysis.findings.model import Severity

DOCUMENT = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"^```(\w+)\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("model", _PLACES.values(), ids=lambda model: model.__name__)
def test_every_option_is_named(model: type[BaseModel]) -> None:
    names = {field.alias or name for name, field in model.model_fields.items()}
    assert not [name for name in names if f"`{name}`" not in DOCUMENT and f"[[{name}]]" not in DOCUMENT]


def test_the_examples_are_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_WEBHOOK", "https://hooks.slack.com/services/T0/B0/x")
    (tmp_path / "smtp").write_text("secret")
    text = "\n".join(shown for kind, shown in SHOWN if kind == "toml").replace("/run/secrets/", "")
    (tmp_path / "alerts.toml").write_text(text)

    found = Configuration.load(tmp_path / "alerts.toml")

    assert ([one.name for one in found.destinations], len(found.rules)) == (["ops", "mail"], 4)


def test_the_snippet_knows_our_signatures() -> None:
    (snippet,) = (shown for kind, shown in SHOWN if kind == "python")
    known: dict[str, Any] = {}
    exec(snippet, known)
    secret, now = "whsec_" + base64.b64encode(bytes(32)).decode(), datetime.now(UTC)
    notice = Notice("id", "default", "r", Transition.OPENED, Severity.MAJOR, "", "title", "", now, now)
    body = body_of(notice, Format.JSON)
    headers = headers_of(notice, body, SecretStr(secret), now)

    assert known["is_ours"](secret, headers, body)
    assert not known["is_ours"](secret, headers, body + b" ")
    assert not known["is_ours"](secret, {**headers, "webhook-id": "other"}, body)
    assert not known["is_ours"](secret, {**headers, "webhook-timestamp": str(int(now.timestamp()) - 400)}, body)


def test_the_body_that_is_shown_has_all_fields() -> None:
    notice = Notice(
        "id", "d", "r", Transition.OPENED, Severity.MAJOR, "", "t", "", datetime.now(UTC), datetime.now(UTC)
    )
    (shown,) = (shown for kind, shown in SHOWN if kind == "json")
    assert set(re.findall(r'^    "(\w+)":', shown, re.MULTILINE)) == {"type", "version", *notice.told()}
