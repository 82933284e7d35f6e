"""``agentvigil semconv``: what it reads, what it prints, and its exit codes."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from agentvigil.cli import semconv as module
from agentvigil.cli.commands import agentvigil
from agentvigil.cli.settings import Settings
from agentvigil.cli.sql import SqlFailed
from agentvigil.semconv.registry import load
from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.sql.gateway import SqlGateway

GOOD: dict[str, Any] = {
    "name": "execute_tool search",
    "kind": "INTERNAL",
    "attributes": {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "search",
        "gen_ai.tool.type": "function",
        "gen_ai.tool.call.id": "call_1",
    },
}
NOTED = {**GOOD, "status": "OK"}
BAD = {**GOOD, "name": "search", "span_id": "eee19b7ec3c1b174"}
TRACE_ID = "5b8efff798038103d269b633813fc60c"


def run(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(agentvigil, ["semconv", *arguments], input=stdin, prog_name="agentvigil")


@pytest.mark.parametrize(
    ("text", "code", "counted"),
    [
        (json.dumps(GOOD), 0, "1 span checked: 0 errors, 0 warnings, 0 notes"),
        (json.dumps(NOTED), 0, "1 span checked: 0 errors, 0 warnings, 1 note"),
        (json.dumps([GOOD, BAD]), 1, "2 spans checked: 0 errors, 1 warning, 0 notes"),
        ("\n".join(map(json.dumps, [GOOD, BAD, NOTED])), 1, "3 spans checked: 0 errors, 1 warning, 1 note"),
        (json.dumps(GOOD, indent=4) + json.dumps(BAD, indent=4), 1, "2 spans checked: 0 errors, 1 warning, 0 notes"),
        ("\ufeff" + json.dumps(GOOD), 0, "1 span checked: 0 errors, 0 warnings, 0 notes"),
        (json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [GOOD]}]}]}), 0, "1 span checked"),
    ],
    ids=["good", "noted", "list", "lines", "console exporter", "byte order mark", "export request"],
)
def test_a_file_is_checked_in_whatever_shape(text: str, code: int, counted: str, tmp_path: Path) -> None:
    """Exporters write requests, people write spans, and logs have one per line."""
    file = tmp_path / "spans.json"
    file.write_text(text, encoding="utf-8")

    from_file, from_stdin = run("check", str(file)), run("check", "-", stdin=text)

    assert (from_file.exit_code, from_stdin.exit_code) == (code, code)
    assert counted in from_file.stderr
    assert from_stdin.output == from_file.output


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "there are no spans"),
        (b"[]", "there are no spans"),
        (b"{", "is no JSON"),
        (json.dumps(GOOD).encode() + b"\nnot json", "in line 2"),
        (b'{"resourceLogs": []}', "neither a span nor an export request of traces"),
        (b"\x0a\x9f\x01", "is not UTF-8"),
        (b"[" * 100_000, "nobody should send"),
        (b'[{"name": "x", "attributes": {"a": ' + b"9" * 5000 + b"}}]", "nobody should send"),
        (None, "can not read"),
    ],
    ids=["empty", "no spans", "cut", "second line", "logs", "protobuf", "deep", "huge number", "no file"],
)
def test_what_can_not_be_checked_is_no_problem_of_spans(data: bytes | None, told: str, tmp_path: Path) -> None:
    """A build must not pass, nor be blamed on spans, because nothing was looked at."""
    file = tmp_path / "spans.json"
    if data is not None:
        file.write_bytes(data)

    result = run("check", str(file))

    assert result.exit_code == 2
    assert told in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("arguments", [[], ["x.json", "--trace", TRACE_ID], ["--trace", "12"], ["--trace", "g" * 32]])
def test_wrong_use_is_told(arguments: list[str]) -> None:
    """One of the two, and a trace id that can be one."""
    assert run("check", *arguments).exit_code == 2


def test_json_says_all_and_notes_can_be_left_out() -> None:
    """Machines read it."""
    full = run("check", "-", "--json", stdin=json.dumps([NOTED, BAD]))
    short = run("check", "-", "--json", "--no-notes", stdin=json.dumps([NOTED, BAD]))

    told = json.loads(full.stdout)
    assert {key: value for key, value in told.items() if key != "problems"} == {
        "spans": 2,
        "errors": 0,
        "warnings": 1,
        "notes": 1,
    }
    (problem,) = json.loads(short.stdout)["problems"]
    assert problem in told["problems"]
    assert {key: problem[key] for key in ("span_id", "span", "severity", "code", "attribute")} == {
        "span_id": "eee19b7ec3c1b174",
        "span": "search",
        "severity": "warning",
        "code": "name",
        "attribute": None,
    }


def test_spans_alike_are_told_once() -> None:
    """One slip in an instrumentation is on every span it makes."""
    lines = run("check", "-", stdin=json.dumps([BAD, BAD, {**BAD, "span_id": "2"}])).stdout.splitlines()

    assert lines[0] == "search  (3 spans, the first eee19b7ec3c1b174)"
    assert len(lines) == 2


def test_columns_are_aligned() -> None:
    """Many problems are read down the columns."""
    attributes = {**GOOD["attributes"], "gen_ai.system": "x", "gen_ai.conversation.id": "a b"}
    lines = run("check", "-", stdin=json.dumps({**BAD, "attributes": attributes})).stdout.splitlines()

    begins = ("the span", "is deprecated", "is no label")
    assert len({line.index(begin) for line, begin in zip(lines[1:], begins, strict=True)}) == 1


HOSTILE = "\x1b]0;owned\x07 \x9b2J\nsecond line\u202e \ud800"


@pytest.mark.parametrize("as_json", [False, True])
def test_a_span_can_not_drive_the_terminal(as_json: bool) -> None:
    """Names, keys and values of spans come from anywhere."""
    attributes = {**GOOD["attributes"], f"gen_ai.{HOSTILE}": 1, "agentvigil.step.type": HOSTILE}
    span = {"name": HOSTILE, "attributes": attributes, "span_id": HOSTILE}

    shown = run("check", "-", *(["--json"] if as_json else []), stdin=json.dumps([span, span])).stdout

    assert "u001b" in shown or "\\x1b" in shown
    assert all(c.isprintable() or c == "\n" for c in shown)
    if not as_json:
        assert "\nsecond" not in shown


# The store


@pytest.fixture
def stored(
    store: EmbeddedStore, insert_traces: Callable[[bytes], None], monkeypatch: pytest.MonkeyPatch
) -> EmbeddedStore:
    """A store with one trace, asked through the gateway as ``agentvigil sql`` asks it without a server."""
    request = ExportTraceServiceRequest()
    spans = request.resource_spans.add().scope_spans.add().spans
    first = spans.add(
        trace_id=bytes.fromhex(TRACE_ID), span_id=bytes(7) + b"\1", name="chat gpt-4.1", kind="SPAN_KIND_CLIENT"
    )
    first.start_time_unix_nano = first.end_time_unix_nano = 1_790_000_000 * 10**9
    for key, value in {"operation.name": "chat", "system": "openai", "request.model": "gpt-4.1"}.items():
        first.attributes.add(key=f"gen_ai.{key}").value.string_value = value
    first.attributes.add(key="gen_ai.usage.input_tokens").value.int_value = 10
    first.attributes.add(key="gen_ai.usage.cache_read.input_tokens").value.int_value = 11
    first.attributes.add(key="gen_ai.response.finish_reasons").value.array_value.values.add(string_value="stop")
    first.events.add(name="gen_ai.choice", time_unix_nano=1)
    first.status.code = 2  # type: ignore[assignment]
    other = spans.add(trace_id=bytes(15) + b"\1", span_id=bytes(7) + b"\2", name="other")
    other.attributes.add(key="gen_ai.system").value.string_value = "other"
    insert_traces(request.SerializeToString())

    def answer(settings: Settings, query: str, default_format: str, parameters: Mapping[str, str]) -> Iterator[bytes]:
        gateway = SqlGateway(store.open_handle, database=store.database, allowed_tables=store.readable_tables)
        yield gateway.execute(query, parameters=parameters, default_format=default_format).body

    monkeypatch.setattr(module, "answer", answer)
    return store


@pytest.mark.parametrize("spelled", [TRACE_ID, TRACE_ID.upper(), f"0x{TRACE_ID}"])
def test_a_stored_trace_is_checked(stored: EmbeddedStore, spelled: str) -> None:
    """Values are text in the store; they must not all be of the wrong type."""
    result = run("check", "--trace", spelled, "--json", "--no-notes")

    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert told["spans"] == 1
    assert {(problem["severity"], problem["code"], problem["attribute"]) for problem in told["problems"]} == {
        ("error", "tokens", "gen_ai.usage.input_tokens"),
        ("error", "status", "error.type"),
        ("warning", "deprecated", "gen_ai.system"),
        ("warning", "event", None),
    }
    assert {(problem["trace_id"], problem["span_id"]) for problem in told["problems"]} == {(TRACE_ID, "0" * 15 + "1")}


def test_a_trace_that_is_not_stored_could_not_be_checked(stored: EmbeddedStore) -> None:
    """No spans is not no problems."""
    result = run("check", "--trace", "f" * 32)

    assert result.exit_code == 2
    assert "no span of trace ffff" in result.stderr


def test_a_long_trace_is_looked_at_from_its_beginning(stored: EmbeddedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A trace may have a million spans, and the first thousands tell."""
    monkeypatch.setattr(module, "_MOST_SPANS", 1)

    assert "only the first 1 spans" in run("check", "--trace", TRACE_ID).stderr


def test_a_store_that_refuses_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason is the store's."""

    def refuse(*_: Any) -> Iterator[bytes]:
        raise SqlFailed("Code: 516. wrong key")
        yield b""

    monkeypatch.setattr(module, "answer", refuse)
    result = run("check", "--trace", TRACE_ID)

    assert result.exit_code == 2
    assert "Code: 516. wrong key" in result.stderr


# The vocabulary


def test_names_are_found_by_a_part_or_a_pattern() -> None:
    """Nobody remembers the whole name."""
    by_part = json.loads(run("list", "CACHE_READ", "--json").stdout)
    by_pattern = json.loads(run("list", "gen_ai.usage.cache_read.*", "--json").stdout)

    assert [found["name"] for found in by_pattern] == ["gen_ai.usage.cache_read.input_tokens"]
    assert by_pattern[0] in by_part
    assert len(by_part) > 3
    assert by_pattern[0]["type"] == "int"
    assert by_pattern[0]["source"]["url"].startswith("https://github.com/open-telemetry/")


def test_the_list_names_what_took_a_names_place() -> None:
    """The usual reason to look an old name up."""
    (line,) = run("list", "gen_ai.system").stdout.splitlines()

    assert "deprecated" in line
    assert "Now gen_ai.provider.name." in line


def test_the_values_of_a_single_name_are_listed() -> None:
    """``check`` sends people here where there are too many values for a line."""
    lines = run("list", "gen_ai.provider.name").stdout.splitlines()

    assert len(lines) == 1 + len(load().enums["ProviderName"].values)
    assert lines[1].startswith("  openai ")


def test_nothing_found_is_said() -> None:
    """An empty answer looks like a broken command."""
    result = run("list", "flux")

    assert (result.exit_code, result.stdout) == (0, "")
    assert "'flux'" in result.stderr


@pytest.mark.parametrize("command", [[], ["check"], ["list"]])
def test_help_has_examples(command: list[str]) -> None:
    """People learn a command from them."""
    result = run(*command, "--help")

    assert result.exit_code == 0
    assert f"\n  agentvigil semconv {command[0] if command else 'check'}" in result.output
