"""The features of finished runs, counted in Python from the rows of agent_runs and agent_steps: what must be stored.

Written from docs/features.md, one run after the other and one thing after the other, to be compared with the SQL.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Final

import pytest
from agent_traces import START, Sp
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from trace_requests import S, admitted, attributes, take

from agentvigil.analysis.features.cells import Cells, Subject
from agentvigil.analysis.features.feature_hours import FEATURE_HOURS
from agentvigil.analysis.features.names import bin_of
from agentvigil.analysis.features.reading import read_cells
from agentvigil.analysis.rollups import RollupJob
from agentvigil.receiver.otlp import LOGS
from agentvigil.semconv import names
from agentvigil.semconv.failures import MODEL_OPERATIONS
from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.store import Store

Row = dict[str, Any]
Place = tuple[str, str, str, str, str, str, str, int]
"""Environment, agent, class, version, model, feature, key, bin."""

HOUR: Final = START // S // 3600
SUPPORT: Final = Subject("default", "", "support")
WINDOWS: Final = {"gpt-4o": 128_000, "gpt-4": 8192}
_CLASS_TAGS: Final = ("input_class", "route", "intent", "tenant")


@dataclass(frozen=True)
class Outside:
    """What is known of models and of judgements beside the rows: windows by model, and bad by judged and sure run."""

    windows: Mapping[str, int] = field(default_factory=dict)
    bad_by_run: Mapping[str, bool] = field(default_factory=dict)


def count_features(store: Store, project: str, outside: Outside) -> dict[datetime, dict[Place, tuple[int, float]]]:
    """Return n and s of every place that has any, by the hour of the runs."""
    parameters = {"project": project}
    steps: dict[str, list[Row]] = defaultdict(list)
    for step in store.records(
        "SELECT * FROM agent_steps FINAL WHERE Project = {project:String} ORDER BY Ordinal", parameters
    ):
        steps[step["RunId"]].append(step)
    hours: dict[datetime, tuple[dict[Place, int], dict[Place, float]]] = defaultdict(
        lambda: (defaultdict(int), defaultdict(float))
    )
    for run in store.records(
        "SELECT *, toUnixTimestamp(Timestamp) AS second FROM agent_runs FINAL WHERE Project = {project:String}",
        parameters,
    ):
        if run["Status"] == "open" or run["DuplicateOfTraceId"]:
            continue
        hour = datetime.fromtimestamp(run["second"] // 3600 * 3600, UTC)
        for place, n, s in _rows_of(run, steps[run["RunId"]], outside):
            hours[hour][0][place] += n
            hours[hour][1][place] += s
    return {hour: {place: (n, sums[place]) for place, n in counts.items()} for hour, (counts, sums) in hours.items()}


def _rows_of(run: Row, steps: Sequence[Row], outside: Outside) -> Iterator[tuple[Place, int, float]]:
    model = _model_of(steps)
    where = (run["Environment"], run["RunName"], _class_of(run), run["AgentVersion"] or run["AgentFingerprint"])
    for feature, key in _categories(run, steps, outside):
        yield (*where, model, feature, key, 0), 1, 0.0
    for feature, value in _values(run, steps):
        yield (*where, model, feature, "", bin_of(value)), 1, value
    for feature, key, s in (*_context(steps, outside.windows), *_cascade(steps)):
        yield (*where, model, feature, key, 0), 1, s
    for called, key, s in _usage(steps):
        yield (*where, called, "usage", key, 0), 1, s


def _class_of(run: Row) -> str:
    tags = dict(tag.split("=", 1) for tag in reversed(run["Tags"]))
    return next((tags[name] for name in _CLASS_TAGS if tags.get(name)), run["WorkflowName"])


def _model_of(steps: Sequence[Row]) -> str:
    tokens: Counter[str] = Counter()
    for step in steps:
        if step["Billed"] and step["Model"]:
            tokens[step["Model"]] += (step["InputTokens"] or 0) + (step["OutputTokens"] or 0)
    return min(tokens, key=lambda name: (-tokens[name], name), default="")


def _is_call(step: Row) -> bool:
    return bool(step["Billed"]) and step["Operation"] in MODEL_OPERATIONS


def _real(steps: Sequence[Row]) -> list[Row]:
    """Leave out second sightings, and calls that stand for those inside them."""
    return [
        step
        for step in steps
        if step["BillingNote"] != "duplicate"
        and not (step["BillingNote"] == "sum" and step["Operation"] in MODEL_OPERATIONS)
    ]


def _is_tool(step: Row, steps: Sequence[Row]) -> bool:
    if step["Operation"] != "execute_tool":
        return False
    around = [
        other for other in steps if other["SpanId"] == step["ParentStepId"] and other["Operation"] == "execute_tool"
    ]
    return not any(other["ToolName"] in (step["ToolName"], "") or not step["ToolName"] for other in around)


def _tools(steps: Sequence[Row]) -> list[Row]:
    return [step for step in _real(steps) if _is_tool(step, steps)]


def _start(step: Row) -> int:
    return int(step["Timestamp"].timestamp() * 1000) * 1_000_000


def _end(step: Row) -> int:
    return _start(step) + int(step["Duration"])


def _failed(step: Row) -> bool:
    return bool(step["Status"] == "failure")


def _is_empty(step: Row) -> bool:
    return step["FailureCode"] == "empty_retrieval" or step["RetrievedDocuments"] == 0


def _categories(run: Row, steps: Sequence[Row], outside: Outside) -> Iterator[tuple[str, str]]:
    for always in ("status", "failure", "tool", "retry"):
        yield always, ""
    if run["Status"] != "success":
        yield "status", run["Status"]
    if run["RootCauseType"]:
        yield "failure", f"{run['RootCauseType']}/{run['RootCauseCode']}"
    if run["Retries"]:
        yield "retry", "any"
    for name in run["Tools"]:
        yield "tool", name
    for name in run["Models"]:
        yield "response_model", name
    if run["Models"]:
        yield "response_model", ""

    tools = _tools(steps)
    pairs = list(pairwise(tools))
    if pairs:
        yield "tool_order", ""
    for order in {f"{first['ToolName']}>{second['ToolName']}" for first, second in pairs}:
        yield "tool_order", order
    if tools:
        yield "tool_error", ""
        yield "tool_switch", ""
        if any(map(_failed, tools)):
            yield "tool_error", "any"
        if any(
            _failed(first) and first["ToolName"] != second["ToolName"] and _start(second) >= _end(first)
            for first, second in pairs
        ):
            yield "tool_switch", "any"

    calls = [step for step in _real(steps) if _is_call(step)]
    reasons = {step["FinishReason"] for step in calls} - {""}
    if reasons:
        yield "finish_reason", ""
    for reason in reasons:
        yield "finish_reason", reason
    searches = [step for step in _real(steps) if _is_empty(step) or step["RetrievedDocuments"] is not None]
    if searches:
        yield "retrieval", ""
        if any(map(_is_empty, searches)):
            yield "retrieval", "empty"
    if searches or tools:
        yield "unfounded", ""
        nothing = (searches and _is_empty(searches[-1])) or (tools and all(map(_failed, tools)))
        if run["Status"] != "failure" and calls and calls[-1]["FinishReason"] == "stop" and nothing:
            yield "unfounded", "any"
    if run["RunId"] in outside.bad_by_run:
        yield "confident", ""
        if outside.bad_by_run[run["RunId"]]:
            yield "confident", "bad"


def _values(run: Row, steps: Sequence[Row]) -> Iterator[tuple[str, float]]:
    yield "duration", run["Duration"] / 1e9
    yield "steps", float(run["Steps"])
    for feature, column in (
        ("time_to_first_chunk", "TimeToFirstChunk"),
        ("cost", "BilledCostUSD"),
        ("input_tokens", "InputTokens"),
        ("output_tokens", "OutputTokens"),
    ):
        if run[column] is not None:
            yield feature, float(run[column])
    turns: dict[tuple[str, int], list[Row]] = defaultdict(list)
    calls_of: Counter[str] = Counter()
    has_call = False
    for step in _real(steps):
        if _is_call(step):
            has_call = True
            calls_of[step["ParentStepId"]] += 1
        elif has_call and _is_tool(step, steps) and step["Attempt"] == 1:
            turns[step["ParentStepId"], calls_of[step["ParentStepId"]]].append(step)
    several = [turn for turn in turns.values() if len(turn) > 1]
    if several:
        lost = 0
        for turn in several:
            if all(_start(second) >= _end(first) for first, second in pairwise(turn)):
                times = [int(step["Duration"]) for step in turn]
                lost += sum(times) - max(times)
        yield "sequential_share", min(lost / max(run["Duration"], 1), 1.0)


def _context(steps: Sequence[Row], windows: Mapping[str, int]) -> Iterator[tuple[str, str, float]]:
    parts: list[list[Row]] = [[]]
    for step in _real(steps):
        if _is_call(step):
            parts.append([])
        parts[-1].append(step)
    for before, (call, *after) in pairwise(parts):
        window = windows.get(call["Model"], 0)
        if not window or call["InputTokens"] is None:
            continue
        fill = call["InputTokens"] / window
        used_before = [step["ToolName"] for step in before if _is_tool(step, steps)][-1:]
        used = [step["ToolName"] for step in after if _is_tool(step, steps)][:1]
        goes_wrong = any(_failed(step) or step["Attempt"] > 1 for step in after) or (used and used == used_before)
        yield "context", "low" if fill < 0.25 else "high" if fill > 0.5 else "middle", float(bool(goes_wrong))


def _cascade(steps: Sequence[Row]) -> Iterator[tuple[str, str, float]]:
    agents = [step for step in _real(steps) if step["Operation"] == "invoke_agent"]
    for depth in {step["Depth"] for step in agents}:
        level = [step for step in agents if step["Depth"] == depth]
        for first, second in pairwise(level):
            if _start(second) >= _end(first):
                yield "cascade", "after_failure" if _failed(first) else "after_success", float(_failed(second))


def _usage(steps: Sequence[Row]) -> Iterator[tuple[str, str, float]]:
    by_model: dict[str, list[Row]] = defaultdict(list)
    for step in steps:
        if step["Billed"]:
            by_model[step["Model"]].append(step)
    for model, calls in by_model.items():
        yield model, "calls", float(len(calls))
        yield model, "retries", float(sum(step["Attempt"] > 1 for step in calls))
        for key, column in (
            ("input_tokens", "InputTokens"),
            ("output_tokens", "OutputTokens"),
            ("cache_read_tokens", "CacheReadTokens"),
            ("cost_usd", "BilledCostUSD"),
        ):
            known = [float(step[column]) for step in calls if step[column] is not None]
            if known:
                yield model, key, sum(known)


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
        [cells.words[int(code)] for code in column]
        for column in (cells.input_class, cells.version, cells.model, cells.feature, cells.key)
    ]
    return [
        (int(hour), (*place, int(number)), int(n), float(s))
        for hour, *place, number, n, s in zip(cells.hour, *texts, cells.bin, cells.n, cells.s, strict=True)
    ]


def check(store: EmbeddedStore, project: str = "default", outside: Outside = Outside(WINDOWS)) -> None:
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


def features_of(store: EmbeddedStore, name: str) -> set[str]:
    subject = Subject("default", "", name)
    cells = read_cells(store, "default", HOUR - 2, HOUR + 2, [subject])[subject]
    return {cells.words[int(code)] for code in cells.feature}


def judge(store: EmbeddedStore, run: str, score: float | None = None, label: str = "") -> None:
    request = ExportLogsServiceRequest()
    said = {names.AGENTVIGIL_FEEDBACK_RUN_ID: run, names.AGENTVIGIL_FEEDBACK_LABEL: label}
    if score is not None:
        said[names.AGENTVIGIL_FEEDBACK_SCORE] = str(score)
    request.resource_logs.add().scope_logs.add().log_records.add(
        time_unix_nano=time.time_ns(), event_name=names.EVENT_GEN_AI_EVALUATION_RESULT, attributes=attributes(said)
    )
    take(store, admitted(request.SerializeToString(), otlp=LOGS), otlp=LOGS)


def of_trace(number: int, spans: Sequence[Sp]) -> list[Sp]:
    return [replace(span, trace=number) for span in spans]
