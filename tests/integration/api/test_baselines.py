"""Baselines are pinned, and versions compared, over the API; the commands say the same and end as CI needs it."""

import json
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
from agent_fleets import MINUTE_MS, Played, play
from agent_traces import START
from api_serving import serving
from click.testing import CliRunner, Result
from fastapi.testclient import TestClient

from agentvigil.api.amounts import time_of
from agentvigil.api.times import in_utc
from agentvigil.cli.baselines import baseline
from agentvigil.cli.comparing import compare
from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.prices.loading import load_prices
from migrated_stores import MigratedStores
from served_api import app_over

SUPPORT: Final = "support"
RUNS: Final = 180
FLEET: Final = [
    *(
        Played(
            version="1.3" if number % 2 else "1.4",
            at_ms=number * MINUTE_MS // 10,
            lasts_ms=1000,
            # A third of 1.4 fails, and one in thirty of 1.3.
            tools=[("refund", "TimeoutError" if number % (6 if number % 2 == 0 else 60) in (0, 1) else None)],
            environment="production",
        )
        for number in range(RUNS)
    ),
    *(Played(name="both", version="1", environment=where, at_ms=1000) for where in ("production", "staging")),
    Played(name="both", version="2", environment="staging", at_ms=2000),
]
_Run = Callable[..., Result]


@pytest.fixture(scope="module")
def fleet(migrated_stores: MigratedStores) -> Iterator[EmbeddedStore]:
    """A store in which two versions ran; the second fails more."""
    with migrated_stores.taken() as store:
        load_prices(store)
        play(store, *FLEET)
        yield store


@pytest.fixture(scope="module")
def api(fleet: EmbeddedStore) -> Iterator[TestClient]:
    """A client of the API over the fleet."""
    with TestClient(app_over(fleet), base_url="http://127.0.0.1") as client:
        yield client


@pytest.fixture(scope="module")
def run(fleet: EmbeddedStore) -> Iterator[_Run]:
    """Runs a command against a server with the fleet."""
    with serving(app_over(fleet)) as port:

        def invoke(command: Any, *arguments: str) -> Result:
            return CliRunner().invoke(command, [*arguments, "--url", f"http://127.0.0.1:{port}"])

        yield invoke


@pytest.fixture
def pins(fleet: EmbeddedStore) -> Iterator[None]:
    """Nothing stays pinned."""
    yield
    fleet.command("TRUNCATE TABLE agent_baselines")


def told(api: TestClient, **parameters: str) -> Any:
    return answered(api, 200, parameters)


def answered(api: TestClient, code: int, parameters: dict[str, str]) -> Any:
    answer = api.get("/v1/compare", params=parameters)
    assert answer.status_code == code, answer.text
    return answer.json()


def put(api: TestClient, name: str, code: int = 200, **body: Any) -> Any:
    answer = api.put(f"/v1/baselines/{name}", json={"agent": SUPPORT, "environment": "production"} | body)
    assert answer.status_code == code, answer.text
    return answer.json()


def feature(comparison: Any, name: str) -> Any:
    return next(one for one in comparison["features"] if one["feature"] == name)


# Comparing


def test_a_version_that_fails_more_is_worse(api: TestClient) -> None:
    """Its runs began this hour or the last: nobody has counted them before."""
    found = told(api, agent=SUPPORT, a="1.3", b="1.4")

    assert (found["verdict"], found["severity"]) == ("worse", "critical")
    assert (found["before"]["runs"], found["after"]["runs"]) == (RUNS // 2, RUNS // 2)
    assert (found["before"]["label"], found["environment"]) == ("version 1.3", "production")
    status = feature(found, "status")["changes"][0]
    assert (status["verdict"], status["direction"]) == ("worse", "up")
    assert (status["before"], status["after"]) == (3 / 90, 30 / 90)
    assert status["within"] == pytest.approx(0.3)
    assert status["low"] < 0.3 < status["high"]
    assert status["e_value"] >= status["threshold"]
    assert {feature(found, name)["verdict"] for name in ("cost", "duration", "steps")} == {"same"}
    assert found["summary"][0].startswith("critical: ")
    assert found["failed_runs_per_day"] > 0
    assert found["hours_not_counted"] == 0


def test_the_other_way_round_it_is_better(api: TestClient) -> None:
    found = told(api, agent=SUPPORT, a="1.4", b="1.3")

    assert (found["verdict"], found["severity"]) == ("better", None)
    assert feature(found, "status")["changes"][0]["within"] == pytest.approx(-0.3)


def test_versions_that_are_not_said_are_the_newest_and_the_one_before(api: TestClient) -> None:
    found = told(api, agent="both", environment="staging")

    assert (found["before"]["version"], found["after"]["version"]) == ("1", "2")
    assert feature(found, "status")["verdict"] == "too_few_runs"
    assert feature(found, "duration")["more_runs_after"] == 29


def test_what_can_not_be_compared_is_said(api: TestClient) -> None:
    for code, said, words in (
        (404, {"agent": "nobody"}, "no finished run"),
        (404, {"agent": SUPPORT, "a": "0.9", "b": "1.4"}, "no finished run for version 0.9"),
        (404, {"agent": SUPPORT, "since": "1d", "before_since": "9d"}, "no finished run for the time from 20"),
        (404, {"agent": SUPPORT, "baseline": "nothing"}, "no baseline 'nothing'"),
        (404, {"agent": "both", "environment": "production"}, "nothing to compare version 1 with"),
        (422, {"agent": "both"}, "several environments: production, staging"),
        (422, {"agent": SUPPORT, "a": "1.3", "b": "1.3"}, "nothing to compare"),
        (422, {"agent": SUPPORT, "a": "1.3", "baseline": "x"}, "said twice"),
        (422, {"agent": SUPPORT, "since": "2026-01-02", "until": "2026-01-01"}, "no hour"),
        (422, {"agent": SUPPORT, "since": "1d", "before_since": "7d", "before_until": "1h"}, "overlap"),
        (400, {"agent": SUPPORT, "since": "3000d"}, "most to compare"),
    ):
        assert words in answered(api, code, said)["detail"], said


# Baselines


def test_what_is_pinned_is_compared_with(api: TestClient, pins: None) -> None:
    pinned = put(api, "good", version="1.3", until=in_utc(time_of(START + 7_200_000_000_000)))

    assert (pinned["name"], pinned["version"], pinned["since"]) == ("good", "1.3", None)
    assert api.get("/v1/baselines", params={"agent": SUPPORT}).json()["items"] == [pinned]
    assert api.get("/v1/baselines", params={"agent": "other"}).json()["items"] == []
    for said in ({"baseline": "good", "b": "1.4"}, {"b": "1.4"}):
        found = told(api, agent=SUPPORT, **said)
        assert (found["before"]["baseline"], found["before"]["runs"]) == ("good", RUNS // 2)
        assert (found["after"]["version"], found["verdict"]) == ("1.4", "worse")
    assert told(api, agent=SUPPORT, a="1.4", b="1.3")["before"]["baseline"] is None


def test_pinning_anew_takes_the_place_and_dropping_takes_away(api: TestClient, pins: None) -> None:
    put(api, "one", version="1.3")
    again = put(api, "one", since="2026-01-01T00:00:00Z", until="2026-01-15T00:30:00Z")

    assert (again["version"], again["since"], again["until"]) == (None, "2026-01-01T00:00:00Z", "2026-01-15T00:00:00Z")
    assert api.get("/v1/baselines").json()["items"] == [again]
    where = {"agent": SUPPORT, "environment": "production"}
    assert api.delete("/v1/baselines/one", params={"agent": SUPPORT}).status_code == 404
    assert api.delete("/v1/baselines/one", params=where).json() == again
    assert api.delete("/v1/baselines/one", params=where).status_code == 404
    assert api.get("/v1/baselines").json()["items"] == []


def test_the_newest_of_several_holds(api: TestClient, pins: None) -> None:
    put(api, "z-first", version="1.4")
    put(api, "a-second", version="1.3")

    assert [one["name"] for one in api.get("/v1/baselines").json()["items"]] == ["a-second", "z-first"]
    assert told(api, agent=SUPPORT, b="1.4")["before"]["baseline"] == "a-second"


def test_no_hour_is_no_baseline(api: TestClient) -> None:
    assert "no whole hour" in put(api, "x", 422, since="2026-01-01", until="2026-01-01")["detail"]
    assert put(api, "no spaces", 422)["status"] == 422


# Commands


def test_the_exit_code_says_whether_it_got_worse(run: _Run, api: TestClient) -> None:
    for code, arguments in (
        (1, (SUPPORT, "1.3", "1.4")),
        (1, (SUPPORT, "1.3", "1.4", "--fail-on", "critical")),
        (0, (SUPPORT, "1.3", "1.4", "--fail-on", "never")),
        (0, (SUPPORT, "1.4", "1.3", "--fail-on", "minor")),
        (1, (SUPPORT, "1.4", "1.3", "--fail-on", "change")),
        (2, (SUPPORT, "0.9", "1.4")),
        (2, (SUPPORT, "1.3", "1.4", "--baseline", "x")),
        (2, (SUPPORT, "1.3", "1.4", "--fail-on", "everything")),
        (2, (SUPPORT, "1.3", "1.4", "--since", "yesterday")),
    ):
        result = run(compare, *arguments)
        assert result.exit_code == code, (arguments, result.output)


def test_without_an_answer_nothing_is_said_to_be_worse() -> None:
    result = CliRunner().invoke(compare, [SUPPORT, "1.3", "1.4", "--url", "http://127.0.0.1:9"])

    assert result.exit_code == 2
    assert "no answer" in result.stderr


def test_what_is_printed_is_the_apis(run: _Run, api: TestClient) -> None:
    said = {"agent": SUPPORT, "a": "1.3", "b": "1.4", "since": "30d"}

    printed = run(compare, SUPPORT, "1.3", "1.4", "--json")
    lines = run(compare, SUPPORT, "1.3", "1.4")

    assert json.loads(printed.stdout) == told(api, **said)
    head, *rows = (line.split("\t") for line in lines.stdout.splitlines())
    table = [dict(zip(head, row, strict=True)) for row in rows]
    assert [row["feature"] for row in table if row["verdict"] == "worse"] == [
        "status",
        "failure",
        "tool_error",
        "context",
    ]
    assert {row["verdict"] for row in table[4:]} <= {"same", "too_few_runs"}
    assert "critical: status failure: 3.3 % -> 33 %, +30 points" in lines.stderr


def test_baselines_are_pinned_listed_and_dropped(run: _Run, pins: None) -> None:
    where = ("--environment", "production")

    pinned = run(baseline, "pin", SUPPORT, "--version", "1.3", *where)
    listed = run(baseline, "list", SUPPORT)
    compared = run(compare, SUPPORT, "1.4", "--baseline", "1.3", "--json")
    dropped = run(baseline, "drop", SUPPORT, "1.3", *where)
    again = run(baseline, "drop", SUPPORT, "1.3", *where)

    assert (pinned.exit_code, pinned.stdout) == (0, "")
    assert pinned.stderr.startswith("1.3: runs of version 1.3, up to ")
    assert listed.stdout.splitlines()[1].split()[:4] == ["1.3", SUPPORT, "production", "1.3"]
    assert (compared.exit_code, json.loads(compared.stdout)["before"]["runs"]) == (1, RUNS // 2)
    assert (dropped.exit_code, again.exit_code) == (0, 1)
    assert "no baseline '1.3'" in again.stderr
    assert "nothing is pinned" in run(baseline, "list").stderr


def test_where_an_agent_runs_need_not_be_said_if_that_is_one_place(run: _Run, pins: None) -> None:
    """What is pinned for another place, another agent or a version that never ran would be compared with nothing."""
    pinned = run(baseline, "pin", SUPPORT, "--version", "1.3")
    assert (pinned.exit_code, pinned.stderr.rstrip().endswith("of support in production")) == (0, True)
    assert "no run of version 9" in run(baseline, "pin", SUPPORT, "--version", "9").stderr
    unclear, unknown = run(baseline, "pin", "both"), run(baseline, "pin", "nobody")
    assert (unclear.exit_code, unknown.exit_code) == (2, 1)
    assert "both runs in several environments: production, staging; say which with --environment" in unclear.stderr
    assert "agent 'nobody' has no run" in unknown.stderr

    assert run(baseline, "drop", SUPPORT, "1.3").exit_code == 0
    for where in ("production", "staging"):
        assert run(baseline, "pin", "both", "--name", "b", "--environment", where).exit_code == 0
    assert "in several environments" in run(baseline, "drop", "both", "b").stderr
    assert run(baseline, "drop", "both", "b", "--environment", "staging").exit_code == 0
    assert run(baseline, "drop", "both", "b").exit_code == 0
