"""``/v1/baselines``: which runs of an agent others are compared with."""

from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query
from pydantic import StringConstraints

from agentvigil.analysis.baselines.book import BaselineBook, HoursEmpty, NoSuchBaseline, TooManyBaselines
from agentvigil.analysis.baselines.choosing import HOURS_PER_DAY, TRAILING_DAYS, Hours
from agentvigil.analysis.features.cells import Subject
from agentvigil.api.access import Administers, Reads
from agentvigil.api.asked import Asked
from agentvigil.api.baselines.models import Baseline, BaselinePage, BaselinesAsked, OneAsked, Pinning, hour_of
from agentvigil.api.problems import Conflict, Invalid, NotFound, described

Name = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9_.:@-]{1,64}$"),
    Path(examples=["before-launch"], description="a label without slashes"),
]
_LISTED: Final = "GET /v1/baselines lists them"


def baselines_router(book: BaselineBook) -> APIRouter:
    """Return the routes under ``/v1/baselines``."""
    router = APIRouter(prefix="/v1/baselines", tags=["baselines"])

    @router.get("", response_model=BaselinePage)
    def list_baselines(asker: Reads, asked: Annotated[BaselinesAsked, Query()]) -> BaselinePage:
        """List the baselines that are pinned in the project, the newest first."""
        return BaselinePage(items=[Baseline.of(found) for found in book.listed(asker.project, asked.agent or "")])

    @router.put("/{name}", response_model=Baseline, responses=described(409))
    def pin_baseline(asker: Administers, name: Name, pinning: Pinning, _: Annotated[Asked, Query()]) -> Baseline:
        """Pin runs of an agent as what is normal for it, in the place of a baseline with that name. Needs scope
        `admin`.

        The newest one holds until it is dropped: findings, and comparisons that name no other, are made with it.
        """
        subject = Subject(asker.project, pinning.environment, pinning.agent)
        try:
            return Baseline.of(
                book.pin(subject, name, _hours(pinning), pinning.version or "", pinned_by=asker.caller.key_id)
            )
        except HoursEmpty as exc:
            raise Invalid(str(exc), "since and until want an hour between them") from exc
        except TooManyBaselines as exc:
            raise Conflict(str(exc), _LISTED) from exc

    @router.delete("/{name}", response_model=Baseline, responses=described(404))
    def drop_baseline(asker: Administers, name: Name, asked: Annotated[OneAsked, Query()]) -> Baseline:
        """Drop a baseline: the one pinned before it holds now, else what the agent did lately. Needs scope `admin`."""
        try:
            return Baseline.of(book.drop(Subject(asker.project, asked.environment, asked.agent), name))
        except NoSuchBaseline as exc:
            raise NotFound(str(exc), _LISTED) from exc

    return router


def _hours(pinning: Pinning) -> Hours:
    """Return the hours that are pinned: up to now with the one that goes on, whose runs were just made perhaps."""
    end = hour_of(datetime.now(UTC)) + 1 if pinning.until is None else hour_of(pinning.until)
    if pinning.since is not None:
        return Hours(hour_of(pinning.since), end)
    return Hours(0 if pinning.version else end - TRAILING_DAYS * HOURS_PER_DAY, end)
