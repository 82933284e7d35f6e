"""``/v1/compare``: did a version get worse?"""

from typing import Annotated

from fastapi import APIRouter, Query

from agentvigil.api.access import Reads
from agentvigil.api.comparing.models import CompareAsked, Comparison
from agentvigil.api.comparing.reading import Comparisons
from agentvigil.api.problems import described


def comparing_router(comparisons: Comparisons) -> APIRouter:
    """Return the route ``/v1/compare``."""
    router = APIRouter(prefix="/v1/compare", tags=["baselines"])

    @router.get("", response_model=Comparison, responses=described(404))
    def compare_runs(asker: Reads, asked: Annotated[CompareAsked, Query()]) -> Comparison:
        """Tell what got worse from one version of an agent to another, or since a baseline or another time.

        Finished runs are counted by hours, those of the hour that goes on too. They are compared within their input
        class: other work is no regression. docs/baselines.md has the method.
        """
        return comparisons.of(asker.project, asked)

    return router
