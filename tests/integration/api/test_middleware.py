"""What stands before the routes: rate limits, ETags, other origins."""

import pytest
from fastapi.testclient import TestClient

from agentvigil.storage.access import KeyBook, Scope
from agentvigil.storage.embedded import EmbeddedStore
from served_api import app_over


def test_each_key_has_its_own_minute(store: EmbeddedStore) -> None:
    """One that polls too fast is told when to come back, and nobody else waits for it."""
    book = KeyBook(store)
    fast, calm = (book.create(name=name, project="a", scopes=[Scope.READ]).text for name in ("fast", "calm"))
    client = TestClient(app_over(store, requests_per_minute=3), base_url="http://127.0.0.1")

    def ask(key: str) -> int:
        return client.get("/v1/runs", headers={"Authorization": f"Bearer {key}"}).status_code

    assert [ask(fast) for _ in range(4)] == [200, 200, 200, 429]
    answer = client.get("/v1/runs", headers={"Authorization": f"Bearer {fast}"})
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert answer.headers["content-type"] == "application/problem+json"
    assert ask(calm) == 200
    assert client.get("/health").status_code == 200


def test_who_has_the_newest_answer_gets_none(client: TestClient) -> None:
    first = client.get("/v1/runs")
    again = client.get("/v1/runs", headers={"If-None-Match": f'"other", {first.headers["etag"]}'})
    other = client.get("/v1/runs", headers={"If-None-Match": '"other"'})

    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert (other.status_code, other.json()) == (200, first.json())
    assert "no-cache" in first.headers["cache-control"]


def test_pages_of_other_origins_ask_only_if_they_may(store: EmbeddedStore) -> None:
    app = app_over(store, key="k", cors_origins=["https://ops.example.org"])
    client = TestClient(app, base_url="http://127.0.0.1")

    def preflight(origin: str) -> str | None:
        wanted = {"Origin": origin, "Access-Control-Request-Method": "GET"}
        return client.options("/v1/runs", headers=wanted).headers.get("access-control-allow-origin")

    assert preflight("https://ops.example.org") == "https://ops.example.org"
    assert preflight("https://evil.example.org") is None
    answer = client.get("/v1/runs", headers={"Origin": "https://ops.example.org", "Authorization": "Bearer k"})
    assert "ETag" in answer.headers["access-control-expose-headers"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost:8787"}, 200),
        ({"Host": "[::1]:8787", "Origin": "http://[::1]:8787"}, 200),
        ({"Host": "evil.example.org"}, 403),
        ({"Origin": "https://evil.example.org"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "https://ops.example.org"}, 200),
    ],
)
def test_without_keys_a_request_means_this_machine(store: EmbeddedStore, headers: dict[str, str], status: int) -> None:
    """A browser that was talked into asking here shows it in its headers."""
    app = app_over(store, cors_origins=["https://ops.example.org"])

    answer = TestClient(app, base_url="http://127.0.0.1").get("/v1/runs", headers=headers)

    assert answer.status_code == status, answer.text


@pytest.mark.parametrize(
    "path", ["/v1/runs?limit=1&limit=2", "/v1/runs?project=a&project=b", "/v1/agents/x?since=1h&since=2h"]
)
def test_what_can_be_only_one_is_not_said_twice(client: TestClient, path: str) -> None:
    """Which of the two counted would be anybody's guess."""
    answer = client.get(path)

    assert answer.status_code == 422
    assert "is said 2 times" in answer.json()["detail"]
    assert client.get("/v1/runs?status=failure&status=partial").status_code == 200
