"""Totals of a time as the API tells them."""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, Field

from agentvigil.api.amounts import MoneyText, usd
from agentvigil.api.times import ToldTime
from agentvigil.api.totals.models import FailureCount, RunTotals, rate


class TopAgent(BaseModel):
    """One of the agents with most runs."""

    agent: str = Field(examples=["support-agent"])
    runs: int
    failure_rate: float | None = Field(description="failures of all that ended")
    billed_usd: MoneyText | None

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Self:
        return cls(
            agent=record["agent"],
            runs=record["runs"],
            failure_rate=rate(record["failures"], record["runs"] - record["opens"]),
            billed_usd=usd(record["cost_usd"]),
        )


class TopModel(BaseModel):
    """One of the models that cost most."""

    model: str | None = Field(examples=["gpt-4o-2024-08-06"], description="null where calls name none")
    provider: str | None = Field(examples=["openai"], description="one of those that were asked for it")
    calls: int = Field(description="real calls, each once")
    errors: int
    billed_usd: MoneyText | None
    input_tokens: int | None
    output_tokens: int | None

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Self:
        return cls(
            model=record["name"] or None,
            provider=record["provider"] or None,
            billed_usd=usd(record["cost_usd"]),
            **{name: record[name] for name in ("calls", "errors", "input_tokens", "output_tokens")},
        )


class TopTool(BaseModel):
    """One of the tools that failed most."""

    tool: str | None = Field(examples=["refund"], description="null where calls name none")
    calls: int
    errors: int
    error_rate: float

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Self:
        calls, errors = record["calls"], record["errors"]
        return cls(tool=record["name"] or None, calls=calls, errors=errors, error_rate=errors / calls)


class Stats(RunTotals):
    """What happened in a time."""

    since: ToldTime
    until: ToldTime
    sessions: int
    users: int
    agents: int
    top_agents: list[TopAgent] = Field(description="ten at most, by runs")
    top_failures: list[FailureCount] = Field(description="ten root causes at most, by runs")
    top_models: list[TopModel] = Field(description="ten at most, by cost, of calls made in this time")
    top_tools: list[TopTool] = Field(description="ten at most, by errors, of calls made in this time")
