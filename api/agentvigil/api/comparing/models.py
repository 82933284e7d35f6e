"""A comparison as the API takes and tells it."""

import math
from typing import Annotated, Final, Self

from pydantic import BaseModel, Field, StringConstraints

from agentvigil.analysis.comparing.report import Change, FeatureReport, Report, Spread, Verdict
from agentvigil.analysis.comparing.streams import Measure
from agentvigil.analysis.comparing.wording import is_share, sentence, what
from agentvigil.analysis.features.names import Unit
from agentvigil.analysis.findings.model import Severity
from agentvigil.api.asked import Asked
from agentvigil.api.baselines.models import AgentName, Environment, Version
from agentvigil.api.times import GivenTime, ToldTime

_LARGEST_LOG: Final = math.log(1e300)

BaselineName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:@-]{1,64}$")]


class CompareAsked(Asked):
    """Which runs of an agent are compared with which."""

    agent: AgentName = Field(examples=["support-agent"])
    a: Version | None = Field(
        None,
        examples=["1.3"],
        description="runs before: of this version, or prompt fingerprint where none is said; if neither it nor "
        "`baseline` is said, what was pinned last, else the version that ran before `b`",
    )
    b: Version | None = Field(
        None, examples=["1.4"], description="runs after: of this version; the newest one if not said"
    )
    baseline: BaselineName | None = Field(
        None, description="runs before: those pinned by this name; `b` are all runs since, if it is not said"
    )
    environment: Environment | None = Field(
        None, description="deployment.environment.name; needed where the agent runs in several"
    )
    since: GivenTime | None = Field(None, description="runs from the hour of this time on; 30 days if not said")
    until: GivenTime | None = Field(None, description="runs of the hours before this time; now if not said")
    before_since: GivenTime | None = Field(
        None, description="runs before: from this hour on, if other than `since`; without `a` of any version"
    )
    before_until: GivenTime | None = Field(None, description="runs before: of the hours before this time")


class Runs(BaseModel):
    """One side."""

    label: str = Field(examples=["version 1.3"], description="what it is, in words")
    version: str | None = Field(description="null where it has runs of any version")
    baseline: str | None = Field(description="name of what was pinned, if it is that")
    since: ToldTime = Field(description="hour of its first run")
    until: ToldTime = Field(description="end of the hour of its last run")
    runs: int
    days: int = Field(description="days with runs")


class Values(BaseModel):
    """Of all values of one side; percentiles to 1/16 octave."""

    mean: float
    p50: float
    p95: float

    @classmethod
    def of(cls, spread: Spread | None) -> Self | None:
        return None if spread is None else cls(mean=spread.mean, p50=spread.p50, p95=spread.p95)


class ToldChange(BaseModel):
    """How one part of a feature moved. docs/baselines.md says what each number is."""

    what: str = Field(examples=["status failure"])
    key: str
    measure: Measure
    above: float | None = Field(description="what high values are above, of measure `high`")
    unit: Unit = Field(description="of before and after; the differences are shares where it is `share`, else relative")
    before: float = Field(description="of all runs as they came; of `typical` values the geometric mean")
    after: float
    within: float | None = Field(description="by how much runs of the same input class differ")
    low: float | None = Field(description="lower end of its 95 % interval, null of too few runs")
    high: float | None
    mix: float | None = Field(description="what is left of the difference: other work")
    relative: float | None = Field(description="within, relative to before with the same work")
    e_value: float = Field(description="evidence that it moved that way, at most 1e300")
    threshold: float = Field(description="what e_value has to reach, with all that is looked at")
    verdict: Verdict
    severity: Severity | None
    direction: str = Field(examples=["up"], description="up, down, or new")
    more_runs_before: int | None = Field(description="about how many more would tell, of too few runs")
    more_runs_after: int | None
    sentence: str

    @classmethod
    def of(cls, change: Change) -> Self:
        return cls(
            what=what(change),
            key=change.key,
            measure=change.measure,
            above=change.edge,
            unit=Unit.SHARE if is_share(change) else change.feature.unit,
            before=change.before,
            after=change.after,
            within=change.within,
            low=change.low,
            high=change.high,
            mix=change.mix,
            relative=change.relative,
            e_value=math.exp(min(change.log_evidence, _LARGEST_LOG)),
            threshold=math.exp(change.log_threshold),
            verdict=change.verdict,
            severity=change.severity,
            direction=change.direction,
            more_runs_before=change.more_before,
            more_runs_after=change.more_after,
            sentence=sentence(change),
        )


class ToldFeature(BaseModel):
    """What became of a feature, by the gravest of its changes."""

    feature: str = Field(examples=["status"])
    words: str = Field(examples=["how runs end"])
    verdict: Verdict
    severity: Severity | None
    before: Values | None = Field(description="null where it has keys")
    after: Values | None
    more_runs_before: int | None = Field(description="about how many more would tell, of too few runs")
    more_runs_after: int | None
    changes: list[ToldChange] = Field(description="what moved first")

    @classmethod
    def of(cls, report: FeatureReport) -> Self:
        return cls(
            feature=report.feature.name,
            words=report.feature.words,
            verdict=report.verdict,
            severity=report.severity,
            before=Values.of(report.before),
            after=Values.of(report.after),
            more_runs_before=report.more_before,
            more_runs_after=report.more_after,
            changes=[ToldChange.of(change) for change in report.changes],
        )


class Comparison(BaseModel):
    """What became of an agent, what got worse first."""

    agent: str
    environment: str
    before: Runs
    after: Runs
    verdict: Verdict = Field(description="the gravest of all features")
    severity: Severity | None = Field(description="of the gravest regression, null without one")
    summary: list[str] = Field(description="all that moved, in words")
    level: float = Field(
        description="so many of comparisons of runs that are the same say, at most, of anything that it moved"
    )
    share_compared: float = Field(description="of all runs, those of input classes that both sides have")
    usd_per_day: float | None = Field(description="what the same work costs more; null where costs are not known")
    failed_runs_per_day: float | None = Field(description="how many more runs fail of the same work")
    hours_not_counted: int = Field(description="hours in the time that are not counted yet and are missing here")
    features: list[ToldFeature]
    only_before: list[str] = Field(description="features that no run after tells of: not compared")
    only_after: list[str] = Field(description="features that no run before tells of: not compared")

    @classmethod
    def of(cls, report: Report, **more: object) -> Self:
        moved = (Verdict.WORSE, Verdict.CHANGED, Verdict.BETTER)
        usd, failed = report.usd_per_run, report.failed_per_run
        return cls.model_validate(
            {
                "verdict": report.verdict,
                "severity": report.severity,
                "summary": [
                    f"{change.severity or change.verdict}: {sentence(change)}"
                    for feature in report.features
                    for change in feature.changes
                    if change.verdict in moved
                ],
                "level": report.level,
                "share_compared": report.share_compared,
                "usd_per_day": None if usd is None else usd * report.runs_per_day,
                "failed_runs_per_day": None if failed is None else failed * report.runs_per_day,
                "features": [ToldFeature.of(feature) for feature in report.features],
                "only_before": list(report.only_before),
                "only_after": list(report.only_after),
                **more,
            }
        )
