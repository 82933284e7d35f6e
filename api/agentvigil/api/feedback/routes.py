"""``/v1/feedback`` and ``/v1/runs/…/feedback``: what is thought of runs."""

import time
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool

from agentvigil.api.access import Reads, Sends
from agentvigil.api.amounts import time_of
from agentvigil.api.asked import Asked
from agentvigil.api.feedback.intake import LogIntake
from agentvigil.api.feedback.models import (
    Feedback,
    FeedbackFilters,
    FeedbackList,
    FeedbackPage,
    FeedbackTaken,
    Judgement,
)
from agentvigil.api.feedback.reading import FeedbackReader
from agentvigil.api.feedback.record import request_with
from agentvigil.api.problems import Forbidden, described
from agentvigil.api.runs.reading import Runs
from agentvigil.api.runs.routes import RunId
from agentvigil.semconv.privacy import ContentPolicy


def feedback_router(
    runs: Runs, feedback: FeedbackReader, intake: LogIntake, content_policy: Callable[[str], ContentPolicy]
) -> APIRouter:
    """Return the routes for feedback, which goes in by ``intake``; ``content_policy`` says that of a project."""
    router = APIRouter(prefix="/v1", tags=["feedback"])

    @router.get("/feedback", response_model=FeedbackPage)
    def list_feedback(asker: Reads, asked: Annotated[FeedbackList, Query()]) -> FeedbackPage:
        """List feedback, the newest first, whoever sent it and by whichever way."""
        return feedback.page(asker.project, asked)

    @router.post("/feedback", response_model=FeedbackTaken, status_code=201, responses=described(404))
    async def give_feedback(asker: Sends, given: Feedback, _: Annotated[Asked, Query()]) -> FeedbackTaken:
        """Judge a run, or the run that a span is in. Answers when it is stored; needs scope `ingest`."""
        _check_comment(content_policy(asker.project), asker.project, given)
        run_id = given.run_id
        if run_id is None:
            run_id = await run_in_threadpool(
                feedback.run_of_span, asker.project, str(given.trace_id), str(given.span_id)
            )
        run = await run_in_threadpool(runs.one, asker.project, run_id)
        return await _take(intake, asker.project, given, run, given.span_id or run["TopSpanId"])

    @router.get("/runs/{run_id}/feedback", response_model=FeedbackPage, responses=described(404))
    def list_feedback_of_run(asker: Reads, run_id: RunId, asked: Annotated[FeedbackFilters, Query()]) -> FeedbackPage:
        """List the feedback for one run, the newest first."""
        return feedback.of_run(asker.project, runs.one(asker.project, run_id), asked)

    @router.post("/runs/{run_id}/feedback", response_model=FeedbackTaken, status_code=201, responses=described(404))
    async def give_feedback_to_run(
        asker: Sends, run_id: RunId, given: Judgement, _: Annotated[Asked, Query()]
    ) -> FeedbackTaken:
        """Judge a run. Answers when it is stored; needs scope `ingest`."""
        _check_comment(content_policy(asker.project), asker.project, given)
        run = await run_in_threadpool(runs.one, asker.project, run_id)
        return await _take(intake, asker.project, given, run, run["TopSpanId"])

    return router


def _check_comment(policy: ContentPolicy, project: str, given: Judgement) -> None:
    if given.comment is not None and policy is ContentPolicy.OFF:
        raise Forbidden(
            f"the content policy of project {project} is off, so what people say is not stored: leave the comment out",
            f"whoever runs the server allows it with --content-policy {project}=masked; a label may say it in a word",
        )


async def _take(
    intake: LogIntake, project: str, given: Judgement, run: Mapping[str, Any], span_id: str
) -> FeedbackTaken:
    at_ns = time.time_ns()
    await intake.take(request_with(given, run, span_id, at_ns), project)
    return FeedbackTaken(
        run_id=run["RunId"],
        at=time_of(at_ns),
        name=given.name,
        score=given.score,
        label=given.label,
        source=given.source.value,
    )
