"""Writes docs/dialects.md from the data of the dialects.

    python tools/dialects/generate_docs.py           # write it
    python tools/dialects/generate_docs.py --check   # exit with 1 when the file says something else

The data is ``semconv/agentvigil/semconv/dialects/data``; a test keeps the two in step.
"""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from agentvigil.semconv.dialects import Dialect, Registry, Rule, load
from agentvigil.semconv.dialects.model import OperationRule

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "dialects.md"

_INTRODUCTION: Final = """# Dialects

*Made by `tools/dialects/generate_docs.py` from the data in `semconv/agentvigil/semconv/dialects/data`.*

AI libraries write their spans in dialects: the same count, model or conversation stands under another key, and tokens
are counted another way. This page is what AgentVigil knows of them. The typed columns of `otel_traces` are made of the
same data: it is compiled into the SQL that writes them (`storage/agentvigil/storage/typed_columns.sql`), and a
normaliser in Python (`agentvigil.semconv.reference`) holds that SQL to account, on payloads recorded from the real
libraries (`tests/testdata/goldens`) and on random ones.

What a span carried stays stored beside it, whether or not it was understood; a span about AI whose dialect is not known
has the dialect `unknown`.

**Finding the dialect.** The scope decides: its whole name first, then the longest beginning that fits. Failing that,
the first dialect of this page one of whose markers the span carries; then the beginning of the span's name.

**Several keys for one attribute.** The current name wins. After it the lower rank wins, and within a rank the key that
sorts first. A key that says nothing readable is passed over.

**Tokens.** Input counts are totals with what a cache gave and took, output counts are totals with reasoning. A dialect
that counts otherwise is converted. Where nobody says how a dialect counts ("unstated"), its numbers are taken as totals
unless they contradict that: a part greater than its whole was not counted in it. The reading is recorded with the span.

**Billing.** Only leaves are paid for: {leaves}. Usage on {sums} repeats what the spans below it say.
"""

_CONVERSIONS: Final = {
    "one": "made an array",
    "before_dot": "what stands before the dot",
    "ms": "milliseconds to seconds",
    "since_start": "seconds from the span's start",
    "unquote": "JSON string",
}


def document(registry: Registry) -> str:
    """The whole page."""
    by_billing = {
        kind: ", ".join(f"`{name}`" for name, billing in registry.operations.items() if billing == kind)
        for kind in ("leaf", "sum")
    }
    sections = [_INTRODUCTION.format(leaves=by_billing["leaf"], sums=by_billing["sum"])]
    sections += ["\n".join(_dialect(dialect)) for dialect in registry.in_order()]
    sections.append("\n".join(_values(registry)))
    return "\n".join(sections)


def _dialect(dialect: Dialect) -> Iterator[str]:
    yield f"## {dialect.title}\n"
    evidence = {"code": "its code", "ran": "its code and what it sent", "read": "documentation"}[dialect.evidence]
    yield f"`{dialect.id}`. Known from {evidence}: {dialect.library} {dialect.version}. {dialect.notes}".rstrip() + "\n"
    yield "**Found by** " + "; ".join(_found_by(dialect)) + ".\n"
    yield "**Tokens**: " + "; ".join(_tokens(dialect)) + ".\n"
    if dialect.errors:
        yield "**Errors under an unset status**: " + "; ".join(_errors(dialect)) + ".\n"
    if dialect.operations or dialect.span_names:
        yield "| says | operation |\n|---|---|"
        yield from (row for rule in dialect.operations for row in _operation(rule))
        for name in dialect.span_names:
            text = _cell(name.text) + ("…" if name.is_prefix else "")
            yield f"| span name `{text}` | {_operation_name(name.operation)} |"
        yield ""
    if dialect.rules or dialect.flattened or dialect.events:
        yield "| key | is | rank | how |\n|---|---|---|---|"
        yield from (_rule(rule) for rule in dialect.rules)
        for flattened in dialect.flattened:
            yield f"| `{flattened.prefix}N…` | `{flattened.target}` | 1 | rebuilt from numbered keys |"
        for event in dialect.events:
            target = "the span's attributes" if event.attributes else f"`{event.target}`"
            yield f"| event `{event.name}` | {target} | {4 if event.attributes else 3} | {event.role} |"
        yield ""
    if dialect.sends:
        yield (
            "Also sends " + ", ".join(f"`{key}`" for key in dialect.sends) + ", which mean what they mean elsewhere.\n"
        )
    if dialect.ignored:
        yield "Not mapped on purpose:\n"
        yield from (f"- `{key}`: {reason}" for key, reason in dialect.ignored.items())
        yield ""


def _found_by(dialect: Dialect) -> Iterator[str]:
    found = dialect.detection
    yield from _listed("scope", found.scopes)
    yield from _listed("scope", (f"{prefix}…" for prefix in found.scope_prefixes))
    yield from _listed("attribute", found.attributes)
    yield from _listed("any attribute", (f"{family}.…" for family in found.families))
    yield from _listed("attribute", (f"{key} = {value}" for key, value in found.values))
    yield from _listed("resource attribute", (f"{key} = {value}" for key, value in found.resource_values))
    yield from _listed("span name", (*found.span_names, *(f"{prefix}…" for prefix in found.span_prefixes)))


def _listed(what: str, texts: Iterable[str]) -> Iterator[str]:
    if listed := ", ".join(f"`{text}`" for text in texts):
        yield f"{what} {listed}"


def _tokens(dialect: Dialect) -> Iterator[str]:
    tokens = dialect.tokens
    yield f"input {tokens.input.replace('_', ' ')}"
    yield f"output {tokens.output.replace('_', ' ')}"
    for source, convention in tokens.by_source.items():
        yield f"input from `{source}` {convention.replace('_', ' ')}"
    for provider, convention in tokens.by_provider.items():
        yield f"input of {provider} {convention.replace('_', ' ')}"
    if tokens.total_decides:
        yield "the total that comes along decides where it can"
    if tokens.zero_usage == "unknown":
        yield "counts that are all 0 are unknown"
    if tokens.zero_cost == "unknown":
        yield "a cost of 0 is unknown"


def _errors(dialect: Dialect) -> Iterator[str]:
    for rule in dialect.errors:
        said = f"≥ {rule.at_least}" if rule.at_least is not None else f"= {rule.equals}"
        yield f"`{rule.attribute}` {said} (`error.type` `{rule.type}`)"


def _operation(rule: OperationRule) -> Iterator[str]:
    condition = f", with `{rule.has}` and without `{rule.lacks}`" if rule.has else ""
    for value, operation in rule.values.items():
        meaning = _operation_name(operation)
        if value in rule.roots:
            meaning = f"{_operation_name(rule.roots[value])} at the root, else {meaning}"
        yield f"| `{rule.source}` = {value}{condition} | {meaning} |"


def _operation_name(operation: str) -> str:
    return {"": "none", "step": "none, a step"}.get(operation, f"`{operation}`")


def _rule(rule: Rule) -> str:
    how = [_CONVERSIONS[rule.convert]] if rule.convert else []
    how += [f"when `{key}` is {value}" for key, value in rule.when]
    if rule.operations:
        how.append("on " + ", ".join(sorted(rule.operations)))
    how += ["only here"] if rule.dialect else []
    how += ["deprecated"] if rule.deprecated else []
    how += ["JSON or Python's repr"] if rule.is_repr else []
    source = f"`{rule.source}`" + (f" → `{rule.path}`" if rule.path else "")
    return f"| {source} | `{rule.target}` | {rule.rank} | {', '.join(how)} |"


def _values(registry: Registry) -> Iterator[str]:
    yield "## Values\n"
    yield "Compared without regard to case; a value that is not listed stays as it is.\n"
    yield "| attribute | value | is |\n|---|---|---|"
    for target, values in registry.values.items():
        for value, meaning in values.items():
            if value != meaning:
                yield f"| `{target}` | {value} | `{meaning}` |"
    yield ""
    names = ", ".join(f"`{name}`" for name in registry.frameworks)
    yield f"Frameworks that stand where a provider should, and are kept as the framework: {names}.\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main(arguments: list[str]) -> int:
    """Write or check the page."""
    text = document(load())
    if "--check" in arguments:
        return int(not DOCUMENT.exists() or DOCUMENT.read_text(encoding="utf-8") != text)
    DOCUMENT.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
