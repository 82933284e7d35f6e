"""The account of a run: what is told, in which words, and that nothing hostile gets through."""

from dataclasses import replace
from decimal import Decimal
from typing import Any, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentvigil.analysis.explaining import RunFacts, StepFacts, account_of, root_cause_of
from agentvigil.analysis.explaining.account import MAX_CHARACTERS
from agentvigil.analysis.explaining.wording import cost, duration
from agentvigil.semconv.enums import FailureCode, FailureType
from explained_runs import (
    S,
    agent,
    failed,
    in_order,
    mended,
    model,
    node,
    nothing,
    plan,
    run,
    search,
    step,
    tool,
    tries,
)

IN_ALL = "; 2 models, $0.012, 41 s."


def told(facts: RunFacts, steps: list[StepFacts]) -> str:
    """The account without what it took, where that is the usual."""
    return account_of(facts, steps, steps_total=len(steps)).removesuffix(IN_ALL)


def inside(span_id: str, *steps: StepFacts) -> list[StepFacts]:
    return [replace(one, parent_step_id=span_id) for one in steps]


def test_a_tool_that_failed_the_run() -> None:
    steps = in_order(plan(), search("kb", 3), plan(), *tries(tool("refund", "timeout"), 3))
    assert account_of(failed(steps, "s6"), steps, steps_total=6) == (
        "Searched kb (3 results), called refund three times (timeout ×3), gave up; 2 models, $0.012, 41 s."
    )


def test_a_retry_that_mended_it() -> None:
    steps = in_order(*mended(tool("refund", "timeout"), tool("refund")), model())
    assert told(run(), steps) == "Called refund twice (timeout, then fine), answered"


def test_a_failure_that_the_agent_coped_with() -> None:
    steps = in_order(tool("lookup", "not_found"), model())
    assert told(failed(steps, "s1", "partial"), steps) == "Called lookup (not found), answered anyway"


def test_a_model_that_failed_the_run_and_a_call_without_tokens_that_cost_nothing_known() -> None:
    steps = in_order(*tries(model(code="rate_limited", billing_note="failed"), 3))
    facts = failed(steps, "s3", models=("gpt-4.1",), cost_usd=None)
    assert told(facts, steps) == "Asked gpt-4.1 three times (rate limited ×3), gave up; 41 s."


def test_a_model_that_a_retry_mended_between_tools() -> None:
    steps = in_order(plan(), tool("search"), *mended(model(code="unavailable"), model()))
    assert told(run(), steps) == "Called search, asked gpt-4.1 twice (unavailable, then fine), answered"


def test_a_retrieval_that_failed_the_run() -> None:
    steps = in_order(plan(), search("kb", None, "unavailable"))
    assert told(failed(steps, "s2"), steps) == "Searched kb (unavailable), gave up"


def test_a_step_of_a_framework_that_failed_the_run() -> None:
    steps = in_order(node("fetch"), *inside("s1", tool("get")), node("parse", "schema_invalid"))
    assert told(failed(steps, "s3"), steps) == "Called get, ran parse (schema mismatch), gave up"


def test_a_run_that_is_going_on() -> None:
    assert told(run("open"), in_order(tool("search"))) == "Called search, still running; so far 2 models, $0.012, 41 s."


def test_an_agent_inside_and_victims_that_are_not_blamed() -> None:
    steps = in_order(
        agent("resolver", "tool_error", is_victim=True),
        *inside("s1", search("kb", 3), *tries(tool("refund", "timeout"), 2)),
    )
    assert told(failed(steps, "s4"), steps) == (
        "Handed over to resolver, which searched kb (3 results) and called refund twice (timeout ×2); gave up"
    )


def test_agents_one_after_the_other_and_what_came_then() -> None:
    steps = in_order(
        agent("researcher"),
        *inside("s1", model("gpt-4o"), model("gpt-4o")),
        agent("writer"),
        *inside("s4", tool("draft"), tool("check"), plan()),
        tool("publish"),
        model(),
    )
    assert told(run(), steps) == (
        "Handed over to researcher, which asked gpt-4o twice; then handed over to writer, which called draft, "
        "then check; then called publish, answered"
    )


def test_agents_at_once() -> None:
    steps = in_order(
        agent("a", start_ns=0, duration_ns=9 * S),
        *inside("s1", tool("x")),
        agent("b", start_ns=S, duration_ns=9 * S),
        *inside("s3", tool("y")),
    )
    assert told(run(), steps) == (
        "Handed over to a, which called x; meanwhile handed over to b, which called y; finished"
    )


def test_a_tool_that_is_nothing_but_an_agent_is_the_agent() -> None:
    steps = in_order(tool("ask_resolver"), *inside("s1", agent("resolver")), *inside("s2", tool("refund")), model())
    assert told(run(), steps) == "Handed over to resolver, which called refund; answered"


def test_an_agent_inside_that_ran_out_of_steps() -> None:
    steps = in_order(agent("resolver", "max_steps_exceeded", duration_ns=60 * S), *inside("s1", *[tool("search")] * 13))
    assert told(failed(steps, "s1"), steps) == (
        "Handed over to resolver (out of steps), which called search 13 times; gave up"
    )


def test_a_run_that_ran_out_of_steps() -> None:
    facts = run(
        "failure", root_cause_type="orchestration", root_cause_code="max_steps_exceeded", root_cause_span_id="top"
    )
    assert told(facts, in_order(*[plan(), tool("search")] * 5)) == "Called search five times, ran out of steps"


def test_a_run_without_steps() -> None:
    assert told(run(models=(), cost_usd=None), []) == "No steps recorded, finished; 41 s."
    facts = run("failure", root_cause_type="orchestration", root_cause_code="auth", root_cause_span_id="top")
    assert told(facts, []) == "No steps recorded, was denied access"


def test_only_calls_of_models() -> None:
    steps = in_order(model(), model())
    assert told(run(models=("gpt-4.1",)), steps) == "Asked gpt-4.1 twice, answered; $0.012, 41 s."


def test_one_model_that_is_not_told_otherwise_is_named() -> None:
    steps = in_order(plan(), tool("search"), model())
    assert told(run(models=("gpt-4.1",)), steps) == "Called search, answered; gpt-4.1, $0.012, 41 s."


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (run(cost_usd=None, unpriced_calls=1), "2 models, cost unknown, 41 s."),
        (run(cost_usd=Decimal("0.01"), unpriced_calls=2), "2 models, at least $0.01, 2 calls unpriced, 41 s."),
        (run(cost_usd=Decimal("0.01"), unknown_usage_calls=1), "2 models, at least $0.01, 1 call unpriced, 41 s."),
    ],
)
def test_cost_that_is_not_known(facts: RunFacts, expected: str) -> None:
    assert told(facts, in_order(tool("search"), model())) == f"Called search, answered; {expected}"


def test_embeddings_and_searches() -> None:
    steps = in_order(
        step("embeddings", model="ada"),
        search("kb", 3),
        search("kb", 2),
        search("", 1),
        step("rerank", model="r1"),
        step("search_memory"),
        model(),
    )
    assert told(run(), steps) == (
        "Made embeddings with ada, searched kb twice (5 results), then (1 result), reranked with r1, "
        "searched its memory, answered"
    )


def test_embeddings_inside_a_search_are_how_it_searches() -> None:
    steps = in_order(search("kb", 3), *inside("s1", step("embeddings", model="ada")), model())
    assert told(run(), steps) == "Searched kb (3 results), answered"


def test_a_search_that_found_nothing_and_one_that_did() -> None:
    steps = in_order(nothing(), model())
    assert told(failed(steps, "s1", "partial"), steps) == "Searched kb (found nothing), answered anyway"
    steps = in_order(*mended(nothing(), search("kb", 5)), model())
    assert told(run(), steps) == "Searched kb twice (found nothing, then 5 results), answered"


def test_an_answer_that_was_cut_off_or_filtered() -> None:
    steps = in_order(tool("search"), model(code="truncated", is_soft_failure=True))
    assert told(failed(steps, "s2", "partial"), steps) == (
        "Called search, answered, cut off at the limit of output tokens"
    )
    steps = in_order(model(code="content_filtered", is_soft_failure=True))
    assert told(failed(steps, "s1", "partial"), steps) == "Asked gpt-4.1, had its answer stopped by a content filter"
    steps = in_order(plan(code="truncated", is_soft_failure=True), tool("search"), model())
    assert told(failed(steps, "s1", "partial"), steps) == (
        "Called search, answered, though gpt-4.1 was cut off at the limit of output tokens"
    )


def test_a_run_that_was_cancelled() -> None:
    steps = in_order(tool("search"), tool("buy", "cancelled"))
    assert told(failed(steps, "s2"), steps) == "Called search, then buy (cancelled), was cancelled"


def test_tools_at_once() -> None:
    steps = [*in_order(tool("a"), tool("b", "timeout"), tool("a"), at_once=True), replace(model(), start_ns=9 * S)]
    assert told(failed(steps, "s2", "partial"), steps) == "Called a twice and b (timeout) at once, answered anyway"


def test_a_failure_before_what_went_well_is_named_at_the_end() -> None:
    steps = in_order(tool("refund", "tool_error"), tool("notify"))
    assert told(failed(steps, "s1"), steps) == (
        "Called refund (error), then notify, failed because refund reported an error"
    )


def test_second_sightings_are_not_counted() -> None:
    outer = model(billing_note="duplicate", billed=False)
    steps = in_order(outer, *inside("s1", model()), outer, *inside("s3", model()))
    assert told(run(models=("gpt-4.1",)), steps) == "Asked gpt-4.1 twice, answered; $0.012, 41 s."
    retried = in_order(model(code="timeout", is_recovered=True), replace(outer, attempt=2), *inside("s2", model()))
    assert told(run(models=()), [*retried, replace(tool("a"), span_id="s4", ordinal=4, start_ns=9 * S)]).startswith(
        "Asked gpt-4.1 twice (timeout, then fine)"
    )
    assert told(run(), in_order(outer)) == "No steps of its own, finished"


def test_the_server_of_a_tool_is_the_same_call() -> None:
    steps = in_order(tool("add"), *inside("s1", tool("", "tool_error")), model())
    assert told(failed(steps, "s2", "partial"), steps) == "Called add (error), answered anyway"


def test_steps_of_a_framework_are_told_where_nothing_else_is() -> None:
    assert told(run(), in_order(node("load"), node("clean"))) == "Ran load, then clean, finished"


def test_a_long_run_is_summed_up() -> None:
    round_ = [plan(), tool("search"), tool("open"), search("kb", 2)]
    steps = in_order(*round_ * 6, *[tool("search", "timeout")] * 2, *[tool("open")] * 5, model())
    assert told(failed(steps, "s25", "partial"), steps) == (
        "Made 8 calls of search (2 failed: timeout), 11 calls of open and 6 searches of kb (12 results), "
        "answered anyway"
    )


def test_a_run_with_many_tools_keeps_those_that_failed_and_the_most_frequent() -> None:
    names = [f"tool_{number}" for number in range(20)]
    steps = in_order(*[tool(name) for name in names * 2], tool("late", "auth"), model())
    assert told(failed(steps, "s41", "partial"), steps) == (
        "Made 2 calls of tool_0, 2 calls of tool_1, 2 calls of tool_2, 2 calls of tool_3, 2 calls of tool_4, "
        "1 call of late (access denied) and 30 other calls, answered anyway"
    )


def test_a_run_of_which_only_the_first_steps_are_known() -> None:
    steps = in_order(*[tool("search")] * 3)
    facts = run(
        "failure", steps=1200, root_cause_type="model", root_cause_code="rate_limited", root_cause_span_id="s1000"
    )
    assert account_of(facts, steps, steps_total=1200) == (
        "First 3 of 1,200 steps: called search three times, failed because a model was rate limited" + IN_ALL
    )


def test_names_are_shown_so_that_they_can_not_pass_for_the_account() -> None:
    forged = "search, answered; $0\r\n2 models \x1b[31m\u202e"
    account = told(run(), in_order(tool(forged), tool("x" * 100), tool("Senior Analyst")))
    assert account == (
        r'Called "search, answered; $0 2 models \x1b[31m\u202e", then '
        + "x" * 59
        + '…, then "Senior Analyst", finished'
    )


def test_codes_that_somebody_made_up_stand_for_themselves() -> None:
    steps = in_order(tool("buy", "out_of_stock"), tool("pay"))
    assert told(failed(steps, "s1"), steps) == (
        "Called buy (out_of_stock), then pay, failed because buy failed (out_of_stock)"
    )


@pytest.mark.parametrize(
    ("nanoseconds", "expected"),
    [
        (0, "0 ms"),
        (999, "<1 ms"),
        (350_400_000, "350 ms"),
        (999_600_000, "1 s"),
        (4_230_000_000, "4.2 s"),
        (9_949_000_000, "9.9 s"),
        (9_950_000_000, "10 s"),
        (59_600_000_000, "1 min"),
        (123 * S, "2 min 3 s"),
        (3_900 * S, "1 h 5 min"),
        (51 * 3_600 * S, "2 d 3 h"),
    ],
)
def test_durations(nanoseconds: int, expected: str) -> None:
    assert duration(nanoseconds) == expected


@pytest.mark.parametrize(
    ("usd", "expected"),
    [
        ("0", "$0"),
        ("0.00009", "<$0.0001"),
        ("0.0001", "$0.0001"),
        ("0.000425", "$0.00043"),
        ("0.01234", "$0.012"),
        ("0.0996", "$0.10"),
        ("0.5", "$0.50"),
        ("0.996", "$1.00"),
        ("12.345", "$12.35"),
        ("1234.5", "$1,234"),
    ],
)
def test_costs(usd: str, expected: str) -> None:
    assert cost(Decimal(usd)) == expected


NAMES = st.one_of(st.sampled_from(["", "kb", "refund", "a b", 'x"\n', "\ud800", "n" * 90]), st.text(max_size=90))
CODES = st.one_of(st.sampled_from([*FailureCode, ""]), st.text(max_size=90))
SPANS = st.sampled_from(["", "top", *(f"s{number}" for number in range(8))])
OPERATIONS = st.sampled_from(
    ["invoke_agent", "execute_tool", "chat", "retrieval", "embeddings", "rerank", "search_memory", "step", ""]
)
FIELDS: dict[str, Any] = {
    "span_id": SPANS,
    "parent_step_id": SPANS,
    "operation": OPERATIONS,
    "step_type": st.sampled_from(["plan", "tool", "retrieve", "respond", "other"]),
    "failure_type": st.sampled_from([*FailureType, ""]),
    "failure_code": CODES,
    "status": st.sampled_from(["success", "partial", "failure", "open"]),
    "billing": st.sampled_from(["leaf", "sum", "none", "undecided"]),
    "billing_note": st.sampled_from(["", "duplicate", "sum", "no price"]),
    "root_cause_type": st.sampled_from([*FailureType, ""]),
    "root_cause_code": CODES,
    "root_cause_span_id": SPANS,
    "top_span_id": SPANS,
    "models": st.lists(NAMES, max_size=3).map(tuple),
    "cost_usd": st.one_of(st.none(), st.decimals(0, 10**20, places=9)),
    "retrieved_documents": st.one_of(st.none(), st.integers(0, 2**32 - 1)),
}
BY_TYPE: dict[Any, Any] = {str: NAMES, bool: st.booleans(), int: st.integers(0, 2**32 - 1)}


def facts_of(kind: Any) -> st.SearchStrategy[Any]:
    return st.builds(
        kind, **{name: FIELDS.get(name, BY_TYPE.get(type_)) for name, type_ in get_type_hints(kind).items()}
    )


@settings(max_examples=400, deadline=None)
@given(facts_of(RunFacts), st.lists(facts_of(StepFacts), max_size=12), st.integers(0, 20))
def test_an_account_is_one_short_line_whatever_the_facts_are(
    facts: RunFacts, steps: list[StepFacts], more_steps: int
) -> None:
    account = account_of(facts, steps, steps_total=len(steps) + more_steps)
    assert account.isprintable()
    assert len(account) <= MAX_CHARACTERS
    assert account.endswith(".")
    assert "  " not in account
    assert account == account_of(facts, list(steps), steps_total=len(steps) + more_steps)
    cause = root_cause_of(facts, steps)
    assert cause is None or cause.summary.isprintable()


def test_a_trace_that_is_very_deep_is_told_all_the_same() -> None:
    deep = [agent(f"a{number}", parent_step_id=f"s{number}") for number in range(3000)]
    account = account_of(run(), in_order(*deep), steps_total=3000)
    assert account.startswith("Made 1 handover to a0, ")
