"""``/v1/sessions``: lists of conversations, one of them with its runs."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

import agentvigil.api.names_in_paths  # noqa: F401 - makes {session_id:text} known
from agentvigil.api.access import Reads
from agentvigil.api.amounts import time_of
from agentvigil.api.problems import described
from agentvigil.api.runs.filters import RunList, RunOrder
from agentvigil.api.runs.models import Run
from agentvigil.api.runs.reading import Runs
from agentvigil.api.sessions.filters import SessionList, SessionRuns
from agentvigil.api.sessions.models import Session, SessionDetail, SessionPage
from agentvigil.api.sessions.reading import Sessions

SessionId = Annotated[
    str,
    Path(min_length=1, max_length=1000, examples=["chat/8f14e45f"], description="id of the session, slashes and all"),
]


def session_page(sessions: Sessions, project: str, asked: SessionList) -> SessionPage:
    """Return a page of ``sessions``."""
    rows, next_cursor = sessions.page(project, asked)
    return SessionPage(items=[Session.of(project, row) for row in rows], next_cursor=next_cursor)


def sessions_router(sessions: Sessions, runs: Runs) -> APIRouter:
    """Return the routes under ``/v1/sessions``."""
    router = APIRouter(prefix="/v1/sessions", tags=["sessions"])

    @router.get("", response_model=SessionPage)
    def list_sessions(asker: Reads, asked: Annotated[SessionList, Query()]) -> SessionPage:
        """List sessions that had runs in a time, by default of the last 30 days and the latest first.

        A session that gets a run while you page may move past you; those that do not change are on one page each.
        """
        return session_page(sessions, asker.project, asked)

    @router.get("/{session_id:text}", response_model=SessionDetail, responses=described(404))
    def get_session(asker: Reads, session_id: SessionId, asked: Annotated[SessionRuns, Query()]) -> SessionDetail:
        """Tell one session whole, and its runs in order, page by page."""
        row = sessions.one(asker.project, session_id)
        wanted = RunList.model_validate(
            {
                "session": [session_id],
                "since": time_of(row["first_ns"]),
                "sort": RunOrder.OLDEST,
                "limit": asked.limit,
                "cursor": asked.cursor,
            }
        )
        found, next_cursor = runs.page(asker.project, wanted)
        fields = Session.fields_of(asker.project, row)
        return SessionDetail(**fields, items=[Run.of(run) for run in found], next_cursor=next_cursor)

    return router
