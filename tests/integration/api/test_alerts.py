"""Rules and destinations over HTTP: kept, told without their secrets, tried out, and used."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alerting import DESTINATION, Taker, configuration, record, rule, seen
from fastapi.testclient import TestClient

from agentvigil.analysis.alerts import AlertJob, Configuration
from agentvigil.storage.embedded import EmbeddedStore
from alert_receivers import status, webhooks
from served_api import app_over

SECRET = "whsec_" + "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"
WEBHOOK = {"type": "webhook", "url": "https://hooks.example.invalid/T0KEN", "format": "slack", "secret": SECRET}
MAIL = {
    "type": "mail",
    "host": "smtp.example.invalid",
    "username": "vigil-user",
    "password": "pass-word",
    "sender": "vigil@example.org",
    "recipients": ["ops@example.org"],
}
RULE = {"destinations": ["mine"], "findings": {"min_severity": "major"}}


def put(client: TestClient, what: str, name: str, said: Any, project: str = "default") -> Any:
    return client.put(f"/v1/alerts/{what}/{name}", json=said, params={"project": project})


def test_secrets_go_in_and_never_come_out(client: TestClient, store: EmbeddedStore, caplog: Any) -> None:
    answers = [put(client, "destinations", "mine", WEBHOOK), put(client, "destinations", "mail", MAIL)]
    answers.append(put(client, "destinations", "bad", {**WEBHOOK, "secret": "T0KEN"}))
    answers.append(put(client, "destinations", "bad", {**MAIL, "sender": "pass-word\n"}))
    answers += [client.get("/v1/alerts/destinations"), client.get("/v1/alerts/destinations/mine")]

    assert [answer.status_code for answer in answers] == [200, 200, 422, 422, 200, 200]
    said = " ".join(answer.text for answer in answers) + caplog.text
    for secret in ("T0KEN", SECRET, "vigil-user", "pass-word"):
        assert secret not in said
    told = client.get("/v1/alerts/destinations/mine").json()
    assert (told["place"], told["is_signed"], told["format"]) == ("https://hooks.example.invalid", True, "slack")
    assert client.get("/v1/alerts/destinations/mail").json()["has_login"] is True
    assert "agentvigil_alert_destinations" not in store.readable_tables()


def test_what_was_secret_before_is_gone(client: TestClient, store: EmbeddedStore) -> None:
    """A token that was replaced is no secret to keep, and the one of a destination that was taken away neither."""
    put(client, "destinations", "mine", WEBHOOK)
    put(client, "destinations", "mine", {**WEBHOOK, "url": "https://hooks.example.invalid/OTHER"})
    assert client.delete("/v1/alerts/destinations/mine").status_code == 204
    assert store.rows("SELECT count() FROM agentvigil_alert_destinations WHERE Destination != ''") == [(0,)]
    assert client.get("/v1/alerts/destinations").json()["items"] == []


def test_rules_are_kept_replaced_and_taken_away(client: TestClient) -> None:
    assert put(client, "rules", "r", RULE).status_code == 422  # there is no destination yet
    put(client, "destinations", "mine", WEBHOOK)
    quiet = {"from": "22:00", "until": "07:00", "time_zone": "Europe/Berlin"}
    first = put(client, "rules", "r", {**RULE, "quiet_hours": quiet, "repeat": "6h"}).json()
    assert (first["quiet_hours"]["from"], first["repeat"], first["enabled"]) == ("22:00", "6h", True)
    assert first["findings"] == {
        "kinds": [],
        "min_severity": "major",
        "agents": [],
        "environments": [],
        "detectors": [],
    }
    again = put(client, "rules", "r", {"destinations": ["mine"], "budget": {"limit": 5, "period": "day"}}).json()
    assert (again["findings"], again["created_at"]) == (None, first["created_at"])
    assert client.get("/v1/alerts/rules").json()["items"] == [again]
    assert client.get("/v1/alerts/rules?project=other").json()["items"] == []

    assert client.delete("/v1/alerts/destinations/mine").status_code == 409
    assert client.delete("/v1/alerts/rules/r").status_code == 204
    assert client.get("/v1/alerts/rules/r").status_code == 404
    assert client.delete("/v1/alerts/destinations/mine").status_code == 204
    assert client.delete("/v1/alerts/destinations/mine").status_code == 404


IMPOSSIBLE = [
    ("rules", {"destinations": ["mine"]}),
    ("rules", {**RULE, "metric": {"measure": "runs", "above": 1}}),
    ("rules", {**RULE, "destinations": []}),
    ("rules", {**RULE, "repeat": "often"}),
    ("rules", {**RULE, "colour": "red"}),
    ("destinations", {**WEBHOOK, "url": {"env": "HOME"}}),
    ("destinations", {**WEBHOOK, "url": {"file": "/etc/passwd"}}),
    ("destinations", {**WEBHOOK, "url": "https://h/\r\nX: y"}),
    ("destinations", {**WEBHOOK, "timeout_s": 600}),
    ("destinations", {**MAIL, "recipients": ["a@b.c\nBcc: d@e.f"]}),
    ("destinations", {**MAIL, "security": "none"}),
    ("destinations", {"type": "sms"}),
]


def test_what_can_not_be_is_not_kept(client: TestClient) -> None:
    for what, said in IMPOSSIBLE:
        answer = put(client, what, "mine", said)
        assert answer.status_code == 422, (said, answer.text)
        assert "root:" not in answer.text
    assert client.get("/v1/alerts/rules").json()["items"] == []
    assert client.get("/v1/alerts/destinations").json()["items"] == []


@pytest.fixture
def of_file(store: EmbeddedStore, tmp_path: Path) -> Iterator[tuple[TestClient, Configuration]]:
    """A client of a server with a file of alerts, and the file."""
    with webhooks() as server:
        text = DESTINATION.replace("127.0.0.1:9", f"127.0.0.1:{server.port}") + rule("findings = {}")
        config = configuration(tmp_path, text)
        server.answers = [status(200), status(500)]
        with TestClient(app_over(store, alerts=config), base_url="http://127.0.0.1") as client:
            yield client, config


def test_what_stands_in_the_file_is_read_only(of_file: tuple[TestClient, Configuration]) -> None:
    client, _ = of_file
    assert client.get("/v1/alerts/rules/all").json()["is_read_only"] is True
    assert put(client, "rules", "all", {**RULE, "destinations": ["ops"]}).status_code == 409
    assert put(client, "destinations", "ops", WEBHOOK).status_code == 409
    assert client.delete("/v1/alerts/rules/all").status_code == 409
    assert client.delete("/v1/alerts/destinations/ops").status_code == 409
    assert put(client, "rules", "more", {**RULE, "destinations": ["ops"]}).json()["is_read_only"] is False


def test_a_destination_is_tried_out(of_file: tuple[TestClient, Configuration]) -> None:
    client, _ = of_file
    taken = client.post("/v1/alerts/destinations/ops/test").json()
    refused = client.post("/v1/alerts/destinations/ops/test").json()
    assert (taken["is_delivered"], taken["code"], taken["error"]) == (True, 200, None)
    assert (refused["is_delivered"], refused["code"], refused["error"]) == (False, 500, "the answer was 500")
    assert client.post("/v1/alerts/destinations/nobody/test").status_code == 404
    log = client.get("/v1/alerts/deliveries").json()["items"]
    assert [(one["transition"], one["status"]) for one in log] == [("test", "failed"), ("test", "delivered")]


def test_what_the_api_made_does_not_reach_this_machine(client: TestClient) -> None:
    with webhooks() as server:
        put(client, "destinations", "mine", {"type": "webhook", "url": server.url()})
        told = client.post("/v1/alerts/destinations/mine/test").json()
        assert (told["is_delivered"], server.got) == (False, [])
    assert "private" in told["error"]


def test_what_was_sent_is_told_in_pages(store: EmbeddedStore, tmp_path: Path, client: TestClient) -> None:
    now = datetime.now(UTC)
    config = configuration(tmp_path, DESTINATION + rule("findings = {}", 'repeat = "1h"'))
    record(store, seen(at=now, changed_at=now, changed_from=now, changed_to=now), at=now)
    job = AlertJob(store, config, "test", Taker())
    for hour in range(5):
        job.step(now - timedelta(hours=4 - hour))

    pages, cursor = [], None
    while True:
        asked = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = client.get("/v1/alerts/deliveries", params=asked).json()
        pages.append([one["transition"] for one in page["items"]])
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert pages == [["repeated", "repeated"], ["repeated", "repeated"], ["opened"]]
    for asked, found in (
        ({"transition": "opened"}, 1),
        ({"status": "delivered"}, 5),
        ({"status": ["failed", "held"]}, 0),
        ({"rule": "all", "destination": "ops", "since": "90m"}, 2),
        ({"rule": "other"}, 0),
        ({"project": "other"}, 0),
    ):
        assert len(client.get("/v1/alerts/deliveries", params=asked).json()["items"]) == found, asked
    (alert,) = client.get("/v1/alerts").json()["items"]
    assert (alert["rule"], alert["subject"], alert["is_muted"]) == ("all", "a", False)
    assert len(client.get("/v1/alerts/deliveries", params={"alert": alert["id"]}).json()["items"]) == 5


def test_a_rule_of_the_api_is_at_work(store: EmbeddedStore, client: TestClient) -> None:
    put(client, "destinations", "mine", WEBHOOK)
    put(client, "rules", "r", RULE)
    record(store, seen())
    taker = Taker()
    AlertJob(store, Configuration(), "test", taker).step(datetime.now(UTC))
    assert taker.told() == [("opened", "a")]
    assert client.get("/v1/alerts/rules/r").json()["open_alerts"] == 1
    assert json.dumps(store.rows("SELECT Notice FROM alert_deliveries")).find("T0KEN") == -1
