"""Runs that are far from what their agent usually does are found, once, and said in words that can be checked."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from anomaly_runs import (
    AFTER,
    LOOKUP,
    SEARCH,
    SETTLED,
    THOUGHT,
    TODAY,
    USUAL,
    Made,
    Ran,
    ran,
    usual_past,
    write,
    write_again,
)

from agentvigil.analysis.anomalies import AnomalyJob
from agentvigil.analysis.anomalies.baseline_book import BaselineBook
from agentvigil.analysis.anomalies.baselines import ANY_STEPS, Cell, step_bucket
from agentvigil.analysis.anomalies.spread import Spread
from agentvigil.analysis.features.cells import Subject
from agentvigil.analysis.findings.model import Kind, Observation, Severity, SubjectType
from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.errors import StorageError
from migrated_stores import MigratedStores

SUPPORT = Subject("default", "production", "support")
SLOW = replace(SEARCH, seconds=95)
DEAR = replace(THOUGHT, usd=0.2, tokens=40_000)


class Told:
    """What a job told, in the order in which it did."""

    def __init__(self) -> None:
        self.observations: list[Observation] = []

    def __call__(self, observations: Sequence[Observation]) -> None:
        self.observations += observations

    @property
    def findings(self) -> dict[tuple[str, str], Observation]:
        """The newest observation of each finding, by run and kind."""
        return {(one.subject, one.detector): one for one in self.observations}


def look(store: EmbeddedStore, told: Told, holder: str = "one", hours: float = 0, **options: int) -> AnomalyJob:
    """Look at all that was settled, as a process that begins and ends."""
    now = AFTER + timedelta(hours=hours)
    job = AnomalyJob(store, holder, told, **options)
    while job.step(now):
        pass
    job.stop(now)
    return job


PAST = usual_past(600)
READ = [Made(tool="read_file", seconds=0.01)] * 30
DELETE = Made(tool="delete_user", seconds=0.1)


def dear(run: Ran) -> Ran:
    return replace(run, made=tuple(replace(step, usd=step.usd * 20, tokens=step.tokens * 20) for step in run.made))


DAY: dict[str, list[Ran]] = {
    "usual": [replace(run, at=TODAY + timedelta(minutes=number)) for number, run in enumerate(usual_past(200, seed=2))],
    "slow": [ran(1, THOUGHT, LOOKUP, SLOW, THOUGHT), ran(2)],
    "dear": [ran(3, THOUGHT, LOOKUP, SEARCH, DEAR)],
    "pricey": [ran(4, THOUGHT, LOOKUP, SEARCH, replace(THOUGHT, usd=0.2))],
    "looping": [ran(5, THOUGHT, LOOKUP, *[replace(SEARCH, seconds=0.1)] * 20, THOUGHT)],
    "reading": [ran(6, *USUAL, *READ, READ[0])],
    "restless": [ran(7, THOUGHT, *[replace(SEARCH, seconds=0.05), replace(LOOKUP, seconds=0.05)] * 20, THOUGHT)],
    "forgetful": [ran(8, THOUGHT, SEARCH, THOUGHT)],
    "deleting": [ran(9, *USUAL, DELETE), ran(10, *USUAL, DELETE, version="2.0"), ran(11, THOUGHT, status="failure")],
    "two classes": [dear(ran(12)), dear(ran(13, input_class="research"))],
    "new": [ran(14, THOUGHT, LOOKUP, SLOW, THOUGHT)],
    "endless": [ran(100 + number, session="endless", at=TODAY + timedelta(minutes=number)) for number in range(1, 61)],
}
"""What each agent does on the day, after a past like that of all others if nothing else is said."""

PASTS: dict[str, list[Ran]] = {
    # Thirty files in each tenth run.
    "reading": [replace(run, made=(*run.made, *READ)) if run.number % 10 == 0 else run for run in PAST],
    "two classes": [*PAST[:300], *(dear(replace(run, input_class="research")) for run in PAST[300:])],
    "new": PAST[-49:],
}


@pytest.fixture(scope="module")
def day(migrated_stores: MigratedStores) -> Iterator[dict[str, list[Observation]]]:
    """What is told of a day, by agents."""
    with migrated_stores.taken() as store:
        write(store, *(replace(run, session=f"c{run.number // 3}") for run in PAST))
        for number, agent in enumerate(sorted(DAY.keys() - PASTS.keys()), start=1):
            write_again(store, agent, f"{number:x}")
        past = [(agent, run) for agent, runs in PASTS.items() for run in runs]
        write(store, *(replace(run, agent=agent, number=2**64 + n) for n, (agent, run) in enumerate(past)))
        write(store, *(replace(run, agent=agent, settled=SETTLED) for agent, runs in DAY.items() for run in runs))
        told = Told()
        look(store, told)
        yield {agent: [one for one in told.observations if one.agent == agent] for agent in DAY}


@pytest.mark.long
def test_usual_runs_are_not_told(day: dict[str, list[Observation]]) -> None:
    assert day["usual"] == []


def test_a_slow_run_is_told_with_its_step(day: dict[str, list[Observation]]) -> None:
    (told,) = day["slow"]

    assert (told.kind, told.detector, told.subject_type) == (Kind.ANOMALY, "latency_spike", SubjectType.RUN)
    assert (told.subject, told.environment) == (ran(1).run_id, "production")
    assert (told.feature, told.unit, told.severity) == ("duration", "s", Severity.MAJOR)
    assert told.window_value == pytest.approx(97.3)
    assert told.baseline_value == pytest.approx(2.8, rel=0.1)
    assert (told.statistic or 0) > (told.threshold or 0) >= 4.5
    assert (told.baseline_end, told.window_start) == (TODAY, ran(1).at)
    assert told.details["step"]["ordinal"] == 3
    assert "Step 3, tool search, took 1 min 35 s; usually 5" in told.explanation
    assert told.explanation.startswith("A run of slow took 1 min 37 s, usually 2.")
    assert "runs of about 4 steps in 28 days" in told.explanation
    assert told.example_runs == (ran(1).run_id,)
    assert len(set(told.typical_runs) - {ran(2).run_id}) == 3


def test_a_dear_run_is_one_finding(day: dict[str, list[Observation]]) -> None:
    """Its tokens are the cause, so the cost is told with them."""
    (told,) = day["dear"]

    assert told.detector == "token_spike"
    assert [one["kind"] for one in told.details["also"]] == ["cost_spike"]
    assert "Step 4, model gpt-4o, used 40,000 tokens; usually" in told.explanation
    assert "It also cost $0.20, usually $0.0" in told.explanation


def test_only_the_price_may_be_unusual(day: dict[str, list[Observation]]) -> None:
    (told,) = day["pricey"]

    assert (told.detector, told.feature, told.unit) == ("cost_spike", "cost", "USD")
    assert "Step 4, model gpt-4o, cost $0.20; usually $0.0" in told.explanation


def test_a_loop_is_told_with_its_steps(day: dict[str, list[Observation]]) -> None:
    (told,) = day["looping"]

    assert told.detector == "loop"
    assert (told.window_value, told.baseline_value, told.stream) == (20, 3, "search")
    assert (
        "called the tool search 20 times in a row, in steps 3 to 22; usual runs call it so at most" in told.explanation
    )


def test_what_an_agent_often_does_is_no_loop(day: dict[str, list[Observation]]) -> None:
    """An agent that reads thirty files in each tenth run does nothing new with one more."""
    assert day["reading"] == []


def test_a_run_away_is_told_with_what_it_repeats(day: dict[str, list[Observation]]) -> None:
    (told,) = day["restless"]

    assert (told.detector, told.window_value) == ("run_away", 42)
    assert told.details["step"]["steps"] == 20
    assert told.explanation.startswith("A run of restless made 42 steps, usually")


def test_a_tool_that_is_always_called_is_missed(day: dict[str, list[Observation]]) -> None:
    (told,) = day["forgetful"]

    assert (told.detector, told.stream, told.direction) == ("tool_change", "lookup", "down")
    assert "did not call the tool lookup, which 600 of 600 such runs" in told.explanation


def test_a_tool_that_is_never_called_is_noticed(day: dict[str, list[Observation]]) -> None:
    """But a new version may have new tools, and a run that failed may not have come to its own."""
    (told,) = day["deleting"]

    assert (told.subject, told.detector) == (ran(9).run_id, "tool_change")
    assert "called the tool delete_user, which 0 of 600 such runs did in 28 days. That is step 5." in told.explanation


def test_runs_are_compared_with_their_like(day: dict[str, list[Observation]]) -> None:
    """What is usual of a class of input that is dear is unusual of another."""
    assert [one.subject for one in day["two classes"]] == [ran(12).run_id]


def test_too_few_runs_say_nothing(day: dict[str, list[Observation]]) -> None:
    assert day["new"] == []


def test_a_conversation_that_does_not_end_is_told(day: dict[str, list[Observation]]) -> None:
    (told,) = day["endless"]

    assert (told.detector, told.subject, told.window_value) == ("session_runs", ran(101).run_id, 60)
    assert told.details["session"] == "endless"
    assert [one["kind"] for one in told.details["also"]] == ["session_cost"]
    assert told.explanation.startswith("A conversation with endless has 60 runs, usually 3 runs (20 times as much;")


def test_the_largest_of_a_day_are_told_and_the_others_counted(store: EmbeddedStore) -> None:
    write(store, *PAST[-200:])
    slow = [ran(number, THOUGHT, LOOKUP, replace(SEARCH, seconds=50 + number)) for number in range(1, 16)]
    told = Told()
    write(store, *slow[:5])
    look(store, told, most_a_day=2)
    assert [one.subject for one in told.observations] == [slow[4].run_id, slow[3].run_id]
    assert "at least" not in told.observations[0].explanation
    assert "1 more of" in told.observations[0].explanation
    assert told.observations[1].details["not_told_that_day"] == 0

    write(store, *(replace(run, settled=AFTER) for run in slow[5:]))
    look(store, told, hours=1, most_a_day=2)

    assert [one.subject for one in told.observations[2:]] == [slow[4].run_id]
    assert "2 such findings are told of an agent and day; at least 10 more of" in told.observations[2].explanation
    rows = store.rows("SELECT countIf(IsTold), countIf(NOT IsTold) FROM run_anomalies FINAL")
    assert rows == [(2, 13)]


def test_a_run_that_is_settled_again_replaces_what_was_said(store: EmbeddedStore) -> None:
    write(store, *PAST[-200:])
    told = Told()
    write(store, ran(1, THOUGHT, LOOKUP, SLOW, THOUGHT))
    look(store, told)
    # A late step: the run now has a loop too, and stays the finding that it is.
    write(store, ran(1, THOUGHT, LOOKUP, *[SLOW] * 12, THOUGHT, settled=AFTER, row_version=2))
    look(store, told, hours=1)

    (finding,) = told.findings.values()
    assert finding.detector == "latency_spike"
    assert finding.window_value == pytest.approx(12 * 95 + 2.3)
    assert {one["kind"] for one in finding.details["also"]} >= {"loop"}
    assert store.rows("SELECT count(), any(Kind) FROM run_anomalies FINAL") == [(1, "latency_spike")]


def test_a_job_that_dies_loses_and_doubles_nothing(store: EmbeddedStore) -> None:
    """It may die before it wrote down what it told: the next one tells the same."""
    write(store, *PAST[-200:])
    write(store, *(ran(number, THOUGHT, LOOKUP, replace(SLOW, seconds=90 + number), THOUGHT) for number in range(9)))
    told, again = Told(), Told()

    def dies(observations: Sequence[Observation]) -> None:
        told(observations)
        raise StorageError("the store is away")

    with pytest.raises(StorageError):
        AnomalyJob(store, "one", dies).step(AFTER)
    look(store, again, "one")
    assert told.findings == again.findings
    assert len(again.findings) == 3

    look(store, again, "one", hours=1)
    assert len(again.observations) == 3


def test_one_of_two_processes_works(store: EmbeddedStore) -> None:
    write(store, *PAST[-200:], ran(1, THOUGHT, LOOKUP, SLOW, THOUGHT))
    first, second = Told(), Told()
    one, other = AnomalyJob(store, "one", first), AnomalyJob(store, "other", second)

    one.step(AFTER)
    other.step(AFTER)
    assert (len(first.observations), second.observations) == (1, [])
    one.stop(AFTER)
    write(store, ran(2, THOUGHT, LOOKUP, SLOW, THOUGHT, settled=AFTER))
    other.step(AFTER + timedelta(minutes=10))

    assert [run.subject for run in second.observations] == [ran(2).run_id]


def test_a_window_is_looked_over_by_hand(store: EmbeddedStore) -> None:
    """Also what was settled long ago, or is of days that nobody looked at."""
    write(store, *PAST[-200:], *(ran(n, THOUGHT, LOOKUP, SLOW, settled=TODAY - timedelta(9)) for n in (1, 2)))
    told = Told()

    runs = AnomalyJob(store, "one", told).look_over(TODAY, TODAY + timedelta(1), AFTER)

    assert (runs, len(told.findings)) == (2, 2)


def test_the_store_computes_what_the_arrays_say(store: EmbeddedStore) -> None:
    """What detectors were measured with is what runs."""
    past = PAST[-300:]
    write(store, *past, ran(1, DEAR, status="open", at=TODAY - timedelta(1)))

    baseline = BaselineBook(store).of([SUPPORT], TODAY.date(), AFTER)[SUPPORT]

    for steps in (4, 5, 6):
        its = [run for run in past if step_bucket(len(run.made)) == step_bucket(steps)]
        spread = Spread.of([int(run.seconds * 1e9) / 1e9 for run in its])
        stored = baseline.spreads[Cell("duration", None, step_bucket(steps))]
        assert stored.runs == spread.runs
        assert np.allclose(
            (stored.median, stored.mad, stored.q95, stored.q975), (spread.median, spread.mad, spread.q95, spread.q975)
        )
    assert baseline.spreads[Cell("steps", "", ANY_STEPS)].typical == pytest.approx(5, rel=0.2)
    assert [(tuple(one.tools), one.runs) for one in baseline.tool_sets] == [(("lookup", "search"), 300)]
    assert baseline.streaks.runs == 300
