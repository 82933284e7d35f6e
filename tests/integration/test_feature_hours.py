"""What is counted of finished runs by the hour is what their rows say, whatever came late, was settled again or died."""

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from agent_fleets import Played, play
from agent_traces import (
    START,
    Sp,
    agent,
    chat,
    receive,
    retrieval,
    run_of,
    settle,
    settle_traces,
    tool,
    trace_of,
)
from counted_features import Outside, Place, count_features
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from trace_requests import NOW, S, admitted, attributes, take

from agentvigil.analysis.features.cells import Cells, Subject
from agentvigil.analysis.features.feature_hours import FEATURE_HOURS, MOST, OTHER
from agentvigil.analysis.features.reading import count_runs, projects_with_runs, read_cells, read_progress
from agentvigil.analysis.rollups import CALL_HOURS, RollupJob
from agentvigil.receiver.otlp import LOGS
from agentvigil.semconv import names
from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.errors import StorageError

HOUR: Final = START // S // 3600
HOUR_MS: Final = 3_600_000
WINDOWS: Final = {"gpt-4o": 128_000, "gpt-4": 8192}
SUPPORT: Final = Subject("default", "", "support")


def sum_hours(store: EmbeddedStore, now: datetime | None = None) -> int:
    """Sum all that waits; return how many hours that was."""
    job = RollupJob(store, "tests", quiet_s=0, kinds=(FEATURE_HOURS,))
    while job.step(now or datetime.now(UTC)):
        pass
    return job.progress.hours


def told(store: EmbeddedStore, project: str = "default", hours: tuple[int, int] = (HOUR - 30, HOUR + 30)) -> Any:
    """Return n and s by hour and place, as they are read."""
    found: dict[datetime, dict[Place, tuple[int, float]]] = {}
    for subject, cells in read_cells(store, project, *hours).items():
        assert subject.project == project
        for hour, place, n, s in rows_of(cells):
            places = found.setdefault(datetime.fromtimestamp(hour * 3600, UTC), {})
            assert (subject.environment, subject.agent, *place) not in places
            places[(subject.environment, subject.agent, *place)] = (n, s)
    return found


def rows_of(cells: Cells) -> list[tuple[int, tuple[str, str, str, str, str, int], int, float]]:
    texts = [
        [cells.words[code] for code in column]
        for column in (cells.input_class, cells.version, cells.model, cells.feature, cells.key)
    ]
    return [
        (int(hour), (*place, int(number)), int(n), float(s))
        for hour, *place, number, n, s in zip(cells.hour, *texts, cells.bin, cells.n, cells.s, strict=True)
    ]


def check(store: EmbeddedStore, project: str = "default", outside: Outside = Outside(WINDOWS)) -> None:  # noqa: B008
    """Compare what is read with what the rows say."""
    right = count_features(store, project, outside)
    found = told(store, project)
    assert found.keys() == right.keys()
    for hour, places in right.items():
        assert {place: n for place, (n, _) in found[hour].items()} == {place: n for place, (n, _) in places.items()}
        for place, (_, s) in places.items():
            assert found[hour][place][1] == pytest.approx(s), place


def counted(store: EmbeddedStore, feature: str, subject: Subject = SUPPORT) -> dict[str | int, tuple[int, float]]:
    """Return n and s of one feature by key or bin, over all hours, classes, versions and models."""
    found: dict[str | int, tuple[int, float]] = {}
    cells = read_cells(store, subject.project, HOUR - 30, HOUR + 30, [subject])
    for _, (*_, name, key, number), n, s in rows_of(cells[subject]):
        if name == feature:
            before = found.get(key or number, (0, 0.0))
            found[key or number] = (before[0] + n, before[1] + s)
    return found


def random_trace(dice: random.Random, trace: int, project: str) -> list[Sp]:
    """A run with anything in it: tools side by side and one after another, retries, nested agents, empty searches."""
    at = dice.randrange(-HOUR_MS, 0)
    where = {"deployment.environment.name": "prod"} if dice.random() < 0.5 else {}
    more: dict[str, Any] = {"trace": trace, "project": project, "resource": where}
    said: dict[str, Any] = {}
    for key, values in (
        ("gen_ai.agent.version", ["", "1", "2"]),
        ("agentvigil.tag.route", ["", "buy", "ask"]),
        ("agentvigil.tag.input_class", ["", "", "long"]),
    ):
        if chosen := dice.choice(values):
            said[key] = chosen
    spans: list[Sp] = []
    clock = at
    parents = [1]
    for number in range(2, 2 + dice.randrange(14)):
        clock += dice.choice([0, 0, 100, 200])
        end = clock + dice.choice([50, 100, 150])
        parent = dice.choice(parents)
        error = dice.choice([None, None, None, "boom"])
        kind = dice.choice(["chat", "chat", "tool", "tool", "tool", "search", "agent"])
        if kind == "chat":
            spans.append(
                chat(
                    number, parent, clock, end, error=error,
                    model=dice.choice(["gpt-4o", "gpt-4", "nobody-knows"]),
                    tokens=dice.choice([None, (100, 10), (3000, 10), (7000, 500)]),
                    finish=dice.choice(["stop", "tool_calls", "length"]),
                    **more,
                )
            )  # fmt: skip
        elif kind == "tool":
            spans.append(tool(number, parent, dice.choice(["find", "book"]), clock, end, error=error, **more))
            if dice.random() < 0.3:
                parents.append(number)
        elif kind == "search":
            documents = dice.choice([{}, {"agentvigil.retrieval.document.count": dice.choice([0, 3])}])
            spans.append(retrieval(number, parent, clock, end, error=error, attributes=documents, **more))
        else:
            spans.append(agent(number, parent, dice.choice(["a", "b"]), clock, end, error=error, **more))
            parents.append(number)
        clock = dice.choice([clock, end])
    name = dice.choice(["support", "billing"])
    error = dice.choice([None, None, "lost"])
    return [agent(1, 0, name, at, clock + 500, attributes=said, error=error, **more), *spans]


@pytest.mark.parametrize("seed", range(2))
def test_counts_are_what_the_rows_say(store: EmbeddedStore, seed: int) -> None:
    dice = random.Random(seed)
    projects = ("default", "other")
    traces = {number: random_trace(dice, number, dice.choice(projects)) for number in range(1, 40)}
    late = [span for spans in traces.values() for span in spans if dice.random() < 0.1]
    for spans in traces.values():
        if kept := [span for span in spans if span not in late]:
            receive(store, *kept, keep_days=dice.choice([30, 90]))
    everyone = {(spans[0].project, number): True for number, spans in traces.items()}
    settle_traces(store, everyone)
    sum_hours(store)
    for project in projects:
        check(store, project)
    receive(store, *late, at_ns=START + 3700 * S)
    settle_traces(store, everyone)
    sum_hours(store)
    for project in projects:
        check(store, project)
    assert projects_with_runs(store) == list(projects)
