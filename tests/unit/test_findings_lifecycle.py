"""Whatever happens to findings in whichever order, one thing is found once, and what people said stays said."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from agentvigil.analysis.findings import lifecycle
from agentvigil.analysis.findings.batch import Batch
from agentvigil.analysis.findings.errors import NotInState
from agentvigil.analysis.findings.finding import Finding, Judgement, Mute, What, finding_id_of, stable_key_of
from agentvigil.analysis.findings.lifecycle import Change, Outcome, Placed, place
from agentvigil.analysis.findings.model import Observation, Resolution, Severity, State, SubjectType
from observations import at, observation

NOW = at(12)


def begun(one: Observation, now: datetime = NOW) -> Finding:
    placed = place(one, [], is_muted=False, now=now)
    assert placed.outcome is Outcome.NEW
    assert placed.change is not None
    return placed.change.finding


def after(change: Change | None) -> Finding:
    assert change is not None
    return change.finding


def test_what_is_seen_again_updates_the_finding() -> None:
    first = begun(observation(10, 12, runs=100, severity=Severity.MINOR))

    placed = place(observation(11, 13, runs=150, severity=Severity.CRITICAL), [first], is_muted=False, now=at(13))

    assert placed.outcome is Outcome.UPDATED
    second = after(placed.change)
    assert (second.id, second.found_at, second.version) == (first.id, NOW, 2)
    assert (second.seen.runs, second.severity, second.earliest_change) == (150, Severity.CRITICAL, at(10))
    assert [(event.what, event.value) for event in placed.change.events] == [(What.SEVERITY, "critical")]  # type: ignore[union-attr]


def test_a_severity_does_not_fall_while_nobody_resolved_it() -> None:
    """What was critical for an hour was not nothing."""
    first = begun(observation(severity=Severity.CRITICAL))

    placed = place(observation(seen=13, severity=Severity.MINOR), [first], is_muted=False, now=at(13))

    assert after(placed.change).severity is Severity.CRITICAL
    assert placed.change is not None
    assert placed.change.events == ()


def test_what_began_within_a_resolved_finding_is_that_finding() -> None:
    """Detectors go on seeing what somebody looked after already. What began where its data end is in none of them."""
    first = after(lifecycle.resolved(begun(observation(10, 20)), Resolution.FIXED, "k", at(21)))

    for began in (10, 15, 19):
        placed = place(observation(began, 25), [first], is_muted=False, now=at(25))
        assert (placed.outcome, placed.change, placed.finding) == (Outcome.KNOWN, None, first)
    later = place(observation(20, 25), [first], is_muted=False, now=at(25))
    assert later.outcome is Outcome.NEW
    assert after(later.change).id != first.id


def test_a_single_run_is_found_once() -> None:
    of_run = observation(None, subject_type=SubjectType.RUN, subject="r1")
    first = after(lifecycle.resolved(begun(of_run), Resolution.FALSE_ALARM, "k", NOW))

    again = place(replace(of_run, seen_at=at(30)), [first], is_muted=False, now=at(30))

    assert again.outcome is Outcome.KNOWN


def test_a_muted_key_begins_nothing_and_goes_on_updating() -> None:
    """Numbers are right whenever somebody looks, and nobody is called."""
    assert place(observation(), [], is_muted=True, now=NOW) == Placed(Outcome.MUTED)
    placed = place(observation(seen=13, runs=7), [begun(observation())], is_muted=True, now=at(13))

    assert placed.outcome is Outcome.MUTED
    assert after(placed.change).seen.runs == 7


def test_ids_are_the_same_whoever_asks_and_keys_whenever() -> None:
    """Two processes that find the same write the same row."""
    one, later = observation(10, 12), observation(30, 40, severity=Severity.MINOR, stream="lookup", direction="down")

    assert finding_id_of(one) == finding_id_of(replace(one, seen_at=at(50), explanation="x"))
    assert stable_key_of(one) == stable_key_of(later)
    assert finding_id_of(one) != finding_id_of(later)
    others = ("project", "detector", "environment", "subject", "agent", "feature")
    assert len({stable_key_of(replace(one, **{name: "x"})) for name in others} | {stable_key_of(one)}) == 7


def test_after_48_hours_inside_the_margin_it_is_closed() -> None:
    finding = begun(observation())
    inside = after(lifecycle.quiet(finding, is_inside=True, now=at(20)))

    assert lifecycle.quiet(inside, is_inside=True, now=at(67.9)) is None
    closed = after(lifecycle.quiet(inside, is_inside=True, now=at(68)))
    assert (closed.state, closed.resolution, closed.judgement) == (State.RESOLVED, Resolution.BACK_TO_NORMAL, None)


def test_being_outside_for_an_hour_begins_the_48_hours_anew() -> None:
    inside = after(lifecycle.quiet(begun(observation()), is_inside=True, now=at(20)))
    outside = after(lifecycle.quiet(inside, is_inside=False, now=at(30)))
    seen = place(observation(seen=31), [inside], is_muted=False, now=at(31))

    assert outside.inside_since is None
    assert after(seen.change).inside_since is None


def test_newer_numbers_say_nothing_of_whether_it_is_back() -> None:
    """A drift is looked at once a day, which is not to keep it open."""
    first = begun(observation(10, 12, runs=100, severity=Severity.MINOR))

    second = lifecycle.refreshed(first, observation(10, 36, runs=900, severity=Severity.MAJOR), at(36))

    assert after(second).seen.runs == 900
    assert [(event.what, event.value) for event in second.events] == [(What.SEVERITY, "major")]  # type: ignore[union-attr]
    assert lifecycle.refreshed(after(second), observation(10, 36, runs=1000), at(36)) is None
    inside = after(lifecycle.quiet(after(second), is_inside=True, now=at(40)))
    assert lifecycle.refreshed(inside, observation(10, 60), at(60)) is None
    over = after(lifecycle.resolved(after(second), Resolution.FIXED, "k", at(41)))
    assert lifecycle.refreshed(over, observation(10, 60), at(60)) is None


def test_less_than_before_is_told_and_is_as_severe() -> None:
    first = begun(observation(10, 12, window_value=0.5, severity=Severity.CRITICAL))

    second = lifecycle.refreshed(first, observation(10, 36, window_value=0.3, severity=Severity.MINOR), at(36))

    assert (after(second).seen.window_value, after(second).severity) == (0.3, Severity.CRITICAL)
    assert second is not None
    assert second.events == ()


def test_what_is_closed_has_its_last_numbers_and_its_time() -> None:
    """Which are of a time before it was last looked at: what it covers must not shrink."""
    inside = after(lifecycle.quiet(begun(observation(10, 36)), is_inside=True, now=at(36)))
    closed = lifecycle.quiet(inside, is_inside=True, now=at(84))
    assert lifecycle.is_back(inside, at(84))
    assert not lifecycle.is_back(inside, at(83))
    assert closed is not None

    summed_up = lifecycle.summed_up(closed, observation(10, 30, runs=77, severity=Severity.MINOR))

    assert (summed_up.finding.seen.runs, summed_up.finding.seen.seen_at) == (77, at(36))
    assert (summed_up.finding.severity, summed_up.finding.version) == (Severity.MAJOR, closed.finding.version)
    assert summed_up.events == closed.events


def test_a_single_run_is_closed_by_time_unless_somebody_reopened_it() -> None:
    finding = begun(observation(None, 12, subject_type=SubjectType.RUN, subject="r1"))

    assert lifecycle.quiet(finding, is_inside=False, now=at(59)) is None
    closed = after(lifecycle.quiet(finding, is_inside=False, now=at(60)))
    reopened = after(lifecycle.reopened(closed, [closed], "k", at(61)))
    assert closed.resolution is Resolution.BACK_TO_NORMAL
    assert lifecycle.quiet(reopened, is_inside=False, now=at(1000)) is None


@pytest.mark.parametrize(
    ("resolution", "judgement"),
    [
        (Resolution.FIXED, Judgement.REAL),
        (Resolution.NEW_NORMAL, Judgement.REAL),
        (Resolution.FALSE_ALARM, Judgement.FALSE_ALARM),
        (Resolution.BACK_TO_NORMAL, None),
    ],
)
def test_a_resolution_judges_the_detector(resolution: Resolution, judgement: Judgement | None) -> None:
    """But chance goes back to normal too."""
    assert after(lifecycle.resolved(begun(observation()), resolution, "k", NOW)).judgement is judgement


def test_what_closed_by_itself_may_still_be_judged() -> None:
    closed = after(lifecycle.resolved(begun(observation()), Resolution.BACK_TO_NORMAL, "", NOW))
    judged = after(lifecycle.resolved(closed, Resolution.FALSE_ALARM, "k", at(30)))

    assert (judged.judgement, judged.resolved_at) == (Judgement.FALSE_ALARM, NOW)
    assert lifecycle.resolved(judged, Resolution.FALSE_ALARM, "k", at(31)) is None


def test_what_a_person_says_outweighs_what_a_detector_writes_meanwhile() -> None:
    """Both read the same version; the engine keeps the row with the greater one."""
    finding = begun(observation())
    said = after(lifecycle.acknowledged(finding, "k", NOW))
    seen = after(place(observation(seen=13), [finding], is_muted=False, now=at(13)).change)

    assert said.version > seen.version


def test_what_can_not_be_is_refused() -> None:
    first = after(lifecycle.resolved(begun(observation()), Resolution.FIXED, "k", NOW))
    second = begun(observation(40, 50))

    with pytest.raises(NotInState, match="reopen it first"):
        lifecycle.acknowledged(first, "k", NOW)
    with pytest.raises(NotInState, match=second.id):
        lifecycle.reopened(first, [first, second], "k", NOW)
    assert lifecycle.reopened(second, [first, second], "k", NOW) is None


class Findings(RuleBasedStateMachine):
    """Two agents of which a detector says things, in order and again, while people and time do the rest."""

    def __init__(self) -> None:
        super().__init__()
        self.findings: dict[str, Finding] = {}
        self.muted: set[tuple[str, str]] = set()
        self.said: list[Observation] = []
        self.hour = 100.0
        self.resolutions = 0

    def take(self, one: Observation) -> Outcome:
        batch = Batch(self.findings.values(), self.muted, [], lambda _: [], at(self.hour))
        outcome = batch.take(one).outcome
        self.findings |= {change.finding.id: change.finding for change in batch.changes}
        return outcome

    def keep(self, change: Change | None) -> None:
        if change is not None:
            self.findings[change.finding.id] = change.finding

    @rule(agent=st.sampled_from("ab"), ago=st.floats(0.5, 60), severity=st.sampled_from(Severity))
    def a_detector_sees_something(self, agent: str, ago: float, severity: Severity) -> None:
        self.hour += 1
        one = observation(self.hour - ago, self.hour, agent=agent, subject=agent, severity=severity)
        # What changed nothing then may change something later: a finding that was resolved may be open again.
        if self.take(one) in (Outcome.NEW, Outcome.UPDATED):
            self.said.append(one)

    @precondition(lambda self: self.said)
    @rule(data=st.data())
    def a_detector_says_it_again(self, data: st.DataObject) -> None:
        one = data.draw(st.sampled_from(self.said))
        before = dict(self.findings)
        assert self.take(one) is Outcome.KNOWN
        assert self.findings == before

    @precondition(lambda self: self.findings)
    @rule(data=st.data(), act=st.sampled_from(["acknowledge", "resolve", "reopen", "mute", "unmute"]))
    def somebody_acts(self, data: st.DataObject, act: str) -> None:
        finding = data.draw(st.sampled_from(list(self.findings.values())))
        key = (finding.seen.project, finding.stable_key)
        acts: dict[str, Callable[[], Change | None]] = {
            "acknowledge": lambda: lifecycle.acknowledged(finding, "k", at(self.hour)),
            "resolve": lambda: lifecycle.resolved(finding, data.draw(st.sampled_from(Resolution)), "k", at(self.hour)),
            "reopen": lambda: lifecycle.reopened(finding, self.of_key(finding.stable_key), "k", at(self.hour)),
            "mute": lambda: lifecycle.told_of_mute(finding, None, "k", at(self.hour)),
            "unmute": lambda: lifecycle.told_of_unmute(finding, "k", at(self.hour)),
        }
        try:
            self.keep(acts[act]())
        except NotInState:
            return
        if act == "mute":
            self.muted.add(key)
        elif act == "unmute":
            self.muted.discard(key)

    @rule(hours=st.integers(1, 30), inside=st.booleans())
    def time_passes(self, hours: int, inside: bool) -> None:
        self.hour += hours
        for finding in [one for one in self.findings.values() if not one.is_resolved]:
            self.keep(lifecycle.quiet(finding, is_inside=inside, now=at(self.hour)))

    def of_key(self, key: str) -> list[Finding]:
        return [one for one in self.findings.values() if one.stable_key == key]

    @invariant()
    def a_key_has_at_most_one_unresolved_finding(self) -> None:
        unresolved = [one.stable_key for one in self.findings.values() if not one.is_resolved]
        assert len(unresolved) == len(set(unresolved))

    @invariant()
    def findings_say_what_fits_together(self) -> None:
        for finding_id, finding in self.findings.items():
            assert finding.id == finding_id
            assert finding.is_resolved == (finding.resolution is not None) == (finding.resolved_at is not None)
            assert finding.incident_id
            assert finding.stable_key == stable_key_of(finding.seen)


TestFindings = Findings.TestCase
TestFindings.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)


def test_a_mute_that_has_ended_hides_nothing() -> None:
    mute = Mute("default", "k", NOW)

    assert mute.holds(NOW - timedelta(seconds=1))
    assert not mute.holds(NOW)
    assert Mute("default", "k", None).holds(at(10**5))
