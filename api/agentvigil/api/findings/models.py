"""Findings and incidents as the API tells them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Self
from urllib.parse import quote

from pydantic import BaseModel, Field

from agentvigil.analysis.findings.finding import Finding, Judgement, Mute, What
from agentvigil.analysis.findings.incidents import lead
from agentvigil.analysis.findings.model import Kind, Resolution, Severity, State, SubjectType
from agentvigil.analysis.findings.precision import LOOK_BACK, Precision
from agentvigil.analysis.findings.severity import worst
from agentvigil.analysis.findings.told_details import changes_of, next_actions_of, parts_of, rest_of, series_of
from agentvigil.api.amounts import MoneyText, time_of, usd
from agentvigil.api.times import ToldTime

_CENT_PARTS: Final = Decimal("0.000001")
_ID: Final = "9f86d081884c7d659a2feaa0c55ad015"


class ToldFinding(BaseModel):
    """Something that moved, or goes wrong in a known way. Values are in ``unit``."""

    id: str = Field(examples=[_ID])
    project: str = Field(examples=["default"])
    kind: Kind
    detector: str = Field(examples=["drift"], description="what found it")
    environment: str | None = Field(description="deployment.environment.name; null for all")
    subject_type: SubjectType
    subject: str = Field(examples=["support-agent"], description="what it is about")
    agent: str | None = Field(description="the agent that it concerns; null where it is several")
    feature: str = Field(examples=["tool"], description="what moved")
    stream: str | None = Field(examples=["refund"], description="which part of the feature moved")
    direction: str | None = Field(examples=["up"], description="up, down or new")
    severity: Severity
    state: State
    resolution: Resolution | None = Field(description="why it is resolved")
    judgement: Judgement | None = Field(description="what somebody who looked at it said it was")
    is_muted: bool = Field(description="nobody is told while it is so")
    muted_until: ToldTime | None = Field(description="null for ever, or where it is not muted")
    found_at: ToldTime
    last_seen_at: ToldTime = Field(description="end of the newest data that show it")
    changed_at: ToldTime | None = Field(description="when it most likely began; null where nothing began")
    changed_from: ToldTime | None = Field(description="it did not begin before this")
    changed_to: ToldTime | None = Field(description="it did not begin after this")
    acknowledged_at: ToldTime | None
    resolved_at: ToldTime | None
    baseline_value: float | None = Field(description="what it was")
    window_value: float | None = Field(description="what it is")
    window_low: float | None = Field(description="lower end of where it lies")
    window_high: float | None = Field(description="upper end of where it lies")
    unit: str | None = Field(examples=["share"], description="share, s, USD, tokens or 1")
    effect_size: float | None = Field(examples=[0.55], description="(now - before) / before")
    runs: int = Field(description="runs since it began")
    usd_per_day: MoneyText | None = Field(description="what it costs more, in US dollars a day")
    failed_runs_per_day: float | None = Field(description="runs that fail more, a day")
    explanation: str = Field(examples=["Runs of support-agent use refund in 31 % instead of 20 %."])
    incident_id: str = Field(examples=[_ID])
    models: list[str] = Field(examples=[["gpt-4.1"]], description="models that it is about, or that carry it")
    link: str = Field(examples=[f"/v1/findings/{_ID}"])

    @classmethod
    def fields_of(cls, finding: Finding, mute: Mute | None) -> dict[str, Any]:
        """Return the fields of ``finding``; ``mute`` is the one of its stable key that holds now."""
        seen = finding.seen
        return {
            "id": finding.id,
            "project": seen.project,
            "kind": seen.kind,
            "detector": seen.detector,
            "environment": seen.environment or None,
            "subject_type": seen.subject_type,
            "subject": seen.subject,
            "agent": seen.agent or None,
            "feature": seen.feature,
            "stream": seen.stream or None,
            "direction": seen.direction or None,
            "severity": finding.severity,
            "state": finding.state,
            "resolution": finding.resolution,
            "judgement": finding.judgement,
            "is_muted": mute is not None,
            "muted_until": mute.until if mute else None,
            "found_at": finding.found_at,
            "last_seen_at": seen.seen_at,
            "changed_at": seen.changed_at,
            "changed_from": seen.changed_from,
            "changed_to": seen.changed_to,
            "acknowledged_at": finding.acknowledged_at,
            "resolved_at": finding.resolved_at,
            "baseline_value": seen.baseline_value,
            "window_value": seen.window_value,
            "window_low": seen.window_low,
            "window_high": seen.window_high,
            "unit": seen.unit or None,
            "effect_size": seen.effect_size,
            "runs": seen.runs,
            "usd_per_day": _money(seen.usd_per_day),
            "failed_runs_per_day": seen.failed_runs_per_day,
            "explanation": seen.explanation,
            "incident_id": finding.incident_id,
            "models": sorted(finding.models),
            "link": _link(finding),
        }

    @classmethod
    def of(cls, finding: Finding, mute: Mute | None) -> Self:
        """Return what is told of ``finding``; ``mute`` is the one of its stable key that holds now."""
        return cls(**cls.fields_of(finding, mute))


class FindingPage(BaseModel):
    """Findings in the order that was asked for."""

    items: list[ToldFinding]
    next_cursor: str | None = Field(description="cursor of the next page, null on the last one")


class RunLink(BaseModel):
    """A run, and where it is told."""

    id: str
    link: str = Field(examples=["/v1/runs/4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"])

    @classmethod
    def of(cls, run_id: str) -> Self:
        return cls(id=run_id, link=f"/v1/runs/{quote(run_id, safe='')}")


class ToldPart(BaseModel):
    """What one part carries of a shift."""

    dimension: str = Field(examples=["model"], description="model, version, tool, ..., or what it is taken apart by")
    key: str = Field(examples=["gpt-4.1"])
    share: float | None = Field(examples=[0.7], description="of the shift; less than 0 where it goes against it")
    mix: float | None = Field(description="what comes from more or fewer runs of this part, in the value's unit")
    within: float | None = Field(description="what comes from runs of this part being different")
    before: float | None = Field(description="the value of this part before")
    after: float | None = Field(description="the value of this part since")


class ToldChange(BaseModel):
    """Something else that changed when a shift began."""

    what: str = Field(examples=["version"], description="version, model, tool, ...")
    name: str = Field(examples=["1.5"])
    at: ToldTime | None = Field(description="when it was first seen")
    runs: int | None = Field(description="runs that had it since")


class ToldPoint(BaseModel):
    """A value at a time."""

    at: ToldTime
    value: float
    expected: float | None = Field(description="what it would have been by the baseline")
    n: float | None = Field(description="how many runs, or what else weighs as much")


class HistoryStep(BaseModel):
    """One thing that happened to a finding."""

    what: What
    at: ToldTime
    value: str | None = Field(examples=["critical"], description="to what: a severity, a resolution, the end of a mute")
    by: str | None = Field(
        examples=["agentvigil"],
        description="name or id of the key of who did it, `agentvigil` for AgentVigil itself, null where keys are not "
        "needed",
    )


class FindingDetail(ToldFinding):
    """A finding whole."""

    stable_key: str = Field(description="what is found again has the same")
    window_start: ToldTime = Field(description="of what was compared")
    window_end: ToldTime
    baseline_start: ToldTime | None = Field(description="of what it was compared with")
    baseline_end: ToldTime | None
    statistic: float | None = Field(description="of the detector's test")
    threshold: float | None = Field(description="what the statistic had to reach")
    evidence_level: float | None = Field(
        examples=[7200.0], description="hours between false alarms that the detector is set to, or what its page says"
    )
    inside_since: ToldTime | None = Field(description="since when it has been as before again; after 48 h it is closed")
    reopened_times: int
    parts: list[ToldPart] = Field(description="how much of the shift each part carries")
    changes: list[ToldChange] = Field(description="what else changed then")
    series: list[ToldPoint] = Field(description="the value over time")
    next_actions: list[str] = Field(description="what to do about it")
    details: dict[str, Any] = Field(description="what else the detector says; docs/detection.md has what each does")
    example_runs: list[RunLink] = Field(description="runs that show it")
    typical_runs: list[RunLink] = Field(description="runs as they were before")
    history: list[HistoryStep] = Field(description="what happened to it, the first thing first")
    same_incident: list[ToldFinding] = Field(description="the other findings of its incident, 100 at most")

    @classmethod
    def told(
        cls,
        finding: Finding,
        mutes: Mapping[str, Mute],
        history: Sequence[HistoryStep],
        others: Sequence[Finding],
    ) -> Self:
        """Return all of ``finding``; ``mutes`` are those that hold now, by their stable keys."""
        seen, details = finding.seen, finding.seen.details
        return cls(
            **cls.fields_of(finding, mutes.get(finding.stable_key)),
            stable_key=finding.stable_key,
            window_start=seen.window_start,
            window_end=seen.window_end,
            baseline_start=seen.baseline_start,
            baseline_end=seen.baseline_end,
            statistic=seen.statistic,
            threshold=seen.threshold,
            evidence_level=seen.evidence_level,
            inside_since=finding.inside_since,
            reopened_times=finding.reopened_times,
            parts=[ToldPart(**asdict(part)) for part in parts_of(details)],
            changes=[ToldChange(**asdict(change)) for change in changes_of(details)],
            series=[ToldPoint(**asdict(point)) for point in series_of(details)],
            next_actions=next_actions_of(details),
            details=rest_of(details),
            example_runs=[RunLink.of(run_id) for run_id in seen.example_runs],
            typical_runs=[RunLink.of(run_id) for run_id in seen.typical_runs],
            history=list(history),
            same_incident=[ToldFinding.of(one, mutes.get(one.stable_key)) for one in others],
        )


class Incident(BaseModel):
    """What happened once: a finding that leads, and the others, which are its symptoms."""

    id: str = Field(examples=[_ID])
    project: str = Field(examples=["default"])
    state: State = Field(description="open while one of its findings is, else acknowledged while one is")
    severity: Severity = Field(description="that of its worst finding")
    found_at: ToldTime
    last_seen_at: ToldTime
    changed_at: ToldTime | None = Field(description="when the first of it began; null where nothing began")
    agents: list[str] = Field(examples=[["support-agent"]])
    environments: list[str] = Field(examples=[["production"]])
    features: list[str] = Field(examples=[["cost", "tool"]])
    findings: int = Field(description="how many findings it has")
    unresolved_findings: int
    lead: ToldFinding = Field(description="the finding that tells best what it is")
    link: str = Field(examples=[f"/v1/incidents/{_ID}"])

    @classmethod
    def fields_of(cls, findings: Sequence[Finding], mutes: Mapping[str, Mute]) -> dict[str, Any]:
        """Return the fields of the incident that ``findings``, all of it, are; ``mutes`` are those that hold now."""
        first = lead(findings)
        states = {finding.state for finding in findings}
        changes: list[datetime] = [one.seen.changed_at for one in findings if one.seen.changed_at is not None]
        return {
            "id": first.incident_id,
            "project": first.seen.project,
            "state": next(state for state in State if state in states),
            "severity": worst(*(finding.severity for finding in findings)),
            "found_at": min(finding.found_at for finding in findings),
            "last_seen_at": max(finding.seen.seen_at for finding in findings),
            "changed_at": min(changes, default=None),
            "agents": sorted({finding.seen.agent for finding in findings if finding.seen.agent}),
            "environments": sorted({finding.seen.environment for finding in findings if finding.seen.environment}),
            "features": sorted({finding.seen.feature for finding in findings}),
            "findings": len(findings),
            "unresolved_findings": sum(not finding.is_resolved for finding in findings),
            "lead": ToldFinding.of(first, mutes.get(first.stable_key)),
            "link": f"/v1/incidents/{first.incident_id}",
        }


class IncidentPage(BaseModel):
    """Incidents, the newest first."""

    items: list[Incident]
    next_cursor: str | None = Field(description="cursor of the next page, null on the last one")


class IncidentDetail(Incident):
    """An incident with its findings."""

    items: list[ToldFinding] = Field(description="its findings, the one that leads first, then in the order of time")


class DetectorPrecision(BaseModel):
    """How often a detector was right, as people judged its findings."""

    kind: Kind
    detector: str = Field(examples=["drift"])
    real: int = Field(examples=[11], description="resolved as fixed or as the new normal")
    false_alarms: int = Field(examples=[1], description="resolved as a false alarm")
    not_judged: int = Field(description="nobody said, or it went back to normal by itself")
    precision: float | None = Field(examples=[0.917], description="real / (real + false_alarms); null without either")
    low: float | None = Field(examples=[0.646], description="lower end of its interval of 95 % (Wilson)")
    high: float | None = Field(examples=[0.985], description="upper end of its interval of 95 %")

    @classmethod
    def of(cls, precision: Precision) -> Self:
        low, high = precision.interval or (None, None)
        return cls(
            kind=Kind(precision.kind),
            detector=precision.detector,
            real=precision.real,
            false_alarms=precision.false_alarms,
            not_judged=precision.not_judged,
            precision=precision.share,
            low=low,
            high=high,
        )


class PrecisionReport(BaseModel):
    """The precision of every detector that found something."""

    since: ToldTime = Field(description=f"findings found at or after this time: {LOOK_BACK.days} days ago")
    items: list[DetectorPrecision]


class ToldMute(BaseModel):
    """What nobody hears of: all that has this stable key."""

    stable_key: str = Field(examples=[_ID])
    until: ToldTime | None = Field(description="null for ever")
    muted_at: ToldTime
    by: str | None = Field(description="name or id of the key of who did it; null where keys are not needed")
    finding_id: str = Field(description="the finding that it was said of, which may have gone since")
    kind: Kind
    detector: str
    environment: str | None
    subject_type: SubjectType
    subject: str
    agent: str | None
    feature: str

    @classmethod
    def of(cls, row: Mapping[str, Any], by: str | None) -> Self:
        """Return the mute that a row of finding_mutes is."""
        return cls(
            stable_key=row["StableKey"],
            until=None if row["until_ns"] is None else time_of(row["until_ns"]),
            muted_at=time_of(row["muted_ns"]),
            by=by,
            finding_id=row["FindingId"],
            kind=Kind(row["Kind"]),
            detector=row["Detector"],
            environment=row["Environment"] or None,
            subject_type=SubjectType(row["SubjectType"]),
            subject=row["Subject"],
            agent=row["Agent"] or None,
            feature=row["Feature"],
        )


class MutePage(BaseModel):
    """Mutes that hold, by what they are of."""

    items: list[ToldMute]
    next_cursor: None = Field(default=None, description="all are on one page, 1,000 at most")


def _link(finding: Finding) -> str:
    return f"/v1/findings/{quote(finding.id, safe='')}"


def _money(amount: float | None) -> str | None:
    return None if amount is None else usd(Decimal(str(amount)).quantize(_CENT_PARTS))
