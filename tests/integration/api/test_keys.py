"""Keys and projects over HTTP: shown once, counting at once, and never more than the one who makes them has."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from agentvigil.storage.access import KeyBook, Scope
from agentvigil.storage.embedded import EmbeddedStore
from served_api import app_over


@pytest.fixture
def book(store: EmbeddedStore) -> KeyBook:
    return KeyBook(store)


def client_of(store: EmbeddedStore, book: KeyBook, project: str | None, *scopes: Scope) -> TestClient:
    text = book.create(project=project, scopes=scopes).text
    return TestClient(app_over(store), base_url="http://127.0.0.1", headers={"Authorization": f"Bearer {text}"})


def items(client: TestClient, path: str, **parameters: str) -> list[dict[str, Any]]:
    answer = client.get(path, params=parameters)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def test_the_first_key_closes_the_door_behind_it(client: TestClient) -> None:
    assert client.get("/v1/projects").status_code == 200

    made = client.post("/v1/keys", json={"name": "first", "scopes": ["read", "admin"], "expires_at": "90d"})

    assert made.status_code == 201
    key = made.json()
    assert key["key"].startswith(f"vgl_{key['id']}_")
    assert (key["name"], key["project"], key["scopes"], key["is_usable"]) == (
        "first",
        "default",
        ["admin", "read"],
        True,
    )
    ends = datetime.fromisoformat(key["expires_at"]) - datetime.now(UTC)
    assert timedelta(days=89) < ends < timedelta(days=91)
    assert client.get("/v1/projects").status_code == 401
    bearer = {"Authorization": f"Bearer {key['key']}"}
    listed = client.get("/v1/keys", headers=bearer)
    assert [found["id"] for found in listed.json()["items"]] == [key["id"]]
    assert key["key"] not in listed.text
    revoked = client.delete(f"/v1/keys/{key['id']}", headers=bearer).json()
    assert revoked["revoked_at"] is not None
    assert not revoked["is_usable"]
    assert client.get("/v1/keys", headers=bearer).status_code == 401


def test_an_admin_of_one_project_knows_that_project_alone(store: EmbeddedStore, book: KeyBook) -> None:
    others = book.create(project="other", scopes=[Scope.READ]).record
    everybodys = book.create(project=None, scopes=[Scope.READ]).record
    client = client_of(store, book, "shop", Scope.ADMIN, Scope.READ)

    assert {key["project"] for key in items(client, "/v1/keys")} == {"shop"}
    assert [project["name"] for project in items(client, "/v1/projects")] == ["shop"]
    for key in (others, everybodys):
        assert client.delete(f"/v1/keys/{key.id}").status_code == 404
        record = book.find(key.id)
        assert record is not None
        assert record.revoked_at is None
    made = client.post("/v1/keys", json={"scopes": ["read"]})
    assert (made.status_code, made.json()["project"]) == (201, "shop")


@pytest.mark.parametrize(
    "wanted",
    [
        {"scopes": ["ingest"]},
        {"scopes": ["read", "ingest", "admin"]},
        {"scopes": ["read"], "project": "other"},
        {"scopes": ["read"], "all_projects": True},
    ],
)
def test_nobody_makes_a_key_that_may_do_more(store: EmbeddedStore, book: KeyBook, wanted: dict[str, Any]) -> None:
    client = client_of(store, book, "shop", Scope.ADMIN, Scope.READ)

    answer = client.post("/v1/keys", json=wanted)

    assert answer.status_code == 403, answer.text
    assert len(book.listed()) == 1


def test_an_admin_of_all_projects_makes_keys_of_any(store: EmbeddedStore, book: KeyBook) -> None:
    client = client_of(store, book, None, *Scope)

    for wanted, project in (({"project": "shop"}, "shop"), ({"all_projects": True}, None), ({}, "default")):
        assert client.post("/v1/keys", json=wanted).json()["project"] == project
    assert client.post("/v1/keys", json={}, params={"project": "shop"}).json()["project"] == "shop"
    assert len(items(client, "/v1/keys")) == 5
    assert {key["project"] for key in items(client, "/v1/keys", project="shop")} == {"shop"}
    assert client.post("/v1/projects", json={"name": "new", "description": "a-label"}).status_code == 201
    assert [project["name"] for project in items(client, "/v1/projects")] == ["default", "new", "shop"]


@pytest.mark.parametrize(
    "wanted",
    [
        {"name": "two words"},
        {"project": "a'b"},
        {"project": ""},
        {"project": "shop", "all_projects": True},
        {"scopes": []},
        {"scopes": ["root"]},
        {"expires_at": "2020-01-01"},
        {"expires_at": "soon"},
        {"expires_at": "9999-01-01"},
        {"secret": "of-my-own"},
    ],
)
def test_what_can_not_be_a_key_is_told(client: TestClient, wanted: dict[str, Any]) -> None:
    answer = client.post("/v1/keys", json=wanted)

    assert answer.status_code == 422, answer.text
    assert client.get("/v1/keys").json() == {"items": []}


def test_projects_are_named_by_labels(client: TestClient) -> None:
    for wanted in ({"name": "two words"}, {"name": ""}, {"name": "x", "description": "a long story"}):
        assert client.post("/v1/projects", json=wanted).status_code == 422
