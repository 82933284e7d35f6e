"""Findings over HTTP: what detectors said is told whole, and what people say of it stays."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from agent_traces import agent, receive, settle
from fastapi.testclient import TestClient

from agentvigil.analysis.findings.book import FindingsBook
from agentvigil.analysis.findings.finding import Finding
from agentvigil.analysis.findings.model import Kind, Observation, Resolution, Severity, SubjectType
from agentvigil.storage.access import KeyBook, Scope
from agentvigil.storage.embedded import EmbeddedStore
from migrated_stores import MigratedStores
from observations import at, observation
from served_api import app_over

_FOUND = at(500)


@pytest.fixture(scope="module")
def store(migrated_stores: MigratedStores) -> Iterator[EmbeddedStore]:
    """One store for all tests of this file: each has a project of its own."""
    with migrated_stores.taken() as store:
        yield store


@pytest.fixture(scope="module")
def client(store: EmbeddedStore) -> Iterator[TestClient]:
    with TestClient(app_over(store), base_url="http://127.0.0.1") as client:
        yield client


@pytest.fixture
def project(request: pytest.FixtureRequest) -> str:
    return str(request.node.originalname)[:64]


class Asking:
    """The API about one project."""

    def __init__(self, client: TestClient, project: str) -> None:
        self.client, self.project = client, project

    def get(self, path: str, **params: Any) -> Any:
        answer = self.client.get(f"/v1/{path}", params={"project": self.project, **params})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ids(self, path: str = "findings", **params: Any) -> list[str]:
        return [one["id"] for one in self.get(path, **params)["items"]]

    def act(self, finding: Finding, act: str, body: Any = None, status: int = 200) -> Any:
        answer = self.client.post(f"/v1/findings/{finding.id}/{act}", params={"project": self.project}, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()


@pytest.fixture
def api(client: TestClient, project: str) -> Asking:
    return Asking(client, project)


class Finds:
    """Detectors that say something in one project."""

    def __init__(self, store: EmbeddedStore, project: str) -> None:
        self.book, self.project = FindingsBook(store), project

    def __call__(self, *said: Observation, hour: float = 500) -> list[Finding]:
        recorded = self.book.record([replace(one, project=self.project) for one in said], at(hour))
        return [one.finding for one in recorded if one.finding is not None]


@pytest.fixture
def finds(store: EmbeddedStore, project: str) -> Finds:
    return Finds(store, project)


def of_feature(name: str, began: float = 10, **said: Any) -> Observation:
    return observation(began, began + 2, feature=name, **said)


def test_a_finding_is_told_whole(api: Asking, finds: Finds) -> None:
    """Whoever is called at night has one page to decide by."""
    details = {
        "parts": [{"dimension": "model", "key": "gpt-4.1", "share": 0.7}],
        "changes": [{"what": "agent_version", "value": "1.5", "at": "2026-11-01T10:00:00Z"}],
        "series": [{"at": "2026-11-01T10:00:00Z", "value": 0.31, "n": 120}],
        "next_actions": ["Look at the runs."],
        "presets": {"a": 7200},
    }
    said = of_feature(
        "tool",
        changed_from=at(9),
        changed_to=at(11),
        baseline_value=0.2,
        window_value=0.31,
        window_low=0.28,
        window_high=0.34,
        unit="share",
        statistic=9000.0,
        threshold=7200.0,
        evidence_level=7200.0,
        effect_size=0.55,
        runs=1234,
        usd_per_day=12.3456789,
        failed_runs_per_day=3.5,
        details=details,
        example_runs=("r/1", "r2"),
        typical_runs=("r3",),
    )
    finding, symptom = finds(said, of_feature("cost"))

    told = api.get(f"findings/{finding.id}")

    assert told["explanation"] == "Runs of support-agent use refund in 31 % instead of 20 %."
    assert (told["baseline_value"], told["window_value"], told["window_low"], told["window_high"]) == (
        0.2,
        0.31,
        0.28,
        0.34,
    )
    assert (told["unit"], told["effect_size"], told["runs"], told["usd_per_day"]) == ("share", 0.55, 1234, "12.345679")
    assert (told["changed_from"], told["changed_to"]) == ("2026-11-01T09:00:00Z", "2026-11-01T11:00:00Z")
    assert (told["statistic"], told["threshold"], told["evidence_level"]) == (9000.0, 7200.0, 7200.0)
    (part,), (change,), (point,) = told["parts"], told["changes"], told["series"]
    assert (part["dimension"], part["key"], part["share"]) == ("model", "gpt-4.1", 0.7)
    assert (change["what"], change["name"], change["at"]) == ("agent_version", "1.5", "2026-11-01T10:00:00Z")
    assert (point["at"], point["value"], point["n"]) == ("2026-11-01T10:00:00Z", 0.31, 120.0)
    assert told["next_actions"] == ["Look at the runs."]
    assert told["models"] == ["gpt-4.1"]
    assert told["details"] == {"presets": {"a": 7200}}
    assert told["example_runs"] == [
        {"id": "r/1", "link": "/v1/runs/r%2F1"},
        {"id": "r2", "link": "/v1/runs/r2"},
    ]
    assert [step["what"] for step in told["history"]] == ["found"]
    assert told["history"][0]["by"] == "agentvigil"
    assert [one["id"] for one in told["same_incident"]] == [symptom.id]
    listed = {one["id"]: one for one in api.get("findings")["items"]}[finding.id]
    assert listed.items() <= told.items()


def test_details_of_another_form_break_nothing(api: Asking, finds: Finds) -> None:
    (finding,) = finds(of_feature("tool", details={"parts": "none", "changes": [1, {"a": 1}], "next_actions": [None]}))

    told = api.get(f"findings/{finding.id}")

    assert (told["parts"], told["changes"], told["next_actions"]) == ([], [], [])


def test_lists_are_filtered(api: Asking, finds: Finds) -> None:
    drift, cost, run, model = finds(
        of_feature("tool", severity=Severity.MINOR),
        of_feature("cost", 40, kind=Kind.REGRESSION, severity=Severity.CRITICAL, environment="staging"),
        observation(None, 60, kind=Kind.ANOMALY, subject_type=SubjectType.RUN, subject="r1", agent="other"),
        observation(80, 90, subject_type=SubjectType.MODEL, subject="gpt-4.1", agent="", detector="pooled"),
    )
    finds.book.resolve(finds.project, cost.id, Resolution.FIXED, "k", _FOUND)

    for params, expected in (
        ({}, [drift, cost, run, model]),
        ({"kind": ["drift", "anomaly"]}, [drift, run, model]),
        ({"state": "resolved"}, [cost]),
        ({"severity": "critical"}, [cost]),
        ({"agent": "support-agent"}, [drift, cost]),
        ({"environment": "staging"}, [cost]),
        ({"detector": "pooled"}, [model]),
        ({"feature": "cost"}, [cost]),
        ({"subject": ["gpt-4.1", "r1"]}, [model, run]),
        ({"model": "gpt-4.1"}, [model]),
        ({"incident": drift.incident_id}, [drift]),
        ({"id_prefix": run.id[:6]}, [run]),
        ({"since": at(501).isoformat()}, []),
        ({"until": at(500).isoformat()}, []),
        ({"agent": "x' OR 1 --"}, []),
    ):
        assert set(api.ids(**params)) == {one.id for one in expected}, params


def paged(api: Asking, **params: Any) -> list[Any]:
    found: list[Any] = []
    cursor: dict[str, str] = {}
    while True:
        page = api.get("findings", limit=2, **params, **cursor)
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        cursor = {"cursor": page["next_cursor"]}


def test_pages_are_in_order_and_whole(api: Asking, finds: Finds) -> None:
    for hour, severity in enumerate((*Severity, *Severity)):
        finds(of_feature(f"f{hour}", hour * 20, severity=severity), hour=500 + hour)

    assert [one["feature"] for one in paged(api, sort="newest")] == ["f5", "f4", "f3", "f2", "f1", "f0"]
    assert [one["feature"] for one in paged(api, sort="oldest")] == ["f0", "f1", "f2", "f3", "f4", "f5"]
    assert [one["feature"] for one in paged(api, sort="urgent")] == ["f5", "f2", "f4", "f1", "f3", "f0"]


def anomaly(run: str, seen: float, **said: Any) -> Observation:
    return observation(None, seen, kind=Kind.ANOMALY, subject_type=SubjectType.RUN, subject=run, feature=run, **said)


def test_unless_it_is_said_otherwise_the_most_urgent_comes_first(api: Asking, finds: Finds) -> None:
    """Whoever is called at night sees what is grave and goes on, not the newest run that was a little long."""
    finds(of_feature("major", severity=Severity.MAJOR), hour=500)
    finds(of_feature("critical", 40, severity=Severity.CRITICAL), hour=501)
    (over,) = finds(of_feature("over", 80, severity=Severity.CRITICAL), hour=502)
    (mine,) = finds(of_feature("mine", 120, severity=Severity.CRITICAL), hour=503)
    finds(of_feature("minor", 160, severity=Severity.MINOR), hour=504)
    finds(anomaly("grave-run", 180, severity=Severity.MAJOR), hour=505)
    finds(anomaly("run", 200, severity=Severity.MINOR), hour=506)
    api.act(over, "resolve", {"resolution": "fixed"})
    api.act(mine, "acknowledge")

    in_order = ["mine", "critical", "grave-run", "major", "minor", "run", "over"]
    assert [one["feature"] for one in paged(api)] == in_order


def test_what_comes_and_goes_between_pages_shifts_nothing_that_stays(api: Asking, finds: Finds) -> None:
    """No finding is left out, or told twice, because others became more or less urgent meanwhile."""
    findings = [
        finds(of_feature(f"f{place}", place * 20, severity=severity), hour=500 + place)[0]
        for place, severity in enumerate((Severity.MINOR, Severity.MAJOR, Severity.CRITICAL, Severity.MAJOR))
    ]
    first = api.get("findings", limit=2)
    finds(of_feature("new", 200, severity=Severity.CRITICAL), hour=600)
    api.act(findings[2], "resolve", {"resolution": "fixed"})
    second = api.get("findings", limit=2, cursor=first["next_cursor"])
    third = api.get("findings", limit=2, cursor=second["next_cursor"])

    assert [one["feature"] for one in first["items"]] == ["f2", "f3"]
    assert [one["feature"] for one in second["items"]] == ["f1", "f0"]
    # It was told as critical, and is told again for what it is now: resolved.
    assert [(one["feature"], one["state"]) for one in third["items"]] == [("f2", "resolved")]
    assert third["next_cursor"] is None


def test_an_unchanged_list_is_not_sent_again(client: TestClient, api: Asking, finds: Finds) -> None:
    (finding,) = finds(of_feature("tool"))
    answer = client.get("/v1/findings", params={"project": api.project})
    known = {"If-None-Match": answer.headers["etag"]}

    assert client.get("/v1/findings", params={"project": api.project}, headers=known).status_code == 304
    api.act(finding, "acknowledge")
    assert client.get("/v1/findings", params={"project": api.project}, headers=known).status_code == 200


def test_people_go_through_the_life_of_a_finding(api: Asking, finds: Finds) -> None:
    (finding,) = finds(of_feature("tool"))

    assert api.act(finding, "acknowledge")["state"] == "acknowledged"
    assert api.act(finding, "acknowledge")["state"] == "acknowledged"
    resolved = api.act(finding, "resolve", {"resolution": "false_alarm"})
    assert (resolved["state"], resolved["resolution"], resolved["judgement"]) == (
        "resolved",
        "false_alarm",
        "false_alarm",
    )
    assert resolved["is_muted"]
    until = datetime.fromisoformat(resolved["muted_until"])
    assert timedelta(days=29) < until - datetime.now(UTC) <= timedelta(days=30)
    api.act(finding, "acknowledge", status=409)
    reopened = api.act(finding, "reopen")
    assert (reopened["state"], reopened["resolution"], reopened["is_muted"]) == ("open", None, False)
    history = api.get(f"findings/{finding.id}")["history"]
    assert [step["what"] for step in history] == ["found", "acknowledged", "resolved", "muted", "reopened"]
    assert {step["by"] for step in history[1:]} == {None}


def test_a_finding_is_not_reopened_beside_its_successor(api: Asking, finds: Finds) -> None:
    (first,) = finds(of_feature("tool"))
    api.act(first, "resolve", {"resolution": "fixed"})
    (second,) = finds(of_feature("tool", 200))

    assert second.id in api.act(first, "reopen", status=409)["detail"]
    assert api.ids(state="open") == [second.id]


def test_mutes_are_listed_and_taken_back(client: TestClient, api: Asking, finds: Finds) -> None:
    (finding,) = finds(of_feature("tool"))
    until = datetime.now(UTC) + timedelta(days=7)

    assert api.act(finding, "mute", {"until": until.isoformat()})["is_muted"]
    in_a_week = datetime.fromisoformat(api.act(finding, "mute", {"until": "7d"})["muted_until"])
    assert abs(in_a_week - until) < timedelta(minutes=5)
    forever = api.act(finding, "mute", {"until": None})
    assert (forever["is_muted"], forever["muted_until"]) == (True, None)
    (mute,) = api.get("findings/mutes")["items"]
    assert (mute["stable_key"], mute["until"], mute["feature"]) == (finding.stable_key, None, "tool")
    assert api.act(finding, "unmute")["is_muted"] is False
    api.act(finding, "mute", {"until": None})
    path = f"/v1/findings/mutes/{finding.stable_key}"
    assert [client.delete(path, params={"project": api.project}).status_code for _ in range(2)] == [204, 404]
    assert api.get("findings/mutes")["items"] == []


def test_what_can_not_be_said_is_refused(api: Asking, finds: Finds) -> None:
    """A reason is one of fixed values, so that nobody writes content where none is screened."""
    (finding,) = finds(of_feature("tool"))

    for act, body in (
        ("mute", {"until": "2020-01-01T00:00:00Z"}),
        ("mute", {"until": "yesterday"}),
        ("mute", {}),
        ("resolve", {"resolution": "whatever"}),
        ("resolve", {"resolution": "fixed", "comment": "it was Anna's prompt"}),
    ):
        api.act(finding, act, body, status=422)
    assert [step["what"] for step in api.get(f"findings/{finding.id}")["history"]] == ["found"]


def test_the_history_names_the_key(store: EmbeddedStore, finds: Finds) -> None:
    (finding,) = finds(of_feature("tool"))
    made = KeyBook(store).create(name="on-call", project=finds.project, scopes=[Scope.ADMIN, Scope.READ])
    try:
        with TestClient(app_over(store), base_url="http://127.0.0.1") as client:
            headers = {"Authorization": f"Bearer {made.text}"}
            assert client.post(f"/v1/findings/{finding.id}/acknowledge", headers=headers).status_code == 200
            history = client.get(f"/v1/findings/{finding.id}", headers=headers).json()["history"]
    finally:
        store.command("TRUNCATE TABLE agentvigil_keys")

    assert [(step["what"], step["by"]) for step in history] == [("found", "agentvigil"), ("acknowledged", "on-call")]


def test_incidents_are_told_once(api: Asking, finds: Finds) -> None:
    minor, critical, later = finds(
        of_feature("tool", severity=Severity.MINOR),
        of_feature("cost", 12, severity=Severity.CRITICAL),
        of_feature("steps", 300, agent="b", subject="b"),
    )
    api.act(minor, "resolve", {"resolution": "fixed"})

    first, second = sorted(api.get("incidents")["items"], key=lambda one: one["changed_at"])

    assert (first["id"], first["findings"], first["unresolved_findings"], first["state"]) == (minor.id, 2, 1, "open")
    assert (first["severity"], first["lead"]["id"], first["features"]) == ("critical", critical.id, ["cost", "tool"])
    assert (second["agents"], second["lead"]["id"]) == (["b"], later.id)
    whole = api.get(f"incidents/{first['id']}")
    assert [one["id"] for one in whole["items"]] == [critical.id, minor.id]
    assert api.ids("incidents", agent="b") == [second["id"]]
    assert api.ids("incidents", severity="critical") == [first["id"]]
    assert api.ids("incidents", environment="staging") == []
    api.act(critical, "resolve", {"resolution": "new_normal"})
    assert api.ids("incidents", state="resolved") == [first["id"]]
    assert api.ids("incidents", state="unresolved") == [second["id"]]


def test_an_incident_is_acknowledged_and_resolved_at_once(client: TestClient, api: Asking, finds: Finds) -> None:
    """What was judged before keeps its resolution, and other incidents stay as they are."""
    judged, symptom, lead, other = finds(
        of_feature("tool"),
        of_feature("cost", 11),
        of_feature("duration", 12, severity=Severity.CRITICAL),
        of_feature("steps", 300, agent="b", subject="b"),
    )
    api.act(judged, "resolve", {"resolution": "false_alarm"})

    def act(incident_id: str, act: str, status: int, body: Any = None) -> Any:
        path = f"/v1/incidents/{incident_id}/{act}"
        answer = client.post(path, params={"project": api.project}, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    def states(told: Any) -> dict[str, tuple[str, str | None]]:
        return {one["id"]: (one["state"], one["resolution"]) for one in told["items"]}

    incident_id = api.get(f"findings/{lead.id}")["incident_id"]
    taken = act(incident_id, "acknowledge", 200)
    assert (taken["state"], taken["unresolved_findings"], taken["lead"]["id"]) == ("acknowledged", 2, lead.id)
    assert states(taken) == {
        lead.id: ("acknowledged", None),
        symptom.id: ("acknowledged", None),
        judged.id: ("resolved", "false_alarm"),
    }
    for _ in range(2):
        over = act(incident_id, "resolve", 200, {"resolution": "fixed"})
        assert (over["state"], over["unresolved_findings"]) == ("resolved", 0)
        assert states(over) == {
            lead.id: ("resolved", "fixed"),
            symptom.id: ("resolved", "fixed"),
            judged.id: ("resolved", "false_alarm"),
        }
    steps = [step["what"] for step in api.get(f"findings/{symptom.id}")["history"]]
    assert steps == ["found", "acknowledged", "resolved"]
    assert act(incident_id, "acknowledge", 200)["state"] == "resolved"
    assert api.get(f"findings/{other.id}")["state"] == "open"
    assert "incident" in act("0" * 32, "acknowledge", 404)["detail"]
    act(incident_id, "resolve", 422, {"resolution": "gone"})


def test_incidents_are_paged(api: Asking, finds: Finds) -> None:
    for hour in range(5):
        finds(of_feature("tool", hour * 50, agent=f"a{hour}", subject=f"a{hour}"), hour=500 + hour)

    first = api.get("incidents", limit=3)
    second = api.get("incidents", limit=3, cursor=first["next_cursor"])

    assert [one["agents"] for one in first["items"] + second["items"]] == [[f"a{hour}"] for hour in (4, 3, 2, 1, 0)]
    assert second["next_cursor"] is None


def test_precision_counts_what_was_judged_of_late(api: Asking, finds: Finds) -> None:
    now_h = (datetime.now(UTC) - at(0)).total_seconds() / 3600
    findings = finds(*(of_feature(f"f{number}") for number in range(5)), hour=now_h - 24)
    old = finds(of_feature("old"), hour=now_h - 24 * 91)
    for finding, resolution in zip(
        [*findings, *old], ["fixed", "new_normal", "false_alarm", "back_to_normal"], strict=False
    ):
        api.act(finding, "resolve", {"resolution": resolution})
    api.act(old[0], "resolve", {"resolution": "false_alarm"})

    (drift,) = api.get("findings/precision")["items"]

    assert (drift["real"], drift["false_alarms"], drift["not_judged"]) == (2, 1, 2)
    assert drift["precision"] == pytest.approx(2 / 3)
    # Wilson's interval of 2 of 3.
    assert (drift["low"], drift["high"]) == (pytest.approx(0.2077, abs=1e-4), pytest.approx(0.9385, abs=1e-4))


def test_an_agent_has_views_of_its_findings(
    client: TestClient, store: EmbeddedStore, api: Asking, finds: Finds
) -> None:
    receive(store, agent(1, name="my/drift", project=finds.project))
    settle(store, final=True, project=finds.project)
    of_it = {"agent": "my/drift", "subject": "my/drift"}
    drift, regression, anomaly, _ = finds(
        of_feature("tool", **of_it),
        of_feature("cost", kind=Kind.REGRESSION, **of_it),
        observation(None, 60, kind=Kind.ANOMALY, subject_type=SubjectType.RUN, subject="r1", agent="my/drift"),
        of_feature("tool", 100),
    )

    for view, finding in (("drift", drift), ("regressions", regression), ("anomalies", anomaly)):
        assert api.ids(f"agents/my/drift/{view}") == [finding.id]
    assert client.get("/v1/agents/nobody/drift", params={"project": api.project}).status_code == 404


def test_saved_queries_keep_findings(client: TestClient, api: Asking, finds: Finds) -> None:
    (finding,) = finds(of_feature("tool"))
    for resource, parameters in (("findings", {"state": ["open"]}), ("incidents", {"state": "unresolved"})):
        saving = {"resource": resource, "parameters": parameters}
        answer = client.put("/v1/queries/mine", params={"project": api.project}, json=saving)
        assert answer.status_code == 200, answer.text
        assert len(api.get("queries/mine/results")["items"]) == 1
    assert finding.id
