"""Sums over a small fleet, and what is told of its agents, are what can be computed by hand and by SQL."""

import statistics
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

import pytest
from agent_fleets import MINUTE_MS, Played, play
from agent_traces import START
from fastapi.testclient import TestClient

from agentvigil.api.amounts import time_of
from agentvigil.api.times import in_utc
from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.prices.loading import load_prices
from migrated_stores import MigratedStores
from served_api import app_over

HOSTILE: Final = "a/b'; DROP TABLE agent_runs; -- \\ \" {x:String} ünï {{rows}}"
COST_OF_A_CALL: Final = Decimal("0.00035")
"""Of gpt-4o, 100 tokens in and 10 out."""

SUPPORT: Final = [
    Played(
        version="1.3" if number < 40 else "1.4",
        at_ms=number * MINUTE_MS // 2,
        lasts_ms=1000 + number,
        # Version 1.4 refunds in every run; half of that times out. Every twentieth run of either fails otherwise.
        tools=[("kb", None), *([("refund", "TimeoutError" if number % 2 else None)] if number >= 40 else [])],
        error="boom" if number % 20 == 0 else None,
        user=f"user-{number % 7}",
        session=f"session-{number % 10}",
        environment="production" if number % 4 else "staging",
    )
    for number in range(80)
]
OTHERS: Final = [
    Played(name=HOSTILE, model="house-model", at_ms=41 * MINUTE_MS, lasts_ms=5000, tools=[("kb", None)]),
    Played(name=HOSTILE, tokens=None, at_ms=42 * MINUTE_MS, lasts_ms=7000),
    Played(name="writer", version="2", at_ms=1000),
    Played(name="elsewhere", project="other"),
]
FLEET: Final = [*SUPPORT, *OTHERS]
MINE: Final = FLEET[:-1]
SINCE: Final = in_utc(time_of(START - 1_000_000_000))
HOURS: Final = {"since": "3h", "interval": "10m"}


@pytest.fixture(scope="module")
def fleet(migrated_stores: MigratedStores) -> Iterator[EmbeddedStore]:
    """A store in which the fleet has run."""
    with migrated_stores.taken() as store:
        load_prices(store)
        play(store, *FLEET)
        yield store


@pytest.fixture(scope="module")
def api(fleet: EmbeddedStore) -> Iterator[TestClient]:
    """A client of the API over the fleet."""
    with TestClient(app_over(fleet), base_url="http://127.0.0.1") as client:
        yield client


def told(api: TestClient, path: str, **parameters: Any) -> Any:
    answer = api.get(path, params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


def percentile(values: list[int], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


# Totals


def test_totals_are_those_of_the_runs(api: TestClient, fleet: EmbeddedStore) -> None:
    stats = told(api, "/v1/stats")
    (row,) = fleet.rows(
        "SELECT count(), countIf(Status = 'failure'), countIf(Status = 'partial'), sum(InputTokens), "
        "sum(BilledCostUSD), sum(Steps), sum(ToolCalls) FROM agent_runs FINAL WHERE Project = 'default'"
    )

    assert stats["runs"] == row[0] == len(MINE)
    assert (stats["statuses"]["failure"], stats["statuses"]["partial"]) == tuple(row[1:3])
    assert stats["failure_rate"] == row[1] / row[0]
    assert stats["tokens"] == {
        **dict.fromkeys(("cache_read", "cache_write", "reasoning")),
        "input": row[3],
        "output": row[3] // 10,
        "calls_without": 1,
    }
    assert stats["cost"] == {"billed_usd": f"{row[4].normalize():f}", "unpriced_calls": 1, "calls_without_usage": 1}
    assert Decimal(stats["cost"]["billed_usd"]) == 81 * COST_OF_A_CALL
    assert (stats["steps"], stats["tool_calls"], stats["llm_calls"]) == (row[5], row[6], len(MINE))
    assert (stats["sessions"], stats["users"], stats["agents"]) == (10, 7, 3)
    durations = [run.lasts_ms for run in MINE]
    assert stats["duration"] == {f"p{percent}_ms": percentile(durations, percent) for percent in (50, 95, 99)}
    assert stats["time_to_first_chunk"] == {"p50_ms": None, "p95_ms": None}


def test_the_greatest_are_told(api: TestClient) -> None:
    stats = told(api, "/v1/stats")

    assert [(one["agent"], one["runs"]) for one in stats["top_agents"]] == [
        ("support", 80),
        (HOSTILE, 2),
        ("writer", 1),
    ]
    assert [one["billed_usd"] for one in stats["top_agents"]] == ["0.028", None, "0.00035"]
    assert stats["top_tools"][0] == {"tool": "refund", "calls": 40, "errors": 20, "error_rate": 0.5}
    assert [(one["model"], one["calls"], one["billed_usd"]) for one in stats["top_models"]] == [
        ("gpt-4o", 82, "0.02835"),
        ("house-model", 1, None),
    ]
    assert stats["top_failures"][0] == {"type": "tool", "code": "timeout", "runs": 20}


def test_filters_choose_runs(api: TestClient) -> None:
    staging = told(api, "/v1/stats", environment="staging", tool="refund")

    assert staging["runs"] == 10
    assert [(one["tool"], one["calls"]) for one in staging["top_tools"]] == [("kb", 10), ("refund", 10)]
    assert told(api, "/v1/stats", project="other")["runs"] == 1


def test_of_nothing_nothing_is_known(api: TestClient) -> None:
    stats = told(api, "/v1/stats", since="2001-01-01", until="2001-01-02")

    assert (stats["runs"], stats["failure_rate"], stats["cost"]["billed_usd"]) == (0, None, None)
    assert (stats["duration"]["p95_ms"], stats["tokens"]["input"], stats["top_agents"]) == (None, None, [])
    assert api.get("/v1/stats", params={"since": "1h", "until": "2h"}).status_code == 422


# Series


def test_points_add_up_to_the_totals(api: TestClient) -> None:
    stats, answer = told(api, "/v1/stats"), told(api, "/v1/metrics", **HOURS)

    (series,) = answer["series"]
    metrics = series["metrics"]
    assert (answer["source"], answer["interval_s"], answer["groups_total"]) == ("runs", 600, 1)
    assert all(time.endswith("0:00Z") for time in answer["times"])
    assert {len(values) for values in metrics.values()} == {len(answer["times"])}
    assert sum(metrics["runs"]) == stats["runs"]
    assert sum(metrics["failures"]) == stats["statuses"]["failure"]
    assert sum(metrics["tool_calls"]) == stats["tool_calls"]
    assert sum(value or 0 for value in metrics["input_tokens"]) == stats["tokens"]["input"]
    assert sum(Decimal(value or 0) for value in metrics["cost_usd"]) == Decimal(stats["cost"]["billed_usd"])


def test_a_point_is_what_began_in_it(api: TestClient) -> None:
    answer = told(api, "/v1/metrics", **HOURS)
    metrics = answer["series"][0]["metrics"]

    for place, time in enumerate(answer["times"]):
        runs = [run for run in MINE if in_utc(time_of(_start_ns(run) // 600_000_000_000 * 600_000_000_000)) == time]
        assert metrics["runs"][place] == len(runs)
        if not runs:
            assert (metrics["failure_rate"][place], metrics["duration_p95_ms"][place]) == (None, None)
            assert (metrics["cost_usd"][place], metrics["retries"][place]) == ("0", 0)
        elif len(runs) > 1:
            lasting = [run.lasts_ms for run in runs]
            assert metrics["duration_p95_ms"][place] == pytest.approx(percentile(lasting, 95))


def _start_ns(run: Played) -> int:
    return START + run.at_ms * 1_000_000


@pytest.mark.parametrize("dimension", ["agent", "version", "environment", "status", "user", "session", "failure_code"])
@pytest.mark.parametrize("groups", [1, 3])
def test_groups_and_the_rest_add_up(api: TestClient, dimension: str, groups: int) -> None:
    whole = told(api, "/v1/metrics", **HOURS)["series"][0]["metrics"]
    answer = told(api, "/v1/metrics", **HOURS, group_by=dimension, groups=groups)
    series = answer["series"]

    assert len(series) == min(groups + 1, answer["groups_total"])
    assert [one["is_other"] for one in series] == [False] * (len(series) - 1) + [answer["groups_total"] > groups]
    sizes = [sum(one["metrics"]["runs"]) for one in series if not one["is_other"]]
    assert sizes == sorted(sizes, reverse=True)
    for name in ("runs", "failures", "tool_calls"):
        assert [sum(values) for values in zip(*(one["metrics"][name] for one in series), strict=True)] == whole[name]


def test_what_is_unknown_is_a_group_without_a_label(api: TestClient) -> None:
    series = told(api, "/v1/metrics", **HOURS, group_by="version")["series"]

    runs = {one["labels"]["version"]: sum(one["metrics"]["runs"]) for one in series}
    assert runs == {"1.3": 40, "1.4": 40, None: 2, "2": 1}


def test_two_dimensions_make_pairs(api: TestClient) -> None:
    series = told(api, "/v1/metrics", **HOURS, group_by=["version", "environment"], metric="runs", agent="support")[
        "series"
    ]

    assert {
        (one["labels"]["version"], one["labels"]["environment"]): sum(one["metrics"]["runs"]) for one in series
    } == {
        (version, environment): count
        for version in ("1.3", "1.4")
        for environment, count in (("production", 30), ("staging", 10))
    }


def test_calls_are_counted_by_tool_and_model(api: TestClient) -> None:
    tools = told(api, "/v1/metrics", **HOURS, group_by="tool")
    models = told(api, "/v1/metrics", **HOURS, group_by="model")

    assert tools["source"] == models["source"] == "steps"
    assert _calls(tools, "tool") == {"kb": (81, 0), "refund": (40, 20)}
    assert _calls(models, "model") == {"gpt-4o": (82, 0), "house-model": (1, 0)}
    costs = [Decimal(cost or 0) for one in models["series"] for cost in one["metrics"]["cost_usd"]]
    assert sum(costs) == 81 * COST_OF_A_CALL
    (refund,) = [one["metrics"] for one in tools["series"] if one["labels"]["tool"] == "refund"]
    assert refund["error_rate"] == [
        errors / calls if calls else None for errors, calls in zip(refund["errors"], refund["calls"], strict=True)
    ]


def _calls(answer: Any, dimension: str) -> dict[str, tuple[int, int]]:
    return {
        one["labels"][dimension]: (sum(one["metrics"]["calls"]), sum(one["metrics"]["errors"]))
        for one in answer["series"]
    }


def test_calls_are_told_by_what_their_runs_know(api: TestClient) -> None:
    refunds = told(api, "/v1/metrics", **HOURS, group_by=["agent", "tool"], tool="refund")
    in_staging = told(api, "/v1/metrics", **HOURS, metric="calls", environment="staging")

    assert [one["labels"] for one in refunds["series"]] == [{"agent": "support", "tool": "refund"}]
    assert sum(refunds["series"][0]["metrics"]["calls"]) == 40
    assert sum(in_staging["series"][0]["metrics"]["calls"]) == 20 + 20 + 10


@pytest.mark.parametrize(
    ("parameters", "status", "says"),
    [
        ({"interval": "1m", "since": "30d"}, 400, "2000 are told at most"),
        ({"interval": "1h", "since": "60d", "group_by": "user", "groups": 50}, 400, "more than 500000 values"),
        ({"group_by": "model", "metric": "failure_rate"}, 422, "failure_rate can not be told of steps by model"),
        ({"group_by": ["agent", "tool", "user"]}, 422, "group_by"),
        ({"group_by": "colour"}, 422, "group_by"),
        ({"since": "1h", "until": "2h"}, 422, "not before until"),
    ],
)
def test_what_can_not_be_told_is_refused(api: TestClient, parameters: Any, status: int, says: str) -> None:
    answer = api.get("/v1/metrics", params=parameters)

    assert answer.status_code == status, answer.text
    assert says in answer.json()["detail"]


@pytest.mark.parametrize("since", ["90s", "24h", "7d", "30d", "520w"])
def test_an_interval_is_found_for_any_time(api: TestClient, since: str) -> None:
    answer = told(api, "/v1/metrics", since=since, metric="runs")

    assert 1 <= len(answer["times"]) <= 200
    assert sum(answer["series"][0]["metrics"]["runs"]) == (len(MINE) if since != "90s" else 0)


def test_all_time_may_be_asked_for(api: TestClient) -> None:
    always = {"since": "1970-01-01", "metric": "calls", "group_by": ["agent", "tool"], "tool": "refund"}

    assert sum(told(api, "/v1/metrics", **always)["series"][0]["metrics"]["calls"]) == 40
    diff = told(api, "/v1/agents/support/versions/diff", before="1.3", after="1.4", since="1970-01-01")
    assert [tool["tool"] for tool in diff["tool_changes"]] == ["kb", "refund"]


def test_no_groups_are_told_of_an_empty_time(api: TestClient) -> None:
    when = {"since": "2001-01-01", "until": "2001-01-02", "metric": "runs"}

    assert sum(told(api, "/v1/metrics", **when)["series"][0]["metrics"]["runs"]) == 0
    assert told(api, "/v1/metrics", **when, group_by="agent")["series"] == []


# Agents


@pytest.mark.parametrize("sort", ["runs", "failure_rate", "duration_p95_ms", "cost_usd", "tokens", "last_seen", "name"])
@pytest.mark.parametrize("direction", ["", "-"])
def test_pages_hold_every_agent_once_in_order(api: TestClient, sort: str, direction: str) -> None:
    whole = [agent["name"] for agent in told(api, "/v1/agents", sort=direction + sort)["items"]]
    paged, cursor = [], None
    while True:
        page = told(api, "/v1/agents", sort=direction + sort, limit=1, **({"cursor": cursor} if cursor else {}))
        paged += [agent["name"] for agent in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break

    assert paged == whole
    assert sorted(whole) == sorted({run.name for run in MINE})
    assert whole == [
        agent["name"] for agent in reversed(told(api, "/v1/agents", sort=("" if direction else "-") + sort)["items"])
    ]


def test_agents_are_told_with_what_they_used(api: TestClient) -> None:
    support = told(api, "/v1/agents", agent="support")["items"][0]

    assert (support["runs"], support["version_count"]) == (80, 2)
    assert (support["environments"], support["models"], support["tools"]) == (
        ["production", "staging"],
        ["gpt-4o"],
        ["kb", "refund"],
    )
    assert support["last_seen_at"] == in_utc(time_of(_start_ns(SUPPORT[-1])))


def test_an_agent_is_told(api: TestClient) -> None:
    support = told(api, "/v1/agents/support")

    assert (support["runs"], sum(support["statuses"].values())) == (80, 80)
    assert (support["statuses"]["failure"], support["failure_rate"]) == (24, 24 / 80)
    assert support["top_failures"][0] == {"type": "tool", "code": "timeout", "runs": 20}
    assert [(version["key"], version["runs"]) for version in support["versions"]] == [("1.3", 40), ("1.4", 40)]


def test_a_name_may_be_anything(api: TestClient) -> None:
    here = next(agent for agent in told(api, "/v1/agents")["items"] if agent["name"] == HOSTILE)["links"]["self"]

    assert told(api, here)["runs"] == 2
    assert [version["key"] for version in told(api, f"{here}/versions")["items"]] == [""]
    assert sum(told(api, f"{here}/metrics", **HOURS)["series"][0]["metrics"]["runs"]) == 2
    assert told(api, "/v1/metrics", **HOURS, group_by="agent", agent=HOSTILE)["series"][0]["labels"] == {
        "agent": HOSTILE
    }


@pytest.mark.parametrize("rest", ["", "/versions", "/metrics", "/versions/diff?before=1&after=2"])
@pytest.mark.parametrize("name", ["nobody", "elsewhere"])
def test_an_agent_of_no_run_is_not_found(api: TestClient, name: str, rest: str) -> None:
    answer = api.get(f"/v1/agents/{name}{rest}")

    assert answer.status_code == 404
    assert f"agent '{name}' has no run in project default" in answer.json()["detail"]


def test_an_agent_without_runs_in_a_time_is_still_one(api: TestClient) -> None:
    quiet = told(api, "/v1/agents/support", since="2001-01-01", until="2001-01-02")

    assert (quiet["runs"], quiet["last_seen_at"], quiet["versions"], quiet["failure_rate"]) == (0, None, [], None)


# Versions


def test_versions_are_told_in_their_order(api: TestClient) -> None:
    old, new = told(api, "/v1/agents/support/versions")["items"]

    assert (old["version"], new["version"]) == ("1.3", "1.4")
    assert (old["tools"], new["tools"]) == (["kb"], ["kb", "refund"])
    assert (old["cost_per_run_usd"], old["tokens_per_run"], old["steps_per_run"]) == ("0.00035", 110, 2)
    assert new["steps_per_run"] == 3
    assert new["duration"]["p50_ms"] == statistics.median(run.lasts_ms for run in SUPPORT[40:])
    newest = told(api, "/v1/agents/support/versions", limit=1)
    assert ([version["key"] for version in newest["items"]], newest["versions_total"]) == (["1.4"], 2)


def test_the_difference_of_two_versions_is_told(api: TestClient) -> None:
    diff = told(api, "/v1/agents/support/versions/diff", before="1.3", after="1.4")

    assert (diff["runs_before"], diff["runs_after"]) == (40, 40)
    assert diff["tools"] == {"added": ["refund"], "removed": [], "kept": ["kb"]}
    assert diff["new_failure_codes"] == ["timeout"]
    kb, refund = diff["tool_changes"]
    assert (kb["tool"], kb["calls_per_run"]["before"], kb["calls_per_run"]["after"]) == ("kb", 1, 1)
    assert (kb["errors"]["before"]["total"], kb["errors"]["is_clear"]) == (40, False)
    assert refund["errors"]["after"] == {"count": 20, "total": 40, "rate": 0.5}
    # It was never called before, so there is nothing that its errors could be compared with.
    assert (refund["errors"]["before"]["rate"], refund["errors"]["low"]) == (None, None)
    assert refund["runs"]["is_clear"]
    assert (diff["cost_per_run_usd"]["difference"], diff["tokens_per_run"]["is_clear"]) == ("0", False)
    assert (diff["steps_per_run"]["before"], diff["steps_per_run"]["after"]) == (2, 3)
    assert "refund is called in 100 % of runs (40 of 40), was 0 % (0 of 40)" in diff["summary"]
    assert "a run takes 3 steps, was 2 steps" in diff["summary"]
    assert not [line for line in diff["summary"] if line.startswith(("kb", "gpt-4o"))]


def test_a_version_does_not_differ_from_itself(api: TestClient) -> None:
    diff = told(api, "/v1/agents/support/versions/diff", before="1.4", after="1.4")

    assert diff["summary"] == []
    assert diff["failure_rate"]["difference"] == 0


def test_a_version_that_did_not_run_is_named(api: TestClient) -> None:
    answer = api.get("/v1/agents/support/versions/diff", params={"before": "1.3", "after": "1.5"})

    assert answer.status_code == 404
    assert "no run of version '1.5'" in answer.json()["detail"]
