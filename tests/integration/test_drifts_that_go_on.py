"""Drifts that last: their numbers are told anew once a day, and once more when they are over, and nobody is called."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from alerting import DESTINATION, Taker, configuration, rule, steps
from counted_cells import put

from agentvigil.analysis.alerts import AlertJob
from agentvigil.analysis.alerts.notices import Transition
from agentvigil.analysis.features.cells import Subject, hour_of, time_of
from agentvigil.analysis.features.reading import read_costs
from agentvigil.analysis.findings.book import FindingsBook
from agentvigil.analysis.findings.finding import Finding
from agentvigil.analysis.findings.model import Kind, Observation, Resolution, Severity, State
from agentvigil.analysis.spending.budgets import Budget, Period, SharedBudget
from agentvigil.analysis.watching import WatchJob
from agentvigil.analysis.watching.budgets import BudgetWatch
from agentvigil.storage.embedded import EmbeddedStore
from migrated_stores import MigratedStores
from observations import observation
from simulated_agents import Agent, cells_of

pytestmark = pytest.mark.long

BEGAN_DAY, OVER_DAY, DAYS = 15, 20, 25
FIRST: Final = hour_of(datetime.now(UTC)) // 24 * 24 - DAYS * 24
"""The midnight at which the agent first runs: days end as they do for the job, whenever tests run."""
AGENT: Final = Subject("default", "production", "concierge")
USUAL: Final = Agent(240, season=0.0, daily=0.3)
MOVED: Final = Agent(240, season=0.0, daily=0.3, tools={**USUAL.tools, "refund": 0.5}, tokens=1600, version="2.4")
BUDGETS: Final = [SharedBudget(Budget(1.0, Period.DAY), frozenset({"concierge"}))]


def day(number: float) -> datetime:
    return time_of(FIRST + round(number * 24))


@pytest.fixture(scope="module")
def store(migrated_stores: MigratedStores) -> Iterator[EmbeddedStore]:
    """Four weeks that are counted: an agent as it is, a week of another behaviour, and as it was again."""
    with migrated_stores.taken() as taken:
        put(taken, AGENT, cells_of(USUAL, DAYS, 5, start=FIRST, changes=[(BEGAN_DAY, MOVED), (OVER_DAY, USUAL)]))
        yield taken


def watch(store: EmbeddedStore, now: datetime) -> None:
    """Let a new process look through all that there was at ``now``."""
    job = WatchJob(store, "tests", budgets_of=lambda _: BUDGETS)
    while job.step(now):
        pass


def drifts(store: EmbeddedStore) -> dict[str, Finding]:
    book = FindingsBook(store)
    found = [*book.unresolved(), *book.resolutions_since(day(0))]
    return {one.seen.feature: one for one in found if one.seen.kind is Kind.DRIFT}


@dataclass(frozen=True)
class Story:
    """The drift of tools as it stood on its second and its fifth day and when it was over; the notices by then."""

    second: Finding
    fifth: Finding
    over: Finding
    notices: tuple[int, int, int]
    all_over: dict[str, Observation]


@pytest.fixture(scope="module")
def story(store: EmbeddedStore, tmp_path_factory: pytest.TempPathFactory) -> Story:
    """What processes saw one after the other, each for some days."""
    taker = Taker()
    text = DESTINATION + rule("findings = {}")
    alerts = AlertJob(store, configuration(tmp_path_factory.mktemp("alerts"), text), "tests", taker)
    told: list[Finding] = []
    notices: list[int] = []
    for number, days in enumerate((BEGAN_DAY + 1.5, BEGAN_DAY + 4.2, DAYS)):
        watch(store, day(days))
        told.append(drifts(store)["tool"])
        steps(alerts, *(day(DAYS) + timedelta(minutes=3 * number + minute) for minute in range(2)))
        notices.append(len([one for one in taker.got if one.transition is not Transition.RESOLVED]))
    all_over = {feature: one.seen for feature, one in drifts(store).items()}
    return Story(*told, notices=(notices[0], notices[1], notices[2]), all_over=all_over)


def test_a_drift_is_told_anew_once_a_day(story: Story) -> None:
    """Whoever looks on the fifth day sees the fifth day's numbers."""
    second, fifth = story.second.seen, story.fifth.seen

    assert (story.fifth.id, story.fifth.found_at, story.fifth.state) == (
        *(story.second.id, story.second.found_at),
        State.OPEN,
    )
    assert (fifth.seen_at, fifth.window_end) == (day(BEGAN_DAY + 4), day(BEGAN_DAY + 4))
    for stays in ("changed_at", "changed_from", "changed_to", "statistic", "baseline_end", "stream", "direction"):
        assert getattr(fifth, stays) == getattr(second, stays), stays
    assert fifth.details["moved"] == second.details["moved"]
    assert second.changed_at is not None
    assert fifth.details["hours"] == (fifth.seen_at - second.changed_at) // timedelta(hours=1)
    assert fifth.runs > 3 * second.runs
    (change,) = fifth.details["changes"]
    assert (change["name"], change["runs"]) == ("2.4", pytest.approx(fifth.runs, rel=0.1))
    assert _width(fifth) < _width(second)
    assert fifth.details["series"][-1]["at"] == (day(BEGAN_DAY + 4) - timedelta(hours=6)).isoformat()


def test_what_is_over_says_how_it_was_while_it_lasted(story: Story) -> None:
    """A finding that is closed is history: the days after it say nothing of it."""
    over, seen = story.over, story.over.seen

    assert (over.state, over.resolution) == (State.RESOLVED, Resolution.BACK_TO_NORMAL)
    assert abs(seen.window_end - day(OVER_DAY)) <= timedelta(days=1)
    assert seen.window_value is not None
    assert seen.baseline_value is not None
    assert abs(seen.window_value - seen.baseline_value) > 0.15
    # The plot shows that it went back.
    assert seen.details["series"][-1]["at"] > (seen.window_end + timedelta(days=2)).isoformat()


def test_nobody_is_called_for_what_goes_on(story: Story) -> None:
    """One incident that is as severe as it was: one notice."""
    assert story.notices[0] >= 1
    assert set(story.notices) == {story.notices[0]}


@pytest.mark.usefixtures("story")
def test_again_and_at_once_it_is_told_the_same(store: EmbeddedStore, story: Story) -> None:
    """What is told hangs on the days of a drift, and not on which process looked when, or how often."""
    told = "SELECT * FROM {table:Identifier} FINAL ORDER BY ALL"
    before = [store.rows(told, {"table": table}) for table in ("findings", "finding_events")]
    forget(store, "drift_baselines", "drift_evidence")
    watch(store, day(BEGAN_DAY + 2.1))
    assert before == [store.rows(told, {"table": table}) for table in ("findings", "finding_events")]

    forget(store, "drift_baselines", "drift_evidence", "findings", "finding_events")
    watch(store, day(DAYS))
    assert {feature: one.seen for feature, one in drifts(store).items()} == story.all_over


@pytest.mark.parametrize("resolution", [Resolution.FIXED, Resolution.NEW_NORMAL])
def test_what_somebody_resolves_says_how_it_stood_then(store: EmbeddedStore, resolution: Resolution) -> None:
    """A finding is history once it is resolved: its numbers are not those of a midnight before."""
    forget(store, "drift_baselines", "drift_evidence", "findings", "finding_events")
    watch(store, day(BEGAN_DAY + 2.5))
    book, before = FindingsBook(store), drifts(store)["tool"]
    assert before.seen.window_end == day(BEGAN_DAY + 2)
    book.resolve("default", before.id, resolution, "k", day(BEGAN_DAY + 2.5) + timedelta(minutes=20))

    watch(store, day(BEGAN_DAY + 2.5) + timedelta(hours=1))

    after = book.one("default", before.id)
    assert (after.state, after.resolution, after.severity) == (State.RESOLVED, resolution, before.severity)
    assert (after.seen.window_end, after.seen.seen_at) == (day(BEGAN_DAY + 2.5), day(BEGAN_DAY + 2.5))
    assert after.seen.runs > before.seen.runs
    for stays in ("changed_at", "statistic", "stream", "baseline_end"):
        assert getattr(after.seen, stays) == getattr(before.seen, stays), stays
    watch(store, day(BEGAN_DAY + 4))
    assert book.one("default", before.id) == after


def test_what_was_not_mended_is_found_again_though_something_else_is_the_new_normal(store: EmbeddedStore) -> None:
    """What somebody accepts is one feature; the agent's others are watched on."""
    forget(store, "drift_baselines", "drift_evidence", "findings", "finding_events")
    watch(store, day(BEGAN_DAY + 2.5))
    first, book = drifts(store), FindingsBook(store)
    book.resolve("default", first["tool"].id, Resolution.NEW_NORMAL, "k", day(BEGAN_DAY + 2.5))
    book.resolve("default", first["output_tokens"].id, Resolution.FIXED, "k", day(BEGAN_DAY + 2.5))

    watch(store, day(OVER_DAY))

    again = {one.seen.feature for one in book.unresolved("default") if one.seen.kind is Kind.DRIFT}
    assert "output_tokens" in again
    assert "tool" not in again


def test_what_is_the_new_normal_is_compared_with_its_own_days_at_once(store: EmbeddedStore) -> None:
    """A feature that was accepted is not left alone for a fortnight, and the others keep their weeks."""
    forget(store, "drift_baselines", "drift_evidence", "findings", "finding_events")
    watch(store, day(BEGAN_DAY + 2.5))
    book, first = FindingsBook(store), drifts(store)["tool"]
    for one in drifts(store).values():
        book.resolve("default", one.id, Resolution.NEW_NORMAL, "k", day(BEGAN_DAY + 2.5))

    watch(store, day(BEGAN_DAY + 2.5) + timedelta(hours=1))

    kept = "SELECT FirstHour, EndHour, Renewed FROM drift_baselines FINAL"
    ((began, end, renewed),) = store.rows(kept)
    assert end == first.seen.baseline_end
    hours = {feature: (since, until) for feature, since, until in renewed}
    assert hours["tool"] == (first.seen.changed_to, day(BEGAN_DAY + 2.5))
    assert "status" not in hours

    # To go back to what it was is to leave what is normal now.
    watch(store, day(DAYS))
    again = {one.seen.feature: one.seen for one in book.unresolved("default") if one.seen.kind is Kind.DRIFT}
    assert again["tool"].changed_at is not None
    assert abs(again["tool"].changed_at - day(OVER_DAY)) <= timedelta(hours=12)
    assert again["tool"].baseline_start == first.seen.changed_to
    assert again["tool"].baseline_end is not None
    assert again["tool"].baseline_end <= day(OVER_DAY)
    assert store.rows(kept)[0][:2] == (began, end)


def test_what_takes_an_agent_over_its_budget_is_major(store: EmbeddedStore) -> None:
    """However little it costs more: somebody said how much is too much."""

    def weighed(*budgets: SharedBudget, usd_per_day: float = 0.4) -> Observation:
        seen = observation(
            agent=AGENT.agent, feature="cost", severity=Severity.MINOR, usd_per_day=usd_per_day, seen_at=day(20)
        )
        return BudgetWatch(store, lambda _: budgets).weighed(seen)

    def budget(usd: float, **of: frozenset[str]) -> SharedBudget:
        return SharedBudget(Budget(usd, Period.DAY), **of)

    over = weighed(budget(1000.0), budget(0.5))
    assert over.severity is Severity.MAJOR
    assert over.explanation.endswith("The budget of $0.50 a day is used up.")
    assert over.details["budget"]["usd"] == 0.5
    for not_over in (
        weighed(),
        weighed(budget(1000.0)),
        weighed(budget(0.5), usd_per_day=-0.4),
        weighed(budget(0.5, agents=frozenset({"another"}))),
        weighed(budget(0.5, environments=frozenset({"staging"}))),
    ):
        assert not_over.severity is Severity.MINOR
        assert "budget" not in not_over.details


RUN_COLUMNS: Final = (
    *("Project", "Timestamp", "RunId", "TraceId", "Version", "KeepDays", "Status", "RunName", "Environment", "UserId"),
    *("Tags", "BilledCostUSD"),
)


def test_a_budget_of_a_user_or_a_tag_counts_where_it_would_do_without_the_drift(store: EmbeddedStore) -> None:
    """Of many users one is always over: only what this agent costs more makes its finding worse."""
    # On the last day each run costs two dollars, of which one is the drift's; anna has a run an hour, bert four of
    # another agent, and carla is over whatever the agent costs.
    runs: list[list[Any]] = []
    for hour in range(10):
        for user, name, each, dollars in (
            *(("anna", AGENT.agent, 1, 2.0), ("bert", "another", 4, 2.0), ("bert", AGENT.agent, 1, 0.01)),
            ("carla", AGENT.agent, 10, 2.0),
        ):
            for number in range(each):
                run = f"{user}-{name}-{hour}-{number}"
                tags = [f"team=of {user}", "x=y"]
                at = day(20) + timedelta(hours=hour, minutes=number)
                whose = [name, AGENT.environment, user, tags, dollars]
                runs.append([AGENT.project, at, run, run, 1, 90, "success", *whose])
    store.insert_rows("agent_runs", RUN_COLUMNS, runs)

    def weighed(usd: float, **of: Any) -> Observation:
        # What was counted of the agent says what part of its costs is the drift's: half.
        counted = read_costs(store, AGENT.project, FIRST + 480, FIRST + 490, {AGENT.agent}, {AGENT.environment})
        seen = observation(
            agent=AGENT.agent,
            feature="cost",
            environment=AGENT.environment,
            severity=Severity.MINOR,
            usd_per_day=counted.sum() / 10 * 24 / 2,
            changed_at=day(20),
            seen_at=day(20) + timedelta(hours=10),
        )
        return BudgetWatch(store, lambda _: [SharedBudget(Budget(usd, Period.DAY), **of)]).weighed(seen)

    # Anna used 20 dollars and bert 80; without the drift anna would have used 10.
    anna = weighed(15.0, per="user")
    assert anna.severity is Severity.MAJOR
    assert anna.explanation.endswith(
        "The budget of $15.00 a day of user anna is used up, and would do if this did not cost more."
    )
    assert anna.details["budget"] | {"per": "user", "of": "anna"} == anna.details["budget"]
    tag = weighed(15.0, per="tag:team")
    assert (tag.severity, tag.details["budget"]["of"]) == (Severity.MAJOR, "of anna")
    # Some users may share one budget: without the drift they would have used 110 of it.
    assert weighed(115.0, users=frozenset({"anna", "carla"})).severity is Severity.MAJOR
    for not_over in (
        weighed(500.0, per="user"),
        weighed(9.0, per="user"),
        weighed(15.0, per="tag:x", agents=frozenset({"another"})),
        weighed(15.0, users=frozenset({"bert"})),
        weighed(15.0, per="user", environments=frozenset({"staging"})),
    ):
        assert not_over.severity is Severity.MINOR
        assert "budget" not in not_over.details


def _width(seen: Observation) -> float:
    assert seen.window_low is not None
    assert seen.window_high is not None
    return seen.window_high - seen.window_low


def forget(store: EmbeddedStore, *tables: str) -> None:
    for table in tables:
        store.command("TRUNCATE TABLE {table:Identifier}", {"table": table})
