"""Which dialect a span is written in: its scope tells first, then markers, then its name."""

from collections.abc import Mapping
from typing import Final

from agentvigil.semconv.dialects.model import Dialect, Registry
from agentvigil.semconv.reference.span import Span, Value
from agentvigil.semconv.reference.values import text

UNKNOWN: Final = "unknown"
"""A span about AI that nobody's markers fit."""

NONE: Final = ""
"""Any other span."""


def detect(span: Span, registry: Registry) -> str:
    """Id of the dialect, ``UNKNOWN`` or ``NONE``."""
    return (
        _by_scope(span.scope, registry)
        or _by_marker(span, registry)
        or _by_name(span, registry)
        or _fallback(span, registry)
    )


def family(key: str) -> str:
    """The part of a key before its first dot; a key without a dot has none."""
    head, dot, _ = key.partition(".")
    return head if dot else ""


def _by_scope(scope: str, registry: Registry) -> str:
    for dialect in registry.in_order():
        if scope in dialect.detection.scopes:
            return dialect.id
    return _longest([(p, d) for d in registry.in_order() for p in d.detection.scope_prefixes], scope)


def _by_marker(span: Span, registry: Registry) -> str:
    for dialect in registry.in_order():
        if _is_marked(span, dialect):
            return dialect.id
    return NONE


def _is_marked(span: Span, dialect: Dialect) -> bool:
    marks = dialect.detection
    return (
        any(key in span.attributes for key in marks.attributes)
        or any(family(key) in marks.families for key in span.attributes)
        or _has(span.attributes, marks.values)
        or _has(span.resource, marks.resource_values)
    )


def _has(attributes: Mapping[str, Value], pairs: tuple[tuple[str, str], ...]) -> bool:
    return any(key in attributes and text(attributes[key]) == value for key, value in pairs)


def _by_name(span: Span, registry: Registry) -> str:
    for dialect in registry.in_order():
        if span.name in dialect.detection.span_names:
            return dialect.id
    return _longest([(p, d) for d in registry.in_order() for p in d.detection.span_prefixes], span.name)


def _longest(prefixes: list[tuple[str, Dialect]], name: str) -> str:
    fitting = [(len(prefix), dialect.id) for prefix, dialect in prefixes if name.startswith(prefix)]
    return max(fitting)[1] if fitting else NONE


def _fallback(span: Span, registry: Registry) -> str:
    shared = {rule.source for dialect in registry.in_order() for rule in dialect.rules if not rule.dialect}
    for key in span.attributes:
        if family(key) in registry.ai_families or (key in shared and family(key) not in registry.neutral_families):
            return UNKNOWN
    return NONE
