"""``/v1/runs``: lists of runs, one of them, its steps."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from agentvigil.api.access import Asked, Reads
from agentvigil.api.cursors import cursor_of, position_of
from agentvigil.api.problems import described
from agentvigil.api.runs.filters import RunList
from agentvigil.api.runs.models import Run, RunDetail, RunPage
from agentvigil.api.runs.reading import Runs
from agentvigil.api.runs.steps import Step, StepList, StepPage

RunId = Annotated[
    str,
    Path(max_length=200, examples=["4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"], description="id of the run"),
]


def runs_router(runs: Runs) -> APIRouter:
    """Return the routes under ``/v1/runs``."""
    router = APIRouter(prefix="/v1/runs", tags=["runs"])

    @router.get("", response_model=RunPage)
    def list_runs(asker: Reads, asked: Annotated[RunList, Query()]) -> RunPage:
        """List runs, the newest first unless `sort` says otherwise. Pages stay right while runs arrive."""
        rows, next_cursor = runs.page(asker.project, asked)
        return RunPage(items=[Run.of(row) for row in rows], next_cursor=next_cursor)

    @router.get("/{run_id}", response_model=RunDetail, responses=described(404))
    def get_run(asker: Reads, run_id: RunId, _: Annotated[Asked, Query()]) -> RunDetail:
        """Tell one run, with an account of what happened."""
        row = runs.one(asker.project, run_id)
        fields = Run.fields_of(row)
        return RunDetail(**fields, account="", tags=runs.tags(asker.project, run_id))

    @router.get("/{run_id}/steps", response_model=StepPage, responses=described(404))
    def list_steps(asker: Reads, run_id: RunId, asked: Annotated[StepList, Query()]) -> StepPage:
        """List the steps of a run in the order in which they began."""
        row = runs.one(asker.project, run_id)
        said = asked.model_dump(mode="json", exclude={"cursor", "limit"}) | {"project": asker.project, "run": run_id}
        after = 0 if asked.cursor is None else position_of(asked.cursor, said, (int,))[0]
        steps = runs.steps(asker.project, row, asked, after=after, limit=asked.limit + 1)
        next_cursor = None
        if len(steps) > asked.limit:
            steps = steps[: asked.limit]
            next_cursor = cursor_of(said, (steps[-1]["Ordinal"],))
        return StepPage(items=[Step.of(step, row["timestamp_ns"]) for step in steps], next_cursor=next_cursor)

    return router
