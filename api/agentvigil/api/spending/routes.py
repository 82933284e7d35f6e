"""``/v1/spending``: what is spent, and what it will come to."""

from typing import Annotated

from fastapi import APIRouter, Query

from agentvigil.api.access import Reads
from agentvigil.api.spending.models import Spending, SpendingAsked
from agentvigil.api.spending.reading import SpendingReading


def spending_router(spending: SpendingReading) -> APIRouter:
    """Return the route ``/v1/spending``."""
    router = APIRouter(prefix="/v1/spending", tags=["spending"])

    @router.get("", response_model=Spending)
    def get_spending(asker: Reads, asked: Annotated[SpendingAsked, Query()]) -> Spending:
        """Tell what was spent since the month began, what it will come to, by whom, and where a budget stands.

        With `period=day` it is the day. Money is of settled runs.
        """
        return spending.of(asker.project, asked)

    return router
