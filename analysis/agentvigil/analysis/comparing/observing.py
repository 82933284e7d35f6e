"""Regressions as observations, for the book of findings."""

import math
from typing import Any, Final

from agentvigil.analysis.comparing.judging import severity_of_change
from agentvigil.analysis.comparing.report import RANK, FeatureReport, Report, Verdict
from agentvigil.analysis.comparing.streams import Measure
from agentvigil.analysis.comparing.wording import is_share, sentence, what
from agentvigil.analysis.features.cells import Cells, Subject, time_of
from agentvigil.analysis.features.names import Unit
from agentvigil.analysis.findings.model import Kind, Observation, SubjectType

DETECTOR: Final = "version_comparison"
_LARGEST_LOG: Final = math.log(1e300)


def regressions_of(
    report: Report, subject: Subject, version: str, before: Cells, after: Cells, baseline: str = ""
) -> list[Observation]:
    """Return what got worse in ``version`` of ``subject``, one observation for each feature.

    ``report`` compares ``before``, which ``baseline`` says in words, with ``after``. Both have runs.
    """
    return [
        _observation(feature, report, subject, version, (before, after), baseline)
        for feature in report.features
        if feature.verdict is Verdict.WORSE
    ]


def _observation(
    feature: FeatureReport,
    report: Report,
    subject: Subject,
    version: str,
    cells: tuple[Cells, Cells],
    baseline: str,
) -> Observation:
    worse = [change for change in feature.changes if change.verdict is Verdict.WORSE]
    change = max(worse, key=lambda one: (RANK[one.severity] if one.severity else 0, one.log_evidence))
    before, after = cells
    start, end = time_of(int(after.hour[0])), time_of(int(after.hour[-1]) + 1)
    low, high = change.low, change.high
    if low is not None and high is not None:
        # The interval is of the difference; where the value lies is told.
        scale = change.before if not is_share(change) else 1.0
        low, high = change.before + scale * low, change.before + scale * high
    details: dict[str, Any] = {
        "within": change.within,
        "mix": change.mix,
        "parts": [
            {"stream": what(one), "before": one.before, "after": one.after, "within": one.within, "mix": one.mix}
            for one in worse
        ],
        "share_compared": report.share_compared,
        "runs_before": report.runs_before,
        "baseline": baseline,
    }
    is_cost = feature.feature.name == "cost"
    is_failure = feature.feature.name in ("status", "failure")
    more_usd, more_failed = report.usd_per_run, report.failed_per_run
    usd_per_day = more_usd * report.runs_per_day if is_cost and more_usd is not None else None
    return Observation(
        project=subject.project,
        kind=Kind.REGRESSION,
        detector=DETECTOR,
        subject_type=SubjectType.VERSION,
        subject=version,
        feature=feature.feature.name,
        seen_at=end,
        window_start=start,
        window_end=end,
        severity=severity_of_change(change, report.runs_per_day, usd_per_day),
        explanation=f"version {version}: {sentence(change)}",
        environment=subject.environment,
        agent=subject.agent,
        stream=f"above {change.edge:.6g}" if change.measure is Measure.HIGH else change.key,
        direction=change.direction,
        changed_at=start,
        changed_from=start,
        changed_to=start,
        baseline_start=time_of(int(before.hour[0])),
        baseline_end=time_of(int(before.hour[-1]) + 1),
        baseline_value=change.before,
        window_value=change.after,
        window_low=low,
        window_high=high,
        unit=str(Unit.SHARE if is_share(change) else feature.feature.unit),
        statistic=math.exp(min(change.log_evidence, _LARGEST_LOG)),
        threshold=math.exp(change.log_threshold),
        evidence_level=report.level,
        effect_size=change.relative,
        runs=report.runs_after,
        usd_per_day=usd_per_day,
        failed_runs_per_day=more_failed * report.runs_per_day if is_failure and more_failed is not None else None,
        details=details,
    )
