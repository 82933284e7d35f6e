"""Comparisons and spending on a terminal: they fit, and what got worse stands first."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from rich.text import Text

from agentvigil.analysis.comparing.compare import compare
from agentvigil.api.comparing.models import Comparison, Runs
from agentvigil.cli.views.comparing import comparison_header, comparison_lines, comparison_table, shown
from agentvigil.cli.views.paper import Paper
from agentvigil.cli.views.spending import in_words, spending_lines, spending_view
from runs_in_cells import Class, Fleet, cells_of

NOW = datetime(2026, 11, 29, tzinfo=UTC)


@pytest.fixture(scope="module")
def comparison() -> Any:
    """What the API tells of a version that fails more, and uses its tools otherwise."""
    before = Fleet(runs_per_day=700, days=3, wander=0.02)
    after = replace(before, classes={"": Class(failing=0.2, tools={"kb": 0.5, "refund\x1b[2J": 0.3})})
    report = compare(cells_of(before, 1), cells_of(after, 2))
    side = Runs(label="version 1", version="1", baseline=None, since=NOW, until=NOW, runs=2100, days=3)
    told = Comparison.of(
        report, agent="support\u202e", environment="production", before=side, after=side, hours_not_counted=0
    )
    return told.model_dump(mode="json")


def text_of(lines: Iterable[Text]) -> list[str]:
    return [line.plain for line in lines]


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_a_comparison_fits_its_paper(comparison: Any, width: int) -> None:
    paper = Paper(width=width)

    head, *lines = text_of(comparison_table(shown(comparison, show_all=True), NOW, paper))

    assert all(len(line) <= width for line in (head, *lines))
    assert head.split()[:2] == ["verdict", "what"]
    assert lines[0].split()[:3] == ["critical", "status", "failure"]
    assert "+18" in lines[0]
    assert not any(character in "".join(lines) for character in "\x1b\u202e")


def test_what_moved_is_shown_and_of_the_rest_the_first(comparison: Any) -> None:
    few, every = (shown(comparison, show_all=show_all) for show_all in (False, True))

    assert {feature["feature"] for feature, _ in few} == {feature["feature"] for feature in comparison["features"]}
    assert len(few) < len(every) == sum(len(feature["changes"]) for feature in comparison["features"])
    moved = [change for _, change in every if change["verdict"] in ("worse", "changed", "better")]
    assert all(change in [shown for _, shown in few] for change in moved)
    assert [line.split("\t")[0] for line in comparison_lines(few)][:2] == ["verdict", "worse"]


def test_the_header_says_what_is_compared(comparison: Any) -> None:
    lines = text_of(comparison_header(comparison))

    assert lines[0] == "support\\u202e in production"
    assert lines[1] == "  before version 1: 2,100 runs, 2026-11-29 00:00 to 2026-11-29 00:00 UTC"


SPENDING: Any = {
    "period": "month",
    "since": "2026-11-01T00:00:00Z",
    "until": "2026-11-20T12:00:00Z",
    "ends_at": "2026-12-01T00:00:00Z",
    "usd": "75",
    "unpriced_calls": 3,
    "forecast": {"usd": "113.2", "low_usd": "109.1", "high_usd": "117.9", "level": 0.8, "days": 56},
    "budget": {
        "usd": "100",
        "used": 0.75,
        "is_over": False,
        "probability_over": 0.99,
        "used_up_at": "2026-11-27T03:00:00Z",
    },
    "by_agent": [{"name": "support\x1b", "usd": "70", "share": 0.933}, {"name": None, "usd": "5", "share": 0.067}],
    "by_model": [],
    "by_user": [],
}


def test_spending_is_shown_with_what_it_will_come_to() -> None:
    assert text_of(spending_view(SPENDING, Paper())) == [
        "spent $75.00  this month, 2026-11-01 to 2026-12-01",
        "      $113.20  when it is over, 80% between $109.10 and $117.90",
        "budget $100.00: 75% used, 99% likely to be over, used up about 2026-11-27",
        "",
        "agents",
        f"        $70.00   93.3%  {'█' * 19}   support\\x1b",
        f"         $5.00    6.7%  █{' ' * 19}  -",
    ]
    assert list(spending_lines(SPENDING))[1] == "agent\tsupport\\x1b\t70\t0.933"
    assert list(in_words(SPENDING)) == [
        "$75.00 since 2026-11-01; $113.20 expected by 2026-12-01 ($109.10 to $117.90)",
        "budget $100.00: 75% used, 99% likely to be over, used up about 2026-11-27",
        "3 calls have no price and are missing; `agentvigil prices unpriced` lists their models",
    ]


def test_a_budget_that_is_used_up_says_by_how_much() -> None:
    over = SPENDING | {"budget": SPENDING["budget"] | {"usd": "60", "used": 1.25, "is_over": True}, "forecast": None}

    assert "budget $60.00: 125% used, $15.00 over" in text_of(spending_view(over, Paper()))
