"""Series as the API tells them: columns, a value for each time."""

from pydantic import BaseModel, Field

from agentvigil.api.metrics.asked import MetricName
from agentvigil.api.times import ToldTime
from agentvigil.api.totals.measures import Source

Value = int | float | str | None
"""Counts and tokens are whole numbers, money is a decimal number in a text, all else floats; null is unknown."""


class Series(BaseModel):
    """One group over time."""

    labels: dict[str, str | None] = Field(
        examples=[{"agent": "support-agent"}],
        description="what the group has in common, null where that is unknown; empty for all that is left",
    )
    is_other: bool = Field(description="all that is in none of the groups that are told")
    metrics: dict[MetricName, list[Value]] = Field(
        examples=[{"runs": [120, 98], "failure_rate": [0.025, None], "cost_usd": ["1.23", "0.98"]}],
        description="a value for each of `times`; in a time without any, sums are 0, and rates and percentiles null",
    )


class Metrics(BaseModel):
    """Series over time, the largest group first and all that is left last."""

    since: ToldTime = Field(description="the first point has only what is not before it")
    until: ToldTime = Field(description="the last point has only what is before it")
    interval_s: int = Field(examples=[3600])
    times: list[ToldTime] = Field(
        examples=[["2026-11-30T08:00:00Z", "2026-11-30T09:00:00Z"]],
        description="where each point begins: whole intervals in UTC, weeks on Mondays",
    )
    source: Source = Field(
        description="what was summed: runs by their start, or steps (calls of models and tools) by theirs"
    )
    groups_total: int = Field(examples=[37], description="so many groups there are, told by themselves or in the rest")
    series: list[Series]
