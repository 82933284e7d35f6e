"""Agents and their versions as the API tells them."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Self
from urllib.parse import quote

from pydantic import BaseModel, Field

from agentvigil.api.amounts import MoneyText, time_of, usd
from agentvigil.api.times import ToldTime
from agentvigil.api.totals.models import FailureCount, RunTotals


class AgentLinks(BaseModel):
    """Where to go from here."""

    self: str = Field(examples=["/v1/agents/support-agent"])
    latency: str
    metrics: str
    sessions: str
    versions: str

    @classmethod
    def of(cls, name: str) -> Self:
        here = f"/v1/agents/{quote(name)}"
        return cls(
            self=here,
            **{name: f"{here}/{name}" for name in ("latency", "metrics", "sessions", "versions")},
        )


class Agent(RunTotals):
    """An agent, and what its runs of a time are together."""

    name: str = Field(examples=["support-agent"], description="the agent, else the workflow, else the top span's name")
    first_seen_at: ToldTime | None = Field(description="first run of this time")
    last_seen_at: ToldTime | None = Field(description="last run of this time")
    version_count: int = Field(description="versions; where none is said, different prompt fingerprints")
    environments: list[str] = Field(description="a hundred at most")
    models: list[str] = Field(description="a hundred at most")
    tools: list[str] = Field(description="a hundred at most")
    links: AgentLinks

    @classmethod
    def of_record(cls, record: Mapping[str, Any], **more: Any) -> Self:
        """Return the agent that a row of the statement ``page`` is."""
        return cls.of(
            record,
            name=record["agent"],
            first_seen_at=time_of(record["first_seen_ns"]),
            last_seen_at=time_of(record["last_seen_ns"]),
            version_count=record["versions"],
            environments=record["environments"],
            models=record["models"],
            tools=record["tools"],
            links=AgentLinks.of(record["agent"]),
            **more,
        )


class AgentPage(BaseModel):
    """Agents in the order that was asked for."""

    since: ToldTime
    until: ToldTime
    items: list[Agent]
    next_cursor: str | None = Field(description="cursor of the next page, null on the last one")


class VersionSeen(BaseModel):
    """When a version ran."""

    key: str = Field(
        examples=["1.4"],
        description="what `before` and `after` of a diff take: the version, else the prompt fingerprint, else empty",
    )
    version: str | None = Field(examples=["1.4"], description="null where none was said")
    first_seen_at: ToldTime
    last_seen_at: ToldTime
    runs: int

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Self:
        return cls(
            key=record["key"],
            version=record["version"] or None,
            first_seen_at=time_of(record["first_seen_ns"]),
            last_seen_at=time_of(record["last_seen_ns"]),
            runs=record["runs"],
        )


class AgentDetail(Agent):
    """An agent with what it fails of and which versions ran."""

    since: ToldTime
    until: ToldTime
    top_failures: list[FailureCount] = Field(description="ten root causes at most, by runs")
    versions: list[VersionSeen] = Field(description="the newest hundred, in the order in which they were first seen")


class Version(RunTotals):
    """A version of an agent, and what its runs of a time are together."""

    key: str = Field(
        examples=["1.4"],
        description="what `before` and `after` of a diff take: the version, else the prompt fingerprint, else empty",
    )
    version: str | None = Field(examples=["1.4"], description="null where none was said")
    prompt_fingerprints: list[str] = Field(description="keyed hashes of system prompt, tools and model; 100 at most")
    first_seen_at: ToldTime
    last_seen_at: ToldTime
    cost_per_run_usd: MoneyText | None = Field(description="mean of the runs whose cost is known")
    tokens_per_run: float | None = Field(description="input and output, mean of the runs whose tokens are known")
    steps_per_run: float
    models: list[str] = Field(description="a hundred at most")
    tools: list[str] = Field(description="a hundred at most")

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> Self:
        """Return the version that a row of the statement ``versions`` is."""
        cost_runs, cost, _ = record["cost_of_a_run"]
        token_runs, tokens, _ = record["tokens_of_a_run"]
        return cls.of(
            record,
            key=record["key"],
            version=record["version"] or None,
            prompt_fingerprints=record["fingerprints"],
            first_seen_at=time_of(record["first_seen_ns"]),
            last_seen_at=time_of(record["last_seen_ns"]),
            cost_per_run_usd=money(cost) if cost_runs else None,
            tokens_per_run=tokens if token_runs else None,
            steps_per_run=record["steps_of_a_run"][1],
            models=record["models"],
            tools=record["tools"],
        )


class VersionPage(BaseModel):
    """Versions of an agent in the order in which they were first seen."""

    since: ToldTime
    until: ToldTime
    versions_total: int = Field(description="more than are told, if `limit` was less")
    items: list[Version]


def money(amount_usd: float) -> str:
    """Return a computed amount, to the billionth of a dollar."""
    return usd(round(Decimal(amount_usd), 9)) or "0"
