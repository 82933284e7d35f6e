"""``/v1/keys`` and ``/v1/projects``: who may send and read what.

Nobody gives away what it does not have: a key that is bound to a project knows and makes keys of that project alone,
and none with a scope that it lacks.
"""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from agentvigil.api.access import Administers, AdministersAll, Reads
from agentvigil.api.asked import Asked
from agentvigil.api.keys.models import (
    Key,
    KeyList,
    KeyRequest,
    MadeKey,
    ProjectList,
    ProjectRequest,
    ProjectSummary,
)
from agentvigil.api.problems import Invalid, NotFound, described
from agentvigil.storage.access import KeyBook, KeyRecord, ProjectBook

KeyId = Annotated[str, Path(max_length=64, examples=["k3x9v0q2ab"], description="id of the key, not its whole text")]


def keys_router(keys: KeyBook, projects: ProjectBook) -> APIRouter:
    """Return the routes under ``/v1/keys`` and ``/v1/projects``."""
    router = APIRouter(prefix="/v1", tags=["keys"])

    @router.get("/keys", response_model=KeyList)
    def list_keys(asker: Administers, asked: Annotated[Asked, Query()]) -> KeyList:
        """List keys, without their secrets: those of the project, or all if the caller's key is for every project."""
        records = keys.listed(asker.caller.project or asked.project)
        return KeyList(items=[Key.of(record) for record in records])

    @router.post("/keys", response_model=MadeKey, status_code=201)
    def create_key(asker: Administers, wanted: KeyRequest, _: Annotated[Asked, Query()]) -> MadeKey:
        """Make a key, and show it this once. Once a place has had a key, nobody comes in without one."""
        if wanted.all_projects and wanted.project is not None:
            raise Invalid("a key is for one project or for all", "leave out project or all_projects")
        project = None if wanted.all_projects else wanted.project or asker.project
        asker.caller.check_grant(project, wanted.scopes)
        try:
            new = keys.create(name=wanted.name, project=project, scopes=wanted.scopes, expires_at=wanted.expires_at)
        except ValueError as exc:
            raise Invalid(str(exc)) from exc
        return MadeKey.made(new)

    @router.delete("/keys/{key_id}", response_model=Key, responses=described(404))
    def revoke_key(asker: Administers, key_id: KeyId, _: Annotated[Asked, Query()]) -> Key:
        """Revoke a key for ever. One that is revoked already stays as it is."""
        found = keys.find(key_id)
        if found is None or not _is_of(asker.caller.project, found):
            raise NotFound(
                f"there is no key {key_id[:64]} here", "GET /v1/keys and `agentvigil keys list` show those there are"
            )
        return Key.of(keys.revoke(key_id) or found)

    @router.get("/projects", response_model=ProjectList)
    def list_projects(asker: Reads, asked: Annotated[Asked, Query()]) -> ProjectList:
        """List projects that were made, have keys, or have had data lately: all that the caller may see."""
        found = projects.listed(only=asker.caller.project or asked.project)
        return ProjectList(items=[ProjectSummary.of(project) for project in found])

    @router.post("/projects", response_model=ProjectSummary, status_code=201)
    def create_project(_: AdministersAll, wanted: ProjectRequest) -> ProjectSummary:
        """Make a project, or give one another description. None has to be made before it is used."""
        return ProjectSummary.of(projects.create(wanted.name, wanted.description))

    return router


def _is_of(project: str | None, key: KeyRecord) -> bool:
    """Say whether a caller bound to ``project`` may know of ``key``."""
    return project is None or key.project == project
