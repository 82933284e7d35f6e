"""What happened once is told once: findings of one time come together, by agent or by model."""

from collections.abc import Collection
from dataclasses import replace
from functools import partial
from itertools import permutations
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agentvigil.analysis.findings.batch import Batch
from agentvigil.analysis.findings.finding import Finding, What
from agentvigil.analysis.findings.incidents import Member, lead
from agentvigil.analysis.findings.model import Observation, Severity, SubjectType
from observations import at, observation


def of_agent(agent: str, began: float, feature: str = "tool", **said: Any) -> Observation:
    return observation(began, began + 5, agent=agent, subject=agent, feature=feature, **said)


def incidents(*observations: Observation, together: bool = False) -> dict[tuple[str, str, str], str]:
    """The incident of each, by agent or subject, feature and environment, taken in one by one in this order."""
    findings = found(*observations, together=together)
    return {
        (one.seen.agent or one.seen.subject, one.seen.feature, one.seen.environment): one.incident_id
        for one in findings
    }


def found(*observations: Observation, together: bool = False) -> list[Finding]:
    kept: dict[str, Finding] = {}
    batches = [observations] if together else [(one,) for one in observations]
    for hour, batch_of in enumerate(batches):
        members = [replace(Member.of(one), incident_id=one.incident_id) for one in kept.values()]
        batch = Batch([], set(), members, partial(_of, kept), at(100 + hour))
        for one in batch_of:
            batch.take(one)
        kept |= {change.finding.id: change.finding for change in batch.changes}
    return list(kept.values())


def _of(kept: dict[str, Finding], ids: Collection[str]) -> list[Finding]:
    return [kept[one] for one in ids]


def test_what_an_agent_does_at_one_time_is_one_incident() -> None:
    told = incidents(of_agent("a", 10), of_agent("a", 14, "cost"), of_agent("a", 40, "steps"), of_agent("b", 10))

    assert told["a", "tool", "production"] == told["a", "cost", "production"]
    assert len(set(told.values())) == 3


def test_environments_are_apart() -> None:
    assert len(set(incidents(of_agent("a", 10), of_agent("a", 10, environment="staging")).values())) == 2


def test_intervals_count_and_not_only_the_likeliest_hours() -> None:
    wide = of_agent("a", 30, "cost", changed_from=at(12), changed_to=at(32))

    assert len(set(incidents(of_agent("a", 10), wide).values())) == 1


def test_an_incident_has_the_id_of_the_finding_that_began_it() -> None:
    first, second = found(of_agent("a", 10), of_agent("a", 10, "cost"))

    assert first.incident_id == second.incident_id == first.id


def test_three_agents_with_one_model_are_one_incident() -> None:
    """Whoever runs a hundred agents is not called a hundred times for one model."""
    model = {"details": {"models": ["gpt-4.1"]}}
    two = incidents(of_agent("a", 10, **model), of_agent("b", 10, **model))
    three = incidents(
        of_agent("a", 10, **model),
        of_agent("b", 11, **model),
        of_agent("b", 10, "cost"),
        of_agent("c", 10, **model),
        of_agent("d", 12, **model),
        of_agent("e", 10, details={"models": ["claude"]}),
    )

    assert len(set(two.values())) == 2
    together = {three[agent, "tool", "production"] for agent in "abcd"}
    assert len(together) == 1
    assert three["e", "tool", "production"] not in together
    assert three["b", "cost", "production"] not in together


def test_a_model_that_moved_itself_takes_its_agents_with_it() -> None:
    of_model = observation(10, 15, subject_type=SubjectType.MODEL, subject="gpt-4.1", agent="", environment="")
    agent = of_agent("a", 12, details={"models": ["gpt-4.1"]})

    for order in permutations((of_model, agent)):
        findings = found(*order)
        assert len({one.incident_id for one in findings}) == 1
        assert lead(findings).seen.subject == "gpt-4.1"


def test_going_to_the_incident_of_a_model_is_told() -> None:
    """A link to the old one leads to findings that say where they went."""
    model = {"details": {"models": ["gpt-4.1"]}}
    batch = Batch([], set(), [], lambda _: [], at(100))
    for agent in "abc":
        batch.take(of_agent(agent, 10, **model))

    steps = {change.finding.seen.agent: [event.what for event in change.events] for change in batch.changes}
    assert steps == {"a": [What.FOUND, What.INCIDENT], "b": [What.FOUND, What.INCIDENT], "c": [What.FOUND]}


_OBSERVATIONS = st.lists(
    st.builds(
        of_agent,
        st.sampled_from("abcd"),
        st.integers(0, 40),
        st.sampled_from(["tool", "cost", "steps"]),
        details=st.sampled_from([{}, {"models": ["m"]}, {"models": ["m", "n"]}]),
    ),
    unique_by=lambda one: (one.agent, one.feature),
    max_size=8,
)


@given(observations=_OBSERVATIONS)
def test_one_by_one_is_as_together(observations: list[Observation]) -> None:
    """A detector that was away for a day says all at once what it would have said by the hour."""
    together, apart = (incidents(*observations, together=whether) for whether in (True, False))

    def groups(told: dict[Any, str]) -> set[frozenset[Any]]:
        return {frozenset(one for one in told if told[one] == incident) for incident in told.values()}

    assert groups(together) == groups(apart)


def test_the_worst_leads() -> None:
    minor, critical = found(
        of_agent("a", 10, severity=Severity.MINOR), of_agent("a", 11, "cost", severity=Severity.CRITICAL)
    )

    assert lead([minor, critical]) is critical
