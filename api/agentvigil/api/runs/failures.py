"""Why a run failed, as the API tells it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Self
from urllib.parse import urlencode

from pydantic import BaseModel, Field

from agentvigil.analysis.explaining import RootCause, next_actions_of
from agentvigil.api.amounts import time_of
from agentvigil.api.asked import Asked
from agentvigil.api.runs.filters import RunStatus
from agentvigil.api.runs.steps import Step
from agentvigil.api.times import GivenTime, ToldTime, in_utc


class FailuresAsked(Asked):
    """How far back similar failures are looked for."""

    since: GivenTime | None = Field(
        None, description="similar failures are looked for from this time on; 7 days before the run if none is said"
    )
    until: GivenTime | None = Field(None, description="up to this time; 7 days after the run if none is said")


class Cause(BaseModel):
    """What made the run fail or be partial; where a retry mended everything, the first failure that it mended."""

    summary: str = Field(
        examples=["Tool refund timed out in all 3 attempts (step 5 of 7); nothing after it succeeded."]
    )
    type: str = Field(examples=["tool"], description="where: tool, model, retrieval or orchestration")
    code: str = Field(examples=["timeout"])
    meaning: str | None = Field(examples=["No answer in time."], description="of the code")
    message: str | None = Field(description="as stored: masked and cut as the project's policy says")
    span_id: str
    ordinal: int | None = Field(examples=[5], description="of the step; null for the run itself")
    name: str = Field(examples=["refund"])
    step_type: str = Field(examples=["tool"])
    attempts: int = Field(examples=[3], description="how often it was tried")
    path: list[str] = Field(examples=[["support-agent", "resolver", "refund"]], description="from the run down to it")
    victims: list[int] = Field(description="ordinals of the steps around it that failed because of it")
    is_soft: bool = Field(description="it came back with something, but not with what it should")
    is_recovered: bool = Field(description="a retry mended it")

    @classmethod
    def of(cls, cause: RootCause, message: str | None) -> Self:
        """Return what analysis found, with the message as it is stored."""
        return cls(
            summary=cause.summary,
            type=cause.failure_type,
            code=cause.failure_code,
            meaning=cause.meaning or None,
            message=message,
            span_id=cause.span_id,
            ordinal=cause.ordinal,
            name=cause.name,
            step_type=cause.step_type,
            attempts=cause.attempts,
            path=list(cause.path),
            victims=list(cause.victims),
            is_soft=cause.is_soft,
            is_recovered=cause.is_recovered,
        )


class SimilarRun(BaseModel):
    """Another run with the same root cause."""

    id: str
    started_at: ToldTime


class Similar(BaseModel):
    """Other runs of this agent with a root cause of the same type and code, which used the same tool or model."""

    since: ToldTime
    until: ToldTime
    runs: int = Field(examples=[12])
    versions: int = Field(description="versions of the agent among them")
    first_at: ToldTime | None
    last_at: ToldTime | None
    newest: list[SimilarRun] = Field(description="five at most")
    list: str = Field(
        examples=["/v1/runs?agent=support-agent&failure_type=tool&failure_code=timeout&tool=refund"],
        description="lists them, and this one",
    )


class RunFailures(BaseModel):
    """Why a run failed, what to do about it, and whether it happens elsewhere."""

    run_id: str
    status: RunStatus
    account: str = Field(description="what happened in the run, from structure alone")
    root_cause: Cause | None = Field(description="null where nothing failed")
    next_actions: list[str] = Field(
        examples=[["Raise the timeout of refund, or find out what it waits for: it failed in all 3 attempts."]]
    )
    failures: list[Step] = Field(description="the steps that failed, in order; the first 200")
    failures_total: int = Field(description="steps that failed by themselves and for good, and those that were mended")
    similar: Similar | None = Field(description="null where nothing failed")


def actions_for(cause: RootCause, step: Mapping[str, Any] | None, agent: str) -> list[str]:
    """Return what to do about ``cause``, in its ``step`` (a row of agent_steps; None for the run itself)."""
    row = step or {}
    return list(
        next_actions_of(
            cause.failure_type,
            cause.failure_code,
            tool=row.get("ToolName", ""),
            model=row.get("Model", ""),
            provider=row.get("Provider", ""),
            agent=row.get("AgentName", "") or agent,
            attempts=cause.attempts,
        )
    )


def similar_to(found: Mapping[str, Any], since: datetime, until: datetime, alike: Mapping[str, str]) -> Similar:
    """Return what the statement ``similar`` found between two times, for the filters ``alike`` of a list of runs."""
    newest: Sequence[tuple[str, int]] = found["newest"]
    return Similar(
        since=since,
        until=until,
        runs=found["runs"],
        versions=found["versions"],
        first_at=found["first_at"] if found["runs"] else None,
        last_at=found["last_at"] if found["runs"] else None,
        newest=[SimilarRun(id=run_id, started_at=time_of(-negative_ns)) for run_id, negative_ns in newest],
        list=f"/v1/runs?{urlencode({**alike, 'since': in_utc(since), 'until': in_utc(until)})}",
    )
