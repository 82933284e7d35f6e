"""How runs and steps look on a terminal: written out, at the widths that people have."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from rich.text import Text

from agentvigil.api.runs.failures import RunFailures
from agentvigil.api.runs.models import CriticalPath, RunDetail
from agentvigil.api.runs.steps import Step
from agentvigil.cli.printable import printable
from agentvigil.cli.views.agents import agent_table, version_table
from agentvigil.cli.views.amounts import ago, clock, dollars, duration, short_count
from agentvigil.cli.views.paper import Paper
from agentvigil.cli.views.run import run_header, step_lines, why
from agentvigil.cli.views.runs import run_lines, run_table, short_ids
from agentvigil.cli.views.sessions import session_table
from agentvigil.cli.views.step_tree import Placed, folded, placed
from agentvigil.cli.views.timeline import Bar

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TOKENS = {"input": None, "output": None, "cache_read": None, "cache_write": None, "reasoning": None}
COST = {"billed_usd": None, "list_usd": None, "reported_usd": None, "unpriced_calls": 0}


def a_run(number: int = 0, **more: Any) -> dict[str, Any]:
    """A run as the API tells it, a minute older for each ``number``."""
    trace_id = f"{number:x}{TRACE[1:]}"
    run_id = f"{trace_id}-00f067aa0ba902b7"
    fields = {
        "id": run_id,
        "project": "default",
        "trace_id": trace_id,
        "top_span_id": "00f067aa0ba902b7",
        "agent": "support-agent",
        "version": "1.4",
        "status": "success",
        "started_at": NOW - timedelta(minutes=number + 1),
        "ended_at": NOW,
        "duration_ms": 4521.0,
        "time_to_first_chunk_ms": None,
        "environment": "production",
        "service": "shop",
        "user": "u-1",
        "session": "conv-1",
        "workflow": None,
        "framework": None,
        "steps": 5,
        "spans": 6,
        "depth": 1,
        "llm_calls": 2,
        "tool_calls": 3,
        "retrievals": 0,
        "nested_agents": 0,
        "retries": 0,
        "models": ["gpt-4o"],
        "tools": ["refund"],
        "tokens": {**TOKENS, "input": 12_345, "output": 678, "cache_read": 1024},
        "cost": {**COST, "billed_usd": "0.01234", "unpriced_calls": 1},
        "failures": 0,
        "recovered_failures": 0,
        "first_failure": None,
        "root_cause": None,
        "critical_path": CriticalPath(model_ms=3100, tool_ms=1400, retrieval_ms=0, other_ms=21),
        "shape": "3d9a",
        "prompt_fingerprint": None,
        "has_late_spans": False,
        "duplicate_of_trace_id": None,
        "settled_at": NOW,
        "links": dict.fromkeys(("self", "steps", "failures", "trace"), "/"),
        "account": "Called refund, answered.",
        "tags": [],
    }
    return RunDetail.model_validate({**fields, **more}).model_dump(mode="json")


def failed_run(number: int = 0, **more: Any) -> dict[str, Any]:
    cause = {"type": "tool", "code": "timeout", "span_id": "2", "message": "refund did not answer within 8 s"}
    return a_run(number, status="failure", root_cause=cause, **more)


def a_step(ordinal: int, name: str = "refund", parent: int | None = None, **more: Any) -> dict[str, Any]:
    """A step as the API tells it, with its number as its id; by default a tool that ran for a second."""
    fields = {
        "ordinal": ordinal,
        "span_id": str(ordinal),
        "parent_step_id": None if parent is None else str(parent),
        "depth": 0,
        "type": "tool",
        "name": name,
        "operation": "execute_tool",
        "agent": None,
        "attempt": 1,
        "status": "failure" if "failure" in more else "success",
        "started_at": NOW,
        "offset_ms": 1000.0 * (ordinal - 1),
        "duration_ms": 1000.0,
        "self_time_ms": 1000.0,
        "is_on_critical_path": True,
        "critical_path_ms": 1000.0,
        "time_to_first_chunk_ms": None,
        "service": None,
        "provider": None,
        "model": None,
        "tool": name,
        "tool_call_id": None,
        "response_id": None,
        "finish_reason": None,
        "retrieved_documents": None,
        "tokens": TOKENS,
        "cost": COST,
        "is_billed": False,
        "billing_note": None,
        "duplicate_of_span_id": None,
        "failure": None,
        "dialect": None,
        "instrumentation": None,
    }
    return Step.model_validate({**fields, **more}).model_dump(mode="json")


def a_failure(**more: Any) -> dict[str, Any]:
    said = {"type": "tool", "code": "timeout", "error_type": "TimeoutError", "message": "no answer"}
    flags = dict.fromkeys(("is_soft", "is_recovered", "is_root_cause", "is_victim"), False)
    return {**said, **flags, **more}


def written(lines: Iterable[Text]) -> list[str]:
    return [line.plain for line in lines]


# --- amounts


@pytest.mark.parametrize(
    ("milliseconds", "said"),
    [
        (None, "-"),
        (0.0, "0.0 ms"),
        (0.4, "0.4 ms"),
        (999.4, "999 ms"),
        (999.6, "1.0 s"),
        (59_949, "59.9 s"),
        (59_960, "1m 00s"),
        (3_599_600, "1h 00m"),
        (86_399_000, "23h 59m"),
        (90_000_000, "1d 01h"),
    ],
)
def test_durations_are_short_and_never_say_sixty(milliseconds: float | None, said: str) -> None:
    """1000 ms beside 1.0 s, or 0m 60s, makes a reader doubt the rest."""
    assert duration(milliseconds) == said


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        (None, "-"),
        ("0", "$0"),
        ("1234.5", "$1,234.50"),
        ("0.1603", "$0.1603"),
        ("0.0012345", "$0.0012"),
        ("0.0009732", "$0.00097"),
        ("0.00000012", "$0.00000012"),
    ],
)
def test_money_keeps_digits_that_say_something(amount: str | None, said: str) -> None:
    """A run for a hundredth of a cent is not free."""
    assert dollars(amount) == said


@pytest.mark.parametrize(
    ("number", "said"),
    [(None, "-"), (0, "0"), (950, "950"), (1234, "1.2k"), (9960, "10k"), (34_400, "34k"), (1_200_000, "1.2M")],
)
def test_counts_of_tokens_are_short(number: int | None, said: str) -> None:
    assert short_count(number) == said


def test_times_are_by_the_clock_of_the_reader_and_how_long_ago() -> None:
    """Whoever looks for the run of just now thinks in minutes, whoever compares with a log in clock time."""
    assert [ago(NOW - timedelta(seconds=s), NOW) for s in (0, 12, 300, 7200, 172_800, -90)] == [
        *("now", "12s ago", "5m ago", "2h ago", "2d ago", "in 1m")
    ]
    tokyo = timezone(timedelta(hours=9))
    now = NOW.astimezone(tokyo)
    days = [NOW - timedelta(days=days) for days in (0, 1, 400)]
    assert [clock(day.astimezone(tokyo), now) for day in days] == ["21:00:00", "11-28 21:00", "2025-10-25"]


# --- a list of runs


NARROW = [
    "ago  id        agent             status   root cause",
    "2m   1bf92f35  support-agent     success",
    "3m   2bf92f35  research-agent-…  failure  tool timeout: ref…",
]
USUAL = [
    "ago  id        agent                 status    took     cost  root cause",
    "2m   1bf92f35  support-agent         success  4.5 s  $0.0123",
    "3m   2bf92f35  research-agent-of-t…  failure  4.5 s  $0.0123  tool timeout: ref…",
]
WIDE = [
    "ago  started   id        agent                       version  status    took  steps     cost  root cause",
    "2m   11:58:00  1bf92f35  support-agent               1.4      success  4.5 s      5  $0.0123",
    "3m   11:57:00  2bf92f35  research-agent-of-the-bil…  1.4      failure  4.5 s      5  $0.0123  tool timeout: ref…",
]


def test_the_table_fits_a_narrow_a_usual_and_a_wide_terminal() -> None:
    """What matters less gives way: first versions, counts and clock times, never the id and the status."""
    runs = [a_run(1), failed_run(2, agent="research-agent-of-the-billing-department")]

    narrow, usual, wide = (written(run_table(runs, NOW, Paper(width=width))) for width in (60, 80, 112))

    assert narrow == NARROW
    assert usual == USUAL
    assert wide == WIDE
    for width, table in ((60, narrow), (80, usual), (112, wide)):
        assert max(map(len, table)) <= width


def test_a_table_on_paper_too_narrow_for_anything_keeps_id_and_status() -> None:
    """A pane of 20 columns still tells which run to look at."""
    assert written(run_table([failed_run()], NOW, Paper(width=20))) == [
        "id        status",
        "0bf92f35  failure",
    ]


def test_piped_runs_have_whole_values_and_one_line_each() -> None:
    """cut and awk want neither colours nor rounded numbers, and a name must not make a line of its own."""
    lines = list(
        run_lines(
            [
                a_run(started_at=NOW - timedelta(seconds=59.5)),
                failed_run(1, agent="a\nb\tc", version=None, duration_ms=2.5),
            ]
        )
    )

    assert lines == [
        "started_at\tid\tagent\tversion\tstatus\tduration_ms\tsteps\tcost_usd\troot_cause",
        f"2026-11-29T11:59:00Z\t0{TRACE[1:]}-00f067aa0ba902b7\tsupport-agent\t1.4\tsuccess\t4521.0\t5\t0.01234\t",
        f"2026-11-29T11:58:00Z\t1{TRACE[1:]}-00f067aa0ba902b7\ta\\nb\\tc\t\tfailure\t2.5\t5\t0.01234\ttool timeout",
    ]


def test_ids_are_as_long_as_it_takes_to_tell_them_apart() -> None:
    """Several runs may share a trace, and a run without a top span has the trace's id alone."""
    alone, first, second, bare = f"a{TRACE[1:]}-01", f"{TRACE}-1111222233334444", f"{TRACE}-1111333344445555", TRACE

    assert short_ids([alone, first, second, bare]) == {
        alone: "abf92f35",
        first: "4bf92f3577b34da6-11112222",
        second: "4bf92f3577b34da6-11113333",
        bare: "4bf92f35",
    }


# --- agents and sessions

TOTALS: dict[str, Any] = {
    "runs": 1234,
    "statuses": {"failure": 3},
    "failure_rate": 0.0314,
    "duration": {"p50_ms": 5300.0, "p95_ms": None},
    "cost": {"billed_usd": None},
    "models": ["gpt-4o"],
}


def test_agents_and_versions_lead_with_how_often_they_fail() -> None:
    agent = {**TOTALS, "name": "a\x1bgent", "version_count": 2, "last_seen_at": "2026-11-29T11:00:00Z"}
    times = {"first_seen_at": "2026-11-28T11:00:00Z", "last_seen_at": "2026-11-29T11:00:00Z"}
    version = {**TOTALS, **times, "version": None, "key": "f00d", "cost_per_run_usd": "0.5"}
    version |= {"tokens_per_run": None, "steps_per_run": 4.25}

    assert written(agent_table([agent], NOW, Paper())) == [
        "agent       runs  failed  rate    p50  p95  cost  versions  last    models",
        "a\\x1bgent  1,234       3  3.1%  5.3 s    -     -         2  1h ago  gpt-4o",
    ]
    assert written(version_table([version], NOW, Paper(width=60))) == [
        "version   runs  failed  rate    p50  p95  cost a run  last",
        "f00d     1,234       3  3.1%  5.3 s    -     $0.5000  1h ago",
    ]


def test_a_sessions_id_is_cut_last_since_it_is_what_goes_on_to_other_commands() -> None:
    session = {
        "last_at": "2026-11-29T11:00:00Z",
        "id": "8f14e45f-ceea-467f-a9a1-5b0b2c3d4e5f",
        "users": ["u-1"],
        "agents": ["support-agent", "billing-agent"],
        "runs": 2,
        "failed_runs": 1,
        "tokens": {"input": 14_000, "output": 518},
        "cost": {"billed_usd": "0.004"},
    }

    assert written(session_table([session], NOW, Paper())) == [
        "ago  session                               agents          runs  failed     cost",
        "1h   8f14e45f-ceea-467f-a9a1-5b0b2c3d4e5f  support-agent…     2       1  $0.0040",
    ]


# --- hostile names


def test_what_spans_carry_can_not_drive_a_terminal_or_turn_a_line_around() -> None:
    """An agent's name is written by whoever sends spans."""
    hostile = "a\x1b[2Jb\u202ec\u200b[red]d\x07\r\n"

    (_, line) = written(run_table([a_run(agent=hostile)], NOW, Paper(width=140)))

    assert "a\\x1b[2Jb\\u202ec\\u200b[red]d\\x07\\r\\n" in line
    assert printable(line) == line


# --- one run


def test_the_header_tells_what_is_known_and_leaves_out_what_is_not() -> None:
    run = a_run(tags=["to-review"], session=None, user=None, tools=[])

    assert written(run_header(run, NOW, Paper())) == [
        "support-agent 1.4  success",
        f"id        0{TRACE[1:]}-00f067aa0ba902b7",
        "started   2026-11-29 11:59:00, 1m ago, took 4.5 s",
        "service   shop, production",
        "models    gpt-4o",
        "tokens    12,345 in, 678 out, 1,024 of them from a cache",
        "cost      $0.0123, 1 call without a price",
        "time      model 3.1 s, tool 1.4 s, other 21 ms",
        "tags      to-review",
        "",
        "Called refund, answered.",
        "",
    ]


def test_why_it_failed_is_told_with_what_to_do_and_how_often() -> None:
    cause = {
        "summary": "Tool refund timed out in all 3 attempts (step 5 of 7).",
        "type": "tool",
        "code": "timeout",
        "meaning": "No answer in time.",
        "message": "no answer within 8 s",
        "span_id": "5",
        "ordinal": 5,
        "name": "refund",
        "step_type": "tool",
        "attempts": 3,
        "path": ["refund"],
        "victims": [],
        "is_soft": False,
        "is_recovered": False,
    }
    similar = {
        "since": NOW,
        "until": NOW,
        "runs": 12,
        "versions": 2,
        "first_at": NOW,
        "last_at": NOW - timedelta(hours=2),
        "newest": [{"id": a_run(3)["id"], "started_at": NOW}],
        "list": "/v1/runs",
    }
    failures = RunFailures.model_validate(
        {
            "run_id": "1",
            "status": "failure",
            "account": "",
            "root_cause": cause,
            "next_actions": ["Raise the timeout of refund, or find out what it waits for."],
            "failures": [],
            "failures_total": 3,
            "similar": similar,
        }
    ).model_dump(mode="json")

    assert written(why(failures, NOW, Paper(width=60))) == [
        "why it failed",
        "Tool refund timed out in all 3 attempts (step 5 of 7).",
        "tool timeout: no answer within 8 s",
        "- Raise the timeout of refund, or find out what it waits",
        "  for.",
        "12 other runs in 2 versions failed the same way, the last",
        "one 2h ago: 3bf92f35",
        "",
    ]
    assert written(why({**failures, "root_cause": None}, NOW, Paper())) == []


STEPS = [
    a_step(
        1,
        "chat gpt-4o",
        type="plan",
        model="gpt-4o",
        tool=None,
        tokens={**TOKENS, "input": 1200, "output": 85},
        cost={**COST, "billed_usd": "0.00385"},
    ),
    a_step(2, "resolver", type="other", tool=None, duration_ms=3000.0, failure=a_failure(is_victim=True)),
    a_step(3, parent=2, failure=a_failure(is_root_cause=True)),
    a_step(4, parent=2, attempt=2, is_on_critical_path=False, failure=a_failure(is_recovered=True, message=None)),
    a_step(5, "kb", type="retrieve", tool=None, retrieved_documents=3),
]


TREE = [
    "#  step                       within 5.0 s                took   tokens     cost",
    "1  plan gpt-4o                █████                      1.0 s  1.2k+85  $0.0038",
    "2  ✗ resolver                      ███████████████       3.0 s",
    "     tool timeout, because of a step inside it",
    "3  ├ ✗ tool refund                      █████            1.0 s",
    "       tool timeout (TimeoutError): no answer",
    "4  └ ✗ tool refund, try 2                    ░░░░░       1.0 s",
    "       tool timeout (TimeoutError), mended by a retry",
    "5  retrieve kb (3 documents)                      █████  1.0 s",
    "█ critical path  ░ beside it",
]
ASCII_TREE = [
    "#  step                       within 5.0 s                 took   tokens",
    "1  plan gpt-4o                #####                       1.0 s  1.2k+85",
    "2  x resolver                      ################       3.0 s",
    "     tool timeout, because of a step inside it",
    "3  |-x tool refund                      ######            1.0 s",
    "       tool timeout (TimeoutError): no answer",
    "4  `-x tool refund, try 2                    ------       1.0 s",
    "       tool timeout (TimeoutError), mended by a retry",
    "5  retrieve kb (3 documents)                      ######  1.0 s",
    "# critical path  - beside it",
]


def test_steps_are_a_tree_with_bars_and_the_reason_below_what_failed() -> None:
    """It is what people look at first: where did the time go, and where did it break."""
    lines = list(step_lines(a_run(duration_ms=5000), STEPS, Paper(width=80), show_all=False))

    assert written(lines) == TREE
    styles = {str(span.style) for span in lines[4].spans if "refund" in lines[4].plain[span.start : span.end]}
    assert styles == {"bold red"}


def test_without_unicode_the_tree_is_drawn_in_ascii() -> None:
    """A console in an old locale has no boxes, and question marks are no bars."""
    lines = written(step_lines(a_run(duration_ms=5000), STEPS, Paper(width=72, draws=False), show_all=False))

    assert "\n".join(lines).isascii()
    assert lines == ASCII_TREE


def test_a_bar_is_never_invisible_and_never_outside() -> None:
    """Clocks of other machines may put a step before its run, and most steps are short."""
    drawn = [
        Bar(offset, length, 100, is_critical=True).fitted(10, Paper()).plain
        for offset, length in ((0, 100), (50, 0.1), (-30, 10), (100, 50), (20, 30))
    ]
    assert drawn == ["██████████", "     █", "█", "         █", "  ███"]
    assert Bar(0, 0, 0, is_critical=False).fitted(10, Paper()).plain == "░"


def test_steps_that_lost_their_parent_or_stand_around_each_other_are_each_shown_once() -> None:
    """Ids come from outside; none may hide a step or send us round for ever."""
    steps = [a_step(1, parent=9), a_step(2, parent=3), a_step(3, parent=2), a_step(4, parent=4), a_step(5, parent=1)]

    places = placed(steps)

    assert sorted(place.step["ordinal"] for place in places) == [1, 2, 3, 4, 5]
    assert [(place.step["ordinal"], place.guides) for place in places[:3]] == [(1, ""), (5, "L"), (4, "")]


def test_long_runs_are_folded_around_what_matters() -> None:
    """A thousand steps scroll away what made the run fail."""
    steps = [a_step(number, critical_path_ms=0.0) for number in range(1, 1001)]
    steps[499] = a_step(500, parent=400, failure=a_failure(is_root_cause=True))

    parts = list(folded(placed(steps), 60))
    shown = [part.step["ordinal"] for part in parts if isinstance(part, Placed)]
    hidden = [place.step["ordinal"] for part in parts if isinstance(part, list) for place in part]

    assert 60 <= len(shown) <= 62
    assert {1, 20, 981, 1000, 400, 500} <= set(shown)
    assert sorted([*shown, *hidden]) == list(range(1, 1001))
    lines = written(step_lines(a_run(duration_ms=1e6), steps, Paper(width=60), show_all=False))
    assert [line.split() for line in lines if "…" in line and "steps" in line] == [
        ["…", "221", "steps", "░░░░░", "3m", "41s"],
        ["…", "579", "steps", "░░░░░░░░░░░░░", "9m", "40s"],
    ]
    assert lines[-1] == "800 steps folded; --all shows them"
    assert len(written(step_lines(a_run(), steps, Paper(), show_all=True))) == 1003
