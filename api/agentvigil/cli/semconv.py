"""``agentvigil semconv``: holds spans against the vocabulary, and shows the vocabulary."""

import fnmatch
import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

from agentvigil.cli.exit_codes import CannotRun
from agentvigil.cli.options import STORE_OPTIONS, load_settings, settings_options
from agentvigil.cli.printable import printable
from agentvigil.cli.settings import Settings
from agentvigil.cli.sql import SqlFailed, answer
from agentvigil.semconv.check import Problem, Severity
from agentvigil.semconv.check import check as check_span
from agentvigil.semconv.registry import Attribute, load
from agentvigil.semconv.spans import NotASpan, Span, SpanEvent, span_of, spans_in, typed_attributes
from agentvigil.storage.errors import StorageError
from agentvigil.storage.named_queries import load_queries

_QUERIES: Final = load_queries("agentvigil.cli", "semconv.sql")
_MOST_SPANS: Final = 10_000
_TRACE_ID: Final = re.compile(r"[0-9a-f]{32}")
_BETWEEN_DOCUMENTS: Final = re.compile(r"[\s,\x1e]*")  # \x1e: JSON text sequences (RFC 7464)


@dataclass(frozen=True, slots=True)
class _Finding:
    """A span and its problems."""

    span: Span
    problems: tuple[Problem, ...]


@click.group()
def semconv() -> None:
    """Hold spans against the GenAI conventions, and look names up.

    \b
    agentvigil semconv check spans.json
    agentvigil semconv list 'gen_ai.usage.*'
    """


@semconv.command()
@settings_options(STORE_OPTIONS)
@click.argument("file", required=False)
@click.option("--trace", "trace_id", metavar="ID", help="Check a stored trace instead, by its 32 hex digits.")
@click.option("--notes/--no-notes", default=True, help="Also show what may well be as intended.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def check(file: str | None, trace_id: str | None, notes: bool, as_json: bool, **flags: Any) -> None:
    """Say what is missing, deprecated or wrong about spans, and what to do about it.

    FILE, or - for stdin, holds OTLP/JSON export requests, spans or lists of them, one or many, or what
    ConsoleSpanExporter prints. Exits with 0 if there is nothing but notes, 1 if there is, 2 if it could not look.

    \b
    agentvigil semconv check spans.json
    agentvigil semconv check --no-notes - < spans.jsonl
    agentvigil semconv check --trace 5b8efff798038103d269b633813fc60c --json
    """
    if (file is None) == (trace_id is None):
        raise click.UsageError("give a FILE, or - for stdin, or --trace ID")
    spans = _read_spans(str(file)) if trace_id is None else _stored_spans(load_settings(flags), trace_id)
    findings = [_Finding(span, tuple(_wanted(check_span(span), notes=notes))) for span in spans]
    count = Counter(problem.severity for finding in findings for problem in finding.problems)
    click.echo(_as_json(findings) if as_json else _as_text(findings), nl=as_json)
    if not as_json:
        counted = [_counted(count[severity], severity.value) for severity in Severity if notes or severity != "note"]
        click.echo(f"{_counted(len(findings), 'span')} checked: {', '.join(counted)}", err=True)
    if count[Severity.ERROR] or count[Severity.WARNING]:
        sys.exit(1)


@semconv.command(name="list")
@click.argument("pattern", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
def list_names(pattern: str | None, as_json: bool) -> None:
    """List attributes: name, type, stability, privacy class and meaning.

    PATTERN is a part of the name, or the whole name with * and ? for what is open. If only one name is like it, the
    values it may have are listed too.

    \b
    agentvigil semconv list
    agentvigil semconv list cache
    agentvigil semconv list 'agentvigil.*' --json
    """
    names = load().attributes
    exactly = names.get(pattern or "")
    found = [exactly] if exactly else [attribute for name, attribute in names.items() if _matches(name, pattern)]
    if as_json:
        click.echo(json.dumps([_described(attribute) for attribute in found], indent=2))
    elif found:
        rows = [(a.name, a.type.value, a.stability.value, a.privacy.value, _meaning(a)) for a in found]
        click.echo("\n".join(_aligned(rows)))
        if len(found) == 1 and found[0].enum:
            click.echo("\n".join(f"  {line}" for line in _aligned(list(load().enums[found[0].enum].values.items()))))
    else:
        click.echo(f"no attribute is called like {pattern!r}", err=True)


def _read_spans(file: str) -> list[Span]:
    """Return the spans in ``file``.

    Raises:
        CannotRun: if it can not be read, or there are none.
    """
    name = "stdin" if file == "-" else file
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        # Exporters of other languages may put a byte order mark in front.
        text = data.decode("utf-8-sig")
    except OSError as exc:
        raise CannotRun(f"can not read {name}: {exc.strerror or exc}") from exc
    except UnicodeDecodeError as exc:
        raise CannotRun(f"{name} is not UTF-8 from byte {exc.start} on; is it OTLP in protobuf? JSON is read") from exc
    try:
        spans = [span for document in _documents(text) for span in spans_in(document)]
    except json.JSONDecodeError as exc:
        raise CannotRun(f"{name} is no JSON: {exc.msg} in line {exc.lineno}, column {exc.colno}") from exc
    except NotASpan as exc:
        raise CannotRun(f"{name}: {exc}") from exc
    except (RecursionError, ValueError) as exc:
        raise CannotRun(f"{name} holds JSON that nobody should send: {type(exc).__name__}, {exc}") from exc
    if not spans:
        raise CannotRun(f"there are no spans in {name}")
    return spans


def _documents(text: str) -> Iterator[Any]:
    """Yield the JSON values that stand one after the other in ``text``, in lines of their own or not."""
    decoder, position = json.JSONDecoder(), 0
    while True:
        between = _BETWEEN_DOCUMENTS.match(text, position)
        position = between.end() if between else position
        if position == len(text):
            return
        document, position = decoder.raw_decode(text, position)
        yield document


def _stored_spans(settings: Settings, trace_id: str) -> list[Span]:
    """Return the spans of a stored trace.

    Raises:
        CannotRun: if the store can not be asked, or has none.
    """
    wanted = trace_id.strip().lower().removeprefix("0x")
    if not _TRACE_ID.fullmatch(wanted):
        raise click.UsageError(f"--trace wants the 32 hex digits of a trace id, not {trace_id[:80]!r}")
    parameters = {"trace_id": wanted, "most": str(_MOST_SPANS)}
    try:
        found = b"".join(answer(settings, _QUERIES["spans_of_trace"], "JSONEachRow", parameters))
    except (SqlFailed, StorageError) as exc:
        raise CannotRun(str(exc)) from exc
    rows = [json.loads(line) for line in found.decode("utf-8", errors="replace").split("\n") if line]
    if not rows:
        raise CannotRun(f"no span of trace {wanted} is stored")
    if len(rows) == _MOST_SPANS:
        click.echo(f"only the first {_MOST_SPANS} spans of the trace are looked at", err=True)
    return [_stored_span(row) for row in rows]


def _stored_span(row: dict[str, Any]) -> Span:
    events = zip(row["EventNames"], row["EventAttributes"], strict=True)
    read = span_of({"name": row["SpanName"], "kind": row["SpanKind"] or None, "status": row["StatusCode"] or None})
    return Span(
        name=read.name,
        kind=read.kind,
        attributes=typed_attributes(row["SpanAttributes"]),
        status=read.status,
        status_message=row["StatusMessage"],
        events=tuple(SpanEvent(name, typed_attributes(attributes)) for name, attributes in events),
        trace_id=row["TraceId"],
        span_id=row["SpanId"],
    )


def _wanted(problems: Iterable[Problem], *, notes: bool) -> Iterator[Problem]:
    return (problem for problem in problems if notes or problem.severity is not Severity.NOTE)


def _as_json(findings: Sequence[_Finding]) -> str:
    count = Counter(problem.severity for finding in findings for problem in finding.problems)
    problems = [
        {
            "trace_id": finding.span.trace_id,
            "span_id": finding.span.span_id,
            "span": finding.span.name,
            "severity": problem.severity,
            "code": problem.code,
            "attribute": problem.attribute,
            "message": problem.message,
        }
        for finding in findings
        for problem in finding.problems
    ]
    summary = {"spans": len(findings), **{f"{severity}s": count[severity] for severity in Severity}}
    return json.dumps({**summary, "problems": problems}, indent=2)


def _as_text(findings: Sequence[_Finding]) -> str:
    """Return the problems, those of spans alike told once."""
    alike: dict[tuple[str, tuple[Problem, ...]], list[Span]] = {}
    for finding in findings:
        if finding.problems:
            alike.setdefault((finding.span.name, finding.problems), []).append(finding.span)
    lines: list[str] = []
    for (name, problems), spans in alike.items():
        first = spans[0].span_id
        many = f"{len(spans)} spans" + (f", the first {first}" if first else "") if len(spans) > 1 else first
        lines.append(printable(f"{name or '(no name)'}" + (f"  ({many})" if many else "")))
        rows = [(problem.severity.value, problem.attribute or "-", problem.message) for problem in problems]
        lines += [f"  {line}" for line in _aligned(rows)]
    return "".join(f"{line}\n" for line in lines)


def _aligned(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Yield ``rows`` as lines with their columns one below the other; the last column is as wide as it is."""
    plain = [tuple(map(printable, row)) for row in rows]
    # One absurd name must not push all the others out of sight.
    widths = [min(60, max(len(row[column]) for row in plain)) for column in range(len(plain[0]) - 1)]
    for row in plain:
        padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=False))
        yield "  ".join((*padded, row[-1])).rstrip()


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _matches(name: str, pattern: str | None) -> bool:
    if pattern is None:
        return True
    if any(sign in pattern for sign in "*?["):
        return fnmatch.fnmatchcase(name, pattern.lower())
    return pattern.lower() in name


def _meaning(attribute: Attribute) -> str:
    text = attribute.text.replace("``", "")
    return f"{text} Now {attribute.replaced_by}." if attribute.replaced_by else text


def _described(attribute: Attribute) -> dict[str, Any]:
    registry = load()
    source = registry.sources[attribute.source]
    return {
        "name": attribute.name,
        "type": attribute.type,
        "unit": attribute.unit,
        "stability": attribute.stability,
        "privacy": attribute.privacy,
        "replaced_by": attribute.replaced_by,
        "values": list(registry.enums[attribute.enum].values) if attribute.enum else None,
        "description": attribute.text,
        "examples": attribute.examples,
        "source": {"title": source.title, "url": source.url, "version": source.version},
    }
