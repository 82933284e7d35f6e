"""Writes runs of agents as settling leaves them: a usual past, and single runs that stand out of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
from trace_requests import NOW, S

from agentvigil.storage.store import Store

TODAY: Final = datetime.fromtimestamp(NOW / S, UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(1)
"""The day whose runs are looked at: it is over, so that all of it is past."""

SETTLED: Final = TODAY + timedelta(hours=20)
"""When its runs are settled."""

AFTER: Final = SETTLED + timedelta(hours=1)


@dataclass(frozen=True)
class Made:
    """A step: what it calls, and what that takes."""

    tool: str = ""
    model: str = ""
    seconds: float = 1.0
    usd: float = 0.0
    tokens: int = 0


@dataclass(frozen=True)
class Ran:
    """A run of the steps ``made``, one after the other."""

    number: int
    made: Sequence[Made]
    at: datetime = TODAY + timedelta(hours=12)
    agent: str = "support"
    environment: str = "production"
    project: str = "default"
    version: str = ""
    status: str = "success"
    session: str = ""
    input_class: str = ""
    settled: datetime = SETTLED
    row_version: int = 1

    @property
    def trace_id(self) -> str:
        return f"{self.number:032x}"

    @property
    def run_id(self) -> str:
        return f"{self.trace_id}-{1:016x}"

    @property
    def seconds(self) -> float:
        return sum(step.seconds for step in self.made)


THOUGHT: Final = Made(model="gpt-4o", seconds=1.0, usd=0.004, tokens=800)
SEARCH: Final = Made(tool="search", seconds=0.5)
LOOKUP: Final = Made(tool="lookup", seconds=0.3)
USUAL: Final = (THOUGHT, LOOKUP, SEARCH, THOUGHT)


def ran(number: int, *made: Made, **more: Any) -> Ran:
    return Ran(number, made or USUAL, **more)


def usual_past(count: int = 1200, days: int = 10, seed: int = 1, **more: Any) -> list[Ran]:
    """Return ``count`` runs of the ``days`` before: one to three searches, one lookup, values that spread a little."""
    random = np.random.default_rng(seed)
    runs = []
    for number in range(count):
        thought, search = (float(one) for one in np.exp(random.normal(0, 0.2, 2)))
        searches = int(random.integers(1, 4))
        think = replace(THOUGHT, seconds=thought, usd=0.004 * thought, tokens=int(800 * thought))
        made = (think, LOOKUP, *[replace(SEARCH, seconds=0.5 * search)] * searches, think)
        at = TODAY - timedelta(days=days) * (1 - number / count)
        runs.append(Ran(1_000_000 * (1 + seed) + number, made, at, **{"settled": at + timedelta(minutes=1), **more}))
    return runs


def write_again(store: Store, agent: str, mark: str) -> None:
    """Write all runs of the agent "support" that there are as those of ``agent``; ``mark`` begins their ids."""
    ids = ", ".join(f"concat({{mark:String}}, substring({name}, 2)) AS {name}" for name in ("TraceId", "RunId"))
    more = {
        "agent_runs": "{agent:String} AS RunName, concat({agent:String}, old.ConversationId) AS ConversationId",
        "agent_steps": "{agent:String} AS AgentName",
    }
    for table, columns in more.items():
        store.command(
            f"INSERT INTO {table} SELECT * REPLACE ({columns}, {ids}) FROM {table} AS old "
            "WHERE old.AgentName = 'support'",
            {"agent": agent, "mark": mark},
        )


def write(store: Store, *runs: Ran) -> None:
    """Write ``runs`` and their steps."""
    store.insert_rows("agent_runs", _RUN_COLUMNS, [_run_row(run) for run in runs])
    store.insert_rows("agent_steps", _STEP_COLUMNS, [row for run in runs for row in _step_rows(run)])


_RUN_COLUMNS: Final = (
    *("Project", "Timestamp", "RunId", "TraceId", "Version", "KeepDays", "SettledAt", "Status", "RunName", "AgentName"),
    *(
        "AgentVersion",
        "ConversationId",
        "Environment",
        "EndTimestamp",
        "Duration",
        "Steps",
        "ToolCalls",
        "Models",
        "Tools",
    ),
    *("InputTokens", "OutputTokens", "BilledCostUSD", "Tags", "TimeToFirstChunk"),
    *("CriticalPathModelTime", "CriticalPathToolTime"),
)
_STEP_COLUMNS: Final = (
    *("Project", "Timestamp", "TraceId", "SpanId", "RunId", "Version", "KeepDays", "Ordinal", "StepType", "StepName"),
    *("Operation", "AgentName", "Model", "ToolName", "Duration", "SelfTime", "IsOnCriticalPath", "CriticalPathTime"),
    *("InputTokens", "OutputTokens", "BilledCostUSD", "Billed", "BillingNote", "Status"),
)


def _run_row(run: Ran) -> list[Any]:
    def distinct(names: Iterable[str]) -> list[str]:
        return sorted({name for name in names if name})

    tokens = sum(step.tokens for step in run.made)
    tags = [f"input_class={run.input_class}"] if run.input_class else []
    return [
        *(run.project, run.at, run.run_id, run.trace_id, run.row_version, 90, run.settled, run.status),
        *(run.agent, run.agent, run.version, run.session, run.environment, run.at + timedelta(seconds=run.seconds)),
        *(int(run.seconds * S), len(run.made), sum(step.tool != "" for step in run.made)),
        *(distinct(step.model for step in run.made), distinct(step.tool for step in run.made)),
        *(tokens, 0, round(sum(step.usd for step in run.made), 9), tags, 0.25),
        *(int(sum(step.seconds for step in run.made if step.model) * S),),
        *(int(sum(step.seconds for step in run.made if step.tool) * S),),
    ]


def _step_rows(run: Ran) -> Iterable[list[Any]]:
    at = run.at
    for ordinal, step in enumerate(run.made, start=1):
        took = int(step.seconds * S)
        yield [
            *(run.project, at, run.trace_id, f"{ordinal + 1:016x}", run.run_id, run.row_version, 90, ordinal),
            *("tool" if step.tool else "plan", step.tool or f"chat {step.model}"),
            *("execute_tool" if step.tool else "chat", run.agent, step.model, step.tool, took, took, True, took),
            *(step.tokens, 0, round(step.usd, 9), bool(step.model), "" if step.model else "none", "success"),
        ]
        at += timedelta(seconds=step.seconds)
