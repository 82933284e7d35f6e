"""What changed between two versions, as the API tells it."""

from collections.abc import Callable
from typing import Any, Self

from pydantic import BaseModel, Field

from agentvigil.analysis.comparing.intervals import Interval, Mean, Share, difference_of_means, difference_of_shares
from agentvigil.api.agents.models import money
from agentvigil.api.amounts import MoneyText
from agentvigil.api.times import ToldTime
from agentvigil.api.totals.models import Latency

_IS_CLEAR = "hardly chance: an interval leaves out 0 that is as much wider as there are more differences in this answer"


class Part(BaseModel):
    """How many of how many."""

    count: int
    total: int
    rate: float | None = Field(description="null of nothing")


class RateChange(BaseModel):
    """How a rate moved. ``low`` and ``high`` are the 95 % interval of the difference, after Newcombe."""

    before: Part
    after: Part
    difference: float | None = Field(description="after - before, null if one of them is of nothing")
    low: float | None
    high: float | None
    is_clear: bool = Field(description=_IS_CLEAR)

    @classmethod
    def of(cls, before: Share, after: Share, z: float) -> Self:
        interval = difference_of_shares(before, after)
        return cls(
            before=_part(before),
            after=_part(after),
            difference=after.rate - before.rate if interval else None,
            low=interval.low if interval else None,
            high=interval.high if interval else None,
            is_clear=_is_clear(difference_of_shares(before, after, z)),
        )


class MeanChange(BaseModel):
    """How a mean moved. ``low`` and ``high`` are the 95 % interval of the difference, null below 30 runs a side."""

    before: float | None
    after: float | None
    difference: float | None = Field(description="after - before, null if one of them is not known")
    low: float | None
    high: float | None
    is_clear: bool = Field(description=_IS_CLEAR)

    @classmethod
    def of(cls, before: Mean, after: Mean, z: float) -> Self:
        return cls(**_mean_fields(before, after, float), is_clear=_is_clear(difference_of_means(before, after, z)))


class MoneyChange(BaseModel):
    """How a mean in US dollars moved, of the runs whose cost is known; else as `MeanChange`."""

    before: MoneyText | None
    after: MoneyText | None
    difference: MoneyText | None
    low: MoneyText | None
    high: MoneyText | None
    is_clear: bool = Field(description=_IS_CLEAR)

    @classmethod
    def of(cls, before: Mean, after: Mean, z: float) -> Self:
        return cls(**_mean_fields(before, after, money), is_clear=_is_clear(difference_of_means(before, after, z)))


class NamesChange(BaseModel):
    """What is used now and was not, and the other way round."""

    added: list[str]
    removed: list[str]
    kept: list[str]


class ToolChange(BaseModel):
    """How a tool is used, and how it fails."""

    tool: str = Field(examples=["refund"])
    runs: RateChange = Field(description="in how many runs it is called")
    calls_per_run: MeanChange
    errors: RateChange = Field(description="how many calls of it fail; calls of one run are taken for independent")
    error_codes: dict[str, RateChange] = Field(description="the same by failure code")


class ModelChange(BaseModel):
    """How a model is used."""

    model: str
    runs: RateChange = Field(description="in how many runs it is called")


class FailureChange(BaseModel):
    """How often runs fail, or are partial, of one root cause."""

    type: str = Field(examples=["tool"])
    code: str = Field(examples=["timeout"])
    is_new: bool = Field(description="no run had it before")
    runs: RateChange


class LatencyChange(BaseModel):
    """How long runs take, without open ones."""

    before: Latency
    after: Latency
    mean_ms: MeanChange


class VersionDiff(BaseModel):
    """What changed from one version of an agent to another. Nothing of it says why: both may have had other work."""

    agent: str
    before: str = Field(examples=["1.3"])
    after: str = Field(examples=["1.4"])
    since: ToldTime
    until: ToldTime
    runs_before: int
    runs_after: int
    summary: list[str] = Field(
        examples=[["refund: timeout in 38 % of calls (76 of 200), was 2 % (4 of 200)"]],
        description="the differences that are clear, in words",
    )
    failure_rate: RateChange = Field(description="of runs that ended")
    failures: list[FailureChange]
    new_failure_codes: list[str]
    cost_per_run_usd: MoneyChange
    tokens_per_run: MeanChange
    steps_per_run: MeanChange
    duration: LatencyChange
    tools: NamesChange
    tool_changes: list[ToolChange] = Field(description="of every tool that either version called, by name")
    models: NamesChange
    model_changes: list[ModelChange] = Field(description="of every model that either version called, by name")
    prompt_fingerprints: NamesChange = Field(description="keyed hashes of system prompt, tools and model")


def _part(share: Share) -> Part:
    return Part(count=int(share.count), total=int(share.total), rate=share.rate if share.total else None)


def _is_clear(interval: Interval | None) -> bool:
    return interval is not None and interval.excludes_zero


def _mean_fields(before: Mean, after: Mean, told: Callable[[float], float | str]) -> dict[str, Any]:
    interval = difference_of_means(before, after)
    are_known = before.count > 0 and after.count > 0
    return {
        "before": told(before.mean) if before.count else None,
        "after": told(after.mean) if after.count else None,
        "difference": told(after.mean - before.mean) if are_known else None,
        "low": told(interval.low) if interval else None,
        "high": told(interval.high) if interval else None,
    }
