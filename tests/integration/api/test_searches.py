"""Saved queries answer what their list would, and only what can be asked is saved."""

import json
from typing import Any

import pytest
from agent_traces import agent, receive, run_of, settle_traces
from fastapi.testclient import TestClient

from agentvigil.storage.embedded import EmbeddedStore

HOSTILE = "it's \"\\ \n\0 \u2028 =1+1 {x:String} {{rows}} '; DROP TABLE agent_runs"


@pytest.fixture
def runs(store: EmbeddedStore) -> None:
    """Three runs, the third of which failed, and one of another project."""
    names = ("a", HOSTILE, "a")
    spans = [
        agent(1, trace=number, name=name, start=number * 1000, error="x" if number == 3 else None)
        for number, name in enumerate(names, 1)
    ]
    receive(store, *spans, agent(1, project="other"))
    settle_traces(store, {**{("default", number): True for number in (1, 2, 3)}, ("other", 1): True})


def save(client: TestClient, name: str, resource: str = "runs", project: str = "default", **parameters: Any) -> Any:
    saving = {"resource": resource, "parameters": parameters}
    return client.put(f"/v1/queries/{name}", json=saving, params={"project": project})


ASKED: list[dict[str, Any]] = [
    {},
    {"agent": "a", "sort": "started_at", "limit": 1},
    {"agent": ["a", HOSTILE], "status": "success", "since": "24h"},
    {"agent": HOSTILE},
    {"min_duration_ms": 0.5, "max_cost_usd": 3, "status": ["failure"]},
]


@pytest.mark.usefixtures("runs")
def test_results_are_those_of_the_list(client: TestClient) -> None:
    for number, parameters in enumerate(ASKED):
        assert save(client, f"mine-{number}", **parameters).status_code == 200

        listed = client.get("/v1/runs", params=parameters).json()
        found = client.get(f"/v1/queries/mine-{number}/results").json()

        assert [run["id"] for run in found["items"]] == [run["id"] for run in listed["items"]], parameters
        assert found["items"] == listed["items"], parameters
        assert (found["next_cursor"] is None) == (listed["next_cursor"] is None), parameters


@pytest.mark.usefixtures("runs")
def test_other_lists_are_saved_too(client: TestClient) -> None:
    parameters = {"since": "2026-01-01", "until": "2100-01-01"}
    for resource in ("traces", "sessions", "agents", "metrics", "feedback"):
        assert save(client, resource, resource, **parameters).status_code == 200

        listed = client.get(f"/v1/{resource}", params=parameters)
        found = client.get(f"/v1/queries/{resource}/results")
        assert found.json().keys() == listed.json().keys(), resource
        if resource == "metrics":
            assert client.get(f"/v1/queries/{resource}/results?limit=1").status_code == 400
        else:
            assert found.json()["items"] == listed.json()["items"], resource


@pytest.mark.usefixtures("runs")
def test_pages_go_on_by_cursor_and_limit(client: TestClient) -> None:
    save(client, "mine", sort="started_at")

    first = client.get("/v1/queries/mine/results?limit=2").json()
    second = client.get(f"/v1/queries/mine/results?limit=2&cursor={first['next_cursor']}").json()

    assert [run["id"] for run in first["items"] + second["items"]] == [run_of(number, 1) for number in (1, 2, 3)]
    assert client.get("/v1/queries/mine/results?cursor=abc").status_code == 400


def test_they_are_told_replaced_and_taken_away(client: TestClient) -> None:
    first = save(client, "b", agent="x", since="7d").json()
    save(client, "a", "feedback", min_score=0.5)
    again = save(client, "b", agent=["y"]).json()

    assert first["parameters"] == {"agent": ["x"], "since": "7d"}
    assert (again["parameters"], again["created_at"]) == ({"agent": ["y"]}, first["created_at"])
    assert [query["name"] for query in client.get("/v1/queries").json()["items"]] == ["a", "b"]
    assert client.get("/v1/queries/b").json() == again
    assert client.get("/v1/queries/a/results").json() == {"items": [], "next_cursor": None}

    assert client.delete("/v1/queries/b").status_code == 204
    assert client.get("/v1/queries/b").status_code == 404
    assert client.get("/v1/queries/b/results").status_code == 404
    assert client.delete("/v1/queries/b").status_code == 404
    assert save(client, "b").status_code == 200


@pytest.mark.parametrize(
    ("resource", "parameters"),
    [
        ("keys", {}),
        ("runs", {"colour": "red"}),
        ("runs", {"limit": 5000}),
        ("runs", {"sort": "name"}),
        ("runs", {"cursor": "abc"}),
        ("runs", {"project": "other"}),
        ("runs", {"since": "yesterday"}),
        ("runs", {"agent": "x" * 1001}),
        ("runs", {"agent": {"a": 1}}),
        ("runs", {"agent": ["x" * 1000] * 20}),
        ("runs", {"agent": "\ud800"}),
        ("feedback", {"min_score": "nan"}),
    ],
)
def test_what_can_not_be_asked_is_not_saved(client: TestClient, resource: str, parameters: dict[str, Any]) -> None:
    saving = json.dumps({"resource": resource, "parameters": parameters})
    answer = client.put("/v1/queries/mine", content=saving, headers={"Content-Type": "application/json"})

    assert answer.status_code == 422, answer.text
    assert client.get("/v1/queries").json()["items"] == []


def test_a_name_is_a_label(client: TestClient) -> None:
    for name in ("two words", "x" * 65, "=1", "é"):
        assert save(client, name).status_code == 422
    assert save(client, "a/b").status_code in (404, 405)


def test_one_that_can_not_be_asked_any_more_says_so(client: TestClient, store: EmbeddedStore) -> None:
    """A later release may have renamed what was saved."""
    store.command(
        "INSERT INTO agentvigil_saved_queries (Project, Name, Resource, Parameters, Version) "
        """VALUES ('default', 'old', 'runs', '{"gone": "x"}', 1)"""
    )

    answer = client.get("/v1/queries/old/results")

    assert answer.status_code == 409
    assert "parameters.gone" in answer.json()["detail"]


@pytest.mark.usefixtures("runs")
def test_each_project_has_its_own(client: TestClient) -> None:
    save(client, "mine", agent="a")
    save(client, "mine", project="other", sort="started_at")

    assert len(client.get("/v1/queries/mine/results").json()["items"]) == 2
    (run,) = client.get("/v1/queries/mine/results?project=other").json()["items"]
    assert (run["id"], run["project"]) == (run_of(1, 1), "other")
    client.delete("/v1/queries/mine?project=other")
    assert client.get("/v1/queries/mine").status_code == 200
