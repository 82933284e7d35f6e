"""A span as the rules look at it: whether it is our business, and what it is meant to be."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Final

from agentvigil.semconv import names as n
from agentvigil.semconv.registry import Registry, SpanType, load
from agentvigil.semconv.spans import Span

OUR_PREFIXES: Final = ("gen_ai.", "mcp.", "agentvigil.")
NEARLY_OURS: Final = re.compile(r"gen[_.-]?ai[._]|agent[_.-]?vigil[._]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Examined:
    """A span, and what it is meant to be; ``operation`` under its current name, None if it is no string."""

    span: Span
    registry: Registry
    operation: str | None
    type: SpanType | None

    @classmethod
    def of(cls, span: Span, registry: Registry) -> "Examined":
        """Find out what ``span`` is meant to be."""
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


def is_ours(span: Span) -> bool:
    """Say whether ``span`` has a name of ours on it, a former or a slightly wrong one included."""
    former = _former_names()
    return any(
        key.startswith(OUR_PREFIXES) or key in former or NEARLY_OURS.match(key) is not None for key in span.attributes
    ) or any(event.name in load().events for event in span.events)


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


@cache
def _former_names() -> frozenset[str]:
    return frozenset(name for name, attribute in load().attributes.items() if attribute.replaced_by is not None)
