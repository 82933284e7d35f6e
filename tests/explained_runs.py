"""Builds the facts of runs and steps that are explained, as settling would have written them."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from agentvigil.analysis.explaining import RunFacts, StepFacts

S = 1_000_000_000


def run(status: str = "success", **more: Any) -> RunFacts:
    """A run of the agent helper that took 41 s, asked two models and cost $0.012."""
    facts = RunFacts(
        status=status,
        run_name="helper",
        top_span_id="top",
        duration_ns=41 * S,
        steps=0,
        models=("gpt-4.1", "gpt-4o"),
        cost_usd=Decimal("0.012"),
        unknown_usage_calls=0,
        unpriced_calls=0,
        recovered_failures=0,
        root_cause_type="",
        root_cause_code="",
        root_cause_span_id="",
    )
    return replace(facts, **more)


def step(operation: str, name: str = "", code: str = "", **more: Any) -> StepFacts:
    """A step of a second, with ``code`` one that failed by itself; :func:`in_order` gives it its place and time."""
    facts = StepFacts(
        span_id="",
        parent_step_id="",
        ordinal=0,
        step_type="other",
        step_name=name or operation,
        operation=operation,
        agent_name="helper",
        attempt=1,
        provider="",
        model="",
        tool_name="",
        start_ns=-1,
        duration_ns=S,
        billing="none",
        billed=False,
        billing_note="",
        is_failed=bool(code),
        failure_type="orchestration" if code else "",
        failure_code=code,
        is_soft_failure=False,
        is_recovered=False,
        is_victim=False,
        retrieved_documents=None,
    )
    return replace(facts, **more)


def tool(name: str, code: str = "", **more: Any) -> StepFacts:
    said = {"step_type": "tool", "tool_name": name, "failure_type": "tool" if code else ""}
    return step("execute_tool", name, code, **{**said, **more})


def model(name: str = "gpt-4.1", code: str = "", **more: Any) -> StepFacts:
    said = {"model": name, "billing": "leaf", "billed": True, "failure_type": "model" if code else ""}
    return step("chat", f"chat {name}", code, **{"step_type": "respond", **said, **more})


def plan(name: str = "gpt-4.1", code: str = "", **more: Any) -> StepFacts:
    return model(name, code, step_type="plan", **more)


def search(name: str = "kb", documents: int | None = None, code: str = "", **more: Any) -> StepFacts:
    said = {"step_type": "retrieve", "retrieved_documents": documents, "failure_type": "retrieval" if code else ""}
    return step("retrieval", f"retrieval {name}".strip(), code, **{**said, **more})


def nothing(name: str = "kb", **more: Any) -> StepFacts:
    return search(name, 0, "empty_retrieval", is_soft_failure=True, **more)


def agent(name: str, code: str = "", **more: Any) -> StepFacts:
    return step("invoke_agent", name, code, **{"agent_name": name, **more})


def node(name: str, code: str = "", **more: Any) -> StepFacts:
    return step("step", name, code, **more)


def mended(*tries: StepFacts) -> list[StepFacts]:
    """Tries of one thing, of which the last mended the others."""
    return [replace(one, attempt=attempt, is_recovered=one.is_failed) for attempt, one in enumerate(tries, 1)]


def tries(one: StepFacts, count: int) -> list[StepFacts]:
    """The same failure again and again."""
    return [replace(one, attempt=attempt) for attempt in range(1, count + 1)]


def in_order(*steps: StepFacts, at_once: bool = False) -> list[StepFacts]:
    """Number the steps from 1 and give them spans s1, s2, …; each begins when the one before has ended, or all at once.

    Steps around others should be given their span as the parent of those: ``parent_step_id="s1"``.
    """
    return [
        replace(
            one,
            span_id=one.span_id or f"s{ordinal}",
            ordinal=ordinal,
            start_ns=one.start_ns if one.start_ns >= 0 else (0 if at_once else ordinal * 2 * S),
        )
        for ordinal, one in enumerate(steps, 1)
    ]


def failed(steps: Sequence[StepFacts], span_id: str, status: str = "failure", **more: Any) -> RunFacts:
    """A run that one of its steps made fail, or be ``status``."""
    cause = next(one for one in steps if one.span_id == span_id)
    return run(
        status,
        steps=len(steps),
        root_cause_type=cause.failure_type,
        root_cause_code=cause.failure_code,
        root_cause_span_id=span_id,
        **more,
    )
