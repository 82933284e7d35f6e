"""A step as the API tells it; docs/runs.md defines every word."""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, Field

from agentvigil.api.amounts import milliseconds, time_of
from agentvigil.api.asked import Asked
from agentvigil.api.runs.filters import Texts
from agentvigil.api.runs.models import Cost, Tokens, cost_of, tokens_of
from agentvigil.api.times import ToldTime


class StepList(Asked):
    """A page of a run's steps."""

    type: Texts = Field([], description="plan, retrieve, tool, respond or other")
    failed: bool | None = Field(None, description="only steps that failed, or only those that did not")
    limit: int = Field(200, ge=1, le=1000)
    cursor: str | None = Field(None, max_length=2048, description="`next_cursor` of the page before")


class StepFailure(BaseModel):
    """Why a step failed."""

    type: str = Field(examples=["tool"])
    code: str = Field(examples=["timeout"])
    error_type: str | None = Field(examples=["TimeoutError"])
    message: str | None = Field(description="as stored: masked and cut as the project's policy says")
    is_soft: bool = Field(description="it came back with something, but not with what it should")
    is_recovered: bool = Field(description="it, or a step around it, failed and a retry succeeded")
    is_root_cause: bool = Field(description="it failed by itself, and no retry mended it")
    is_victim: bool = Field(description="it failed because a step inside it failed")


class Step(BaseModel):
    """A meaningful span inside a run: a call of a model or tool, a search, a plan, a nested agent."""

    ordinal: int = Field(examples=[3], description="place in the run by start, from 1")
    span_id: str = Field(examples=["00f067aa0ba902b7"])
    parent_step_id: str | None = Field(description="span id of the step around it, null directly under the run")
    depth: int
    type: str = Field(examples=["tool"], description="plan, retrieve, tool, respond or other")
    name: str = Field(examples=["refund"])
    operation: str | None = Field(examples=["execute_tool"])
    agent: str | None
    attempt: int = Field(description="number of the try, from 1")
    status: str = Field(examples=["failure"], description="success or failure")
    started_at: ToldTime
    offset_ms: float = Field(description="from the start of the run")
    duration_ms: float
    self_time_ms: float = Field(description="in which no step inside it ran")
    is_on_critical_path: bool = Field(description="the run would have been shorter without it")
    critical_path_ms: float
    time_to_first_chunk_ms: float | None
    service: str | None
    provider: str | None
    model: str | None
    tool: str | None
    tool_call_id: str | None
    response_id: str | None
    finish_reason: str | None
    retrieved_documents: int | None
    tokens: Tokens
    cost: Cost
    is_billed: bool = Field(description="the step stands for a real call; each real call has one such step")
    billing_note: str | None = Field(description="why it is not billed, or billed without a cost")
    duplicate_of_span_id: str | None = Field(description="where the same call is billed")
    failure: StepFailure | None
    dialect: str | None
    instrumentation: str | None = Field(description="the scope that wrote the span")

    @classmethod
    def of(cls, record: Mapping[str, Any], run_started_ns: int) -> Self:
        """Return the step that a row of agent_steps is."""
        first = record["TimeToFirstChunk"]
        return cls(
            ordinal=record["Ordinal"],
            span_id=record["SpanId"],
            parent_step_id=record["ParentStepId"] or None,
            depth=record["Depth"],
            type=record["StepType"],
            name=record["StepName"],
            operation=record["Operation"] or None,
            agent=record["AgentName"] or None,
            attempt=record["Attempt"],
            status=record["Status"],
            started_at=time_of(record["timestamp_ns"]),
            offset_ms=milliseconds(record["timestamp_ns"] - run_started_ns),
            duration_ms=milliseconds(record["Duration"]),
            self_time_ms=milliseconds(record["SelfTime"]),
            is_on_critical_path=record["IsOnCriticalPath"],
            critical_path_ms=milliseconds(record["CriticalPathTime"]),
            time_to_first_chunk_ms=None if first is None else first * 1000,
            service=record["ServiceName"] or None,
            provider=record["Provider"] or None,
            model=record["Model"] or None,
            tool=record["ToolName"] or None,
            tool_call_id=record["ToolCallId"] or None,
            response_id=record["ResponseId"] or None,
            finish_reason=record["FinishReason"] or None,
            retrieved_documents=record["RetrievedDocuments"],
            tokens=tokens_of(record, int(record["BillingNote"] == "no tokens")),
            cost=cost_of(record, int(record["BillingNote"] == "no price")),
            is_billed=record["Billed"],
            billing_note=record["BillingNote"] or None,
            duplicate_of_span_id=record["DuplicateOfSpanId"] or None,
            failure=_failure(record),
            dialect=record["Dialect"] or None,
            instrumentation=record["ScopeName"] or None,
        )


class StepPage(BaseModel):
    """Steps in their order."""

    items: list[Step]
    next_cursor: str | None = Field(description="cursor of the next page, null on the last one")


def _failure(record: Mapping[str, Any]) -> StepFailure | None:
    if record["Status"] != "failure":
        return None
    return StepFailure(
        type=record["FailureType"],
        code=record["FailureCode"],
        error_type=record["ErrorType"] or None,
        message=record["FailureMessage"] or None,
        is_soft=record["IsSoftFailure"],
        is_recovered=record["IsRecovered"],
        is_root_cause=record["IsRootCause"],
        is_victim=record["IsVictim"],
    )
