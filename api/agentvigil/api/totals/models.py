"""Sums over runs as the API tells them."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, Self

from pydantic import BaseModel, Field

from agentvigil.api.amounts import MoneyText, usd
from agentvigil.api.runs.models import Tokens

MEASURES: Final = (
    *("runs", "successes", "failures", "partials", "opens", "durations", "first_chunks"),
    *("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens"),
    *("calls_without_usage", "cost_usd", "unpriced_calls", "steps", "llm_calls", "tool_calls", "retries"),
)
"""The measures of runs that a `RunTotals` is made of."""

NOTHING: Final[Mapping[str, Any]] = {
    **dict.fromkeys(MEASURES, 0),
    **dict.fromkeys(("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")),
    "durations": (None,) * 3,
    "first_chunks": (None,) * 2,
    "cost_usd": None,
}
"""All `MEASURES` of no runs."""

_MS_PER_NS: Final = 1e-6
_MS_PER_S: Final = 1000.0


class Statuses(BaseModel):
    """How many runs ended how; docs/runs.md has the definitions."""

    success: int
    failure: int
    partial: int
    open: int


class Latency(BaseModel):
    """Milliseconds from start to end, without open runs; null where there is none."""

    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


class FirstChunk(BaseModel):
    """Milliseconds from asking the model for the answer to its first chunk; null where no run says."""

    p50_ms: float | None
    p95_ms: float | None


class TotalCost(BaseModel):
    """US dollars; null is unknown, never 0."""

    billed_usd: MoneyText | None = Field(description="list price of each real call once")
    unpriced_calls: int = Field(description="billed calls whose model has no price: billed_usd lacks them")
    calls_without_usage: int = Field(description="billed calls that say no tokens: billed_usd lacks them too")


class RunTotals(BaseModel):
    """What runs are together."""

    runs: int = Field(examples=[1200])
    statuses: Statuses
    failure_rate: float | None = Field(examples=[0.031], description="failures of all that ended; null if none did")
    duration: Latency
    time_to_first_chunk: FirstChunk
    tokens: Tokens
    cost: TotalCost
    steps: int
    llm_calls: int
    tool_calls: int
    retries: int

    @classmethod
    def of(cls, record: Mapping[str, Any], **more: Any) -> Self:
        """Return the totals in a record that has all `MEASURES`; ``more`` are fields of a subclass."""
        durations, first_chunks = told_ns(record["durations"]), told_s(record["first_chunks"])
        return cls(
            runs=record["runs"],
            statuses=Statuses(
                success=record["successes"],
                failure=record["failures"],
                partial=record["partials"],
                open=record["opens"],
            ),
            failure_rate=rate(record["failures"], record["runs"] - record["opens"]),
            duration=Latency(p50_ms=durations[0], p95_ms=durations[1], p99_ms=durations[2]),
            time_to_first_chunk=FirstChunk(p50_ms=first_chunks[0], p95_ms=first_chunks[1]),
            tokens=Tokens(
                input=record["input_tokens"],
                output=record["output_tokens"],
                cache_read=record["cache_read_tokens"],
                cache_write=record["cache_write_tokens"],
                reasoning=record["reasoning_tokens"],
                calls_without=record["calls_without_usage"],
            ),
            cost=TotalCost(
                billed_usd=usd(record["cost_usd"]),
                unpriced_calls=record["unpriced_calls"],
                calls_without_usage=record["calls_without_usage"],
            ),
            **{name: record[name] for name in ("steps", "llm_calls", "tool_calls", "retries")},
            **more,
        )


class FailureCount(BaseModel):
    """Runs with one root cause."""

    type: str = Field(examples=["tool"])
    code: str = Field(examples=["timeout"])
    runs: int

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Self:
        return cls(type=record["failure_type"], code=record["failure_code"], runs=record["runs"])


def rate(part: int, whole: int) -> float | None:
    """Return which part of ``whole`` it is, None of nothing."""
    return part / whole if whole else None


def told_ns(quantiles: Sequence[float | None]) -> list[float | None]:
    """Return quantiles in nanoseconds as milliseconds, None for those of nothing."""
    return [_finite(value, _MS_PER_NS) for value in quantiles]


def told_s(quantiles: Sequence[float | None]) -> list[float | None]:
    """Return quantiles in seconds as milliseconds, None for those of nothing."""
    return [_finite(value, _MS_PER_S) for value in quantiles]


def _finite(value: float | None, unit_ms: float) -> float | None:
    return None if value is None or math.isnan(value) else round(value * unit_ms, 6)
