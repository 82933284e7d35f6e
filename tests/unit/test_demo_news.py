"""What the demo says of what is found, while it is found."""

from dataclasses import replace

from agentvigil.analysis.findings.finding import Finding
from agentvigil.analysis.findings.lifecycle import place
from agentvigil.analysis.findings.model import Kind, Severity, SubjectType
from agentvigil.cli.demo import News
from observations import at, observation


def a_finding(feature: str, incident: str, severity: Severity = Severity.MAJOR, kind: Kind = Kind.DRIFT) -> Finding:
    subject_type = SubjectType.RUN if kind is Kind.ANOMALY else SubjectType.AGENT
    seen = observation(feature=feature, severity=severity, kind=kind, subject_type=subject_type)
    change = place(replace(seen, explanation=f"{feature} moved."), [], is_muted=False, now=at(26)).change
    assert change is not None
    return replace(change.finding, incident_id=incident)


def test_findings_of_one_incident_are_told_as_one() -> None:
    """Eight lines of one cause look like eight things that went wrong."""
    tool, cost = a_finding("tool", "i", Severity.CRITICAL), a_finding("cost", "i")
    duration, other = a_finding("time_to_first_token", "i"), a_finding("steps", "j")
    run = a_finding("cost", "i", kind=Kind.ANOMALY)
    news = News()

    assert list(news.of([cost, tool, run])) == [
        f"found {tool.id[:8]} (critical): tool moved.",
        "  and 1 symptom of the same incident: cost",
    ]
    assert list(news.of([cost, tool, run])) == []
    assert list(news.of([cost, duration, tool, other, run])) == [
        f"  of the incident of {tool.id[:8]} as well: time to first token",
        f"found {other.id[:8]} (major): steps moved.",
    ]
