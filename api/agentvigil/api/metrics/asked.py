"""Which series are asked for."""

from enum import StrEnum
from typing import Final

from pydantic import BaseModel, Field

from agentvigil.api.runs.filters import AgentRunFilters, RunFilters


class MetricName(StrEnum):
    """What can be asked for over time; which of them, depends on what is summed: runs, or steps."""

    RUNS = "runs"
    FAILURES = "failures"
    FAILURE_RATE = "failure_rate"
    CALLS = "calls"
    ERRORS = "errors"
    ERROR_RATE = "error_rate"
    DURATION_P50 = "duration_p50_ms"
    DURATION_P95 = "duration_p95_ms"
    DURATION_P99 = "duration_p99_ms"
    FIRST_CHUNK_P50 = "time_to_first_chunk_p50_ms"
    FIRST_CHUNK_P95 = "time_to_first_chunk_p95_ms"
    INPUT_TOKENS = "input_tokens"
    OUTPUT_TOKENS = "output_tokens"
    CACHE_READ_TOKENS = "cache_read_tokens"
    CACHE_WRITE_TOKENS = "cache_write_tokens"
    REASONING_TOKENS = "reasoning_tokens"
    CALLS_WITHOUT_USAGE = "calls_without_usage"
    COST = "cost_usd"
    UNPRICED_CALLS = "unpriced_calls"
    STEPS = "steps"
    LLM_CALLS = "llm_calls"
    TOOL_CALLS = "tool_calls"
    RETRIES = "retries"


class Dimension(StrEnum):
    """What series can be grouped by. Models and tools are known of steps, all others of runs."""

    AGENT = "agent"
    VERSION = "version"
    ENVIRONMENT = "environment"
    STATUS = "status"
    MODEL = "model"
    TOOL = "tool"
    USER = "user"
    SESSION = "session"
    SERVICE = "service"
    FAILURE_TYPE = "failure_type"
    FAILURE_CODE = "failure_code"
    FRAMEWORK = "framework"


class Interval(StrEnum):
    """How long one point is."""

    M1 = "1m"
    M2 = "2m"
    M5 = "5m"
    M10 = "10m"
    M15 = "15m"
    M30 = "30m"
    H1 = "1h"
    H2 = "2h"
    H3 = "3h"
    H4 = "4h"
    H6 = "6h"
    H8 = "8h"
    H12 = "12h"
    D1 = "1d"
    D2 = "2d"
    D7 = "7d"
    D14 = "14d"
    D30 = "30d"

    @property
    def seconds(self) -> int:
        return int(self.value[:-1]) * _UNITS_S[self.value[-1]]


_UNITS_S: Final = {"m": 60, "h": 3600, "d": 86400}


class SeriesShape(BaseModel):
    """How series look."""

    metric: list[MetricName] = Field([], max_length=len(MetricName), description="all there are, if none is given")
    interval: Interval | None = Field(None, description="of one point; by default one that gives 200 points at most")
    group_by: list[Dimension] = Field([], max_length=2, description="a series for each value; with two for each pair")
    groups: int = Field(10, ge=1, le=50, description="the largest so many are told, all others together as one more")


class SeriesAsked(SeriesShape, RunFilters):
    """Series over runs or over their calls."""


class AgentSeriesAsked(SeriesShape, AgentRunFilters):
    """Series over the runs of one agent or over their calls."""
