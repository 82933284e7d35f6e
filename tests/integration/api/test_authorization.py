"""Who may ask what: every route with every kind of key, made from the routes so that none can be forgotten."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from agent_traces import agent, chat, id_of, receive, run_of, settle_traces, tool, trace_of
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from agentvigil.analysis.findings.book import FindingsBook
from agentvigil.analysis.findings.finding import finding_id_of, stable_key_of
from agentvigil.api.access import needs_of
from agentvigil.storage.access import KeyBook, Scope
from agentvigil.storage.embedded import EmbeddedStore
from migrated_stores import MigratedStores
from observations import observation
from served_api import app_over, document_app

_ROUTES: Final[list[APIRoute]] = document_app().state.guarded_routes
_IDS: Final = [f"{'+'.join(sorted(route.methods))} {route.path}" for route in _ROUTES]
_CANARY: Final = "canary-of-a"
_TRACE: Final = 7
_OBSERVED: Final = observation(
    project="a", subject=f"{_CANARY}-agent", agent=f"{_CANARY}-agent", explanation=_CANARY, details={"said": _CANARY}
)

_PLACES: Final = {
    "run_id": run_of(_TRACE, 1),
    "trace_id": trace_of(_TRACE),
    "span_id": id_of(2),
    "session_id": f"{_CANARY}-session",
    "name": f"{_CANARY}-agent",
    "tag": f"{_CANARY}-tag",
    "key_id": "nokey",
    "project": "a",
    "finding_id": finding_id_of(_OBSERVED),
    "incident_id": finding_id_of(_OBSERVED),
    "stable_key": stable_key_of(_OBSERVED),
}
"""For each parameter in a path, what names something of project a."""


@dataclass(frozen=True)
class Keys:
    """The text of a key for each kind of caller."""

    by_scope: dict[tuple[str | None, Scope], str]

    def of(self, project: str | None, scope: Scope) -> str:
        return self.by_scope[project, scope]


@pytest.fixture(scope="module")
def filled_store(migrated_stores: MigratedStores) -> Iterator[EmbeddedStore]:
    """A store in which projects a and b have a failed run each, with the same ids, and all that a says is a canary."""
    with migrated_stores.taken() as store:
        spans = []
        for project, word in (("a", _CANARY), ("b", "of-b")):
            said = {
                "gen_ai.conversation.id": f"{word}-session",
                "user.id": f"{word}-user",
                "gen_ai.agent.version": word,
            }
            common: dict[str, Any] = {"project": project, "service": f"{word}-service"}
            number = _TRACE if project == "a" else 8
            spans += [
                agent(1, name=f"{word}-agent", attributes=said, trace=number, error="x", **common),
                chat(2, 1, model=f"{word}-model", trace=number, **common),
                tool(3, 1, f"{word}-tool", trace=number, error="timed out", **common),
            ]
        receive(store, *spans)
        settle_traces(store, {("a", _TRACE): True, ("b", 8): True})
        book, now = FindingsBook(store), datetime.now(UTC)
        for finding in book.record([_OBSERVED, observation(project="b")], now):
            assert finding.finding is not None
            book.mute(finding.observation.project, finding.finding.id, None, "", now)
        yield store


@pytest.fixture(scope="module")
def keys(filled_store: EmbeddedStore) -> Keys:
    book = KeyBook(filled_store)
    return Keys(
        {
            (project, scope): book.create(name="test", project=project, scopes=[scope]).text
            for project in ("a", "b", None)
            for scope in Scope
        }
    )


@pytest.fixture(scope="module")
def client(filled_store: EmbeddedStore, keys: Keys) -> Iterator[TestClient]:
    with TestClient(app_over(filled_store), base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        yield client


def ask(client: TestClient, route: APIRoute, key: str | None, **parameters: str) -> Any:
    """Ask ``route`` about what is project a's."""
    path = re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: _PLACES[found[1]], route.path)
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    return client.request(min(route.methods), path, headers=headers, params=parameters)


@pytest.mark.parametrize("route", _ROUTES, ids=_IDS)
def test_nobody_comes_in_without_a_valid_key(client: TestClient, route: APIRoute) -> None:
    for key in (None, "vgl_0000000000_wrong", "x"):
        answer = ask(client, route, key)
        assert answer.status_code == 401, (key, answer.text)
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("route", _ROUTES, ids=_IDS)
def test_only_the_scope_that_is_needed_lets_in(client: TestClient, route: APIRoute, keys: Keys) -> None:
    needs = needs_of(route)
    assert needs is not None
    project = None if needs.every_project else "b"
    for scope in Scope:
        status = ask(client, route, keys.of(project, scope)).status_code
        if scope is needs.scope:
            assert status not in (401, 403, 500), status
        else:
            assert status == 403, scope


@pytest.mark.parametrize("route", _ROUTES, ids=_IDS)
def test_a_bound_key_does_not_leave_its_project(client: TestClient, route: APIRoute, keys: Keys) -> None:
    needs = needs_of(route)
    assert needs is not None
    key = keys.of("b", needs.scope)

    assert ask(client, route, key, project="a").status_code == 403
    if needs.every_project:
        assert ask(client, route, key).status_code == 403


@pytest.mark.parametrize("route", _ROUTES, ids=_IDS)
def test_what_is_anothers_is_not_seen(client: TestClient, route: APIRoute, keys: Keys) -> None:
    needs = needs_of(route)
    assert needs is not None
    if needs.every_project:
        return
    own = ask(client, route, keys.of("a", needs.scope))
    others = ask(client, route, keys.of("b", needs.scope))

    echoed = json.dumps(_PLACES)
    assert not [word for word in _words(others.text) if _CANARY in word and word not in echoed], others.text
    assert others.status_code >= 400 or own.status_code >= 400 or others.text != own.text or _CANARY not in own.text


def _words(text: str) -> list[str]:
    return re.findall(r"[\w.:/@-]+", text)
