"""``/v1/alerts``: rules, where their notices go, and what became of each.

What is secret of a destination goes in and never comes out. Destinations say where this server sends something, so only
those who administer a project see them, and what they make reaches the internet alone unless the file of alerts says
otherwise (``connecting.py``).
"""

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import StringConstraints

from agentvigil.analysis.alerts.book import AlertBook, NotPossible, NotThere, UnknownDestinations
from agentvigil.analysis.alerts.destinations import Destination
from agentvigil.analysis.alerts.rules import Rule
from agentvigil.analysis.alerts.sending import Sender
from agentvigil.analysis.alerts.trial import try_out
from agentvigil.api.access import Administers, Reads
from agentvigil.api.alerts.models import (
    AlertList,
    DeliveryList,
    DeliveryPage,
    DestinationPage,
    OpenAlerts,
    RulePage,
    ToldDestination,
    ToldRule,
    TrialResult,
)
from agentvigil.api.alerts.reading import AlertReader
from agentvigil.api.asked import Asked
from agentvigil.api.problems import Conflict, Invalid, NotFound, described
from agentvigil.storage.store import Store

_Label = StringConstraints(pattern=r"^[A-Za-z0-9_.:@-]{1,64}$")
RuleName = Annotated[str, _Label, Path(examples=["failures"], description="a label without slashes")]
DestinationName = Annotated[str, _Label, Path(examples=["ops"], description="a label without slashes")]


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Tell what is wrong with a rule or destination as the API does."""
    try:
        yield
    except NotThere as exc:
        raise NotFound(str(exc), "GET /v1/alerts/rules and /v1/alerts/destinations list what there is") from exc
    except NotPossible as exc:
        raise Conflict(str(exc)) from exc
    except UnknownDestinations as exc:
        raise Invalid(str(exc), "make it first, with PUT /v1/alerts/destinations/{name}") from exc


def alerts_router(store: Store, book: AlertBook, reader: AlertReader, sender: Sender) -> APIRouter:
    """Return the routes under ``/v1/alerts``; tests of destinations go by ``sender``."""
    router = APIRouter(prefix="/v1/alerts", tags=["alerts"])

    @router.get("", response_model=OpenAlerts)
    def list_alerts(asker: Reads, asked: Annotated[AlertList, Query()]) -> OpenAlerts:
        """List what rules find to be the case now, the worst first."""
        return reader.open(asker.project, asked)

    @router.get("/deliveries", response_model=DeliveryPage)
    def list_deliveries(asker: Reads, asked: Annotated[DeliveryList, Query()]) -> DeliveryPage:
        """List notices and what became of each, the newest first."""
        return reader.deliveries(asker.project, asked)

    @router.get("/rules", response_model=RulePage, response_model_by_alias=True)
    def list_rules(asker: Reads, _: Annotated[Asked, Query()]) -> RulePage:
        """List the rules of the project, by their names; those of the file of alerts are read-only."""
        standings = reader.standings(asker.project)
        rules = book.rules(asker.project)
        return RulePage(items=[ToldRule.of(kept, standings.get(kept.name)) for kept in rules])

    @router.get("/rules/{name}", response_model=ToldRule, responses=described(404))
    def get_rule(asker: Reads, name: RuleName, _: Annotated[Asked, Query()]) -> ToldRule:
        """Tell one rule."""
        with _told():
            return ToldRule.of(book.rule(asker.project, name), reader.standings(asker.project).get(name))

    @router.put("/rules/{name}", response_model=ToldRule, responses=described(409))
    def put_rule(asker: Administers, name: RuleName, rule: Rule, _: Annotated[Asked, Query()]) -> ToldRule:
        """Make a rule, in the place of one that has its name. Needs scope `admin`."""
        with _told():
            kept = book.put_rule(asker.project, name, rule)
        return ToldRule.of(kept, reader.standings(asker.project).get(name))

    @router.delete("/rules/{name}", status_code=204, response_class=Response, responses=described(404, 409))
    def remove_rule(asker: Administers, name: RuleName, _: Annotated[Asked, Query()]) -> None:
        """Take a rule away; nobody is told that its alerts are over. Needs scope `admin`."""
        with _told():
            book.remove_rule(asker.project, name)

    @router.get("/destinations", response_model=DestinationPage)
    def list_destinations(asker: Administers, _: Annotated[Asked, Query()]) -> DestinationPage:
        """List where notices can go, by name, without what is secret. Needs scope `admin`."""
        return DestinationPage(items=[ToldDestination.of(kept) for kept in book.destinations(asker.project)])

    @router.get("/destinations/{name}", response_model=ToldDestination, responses=described(404))
    def get_destination(asker: Administers, name: DestinationName, _: Annotated[Asked, Query()]) -> ToldDestination:
        """Tell one destination, without what is secret of it. Needs scope `admin`."""
        with _told():
            return ToldDestination.of(book.destination(asker.project, name))

    @router.put("/destinations/{name}", response_model=ToldDestination, responses=described(409))
    def put_destination(
        asker: Administers, name: DestinationName, destination: Destination, _: Annotated[Asked, Query()]
    ) -> ToldDestination:
        """Make a destination, in the place of one that has its name, with all its secrets. Needs scope `admin`."""
        with _told():
            return ToldDestination.of(book.put_destination(asker.project, name, destination))

    @router.delete("/destinations/{name}", status_code=204, response_class=Response, responses=described(404, 409))
    def remove_destination(asker: Administers, name: DestinationName, _: Annotated[Asked, Query()]) -> None:
        """Take a destination away that no rule goes to. Needs scope `admin`."""
        with _told():
            book.remove_destination(asker.project, name)

    @router.post("/destinations/{name}/test", response_model=TrialResult, responses=described(404))
    def try_destination(
        asker: Administers,
        name: Annotated[str, _Label, Path(examples=["ops-mail"], description="a label without slashes")],
        _: Annotated[Asked, Query()],
    ) -> TrialResult:
        """Send a test there now, once, and tell what became of it. Needs scope `admin`."""
        with _told():
            kept = book.destination(asker.project, name)
        return TrialResult.of(try_out(store, asker.project, kept, sender, datetime.now(UTC)))

    return router
