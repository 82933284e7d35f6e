"""Where the time of runs goes, and what of it grew, is what can be computed by hand."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import numpy as np
import pytest
from anomaly_runs import LOOKUP, SEARCH, THOUGHT, TODAY, Made, Ran, write
from fastapi.testclient import TestClient

from migrated_stores import MigratedStores
from served_api import app_over

BEFORE: Final = [
    Ran(number, (THOUGHT, LOOKUP, SEARCH, THOUGHT), TODAY - timedelta(hours=1 + number)) for number in range(60)
]
SLOW: Final = replace(SEARCH, seconds=2.5)
NOW: Final = [
    Ran(
        100 + number,
        # Every second run searches slowly, and every fourth asks another tool too.
        (THOUGHT, SLOW if number % 2 else SEARCH, *([Made(tool="mail", seconds=1.0)] if number % 4 == 0 else [])),
        TODAY + timedelta(minutes=10 * number),
    )
    for number in range(100)
]
OTHERS: Final = [
    Ran(300, (replace(SEARCH, seconds=1000),), TODAY + timedelta(hours=1), agent="other"),
    Ran(301, (replace(SEARCH, seconds=1000),), TODAY + timedelta(hours=1), project="other"),
    Ran(302, (replace(SEARCH, seconds=1000),), TODAY + timedelta(hours=1), status="open"),
    Ran(303, (THOUGHT,), TODAY + timedelta(hours=1), agent="a/b", environment="staging"),
]
DAY: Final = {"since": TODAY.isoformat(), "until": (TODAY + timedelta(days=1)).isoformat()}


@pytest.fixture(scope="module")
def api(migrated_stores: MigratedStores) -> Iterator[TestClient]:
    """A client of the API over two days of an agent."""
    with migrated_stores.taken() as store:
        write(store, *BEFORE, *NOW, *OTHERS)
        with TestClient(app_over(store), base_url="http://127.0.0.1") as client:
            yield client


def told(api: TestClient, agent: str = "support", **asked: Any) -> Any:
    answer = api.get(f"/v1/agents/{agent}/latency", params=DAY | asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_percentiles_are_those_of_all_runs(api: TestClient) -> None:
    answer = told(api)

    durations = [run.seconds * 1000 for run in NOW]
    assert (answer["now"]["runs"], answer["now"]["sampled_runs"], answer["before"]["runs"]) == (100, 100, 24)
    assert answer["now"]["duration"] == {
        "max_ms": max(durations),
        **{f"p{percent}_ms": pytest.approx(np.percentile(durations, percent)) for percent in (50, 75, 90, 95, 99)},
    }
    assert answer["now"]["time_to_first_chunk"]["p95_ms"] == 250
    assert answer["now"]["since"] == answer["before"]["until"]


def test_the_critical_path_adds_up(api: TestClient) -> None:
    path = told(api)["now"]["critical_path"]

    assert sum(kind["share"] for kind in path.values()) == pytest.approx(1)
    assert path["model"]["mean_ms"] == pytest.approx(1000)
    assert path["tool"]["mean_ms"] == pytest.approx(1500 + 250)
    assert path["retrieval"] == {"mean_ms": 0, "share": 0}


def test_the_slowest_steps_come_first_and_add_up(api: TestClient) -> None:
    answer = told(api)

    slowest = answer["slowest"]
    assert [(one["kind"], one["name"]) for one in slowest] == [
        ("tool", "search"),
        ("model", "gpt-4o"),
        ("tool", "mail"),
        ("agent", ""),
    ]
    assert sum(one["share"] for one in slowest) == pytest.approx(1)
    assert slowest[0]["now"] == {
        "steps_per_run": 1,
        "runs_with_it": 1,
        "ms_per_run": pytest.approx(1500),
        "p50_ms": pytest.approx(1500),
        "p95_ms": pytest.approx(2500),
    }
    assert (slowest[2]["now"]["runs_with_it"], slowest[2]["before"]) == (0.25, None)


def test_what_grew_is_told_with_how_sure_it_is(api: TestClient) -> None:
    """Against two days before, which have enough runs for an interval."""
    long_before = {"before_since": (TODAY - timedelta(days=3)).isoformat()}
    answer = told(api, **long_before)

    assert answer["before"]["runs"] == 60
    assert [one["name"] for one in answer["grew_most"]] == ["search", "mail"]
    growth = answer["grew_most"][0]["growth"]
    assert growth["ms_per_run"] == pytest.approx(1000)
    assert 750 < growth["low_ms"] < 1000 < growth["high_ms"] < 1250
    assert growth["is_clear"]
    less = {one["name"]: one["growth"]["ms_per_run"] for one in answer["slowest"]}
    assert less["gpt-4o"] == pytest.approx(-1000)
    few = told(api)["grew_most"][0]["growth"]
    assert (few["low_ms"], few["is_clear"]) == (None, False)


def test_filters_choose_runs(api: TestClient) -> None:
    assert told(api, tool="mail")["now"]["runs"] == 25
    assert told(api, environment="staging")["now"]["runs"] == 0
    assert told(api, "a/b", environment="staging")["slowest"][0]["name"] == "gpt-4o"


def test_of_nothing_nothing_is_known(api: TestClient) -> None:
    answer = told(api, since="2001-01-01", until="2001-01-02")

    assert (answer["now"]["runs"], answer["now"]["duration"]["p95_ms"], answer["slowest"]) == (0, None, [])
    assert answer["now"]["critical_path"]["model"] == {"mean_ms": None, "share": None}
    assert api.get("/v1/agents/nobody/latency").status_code == 404
    assert api.get("/v1/agents/support/latency", params={"since": "1h", "until": "2h"}).status_code == 422


def test_where_there_are_many_runs_some_hours_are_looked_at(api: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agentvigil.api.latency.reading._MOST_RUNS", 20)
    answer = told(api)

    assert answer["now"]["runs"] == 100
    assert 20 <= answer["now"]["sampled_runs"] < 40
    assert sum(one["share"] for one in answer["slowest"]) == pytest.approx(1)
    assert answer["slowest"] == told(api)["slowest"]
