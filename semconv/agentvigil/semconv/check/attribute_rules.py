"""Rules about attributes one by one, a span's or an event's: is the name known, and does the value fit it."""

import difflib
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final

from agentvigil.semconv.check.examined import NEARLY_OURS, OUR_PREFIXES, Examined
from agentvigil.semconv.check.problems import Code, Problem, Severity
from agentvigil.semconv.check.wording import TYPE_WORDS, is_label, quoted, replacement, type_name
from agentvigil.semconv.registry import Attribute, Privacy, Registry, Stability, Unknown, ValueType, load

_NEAREST_NAME: Final = 0.92  # of difflib: a slip is nearer, another name of the same family is not
_NEAREST_VALUE: Final = 0.8


def name_problems(attributes: Mapping[str, object], examined: Examined, where: str) -> Iterator[Problem]:
    """Yield what is wrong with the keys of ``attributes``; ``where`` begins a message about an event's."""
    renamed_here = examined.type.renamed_here if examined.type and not where else {}
    for key in attributes:
        found = examined.registry.attribute(key)
        if found is None:
            if NEARLY_OURS.match(key) or key.startswith(OUR_PREFIXES):
                yield _unknown(key, where)
        elif key in renamed_here:
            message = f"is called {renamed_here[key]} on {examined.operation} spans; write that"
            yield Problem(Severity.WARNING, Code.DEPRECATED, key, where + message)
        elif found.stability is Stability.PROPOSED:
            message = "is only proposed upstream and may change or go; be ready to rename it"
            yield Problem(Severity.NOTE, Code.PROPOSED, key, where + message)
        elif found.stability in (Stability.DEPRECATED, Stability.FOREIGN):
            not_here = examined.type.not_here if examined.type else {}
            # A flattened history has hundreds of keys and is one thing to change.
            told = found.name if found.numbered else key
            yield Problem(Severity.WARNING, Code.DEPRECATED, told, where + replacement(found, attributes, not_here))
    if not where:
        for key in examined.span.repeated:
            yield Problem(
                Severity.WARNING, Code.REPEATED, key, "is there more than once and only the last counts; send it once"
            )


def _unknown(key: str, where: str) -> Problem:
    nearest = _nearest_name(key)
    advice = f"is {nearest} meant?" if nearest else "give a name of your own a prefix of your own"
    return Problem(Severity.WARNING, Code.UNKNOWN, key, f"{where}is no name of the conventions; {advice}")


@cache
def _nearest_name(key: str) -> str | None:
    current = [name for name, attribute in load().attributes.items() if attribute.replaced_by is None]
    plain = {re.sub(r"[^a-z0-9]", "", name): name for name in current}
    bare = re.sub(r"[^a-z0-9]", "", key[:200].lower())
    if bare in plain:
        return plain[bare]
    close = difflib.get_close_matches(key[:200].lower(), current, n=1, cutoff=_NEAREST_NAME)
    return close[0] if close else None


def value_problems(attributes: Mapping[str, object], examined: Examined, where: str) -> Iterator[Problem]:
    """Yield what is wrong with the values of ``attributes``; ``where`` begins a message about an event's."""
    for key, value in attributes.items():
        found = examined.registry.attribute(key)
        if found is None:
            continue
        if value is None:
            yield Problem(Severity.ERROR, Code.TYPE, key, f"{where}has no value; leave out what is not known")
        elif (wrong := _wrong_type(found, value)) is not None:
            yield Problem(wrong[0], Code.TYPE, key, where + wrong[1])
        else:
            yield from _wrong_value(found, key, value, examined.registry, where)


def _wrong_type(attribute: Attribute, value: object) -> tuple[Severity, str] | None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    match attribute.type:
        case ValueType.ANY:
            return None
        case ValueType.STRING:
            fits = isinstance(value, str)
        case ValueType.INT:
            fits = is_number and isinstance(value, int)
        case ValueType.BOOLEAN:
            fits = isinstance(value, bool)
        case ValueType.STRING_ARRAY:
            fits = isinstance(value, (list, tuple)) and all(isinstance(one, str) for one in value)
        case ValueType.DOUBLE:
            if isinstance(value, int) and is_number:
                return Severity.NOTE, "is sent as an int; send a double"
            fits = is_number
    return None if fits else (Severity.ERROR, f"is {type_name(value)}; send {TYPE_WORDS[attribute.type]}")


def _wrong_value(attribute: Attribute, key: str, value: object, registry: Registry, where: str) -> Iterator[Problem]:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        # Written so that NaN is out of range; none has a maximum alone.
        if attribute.minimum is not None and not value >= attribute.minimum:
            message = (
                f"is {value}, and {attribute.minimum:g} is the least that makes sense; leave out what is not known"
            )
            yield Problem(Severity.ERROR, Code.VALUE, key, where + message)
        elif attribute.maximum is not None and value > attribute.maximum:
            message = f"is {value}, and {attribute.maximum:g} is the most that makes sense"
            yield Problem(Severity.ERROR, Code.VALUE, key, where + message)
    texts = [value] if isinstance(value, str) else list(value) if isinstance(value, (list, tuple)) else []
    if attribute.json and isinstance(value, str) and not _is_json(value):
        yield Problem(
            Severity.WARNING, Code.VALUE, key, f"{where}is no JSON, so nobody can read it; was it cut? send all or none"
        )
    closed = attribute.enum is not None and registry.enums[attribute.enum].unknown is Unknown.ERROR
    for text in texts:
        if not isinstance(text, str):
            continue
        if attribute.privacy is Privacy.LABEL and not closed and not is_label(text):
            message = "is no label (at most 64 of A-Z a-z 0-9 _ . : / @ -), so a project's policy may drop it"
            yield Problem(Severity.NOTE, Code.VALUE, key, where + message)
        elif attribute.enum is not None:
            yield from _wrong_member(attribute.enum, key, text, registry, where)


def _wrong_member(enum: str, key: str, value: str, registry: Registry, where: str) -> Iterator[Problem]:
    values = registry.enums[enum]
    if value in values.values:
        return
    if value in values.renamed:
        message = f"is {quoted(value)}, which is written {values.renamed[value]!r}; write that"
        yield Problem(Severity.WARNING, Code.VALUE, key, where + message)
        return
    if values.unknown is Unknown.IGNORE:
        return
    close = difflib.get_close_matches(value.lower()[:100], values.values, n=1, cutoff=_NEAREST_VALUE)
    if close:
        severity = Severity.ERROR if values.unknown is Unknown.ERROR else Severity.WARNING
        yield Problem(severity, Code.VALUE, key, f"{where}is {quoted(value)}; is {close[0]!r} meant?")
        return
    listed = ", ".join(values.values)
    known = f"one of {listed}" if len(listed) <= 120 else f"one of those that `agentvigil semconv list {key}` shows"
    if values.unknown is Unknown.ERROR:
        message = f"is {quoted(value)}; it has to be {known}"
    else:
        message = f"is {quoted(value)}, which nobody knows; if it means the same, write {known}"
    yield Problem(Severity(values.unknown.value), Code.VALUE, key, where + message)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except RecursionError:
        return True
    except ValueError:
        return False
    return True
