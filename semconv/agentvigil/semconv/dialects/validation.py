"""Whether the dialects fit together: every name is known, and nothing is said twice."""

from collections.abc import Iterable, Iterator
from typing import Final, get_args

from agentvigil.semconv.attributes import GEN_AI_PROVIDER_NAME
from agentvigil.semconv.dialects.errors import BadDialect
from agentvigil.semconv.dialects.model import (
    NO_OPERATION,
    STEP,
    Billing,
    Convert,
    Dialect,
    InputConvention,
    OutputConvention,
    Registry,
    Rule,
    Shape,
)

_CONVERTS: Final = frozenset(get_args(Convert))
_INPUTS: Final = frozenset(get_args(InputConvention))
_OUTPUTS: Final = frozenset(get_args(OutputConvention))


def validate(registry: Registry) -> None:
    """Check all dialects against each other and against what they share.

    Raises:
        BadDialect: with the first problem found.
    """
    for name, problem in _problems(registry):
        raise BadDialect(name, problem)


def _problems(registry: Registry) -> Iterator[tuple[str, str]]:
    yield from (("common", problem) for problem in _common_problems(registry))
    for dialect in registry.in_order():
        yield from ((dialect.id, problem) for problem in _dialect_problems(dialect, registry))
    yield from _ambiguous_sources(registry)
    yield from _said_twice("detects by", _detections(registry))
    yield from _said_twice("has the span event", ((d.id, e.name) for d in registry.in_order() for e in d.events))
    yield from _said_twice(
        "has the flattened keys", ((d.id, f.prefix) for d in registry.in_order() for f in d.flattened)
    )
    yield from _said_twice(
        "has the shared span name",
        ((d.id, f"{r.is_prefix} {r.text}") for d in registry.in_order() for r in d.span_names if r.shared),
    )


def _common_problems(registry: Registry) -> Iterator[str]:
    for operation, billing in registry.operations.items():
        if billing not in get_args(Billing):
            yield f"operation {operation} is billed in the unknown way {billing}"
    for target, values in registry.values.items():
        if target not in registry.targets:
            yield f"values of the unknown target {target}"
        for value, meaning in values.items():
            if value != value.lower():
                yield f"value {value} of {target} is not in lower case"
            if values.get(meaning, meaning) != meaning:
                yield f"value {value} of {target} means {meaning}, which means something else again"
    for name in registry.frameworks:
        if name in registry.values[GEN_AI_PROVIDER_NAME]:
            yield f"{name} is both a framework and a provider"


def _dialect_problems(dialect: Dialect, registry: Registry) -> Iterator[str]:
    for rule in dialect.rules:
        yield from _rule_problems(rule, registry)
    for flattened in dialect.flattened:
        if flattened.target not in registry.targets or flattened.shape not in get_args(Shape):
            yield f"{flattened.prefix} has an unknown target or shape"
    known = {*registry.operations, STEP, NO_OPERATION}
    said = [*(o for rule in dialect.operations for o in (*rule.values.values(), *rule.roots.values()))]
    said += [rule.operation for rule in dialect.span_names]
    yield from (f"unknown operation {operation}" for operation in said if operation not in known)
    for operation_rule in dialect.operations:
        yield from (f"value {v} is not in lower case" for v in operation_rule.values if v != v.lower())
    for event in dialect.events:
        if not event.attributes and event.target not in registry.targets:
            yield f"event {event.name} has the unknown target {event.target}"
    tokens = dialect.tokens
    if tokens.input not in _INPUTS or tokens.output not in _OUTPUTS:
        yield "unknown convention of tokens"
    if not _INPUTS.issuperset((*tokens.by_source.values(), *tokens.by_provider.values())):
        yield "unknown convention of tokens by source or provider"
    sources = {rule.source for other in registry.in_order() for rule in other.rules if rule.dialect in ("", dialect.id)}
    yield from (f"unknown source of tokens {source}" for source in tokens.by_source if source not in sources)
    read = sources | {rule.source for other in registry.in_order() for rule in other.operations}
    yield from (f"sends {key}, which no dialect declares" for key in dialect.sends if key not in read)
    mapped = {rule.source for rule in dialect.rules}
    yield from (f"{key} is both mapped and not mapped on purpose" for key in dialect.ignored if key in mapped)


def _rule_problems(rule: Rule, registry: Registry) -> Iterator[str]:
    if rule.target not in registry.targets:
        yield f"{rule.source} has the unknown target {rule.target}"
    if rule.convert not in _CONVERTS:
        yield f"{rule.source} has the unknown conversion {rule.convert}"
    if rule.rank < 1:
        yield f"{rule.source} has rank {rule.rank}; 0 belongs to the target's own name"
    if rule.source == rule.target:
        yield f"{rule.source} is mapped to itself"
    if rule.source in registry.targets and not (rule.conditional or rule.dialect):
        yield f"{rule.source} is a target of its own"
    if unknown := rule.operations - registry.operations.keys():
        yield f"{rule.source} depends on unknown operations {sorted(unknown)}"


def _ambiguous_sources(registry: Registry) -> Iterator[tuple[str, str]]:
    """Two rules may read one source of one scope only if they can never both hold, or read different parts of it."""
    groups: dict[tuple[str, str, str], list[Rule]] = {}
    for dialect in registry.in_order():
        for rule in dialect.rules:
            groups.setdefault((rule.dialect, rule.source, rule.path), []).append(rule)
    for (_, source, _), rules in groups.items():
        plain = [rule for rule in rules if not rule.conditional]
        # The second place is an explicit ``also``.
        if len({rule.position for rule in plain}) < len(plain) or len({rule.target for rule in plain}) < len(plain):
            yield plain[-1].declared_by, f"{source} is mapped twice"
        conditional = [rule for rule in rules if rule.conditional]
        for index, rule in enumerate(conditional):
            if any(_may_both_hold(rule, other) for other in conditional[:index]):
                yield rule.declared_by, f"{source} is mapped twice under one condition"


def _may_both_hold(one: Rule, other: Rule) -> bool:
    contradict = any(dict(other.when).get(key, value) != value for key, value in one.when)
    disjoint = one.operations and other.operations and not one.operations & other.operations
    return not (contradict or disjoint)


def _detections(registry: Registry) -> Iterator[tuple[str, str]]:
    for dialect in registry.in_order():
        found = dialect.detection
        yield from ((dialect.id, f"scope {text}") for text in found.scopes)
        yield from ((dialect.id, f"beginning of scope {text}") for text in found.scope_prefixes)
        yield from ((dialect.id, f"attribute {text}") for text in found.attributes)
        yield from ((dialect.id, f"family {text}") for text in found.families)
        yield from ((dialect.id, f"value {text}") for text in found.values)
        yield from ((dialect.id, f"resource {text}") for text in found.resource_values)
        yield from ((dialect.id, f"span name {text}") for text in found.span_names)
        yield from ((dialect.id, f"beginning of span name {text}") for text in found.span_prefixes)


def _said_twice(what: str, entries: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    seen: dict[str, str] = {}
    for dialect, text in entries:
        if text in seen:
            yield dialect, f"{what} {text}, as {seen[text]} does"
        seen[text] = dialect
