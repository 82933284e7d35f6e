#!/usr/bin/env python3
"""Writes what is made of ``semconv/agentvigil/semconv/registry.toml``: constants, enums and the tables of the docs.

    python tools/semconv/generate.py            # write the files
    python tools/semconv/generate.py --check    # exit with 1 and name them if one is not what the registry says

Needs Python 3.11 and nothing else. The output is already formatted as ruff would, so that a diff shows what changed
in the registry and nothing more.
"""

import argparse
import sys
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "semconv"))

from agentvigil.semconv.registry import (  # noqa: E402 - found only on the path set above
    Attribute,
    Enumeration,
    Event,
    Metric,
    Registry,
    Stability,
    Unknown,
    ValueType,
    constant_of,
    load,
)

PACKAGE: Final = ROOT / "semconv" / "agentvigil" / "semconv"
DOCUMENT: Final = ROOT / "docs" / "semconv.md"
BEGIN: Final = "<!-- made by tools/semconv/generate.py: begin -->"
END: Final = "<!-- made by tools/semconv/generate.py: end -->"

_WIDTH: Final = 118
_LONGEST_LINE: Final = 120
_MADE: Final = "Made by ``tools/semconv/generate.py`` from ``registry.toml``; change that and run it again."
_UNKNOWN: Final = {
    Unknown.ERROR: "The set is closed.",
    Unknown.WARNING: "Other values are rarely meant.",
    Unknown.NOTE: "Other values are possible.",
    Unknown.IGNORE: "Other values are usual.",
}


def names_module(registry: Registry) -> str:
    """Return the source of ``names.py``."""
    lines = [
        '"""Every name of the vocabulary: attributes, events and metrics, one documented constant each.',
        "",
        *_wrapped(
            "Each docstring says what the name means, the type of its value, its unit if it has one, its stability, "
            "its privacy class (the head of ``registry.toml`` says what these mean) and its source:"
        ),
        "",
    ]
    for name, source in registry.sources.items():
        lines += _wrapped(f"- {name}: {source.title}, {source.url}, {source.version}", hang="  ")
    lines += [
        "",
        *_wrapped(_MADE),
        '"""',
        "",
        "# ruff: noqa: S105 - tokens of models are no passwords",
        "",
        "from typing import Final",
        "",
        f'SCHEMA_URL: Final = "{registry.schema_url}"',
        '"""Schema of the GenAI conventions that these names follow; pass it to ``get_tracer(..., schema_url=)``."""',
        "",
        f'CORE_SCHEMA_URL: Final = "{registry.core_schema_url}"',
        '"""Schema of the conventions that the GenAI conventions build on."""',
    ]
    for title, attributes in registry.groups().items():
        lines += ["", "", f"# {title}"]
        for attribute in attributes:
            lines += ["", *_constant(attribute.constant, attribute.name, attribute.text, _facts(attribute))]
    lines += ["", "", "# Events"]
    for event in registry.events.values():
        lines += ["", *_constant(f"EVENT_{constant_of(event.name)}", event.name, event.text, _signal_facts(event))]
    lines += ["", "", "# Metrics"]
    for metric in registry.metrics.values():
        lines += ["", *_constant(f"METRIC_{constant_of(metric.name)}", metric.name, metric.text, _signal_facts(metric))]
    return "\n".join(lines) + "\n"


def enums_module(registry: Registry) -> str:
    """Return the source of ``enums.py``."""
    lines = [
        '"""Values that are chosen from a set, one enum per set.',
        "",
        *_wrapped("A member is a string and goes into an attribute as it is. The sources are named in ``names``."),
        "",
        *_wrapped(_MADE),
        '"""',
        "",
        "from enum import StrEnum",
    ]
    for enum in registry.enums.values():
        lines += ["", "", *_enum(enum, registry)]
    return "\n".join(lines) + "\n"


def attributes_module(registry: Registry) -> str:
    """Return the source of ``attributes.py``."""
    used = [attribute.constant for attribute in registry.attributes.values() if attribute.in_use]
    return "\n".join(
        [
            '"""Names of the attributes that AgentVigil emits and reads: the part of ``names`` that its own code uses.',
            "",
            *_wrapped(_MADE),
            '"""',
            "",
            "from agentvigil.semconv.names import (",
            *(f"    {name}," for name in sorted(used)),
            ")",
            "",
            "__all__ = [",
            *(f'    "{name}",' for name in used),
            "]",
            "",
        ]
    )


def reference(registry: Registry) -> str:
    """Return the tables of the document, in Markdown."""
    lines = ["## Attributes"]
    for title, attributes in registry.groups().items():
        lines += ["", f"### {title}", ""]
        lines += ["| attribute | type | stability | privacy | meaning |", "|---|---|---|---|---|"]
        for attribute in attributes:
            name = attribute.name + (".KEY" if attribute.template else "")
            kind = attribute.type.value + (f", {attribute.unit}" if attribute.unit else "")
            meaning = attribute.text.replace("``", "`") + (
                f" Now `{attribute.replaced_by}`." if attribute.replaced_by else ""
            )
            lines.append(f"| `{name}` | {kind} | {attribute.stability} | {attribute.privacy} | {_cell(meaning)} |")
    lines += ["", "## Values"]
    for enum in registry.enums.values():
        users = [f"`{attribute.name}`" for attribute in registry.attributes.values() if attribute.enum == enum.name]
        lines += ["", f"### {enum.name}", "", f"{enum.text} Of {', '.join(users)}. {_UNKNOWN[enum.unknown]}", ""]
        lines += ["| value | meaning |", "|---|---|"]
        lines += [f"| `{value}` | {_cell(text)} |" for value, text in enum.values.items()]
    lines += ["", "## Spans"]
    for span in registry.spans.values():
        told = f"Operation {_codes(span.operations)}" if span.operations else f"Told by `{span.marker}`"
        lines += ["", f"### {span.id}", ""]
        lines += [f"{span.text} {told}; kind {' or '.join(span.kinds)}; called `{span.names[0]}`.", ""]
        lines += ["| level | attributes |", "|---|---|", f"| required | {_codes(span.required)} |"]
        if span.conditional:
            conditions = ", ".join(f"`{name}` {condition}" for name, condition in span.conditional.items())
            lines.append(f"| required on condition | {conditions} |")
        if span.recommended:
            lines.append(f"| recommended | {_codes(span.recommended)} |")
        if span.optional:
            lines.append(f"| where the request has it, or as an opt-in | {_codes(span.optional)} |")
        if span.not_here:
            reasons = ", ".join(f"`{name}` ({reason})" for name, reason in span.not_here.items())
            lines.append(f"| not here | {reasons} |")
    lines += ["", "## Events", "", "| event | stability | meaning |", "|---|---|---|"]
    lines += [f"| `{event.name}` | {event.stability} | {_cell(event.text)} |" for event in registry.events.values()]
    lines += ["", "## Metrics", "", "| metric | instrument | unit | stability | meaning |", "|---|---|---|---|---|"]
    lines += [
        f"| `{metric.name}` | {metric.instrument} | {metric.unit} | {metric.stability} | {_cell(metric.text)} |"
        for metric in registry.metrics.values()
    ]
    lines += ["", "## Sources", "", "| source | where | version |", "|---|---|---|"]
    lines += [f"| {source.title} | {source.url} | {source.version} |" for source in registry.sources.values()]
    return "\n".join(lines) + "\n"


def files(registry: Registry) -> dict[Path, str]:
    """Return each file that is made of ``registry``, with what has to stand in it.

    Raises:
        ValueError: if the document has lost the lines between which the tables go.
    """
    document = DOCUMENT.read_text(encoding="utf-8")
    if document.count(BEGIN) != 1 or document.count(END) != 1:
        raise ValueError(f"{DOCUMENT} has to hold {BEGIN!r} and {END!r} once each")
    before, _, rest = document.partition(BEGIN)
    after = rest.partition(END)[2]
    return {
        PACKAGE / "names.py": names_module(registry),
        PACKAGE / "enums.py": enums_module(registry),
        PACKAGE / "attributes.py": attributes_module(registry),
        DOCUMENT: f"{before}{BEGIN}\n\n{reference(registry)}\n{END}{after}",
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the files, or say which differ; return the exit code."""
    parser = argparse.ArgumentParser(description="Write what is made of the registry of names.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if a file is not up to date")
    check = parser.parse_args(arguments).check
    stale = 0
    for path, text in files(load()).items():
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale += 1
        print(f"{'stale' if check else 'written'}  {path.relative_to(ROOT)}")
        if not check:
            path.write_text(text, encoding="utf-8")
    return 1 if check and stale else 0


def _constant(constant: str, name: str, text: str, facts: str) -> Iterator[str]:
    line = f'{constant}: Final = "{name}"'
    if len(line) > _LONGEST_LINE:
        yield f"{constant}: Final = ("
        yield f'    "{name}"'
        yield ")"
    else:
        yield line
    yield from _wrapped(f'"""{text}')
    yield ""
    yield from _wrapped(facts)
    yield '"""'


def _facts(attribute: Attribute) -> str:
    kind = attribute.type.value
    if attribute.enum:
        kind += f" of ``{attribute.enum}``"
    if attribute.template:
        kind += ", after the name a dot and a key"
    if attribute.type is ValueType.ANY:
        kind += ", on spans as JSON"
    parts = [kind, *([f"unit {attribute.unit}"] if attribute.unit else []), attribute.stability.value]
    if attribute.replaced_by:
        parts.append(f"now ``{attribute.replaced_by}``")
    parts += [f"privacy {attribute.privacy}", f"source {attribute.source}"]
    return _sentence(parts)


def _signal_facts(item: Event | Metric) -> str:
    parts = [item.instrument, f"unit {item.unit}"] if isinstance(item, Metric) else []
    parts.append(item.stability.value)
    if item.replaced_by:
        parts.append(f"now ``{item.replaced_by}``")
    return _sentence([*parts, f"source {item.source}"])


def _sentence(parts: Sequence[str]) -> str:
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def _enum(enum: Enumeration, registry: Registry) -> Iterator[str]:
    users = [attribute for attribute in registry.attributes.values() if attribute.enum == enum.name]
    yield f"class {enum.name}(StrEnum):"
    yield from _wrapped(f'"""{enum.text}', indent="    ")
    yield ""
    where = ", ".join(
        f"``{user.name}``" + (" (deprecated)" if user.stability is Stability.DEPRECATED else "") for user in users
    )
    yield from _wrapped(f"Of {where}. {_UNKNOWN[enum.unknown]} Source {enum.source}.", indent="    ")
    yield '    """'
    for value, text in enum.values.items():
        yield ""
        yield f'    {constant_of(value)} = "{value}"'
        yield from _wrapped(f'"""{text}"""', indent="    ")


def _wrapped(text: str, *, indent: str = "", hang: str = "") -> list[str]:
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=indent + hang,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _codes(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main())
