"""What is spent is what settled rows say, by whom, and a budget is held against it; the command says the same."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import pytest
from api_serving import serving
from click.testing import CliRunner, Result
from fastapi.testclient import TestClient

from agentvigil.cli.spending import spending
from agentvigil.storage.embedded import EmbeddedStore
from migrated_stores import MigratedStores
from served_api import app_over

BEGIN: Final = datetime(2026, 9, 29, tzinfo=UTC)
AT: Final = "2026-10-14T12:30:00Z"
DAYS: Final = 15
"""Up to the 13th of October; each has a run of three agents, at noon, and the 14th too."""

AGENTS: Final = {"dear": Decimal("3.5"), "cheap": Decimal("0.25"), "free": None}
RUN_COLUMNS: Final = (
    *("Project", "Timestamp", "RunId", "TraceId", "Version", "KeepDays", "Status", "RunName", "UserId"),
    *("BilledCostUSD", "UnpricedCalls", "Models"),
)
STEP_COLUMNS: Final = (
    *("Project", "Timestamp", "TraceId", "SpanId", "RunId", "Version", "KeepDays", "Operation", "Model", "Billed"),
    *("BilledCostUSD", "BillingNote"),
)
KEEP_DAYS: Final = 65_535


@pytest.fixture(scope="module")
def spent(migrated_stores: MigratedStores) -> Iterator[EmbeddedStore]:
    """A store with a month of runs that cost the same each day."""
    with migrated_stores.taken() as store:
        runs, steps = [], []
        for day in range(DAYS + 1):
            for name, cost in AGENTS.items():
                time, run = BEGIN + timedelta(days=day, hours=12), f"{name}-{day}"
                user = "" if name == "cheap" else f"user-{day % 2}"
                unpriced = int(cost is None)
                model = f"model-{name}"
                runs.append(("default", time, run, run, 1, KEEP_DAYS, "success", name, user, cost, unpriced, [model]))
                note = "no price" if cost is None else ""
                steps.append(("default", time, run, "s", run, 1, KEEP_DAYS, "chat", model, True, cost, note))
        store.insert_rows("agent_runs", RUN_COLUMNS, runs)
        store.insert_rows("agent_steps", STEP_COLUMNS, steps)
        # Whatever was settled again counts once.
        store.insert_rows("agent_runs", RUN_COLUMNS, [(*run[:4], 2, *run[5:]) for run in runs[-3:]])
        yield store


@pytest.fixture(scope="module")
def api(spent: EmbeddedStore) -> Iterator[TestClient]:
    with TestClient(app_over(spent), base_url="http://127.0.0.1") as client:
        yield client


def told(api: TestClient, code: int = 200, **parameters: Any) -> Any:
    answer = api.get("/v1/spending", params={"at": AT} | parameters)
    assert answer.status_code == code, answer.text
    return answer.json()


def test_a_month_is_summed_and_foretold(api: TestClient) -> None:
    """Fourteen days of 3.75 dollars are spent; seventeen more come. It was 3.75 on the days before, too."""
    found = told(api)

    assert (found["since"], found["until"], found["ends_at"]) == ("2026-10-01T00:00:00Z", AT, "2026-11-01T00:00:00Z")
    assert found["usd"] == "52.5"
    assert found["unpriced_calls"] == 14
    assert found["forecast"]["days"] == 15
    low, expected, high = (float(found["forecast"][name]) for name in ("low_usd", "usd", "high_usd"))
    assert low < 31 * 3.75 < high
    assert expected == pytest.approx(31 * 3.75, rel=0.08)
    assert found["budget"] is None


def test_it_is_told_by_whom(api: TestClient) -> None:
    found = told(api)

    assert found["by_agent"] == [
        {"name": "dear", "usd": "49", "share": pytest.approx(49 / 52.5)},
        {"name": "cheap", "usd": "3.5", "share": pytest.approx(3.5 / 52.5)},
    ]
    assert [(one["name"], one["usd"]) for one in found["by_model"]] == [("model-dear", "49"), ("model-cheap", "3.5")]
    assert [(one["name"], one["usd"]) for one in found["by_user"]] == [
        ("user-0", "24.5"),
        ("user-1", "24.5"),
        (None, "3.5"),
    ]
    assert [one["name"] for one in told(api, top=1)["by_agent"]] == ["dear"]


def test_filters_choose(api: TestClient) -> None:
    assert told(api, agent="cheap")["usd"] == "3.5"
    assert told(api, agent=["cheap", "free"])["usd"] == "3.5"
    assert told(api, user="user-1")["usd"] == "24.5"
    of_model = told(api, model="model-dear")
    assert (of_model["usd"], [one["name"] for one in of_model["by_model"]]) == ("49", ["model-dear"])
    assert told(api, model="model-free")["unpriced_calls"] == 14
    nothing = told(api, agent="nobody")
    assert (nothing["usd"], nothing["forecast"], nothing["by_agent"]) == ("0", None, [])


def test_a_day_is_a_period_too(api: TestClient) -> None:
    found = told(api, period="day")

    assert (found["since"], found["ends_at"]) == ("2026-10-14T00:00:00Z", "2026-10-15T00:00:00Z")
    # The hour that goes on counts for what was spent.
    assert found["usd"] == "3.75"
    assert float(found["forecast"]["low_usd"]) >= 3.75


def test_a_budget_stands_where_it_stands(api: TestClient) -> None:
    enough, tight, over = (told(api, budget_usd=usd)["budget"] for usd in (210, 100, 50))

    assert (enough["used"], enough["is_over"], enough["used_up_at"]) == (0.25, False, None)
    assert enough["probability_over"] < 0.1
    assert (tight["is_over"], tight["used_up_at"][:8]) == (False, "2026-10-")
    assert tight["probability_over"] > 0.5
    assert (over["is_over"], over["probability_over"]) == (True, 1.0)
    assert "greater than 0" in told(api, 422, budget_usd=0)["detail"]


def test_the_command_says_the_same_and_ends_as_the_budget_does(api: TestClient, spent: EmbeddedStore) -> None:
    with serving(app_over(spent)) as port:

        def run(*arguments: str) -> Result:
            where = ("--url", f"http://127.0.0.1:{port}", "--at", AT)
            return CliRunner().invoke(spending, [*arguments, *where])

        printed = run("--json", "--agent", "dear")
        assert json.loads(printed.stdout) == told(api, agent="dear")
        lines = run()
        assert lines.stdout.splitlines()[0] == "by\tname\tusd\tshare"
        assert lines.stdout.splitlines()[1].startswith("agent\tdear\t49\t0.93")
        assert "$52.50 since 2026-10-01; " in lines.stderr
        assert "14 calls have no price" in lines.stderr
        codes = {
            arguments: run(*arguments).exit_code
            for arguments in (
                ("--budget", "210", "--fail-on", "likely"),
                ("--budget", "100"),
                ("--budget", "100", "--fail-on", "likely"),
                ("--budget", "50"),
                ("--budget", "50", "--fail-on", "never"),
                ("--budget", "much"),
            )
        }
        assert list(codes.values()) == [0, 0, 1, 1, 0, 2]
