"""The reports say what the views say, of the project that is asked for."""

from collections.abc import Iterator

import pytest
from agent_traces import agent, chat, receive
from fastapi.testclient import TestClient
from trace_requests import a_request, a_span, admitted, attributes, take

from agentvigil.receiver.content_policies import ContentPolicies
from agentvigil.semconv.privacy import ContentPolicy
from agentvigil.storage.embedded import EmbeddedStore
from served_api import app_over

SAID = {
    "gen_ai.system": "openai",
    "gen_ai.request.model": "m",
    "gen_ai.input.messages": '[{"role": "user", "parts": [{"type": "text", "content": "hello"}]}]',
    "acme.list.7.id": "y",
    "app.note": 'it\'s "a note"',
}


@pytest.fixture
def sent(store: EmbeddedStore) -> None:
    for project, policy in (("default", ContentPolicy.OFF), ("open", ContentPolicy.FULL)):
        body = a_request(a_span(1, attributes=attributes(SAID)))
        take(store, admitted(body, project=project, policy=policy))


@pytest.fixture
def frank(store: EmbeddedStore) -> Iterator[TestClient]:
    policies = ContentPolicies.parse(["open=full"])
    with TestClient(app_over(store, policies=policies), base_url="http://127.0.0.1") as client:
        yield client


@pytest.mark.usefixtures("sent")
def test_mapping_tells_how_keys_were_read(client: TestClient) -> None:
    items = {item["key"]: item for item in client.get("/v1/mapping").json()["items"]}

    assert {key: item["reading"] for key, item in items.items()} == {
        "acme.list.N.id": "unmapped",
        "app.note": "withheld",
        "gen_ai.input.messages": "withheld",
        "gen_ai.request.model": "mapped",
        "gen_ai.system": "deprecated",
    }
    assert items["gen_ai.system"]["targets"] == ["gen_ai.provider.name"]
    assert items["gen_ai.system"]["spans"] == 1
    assert "it's" not in client.get("/v1/mapping").text


@pytest.mark.usefixtures("sent")
def test_mapping_has_filters_and_pages(client: TestClient) -> None:
    assert [item["key"] for item in client.get("/v1/mapping?reading=unmapped").json()["items"]] == ["acme.list.N.id"]
    assert client.get("/v1/mapping?dialect=none").json()["items"] == []
    assert client.get("/v1/mapping?scope=none").json()["items"] == []
    assert client.get("/v1/mapping?until=2d").json()["items"] == []
    assert client.get("/v1/mapping?project=nobody").json()["items"] == []
    assert client.get("/v1/mapping?reading=guessed").status_code == 422

    seen: list[str] = []
    cursor = None
    while True:
        page = client.get("/v1/mapping", params={"limit": 2, **({"cursor": cursor} if cursor else {})}).json()
        seen += [item["key"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [
        "acme.list.N.id", "app.note", "gen_ai.input.messages", "gen_ai.request.model", "gen_ai.system",
    ]  # fmt: skip


@pytest.mark.usefixtures("sent")
def test_privacy_tells_the_policy_and_what_was_withheld(frank: TestClient) -> None:
    closed = frank.get("/v1/privacy").json()
    allowed = frank.get("/v1/privacy?project=open").json()

    assert (closed["content_policy"], allowed["content_policy"]) == ("off", "full")
    assert {(item["signal"], item["key"], item["records"]) for item in closed["withheld"]} == {
        ("traces", "app.note", 1),
        ("traces", "gen_ai.input.messages", 1),
    }
    assert closed["content"] == {"spans": 0, "messages": 0, "bytes": 0}
    assert (allowed["content"]["spans"], allowed["content"]["messages"]) == (1, 1)
    assert allowed["content"]["bytes"] > 20
    assert frank.get("/v1/privacy?until=2d").json()["withheld"] == []


def test_a_project_without_anything_has_a_report(client: TestClient, store: EmbeddedStore) -> None:
    receive(store, agent(1), chat(2, 1))

    report = client.get("/v1/privacy?project=nobody").json()

    assert (report["project"], report["content_policy"], report["withheld"]) == ("nobody", "off", [])
