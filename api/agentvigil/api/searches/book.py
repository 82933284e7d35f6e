"""The saved queries of a store."""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pydantic import BaseModel

from agentvigil.api.problems import BadRequest, Conflict, Invalid, NotFound
from agentvigil.api.reading import Reader
from agentvigil.api.searches.resource import Parameters, Resource, Texts
from agentvigil.storage.named_queries import load_queries
from agentvigil.storage.store import Store

_STATEMENTS: Final = load_queries("agentvigil.api.searches", "queries.sql")
MOST_QUERIES: Final = 200
"""Of one project."""

_MOST_BYTES: Final = 16 * 1024
"""Of one query's parameters."""


@dataclass(frozen=True, slots=True)
class SavedQuery:
    """A request by its name; times in UTC."""

    name: str
    resource: str
    parameters: Texts
    created_at: datetime
    changed_at: datetime


class QueryBook:
    """The saved queries in ``store``, of ``resources`` by their names. Any thread may call; all that write may raise
    StorageError."""

    def __init__(self, store: Store, reader: Reader, resources: Mapping[str, Resource]) -> None:
        self._store, self._reader, self.resources = store, reader, resources
        self._counting = threading.Lock()

    def listed(self, project: str) -> list[SavedQuery]:
        """Return all of ``project``, by their names."""
        return [_saved(row) for row in self._rows(project)]

    def one(self, project: str, name: str) -> SavedQuery:
        """Return the one called ``name``.

        Raises:
            NotFound: if there is none.
        """
        rows = self._rows(project, name)
        if not rows:
            raise NotFound(f"no saved query is called {name!r} in project {project}", "GET /v1/queries lists them")
        return _saved(rows[0])

    def put(self, project: str, name: str, resource: str, parameters: Parameters) -> SavedQuery:
        """Save a query, in the place of one that has its name.

        Raises:
            Invalid: if the resource would not take it.
            Conflict: if the project has as many as it may have.
        """
        texts = self._resource(resource).texts_of(parameters)
        text = json.dumps(texts, sort_keys=True, ensure_ascii=False)
        if len(text.encode("utf-8", "surrogatepass")) > _MOST_BYTES:
            raise Invalid(f"the parameters have more than {_MOST_BYTES} bytes", "save a narrower query")
        with self._counting:
            known = {saved.name for saved in self.listed(project)}
            if name not in known and len(known) >= MOST_QUERIES:
                raise Conflict(f"project {project} has {len(known)} saved queries, and no project has more")
            said = {"project": project, "name": name, "resource": resource, "parameters": text}
            self._store.command(_STATEMENTS["put"], said)
        return self.one(project, name)

    def remove(self, project: str, name: str) -> None:
        """Take the one called ``name`` away.

        Raises:
            NotFound: if there is none.
        """
        with self._counting:
            self.one(project, name)
            self._store.command(_STATEMENTS["remove"], {"project": project, "name": name})

    def results(self, project: str, name: str, *, limit: int | None, cursor: str | None) -> BaseModel:
        """Return what the resource answers to the one called ``name`` now.

        Raises:
            NotFound: if there is none.
            BadRequest: if its resource has no pages and one is asked for.
            Conflict: if its resource does not take it any more.
        """
        saved = self.one(project, name)
        page = {"limit": None if limit is None else str(limit), "cursor": cursor}
        said: Texts = {key: text for key, text in page.items() if text is not None}
        try:
            resource = self._resource(saved.resource)
            if unknown := said.keys() - resource.asked.model_fields.keys():
                raise BadRequest(f"{saved.resource} has no pages: leave {', '.join(sorted(unknown))} out")
            asked = resource.parse(saved.parameters | said)
        except Invalid as exc:
            raise Conflict(f"the saved query {name} can not be asked: {exc.detail}", "save it anew") from exc
        return resource.answer(project, asked)

    def _resource(self, name: str) -> Resource:
        if name not in self.resources:
            raise Invalid(f"{name[:80]!r} can not be saved", f"the resources are {', '.join(sorted(self.resources))}")
        return self.resources[name]

    def _rows(self, project: str, name: str = "") -> list[dict[str, Any]]:
        return self._reader.records(_STATEMENTS["queries"], {"project": project, "name": name})


def _saved(row: Mapping[str, Any]) -> SavedQuery:
    return SavedQuery(row["name"], row["resource"], json.loads(row["parameters"]), row["created_at"], row["changed_at"])
