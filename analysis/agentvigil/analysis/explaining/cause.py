"""The root cause of a run that failed, or of what failed in it: one step, and one sentence about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from agentvigil.analysis.explaining.deeds import Kind, around_mended_failures, kind_of, name_of, outermost_sighting
from agentvigil.analysis.explaining.facts import RunFacts, StepFacts
from agentvigil.analysis.explaining.labels import quoted, shown
from agentvigil.analysis.explaining.wording import counted, failure_predicate
from agentvigil.semconv import failures
from agentvigil.semconv.enums import FailureType

_SUBJECTS: Final = {
    Kind.AGENT: ("Agent {}", "An agent"),
    Kind.TOOL: ("Tool {}", "A tool"),
    Kind.SEARCH: ("The search of {}", "A search"),
    Kind.MEMORY: ("", "A search of the memory"),
    Kind.EMBEDDINGS: ("The embedding with {}", "An embedding"),
    Kind.RERANK: ("The reranking with {}", "A reranking"),
    Kind.MODEL: ("Model {}", "A model"),
    Kind.STEP: ("Step {}", "A step"),
}
"""How a sentence about a step begins, with a name and without."""


@dataclass(frozen=True, slots=True)
class RootCause:
    """What made a run fail or be partial; or, where a retry mended everything, the first failure that it mended."""

    span_id: str
    ordinal: int | None
    """Place of the step in the run; None for the run itself, and for a step that was not given."""
    name: str
    """On one line and cut, but in no quotation marks."""
    step_type: str
    failure_type: str
    failure_code: str
    meaning: str
    """What the code means, of ``failures.toml``; empty for a code that somebody made up."""
    attempts: int
    """How often it was tried, the try that succeeded included."""
    path: tuple[str, ...]
    """Names from the run down to the step."""
    victims: tuple[int, ...]
    """Ordinals of the steps around it that failed because of it, the outermost first."""
    is_soft: bool
    is_recovered: bool
    summary: str
    """One sentence."""


def root_cause_of(run: RunFacts, steps: Sequence[StepFacts]) -> RootCause | None:
    """Return what went wrong in ``run``, or None where nothing did. ``steps`` are its first ones by ordinal."""
    by_span = {step.span_id: step for step in steps}
    step = by_span.get(run.root_cause_span_id) if run.root_cause_span_id else _first_mended(steps, by_span)
    if step is not None:
        return _of_step(run, steps, step, _around(step, by_span))
    return _of_run(run) if run.root_cause_code else None


def _of_step(run: RunFacts, steps: Sequence[StepFacts], step: StepFacts, around: Sequence[StepFacts]) -> RootCause:
    tries = _tries(steps, outermost_sighting(step, {one.span_id: one for one in steps}))
    names = [run.run_name, *(outer.step_name for outer in around), name_of(step) or step.step_name]
    return RootCause(
        span_id=step.span_id,
        ordinal=step.ordinal,
        name=shown(names[-1]),
        step_type=step.step_type,
        failure_type=step.failure_type,
        failure_code=step.failure_code,
        meaning=_meaning(step.failure_code),
        attempts=max(len(tries), tries[-1].attempt),
        path=tuple(map(shown, names)),
        victims=tuple(outer.ordinal for outer in around if outer.is_failed and not outer.is_soft_failure),
        is_soft=step.is_soft_failure,
        is_recovered=step.is_recovered,
        summary=_summary(run, steps, step, around, tries),
    )


def _of_run(run: RunFacts) -> RootCause:
    """The run failed by itself, or by a step that is not among those given."""
    is_run_itself = run.root_cause_span_id in ("", run.top_span_id)
    predicate = failure_predicate(run.root_cause_code)
    if is_run_itself:
        name = shown(run.run_name)
        after = f" after {counted(run.steps, 'step')}" if run.steps else ""
        of_whom = f" of {quoted(run.run_name)}" if quoted(run.run_name) else ""
        summary = f"The run{of_whom} {predicate}{after}; no step inside it is to blame."
    else:
        name = ""
        a = "An orchestration" if run.root_cause_type == FailureType.ORCHESTRATION else f"A {run.root_cause_type}"
        summary = f"{a} step {predicate}; it is not among the steps that were looked at."
    return RootCause(
        span_id=run.root_cause_span_id,
        ordinal=None,
        name=name,
        step_type="other" if is_run_itself else "",
        failure_type=run.root_cause_type,
        failure_code=run.root_cause_code,
        meaning=_meaning(run.root_cause_code),
        attempts=1,
        path=(shown(run.run_name),),
        victims=(),
        is_soft=False,
        is_recovered=False,
        summary=summary,
    )


def _first_mended(steps: Sequence[StepFacts], by_span: Mapping[str, StepFacts]) -> StepFacts | None:
    around = around_mended_failures(steps)
    mended = [
        step
        for step in by_span.values()
        if step.is_failed and step.is_recovered and not step.is_second_sighting and step.span_id not in around
    ]
    return min(mended, key=lambda step: step.ordinal, default=None)


def _around(step: StepFacts, by_span: Mapping[str, StepFacts]) -> list[StepFacts]:
    """Return the steps around ``step``, the outermost first."""
    found = {step.span_id: step}
    while (outer := by_span.get(step.parent_step_id)) is not None and outer.span_id not in found:
        found[outer.span_id] = step = outer
    return list(found.values())[:0:-1]


def _tries(steps: Sequence[StepFacts], step: StepFacts) -> list[StepFacts]:
    """Return ``step`` and what was tried before and after it to do the same thing, in order."""

    def thing(of: StepFacts) -> tuple[str, str, str]:
        return of.parent_step_id, of.operation, name_of(of)

    same = sorted((other for other in steps if thing(other) == thing(step)), key=lambda other: other.ordinal)
    first = last = same.index(step)
    while first > 0 and same[first - 1].attempt == same[first].attempt - 1:
        first -= 1
    while last + 1 < len(same) and same[last + 1].attempt == same[last].attempt + 1:
        last += 1
    return same[first : last + 1]


def _summary(
    run: RunFacts,
    steps: Sequence[StepFacts],
    step: StepFacts,
    around: Sequence[StepFacts],
    tries: Sequence[StepFacts],
) -> str:
    named, nameless = _SUBJECTS[kind_of(step)]
    name = quoted(name_of(step))
    subject = named.format(name) if name and named else nameless
    agent = next((quoted(outer.step_name) for outer in reversed(around) if kind_of(outer) is Kind.AGENT), "")
    inside = f", inside agent {agent}" if agent else ""
    place = f"(step {step.ordinal:,} of {run.steps:,}{inside})"
    return (
        f"{subject} {failure_predicate(step.failure_code)}{_in_attempts(step, tries)} {place}; "
        f"{_what_followed(run, steps, step, tries)}."
    )


def _in_attempts(step: StepFacts, tries: Sequence[StepFacts]) -> str:
    failed = sum(one.is_failed for one in tries)
    is_always_the_same = len({one.failure_code for one in tries if one.is_failed}) == 1
    if step.is_recovered and not is_always_the_same:
        return " in its first attempt"
    if step.is_recovered:
        return " in its first attempt" if failed == 1 else f" in its first {failed:,} attempts"
    made = max(len(tries), tries[-1].attempt)
    if made == 1 or failed < len(tries):
        return ""
    if not is_always_the_same:
        return f" in the last of {made:,} attempts" if step is tries[-1] else ""
    return " in both attempts" if made == 2 else f" in all {made:,} attempts"


def _what_followed(run: RunFacts, steps: Sequence[StepFacts], step: StepFacts, tries: Sequence[StepFacts]) -> str:
    if step.is_recovered:
        mended = tries[-1]
        return "a retry around it succeeded" if mended.is_failed else f"attempt {mended.attempt:,} succeeded"
    if run.status == "open":
        return "the run is still going on"
    if run.status != "failure":
        if step.is_soft_failure and not any(_is_success_after(other, step) for other in steps):
            return "the run ended with what came back"
        return "the run ended well all the same"
    if len(steps) < run.steps:
        return "the run failed"
    if all(other.ordinal <= step.ordinal for other in steps):
        return "it was the last step"
    if any(_is_success_after(other, step) for other in steps):
        return "later steps succeeded, but the run ended in an error"
    return "nothing after it succeeded"


def _is_success_after(other: StepFacts, step: StepFacts) -> bool:
    return not other.is_failed and other.start_ns >= step.end_ns and kind_of(other) not in (Kind.AGENT, Kind.STEP)


def _meaning(code: str) -> str:
    return next((rule.meaning for rule in failures.load().rules if rule.code == code), "")
