"""``/v1/mapping`` and ``/v1/privacy``."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Query

from agentvigil.api.access import Reads
from agentvigil.api.reports.models import MappingAsked, MappingPage, PrivacyAsked, PrivacyReport
from agentvigil.api.reports.reading import Reports
from agentvigil.semconv.privacy import ContentPolicy


def reports_router(reports: Reports, content_policy: Callable[[str], ContentPolicy]) -> APIRouter:
    """Return the routes of reports; ``content_policy`` is asked for that of a project."""
    router = APIRouter(prefix="/v1", tags=["reports"])

    @router.get("/mapping", response_model=MappingPage)
    def get_mapping(asker: Reads, asked: Annotated[MappingAsked, Query()]) -> MappingPage:
        """Tell how the keys of spans about AI were read, by scope and dialect; no values."""
        return reports.mapping(asker.project, asked)

    @router.get("/privacy", response_model=PrivacyReport)
    def get_privacy(asker: Reads, asked: Annotated[PrivacyAsked, Query()]) -> PrivacyReport:
        """Tell the content policy of the project, what was withheld under it, and what is stored of what was said."""
        return reports.privacy(asker.project, asked, content_policy(asker.project))

    return router
