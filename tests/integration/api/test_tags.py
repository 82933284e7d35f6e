"""Tags: given, taken off, counted, filtered by, and never another project's."""

import pytest
from agent_traces import agent, receive, run_of, settle, settle_traces
from fastapi.testclient import TestClient

from agentvigil.storage.embedded import EmbeddedStore

RUN = run_of(1, 1)


@pytest.fixture
def run(store: EmbeddedStore) -> None:
    receive(store, agent(1))
    settle(store, final=True)


@pytest.mark.usefixtures("run")
def test_tags_are_given_and_taken_off(client: TestClient) -> None:
    assert client.put(f"/v1/runs/{RUN}/tags/to-review").json() == {"run_id": RUN, "tags": ["to-review"]}
    assert client.put(f"/v1/runs/{RUN}/tags/team/a").json()["tags"] == ["team/a", "to-review"]
    assert client.put(f"/v1/runs/{RUN}/tags/to-review").json()["tags"] == ["team/a", "to-review"]
    assert client.get(f"/v1/runs/{RUN}").json()["tags"] == ["team/a", "to-review"]
    assert [run["id"] for run in client.get("/v1/runs?tag=team/a").json()["items"]] == [RUN]

    assert client.delete(f"/v1/runs/{RUN}/tags/team/a").json()["tags"] == ["to-review"]
    assert client.delete(f"/v1/runs/{RUN}/tags/team/a").json()["tags"] == ["to-review"]
    assert client.get("/v1/runs?tag=team/a").json()["items"] == []
    assert client.put(f"/v1/runs/{RUN}/tags/team/a").json()["tags"] == ["team/a", "to-review"]


@pytest.mark.usefixtures("run")
def test_a_tag_is_a_label(client: TestClient, store: EmbeddedStore) -> None:
    for tag in ("two words", "=1+1", "x" * 65, "a'b", "é", "a%00"):
        assert client.put(f"/v1/runs/{RUN}/tags/{tag}").status_code == 422, tag
    assert store.rows("SELECT count() FROM agentvigil_run_tags") == [(0,)]


@pytest.mark.usefixtures("run")
def test_a_run_has_at_most_fifty(client: TestClient) -> None:
    for number in range(50):
        assert client.put(f"/v1/runs/{RUN}/tags/t{number}").status_code == 200
    assert client.put(f"/v1/runs/{RUN}/tags/t50").status_code == 409
    assert client.put(f"/v1/runs/{RUN}/tags/t49").status_code == 200
    client.delete(f"/v1/runs/{RUN}/tags/t0")
    assert client.put(f"/v1/runs/{RUN}/tags/t50").status_code == 200


def test_they_are_counted_page_by_page_in_their_project(client: TestClient, store: EmbeddedStore) -> None:
    receive(store, agent(1), agent(1, trace=2), agent(1, project="other"))
    settle_traces(store, {("default", 1): True, ("default", 2): True, ("other", 1): True})
    for run, tag, project in ((1, "a", "default"), (2, "a", "default"), (2, "b", "default"), (1, "c", "other")):
        assert client.put(f"/v1/runs/{run_of(run, 1)}/tags/{tag}?project={project}").status_code == 200

    first = client.get("/v1/tags?limit=1").json()
    second = client.get(f"/v1/tags?limit=1&cursor={first['next_cursor']}").json()

    assert first["items"] + second["items"] == [{"tag": "a", "runs": 2}, {"tag": "b", "runs": 1}]
    assert second["next_cursor"] is None
    assert client.get("/v1/tags?project=other").json()["items"] == [{"tag": "c", "runs": 1}]
    assert client.get(f"/v1/runs/{RUN}").json()["tags"] == ["a"]
    assert client.get(f"/v1/runs/{RUN}?project=other").json()["tags"] == ["c"]


@pytest.mark.usefixtures("run")
def test_what_is_not_there_gets_none(client: TestClient, store: EmbeddedStore) -> None:
    assert client.put("/v1/runs/nothing/tags/a").status_code == 404
    assert client.delete("/v1/runs/nothing/tags/a").status_code == 404
    assert client.put(f"/v1/runs/{RUN}/tags/a?project=other").status_code == 404
    assert store.rows("SELECT count() FROM agentvigil_run_tags") == [(0,)]


@pytest.mark.usefixtures("run")
def test_a_tag_is_kept_as_long_as_its_run(client: TestClient, store: EmbeddedStore) -> None:
    client.put(f"/v1/runs/{RUN}/tags/a")

    assert store.rows("SELECT KeepDays FROM agentvigil_run_tags") == store.rows("SELECT KeepDays FROM agent_runs")
