"""A session as the API tells it."""

from collections.abc import Mapping
from typing import Any, Self
from urllib.parse import quote

from pydantic import BaseModel, Field

from agentvigil.api.amounts import milliseconds, time_of
from agentvigil.api.runs.models import Cost, Run, Tokens, cost_of, tokens_of
from agentvigil.api.times import ToldTime


class Session(BaseModel):
    """A conversation: all runs of a project with one conversation id. Numbers are sums over its runs."""

    id: str = Field(examples=["chat/8f14e45f"], description="gen_ai.conversation.id")
    project: str = Field(examples=["default"])
    first_at: ToldTime = Field(description="start of the first run")
    last_at: ToldTime = Field(description="end of the last run that ended, or the last that is known of an open one")
    runs: int
    failed_runs: int
    partial_runs: int
    open_runs: int
    agents: list[str] = Field(examples=[["support-agent"]], description="100 at most")
    users: list[str] = Field(description="100 at most")
    duration_ms: float = Field(description="in which its runs ran, added up")
    llm_calls: int
    tool_calls: int
    tokens: Tokens
    cost: Cost
    first_run_id: str
    last_run_id: str = Field(description="the run that started last")
    link: str = Field(examples=["/v1/sessions/chat%2F8f14e45f"])

    @classmethod
    def fields_of(cls, project: str, record: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields of a session from a row of sums over agent_runs."""
        return {
            "id": record["ConversationId"],
            "project": project,
            "first_at": time_of(record["first_ns"]),
            "last_at": time_of(record["last_ns"]),
            "runs": record["runs"],
            "failed_runs": record["failed_runs"],
            "partial_runs": record["partial_runs"],
            "open_runs": record["open_runs"],
            "agents": list(record["agents"]),
            "users": list(record["users"]),
            "duration_ms": milliseconds(record["Duration"]),
            "llm_calls": record["LlmCalls"],
            "tool_calls": record["ToolCalls"],
            "tokens": tokens_of(record, record["UnknownUsageCalls"]),
            "cost": cost_of(record, record["UnpricedCalls"]),
            "first_run_id": record["first_run_id"],
            "last_run_id": record["last_run_id"],
            "link": f"/v1/sessions/{quote(record['ConversationId'], safe='')}",
        }

    @classmethod
    def of(cls, project: str, record: Mapping[str, Any]) -> Self:
        """Return the session that a row of sums over agent_runs is."""
        return cls(**cls.fields_of(project, record))


class SessionPage(BaseModel):
    """Sessions in the order that was asked for."""

    items: list[Session]
    next_cursor: str | None = Field(description="cursor of the next page, null on the last one")


class SessionDetail(Session):
    """A session with a page of its runs; the numbers are of all of them."""

    items: list[Run] = Field(description="its runs, the first one first")
    next_cursor: str | None = Field(description="cursor of the next page of runs, null on the last one")
