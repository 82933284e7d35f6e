"""The file of alerts says what it says, or why it can not; secrets come from where it says and go nowhere."""

from pathlib import Path

import pytest

from agentvigil.analysis.alerts import AlertsUnusable, Configuration
from agentvigil.analysis.alerts.destinations import Mail, Webhook

SECRET = "whsec_" + "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"
WHOLE = f"""
base_url = "https://vigil.example.org"
private_destinations = true

[[destinations]]
name = "ops"
type = "webhook"
url = {{ env = "TEST_ALERT_URL" }}
format = "slack"
secret = "{SECRET}"

[[destinations]]
name = "mail"
type = "mail"
host = "smtp.example.org"
username = "vigil"
password = {{ file = "password" }}
sender = "vigil@example.org"
recipients = ["ops@example.org"]

[[rules]]
name = "drift"
project = "shop"
destinations = ["ops", "mail"]
findings = {{ kinds = ["drift", "failure_mode"], min_severity = "major" }}
repeat = "6h"
quiet_hours = {{ from = "22:00", until = "07:00", time_zone = "Europe/Berlin", days = ["mon", "fri"] }}

[[rules]]
name = "failures"
destinations = ["ops"]
metric = {{ measure = "failure_rate", above = 0.1, window = "15m", per = "agent" }}
repeat = "never"

[[rules]]
name = "budget"
destinations = ["ops"]
budget = {{ limit = 500, period = "month", per = "tag:team", at = [0.5, 1.0, 2.0] }}
"""


def load(tmp_path: Path, text: str) -> Configuration:
    path = tmp_path / "alerts.toml"
    path.write_text(text, encoding="utf-8")
    return Configuration.load(path)


def test_a_whole_file_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_ALERT_URL", "https://hooks.example.org/services/T0KEN")
    (tmp_path / "password").write_text("pass word\n")

    found = load(tmp_path, WHOLE)

    webhook, mail = found.destinations
    assert isinstance(webhook, Webhook)
    assert isinstance(mail, Mail)
    assert webhook.url.get_secret_value().endswith("T0KEN")
    assert mail.password is not None
    assert mail.password.get_secret_value() == "pass word"
    assert (mail.real_port, found.base_url, found.private_destinations) == (587, "https://vigil.example.org", True)
    assert [(rule.project, rule.name) for rule in found.rules] == [
        ("shop", "drift"),
        ("default", "failures"),
        ("default", "budget"),
    ]
    for secret in ("T0KEN", "pass word", SECRET):
        assert secret not in repr(found)
    assert "T0KEN" not in webhook.place


def test_without_a_file_there_is_nothing() -> None:
    assert Configuration.load(None) == Configuration()


OPS = '[[destinations]]\nname = "ops"\ntype = "webhook"\nurl = "https://h.example.org/TOKEN"\n'
MAIL = '[[destinations]]\nname = "m"\ntype = "mail"\nhost = "h"\nsender = "a@b.c"\nrecipients = ["a@b.c"]\n'
RULE = '[[rules]]\nname = "r"\ndestinations = ["ops"]\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[rules]\n", ["no TOML", "line 1"]),
        ("x = 1", ["x: there is no such setting", "base_url, private_destinations, destinations, rules"]),
        (OPS + RULE + 'findings = { kinds = ["drft"] }', ["rules[1] (r).findings.kinds[1]", "'drift'", "not 'drft'"]),
        (OPS + RULE + "findings = { agent = 1 }", ["rules[1] (r).findings.agent", "there are kinds, min_severity"]),
        (OPS + RULE + 'metric = { measure = "errors", above = 1 }', ["metric.measure", "'failure_rate'", "'errors'"]),
        (OPS + RULE + 'metric = { measure = "runs" }', ["rules[1] (r).metric", "either above or below"]),
        (OPS + RULE + 'metric = { measure = "runs", above = 1, window = "2w" }', ["metric.window", "15m, 24h or 7d"]),
        (OPS + RULE + 'metric = { measure = "runs", above = 1, window = "99d" }', ["metric.window", "at most 31 days"]),
        (OPS + RULE, ["rules[1] (r)", "one of findings, metric and budget", "none of them"]),
        (OPS + RULE + "findings = {}\nbudget = { limit = 1 }", ["findings and budget"]),
        (OPS + RULE + "budget = { limit = 0 }", ["budget.limit", "greater than 0"]),
        (OPS + RULE + 'budget = { limit = 1, per = "model" }', ["budget.per", "tag:"]),
        (
            OPS + RULE + 'findings = {}\nquiet_hours = { from = "25:00", until = "07:00" }',
            ["quiet_hours.from", "22:00"],
        ),
        (OPS + RULE + 'findings = {}\nquiet_hours = { from = "07:00", until = "07:00" }', ["same time of day"]),
        (
            OPS + RULE + 'findings = {}\nquiet_hours = { from = "1:00", until = "07:00", time_zone = "Mars/Base" }',
            ["quiet_hours.time_zone", "Europe/Berlin"],
        ),
        (OPS + RULE.replace('"ops"', '"nobody"') + "findings = {}", ["rule r goes to nobody", "are: ops"]),
        (OPS + OPS, ["several destinations are named ops"]),
        (OPS + (RULE + "findings = {}\n") * 2, ["several rules of project default are named r"]),
        ('[[destinations]]\nname = "m"\ntype = "sms"', ["destinations[1] (m)", "'webhook', 'mail'"]),
        (OPS.replace("https://h.example.org/", "ftp://"), ["destinations[1] (ops).url", "https://host/path"]),
        (OPS.replace("//h", "//user:TOKEN@h"), ["destinations[1] (ops).url", "no user and password"]),
        (OPS + 'secret = "TOKEN"', ["destinations[1] (ops).secret", "24 random bytes"]),
        (OPS + 'secret = { env = "NOT_SET_ANYWHERE" }', ["destinations[1] (ops).secret", "NOT_SET_ANYWHERE"]),
        (OPS + 'secret = { file = "missing" }', ["can not read", "missing"]),
        (OPS + 'secret = { vault = "TOKEN" }', ['{ env = "NAME" }']),
        (
            '[[destinations]]\nname = "m"\ntype = "mail"\nhost = "h"\nsender = "a@b.c\\nBcc: x@y.z"\nrecipients = []',
            ["destinations[1] (m).sender", "destinations[1] (m).recipients"],
        ),
        (
            MAIL + 'security = "none"\nusername = "u"\npassword = "TOKEN"',
            ["not sent without TLS"],
        ),
    ],
)
def test_what_can_not_be_is_named_with_its_place(tmp_path: Path, text: str, words: list[str]) -> None:
    with pytest.raises(AlertsUnusable) as caught:
        load(tmp_path, text)

    said = str(caught.value)
    assert "alerts.toml" in said
    assert not [word for word in words if word not in said], said
    assert "TOKEN" not in said


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(AlertsUnusable, match=r"nothing\.toml: No such file"):
        Configuration.load(tmp_path / "nothing.toml")
