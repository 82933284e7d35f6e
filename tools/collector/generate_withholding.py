"""Writes into otel-collector-clickhouse.yaml what its processor withholds.

    python tools/collector/generate_withholding.py           # write it
    python tools/collector/generate_withholding.py --check   # exit with 1 when the file says something else

Rows that a Collector inserts itself do not pass our receiver, so the Collector has to remove what people and models
said: attributes by their keys (``agentvigil.semconv.privacy``), and what else reads like prose. These are statements of
its transform processor; the patterns are Go's.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from agentvigil.semconv.privacy import KEY_CHARACTERS, LABEL_CHARACTERS, KeyClass, key_classes

CONFIGURATION: Final = Path(__file__).parents[2] / "otel-collector-clickhouse.yaml"
BEGIN: Final = "  # ---- made by tools/collector/generate_withholding.py, from here\n"
END: Final = "  # ---- to here\n"

GONE: Final = frozenset({KeyClass.CONTENT, KeyClass.FREE_TEXT, KeyClass.STACKTRACE})
"""Classes of which nothing stays. Our receiver keeps the words that errors are made of; no pattern can."""

_WIDTH: Final = 118
_NAME: Final = "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff0-9_.:/@{}()<>*+#&=~$%,"
"""What names are made of, for a class of characters; lists of them also have brackets and quotes."""
_LABEL: Final = "A-Za-z0-9_.:/@-"


def prose(words: int) -> str:
    """Return the pattern of a text that is no name of so many ``words`` and no list: other characters, or longer."""
    listed = f'][{_NAME}" -'
    return f'(?s)^(?:[{listed}]*[^{listed}].*|(?:[^ ]* ){{{words}}}.*|[^",]{{129}}.*)$'


_MARK: Final = "\u0001"
"""Stands for the quotes of strings that are labels, while the other strings are replaced."""
_NO_NUMBERS: Final = rf"(?s)^(?:[^{{]*[^{{{_LABEL}].*|.*[A-Za-z]+ +[A-Za-z].*|.*[^] -[^-~].*)$"
"""Neither a label nor a structure of numbers and labels."""


def gone_keys() -> list[str]:
    """Return the keys that go, as they stand; those that go for their beginning as well are not among them."""
    families = re.compile(families_pattern())
    return sorted(key for key, found in key_classes().keys.items() if found in GONE and not families.search(key))


def families_pattern() -> str:
    """Return the pattern of the keys that go for their beginning."""
    whole, numbered = [], []
    for family, found in key_classes().families.items():
        if found in GONE:
            (numbered if key_classes().of(f"{family}x") is not found else whole).append(_literal(family))
    return f"^(?:{'|'.join(sorted(whole))}|(?:{'|'.join(sorted(numbered))})[0-9])"


def set_aside() -> list[str]:
    """Return the keys that stay although their beginning goes, and those whose values are numbers in a structure."""
    families = re.compile(families_pattern())
    return sorted(
        key
        for key, found in key_classes().keys.items()
        if found is KeyClass.NUMERIC_JSON or (found not in GONE and families.search(key))
    )


def attribute_statements() -> list[str]:
    """Return the statements for one record's attributes; they are the same wherever attributes are."""
    no_key = f"(?s)^(?:|[{_key_class()}]*[^{_key_class()}].*|.{{129,}})$"
    return [
        'merge_maps(cache, attributes, "upsert")',
        f"keep_matching_keys(cache, {_text(_whole(set_aside()))})",
        f"delete_matching_keys(attributes, {_text(_whole(gone_keys()))})",
        f"delete_matching_keys(attributes, {_text(families_pattern())})",
        f"delete_matching_keys(attributes, {_text(no_key)})",
        "stringify_all(attributes)",
        _replaced("attributes", prose(3), "~"),
        "stringify_all(cache)",
        *(text for quote in "\"'" for text in _labels_in("cache", quote)),
        _replaced("cache", _NO_NUMBERS, "~"),
        'merge_maps(attributes, cache, "upsert")',
    ]


def processor() -> str:
    """Return the whole processor, as it stands in the file."""
    name, unit, span_name = (_text(prose(words)) for words in (3, 3, 4))
    anchor = [
        "  transform/withhold:",
        "    # What can not be withheld is not sent on.",
        "    error_mode: propagate",
        "    trace_statements:",
        "      - context: resource",
        "        statements: &attributes",
        *(line for statement in attribute_statements() for line in _item(statement, 10)),
    ]
    scope = [f'replace_pattern({field}, {name}, "~")' for field in ("name", "version")]
    span = [
        f'replace_pattern(name, {span_name}, "~")',
        f'replace_pattern(trace_state, {name}, "~")',
        'set(status.message, "")',
    ]
    event = [f'replace_pattern(name, {name}, "~")']
    record = [
        f'replace_pattern(event_name, {name}, "~")',
        f'replace_pattern(severity_text, {name}, "~")',
        'set(body, "") where not IsString(body) or IsMatch(event_name, "^gen_ai[.]")',
        f'replace_pattern(body, {name}, "~")',
    ]
    metric = [
        f'replace_pattern(name, {name}, "~")',
        'set(description, "")',
        f'replace_pattern(unit, {unit}, "~")',
    ]
    return "\n".join(
        [
            *anchor,
            *_context("scope"),
            "      - context: scope",
            "        statements: &scope",
            *(line for statement in scope for line in _item(statement, 10)),
            *_context("span"),
            *_context("span", span),
            *_context("spanevent"),
            *_context("spanevent", event),
            "    log_statements:",
            *_context("resource"),
            *_context("scope"),
            "      - {context: scope, statements: *scope}",
            *_context("log"),
            *_context("log", record),
            "    metric_statements:",
            *_context("resource"),
            *_context("scope"),
            "      - {context: scope, statements: *scope}",
            *_context("metric", metric),
            *_context("datapoint"),
            "",
        ]
    )


def main() -> int:
    text = CONFIGURATION.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise SystemExit(f"{CONFIGURATION.name} has no place for what is made")
    made = f"{before}{BEGIN}{processor()}{END}{after}"
    if sys.argv[1:] == ["--check"]:
        return int(made != text)
    CONFIGURATION.write_text(made, encoding="utf-8")
    return 0


def _context(context: str, statements: Iterable[str] | None = None) -> Iterator[str]:
    if statements is None:
        yield f"      - {{context: {context}, statements: *attributes}}"
    else:
        yield f"      - context: {context}"
        yield "        statements:"
        for statement in statements:
            yield from _item(statement, 10)


def _item(statement: str, indent: int) -> Iterator[str]:
    """An item of a list in YAML; what is too long goes on in the next line, between alternatives."""
    written = statement.replace("$", "$$")
    margin = " " * indent
    quoted = "'" + written.replace("'", "''") + "'"
    if len(quoted) + indent + 2 <= _WIDTH:
        yield f"{margin}- {quoted}"
        return
    # In double quotes a backslash at the end of a line joins it with the next.
    parts = re.split(r"(?<=\|)", written.replace("\\", "\\\\").replace('"', '\\"'))
    line = f'{margin}- "'
    for part in parts:
        if len(line) + len(part) > _WIDTH and line != f'{margin}- "':
            yield f"{line}\\"
            line = f"{margin}  "
        line += part
    yield f'{line}"'


def _labels_in(target: str, quote: str) -> Iterator[str]:
    """Statements that replace the strings in ``quote`` that are no labels, as JSON and Python write them."""
    yield _replaced(target, f"{quote}([{_LABEL}]{{0,64}}){quote}", f"{_MARK}$1{_MARK}")
    yield _replaced(target, f"{quote}[^{quote}]*{quote}", f"{quote}~{quote}")
    yield _replaced(target, _MARK, quote)


def _replaced(target: str, pattern: str, by: str) -> str:
    return f'replace_all_patterns({target}, "value", {_text(pattern)}, {_text(by)})'


def _text(text: str) -> str:
    """``text`` as the transform processor's language quotes it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace(_MARK, "\\u0001") + '"'


def _whole(keys: Iterable[str]) -> str:
    return f"^(?:{'|'.join(map(_literal, keys))})$"


def _literal(key: str) -> str:
    """A pattern of ``key`` without backslashes, which two languages would have to quote."""
    return re.sub(r"[^A-Za-z0-9_/@:-]", lambda found: f"[{found[0]}]", key)


def _key_class() -> str:
    extra = set(KEY_CHARACTERS) - set(LABEL_CHARACTERS)
    return "".join(sorted(extra)) + _LABEL


if __name__ == "__main__":
    sys.exit(main())
