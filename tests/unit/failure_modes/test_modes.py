"""The seven modes: when each speaks, what it says, and when it keeps silent."""

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from agentvigil.analysis.detection.alarms import Direction
from agentvigil.analysis.detection.changetime import ChangeTime
from agentvigil.analysis.detection.pooling import Dimension, PoolAlarm
from agentvigil.analysis.detection.streams import Stream, StreamKind
from agentvigil.analysis.failure_modes.looking import EVIDENCE_LEVEL_HOURS, Period
from agentvigil.analysis.failure_modes.model_update import silent_update
from agentvigil.analysis.failure_modes.new_keys import new_keys, runs_around, sustained
from agentvigil.analysis.failure_modes.next_steps import PLACEHOLDERS, next_steps_of, templates
from agentvigil.analysis.failure_modes.registry import FAILURE_MODES, FEATURES_READ, find_all
from agentvigil.analysis.failure_modes.skill_bloat import LOOKS_AFTER_GROWTH
from agentvigil.analysis.features.cells import time_of
from agentvigil.analysis.features.names import FEATURES
from agentvigil.analysis.findings.model import Kind, Observation, Severity, SubjectType
from counted_runs import BASELINE, LOOK, SUBJECT, WINDOW, Book

LAST_WEEK = WINDOW.last(7)
BEFORE_LAST_WEEK = Period(WINDOW.first_hour, LAST_WEEK.first_hour)


def seen(book: Book, mode: str, **look: object) -> Observation | None:
    found = FAILURE_MODES[mode].find(book.cells(BASELINE), book.cells(WINDOW), replace(LOOK, **look))
    assert len(found) <= 1
    return found[0] if found else None


def swinging(mean: float, by: float = 0.15) -> Callable[[int], float]:
    """Around ``mean``, one week like the next."""
    return lambda day: round(mean * (1 + by * math.sin(day * 2 * math.pi / 7)))


# One book for each mode in which it goes wrong in the last week, or comes to do so.


def bloated(*, tools: int = 3, errors: float = 45) -> Book:
    book = Book()
    for period in (BASELINE, WINDOW):
        for tool in ("search", "refund", "track"):
            book.share(period, "tool", tool, 500 if tool == "search" else 0, 150)
    for number in range(tools):
        book.share(LAST_WEEK, "tool", f"skill-{number}", 0, 20)
    for feature, count in (("tool_error", 20), ("tool_switch", 8)):
        book.share(BASELINE, feature, "any", 500, swinging(count))
        book.share(BEFORE_LAST_WEEK, feature, "any", 500, swinging(count))
    book.share(LAST_WEEK, "tool_error", "any", 500, swinging(errors))
    return book.share(LAST_WEEK, "tool_switch", "any", 500, swinging(8))


def rotten(high_wrong: float = 60) -> Book:
    book = Book()
    for period in (BASELINE, WINDOW):
        book.tally(period, "context", "low", 2_000, swinging(80), model="m")
    book.tally(BASELINE, "context", "high", 400, swinging(20), model="m")
    book.tally(BEFORE_LAST_WEEK, "context", "high", 400, swinging(20), model="m")
    return book.tally(LAST_WEEK, "context", "high", 400, swinging(high_wrong), model="m")


def hallucinating(feature: str = "confident", key: str = "bad", bad: float = 36) -> Book:
    book = (
        Book().share(BASELINE, feature, key, 200, swinging(12)).share(BEFORE_LAST_WEEK, feature, key, 200, swinging(12))
    )
    return book.share(LAST_WEEK, feature, key, 200, swinging(bad))


def taxed(share: float = 0.25, before: float = 0.05) -> Book:
    book = Book().value(BASELINE, "duration", 300, 12.0).value(WINDOW, "duration", 300, 12.0)
    for period, mean in ((BASELINE, before), (BEFORE_LAST_WEEK, before), (LAST_WEEK, share)):
        book.value(period, "sequential_share", 150, lambda day, mean=mean: mean * (0.9 + 0.05 * (day % 5)))
    return book


def creeping(per_day: float = 0.015) -> Book:
    book = Book()
    random = np.random.default_rng(3)
    for period, rise in ((BASELINE, 0.0), (WINDOW, per_day)):
        noise = random.normal(0, 0.02, period.days)
        price = [float(np.exp(rise * day + noise[day])) for day in range(period.days)]
        book.value(period, "cost", 400, lambda day, price=price: 0.02 * price[day])
        for key, amount in (("calls", 1_200.0), ("output_tokens", 3e5), ("retries", 12.0)):
            book.tally(period, "usage", key, 400, amount, model="m")
        book.tally(period, "usage", "input_tokens", 400, lambda day, price=price: 2e6 * price[day], model="m")
        book.tally(period, "usage", "cost_usd", 400, lambda day, price=price: 8.0 * price[day], model="m")
    return book


def cascading(after_failure: float = 28) -> Book:
    book = Book()
    for period in (BASELINE, WINDOW):
        book.tally(period, "cascade", "after_success", 700, swinging(28))
    book.tally(BASELINE, "cascade", "after_failure", 40, swinging(6))
    book.tally(BEFORE_LAST_WEEK, "cascade", "after_failure", 40, swinging(6))
    return book.tally(LAST_WEEK, "cascade", "after_failure", 40, swinging(after_failure, 0.05))


def updated(model: str = "m-2026-11") -> Book:
    book = Book().share(BASELINE, "response_model", "m-2026-05", 300, 300)
    book.share(BEFORE_LAST_WEEK, "response_model", "m-2026-05", 300, 300)
    return book.share(LAST_WEEK, "response_model", "m-2026-05", 300, 100).share(
        LAST_WEEK, "response_model", model, 0, 200
    )


GONE_WRONG = {
    "skill_bloat": bloated,
    "context_rot": rotten,
    "confident_hallucination": hallucinating,
    "sequential_tax": taxed,
    "cost_creep": creeping,
    "cascade": cascading,
    "model_update": updated,
}
AS_BEFORE = {
    "skill_bloat": [lambda: bloated(errors=20), lambda: bloated(tools=0)],
    "context_rot": [lambda: rotten(20), lambda: rotten(24)],
    "confident_hallucination": [lambda: hallucinating(bad=12), lambda: hallucinating("unfounded", "any", bad=13)],
    "sequential_tax": [lambda: taxed(0.05), lambda: taxed(0.08)],
    "cost_creep": [lambda: creeping(0.0), lambda: creeping(-0.02)],
    "cascade": [lambda: cascading(6), lambda: cascading(16)],
    "model_update": [lambda: updated("m-2026-05")],
}


def test_there_is_a_book_for_each_mode() -> None:
    assert set(GONE_WRONG) == set(AS_BEFORE) == set(FAILURE_MODES) == set(templates())


@pytest.mark.parametrize("mode", FAILURE_MODES)
def test_what_goes_wrong_is_told(mode: str) -> None:
    """With all that a reader and the book of findings need."""
    found = seen(GONE_WRONG[mode](), mode)

    assert found is not None
    assert (found.kind, found.detector) == (Kind.FAILURE_MODE, mode)
    assert (found.project, found.environment, found.agent) == SUBJECT
    assert found.explanation.startswith(FAILURE_MODES[mode].title)
    assert found.explanation.endswith(".")
    assert found.feature in FAILURE_MODES[mode].features
    assert found.evidence_level == (24 * LOOKS_AFTER_GROWTH if mode == "skill_bloat" else EVIDENCE_LEVEL_HOURS)
    assert found.seen_at == found.window_end == WINDOW.end_time
    assert found.details["where"]
    assert found.details["next_actions"] == next_steps_of(mode, "support", "m-2026-11")
    hours = found.details["example_hours"]
    assert 0 < len(hours) <= 5
    assert all(WINDOW.first_hour <= hour < WINDOW.end_hour for hour in hours)
    if mode != "model_update":
        assert found.statistic is not None
        assert found.threshold is not None
        assert found.statistic >= found.threshold
        assert found.window_low is not None
        assert found.window_low < found.window_value < found.window_high
        assert found.baseline_value < found.window_value


@pytest.mark.parametrize(
    ("mode", "book"), [(mode, book) for mode, books in AS_BEFORE.items() for book in books], ids=lambda value: ""
)
def test_what_is_as_before_is_not_told(mode: str, book: Callable[[], Book]) -> None:
    """Nor what moves by less than anybody would act on."""
    assert seen(book(), mode) is None


@pytest.mark.parametrize("mode", [mode for mode in FAILURE_MODES if mode not in ("sequential_tax", "cost_creep")])
@pytest.mark.parametrize("baseline", [Period(BASELINE.end_hour, BASELINE.end_hour), BASELINE.last(10)], ids=str)
def test_without_a_baseline_nothing_is_told(mode: str, baseline: Period) -> None:
    """Two weeks are needed to know what is usual; till then everything is new."""
    book = GONE_WRONG[mode]()
    found = FAILURE_MODES[mode].find(book.cells(baseline), book.cells(WINDOW), replace(LOOK, baseline=baseline))

    assert found == []


@pytest.mark.parametrize("mode", FAILURE_MODES)
def test_no_runs_are_no_error(mode: str) -> None:
    nothing, book = Book().cells(), GONE_WRONG[mode]()

    assert FAILURE_MODES[mode].find(nothing, nothing, LOOK) == []
    assert FAILURE_MODES[mode].find(book.cells(BASELINE), nothing, LOOK) == []


def test_all_modes_are_asked_at_once() -> None:
    """And each reads only what it says it reads."""
    book = bloated()

    found = find_all(book.cells(), SUBJECT, WINDOW.end_hour)

    assert [one.detector for one in found] == ["skill_bloat"]
    assert set(FEATURES_READ) <= set(FEATURES)


def test_a_baseline_that_ends_now_leaves_nothing_to_judge() -> None:
    """As it does in the hour in which somebody pins it."""
    assert find_all(bloated().cells(), SUBJECT, WINDOW.end_hour, WINDOW) == []


def test_skill_bloat_names_the_tools_and_the_harm() -> None:
    found = seen(bloated(), "skill_bloat")

    assert found is not None
    assert found.feature == "tool_error"
    assert "since 3 tools came to the 3 there were (skill-0, skill-1 and skill-2, from " in found.explanation
    assert "9.0 % of the runs have a tool that fails" in found.explanation
    assert found.changed_at == time_of(LAST_WEEK.first_hour + 12)
    assert [tool["tool"] for tool in found.details["new_tools"]] == ["skill-0", "skill-1", "skill-2"]
    assert found.details["share_per_tool"] == pytest.approx(0.05 / 3, rel=0.05)


def test_tools_that_nobody_chooses_any_more_are_bloat() -> None:
    """The new ones took over, and the old ones are still offered."""
    book = Book().share(BASELINE, "tool", "", 300, 0)
    for name in ("search", "refund", "track"):
        book.share(BASELINE, "tool", name, 0, 80).share(
            WINDOW.last(28), "tool", name, 0, lambda day: 80 if day < 10 else 0
        )
    book.share(WINDOW, "tool", "lookup", 300, lambda day: 0 if day < 10 else 200)
    book.share(WINDOW, "tool", "rare", 0, lambda day: 1 if day == 2 else 0)

    found = seen(book, "skill_bloat")

    assert found is not None
    assert found.stream == "unused"
    assert found.details["unused_tools"] == ["refund", "search", "track"]
    assert found.severity is Severity.MAJOR
    assert "3 tools of 4 (75 %) went unused for 14 days: refund, search and track." in found.explanation


def test_context_rot_tells_the_odds() -> None:
    found = seen(rotten(), "context_rot")

    assert found is not None
    assert found.baseline_value == pytest.approx((20 / 380) / (80 / 1920), rel=0.02)
    assert found.window_value == pytest.approx((60 / 340) / (80 / 1920), rel=0.02)
    assert "usually 1.3 times" in found.explanation
    assert found.changed_at == LAST_WEEK.start_time
    assert found.details["more_per_day"]["calls_wrong"] == pytest.approx(40, abs=1.5)


def test_more_calls_with_a_full_context_are_no_rot() -> None:
    book = Book()
    for period, factor in ((BASELINE, 1), (WINDOW, 8)):
        book.tally(period, "context", "low", 2_000, swinging(80))
        book.tally(period, "context", "high", 100 * factor, swinging(6 * factor))

    assert seen(book, "context_rot") is None


def test_a_bad_week_is_no_rot() -> None:
    """Calls with full contexts go wrong twice as often, and so do all others."""
    book = Book()
    for period, factor in ((BASELINE, 1), (BEFORE_LAST_WEEK, 1), (LAST_WEEK, 2)):
        book.tally(period, "context", "low", 2_000, swinging(80 * factor))
        book.tally(period, "context", "high", 400, swinging(24 * factor))

    assert seen(book, "context_rot") is None


def test_empty_contexts_that_go_right_more_often_are_no_rot() -> None:
    """The odds ratio doubles, and nothing goes wrong that did not before."""
    book = Book()
    for period, low in ((BASELINE, 160), (BEFORE_LAST_WEEK, 160), (LAST_WEEK, 60)):
        book.tally(period, "context", "low", 2_000, swinging(low))
        book.tally(period, "context", "high", 400, swinging(40))

    assert seen(book, "context_rot") is None


def test_judged_answers_are_told_before_unfounded_ones() -> None:
    judged, unfounded = hallucinating(), hallucinating("unfounded", "any")

    of_judged, of_unfounded = seen(judged, "confident_hallucination"), seen(unfounded, "confident_hallucination")

    assert of_judged is not None
    assert of_unfounded is not None
    assert "18 % of the answers that were given with confidence and judged were bad" in of_judged.explanation
    assert (of_judged.stream, of_judged.severity) == ("bad", Severity.CRITICAL)
    assert "18 % of the runs succeed on nothing" in of_unfounded.explanation
    assert of_unfounded.failed_runs_per_day == pytest.approx(24, abs=1)


def test_a_standing_tax_is_told_without_a_baseline() -> None:
    """A fifth of the time is lost, whatever was usual."""
    book = (
        Book()
        .value(WINDOW, "sequential_share", 80, lambda day: 0.3 + 0.02 * (day % 4))
        .value(WINDOW, "duration", 90, 20.0)
    )
    look = replace(LOOK, baseline=Period(WINDOW.first_hour, WINDOW.first_hour))

    found = FAILURE_MODES["sequential_tax"].find(Book().cells(), book.cells(), look)

    assert len(found) == 1
    assert "33 % of the time of runs" in found[0].explanation
    assert found[0].explanation.endswith("about 6.6 s of each run; there is no baseline yet.")
    assert found[0].changed_at is None
    assert found[0].severity is Severity.MAJOR


def test_a_day_with_a_hanging_service_is_no_standing_tax() -> None:
    """Its runs lose nine tenths, and the mean of all passes a fifth."""
    book = Book().value(
        WINDOW, "sequential_share", lambda day: 900 if day == 25 else 80, lambda day: 0.9 if day == 25 else 0.1
    )

    assert seen(book, "sequential_tax") is None


def test_cost_creep_tells_what_carries_it() -> None:
    found = seen(creeping(), "cost_creep")

    assert found is not None
    assert found.details["shape"] == "creep"
    assert found.details["parts"][0]["factor"] == "input_tokens"
    assert sum(part["share"] for part in found.details["parts"]) == pytest.approx(1.0)
    assert "over 28 days" in found.explanation
    assert "by input tokens" in found.explanation
    assert found.usd_per_day == pytest.approx(400 * (found.window_value - found.baseline_value))
    assert found.effect_size == pytest.approx(math.expm1(27 * 0.015), abs=0.06)


def test_a_step_of_cost_is_told_apart() -> None:
    book = Book().value(BASELINE, "cost", 400, lambda day: 0.02 + 0.0001 * (day % 3))
    book.value(WINDOW, "cost", 400, lambda day: (0.02 if day < 14 else 0.03) + 0.0001 * (day % 3))

    found = seen(book, "cost_creep", is_pinned=True)

    assert found is not None
    assert found.details["shape"] == "step"
    assert "since the baseline" in found.explanation
    assert found.changed_at == time_of(WINDOW.start_of(14))


def test_a_rise_of_volume_and_of_dear_questions_is_no_creep() -> None:
    """Each question costs what it cost."""
    book = Book()
    for period, more in ((BASELINE, 0), (WINDOW, 1)):
        book.value(period, "cost", lambda day, more=more: 300 + 20 * day * more, 0.01, of="short")
        book.value(period, "cost", lambda day, more=more: 100 + 90 * day * more, 0.2, of="long")

    assert seen(book, "cost_creep") is None


def test_a_cascade_tells_reproduction_and_lift() -> None:
    found = seen(cascading(), "cascade")

    assert found is not None
    assert found.details["reproduction_number"] == pytest.approx(0.7, abs=0.02)
    assert found.details["lift"] == pytest.approx(0.7 / 0.04, rel=0.05)
    assert "70 % fail (R = 0.70" in found.explanation
    assert "One failure makes 2.3 more." in found.explanation


def test_agents_that_fail_more_after_everything_are_no_cascade() -> None:
    """They would fail without the failure before them."""
    book = Book()
    for period, share in ((BASELINE, 0.2), (WINDOW, 0.7)):
        book.tally(period, "cascade", "after_success", 700, swinging(700 * share, 0.05))
        book.tally(period, "cascade", "after_failure", 40, swinging(40 * share, 0.05))

    assert seen(book, "cascade") is None


def test_a_new_key_is_judged_by_the_runs_before_and_since_its_first() -> None:
    """Five runs in the last week are news; by all runs of the window they would be few."""
    book = Book().share(BASELINE, "tool", "search", 20, 20).share(WINDOW, "tool", "search", 20, 20)
    book.share(LAST_WEEK, "tool", "lookup", 0, lambda day: float(day < 5))
    cells = book.cells(BASELINE), book.cells(WINDOW)
    (new,) = new_keys(*cells, "tool")

    assert runs_around(*cells, "tool", new.first_hour) == (20 * 49, 20 * 7)
    assert sustained(new, *runs_around(*cells, "tool", new.first_hour))
    assert not sustained(new, 20 * 28, 20 * 28)


def test_a_model_is_new_with_its_first_run() -> None:
    found = seen(updated(), "model_update")

    assert found is not None
    assert (found.subject_type, found.subject) == (SubjectType.MODEL, "m-2026-11")
    assert found.direction == "new"
    assert found.changed_at == time_of(LAST_WEEK.first_hour + 12)
    assert found.window_value == pytest.approx(2 / 3)
    assert "in place of m-2026-05" in found.explanation
    once = Book().share(BASELINE, "response_model", "m", 300, 300).share(WINDOW, "response_model", "m", 300, 300)
    for key in ("", "m-new"):
        once.row(WINDOW.end_hour - 1, "response_model", key, 1)
    single = seen(once, "model_update")
    assert single is not None
    assert single.severity is Severity.MINOR


def test_a_model_that_comes_back_is_not_new() -> None:
    """It answered two months ago, and again today."""
    assert seen(updated(), "model_update", known_models=frozenset({"m-2026-11"})) is None
    earlier = Period(BASELINE.first_hour - 240, BASELINE.first_hour)
    book = updated().share(earlier, "response_model", "m-2026-11", 10, 10)
    assert find_all(book.cells(), SUBJECT, WINDOW.end_hour) == []


def test_where_new_models_are_usual_one_more_is_no_news() -> None:
    """A router tries what it finds."""
    book = updated()
    for number in range(3):
        book.row(BASELINE.first_hour + 50 * number, "response_model", f"tried-{number}", 1)
        book.row(LAST_WEEK.first_hour + 30 * number, "response_model", f"tried-too-{number}", 1)

    found = FAILURE_MODES["model_update"].find(book.cells(BASELINE), book.cells(WINDOW), LOOK)

    assert [one.subject for one in found] == ["m-2026-11"]


ALARM = PoolAlarm(
    dimension=Dimension.MODEL,
    value="m-latest",
    project="shop",
    environment="production",
    feature="output_tokens",
    stream=Stream("output_tokens", StreamKind.MEAN),
    direction=Direction.UP,
    hour=WINDOW.end_hour - 1,
    watched_from=WINDOW.first_hour,
    since=ChangeTime(WINDOW.end_hour - 40, WINDOW.end_hour - 48, WINDOW.end_hour - 30),
    statistic=9_000.0,
    threshold=7_200.0,
    hours_between_false_alarms=7_200.0,
    agents=("support", "refunds", "search"),
    others_moved=False,
)


def test_a_silent_update_is_about_the_model() -> None:
    found = silent_update(ALARM)

    assert found is not None
    assert (found.kind, found.subject_type, found.subject, found.agent) == (
        Kind.FAILURE_MODE, SubjectType.MODEL, "m-latest", ""
    )  # fmt: skip
    assert (found.stream, found.seen_at) == ("silent", WINDOW.end_time)
    assert found.evidence_level == 7_200.0
    assert "m-latest seems to have changed behind its name about " in found.explanation
    assert "output tokens moved in 3 agents that use it, and not with other models" in found.explanation
    assert found.changed_from is not None
    assert found.changed_at is not None
    assert found.changed_to is not None
    assert found.changed_from < found.changed_at < found.changed_to


@pytest.mark.parametrize("changed", [{"others_moved": True}, {"dimension": Dimension.TOOL}])
def test_what_moves_with_all_models_is_no_update(changed: dict[str, object]) -> None:
    assert silent_update(replace(ALARM, **changed)) is None


@pytest.mark.parametrize("mode", FAILURE_MODES)
def test_what_to_do_is_said_in_whole_sentences(mode: str) -> None:
    """With names quoted in prose, encoded in addresses, and nothing left in braces."""
    steps = next_steps_of(mode, "a `b` & c", "m/1")

    assert 1 <= len(steps) <= 3
    for template, step in zip(templates()[mode], steps, strict=True):
        assert step.endswith(".")
        assert "{" not in step
        assert step.count("`") % 2 == 0
        assert "&agent=a `b`" not in step
        assert set(template.split("{")[1:]) == {
            part for part in template.split("{")[1:] if part.split("}")[0] in PLACEHOLDERS
        }


def test_hours_are_told_in_utc() -> None:
    assert time_of(24 * 20_000) == datetime(2024, 10, 4, tzinfo=UTC)
