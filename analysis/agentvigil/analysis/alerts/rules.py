"""Rules: what has to be the case, and who is told. They come from a file or by the API, in the same words."""

import hashlib
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from agentvigil.analysis.alerts.quiet_hours import QuietHours
from agentvigil.analysis.alerts.texts import Name, Span, SpanText, ZoneName
from agentvigil.analysis.findings.model import Kind, Severity

ProjectName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:/@-]{1,64}$")]

_LISTED: Final = 100
"""The most values that one condition names."""

Listed = Annotated[tuple[SpanText, ...], Field(max_length=_LISTED)]


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FindingCondition(_Said):
    """Findings that are open. Those of one incident are one alert."""

    kinds: tuple[Kind, ...] = Field((), max_length=len(Kind), description="all kinds if none is said")
    min_severity: Severity = Field(Severity.MINOR, description="this and worse")
    agents: Listed = Field((), description="about these agents; about anything if none is said")
    environments: Listed = Field((), description="in these environments; in all if none is said")
    detectors: Listed = Field((), description="found by these; by any if none is said")


class Measure(StrEnum):
    """What is measured over runs."""

    FAILURE_RATE = "failure_rate"
    """Share of the finished runs that failed, 0 to 1."""
    FAILURES = "failures"
    COST = "cost_usd"
    DURATION_P95 = "duration_p95_ms"
    RUNS = "runs"
    TOKENS = "tokens"
    """Input and output tokens of billed calls."""


_NEEDS_MANY: Final = frozenset({Measure.FAILURE_RATE, Measure.DURATION_P95})
_ENOUGH_RUNS: Final = 20

Per = Annotated[str, StringConstraints(pattern=r"^(agent|user|environment|tag:[A-Za-z0-9_.:@-]{1,64})?$")]
"""What sums are made for, each by itself: empty for all runs together."""


class _OverRuns(_Said):
    per: Per = Field(
        "",
        examples=["agent", "tag:team"],
        description="agent, user, environment or tag:NAME: each is judged by itself; else all runs together",
    )
    agents: Listed = Field((), description="runs of these agents; of all if none is said")
    environments: Listed = Field((), description="runs in these environments; in all if none is said")
    users: Listed = Field((), description="runs for these users; for all if none is said")
    severity: Severity = Field(Severity.MAJOR, description="of the notices")


class MetricCondition(_OverRuns):
    """A measure of the runs that started in the last ``window`` is above, or below, a value."""

    measure: Measure
    above: float | None = Field(None, allow_inf_nan=False, description="more than this; or say `below`")
    below: float | None = Field(None, allow_inf_nan=False, description="less than this; or say `above`")
    window: Span = Field(timedelta(hours=1), description="how far back")
    min_runs: int | None = Field(
        None,
        ge=0,
        le=10**9,
        description="with fewer runs nothing is judged; 20 for failure_rate and duration_p95_ms, else 0",
    )
    resolve_after: Span = Field(timedelta(minutes=10), description="over when it was right for so long")

    @model_validator(mode="after")
    def _has_one_bound(self) -> Self:
        if (self.above is None) == (self.below is None):
            raise ValueError("say either above or below")
        return self

    @property
    def enough_runs(self) -> int:
        """With fewer nothing is judged."""
        if self.min_runs is None:
            return _ENOUGH_RUNS if self.measure in _NEEDS_MANY else 0
        return self.min_runs

    def is_met_by(self, value: float) -> bool:
        """Say whether ``value`` is what should not be."""
        return (self.above is not None and value > self.above) or (self.below is not None and value < self.below)


class Period(StrEnum):
    """What a budget is for."""

    DAY = "day"
    MONTH = "month"


class BudgetCondition(_OverRuns):
    """What was used since the day, or month, began reaches a share of ``limit``."""

    measure: Literal[Measure.COST, Measure.TOKENS, Measure.RUNS] = Measure.COST
    limit: float = Field(gt=0, le=1e15, allow_inf_nan=False, description="for each period, in the unit of the measure")
    period: Period = Period.MONTH
    time_zone: ZoneName = Field("UTC", examples=["Europe/Berlin"], description="whose midnight counts")
    at: tuple[Annotated[float, Field(gt=0, le=100)], ...] = Field(
        (0.8, 1.0),
        min_length=1,
        max_length=10,
        description="shares of the limit that are told; below 1 as minor, from 1 on with `severity`",
    )


class Rule(_Said):
    """When somebody is told, and who: on findings, on a metric, or on a budget."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {"destinations": ["ops"], "findings": {"min_severity": "major"}},
                {"destinations": ["ops"], "metric": {"measure": "failure_rate", "above": 0.1, "per": "agent"}},
                {"destinations": ["ops"], "budget": {"limit": 500, "per": "user", "period": "month"}},
            ]
        },
    )

    destinations: tuple[Name, ...] = Field(min_length=1, max_length=10, examples=[["ops"]])
    enabled: bool = True
    findings: FindingCondition | None = Field(None, description="this, or metric, or budget")
    metric: MetricCondition | None = None
    budget: BudgetCondition | None = None
    repeat: Span | Literal["never"] = Field(
        timedelta(hours=24),
        description="how often it is told again while it lasts and nobody acknowledged it, or `never`",
    )
    resolved: bool = Field(True, description="tell when it is over; budgets are never over, their period ends")
    quiet_hours: QuietHours | None = Field(None, description="what comes then is told at their end, in one summary")

    @model_validator(mode="after")
    def _has_one_condition(self) -> Self:
        said = [name for name in ("findings", "metric", "budget") if getattr(self, name) is not None]
        if len(said) != 1:
            found = " and ".join(said) or "none of them"
            raise ValueError(f"a rule has one of findings, metric and budget, and this one has {found}")
        return self

    @property
    def condition(self) -> FindingCondition | MetricCondition | BudgetCondition:
        """What has to be the case."""
        condition = self.findings or self.metric or self.budget
        assert condition is not None
        return condition

    @property
    def condition_hash(self) -> str:
        """Changes with the condition, and with nothing else."""
        return hashlib.sha256(self.condition.model_dump_json().encode()).hexdigest()[:16]

    def told(self) -> dict[str, Any]:
        """Return it in the words that it may be said in; what was not said stands as its default."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class NamedRule(Rule):
    """A rule as it stands in a file."""

    name: Name
    project: ProjectName = "default"
