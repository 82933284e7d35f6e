"""From the TOML of one dialect to its values. Whether they fit together is asked in ``validation``."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from agentvigil.semconv import attributes as a
from agentvigil.semconv.dialects.errors import BadDialect
from agentvigil.semconv.dialects.model import (
    NO_OPERATION,
    Detection,
    Dialect,
    ErrorRule,
    EventRule,
    Flattened,
    OperationRule,
    Rule,
    SpanNameRule,
    Tokens,
)

Table = Mapping[str, Any]
"""A table of a TOML file; its shape is checked by what reads it."""

_CONTENT_RANK: Final = 5
"""What went in and came out as a whole is the last place to look for messages."""

_CONTENT_TARGETS: Final = {
    "execute_tool": (a.GEN_AI_TOOL_CALL_ARGUMENTS, a.GEN_AI_TOOL_CALL_RESULT),
    "retrieval": (a.GEN_AI_RETRIEVAL_QUERY_TEXT, a.GEN_AI_RETRIEVAL_DOCUMENTS),
}
_MESSAGES: Final = (a.GEN_AI_INPUT_MESSAGES, a.GEN_AI_OUTPUT_MESSAGES)
_MESSAGE_OPERATIONS: Final = frozenset(
    {"chat", "generate_content", "text_completion", "invoke_agent", "invoke_workflow"}
)

_DETECT: Final = frozenset(
    {
        "scopes",
        "scope_roots",
        "scope_prefixes",
        "attributes",
        "families",
        "values",
        "resource_values",
        "span_names",
        "span_prefixes",
    }
)
_TABLES: Final = frozenset(
    {
        "title",
        "library",
        "version",
        "evidence",
        "notes",
        "sends",
        "detect",
        "tokens",
        "deprecated",
        "shared",
        "own",
        "rule",
        "json",
        "flattened",
        "content",
        "operation",
        "span_name",
        "event",
        "error",
        "ignored",
    }
)


def parse_dialect(dialect_id: str, document: Table, paths: Mapping[str, Mapping[str, str]]) -> Dialect:
    """Read one dialect. ``paths`` are the named sets of JSON parts that several dialects share.

    Raises:
        BadDialect: if a table or a field has another name than those known, or one is missing.
    """
    if unknown := document.keys() - _TABLES:
        raise BadDialect(dialect_id, f"unknown tables {sorted(unknown)}")
    if unknown := document.get("detect", {}).keys() - _DETECT:
        raise BadDialect(dialect_id, f"unknown ways to detect {sorted(unknown)}")
    try:
        return Dialect(
            id=dialect_id,
            title=document["title"],
            library=document["library"],
            version=document["version"],
            evidence=document["evidence"],
            notes=document.get("notes", ""),
            sends=tuple(document.get("sends", ())),
            detection=_detection(document["detect"]),
            tokens=Tokens(**document.get("tokens", {})),
            rules=tuple(_rules(dialect_id, document, paths)),
            flattened=tuple(Flattened(**entry, declared_by=dialect_id) for entry in document.get("flattened", ())),
            operations=tuple(_operation(entry, dialect_id) for entry in document.get("operation", ())),
            span_names=tuple(_span_name(entry, dialect_id) for entry in document.get("span_name", ())),
            events=tuple(EventRule(**entry) for entry in document.get("event", ())),
            errors=tuple(ErrorRule(**entry) for entry in document.get("error", ())),
            ignored=document.get("ignored", {}),
        )
    except (KeyError, TypeError) as exc:
        raise BadDialect(dialect_id, f"not as the model has it: {exc}") from exc


def _detection(table: Table) -> Detection:
    # A root is a scope and all that lies under it.
    roots = table.get("scope_roots", ())
    return Detection(
        scopes=(*table.get("scopes", ()), *roots),
        scope_prefixes=(*table.get("scope_prefixes", ()), *(f"{root}." for root in roots)),
        attributes=tuple(table.get("attributes", ())),
        families=tuple(table.get("families", ())),
        values=tuple(table.get("values", {}).items()),
        resource_values=tuple(table.get("resource_values", {}).items()),
        span_names=tuple(table.get("span_names", ())),
        span_prefixes=tuple(table.get("span_prefixes", ())),
    )


def _rules(dialect_id: str, document: Table, paths: Mapping[str, Mapping[str, str]]) -> Iterator[Rule]:
    for source, target in document.get("deprecated", {}).items():
        yield Rule(source, target, "", dialect_id, deprecated=True)
    for section, scope in (("shared", ""), ("own", dialect_id)):
        for source, entry in document.get(section, {}).items():
            yield from _plain(source, entry, scope, dialect_id)
    for entry in document.get("rule", ()):
        yield _conditional(entry, dialect_id)
    for entry in document.get("json", ()):
        yield from _json(entry, dialect_id, paths)
    for entry in document.get("content", ()):
        yield from _content(entry, dialect_id)


def _plain(source: str, entry: str | Table, scope: str, dialect_id: str) -> Iterator[Rule]:
    if isinstance(entry, str):
        yield Rule(source, entry, scope, dialect_id)
        return
    yield Rule(source, entry["to"], scope, dialect_id, rank=entry.get("rank", 1), convert=entry.get("convert", ""))
    if "also" in entry:
        yield Rule(source, entry["also"], scope, dialect_id, rank=entry["also_rank"], position=1)


def _conditional(entry: Table, dialect_id: str) -> Rule:
    return Rule(
        entry["source"],
        entry["target"],
        "" if entry.get("shared", False) else dialect_id,
        dialect_id,
        rank=entry.get("rank", 1),
        convert=entry.get("convert", ""),
        when=tuple(entry.get("when", {}).items()),
        operations=frozenset(entry.get("operations", ())),
    )


def _json(entry: Table, dialect_id: str, paths: Mapping[str, Mapping[str, str]]) -> Iterator[Rule]:
    parts = paths[entry["use"]] if "use" in entry else entry["paths"]
    scope = "" if entry.get("shared", False) else dialect_id
    for position, (path, target) in enumerate(parts.items()):
        yield Rule(
            entry["source"],
            target,
            scope,
            dialect_id,
            path=path,
            position=position,
            is_repr=entry.get("repr", False),
            operations=frozenset(entry.get("operations", ())),
        )


def _content(entry: Table, dialect_id: str) -> Iterator[Rule]:
    by_operation = {frozenset({name}): targets for name, targets in _CONTENT_TARGETS.items()}
    for operations, targets in {**by_operation, _MESSAGE_OPERATIONS: _MESSAGES}.items():
        for source, target in zip((entry["input"], entry["output"]), targets, strict=True):
            yield Rule(source, target, "", dialect_id, rank=_CONTENT_RANK, operations=operations)


def _operation(entry: Table, dialect_id: str) -> OperationRule:
    values = {**entry["values"], **dict.fromkeys(entry.get("none", ()), NO_OPERATION)}
    return OperationRule(
        source=entry["source"],
        values=values,
        declared_by=dialect_id,
        roots=entry.get("roots", {}),
        has=entry.get("has", ""),
        lacks=entry.get("lacks", ""),
        outranks_standard=entry.get("outranks_standard", False),
    )


def _span_name(entry: Table, dialect_id: str) -> SpanNameRule:
    return SpanNameRule(
        text=entry["equals"] if "equals" in entry else entry["prefix"],
        is_prefix="prefix" in entry,
        operation=entry["operation"],
        declared_by=dialect_id,
        shared=entry.get("shared", False),
        first=entry.get("first", False),
    )
