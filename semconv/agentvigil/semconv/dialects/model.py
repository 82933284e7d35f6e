"""What is known of a dialect, as values: how it is recognised, what its keys mean, how it counts tokens.

Rules of reading, which the reference normalizer and the SQL both follow:

1. A span's dialect is found by its scope (the whole name before a beginning, the longest beginning first), then by
   markers in the order of ``Registry.order``, then by its name.
2. A key is read by the first of these that applies: the dialect's rules with a condition that holds, the dialect's
   plain rules, shared rules with a condition that holds, the key itself where it is a target, shared plain rules.
3. Where several keys of a span have one target, the lowest ``(rank, source, position)`` whose value can be read wins.
   A target's own name has rank 0.
4. The operation is found before all keys are read, since it is a condition of some.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

TargetType: TypeAlias = Literal["string", "count", "int", "double", "bool", "strings", "any"]
"""Type of a target. A ``count`` is an integer that is not negative; ``any`` is text or a structure."""

Convert: TypeAlias = Literal["", "one", "before_dot", "ms", "since_start", "unquote"]
"""How a value is changed.

``one``: a single value becomes an array of one. ``before_dot``: the longest known beginning that ends before a dot.
``ms``: milliseconds become seconds. ``since_start``: a point in time becomes seconds from the span's start.
``unquote``: a JSON string becomes what it says.
"""

InputConvention: TypeAlias = Literal["includes_cache", "excludes_cache", "unstated"]
OutputConvention: TypeAlias = Literal["includes_reasoning", "excludes_reasoning", "unstated"]
Billing: TypeAlias = Literal["leaf", "sum", "none", "undecided"]
"""How to read usage on a span: paid for, a repetition of what lies below, none of its own, or not known."""

Shape: TypeAlias = Literal["openinference", "indexed", "documents", "json_each", "fields"]
"""How a list was flattened into keys with numbers."""

STEP = "step"
"""Stands where an operation would: a span between an agent and its calls, without an operation of its own."""

NO_OPERATION = ""

CONVENTIONS = "otel-genai"
"""The dialect that all others are translated into."""


@dataclass(frozen=True, slots=True)
class Detection:
    """What tells that a span is of a dialect. A family is the part of a key before its first dot."""

    scopes: tuple[str, ...] = ()
    scope_prefixes: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    families: tuple[str, ...] = ()
    values: tuple[tuple[str, str], ...] = ()
    resource_values: tuple[tuple[str, str], ...] = ()
    span_names: tuple[str, ...] = ()
    span_prefixes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """One source key, or one part of the JSON under it, and the target it is."""

    source: str
    target: str
    dialect: str
    """The only dialect it holds for; empty when the key means the same wherever it stands."""
    declared_by: str
    rank: int = 1
    convert: Convert = ""
    path: str = ""
    position: int = 0
    is_repr: bool = False
    """The JSON may be Python's ``repr`` of a dictionary; then only counts are read from it."""
    when: tuple[tuple[str, str], ...] = ()
    operations: frozenset[str] = frozenset()
    deprecated: bool = False

    @property
    def conditional(self) -> bool:
        """Whether it holds for some spans only."""
        return bool(self.when or self.operations)


@dataclass(frozen=True, slots=True)
class Flattened:
    """A family of keys with numbers, ``prefix`` + number + rest, and the list it is rebuilt into."""

    prefix: str
    target: str
    shape: Shape
    declared_by: str


@dataclass(frozen=True, slots=True)
class OperationRule:
    """An attribute that says what kind of span it is. Values are compared in lower case."""

    source: str
    values: Mapping[str, str]
    declared_by: str
    roots: Mapping[str, str] = field(default_factory=dict)
    """Values that mean something else on a span without a parent."""
    has: str = ""
    lacks: str = ""
    """Holds only when no key begins with this."""
    outranks_standard: bool = False
    """Believed before ``gen_ai.operation.name``, within its dialect."""


@dataclass(frozen=True, slots=True)
class SpanNameRule:
    """An operation that only the span's name tells."""

    text: str
    is_prefix: bool
    operation: str
    declared_by: str
    shared: bool = False
    first: bool = False
    """Believed before any attribute."""


@dataclass(frozen=True, slots=True)
class EventRule:
    """A span event that carries a message, or attributes that belong to the span."""

    name: str
    target: str = ""
    role: str = ""
    attributes: bool = False


@dataclass(frozen=True, slots=True)
class ErrorRule:
    """An attribute that means an error though the span's status is unset."""

    attribute: str
    type: str
    equals: str = ""
    at_least: int | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class Tokens:
    """How a dialect counts. ``unstated``: nobody says; counts are taken as totals unless they contradict that."""

    input: InputConvention = "unstated"
    output: OutputConvention = "unstated"
    by_source: Mapping[str, InputConvention] = field(default_factory=dict)
    by_provider: Mapping[str, InputConvention] = field(default_factory=dict)
    zero_usage: Literal["reported", "unknown"] = "reported"
    """What it means when every count is 0."""
    zero_cost: Literal["reported", "unknown"] = "reported"
    total_decides: bool = False
    """Whether the sum that is sent along tells which convention was used."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """One library's way of writing spans, as read in one version of it."""

    id: str
    title: str
    library: str
    version: str
    evidence: Literal["code", "ran", "read"]
    notes: str
    sends: tuple[str, ...]
    """Shared keys, declared by others, that it sends too."""
    detection: Detection
    tokens: Tokens
    rules: tuple[Rule, ...]
    flattened: tuple[Flattened, ...]
    operations: tuple[OperationRule, ...]
    span_names: tuple[SpanNameRule, ...]
    events: tuple[EventRule, ...]
    errors: tuple[ErrorRule, ...]
    ignored: Mapping[str, str]
    """Key, or beginning of keys before a star, and why it is not mapped."""


@dataclass(frozen=True, slots=True)
class Registry:
    """All dialects, and what they share."""

    dialects: Mapping[str, Dialect]
    order: tuple[str, ...]
    targets: Mapping[str, TargetType]
    operations: Mapping[str, Billing]
    values: Mapping[str, Mapping[str, str]]
    frameworks: Mapping[str, str]
    model_providers: Mapping[str, str]
    ai_families: frozenset[str]
    neutral_families: frozenset[str]

    def in_order(self) -> tuple[Dialect, ...]:
        """All dialects, the most telling markers first."""
        return tuple(self.dialects[dialect_id] for dialect_id in self.order)
