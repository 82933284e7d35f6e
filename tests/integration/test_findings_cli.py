"""``agentvigil findings`` over HTTP of a server that runs: what it prints is the API's, and what it says is kept."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from api_serving import serving
from click.testing import CliRunner, Result
from fastapi.testclient import TestClient

from agentvigil.analysis.findings.book import FindingsBook
from agentvigil.analysis.findings.finding import Finding
from agentvigil.analysis.findings.model import Kind, Observation, Severity, SubjectType
from agentvigil.cli.findings import findings
from agentvigil.cli.views.paper import Paper
from agentvigil.storage.embedded import EmbeddedStore
from migrated_stores import MigratedStores
from observations import at, observation
from served_api import app_over

_Run = Callable[..., Result]
_HOSTILE = "evil\x1b[2J\u202eagent"


@pytest.fixture(scope="module")
def store(migrated_stores: MigratedStores) -> Iterator[EmbeddedStore]:
    with migrated_stores.taken() as store:
        yield store


@pytest.fixture(scope="module")
def client(store: EmbeddedStore) -> Iterator[TestClient]:
    """The API, to compare with."""
    with TestClient(app_over(store), base_url="http://127.0.0.1") as client:
        yield client


@pytest.fixture(scope="module")
def invoke(store: EmbeddedStore) -> Iterator[_Run]:
    with serving(app_over(store)) as port:

        def run(*arguments: str) -> Result:
            return CliRunner().invoke(findings, [*arguments, "--url", f"http://127.0.0.1:{port}"])

        yield run


@pytest.fixture
def project(request: pytest.FixtureRequest) -> str:
    return str(request.node.originalname)[:64]


@pytest.fixture
def run(invoke: _Run, project: str) -> _Run:
    """Runs ``agentvigil findings`` about the project of the test."""
    return lambda *arguments: invoke(*arguments, "--project", project)


def begin(store: EmbeddedStore, *said: Observation) -> list[Finding]:
    return [one.finding for one in FindingsBook(store).record(said, at(30)) if one.finding is not None]


def told(result: Result, code: int = 0) -> Any:
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def test_the_list_is_the_apis_without_what_is_over(
    store: EmbeddedStore, client: TestClient, run: _Run, project: str
) -> None:
    kept, over = begin(
        store,
        observation(project=project, severity=Severity.CRITICAL),
        observation(20, 22, project=project, feature="cost", kind=Kind.REGRESSION),
    )
    told(run("resolve", over.id, "--as", "fixed", "--json"))
    of_api = {one["id"]: one for one in client.get("/v1/findings", params={"project": project}).json()["items"]}

    assert told(run("--json")) == told(run("list", "--json")) == [of_api[kept.id]]
    assert told(run("--state", "resolved", "--kind", "regression", "--json")) == [of_api[over.id]]
    assert len(told(run("--state", "resolved", "--state", "open", "--json"))) == 2
    lines = run().stdout.splitlines()
    assert lines[0].split("\t")[:4] == ["found_at", "id", "severity", "state"]
    assert lines[1].split("\t")[1:4] == [kept.id, "critical", "open"]
    none = run("--agent", "nobody")
    assert (none.exit_code, len(none.stdout.splitlines())) == (0, 1)
    assert "no finding is open or acknowledged" in none.stderr


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is printed goes to a terminal."""
    monkeypatch.setattr(Paper, "of_stdout", lambda: Paper(width=100))


def an_anomaly(project: str, run_id: str, severity: Severity = Severity.MINOR) -> Observation:
    return observation(
        None, project=project, kind=Kind.ANOMALY, subject_type=SubjectType.RUN, subject=run_id, severity=severity
    )


@pytest.mark.usefixtures("terminal")
def test_a_terminal_counts_minor_anomalies_unless_they_are_asked_for(
    store: EmbeddedStore, run: _Run, project: str
) -> None:
    """A newcomer sees what moved, and not first a page of runs that were a little long."""
    begin(store, observation(project=project, severity=Severity.MINOR))
    begin(store, *(an_anomaly(project, f"run-{number}") for number in range(3)))
    begin(store, replace(an_anomaly(project, "run-grave", Severity.CRITICAL), agent="another"))

    table = run()

    assert table.stdout.splitlines()[-1] == "and 3 minor anomalies of single runs: --kind anomaly shows them"
    assert [line.split()[0] for line in table.stdout.splitlines()[1:-1]] == ["critical", "minor"]
    assert not table.stderr
    for asked, runs in (
        (("--kind", "anomaly"), 4),
        (("--severity", "minor"), 3),
        (("--sort", "newest"), 4),
        (("--all",), 4),
    ):
        assert run(*asked).stdout.count("run-") == runs, asked
    # Where the page ends among them nothing else is left out; where it ends before, something may be.
    assert "and 3 minor anomalies" in run("--limit", "3").stdout
    assert not run("--limit", "3").stderr
    assert "there are more" in run("--limit", "1").stderr
    assert "and 3" not in run("--limit", "1").stdout


@pytest.mark.usefixtures("terminal")
def test_a_terminal_tells_an_incident_once(store: EmbeddedStore, run: _Run, project: str) -> None:
    """Eight rows of one cause look like eight things to see to."""
    (cost,) = begin(store, observation(project=project, feature="cost", severity=Severity.MINOR))
    (tool,) = begin(store, observation(project=project, feature="tool", severity=Severity.CRITICAL))
    (duration,) = begin(store, observation(project=project, feature="duration"))
    (other,) = begin(store, observation(project=project, agent="other", subject="other", severity=Severity.MINOR))
    assert {one.incident_id for one in (cost, tool, duration)} == {cost.incident_id} != {other.incident_id}

    table = run()

    first, beneath, second = table.stdout.splitlines()[1:]
    assert (first.split()[0], second.split()[0]) == ("critical", "minor")
    assert tool.id[:8] in first
    assert beneath == "  and 2 symptoms of the same incident: duration, cost"
    assert "--all prints each" in table.stderr
    assert "other" in second
    # Whoever asks for each gets each, and so do scripts, with the incident's id.
    for asked in (("--all",), ("--sort", "newest"), ("--incident", cost.incident_id)):
        assert "symptom" not in run(*asked).output, asked
    assert len(run("--all").stdout.splitlines()) == 5
    assert [one["incident_id"] for one in told(run("--json"))].count(cost.incident_id) == 3
    one_row = run("--limit", "1")
    assert [line.split()[0] for line in one_row.stdout.splitlines()[1:]] == ["critical", "and"]
    assert "there are more" in one_row.stderr


@pytest.mark.usefixtures("terminal")
def test_where_there_is_nothing_but_minor_anomalies_it_is_said(store: EmbeddedStore, run: _Run, project: str) -> None:
    begin(store, an_anomaly(project, "run-1"))

    assert run().stdout == "1 minor anomaly of a single run: --kind anomaly shows it\n"
    assert len(told(run("--json"))) == 1


def test_a_finding_goes_through_its_life(store: EmbeddedStore, run: _Run, project: str) -> None:
    (finding,) = begin(store, observation(project=project))

    acknowledged = run("ack", finding.id[:8])
    assert (acknowledged.exit_code, acknowledged.stdout) == (
        0,
        f"{finding.id[:8]}  acknowledged  major drift of support-agent\n",
    )
    assert "resolved as false alarm, muted until 20" in run("resolve", finding.id, "--as", "false_alarm").stdout
    assert told(run("reopen", "last", "--json"))["state"] == "open"
    assert "open, muted for ever" in run("mute", finding.id, "--for", "ever").stdout
    assert told(run("mute", finding.id, "--for", "7d", "--json"))["muted_until"]
    assert "muted" not in run("unmute", finding.id).stdout
    history = told(run("show", finding.id, "--json"))["history"]
    assert [step["what"] for step in history] == [
        *("found", "acknowledged", "resolved", "muted", "reopened", "muted", "muted", "unmuted")
    ]


def test_an_incident_is_told_what_it_was_at_once(store: EmbeddedStore, run: _Run, project: str) -> None:
    """By any of its findings; each of them has a line, the one that leads first."""
    cost, tool, other = begin(
        store,
        observation(10, 12, project=project, feature="cost"),
        observation(11, 13, project=project, feature="tool", severity=Severity.CRITICAL),
        observation(12, 14, project=project, feature="cost", agent="b", subject="b"),
    )

    shown = " ".join(run("show", cost.id[:8]).stdout.split())
    assert f"findings resolve {cost.id[:8]} --as fixed --incident so is the other finding of its incident" in shown
    taken = run("ack", cost.id[:8], "--incident")
    assert taken.exit_code == 0
    assert taken.stdout.splitlines() == [
        f"{tool.id[:8]}  acknowledged  critical drift of support-agent",
        f"{cost.id[:8]}  acknowledged  major drift of support-agent",
    ]
    over = told(run("resolve", cost.id, "--as", "fixed", "--incident", "--json"))
    assert {one["id"]: one["resolution"] for one in over["items"]} == {tool.id: "fixed", cost.id: "fixed"}
    assert [one["id"] for one in told(run("--json"))] == [other.id]
    assert "--incident" not in run("show", other.id).stdout


def test_one_finding_is_explained_by_how_its_id_begins(
    store: EmbeddedStore, client: TestClient, run: _Run, project: str
) -> None:
    (finding,) = begin(
        store, observation(project=project, subject=_HOSTILE, agent=_HOSTILE, explanation=_HOSTILE, runs=5)
    )

    page = run("show", finding.id[:6].upper())

    assert page.exit_code == 0, page.output
    assert page.stdout.startswith("major drift: evil\\x1b[2J\\u202eagent  open\n")
    assert "\x1b" not in page.output
    assert f"agentvigil findings resolve {finding.id[:8]} --as fixed" in page.stdout
    of_api = client.get(f"/v1/findings/{finding.id}", params={"project": project}).json()
    assert told(run("show", "last", "--json")) == of_api
    assert "\x1b" not in run("--severity", "major").output


def test_what_means_no_finding_or_several_is_said(store: EmbeddedStore, run: _Run, project: str) -> None:
    """Exit code 1: the server understood, and the answer is no; 2: it was not asked."""
    columns = "Project, FindingId, StableKey, Kind, SubjectType, State, Severity, FoundAt"
    for digit in "12":
        store.command(
            f"INSERT INTO findings ({columns}) SELECT {{p:String}}, {{id:String}}, 'k', 'drift', 'agent', 'open', "
            "'minor', now()",
            {"p": project, "id": "abcd" + digit * 28},
        )

    several = run("show", "abcd")
    assert several.exit_code == 1
    assert all("abcd" + digit * 28 in several.stderr for digit in "12")
    assert run("show", "abcd1").exit_code == 0
    assert (run("show", "beef").exit_code, run("show", "f" * 32).exit_code) == (1, 1)
    assert run("show", "newest").exit_code == 2
    assert run("resolve", "abcd1").exit_code == 2
    assert "is no time to come" in run("mute", "abcd1", "--for", "yesterday").stderr
    assert run("ack", "abcd1", "--for", "7d").exit_code == 2


def test_incidents_and_precision_are_the_apis(
    store: EmbeddedStore, client: TestClient, run: _Run, project: str
) -> None:
    finding, _ = begin(store, observation(project=project), observation(11, 13, project=project, feature="cost"))
    params = {"project": project}

    assert told(run("incidents", "--json")) == client.get("/v1/incidents", params=params).json()["items"]
    names, line = run("incidents").stdout.splitlines()
    assert names.split("\t")[:2] == ["found_at", "id"]
    assert line.split("\t")[1:7] == [finding.id, "major", "open", "support-agent", "production", "cost,tool"]
    assert [one["id"] for one in told(run("--incident", finding.id, "--json"))] != []
    assert (
        told(run("precision", "--json"))["items"]
        == (client.get("/v1/findings/precision", params=params).json()["items"])
    )
    assert "nothing was found in the last 90 days" in run("precision").stderr or "drift" in run("precision").stdout


def test_it_works_on_data_that_no_server_has(tmp_path: Path) -> None:
    """A laptop with yesterday's data, and nothing that runs."""
    data = tmp_path / "data"
    program = f"""
from datetime import UTC, datetime
from pathlib import Path
from agentvigil.analysis.findings.book import FindingsBook
from agentvigil.storage.migrations import migrate
from agentvigil.storage.opening import open_store
from observations import observation
with open_store(None, Path({str(data)!r}), "default", purpose="pytest") as (store, _):
    migrate(store)
    FindingsBook(store).record([observation()], datetime.now(UTC))
from click.testing import CliRunner
from agentvigil.cli.findings import findings
from agentvigil.cli.views.paper import Paper
for arguments in (["ack", "last"], ["show", "last"]):
    result = CliRunner().invoke(findings, [*arguments, "--data", {str(data)!r}])
    assert result.exit_code == 0, result.output
    print(result.stdout)
"""
    path = [str(Path(__file__).parents[1]), *sys.path]
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env={"PYTHONPATH": ":".join(path)}, check=False
    )

    assert done.returncode == 0, done.stderr
    assert "acknowledged  major drift of support-agent" in done.stdout
    assert "history" in done.stdout


def test_asking_loads_no_server() -> None:
    """The engine and the API take a second to load, which would be most of what such a command takes."""
    program = """
import sys
from click.testing import CliRunner
from agentvigil.cli.findings import findings
from agentvigil.cli.views.paper import Paper
CliRunner().invoke(findings, ["--help"])
print(*sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": ":".join(sys.path)},
        check=True,
    )

    assert "agentvigil.cli.findings" in done.stdout.split()
    assert not {"chdb", "fastapi", "grpc", "pyarrow", "numpy"} & set(done.stdout.split())
