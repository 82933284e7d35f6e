"""Says what is missing, deprecated or wrong about a span, and what to do about it.

The rules, in the order in which they are applied:

1. A span without a name of ours on it (``gen_ai.*``, ``mcp.*``, ``agentvigil.*`` or a former one) is none of our
   business and has no problems.
2. Its operation and kind decide what it has to carry. Without an operation that is known, only rules that hold on
   every span are applied.
3. What was said under a former name counts as said: then the former name is the problem, not the missing current one.
4. Whether a condition held ("if the request has it") only the instrumentation knows, so attributes that are required
   under a condition are not asked for, but for a few that every span of ours should have.

An *error* makes the span misleading or useless, a *warning* makes it less useful or wrong tomorrow, a *note* may well
be as intended. Messages quote values only where these are labels, never what may be content.
"""

import difflib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Final

from agentvigil.semconv import names as n
from agentvigil.semconv.registry import (
    LABEL_PATTERN,
    Attribute,
    Privacy,
    Registry,
    SpanType,
    Stability,
    Unknown,
    ValueType,
    load,
)
from agentvigil.semconv.spans import Span, SpanKind, StatusCode, span_of

_OUR_PREFIXES: Final = ("gen_ai.", "mcp.", "agentvigil.")
_NEARLY_OURS: Final = re.compile(r"gen[_.-]?ai[._]|agent[_.-]?vigil[._]", re.IGNORECASE)
_CONTEXT: Final = frozenset(
    {n.GEN_AI_AGENT_NAME, n.GEN_AI_AGENT_VERSION, n.GEN_AI_CONVERSATION_ID, n.GEN_AI_WORKFLOW_NAME}
)
"""Names that instrumentation may put on any span, its own or not, so that it is found with its agent."""

_APPENDED: Final = ("gen_ai.skill.", n.PROCESS_EXECUTABLE_NAME)
"""What a tool that works with a skill appends to its span's name: the skill, its resource, or the program it starts."""

_LABEL: Final = re.compile(LABEL_PATTERN)
_NEAREST_NAME: Final = 0.92  # of difflib: a slip is nearer, another name of the same family is not
_NEAREST_VALUE: Final = 0.8
_EXAMPLE_OPERATION: Final = "chat"


class Severity(StrEnum):
    """How bad a problem is; the module says what each means."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Code(StrEnum):
    """What kind of problem it is; for machines, and stable."""

    MISSING = "missing"
    DEPRECATED = "deprecated"
    UNKNOWN = "unknown"
    PROPOSED = "proposed"
    MISPLACED = "misplaced"
    REPEATED = "repeated"
    TYPE = "type"
    VALUE = "value"
    TOKENS = "tokens"
    NAME = "name"
    KIND = "kind"
    STATUS = "status"
    EVENT = "event"
    CONTENT = "content"


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem. ``attribute`` is None where it is about the span itself; ``message`` says what to do."""

    severity: Severity
    code: Code
    attribute: str | None
    message: str


def check(span: Span | Mapping[str, object]) -> list[Problem]:
    """Return the problems of ``span``, the worst first; a mapping is read by
    :func:`~agentvigil.semconv.spans.span_of`.

    Raises:
        NotASpan: if the mapping is no span.
    """
    seen = span if isinstance(span, Span) else span_of(span)
    if not _is_ours(seen):
        return []
    examined = _Examined.of(seen, load())
    found = [
        *_names(seen.attributes, examined, ""),
        *_values(seen.attributes, examined, ""),
        *_operation(examined),
        *_requirements(examined),
        *_tokens(examined),
        *_span_name_and_kind(examined),
        *_status(examined),
        *_events(examined),
        *_content(examined),
    ]
    order = list(Severity)
    return sorted(dict.fromkeys(found), key=lambda problem: (order.index(problem.severity), problem.attribute or ""))


@dataclass(frozen=True, slots=True)
class _Examined:
    """A span, and what it is meant to be; ``operation`` under its current name, None if it is no string."""

    span: Span
    registry: Registry
    operation: str | None
    type: SpanType | None

    @classmethod
    def of(cls, span: Span, registry: Registry) -> "_Examined":
        said = span.attributes.get(n.GEN_AI_OPERATION_NAME)
        operation = registry.enums["OperationName"].renamed.get(said, said) if isinstance(said, str) else None
        return cls(span, registry, operation, _type_of(span, registry, operation))

    def value(self, name: str) -> object:
        """Return the value of the current ``name``, under whichever name it was said; None if it was not."""
        for spelling in (name, *self.registry.former.get(name, ())):
            if (value := self.span.attributes.get(spelling)) is not None:
                return value
        return None

    def says(self, name: str) -> bool:
        """Say whether the span has the current ``name``, under whichever name."""
        here = self.type.renamed_here if self.type else {}
        former = (old for old, new in here.items() if new == name)
        attributes = self.span.attributes
        if any(old in attributes for old in (name, *former)):
            return True
        return any(
            found is not None and found.replaced_by == name for found in map(self.registry.attribute, attributes)
        )


def _type_of(span: Span, registry: Registry, operation: str | None) -> SpanType | None:
    for candidate in registry.spans.values():
        marked = candidate.marker is not None and candidate.marker in span.attributes
        # An execute_tool span may be enriched with MCP's attributes and stays what it is.
        if marked and (operation is None or (span.kind is not None and span.kind in candidate.kinds)):
            return candidate
    fitting = [candidate for candidate in registry.spans.values() if operation in candidate.operations]
    for candidate in fitting:
        if span.kind is not None and span.kind in candidate.kinds:
            return candidate
    # The last of several is the one inside this process, which asks for less.
    return fitting[-1] if fitting else None


def _is_ours(span: Span) -> bool:
    former = _former_names()
    return any(
        key.startswith(_OUR_PREFIXES) or key in former or _NEARLY_OURS.match(key) is not None for key in span.attributes
    ) or any(event.name in load().events for event in span.events)


@cache
def _former_names() -> frozenset[str]:
    return frozenset(name for name, attribute in load().attributes.items() if attribute.replaced_by is not None)


def _names(attributes: Mapping[str, object], examined: _Examined, where: str) -> Iterator[Problem]:
    """Yield what is wrong with the keys of ``attributes``; ``where`` begins a message about an event's."""
    renamed_here = examined.type.renamed_here if examined.type and not where else {}
    for key in attributes:
        found = examined.registry.attribute(key)
        if found is None:
            if _NEARLY_OURS.match(key) or key.startswith(_OUR_PREFIXES):
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
            yield Problem(Severity.WARNING, Code.DEPRECATED, told, where + _replacement(found, attributes, not_here))
    if not where:
        for key in examined.span.repeated:
            yield Problem(
                Severity.WARNING, Code.REPEATED, key, "is there more than once and only the last counts; send it once"
            )


def _replacement(old: Attribute, attributes: Mapping[str, object], not_here: Mapping[str, str]) -> str:
    why = "was never part of the conventions" if old.stability is Stability.FOREIGN else "is deprecated"
    if old.replaced_by is None:
        return f"{why} and has no successor; leave it out"
    if old.replaced_by in not_here:
        return f"{why}, and {old.replaced_by} does not belong here: {not_here[old.replaced_by]}; leave it out"
    if old.replaced_by in attributes:
        return f"{why}, and {old.replaced_by} is there too; leave the old one out"
    return f"{why}; write {old.replaced_by} instead"


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


def _values(attributes: Mapping[str, object], examined: _Examined, where: str) -> Iterator[Problem]:
    """Yield what is wrong with the values of ``attributes``."""
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
    return None if fits else (Severity.ERROR, f"is {_type_name(value)}; send {_TYPE_WORDS[attribute.type]}")


_TYPE_WORDS: Final[Mapping[ValueType, str]] = {
    ValueType.STRING: "a string",
    ValueType.INT: "an int",
    ValueType.DOUBLE: "a double",
    ValueType.BOOLEAN: "a boolean",
    ValueType.STRING_ARRAY: "an array of strings",
    ValueType.ANY: "any value",
}


def _type_name(value: object) -> str:
    match value:
        case bool():
            return "a boolean"
        case int():
            return "an int"
        case float():
            return "a double"
        case str():
            return "a string"
        case Mapping():
            return "a map"
        case Sequence():
            inner = sorted({_type_name(one) for one in value if not isinstance(one, (list, tuple))})
            return "an array of " + " and ".join(_PLURALS.get(name, name) for name in inner) if inner else "an array"
        case _:
            return type(value).__name__


_PLURALS: Final[Mapping[str, str]] = {
    "a boolean": "booleans",
    "an int": "ints",
    "a double": "doubles",
    "a string": "strings",
    "a map": "maps",
}


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
        if attribute.privacy is Privacy.LABEL and not closed and not _LABEL.match(text):
            message = "is no label (at most 64 of A-Z a-z 0-9 _ . : / @ -), so a project's policy may drop it"
            yield Problem(Severity.NOTE, Code.VALUE, key, where + message)
        elif attribute.enum is not None:
            yield from _wrong_member(attribute.enum, key, text, registry, where)


def _wrong_member(enum: str, key: str, value: str, registry: Registry, where: str) -> Iterator[Problem]:
    values = registry.enums[enum]
    if value in values.values:
        return
    if value in values.renamed:
        message = f"is {_quoted(value)}, which is written {values.renamed[value]!r}; write that"
        yield Problem(Severity.WARNING, Code.VALUE, key, where + message)
        return
    if values.unknown is Unknown.IGNORE:
        return
    close = difflib.get_close_matches(value.lower()[:100], values.values, n=1, cutoff=_NEAREST_VALUE)
    if close:
        severity = Severity.ERROR if values.unknown is Unknown.ERROR else Severity.WARNING
        yield Problem(severity, Code.VALUE, key, f"{where}is {_quoted(value)}; is {close[0]!r} meant?")
        return
    listed = ", ".join(values.values)
    known = f"one of {listed}" if len(listed) <= 120 else f"one of those that `agentvigil semconv list {key}` shows"
    if values.unknown is Unknown.ERROR:
        message = f"is {_quoted(value)}; it has to be {known}"
    else:
        message = f"is {_quoted(value)}, which nobody knows; if it means the same, write {known}"
    yield Problem(Severity(values.unknown.value), Code.VALUE, key, where + message)


def _operation(examined: _Examined) -> Iterator[Problem]:
    """Yield that the operation is missing, where the span does more than say whose it is."""
    if examined.operation is not None or n.GEN_AI_OPERATION_NAME in examined.span.attributes or examined.type:
        return
    telling = [
        key
        for key in examined.span.attributes
        if key.startswith("gen_ai.") and key not in _CONTEXT and examined.registry.attribute(key) is not None
    ]
    if not telling:
        return
    word = examined.span.name.partition(" ")[0]
    known = examined.registry.enums["OperationName"].values
    hint = f"{word!r}, with which the span's name begins" if word in known else f"{_EXAMPLE_OPERATION!r} for a model"
    yield Problem(
        Severity.ERROR,
        Code.MISSING,
        n.GEN_AI_OPERATION_NAME,
        f"is missing, so nobody knows what the span does; set it, e.g. to {hint}",
    )


def _requirements(examined: _Examined) -> Iterator[Problem]:
    if examined.type is None:
        return
    what = examined.operation or examined.type.id
    for name in examined.type.required:
        if not examined.says(name):
            message = f"is missing and required on {what} spans; set it{_example(examined.registry, name)}"
            yield Problem(Severity.ERROR, Code.MISSING, name, message)
    for name, reason in examined.type.expected.items():
        if not examined.says(name):
            message = f"is missing; set it{_example(examined.registry, name)}, since {reason}"
            yield Problem(Severity.WARNING, Code.MISSING, name, message)
    if examined.span.status is not StatusCode.ERROR:
        # A call that failed has no response to tell of.
        for name in examined.type.recommended:
            if not examined.says(name):
                message = f"is recommended on {what} spans; set it{_example(examined.registry, name)} if it is known"
                yield Problem(Severity.NOTE, Code.MISSING, name, message)
    for name, reason in examined.type.not_here.items():
        if name in examined.span.attributes:
            message = f"does not belong on {examined.type.kinds[0]} {what} spans: {reason}; leave it out"
            yield Problem(Severity.NOTE, Code.MISPLACED, name, message)


def _example(registry: Registry, name: str) -> str:
    examples = registry.attributes[name].examples
    return f", e.g. to {json.dumps(examples[0])}" if examples else ""


def _tokens(examined: _Examined) -> Iterator[Problem]:
    for sums in examined.registry.token_sums:
        parts = {name: value for name in sums.parts if (value := _count(examined.value(name))) is not None}
        if not parts:
            continue
        total = _count(examined.value(sums.total))
        together = " + ".join(f"{name} ({value})" for name, value in parts.items())
        if total is None:
            if examined.value(sums.total) is None:
                message = f"is missing although a part of it is there: {together}; set it to all tokens, parts included"
                yield Problem(Severity.WARNING, Code.TOKENS, sums.total, message)
        elif sum(parts.values()) > total:
            message = f"is {total}, less than its parts {together}; count these in, it is the total"
            yield Problem(Severity.ERROR, Code.TOKENS, sums.total, message)


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _span_name_and_kind(examined: _Examined) -> Iterator[Problem]:
    if examined.type is None:
        return
    span, what = examined.span, examined.operation or examined.type.id
    if span.kind is not None and span.kind not in examined.type.kinds:
        kinds = " or ".join(examined.type.kinds)
        if examined.operation == "invoke_agent":
            kinds = "INTERNAL for an agent in this process, CLIENT for one that a provider hosts"
        message = f"the span's kind is {span.kind}; {what} spans are {kinds}"
        # Most SDKs make INTERNAL where nobody says a kind.
        severity = Severity.NOTE if span.kind is SpanKind.UNSPECIFIED else Severity.WARNING
        yield Problem(severity, Code.KIND, None, message)
    expected = _expected_name(examined)
    if expected is None or span.name == expected:
        return
    if span.name.startswith(expected + " ") and any(key.startswith(_APPENDED) for key in span.attributes):
        return
    message = f"the span is called {_cut(span.name)!r}; call it {_shown_name(examined, expected)}"
    yield Problem(Severity.WARNING, Code.NAME, None, message)


def _shown_name(examined: _Examined, expected: str) -> str:
    """Return ``expected`` for a message, by the names of its parts where one of them may be prose."""
    for attribute in map(examined.registry.attribute, examined.span.attributes):
        if attribute is None or attribute.privacy is not Privacy.LABEL:
            continue
        value = examined.span.attributes.get(attribute.name)
        if isinstance(value, str) and value and value in expected and not _LABEL.match(value):
            return f"by the conventions, {' or '.join(examined.type.names if examined.type else ())}"
    return repr(_cut(expected))


def _expected_name(examined: _Examined) -> str | None:
    """Return what the span must be called, None if that hangs on an attribute that is asked for and not there."""
    assert examined.type is not None
    asked = {*examined.type.required, *examined.type.expected}
    for template in examined.type.names:
        # Text and names in turn.
        parts = re.split(r"\{(.+?)\}", template)
        for place, name in enumerate(parts[1::2]):
            value = examined.operation if name == n.GEN_AI_OPERATION_NAME else examined.value(name)
            parts[2 * place + 1] = value if isinstance(value, str) else ""
            if not parts[2 * place + 1] and name in asked:
                return None
        if all(parts[1::2]):
            return "".join(parts)
    return None


def _status(examined: _Examined) -> Iterator[Problem]:
    span, error = examined.span, examined.span.attributes.get(n.ERROR_TYPE)
    if span.status is StatusCode.ERROR and error is None:
        message = (
            "is missing although the span failed; set it to the provider's error code or the exception's full name, "
            "or to '_OTHER'"
        )
        yield Problem(Severity.ERROR, Code.STATUS, n.ERROR_TYPE, message)
    elif span.status is not StatusCode.ERROR and error is not None:
        message = f"is set, but the span's status is {span.status}; set the status to ERROR, or leave the attribute out"
        yield Problem(Severity.WARNING, Code.STATUS, n.ERROR_TYPE, message)
    if span.status is StatusCode.OK:
        message = "the span's status is OK, which instrumentation leaves to the application; leave it unset"
        yield Problem(Severity.NOTE, Code.STATUS, None, message)


def _events(examined: _Examined) -> Iterator[Problem]:
    for event in examined.span.events:
        where = f"(on event {_cut(event.name)!r}) "
        found = examined.registry.events.get(event.name)
        if event.name == "exception":
            message = (
                "the exception is a span event; send it as the log record gen_ai.client.operation.exception, and its "
                "class as error.type"
            )
            yield Problem(Severity.NOTE, Code.EVENT, None, message)
        elif found is not None and found.stability is Stability.DEPRECATED:
            instead = f"write {found.replaced_by} on the span instead" if found.replaced_by else "leave it out"
            yield Problem(Severity.WARNING, Code.EVENT, None, f"the event {event.name} is deprecated; {instead}")
        yield from _names(event.attributes, examined, where)
        yield from _values(event.attributes, examined, where)


def _content(examined: _Examined) -> Iterator[Problem]:
    carried = [
        key
        for key in examined.span.attributes
        if (found := examined.registry.attribute(key)) is not None and found.privacy is Privacy.CONTENT
    ]
    if carried:
        shown = ", ".join(sorted(carried)[:3]) + (f" and {len(carried) - 3} more" if len(carried) > 3 else "")
        message = f"the span carries content ({_cut(shown, 200)}); AgentVigil withholds it unless the project allows it"
        yield Problem(Severity.NOTE, Code.CONTENT, None, message)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except RecursionError:
        return True
    except ValueError:
        return False
    return True


def _quoted(value: str) -> str:
    """Return ``value`` for a message, where it can not be prose."""
    return repr(value) if _LABEL.match(value) else f"a text of {len(value)} characters"


def _cut(text: str, most: int = 80) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
