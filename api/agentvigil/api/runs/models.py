"""A run as the API tells it; docs/runs.md defines every word."""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, Field

from agentvigil.api.amounts import MoneyText, milliseconds, time_of, usd
from agentvigil.api.runs.filters import RunStatus
from agentvigil.api.times import ToldTime

_RUN_ID = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"


class Tokens(BaseModel):
    """Tokens of billed calls; null is unknown, never 0. ``input`` contains what a cache gave and took."""

    input: int | None = Field(examples=[1200])
    output: int | None = Field(examples=[85], description="with reasoning")
    cache_read: int | None = Field(examples=[None], description="part of input")
    cache_write: int | None = Field(examples=[None], description="part of input")
    reasoning: int | None = Field(examples=[None], description="part of output")
    calls_without: int = Field(0, description="billed calls that say no tokens: the sums lack them")


class Cost(BaseModel):
    """US dollars; null is unknown, never 0."""

    billed_usd: MoneyText | None = Field(description="list price of each real call once; the one to add up")
    list_usd: MoneyText | None = Field(description="list price of what each span says, second sightings too")
    reported_usd: MoneyText | None = Field(description="what instrumentation said itself")
    unpriced_calls: int = Field(description="billed calls whose model has no price: billed_usd lacks them")


class FailurePlace(BaseModel):
    """A failure in one line."""

    type: str = Field(examples=["tool"])
    code: str = Field(examples=["timeout"])
    span_id: str = Field(examples=["00f067aa0ba902b7"])
    message: str | None = Field(None, description="as stored: masked and cut as the project's policy says")


class CriticalPath(BaseModel):
    """What the run's duration was spent on; the parts add up to it."""

    model_ms: float
    tool_ms: float
    retrieval_ms: float
    other_ms: float


class RunLinks(BaseModel):
    """Where to go from here."""

    self: str = Field(examples=[f"/v1/runs/{_RUN_ID}"])
    steps: str
    failures: str
    trace: str


class Run(BaseModel):
    """One execution of an agent."""

    id: str = Field(examples=[_RUN_ID], description="trace id and id of the top span")
    project: str = Field(examples=["default"])
    trace_id: str
    top_span_id: str | None = Field(description="null where that span is missing")
    agent: str = Field(examples=["support-agent"], description="the agent, else the workflow, else the top span's name")
    version: str | None = Field(examples=["1.4"])
    status: RunStatus
    started_at: ToldTime
    ended_at: ToldTime | None = Field(description="null while the run is open")
    duration_ms: float
    time_to_first_chunk_ms: float | None
    environment: str | None = Field(examples=["production"])
    service: str | None
    user: str | None
    session: str | None
    workflow: str | None
    framework: str | None
    steps: int
    spans: int
    depth: int = Field(description="deepest nesting of steps")
    llm_calls: int
    tool_calls: int
    retrievals: int
    nested_agents: int
    retries: int
    models: list[str]
    tools: list[str]
    tokens: Tokens
    cost: Cost
    failures: int = Field(description="steps that failed by themselves, for good")
    recovered_failures: int = Field(description="steps that failed and that a retry mended")
    first_failure: FailurePlace | None = Field(description="mended or not")
    root_cause: FailurePlace | None = Field(description="what made the run fail or be partial")
    critical_path: CriticalPath
    shape: str = Field(description="hash of types of steps and tools in order: runs that did the same have the same")
    prompt_fingerprint: str | None = Field(description="keyed hash of system prompt, tools and model")
    has_late_spans: bool
    duplicate_of_trace_id: str | None = Field(
        description="all that the run holds are second sightings of calls of this trace"
    )
    settled_at: ToldTime
    links: RunLinks

    @classmethod
    def fields_of(cls, record: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields of a run from a row of agent_runs."""
        run_id = record["RunId"]
        return {
            "id": run_id,
            "project": record["Project"],
            "trace_id": record["TraceId"],
            "top_span_id": record["TopSpanId"] or None,
            "agent": record["RunName"],
            "version": record["AgentVersion"] or None,
            "status": record["Status"],
            "started_at": time_of(record["timestamp_ns"]),
            "ended_at": None if record["Status"] == RunStatus.OPEN else time_of(record["end_ns"]),
            "duration_ms": milliseconds(record["Duration"]),
            "time_to_first_chunk_ms": None if (first := record["TimeToFirstChunk"]) is None else first * 1000,
            "environment": record["Environment"] or None,
            "service": record["ServiceName"] or None,
            "user": record["UserId"] or None,
            "session": record["ConversationId"] or None,
            "workflow": record["WorkflowName"] or None,
            "framework": record["Framework"] or None,
            "steps": record["Steps"],
            "spans": record["Spans"],
            "depth": record["Depth"],
            "llm_calls": record["LlmCalls"],
            "tool_calls": record["ToolCalls"],
            "retrievals": record["Retrievals"],
            "nested_agents": record["NestedAgents"],
            "retries": record["Retries"],
            "models": list(record["Models"]),
            "tools": list(record["Tools"]),
            "tokens": tokens_of(record, record["UnknownUsageCalls"]),
            "cost": cost_of(record, record["UnpricedCalls"]),
            "failures": record["Failures"],
            "recovered_failures": record["RecoveredFailures"],
            "first_failure": _place(record, "FirstFailure", None),
            "root_cause": _place(record, "RootCause", record["RootCauseMessage"] or None),
            "critical_path": CriticalPath(
                model_ms=milliseconds(record["CriticalPathModelTime"]),
                tool_ms=milliseconds(record["CriticalPathToolTime"]),
                retrieval_ms=milliseconds(record["CriticalPathRetrievalTime"]),
                other_ms=milliseconds(record["CriticalPathOtherTime"]),
            ),
            "shape": record["Fingerprint"],
            "prompt_fingerprint": record["AgentFingerprint"] or None,
            "has_late_spans": record["HasLateSpans"],
            "duplicate_of_trace_id": record["DuplicateOfTraceId"] or None,
            "settled_at": record["SettledAt"],
            "links": links_of(run_id, record["TraceId"]),
        }

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Self:
        """Return the run that a row of agent_runs is."""
        return cls(**cls.fields_of(record))


class RunDetail(Run):
    """A run with an account of what happened."""

    account: str = Field(
        examples=["Searched kb (3 results), called refund three times (timeout each time), gave up; $0.012, 41 s."],
        description="what happened, told from structure alone: it quotes nothing that people or models said",
    )
    tags: list[str] = Field(
        examples=[["team=billing", "to-review"]], description="set by the program, as key=value, and given by the API"
    )


class RunPage(BaseModel):
    """Runs in the order that was asked for."""

    items: list[Run]
    next_cursor: str | None = Field(description="cursor of the next page, null on the last one")


def tokens_of(record: Mapping[str, Any], calls_without: int) -> Tokens:
    """Return the tokens that a row of agent_runs or agent_steps has."""
    return Tokens(
        input=record["InputTokens"],
        output=record["OutputTokens"],
        cache_read=record["CacheReadTokens"],
        cache_write=record["CacheWriteTokens"],
        reasoning=record["ReasoningTokens"],
        calls_without=calls_without,
    )


def cost_of(record: Mapping[str, Any], unpriced_calls: int) -> Cost:
    """Return the costs that a row of agent_runs or agent_steps has."""
    return Cost(
        billed_usd=usd(record["BilledCostUSD"]),
        list_usd=usd(record["ListCostUSD"]),
        reported_usd=usd(record["ReportedCostUSD"]),
        unpriced_calls=unpriced_calls,
    )


def links_of(run_id: str, trace_id: str) -> RunLinks:
    """Return where to go from a run."""
    here = f"/v1/runs/{run_id}"
    return RunLinks(self=here, steps=f"{here}/steps", failures=f"{here}/failures", trace=f"/v1/traces/{trace_id}")


def _place(record: Mapping[str, Any], name: str, message: str | None) -> FailurePlace | None:
    if not record[f"{name}SpanId"]:
        return None
    return FailurePlace(
        type=record[f"{name}Type"], code=record[f"{name}Code"], span_id=record[f"{name}SpanId"], message=message
    )
