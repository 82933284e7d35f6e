"""What a run did, out of its steps: the tools, searches, models and agents worth telling, each inside what did it.

Rules, in order:

1. A second sighting of a call (``BillingNote`` is ``duplicate``, or a tool's server inside its client) is not told.
2. Tools, searches and agents are told. A step of a framework is told if it failed by itself, or nothing else is there.
3. A failure belongs to the step that failed by itself. Steps that failed because of it are told as if they had not.
4. A call of a model is told if it failed, mended a failure, or is all that its agent did.
   An answer that came back, but cut off or filtered, is for whoever tells the end.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from agentvigil.analysis.explaining.facts import StepFacts
from agentvigil.analysis.explaining.labels import quoted
from agentvigil.semconv.enums import OperationName
from agentvigil.semconv.failures import MODEL_OPERATIONS


class Kind(Enum):
    """What is done in a step."""

    AGENT = auto()
    TOOL = auto()
    SEARCH = auto()
    MEMORY = auto()
    EMBEDDINGS = auto()
    RERANK = auto()
    MODEL = auto()
    STEP = auto()


_KINDS: Mapping[str, Kind] = {
    OperationName.INVOKE_AGENT: Kind.AGENT,
    OperationName.INVOKE_WORKFLOW: Kind.AGENT,
    OperationName.EXECUTE_TOOL: Kind.TOOL,
    OperationName.RETRIEVAL: Kind.SEARCH,
    OperationName.SEARCH_MEMORY: Kind.MEMORY,
    OperationName.EMBEDDINGS: Kind.EMBEDDINGS,
    "rerank": Kind.RERANK,
    **dict.fromkeys(map(str, MODEL_OPERATIONS), Kind.MODEL),
}

_RETRIEVALS = (Kind.SEARCH, Kind.MEMORY, Kind.EMBEDDINGS, Kind.RERANK)


@dataclass
class Deed:
    """A step that is told, with what was done inside it. ``failure_code`` is empty where it did not fail by itself."""

    step: StepFacts
    kind: Kind
    name: str
    """Fit for a sentence; empty where there is none."""
    failure_code: str
    span_ids: list[str]
    """The step's, and those of what is the same deed seen elsewhere."""
    attempt: int
    deeds: list["Deed"] = field(default_factory=list)


def kind_of(step: StepFacts) -> Kind:
    """Return what is done in ``step``. A paid call whose sender names no operation is one of a model."""
    return _KINDS.get(step.operation, Kind.MODEL if step.billed and not step.operation else Kind.STEP)


def name_of(step: StepFacts) -> str:
    """Return what ``step`` works with, as its sender wrote it: the tool, agent, model, or source that is searched."""
    match kind_of(step):
        case Kind.TOOL:
            return step.tool_name or step.step_name
        case Kind.MODEL | Kind.EMBEDDINGS | Kind.RERANK:
            return step.model
        case Kind.SEARCH:
            # A span is called by what it does and to what: "retrieval kb".
            return "" if step.step_name == step.operation else step.step_name.removeprefix(f"{step.operation} ")
        case Kind.MEMORY:
            return ""
        case _:
            return step.step_name


def outermost_sighting(step: StepFacts, by_span: Mapping[str, StepFacts]) -> StepFacts:
    """Return ``step``, or the outermost of the second sightings around it: retries are told apart where those are."""
    seen = {step.span_id}
    while (outer := by_span.get(step.parent_step_id)) is not None and outer.is_second_sighting:
        if outer.span_id in seen:
            break
        seen.add(outer.span_id)
        step = outer
    return step


def deeds_of(steps: Iterable[StepFacts]) -> list[Deed]:
    """Return what was done directly in the run, in the order in which it began."""
    steps = sorted(steps, key=lambda step: step.ordinal)
    real = [step for step in steps if not step.is_second_sighting]
    by_span = {step.span_id: step for step in steps}
    around_mended = around_mended_failures(steps)
    deeds: dict[str, Deed] = {}
    for step in real:
        failure_code = _own_failure(step, around_mended)
        client = deeds.get(step.parent_step_id)
        if client is not None and _is_server_of(step, client.step):
            client.failure_code = client.failure_code or failure_code
            client.name = client.name or quoted(name_of(step))
            client.span_ids.append(step.span_id)
            deeds[step.span_id] = client
        elif _is_told(step, failure_code):
            attempt = outermost_sighting(step, by_span).attempt
            name = quoted(name_of(step))
            deeds[step.span_id] = Deed(step, kind_of(step), name, failure_code, [step.span_id], attempt)
    if not deeds:
        parents = {step.parent_step_id for step in real}
        return [_plain(step) for step in real if step.span_id not in parents and kind_of(step) is Kind.STEP]
    return _nested(deeds, steps)


def walk(deeds: Sequence[Deed]) -> Iterator[Deed]:
    """Yield ``deeds`` and all inside them, the outer ones first. They may be as deep as a trace is: no recursion."""
    stack = list(reversed(deeds))
    while stack:
        deed = stack.pop()
        yield deed
        stack.extend(reversed(deed.deeds))


def depth_of(deeds: Sequence[Deed]) -> int:
    """Return how many deeds stand inside each other, 0 for none."""
    depth = 0
    while deeds:
        depth += 1
        deeds = [inner for deed in deeds for inner in deed.deeds]
    return depth


def _plain(step: StepFacts) -> Deed:
    return Deed(step, Kind.STEP, quoted(name_of(step)), "", [step.span_id], step.attempt)


def _is_told(step: StepFacts, failure_code: str) -> bool:
    match kind_of(step):
        case Kind.STEP:
            return failure_code != ""
        case Kind.MODEL:
            # What only sums up calls inside it is none itself.
            return failure_code != "" or step.billed or step.billing not in ("leaf", "undecided")
        case _:
            return True


def _is_server_of(step: StepFacts, client: StepFacts) -> bool:
    """Whether both are one call of a tool. MCP's SDK names the tool on the server's span only."""
    return kind_of(step) is kind_of(client) is Kind.TOOL and (
        step.tool_name == client.tool_name or not step.tool_name or not client.tool_name
    )


def _own_failure(step: StepFacts, around_mended: set[str]) -> str:
    if not step.is_failed or step.is_victim or (step.is_recovered and step.span_id in around_mended):
        return ""
    if step.is_soft_failure and not step.is_recovered and kind_of(step) is Kind.MODEL:
        return ""
    return step.failure_code or "other"


def around_mended_failures(steps: Sequence[StepFacts]) -> set[str]:
    """Return the spans around failures that were mended: of those no column says what failed because of what."""
    parents = {step.span_id: step.parent_step_id for step in steps}
    found: set[str] = set()
    for step in steps:
        if step.is_failed and step.is_recovered and not step.is_soft_failure:
            above = step.parent_step_id
            while above and above not in found:
                found.add(above)
                above = parents.get(above, "")
    return found


def _nested(deeds: Mapping[str, Deed], steps: Sequence[StepFacts]) -> list[Deed]:
    parents = {step.span_id: step.parent_step_id for step in steps}
    owners: dict[str, Deed | None] = {"": None}

    def owner_at(span_id: str) -> Deed | None:
        """The nearest deed at or above ``span_id`` that can have others inside. A cycle ends at no deed."""
        passed = []
        while span_id not in owners:
            deed = deeds.get(span_id)
            owners[span_id] = deed if deed is not None and deed.kind is not Kind.MODEL else None
            if owners[span_id] is not None:
                break
            passed.append(span_id)
            span_id = parents.get(span_id, "")
        owners.update(dict.fromkeys(passed, owners[span_id]))
        return owners[span_id]

    top: list[Deed] = []
    for span_id, deed in deeds.items():
        if span_id == deed.step.span_id:
            owner = owner_at(deed.step.parent_step_id)
            (top if owner is None else owner.deeds).append(deed)
    for deed in walk(top):
        deed.deeds = _worth_telling(deed.deeds, deed.kind)
    return _worth_telling(top, Kind.AGENT)


def _worth_telling(deeds: Sequence[Deed], owner: Kind) -> list[Deed]:
    """Return ``deeds`` without calls that are only how their owner works, and without wrappers of a single agent."""
    only_models = all(deed.kind is Kind.MODEL for deed in deeds) and owner is Kind.AGENT
    told: list[Deed] = []
    for deed in deeds:
        is_means = (deed.kind is Kind.MODEL and not only_models) or (deed.kind in _RETRIEVALS and owner in _RETRIEVALS)
        if is_means and not deed.failure_code and deed.attempt <= 1 and not deed.deeds:
            continue
        if deed.kind is Kind.TOOL and not deed.failure_code and deed.deeds and _are_agents(deed.deeds):
            told += deed.deeds
        else:
            told.append(deed)
    return told


def _are_agents(deeds: Iterable[Deed]) -> bool:
    return all(deed.kind is Kind.AGENT for deed in deeds)
