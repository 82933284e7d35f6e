"""Which rows an export holds, and as which kind of file."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum

from pydantic import BaseModel, Field

from agentvigil.analysis.findings.model import Kind, Severity, State
from agentvigil.api.asked import Asked
from agentvigil.api.runs.filters import RunFilters, RunStatus, Texts
from agentvigil.api.times import GivenTime


class FileFormat(StrEnum):
    """Kind of the file."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"


def a_day_ago() -> datetime:
    """Return when an export begins that does not say."""
    return datetime.now(UTC) - timedelta(days=1)


_UNLESS_SAID = "; a day ago if it is not said"


class ExportOptions(BaseModel):
    """What each export may say."""

    format: FileFormat = Field(FileFormat.CSV, description="csv, jsonl (a JSON object in each line) or parquet")


class RunExport(RunFilters, ExportOptions):
    """Runs of a time."""

    since: GivenTime = Field(  # pyright: ignore[reportIncompatibleVariableOverride] - an export always has one
        default_factory=a_day_ago, description=f"started at or after this time{_UNLESS_SAID}"
    )


class StepExport(Asked, ExportOptions):
    """Steps of a time; what is said of runs must be so of the run that a step belongs to."""

    since: GivenTime = Field(default_factory=a_day_ago, description=f"started at or after this time{_UNLESS_SAID}")
    until: GivenTime | None = Field(None, description="started before this time")
    run: Texts = Field([], description="id of the run")
    type: Texts = Field([], description="plan, retrieve, tool, respond or other")
    tool: Texts = Field([], description="the tool that was called")
    model: Texts = Field([], description="the model that was called")
    failed: bool | None = Field(None, description="only steps that failed, or only those that did not")
    agent: Texts = Field([], description="of the run: its agent, else its workflow, else the top span's name")
    version: Texts = Field([], description="of the run: version of the agent")
    status: list[RunStatus] = Field([], max_length=4, description="of the run")
    environment: Texts = Field([], description="of the run: deployment.environment.name")
    service: Texts = Field([], description="of the run: service.name")
    user: Texts = Field([], description="of the run: user.id")
    session: Texts = Field([], description="of the run: conversation id")
    tag: Texts = Field([], description="of the run: a tag that was given to it")


class SpanExport(Asked, ExportOptions):
    """Spans of a time."""

    since: GivenTime = Field(default_factory=a_day_ago, description=f"started at or after this time{_UNLESS_SAID}")
    until: GivenTime | None = Field(None, description="started before this time")
    service: Texts = Field([], description="service.name")
    agent: Texts = Field([], description="gen_ai.agent.name")
    trace: Texts = Field([], description="trace id")
    operation: Texts = Field([], description="gen_ai.operation.name")


class FindingExport(Asked, ExportOptions):
    """Findings of a time."""

    since: GivenTime = Field(default_factory=a_day_ago, description=f"first found at or after this time{_UNLESS_SAID}")
    until: GivenTime | None = Field(None, description="first found before this time")
    kind: list[Kind] = Field([], max_length=4, description="drift, regression, anomaly or failure_mode")
    state: list[State] = Field([], max_length=3, description="open, acknowledged or resolved")
    severity: list[Severity] = Field([], max_length=3, description="minor, major or critical")
    agent: Texts = Field([], description="the agent that it concerns")
    environment: Texts = Field([], description="deployment.environment.name of the runs")
    detector: Texts = Field([], description="what found it")
    feature: Texts = Field([], description="what moved: duration, cost, tool, ...")
    subject: Texts = Field([], description="what it is about: an agent, a model, a tool, a version or a run")
    model: Texts = Field([], description="a model that it is about, or that carries it")
    incident: Texts = Field([], description="id of the incident")
