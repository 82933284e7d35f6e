"""Latency as the API tells it: all in milliseconds."""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, Field

from agentvigil.analysis.latency import Contributor, PathSum
from agentvigil.api.times import ToldTime
from agentvigil.api.totals.models import told_ns, told_s

_MS_PER_NS = 1e-6


class Percentiles(BaseModel):
    """Milliseconds, exact and interpolated; null of nothing."""

    p50_ms: float | None
    p75_ms: float | None
    p90_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    max_ms: float | None

    @classmethod
    def of(cls, values: list[float | None]) -> Self:
        return cls(**dict(zip(cls.model_fields, values, strict=True)))


class PathKind(BaseModel):
    """What of critical paths is spent with one kind of step."""

    mean_ms: float | None = Field(description="of a run; null if there is none")
    share: float | None = Field(examples=[0.71], description="of all the time of the runs")


class CriticalPath(BaseModel):
    """What runs would have been shorter without: the parts add up to their durations."""

    model: PathKind
    tool: PathKind
    retrieval: PathKind
    other: PathKind = Field(description="other steps, and what lies between steps")


class LatencyOfTime(BaseModel):
    """Runs that started in a time and have ended."""

    since: ToldTime
    until: ToldTime
    runs: int
    sampled_runs: int = Field(
        description="runs whose steps were looked at: those of hours picked by chance, where there are many"
    )
    duration: Percentiles
    time_to_first_chunk: Percentiles = Field(description="from asking the model for the answer to its first chunk")
    critical_path: CriticalPath

    @classmethod
    def of(cls, record: Mapping[str, Any], sampled_runs: int, since: ToldTime, until: ToldTime) -> Self:
        """Return what a row of the statement ``window`` is."""
        runs, total_ns = record["runs"], record["duration_ns"]
        return cls(
            since=since,
            until=until,
            runs=runs,
            sampled_runs=sampled_runs,
            duration=Percentiles.of(told_ns(record["durations"])),
            time_to_first_chunk=Percentiles.of(told_s(record["first_chunks"])),
            critical_path=CriticalPath(
                **{
                    kind: PathKind(
                        mean_ms=record[f"{kind}_ns"] / runs * _MS_PER_NS if runs else None,
                        share=record[f"{kind}_ns"] / total_ns if total_ns else None,
                    )
                    for kind in CriticalPath.model_fields
                }
            ),
        )


class StepTime(BaseModel):
    """Steps that do the same, in one time."""

    steps_per_run: float = Field(description="mean over all runs, also those without any")
    runs_with_it: float = Field(examples=[0.93], description="share of runs")
    ms_per_run: float = Field(description="on the critical path of a run, mean over all runs")
    p50_ms: float | None = Field(description="of one such step from start to end, on the critical path or not")
    p95_ms: float | None

    @classmethod
    def of(cls, one: PathSum | None, runs: int) -> Self | None:
        if one is None:
            return None
        return cls(
            steps_per_run=one.steps / runs,
            runs_with_it=one.runs / runs,
            ms_per_run=one.path_ns / runs * _MS_PER_NS,
            p50_ms=_ms(one.p50_ns),
            p95_ms=_ms(one.p95_ns),
        )


class Growth(BaseModel):
    """How much longer something makes a run than before."""

    ms_per_run: float
    low_ms: float | None = Field(description="lower end of the 95 % interval of the true growth; null of few runs")
    high_ms: float | None
    is_clear: bool = Field(description="it is hardly chance, though so many steps are looked at (Bonferroni)")


class StepLatency(BaseModel):
    """What steps that do the same contribute to how long runs take."""

    kind: str = Field(examples=["tool"], description="model, tool, retrieval, other, or agent for what is in no step")
    name: str = Field(examples=["search"], description="of the model, the tool or the step; empty for the agent itself")
    share: float = Field(examples=[0.31], description="of all the time of the sampled runs: the sum over all is 1")
    now: StepTime | None = Field(description="null where it is no more")
    before: StepTime | None = Field(description="null where it was not yet")
    growth: Growth | None = Field(description="null if there are no runs to compare with")

    @classmethod
    def of(cls, one: Contributor, runs: int, before_runs: int) -> Self:
        growth = None
        if one.growth_ns is not None:
            growth = Growth(
                ms_per_run=one.growth_ns * _MS_PER_NS,
                low_ms=_ms(one.growth_low_ns),
                high_ms=_ms(one.growth_high_ns),
                is_clear=one.is_clear,
            )
        return cls(
            kind=one.doing.kind,
            name=one.doing.name,
            share=one.share,
            now=StepTime.of(one.now, runs),
            before=StepTime.of(one.before, before_runs),
            growth=growth,
        )


class Latency(BaseModel):
    """How long the runs of an agent take, and what of."""

    agent: str = Field(examples=["support-agent"])
    now: LatencyOfTime
    before: LatencyOfTime
    slowest: list[StepLatency] = Field(description="what runs spend most of their time with, first")
    grew_most: list[StepLatency] = Field(description="what makes runs longer than before, the most first")


def _ms(nanoseconds: float | None) -> float | None:
    return None if nanoseconds is None else nanoseconds * _MS_PER_NS
