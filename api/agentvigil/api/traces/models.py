"""A trace as the API tells it: itself in a list, and its spans in their tree."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Self

from pydantic import BaseModel, Field

from agentvigil.api.amounts import MoneyText, milliseconds, time_of, usd
from agentvigil.api.times import ToldTime
from agentvigil.api.traces.filters import TraceStatus
from agentvigil.api.traces.tree import Place

_TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
_RUN_ID = f"{_TRACE_ID}-00f067aa0ba902b7"


class Trace(BaseModel):
    """A trace by its root span; where that is missing, by the first run in it."""

    trace_id: str = Field(examples=[_TRACE_ID])
    name: str = Field(examples=["POST /chat"], description="of the root span, else the agent of the first run")
    service: str | None = Field(examples=["shop"])
    root_is_missing: bool = Field(description="no span without a parent was stored")
    started_at: ToldTime
    duration_ms: float = Field(description="of the root span, else of the first run")
    status: TraceStatus
    spans: int = Field(examples=[14])
    error_spans: int = Field(description="spans whose status is an error")
    runs: list[str] = Field(examples=[[_RUN_ID]], description="ids of the runs in it, by start")
    link: str = Field(examples=[f"/v1/traces/{_TRACE_ID}"])

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Self:
        """Return the trace that a row of `Traces.page` is."""
        return cls(
            trace_id=record["TraceId"],
            name=record["Name"],
            service=record["ServiceName"] or None,
            root_is_missing=not record["has_root"],
            started_at=time_of(record["started_ns"]),
            duration_ms=milliseconds(record["Duration"]),
            status=TraceStatus.ERROR if record["IsError"] else TraceStatus.OK,
            spans=record["spans"],
            error_spans=record["error_spans"],
            runs=list(record["run_ids"]),
            link=f"/v1/traces/{record['TraceId']}",
        )


class TracePage(BaseModel):
    """Traces, the newest first."""

    items: list[Trace]
    next_cursor: str | None = Field(
        description="cursor of the next page, null on the last one only: another may be shorter than its limit"
    )


class SpanTokens(BaseModel):
    """What a span says of tokens; null is unknown, never 0."""

    input: int | None = Field(examples=[1200], description="with what a cache gave and took")
    output: int | None = Field(examples=[85], description="with reasoning")
    cache_read: int | None
    cache_write: int | None
    reasoning: int | None

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Self | None:
        """Return the tokens of a row of otel_traces, None if it says nothing of any."""
        said = {
            "input": record["InputTokens"],
            "output": record["OutputTokens"],
            "cache_read": record["CacheReadTokens"],
            "cache_write": record["CacheWriteTokens"],
            "reasoning": record["ReasoningTokens"],
        }
        return cls(**said) if any(count is not None for count in said.values()) else None


class SpanError(BaseModel):
    """What a span says of an error; what it meant for the run, the run's steps say."""

    type: str | None = Field(examples=["TimeoutError"], description="error.type")
    message: str | None = Field(description="of the status, as stored: masked and cut as the project's policy says")
    failure_type: str | None = Field(examples=["tool"], description="agentvigil.failure.type")
    failure_code: str | None = Field(examples=["timeout"], description="agentvigil.failure.code")

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Self | None:
        """Return the error of a row of otel_traces, None if it has none."""
        said = record["ErrorType"], record["FailureType"], record["FailureCode"]
        if record["StatusCode"] != "Error" and not any(said):
            return None
        return cls(
            type=record["ErrorType"] or None,
            message=record["StatusMessage"] or None,
            failure_type=record["FailureType"] or None,
            failure_code=record["FailureCode"] or None,
        )


class TreeSpan(BaseModel):
    """A span in its tree: what it was, not what was said in it."""

    span_id: str = Field(examples=["00f067aa0ba902b7"])
    parent_span_id: str | None = Field(description="as the sender says it")
    parent_is_missing: bool = Field(
        description="the parent was not stored, or is below the span: it hangs under the first root"
    )
    depth: int = Field(examples=[1], description="0 at the top")
    name: str
    kind: str = Field(examples=["Client"])
    service: str | None
    offset_ms: float = Field(description="from the start of the trace")
    duration_ms: float
    status: str = Field(examples=["Unset"], description="Unset, Ok or Error")
    operation: str | None = Field(examples=["chat"], description="gen_ai.operation.name, however the span says it")
    agent: str | None
    tool: str | None
    model: str | None = Field(examples=["gpt-4o"], description="that answered, else that was asked")
    tokens: SpanTokens | None
    list_cost_usd: MoneyText | None
    step_type: str | None = Field(examples=["tool"], description="plan, retrieve, tool, respond or other")
    step_name: str | None
    attempt: int | None = Field(description="as the sender says it, from 1")
    error: SpanError | None
    events: int
    links: int
    has_content: bool = Field(description="texts of it are stored; the span by its id tells them")

    @classmethod
    def of(cls, record: Mapping[str, Any], place: Place, began_ns: int, with_content: Collection[str]) -> Self:
        """Return the span that a row of otel_traces is, at its place in a trace that began at ``began_ns``."""
        return cls(
            span_id=record["SpanId"],
            parent_span_id=record["ParentSpanId"] or None,
            parent_is_missing=place.parent_is_missing,
            depth=place.depth,
            name=record["SpanName"],
            kind=record["SpanKind"],
            service=record["ServiceName"] or None,
            offset_ms=milliseconds(record["timestamp_ns"] - began_ns),
            duration_ms=milliseconds(record["Duration"]),
            status=record["StatusCode"],
            operation=record["Operation"] or None,
            agent=record["AgentName"] or None,
            tool=record["ToolName"] or None,
            model=record["Model"] or None,
            tokens=SpanTokens.of(record),
            list_cost_usd=usd(record["ListCostUSD"]),
            step_type=record["StepType"] or None,
            step_name=record["StepName"] or None,
            attempt=record["Attempt"] or None,
            error=SpanError.of(record),
            events=record["events"],
            links=record["links"],
            has_content=record["SpanId"] in with_content,
        )


class TraceTree(BaseModel):
    """All spans of a trace, parents before their children, children by their start."""

    trace_id: str = Field(examples=[_TRACE_ID])
    project: str = Field(examples=["default"])
    started_at: ToldTime = Field(description="start of the first span")
    duration_ms: float = Field(description="from the first start to the last end of the spans below")
    status: TraceStatus = Field(description="`error` where the first root says so")
    root_is_missing: bool
    runs: list[str] = Field(examples=[[_RUN_ID]], description="ids of the runs in it, by start")
    is_complete: bool = Field(description="false where the trace has more spans: these are the first by start")
    spans_total: int
    spans: list[TreeSpan]

    @classmethod
    def of(
        cls,
        project: str,
        trace_id: str,
        records: Sequence[Mapping[str, Any]],
        order: Sequence[Place],
        spans_total: int,
        runs: Sequence[str],
        with_content: Collection[str],
    ) -> Self:
        """Return the tree of the rows ``records``, at least one, which come by start, told in ``order``."""
        began_ns = records[0]["timestamp_ns"]
        root = next((record for record in records if not record["ParentSpanId"]), None)
        return cls(
            trace_id=trace_id,
            project=project,
            started_at=time_of(began_ns),
            duration_ms=milliseconds(max(record["timestamp_ns"] + record["Duration"] for record in records) - began_ns),
            status=TraceStatus.ERROR if root and root["StatusCode"] == "Error" else TraceStatus.OK,
            root_is_missing=root is None,
            runs=list(runs),
            is_complete=spans_total == len(records),
            spans_total=spans_total,
            spans=[TreeSpan.of(records[place.span], place, began_ns, with_content) for place in order],
        )
