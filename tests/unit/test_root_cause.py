"""The root cause: which step, how often it was tried, what is around it, and the sentence about it."""

from dataclasses import replace

from agentvigil.analysis.explaining import RootCause, StepFacts, root_cause_of
from explained_runs import agent, failed, in_order, mended, model, node, nothing, run, search, tool, tries


def test_a_tool_inside_an_agent_that_failed_in_all_attempts() -> None:
    steps = in_order(
        model(),
        agent("resolver", "tool_error", is_victim=True),
        *[replace(one, parent_step_id="s2") for one in tries(tool("refund", "timeout"), 3)],
        node("after"),
        model(code="unavailable"),
    )
    assert root_cause_of(failed(steps, "s5"), steps) == RootCause(
        span_id="s5",
        ordinal=5,
        name="refund",
        step_type="tool",
        failure_type="tool",
        failure_code="timeout",
        meaning="No answer in time.",
        attempts=3,
        path=("helper", "resolver", "refund"),
        victims=(2,),
        is_soft=False,
        is_recovered=False,
        summary="Tool refund timed out in all 3 attempts (step 5 of 7, inside agent resolver); "
        "nothing after it succeeded.",
    )


def summary(status: str, span_id: str, *steps: StepFacts) -> str:
    placed = in_order(*steps)
    cause = root_cause_of(failed(placed, span_id, status), placed)
    assert cause is not None
    return cause.summary


def test_what_followed_is_told() -> None:
    assert summary("failure", "s2", tool("a"), model(code="auth")) == (
        "Model gpt-4.1 was denied access (step 2 of 2); it was the last step."
    )
    assert summary("failure", "s1", tool("a", "tool_error"), tool("b")) == (
        "Tool a reported an error (step 1 of 2); later steps succeeded, but the run ended in an error."
    )
    assert summary("partial", "s1", tool("a", "timeout"), model()) == (
        "Tool a timed out (step 1 of 2); the run ended well all the same."
    )
    assert summary("open", "s1", tool("a", "timeout")) == "Tool a timed out (step 1 of 1); the run is still going on."


def test_failures_that_came_back_with_something() -> None:
    assert summary("partial", "s1", nothing(), model()) == (
        "The search of kb found nothing (step 1 of 2); the run ended well all the same."
    )
    assert summary("partial", "s2", search("", 1), model(code="truncated", is_soft_failure=True)) == (
        "Model gpt-4.1 was cut off at the limit of output tokens (step 2 of 2); the run ended with what came back."
    )


def test_attempts_that_failed_differently_are_not_said_to_be_alike() -> None:
    one, two, three = tries(tool("a", "timeout"), 3)
    assert summary("failure", "s3", one, replace(two, failure_code="not_found"), three) == (
        "Tool a timed out in the last of 3 attempts (step 3 of 3); it was the last step."
    )
    first, second, third = mended(tool("a", "timeout"), tool("a", "auth"), tool("a"))
    steps = in_order(first, second, third)
    cause = root_cause_of(run(steps=3, recovered_failures=2), steps)
    assert cause is not None
    assert cause.summary == "Tool a timed out in its first attempt (step 1 of 3); attempt 3 succeeded."


def test_what_a_retry_mended_is_the_cause_where_nothing_else_failed() -> None:
    steps = in_order(*mended(tool("a", "timeout"), tool("a", "timeout"), tool("a")))
    cause = root_cause_of(run(steps=3, recovered_failures=2), steps)
    assert cause is not None
    assert (cause.ordinal, cause.attempts, cause.is_recovered) == (1, 3, True)
    assert cause.summary == "Tool a timed out in its first 2 attempts (step 1 of 3); attempt 3 succeeded."


def test_of_what_a_retry_mended_the_inner_step_is_the_cause() -> None:
    steps = in_order(
        agent("resolver", "other", is_recovered=True),
        tool("a", "timeout", is_recovered=True, parent_step_id="s1"),
        agent("resolver", attempt=2),
        tool("a", parent_step_id="s3"),
    )
    cause = root_cause_of(run(steps=4, recovered_failures=2), steps)
    assert cause is not None
    assert (cause.span_id, cause.victims) == ("s2", (1,))
    assert cause.summary == (
        "Tool a timed out in its first attempt (step 2 of 4, inside agent resolver); a retry around it succeeded."
    )


def test_the_run_itself() -> None:
    facts = run(
        "failure",
        steps=7,
        root_cause_type="orchestration",
        root_cause_code="max_steps_exceeded",
        root_cause_span_id="top",
    )
    cause = root_cause_of(facts, in_order(*[tool("a")] * 7))
    assert cause is not None
    assert (cause.ordinal, cause.name, cause.path) == (None, "helper", ("helper",))
    assert cause.summary == "The run of helper ran out of steps after 7 steps; no step inside it is to blame."


def test_a_step_that_was_not_looked_at() -> None:
    facts = run("failure", steps=900, root_cause_type="model", root_cause_code="out_of_luck", root_cause_span_id="s800")
    cause = root_cause_of(facts, in_order(tool("a")))
    assert cause is not None
    assert (cause.ordinal, cause.meaning) == (None, "")
    assert cause.summary == "A model step failed (out_of_luck); it is not among the steps that were looked at."


def test_a_run_in_which_nothing_failed() -> None:
    assert root_cause_of(run(steps=2), in_order(tool("a"), model())) is None


def test_names_of_senders_are_on_one_line_and_cut() -> None:
    steps = in_order(tool("a\nb" + "c" * 100, "timeout"))
    cause = root_cause_of(failed(steps, "s1"), steps)
    assert cause is not None
    assert cause.name == "a b" + "c" * 56 + "…"
    assert cause.summary.startswith('Tool "a b')
