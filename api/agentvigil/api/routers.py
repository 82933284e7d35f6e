"""All routes of the API over one store."""

from fastapi import APIRouter

from agentvigil.api.prices import prices_router
from agentvigil.api.reading import Reader
from agentvigil.api.runs.reading import Runs
from agentvigil.api.runs.routes import runs_router
from agentvigil.api.sessions.reading import Sessions
from agentvigil.api.sessions.routes import sessions_router
from agentvigil.api.traces.reading import Traces
from agentvigil.api.traces.routes import traces_router
from agentvigil.receiver.content_policies import ContentPolicies
from agentvigil.storage.prices.book import PriceBook
from agentvigil.storage.store import Store


def routers_of(
    store: Store,
    policies: ContentPolicies = ContentPolicies(),  # noqa: B008 - frozen
) -> list[APIRouter]:
    """Return every router under ``/v1``, reading from ``store``; ``policies`` say which projects store content."""
    reader = Reader(store)
    runs = Runs(reader)
    return [
        runs_router(runs),
        traces_router(Traces(reader), policies),
        sessions_router(Sessions(reader), runs),
        prices_router(PriceBook(store)),
    ]
