"""``/v1/runs``: lists of runs, one of them, its steps, why it failed."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query

from agentvigil.analysis.explaining import RunFacts, StepFacts, account_of, root_cause_of
from agentvigil.api.access import Reads
from agentvigil.api.amounts import time_of
from agentvigil.api.asked import Asked
from agentvigil.api.cursors import cursor_of, position_of
from agentvigil.api.problems import described
from agentvigil.api.runs.failures import Cause, FailuresAsked, RunFailures, actions_for, similar_to
from agentvigil.api.runs.filters import RunFilters, RunList
from agentvigil.api.runs.models import Run, RunDetail, RunPage
from agentvigil.api.runs.reading import Runs
from agentvigil.api.runs.steps import Step, StepList, StepPage

MOST_TOLD: Final = 1000
"""Steps of which an account is made; of longer runs it says that these are the first."""

MOST_FAILURES: Final = 200
_ALL: Final = StepList.model_validate({})
_FAILED: Final = StepList.model_validate({"failed": True})
_SIMILAR_WITHIN: Final = timedelta(days=7)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_PLACES: Final = (("tool", "ToolName"), ("model", "Model"))

RunId = Annotated[
    str,
    Path(max_length=200, examples=["4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"], description="id of the run"),
]


def run_page(runs: Runs, project: str, asked: RunList) -> RunPage:
    """Return a page of ``runs``."""
    rows, next_cursor = runs.page(project, asked)
    return RunPage(items=[Run.of(row) for row in rows], next_cursor=next_cursor)


def runs_router(runs: Runs) -> APIRouter:
    """Return the routes under ``/v1/runs``."""
    router = APIRouter(prefix="/v1/runs", tags=["runs"])

    @router.get("", response_model=RunPage)
    def list_runs(asker: Reads, asked: Annotated[RunList, Query()]) -> RunPage:
        """List runs, the newest first unless `sort` says otherwise. Pages stay right while runs arrive."""
        return run_page(runs, asker.project, asked)

    @router.get("/{run_id}", response_model=RunDetail, responses=described(404))
    def get_run(asker: Reads, run_id: RunId, _: Annotated[Asked, Query()]) -> RunDetail:
        """Tell one run, with an account of what happened."""
        row = runs.one(asker.project, run_id)
        steps = runs.steps(asker.project, row, _ALL, limit=MOST_TOLD)
        fields = Run.fields_of(row)
        return RunDetail(
            **fields, account=_account(row, steps), tags=sorted({*row["Tags"], *runs.tags(asker.project, run_id)})
        )

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

    @router.get("/{run_id}/failures", response_model=RunFailures, responses=described(404))
    def explain_failures(asker: Reads, run_id: RunId, asked: Annotated[FailuresAsked, Query()]) -> RunFailures:
        """Say why a run failed: the root cause, what to do about it, and whether other runs failed the same way."""
        row = runs.one(asker.project, run_id)
        steps = runs.steps(asker.project, row, _ALL, limit=MOST_TOLD)
        if len(steps) < MOST_TOLD:
            failed = [step for step in steps if step["Status"] == "failure"][:MOST_FAILURES]
        else:
            failed = runs.steps(asker.project, row, _FAILED, limit=MOST_FAILURES)
        by_span = {step["SpanId"]: step for step in (*steps, *failed)}
        facts = [StepFacts.of_row(step) for step in sorted(by_span.values(), key=lambda step: int(step["Ordinal"]))]
        cause = root_cause_of(RunFacts.of_row(row), facts)
        told, actions, similar = None, [], None
        if cause is not None:
            step = by_span.get(cause.span_id)
            message = step["FailureMessage"] if step else row["RootCauseMessage"]
            told = Cause.of(cause, message or None)
            actions = actions_for(cause, step, row["RunName"])
            started = time_of(row["timestamp_ns"])
            since = asked.since or max(started - _SIMILAR_WITHIN, _EPOCH)
            until = asked.until or started + _SIMILAR_WITHIN
            alike = {"agent": row["RunName"], "failure_type": cause.failure_type, "failure_code": cause.failure_code}
            alike |= {name: step[column] for name, column in _PLACES if step and step[column]}
            wanted = RunFilters.model_validate(
                {name: [value] for name, value in alike.items()} | {"since": since, "until": until}
            )
            similar = similar_to(runs.similar(asker.project, run_id, wanted), since, until, alike)
        return RunFailures(
            run_id=run_id,
            status=row["Status"],
            account=_account(row, steps),
            root_cause=told,
            next_actions=actions,
            failures=[Step.of(step, row["timestamp_ns"]) for step in failed],
            failures_total=row["Failures"] + row["RecoveredFailures"],
            similar=similar,
        )

    return router


def _account(run: Mapping[str, Any], steps: Sequence[Mapping[str, Any]]) -> str:
    return account_of(RunFacts.of_row(run), [StepFacts.of_row(step) for step in steps], steps_total=run["Steps"])
