"""Exports hold every row, open with what people open them with, and never look whole when they are not."""

import csv
import http.client
import io
import itertools
import json
import re
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from agent_traces import agent, chat, receive, run_of, settle_traces, tool
from api_serving import serving
from fastapi import FastAPI, Response
from fastapi.testclient import TestClient

from agentvigil.analysis.findings.book import FindingsBook
from agentvigil.analysis.findings.model import Kind, Resolution, Severity
from agentvigil.api.exports.answering import ExportResponse
from agentvigil.api.exports.reading import Exports, Rows
from agentvigil.api.problems import answer_problems
from agentvigil.api.reading import Reader
from agentvigil.storage.embedded import EmbeddedStore
from observations import observation

FORMULAS = ["=HYPERLINK(1)", "  =1+1", "+1", "-1", "@x", "\t=1", "\r\n=1", "\uff1d1", "\u3000\uff0b1"]
HOSTILE = [*FORMULAS, "a\0b", 'q"uote', "new\nline", "'", "x"]
"""Names of agents."""


def fill(store: EmbeddedStore, names: list[str], **more: Any) -> None:
    """Store and settle a run for each name of an agent, with one call of a model and one of a tool."""
    spans = []
    for number, name in enumerate(names, 1):
        spans += [
            agent(1, trace=number, name=name, **more),
            chat(2, 1, trace=number, end=100, **more),
            tool(3, 1, "refund", 100, 400, trace=number, error="TimeoutError", **more),
        ]
    receive(store, *spans)
    settle_traces(store, {(more.get("project", "default"), number): True for number in range(1, len(names) + 1)})


def rows_of_csv(body: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body.decode("utf-8"), newline="")))


def test_each_format_says_the_same(client: TestClient, store: EmbeddedStore) -> None:
    fill(store, ["a", "b"])

    as_csv = rows_of_csv(client.get("/v1/exports/runs?format=csv").content)
    as_jsonl = [json.loads(line) for line in client.get("/v1/exports/runs?format=jsonl").content.splitlines()]
    table = pq.read_table(io.BytesIO(client.get("/v1/exports/runs?format=parquet").content))
    runs = {run["id"]: run for run in client.get("/v1/runs").json()["items"]}

    assert table.column_names == list(as_csv[0]) == list(as_jsonl[0])
    assert table.schema.field("started_at").type == pa.timestamp("ns", "UTC")
    assert pa.types.is_decimal(table.schema.field("billed_usd").type)
    for found in (as_csv, as_jsonl, table.to_pylist()):
        assert {row["id"] for row in found} == set(runs)
    for row, from_csv in zip(
        sorted(as_jsonl, key=lambda r: r["id"]), sorted(as_csv, key=lambda r: r["id"]), strict=True
    ):
        run = runs[row["id"]]
        same = ("agent", "status", "steps", "llm_calls", "models", "tools", "duration_ms", "version", "service")
        assert {name: row[name] for name in same} == {name: run[name] for name in same}
        assert (row["input_tokens"], row["billed_usd"]) == (run["tokens"]["input"], run["cost"]["billed_usd"])
        assert datetime.fromisoformat(row["started_at"]) == datetime.fromisoformat(run["started_at"])
        assert len(row["started_at"]) == len("2026-11-30T08:00:00.000000000Z")
        assert json.loads(from_csv["models"]) == run["models"]
        assert (from_csv["started_at"], from_csv["version"]) == (row["started_at"], "")
        assert Decimal(from_csv["duration_ms"]) == Decimal(str(row["duration_ms"]))


@pytest.mark.parametrize("rows", Rows)
def test_each_column_is_documented(client: TestClient, rows: str) -> None:
    """In its order: programs read files by it."""
    (header,) = csv.reader(io.StringIO(client.get(f"/v1/exports/{rows}").text))
    page = (Path(__file__).parents[3] / "docs" / "exports.md").read_text(encoding="utf-8")
    listed = page.partition(f"**{rows}**:")[2].partition(".\n")[0]

    assert re.findall(r"`(\w+)`", re.sub(r"\(.*?\)", "", listed, flags=re.DOTALL)) == header


def test_all_kinds_of_rows_open(client: TestClient, store: EmbeddedStore) -> None:
    fill(store, ["a"])

    for (rows, count), file_format in itertools.product(
        {"steps": 2, "spans": 3, "findings": 0}.items(), ("csv", "jsonl", "parquet")
    ):
        answer = client.get(f"/v1/exports/{rows}?format={file_format}")

        assert answer.status_code == 200, answer.text
        assert rows_in(answer.content, file_format) == count, (rows, file_format)
        assert answer.headers["content-disposition"].startswith(f'attachment; filename="agentvigil-{rows}-default-20')
        assert answer.headers["content-disposition"].endswith(f'Z.{file_format}"')


def rows_in(body: bytes, file_format: str) -> int:
    """How many rows a reader of such files finds in ``body``."""
    if file_format == "parquet":
        return int(pq.read_table(io.BytesIO(body)).num_rows)
    if file_format == "jsonl":
        return len([json.loads(line) for line in body.splitlines()])
    return len(rows_of_csv(body))


def test_findings_are_exported_as_they_are_filtered(client: TestClient, store: EmbeddedStore) -> None:
    """What a person decided is in the file, with what it was decided on."""
    book, now = FindingsBook(store), datetime.now(UTC)
    said = [
        observation(details={"parts": []}, usd_per_day=1.5, window_low=0.25, unit="share"),
        observation(40, 42, feature="cost", kind=Kind.REGRESSION, severity=Severity.CRITICAL),
    ]
    first, second = (one.finding for one in book.record(said, now))
    assert first is not None
    assert second is not None
    book.resolve("default", first.id, Resolution.FIXED, "key", now)

    rows = [json.loads(line) for line in client.get("/v1/exports/findings?format=jsonl").content.splitlines()]
    found = {row["id"]: row for row in rows}

    assert set(found) == {first.id, second.id}
    row = found[first.id]
    assert (row["state"], row["resolution"], row["judgement"], row["agent"]) == (
        "resolved",
        "fixed",
        "real",
        "support-agent",
    )
    assert (row["usd_per_day"], row["window_low"], row["unit"], row["details"]) == (
        "1.5",
        0.25,
        "share",
        '{"parts":[]}',
    )
    assert (found[second.id]["usd_per_day"], found[second.id]["resolution"]) == (None, None)
    for query, count in (("kind=regression", 1), ("state=open", 1), ("severity=critical", 1), ("agent=nobody", 0)):
        assert len(rows_of_csv(client.get(f"/v1/exports/findings?{query}").content)) == count


def test_formulas_are_defused_in_csv_alone(client: TestClient, store: EmbeddedStore) -> None:
    """Whoever names an agent must not run something on the machine of who opens the file."""
    fill(store, HOSTILE)

    in_csv = {row["id"]: row["agent"] for row in rows_of_csv(client.get("/v1/exports/runs").content)}
    lines = client.get("/v1/exports/runs?format=jsonl").content.splitlines()
    in_parquet = pq.read_table(io.BytesIO(client.get("/v1/exports/runs?format=parquet").content)).to_pylist()

    for number, name in enumerate(HOSTILE, 1):
        assert in_csv[run_of(number, 1)] == ("'" + name if name in FORMULAS else name)
    assert sorted(json.loads(line)["agent"] for line in lines) == sorted(HOSTILE)
    assert sorted(row["agent"] for row in in_parquet) == sorted(HOSTILE)


def test_hostile_attributes_of_spans_stay_in_their_cells(client: TestClient, store: EmbeddedStore) -> None:
    said = {"app.x": '",\n=cmd()', "app.nul": "a\0b"}
    receive(store, chat(1, attributes=said))

    (row,) = rows_of_csv(client.get("/v1/exports/spans").content)

    assert {key: json.loads(row["attributes"])[key] for key in said} == said


def test_events_and_links_are_lists_of_objects(client: TestClient, store: EmbeddedStore) -> None:
    receive(store, tool(1, exception="TimeoutError"))

    (in_csv,) = rows_of_csv(client.get("/v1/exports/spans").content)
    (line,) = client.get("/v1/exports/spans?format=jsonl").content.splitlines()
    (in_parquet,) = pq.read_table(io.BytesIO(client.get("/v1/exports/spans?format=parquet").content)).to_pylist()

    (event,) = json.loads(line)["events"]
    assert (event["name"], event["attributes"]) == ("exception", {"exception.type": "TimeoutError"})
    assert [event["name"] for event in json.loads(in_csv["events"])] == ["exception"]
    assert [event["name"] for event in in_parquet["events"]] == ["exception"]
    assert (json.loads(line)["links"], in_csv["links"], in_parquet["links"]) == ([], "[]", [])


def test_what_was_said_is_not_in_it(client: TestClient, store: EmbeddedStore) -> None:
    """Also where the project lets it be stored."""
    receive(store, chat(1, attributes={"gen_ai.input.messages": '[{"role": "user", "content": "the canary"}]'}))
    assert store.rows("SELECT count() FROM span_content WHERE position(Text, 'canary') > 0") == [(1,)]

    for file_format in ("csv", "jsonl", "parquet"):
        assert b"canary" not in client.get(f"/v1/exports/spans?format={file_format}").content


def test_filters(client: TestClient, store: EmbeddedStore) -> None:
    fill(store, ["a", "b"])

    def count(path: str) -> int:
        return len(rows_of_csv(client.get(f"/v1/exports/{path}").content))

    assert count("runs?agent=a") == 1
    assert count("runs?since=30m") == 0  # the traces of these tests began an hour ago
    assert count("steps?agent=a") == 2
    assert count("steps?agent=a&type=tool&failed=true&tool=refund") == 1
    assert count("steps?model=none") == 0
    assert count(f"steps?run={run_of(2, 1)}") == 2
    assert count("spans?operation=chat") == 2
    assert count("spans?agent=b") == 1
    assert count(f"spans?trace={1:032x}") == 3
    assert client.get("/v1/exports/runs?colour=red").status_code == 422
    assert client.get("/v1/exports/runs?format=xlsx").status_code == 422


def test_other_projects_are_not_in_it(client: TestClient, store: EmbeddedStore) -> None:
    fill(store, ["mine"])
    fill(store, ["theirs"], project="other")

    assert [row["agent"] for row in rows_of_csv(client.get("/v1/exports/runs").content)] == ["mine"]
    assert [row["agent"] for row in rows_of_csv(client.get("/v1/exports/runs?project=other").content)] == ["theirs"]
    assert len(rows_of_csv(client.get("/v1/exports/spans?project=other").content)) == 3
    assert len(rows_of_csv(client.get("/v1/exports/steps?project=none").content)) == 0


@pytest.mark.long
def test_a_million_rows_need_little_memory(client: TestClient, store: EmbeddedStore) -> None:
    """No cap, and no more in memory than what is under way."""
    store.command(
        "INSERT INTO findings (Project, FindingId, FoundAt, Version, Explanation) SELECT 'default', toString(number), "
        "now64(9) - toIntervalSecond(number % 80000), 1, repeat('it was slow; ', 15) FROM numbers(1000000)"
    )
    lines = size = 0
    with serving(client.app) as port:
        fetch(port, "/v1/exports/findings?since=0s")
        before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        answer = opened(port, "/v1/exports/findings")
        while piece := answer.read(2**16):
            lines += piece.count(b"\n")
            size += len(piece)

    assert lines == 1_000_001
    assert size > 200_000_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib < 200 * 1024


@pytest.fixture
def streaming(store: EmbeddedStore) -> Iterator[Callable[[str], int]]:
    """A function that serves the answer to a query as an export, and returns the port; one at a time is served."""
    exports = Exports(store, Reader(store), most_at_once=1)
    with ExitStack() as stack:

        def serve(sql: str) -> int:
            app = FastAPI()
            answer_problems(app)

            @app.get("/export")
            async def export() -> Response:
                return ExportResponse(exports, lambda: store.stream(sql, {}, "CSV"), "a.csv", "text/csv")

            return stack.enter_context(serving(app))

        yield serve


def test_one_that_fails_on_its_way_does_not_look_whole(
    streaming: Callable[[str], int], caplog: pytest.LogCaptureFixture
) -> None:
    port = streaming("SELECT throwIf(number = 3000000), number FROM numbers(9000000) SETTINGS max_threads = 1")

    answer = opened(port, "/export")

    assert answer.status == 200
    with pytest.raises(http.client.IncompleteRead):
        answer.read()
    assert "a.csv breaks off after" in caplog.text


def test_one_that_fails_at_once_says_so(streaming: Callable[[str], int]) -> None:
    answer = opened(streaming("SELECT throwIf(1)"), "/export")

    assert (answer.status, answer.getheader("content-type")) == (503, "application/problem+json")


def test_who_leaves_stops_the_query_and_makes_room(store: EmbeddedStore, streaming: Callable[[str], int]) -> None:
    port = streaming("SELECT 'until the client leaves', number FROM system.numbers")
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/export")
    answer = connection.getresponse()
    answer.read(1000)

    refused = opened(port, "/export")
    assert (refused.status, refused.getheader("retry-after")) == (503, "10")

    answer.close()
    connection.close()
    running = "SELECT count() FROM system.processes WHERE startsWith(query, 'SELECT \\'until the client leaves')"
    until(lambda: store.rows(running)[0][0] == 0)
    again = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def is_served() -> bool:
        again.request("GET", "/export")
        served = again.getresponse().status == 200
        again.close()
        return served

    until(is_served)


def opened(port: int, path: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path)
    return connection.getresponse()


def fetch(port: int, path: str) -> bytes:
    return opened(port, path).read()


def until(condition: Callable[[], bool]) -> None:
    """Wait for ``condition``; nobody waits longer than a minute."""
    give_up = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.05)
