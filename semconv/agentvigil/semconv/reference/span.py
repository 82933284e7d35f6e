"""What goes into the reference normalizer and what comes out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from agentvigil.semconv.dialects.model import Billing, InputConvention, OutputConvention

Value: TypeAlias = object
"""An attribute's value: text, number, bool, or a list or mapping of such. Anything else is read as its text."""

Status: TypeAlias = Literal["unset", "ok", "error"]

Evidence: TypeAlias = Literal["", "declared", "assumed", "total", "contradiction"]
"""Why a convention was believed.

``declared``: the dialect's data says so. ``assumed``: nobody says. ``total``: only so do the parts add up to the sum
that was sent. ``contradiction``: a part is greater than what would be its whole. Empty: no tokens to read.
"""


@dataclass(frozen=True, slots=True)
class SpanEvent:
    """A span event."""

    name: str
    attributes: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Span:
    """The parts of a span that normalising looks at."""

    attributes: Mapping[str, Value] = field(default_factory=dict)
    name: str = ""
    scope: str = ""
    resource: Mapping[str, Value] = field(default_factory=dict)
    events: tuple[SpanEvent, ...] = ()
    parent_span_id: str = ""
    start_time_unix_nano: int = 0
    status: Status = "unset"


@dataclass(frozen=True, slots=True)
class TokenReading:
    """How the counts of a span were read."""

    input: InputConvention = "unstated"
    input_evidence: Evidence = ""
    output: OutputConvention = "unstated"
    output_evidence: Evidence = ""


@dataclass(frozen=True, slots=True)
class Normalized:
    """A span under the current conventions' names."""

    dialect: str
    """Id of the dialect; ``unknown`` for a span about AI in none that is known, empty for all other spans."""
    attributes: Mapping[str, Value]
    """Targets only, typed. What the span carried stays beside it."""
    sources: Mapping[str, str]
    """Target → the key it was read from; targets that were inferred are missing."""
    operation: str
    """As in ``gen_ai.operation.name``, ``step``, or empty."""
    billing: Billing
    tokens: TokenReading
    status: Status
    status_message: str = ""
    unmapped_keys: frozenset[str] = frozenset()
    """Keys that nothing is known of."""
    deprecated_keys: frozenset[str] = frozenset()
    """Keys that the conventions call something else today."""
    rejected_keys: frozenset[str] = frozenset()
    """Keys that are known but whose value is not of the target's type."""
    truncated: frozenset[str] = frozenset()
    """Targets rebuilt from numbered keys with numbers missing: the sender cut them off."""

    @property
    def is_leaf(self) -> bool:
        """Whether its tokens may be paid for."""
        return self.billing == "leaf"
