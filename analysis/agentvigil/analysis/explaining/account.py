"""The account of a run: one sentence on what happened, from structure alone.

``Searched kb (3 results), called refund three times (timeout ×3), gave up; 2 models, $0.012, 41 s.``
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from agentvigil.analysis.explaining.deeds import Deed, Kind, deeds_of, kind_of, walk
from agentvigil.analysis.explaining.facts import RunFacts, StepFacts
from agentvigil.analysis.explaining.labels import quoted
from agentvigil.analysis.explaining.telling import Told, in_order, subject_of, summed_up
from agentvigil.analysis.explaining.wording import cost, counted, duration, failure_predicate
from agentvigil.semconv.enums import FailureCode, FailureType, StepType

MAX_CHARACTERS: Final = 400
"""How long an account is at most."""

_MOST_NAMES: Final = 6
"""How many names a summary has at most."""

_SOMETHING: Final[Mapping[str, str]] = {
    FailureType.TOOL: "a tool",
    FailureType.MODEL: "a model",
    FailureType.RETRIEVAL: "a search",
    FailureType.ORCHESTRATION: "a step",
}

_ANSWER_SPOILED: Final[Mapping[str, str]] = {
    FailureCode.TRUNCATED: "answered, cut off at the limit of output tokens",
    FailureCode.CONTENT_FILTERED: "had its answer stopped by a content filter",
}


def account_of(run: RunFacts, steps: Sequence[StepFacts], *, steps_total: int) -> str:
    """Return what happened in ``run`` as one line of at most :data:`MAX_CHARACTERS` characters.

    ``steps`` are its first ones by ordinal, and ``steps_total`` is how many it has. Nothing that a person or a model
    wrote is told: names, codes, counts, times and costs are all it is made of.
    """
    deeds = deeds_of(steps)
    is_whole = len(steps) >= steps_total
    ending = _ending(run, steps, deeds, is_whole=is_whole)
    prefix = "" if is_whole or not deeds else f"first {len(steps):,} of {steps_total:,} steps: "
    text = ""
    for told in _ways_to_tell(deeds, steps_total):
        joint = "; " if told.ends_inside else ", "
        text = f"{prefix}{told.text}{joint}{ending}; {_totals(run, told.text)}."
        if len(text) <= MAX_CHARACTERS:
            break
    return text[0].upper() + text[1:]


def _ways_to_tell(deeds: Sequence[Deed], steps_total: int) -> Iterator[Told]:
    """Yield longer ways first. The last names nothing, so it always fits."""
    if not deeds:
        yield Told("no steps of its own" if steps_total else "no steps recorded")
        return
    if (told := in_order(deeds)) is not None:
        yield told
    for names in range(_MOST_NAMES, -1, -1):
        yield Told(summed_up(deeds, names))


def _ending(run: RunFacts, steps: Sequence[StepFacts], deeds: Sequence[Deed], *, is_whole: bool) -> str:
    if run.status == "open":
        return "still running"
    answer = _answer(steps) if is_whole else None
    finished = "answered" if answer else "finished"
    if run.status not in ("failure", "partial"):
        return finished
    is_told = any(run.root_cause_span_id in deed.span_ids for deed in walk(deeds))
    cause = next((step for step in steps if step.span_id == run.root_cause_span_id), None)
    because = f"{_subject(run, cause)} {failure_predicate(run.root_cause_code)}"
    if run.status == "partial":
        if answer is not None and answer is cause and run.root_cause_code in _ANSWER_SPOILED:
            return _ANSWER_SPOILED[run.root_cause_code]
        return f"{finished} anyway" if is_told else f"{finished}, though {because}"
    if cause is None and run.root_cause_span_id in ("", run.top_span_id):
        return failure_predicate(run.root_cause_code)
    if run.root_cause_code == FailureCode.CANCELLED:
        return "was cancelled"
    if is_told and cause is not None and not any(_went_well_after(step, cause) for step in steps):
        return "gave up"
    return f"failed because {because}"


def _answer(steps: Sequence[StepFacts]) -> StepFacts | None:
    """Return the call of a model that the run ended with, if that is how it ended and an answer came back."""
    works = [step for step in steps if kind_of(step) not in (Kind.AGENT, Kind.STEP) and not step.is_second_sighting]
    last = max(works, key=lambda step: (step.end_ns, step.ordinal), default=None)
    if last is None or kind_of(last) is not Kind.MODEL or last.step_type != StepType.RESPOND:
        return None
    return None if last.is_failed and not last.is_soft_failure else last


def _went_well_after(step: StepFacts, cause: StepFacts) -> bool:
    return step.start_ns >= cause.end_ns and not step.is_failed and kind_of(step) is not Kind.STEP and step is not cause


def _subject(run: RunFacts, cause: StepFacts | None) -> str:
    if cause is not None:
        return subject_of(cause)
    if run.root_cause_span_id == run.top_span_id:
        return quoted(run.run_name) or "the run"
    return _SOMETHING.get(run.root_cause_type, "a step")


def _totals(run: RunFacts, told: str) -> str:
    parts = []
    if len(run.models) > 1:
        parts.append(counted(len(run.models), "model"))
    elif run.models and (model := quoted(run.models[0])) not in told:
        parts.append(model)
    unpriced = run.unpriced_calls + run.unknown_usage_calls
    if run.cost_usd is not None:
        parts.append(
            f"at least {cost(run.cost_usd)}, {counted(unpriced, 'call')} unpriced" if unpriced else cost(run.cost_usd)
        )
    elif unpriced:
        parts.append("cost unknown")
    parts.append(duration(run.duration_ns))
    return ("so far " if run.status == "open" else "") + ", ".join(parts)
