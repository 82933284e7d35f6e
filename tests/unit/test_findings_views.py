"""How findings look on a terminal: written out, at the widths that people have."""

from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from rich.text import Text

from agentvigil.analysis.findings.finding import Finding, What
from agentvigil.analysis.findings.lifecycle import place
from agentvigil.analysis.findings.model import Kind, Severity, SubjectType
from agentvigil.api.findings.models import DetectorPrecision, FindingDetail, HistoryStep, Incident
from agentvigil.cli.printable import printable
from agentvigil.cli.views.finding import finding_page
from agentvigil.cli.views.findings import (
    amount,
    beginnings,
    finding_lines,
    finding_table,
    incident_lines,
    incident_table,
    precision_table,
)
from agentvigil.cli.views.paper import Paper
from agentvigil.cli.views.plot import Point, plot
from observations import at, observation

NOW = at(30)
HOSTILE = "evil\x1b[2J\u202eagent\n\t"
SERIES = [{"at": at(hour).isoformat(), "value": 0.2 if hour < 10 else 0.31, "n": 50 + hour} for hour in range(-14, 26)]


def a_finding(**said: Any) -> Finding:
    usual: dict[str, Any] = {
        "changed_from": at(9),
        "changed_to": at(11),
        "baseline_start": at(-672),
        "baseline_end": at(9),
        "baseline_value": 0.2,
        "window_value": 0.31,
        "window_low": 0.28,
        "window_high": 0.34,
        "unit": "share",
        "statistic": 9012.3,
        "threshold": 7200.0,
        "effect_size": 0.55,
        "runs": 1234,
        "usd_per_day": 12.35,
        "example_runs": ("r1",),
        "typical_runs": ("r2",),
    }
    change = place(observation(10, 25, **usual | said), [], is_muted=False, now=at(26)).change
    assert change is not None
    return change.finding


def told(finding: Finding, *others: Finding) -> dict[str, Any]:
    """A finding as the API tells it."""
    history = [HistoryStep(what=What.FOUND, at=finding.found_at, value="major", by="agentvigil")]
    return FindingDetail.told(finding, {}, history, others).model_dump(mode="json")


def written(lines: Iterable[Text]) -> list[str]:
    return [line.plain for line in lines]


def test_the_table_fits_a_narrow_and_a_wide_terminal() -> None:
    """Severity and id stay, whatever else gives way."""
    findings = [
        told(a_finding()),
        told(
            a_finding(
                feature="cost",
                stream="",
                unit="USD",
                baseline_value=0.012,
                window_value=0.03,
                severity=Severity.CRITICAL,
            )
        ),
    ]

    narrow, wide = (written(finding_table(findings, NOW, Paper(width=width))) for width in (60, 130))

    for width, table in ((60, narrow), (130, wide)):
        assert max(map(len, table)) <= width
        assert [line.split()[0] for line in table[1:]] == ["major", "critical"]
    assert "tool refund 20.0% → 31.0%" in wide[1]
    assert "cost $0.0120 → $0.0300" in wide[2]
    assert findings[0]["id"][:8] in narrow[1]
    assert "$12.35" in wide[1]


def test_a_finding_is_explained() -> None:
    """The page that somebody reads who was woken by it."""
    details = {
        "series": SERIES,
        "parts": [
            {"dimension": "model", "key": "gpt-4.1", "share": 0.7},
            {"dimension": "mix", "share": -0.1},
            {"dimension": "version", "key": "1.5"},
        ],
        "changes": [{"what": "agent_version", "value": "1.5", "at": at(10).isoformat()}, {"what": "tool_set"}],
        "next_actions": ["Compare version 1.5 with 1.4."],
    }
    finding, symptom = a_finding(details=details), a_finding(feature="cost", severity=Severity.MINOR)

    lines = written(finding_page(told(finding, symptom), NOW, Paper(width=90)))
    page = "\n".join(lines)

    assert lines[0] == "major drift: support-agent  open"
    for said in (
        "Runs of support-agent use refund in 31 % instead of 20 %.",
        "since     2026-11-01 10:00 (20h ago), between 2026-11-01 09:00 and 2026-11-01 11:00",
        "severity  major: it moved by a quarter or more, or takes somebody over a budget",
        "what      tool refund 20.0% → 31.0% of runs (it lies between 28.0% and 34.0%), 55% more",
        "runs      1,234 since it began, in 15 h\n",
        "costs     $12.35 more a day",
        "evidence  9,012, where 7,200 is enough (drift)",
        "times     UTC\n",
        "model gpt-4.1                 70%  █████████████████████",
        "mix                          -10%  ███",
        "- agent version 1.5, first seen 2026-11-01 10:00 (20h ago)",
        "- tool set\n",
        "1 other finding of the same incident",
        f"minor     {symptom.id[:8]}  support-agent  cost refund",
        "- Compare version 1.5 with 1.4.",
        f"agentvigil findings resolve {finding.id[:8]} --as fixed",
    ):
        assert said in page, f"{said!r} is not in:\n{page}"
    assert max(map(len, lines)) <= 90


def page_of(finding: Finding, now: datetime = NOW, width: int = 120) -> str:
    return "\n".join(written(finding_page(told(finding), now, Paper(width=width))))


def test_what_goes_on_says_which_days_its_value_is_of() -> None:
    going_on = a_finding(window_start=at(18), evidence_level=7200.0)

    page = page_of(going_on)

    assert "1,234 since it began, in 15 h; the value is that from 2026-11-01 18:00 on" in page
    assert "9,012, where 7,200 is enough: set to alarm falsely about an agent once in 300 days (drift)" in page


def test_whose_clock_is_shown_is_said() -> None:
    """The sentence says UTC, and somebody in Berlin reads the rest by their own clock."""
    berlin = NOW.astimezone(timezone(timedelta(hours=1), "CET"))

    page = page_of(a_finding(), berlin)

    assert "since     2026-11-01 11:00 (20h ago)" in page
    assert "times     CET, UTC+0100: the clock of this machine; sentences say UTC" in page


def test_a_dimension_of_which_all_runs_are_alike_is_left_out() -> None:
    """That all of it is in the only model there is tells nothing; a model that is new carries all, which does."""
    part = {"share_before": 1.0, "share_after": 1.0, "mix": 0.0, "within": 0.1, "value_after": 0.3}
    parts = {
        "model": [{"name": "gpt", "value_before": 0.2, **part}],
        "version": [{"name": "1.5", "value_before": None, **part}],
    }

    page = page_of(a_finding(details={"parts": parts}))

    assert "version 1.5" in page
    assert "model gpt" not in page


def test_each_thing_that_can_be_said_of_it_says_what_follows() -> None:
    finding = a_finding()
    short = finding.id[:8]

    page = page_of(finding)

    for command, meaning in (
        (f"ack {short}", "somebody looks after it: no more reminders"),
        (f"resolve {short} --as fixed", "it is mended"),
        (f"resolve {short} --as new_normal", "it shall be so, and is compared with what is now"),
        (f"resolve {short} --as false_alarm", "it is nothing: the same is muted for 30 days"),
    ):
        assert f"- agentvigil findings {command}\n    {meaning}" in page


def test_a_bare_finding_is_explained_as_far_as_it_goes() -> None:
    """A detector may know nothing but that something is wrong."""
    bare = observation(None, 25, kind=Kind.ANOMALY, subject_type=SubjectType.RUN, subject="r1", stream="", direction="")
    change = place(bare, [], is_muted=False, now=at(26)).change
    assert change is not None

    page = "\n".join(written(finding_page(told(change.finding), NOW, Paper(width=40))))

    assert page.startswith("major anomaly: run r1 of support-agent  open\n")
    assert "what      tool\n" in page
    for absent in ("since", "evidence", "runs that", "None", "null"):
        assert absent not in page


def test_what_agents_are_called_drives_no_terminal() -> None:
    finding = a_finding(
        subject=HOSTILE,
        agent=HOSTILE,
        explanation=HOSTILE,
        stream=HOSTILE,
        detector=HOSTILE,
        unit=HOSTILE,
        example_runs=(HOSTILE,),
        details={
            "parts": [{"dimension": HOSTILE, "key": HOSTILE, "share": 5}],
            "changes": [{"what": HOSTILE, "value": HOSTILE, "at": HOSTILE}],
            "series": [*SERIES, {"at": HOSTILE, "value": 1}, {"at": at(1).isoformat(), "value": HOSTILE}],
            "next_actions": [HOSTILE],
        },
    )
    one = told(finding, a_finding(feature="cost", subject=HOSTILE))
    incident = Incident(**Incident.fields_of([finding], {})).model_dump(mode="json")
    paper = Paper(width=80)

    shown = [
        *written(finding_page(one, NOW, paper)),
        *written(finding_table([one], NOW, paper)),
        *written(incident_table([incident], NOW, paper)),
        *finding_lines([one]),
    ]

    for line in shown:
        assert printable(line, kept="\t") == line


def test_piped_findings_and_incidents_have_times_of_one_form() -> None:
    """cut, sort and date want all times of a column alike: the API's have a fraction, or none, as it happens."""
    change = place(observation(10, 25), [], is_muted=False, now=at(26) + timedelta(microseconds=123456)).change
    assert change is not None
    finding = change.finding
    incident = Incident(**Incident.fields_of([finding], {})).model_dump(mode="json")

    for lines in (finding_lines([told(finding)]), incident_lines([incident])):
        names, values = (line.split("\t") for line in lines)
        row = dict(zip(names, values, strict=True))
        assert (row["found_at"], row["changed_at"]) == ("2026-11-02T02:00:00Z", "2026-11-01T10:00:00Z")


def test_a_plot_shows_where_it_changed() -> None:
    points = [Point(at(hour), 0.2 if hour < 30 else 0.4) for hour in range(41)]

    lines = written(plot(points, at(30), lambda value: f"{value:.1f}", Paper(width=46)))

    assert lines == [
        "0.4" + " " * 32 + "█" * 11,
        " " * 35 + "█" * 11,
        " " * 5 + "▄" * 30 + "█" * 11,
        " " * 5 + "█" * 41,
        "0.0  " + "█" * 41,
        " " * 35 + "▲",
        "     11-01 00:00                   11-02 16:00",
    ]


@pytest.mark.parametrize("width", [24, 40, 200])
@pytest.mark.parametrize("draws", [True, False])
def test_a_plot_fits_and_is_in_letters_that_are_there(width: int, draws: bool) -> None:
    points = [Point(at(0) + timedelta(minutes=7 * step**2), float(step % 5), n=step) for step in range(50)]

    lines = written(plot(points, at(5), lambda value: f"{value:.1f}", Paper(width=width, draws=draws)))

    assert len(lines) == 7
    assert max(map(len, lines)) <= width
    assert draws or "".join(lines).isascii()


def test_an_hour_without_runs_is_no_gap_and_a_lost_day_is_one() -> None:
    points = [Point(at(hour), 1.0) for hour in (*range(10), *range(12, 20), *range(50, 60))]

    bottom = written(plot(points, None, lambda _: "", Paper(width=62)))[4][2:]

    assert bottom == "▁" * 20 + " " * 30 + "▁" * 10


def test_too_few_points_are_no_plot() -> None:
    one = Point(at(0), 1.0)

    for points in ([], [one], [one, one]):
        assert list(plot(points, None, str, Paper())) == []


def test_values_that_are_all_the_same_are_a_line() -> None:
    lines = written(plot([Point(at(0), 5.0), Point(at(9), 5.0)], None, str, Paper(width=30)))

    assert "▁" in "".join(lines) or "█" in "".join(lines)


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (0.31, "share", "31.0%"),
        (0.0021, "share", "0.21%"),
        (0.0, "share", "0.0%"),
        (4.52, "s", "4.5 s"),
        (0.013, "USD", "$0.0130"),
        (-2.5, "USD", "-$2.50"),
        (1e-9, "USD", "$0.0000000010"),
        (1234.0, "tokens", "1.2k"),
        (3.456, "1", "3.46"),
        (12345.6, None, "12,346"),
        (None, "share", "-"),
    ],
)
def test_values_are_in_their_unit(value: float | None, unit: str | None, said: str) -> None:
    assert amount(value, unit) == said


def test_ids_are_as_short_as_tells_them_apart() -> None:
    assert beginnings(["a" * 32, "b" * 32]) == {"a" * 32: "a" * 8, "b" * 32: "b" * 8}
    assert beginnings(["a" * 32, "a" * 9 + "b" * 23]) == {"a" * 32: "a" * 10, "a" * 9 + "b" * 23: "a" * 9 + "b"}
    assert beginnings([]) == {}


def test_precision_says_how_sure_it_is() -> None:
    told_precision = DetectorPrecision(
        kind=Kind.DRIFT,
        detector="drift",
        real=2,
        false_alarms=1,
        not_judged=4,
        precision=2 / 3,
        low=0.2077,
        high=0.9385,
    )
    unjudged = told_precision.model_copy(update={"precision": None, "low": None, "high": None})

    _, known, unknown = written(
        precision_table([one.model_dump(mode="json") for one in (told_precision, unjudged)], NOW, Paper(width=80))
    )

    assert "67%  21% to 94%" in known
    assert unknown.endswith("-")
