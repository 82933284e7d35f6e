"""Who has the keys and projects that a command asks for: a server that runs on the data, or the store itself.

Everything comes out as the API tells it, see :mod:`agentvigil.api.keys.models`.
"""

import contextlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from agentvigil.api.keys.models import Key, MadeKey, ProjectSummary
from agentvigil.cli.server_api import ServerApi, ServerRefused, api_on
from agentvigil.cli.settings import Settings
from agentvigil.storage.access import AccessError, KeyBook, ProjectBook, Scope
from agentvigil.storage.errors import StorageError
from agentvigil.storage.migrations import migrate
from agentvigil.storage.opening import open_store


class NotGiven(StorageError):
    """What was asked for can not be, or is not this caller's to give; the message says why."""


class Books(Protocol):
    """Keys and projects, wherever they are. ``project`` None is every project."""

    def create_key(
        self, *, name: str, project: str | None, scopes: Sequence[Scope], expires_at: datetime | None
    ) -> dict[str, Any]:
        """Make a key; it comes with its text, as ``key``.

        Raises:
            NotGiven: if it can not be.
        """

    def keys(self, project: str | None) -> list[dict[str, Any]]:
        """Return all keys, or those of one project."""

    def revoke_key(self, key_id: str) -> dict[str, Any] | None:
        """Revoke a key and return it, None if there is none with that id."""

    def projects(self) -> list[dict[str, Any]]:
        """Return all projects."""

    def create_project(self, name: str, description: str) -> dict[str, Any]:
        """Make a project, or give it another description.

        Raises:
            NotGiven: if it can not be.
        """


@contextlib.contextmanager
def books_of(settings: Settings) -> Iterator[Books]:
    """Yield the books of the server that runs on the data, or of the store.

    Raises:
        StorageError: if neither can be reached.
    """
    with api_on(settings) as api:
        if api is not None:
            yield _ServerBooks(api)
            return
    with open_store(settings.clickhouse, settings.data, settings.database, purpose="agentvigil keys") as (store, _):
        store.version()
        migrate(store)
        yield _StoreBooks(KeyBook(store), ProjectBook(store))


class _StoreBooks:
    """The books of a store that this process has open."""

    def __init__(self, keys: KeyBook, projects: ProjectBook) -> None:
        self._keys, self._projects = keys, projects

    def create_key(
        self, *, name: str, project: str | None, scopes: Sequence[Scope], expires_at: datetime | None
    ) -> dict[str, Any]:
        try:
            new = self._keys.create(name=name, project=project, scopes=scopes, expires_at=expires_at)
        except (AccessError, ValueError) as exc:
            raise NotGiven(str(exc)) from exc
        return MadeKey.made(new).model_dump(mode="json")

    def keys(self, project: str | None) -> list[dict[str, Any]]:
        return [Key.of(record).model_dump(mode="json") for record in self._keys.listed(project)]

    def revoke_key(self, key_id: str) -> dict[str, Any] | None:
        record = self._keys.revoke(key_id)
        return None if record is None else Key.of(record).model_dump(mode="json")

    def projects(self) -> list[dict[str, Any]]:
        return [ProjectSummary.of(project).model_dump(mode="json") for project in self._projects.listed()]

    def create_project(self, name: str, description: str) -> dict[str, Any]:
        try:
            return ProjectSummary.of(self._projects.create(name, description)).model_dump(mode="json")
        except AccessError as exc:
            raise NotGiven(str(exc)) from exc


class _ServerBooks:
    """The books of a running server, by its API."""

    def __init__(self, api: ServerApi) -> None:
        self._api = api

    def create_key(
        self, *, name: str, project: str | None, scopes: Sequence[Scope], expires_at: datetime | None
    ) -> dict[str, Any]:
        wanted: dict[str, Any] = {"name": name, "scopes": list(scopes)}
        wanted |= {"all_projects": True} if project is None else {"project": project}
        wanted["expires_at"] = expires_at and expires_at.isoformat()
        return self._given("/v1/keys", wanted)

    def keys(self, project: str | None) -> list[dict[str, Any]]:
        query = f"?{urlencode({'project': project})}" if project is not None else ""
        return list(self._api.call("GET", f"/v1/keys{query}")["items"])

    def revoke_key(self, key_id: str) -> dict[str, Any] | None:
        try:
            return dict(self._api.call("DELETE", f"/v1/keys/{quote(key_id, safe='')}"))
        except ServerRefused as exc:
            if exc.status == 404:
                return None
            raise

    def projects(self) -> list[dict[str, Any]]:
        return list(self._api.call("GET", "/v1/projects")["items"])

    def create_project(self, name: str, description: str) -> dict[str, Any]:
        return self._given("/v1/projects", {"name": name, "description": description})

    def _given(self, target: str, wanted: dict[str, Any]) -> dict[str, Any]:
        try:
            return dict(self._api.call("POST", target, wanted))
        except ServerRefused as exc:
            if exc.status in (403, 422):
                raise NotGiven(exc.reason) from exc
            raise
