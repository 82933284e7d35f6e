"""Rules about the span as a whole: what it has to carry, and whether its parts agree."""

import re
from collections.abc import Iterator
from typing import Final

from agentvigil.semconv import names as n
from agentvigil.semconv.check.attribute_rules import name_problems, value_problems
from agentvigil.semconv.check.examined import Examined
from agentvigil.semconv.check.problems import Code, Problem, Severity
from agentvigil.semconv.check.wording import cut, example, is_label
from agentvigil.semconv.registry import Privacy, Stability
from agentvigil.semconv.spans import SpanKind, StatusCode

_CONTEXT: Final = frozenset(
    {n.GEN_AI_AGENT_NAME, n.GEN_AI_AGENT_VERSION, n.GEN_AI_CONVERSATION_ID, n.GEN_AI_WORKFLOW_NAME}
)
"""Names that instrumentation may put on any span, its own or not, so that it is found with its agent."""

_APPENDED: Final = ("gen_ai.skill.", n.PROCESS_EXECUTABLE_NAME)
"""What a tool that works with a skill appends to its span's name: the skill, its resource, or the program it starts."""

_EXAMPLE_OPERATION: Final = "chat"


def span_problems(examined: Examined) -> Iterator[Problem]:
    """Yield what is wrong with the span itself, its events and what it carries besides."""
    yield from _operation(examined)
    yield from _requirements(examined)
    yield from _tokens(examined)
    yield from _span_name_and_kind(examined)
    yield from _status(examined)
    yield from _events(examined)
    yield from _content(examined)


def _operation(examined: Examined) -> Iterator[Problem]:
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


def _requirements(examined: Examined) -> Iterator[Problem]:
    if examined.type is None:
        return
    what = examined.operation or examined.type.id
    for name in examined.type.required:
        if not examined.says(name):
            message = f"is missing and required on {what} spans; set it{example(examined.registry, name)}"
            yield Problem(Severity.ERROR, Code.MISSING, name, message)
    for name, reason in examined.type.expected.items():
        if not examined.says(name):
            message = f"is missing; set it{example(examined.registry, name)}, since {reason}"
            yield Problem(Severity.WARNING, Code.MISSING, name, message)
    if examined.span.status is not StatusCode.ERROR:
        # A call that failed has no response to tell of.
        for name in examined.type.recommended:
            if not examined.says(name):
                message = f"is recommended on {what} spans; set it{example(examined.registry, name)} if it is known"
                yield Problem(Severity.NOTE, Code.MISSING, name, message)
    for name, reason in examined.type.not_here.items():
        if name in examined.span.attributes:
            message = f"does not belong on {examined.type.kinds[0]} {what} spans: {reason}; leave it out"
            yield Problem(Severity.NOTE, Code.MISPLACED, name, message)


def _tokens(examined: Examined) -> Iterator[Problem]:
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


def _span_name_and_kind(examined: Examined) -> Iterator[Problem]:
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
    message = f"the span is called {cut(span.name)!r}; call it {_shown_name(examined, expected)}"
    yield Problem(Severity.WARNING, Code.NAME, None, message)


def _shown_name(examined: Examined, expected: str) -> str:
    """Return ``expected`` for a message, by the names of its parts where one of them may be prose."""
    for attribute in map(examined.registry.attribute, examined.span.attributes):
        if attribute is None or attribute.privacy is not Privacy.LABEL:
            continue
        value = examined.span.attributes.get(attribute.name)
        if isinstance(value, str) and value and value in expected and not is_label(value):
            return f"by the conventions, {' or '.join(examined.type.names if examined.type else ())}"
    return repr(cut(expected))


def _expected_name(examined: Examined) -> str | None:
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


def _status(examined: Examined) -> Iterator[Problem]:
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


def _events(examined: Examined) -> Iterator[Problem]:
    for event in examined.span.events:
        where = f"(on event {cut(event.name)!r}) "
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
        yield from name_problems(event.attributes, examined, where)
        yield from value_problems(event.attributes, examined, where)


def _content(examined: Examined) -> Iterator[Problem]:
    carried = [
        key
        for key in examined.span.attributes
        if (found := examined.registry.attribute(key)) is not None and found.privacy is Privacy.CONTENT
    ]
    if carried:
        shown = ", ".join(sorted(carried)[:3]) + (f" and {len(carried) - 3} more" if len(carried) > 3 else "")
        message = f"the span carries content ({cut(shown, 200)}); AgentVigil withholds it unless the project allows it"
        yield Problem(Severity.NOTE, Code.CONTENT, None, message)
