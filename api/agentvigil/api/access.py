"""Who asks, and for which project: what every route of the API depends on.

A route says which scope it needs, ``Depends(Needs(Scope.READ))``; one that says nothing is refused when the application
is built, so that none is open by oversight.
"""

from dataclasses import dataclass
from typing import Annotated, Final, get_origin

from fastapi import APIRouter, Depends, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from pydantic import BaseModel

from agentvigil.api.problems import Forbidden, Invalid, Unauthenticated
from agentvigil.storage.access import DEFAULT_PROJECT, Access, AccessError, Caller, Scope, check_means_this_machine

_BEARER: Final = HTTPBearer(auto_error=False, description="A key made with `agentvigil keys create`")


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: ``caller`` by its key, in ``project``."""

    caller: Caller
    project: str

    @property
    def sees_everything(self) -> bool:
        """Whether the caller is bound to no project."""
        return self.caller.project is None


class Needs:
    """A dependency that lets callers with ``scope`` through, and says who they are."""

    def __init__(self, scope: Scope, *, every_project: bool = False) -> None:
        self.scope, self.every_project = scope, every_project

    def __call__(self, request: Request, _: Annotated[object, Depends(_BEARER)]) -> Asker:
        access: Access = request.app.state.access
        if access.is_open:
            _check_means_this_machine(request)
        scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
        offered = [credentials.strip()] if scheme.lower() == "bearer" and credentials.strip() else []
        try:
            caller = access.caller_of(offered)
        except AccessError as exc:
            raise Unauthenticated(
                str(exc), "send 'Authorization: Bearer KEY'", headers={"WWW-Authenticate": "Bearer"}
            ) from exc
        request.scope.setdefault("state", {})["caller"] = caller
        caller.check(self.scope)
        if self.every_project and caller.project is not None:
            raise Forbidden(
                f"this concerns every project, and this key is bound to {caller.project}",
                "make a key for it: agentvigil keys create --all-projects",
            )
        wanted = request.query_params.get("project")
        if caller.project is not None and wanted not in (None, caller.project):
            raise Forbidden(
                f"this key is bound to project {caller.project} and sees no other", "leave the parameter project out"
            )
        _check_said_once(request)
        return Asker(caller, caller.project or wanted or DEFAULT_PROJECT)


def _check_said_once(request: Request) -> None:
    """Refuse what is said twice and can be only one: which of the two was meant, nobody knows."""
    said = request.query_params
    route = request.scope.get("route")
    for name in _single_values(route) if isinstance(route, APIRoute) else ():
        if len(values := said.getlist(name)) > 1:
            raise Invalid(f"query.{name} is said {len(values)} times and can be only one", "leave all but one out")


def _single_values(route: APIRoute) -> frozenset[str]:
    """Return the names of what the query of ``route`` takes once."""
    models = [field.field_info.annotation for field in route.dependant.query_params]
    return frozenset(
        name
        for model in models
        if isinstance(model, type) and issubclass(model, BaseModel)
        for name, field in model.model_fields.items()
        if get_origin(field.annotation) is not list
    )


def _check_means_this_machine(request: Request) -> None:
    """Let nobody in whose browser was talked into asking; pages that may ask are let through."""
    origin = request.headers.get("origin")
    check_means_this_machine(
        request.headers.get("host", ""), None if origin in request.app.state.cors_origins else origin
    )


def guarded(router: APIRouter) -> APIRouter:
    """Return ``router``, every route of which says which scope it needs.

    Raises:
        RuntimeError: naming a route that does not.
    """
    for route in router.routes:
        if not isinstance(route, APIRoute) or needs_of(route) is None:
            raise RuntimeError(f"{route} needs no scope: give it one of the types of {__name__}")
    return router


def needs_of(route: APIRoute) -> Needs | None:
    """Return what ``route`` asks of its callers, None if nothing."""
    return _first_needs(route.dependant)


def _first_needs(dependant: Dependant) -> Needs | None:
    if isinstance(dependant.call, Needs):
        return dependant.call
    return next(filter(None, map(_first_needs, dependant.dependencies)), None)


Reads = Annotated[Asker, Depends(Needs(Scope.READ))]
"""A caller that may read, in the project it asks for."""

Sends = Annotated[Asker, Depends(Needs(Scope.INGEST))]
"""A caller that may add to the project it asks for, as an application that is instrumented may."""

Administers = Annotated[Asker, Depends(Needs(Scope.ADMIN))]
"""A caller that may administer the project it asks for."""

AdministersAll = Annotated[Asker, Depends(Needs(Scope.ADMIN, every_project=True))]
"""A caller that may administer what all projects share."""

ReadsAll = Annotated[Asker, Depends(Needs(Scope.READ, every_project=True))]
"""A caller that may read what all projects share."""
