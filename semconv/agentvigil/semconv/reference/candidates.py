"""Every reading of every key of a span: which target it could be, how it ranks, and what it says."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from agentvigil.semconv.dialects.model import CONVENTIONS, Dialect, Registry, Rule
from agentvigil.semconv.reference.detection import family
from agentvigil.semconv.reference.messages import event_message, is_numbered, numbered, rebuilt
from agentvigil.semconv.reference.span import Span, Value
from agentvigil.semconv.reference.values import converted, json_part, mapped, text, typed

_NAME: Final = re.compile(r"[A-Za-z0-9_.:/@+-]{1,64}(?: [A-Za-z0-9_.:/@+-]{1,64}){0,2}", re.ASCII)
_EVENT_MESSAGES_RANK: Final = 3
_EVENT_ATTRIBUTES_RANK: Final = 4


@dataclass(frozen=True, slots=True)
class Candidate:
    """One reading of one key. ``value`` is None when it is not of the target's type."""

    target: str
    rank: int
    source: str
    position: int
    value: Value | None
    truncated: bool = False

    @property
    def precedence(self) -> tuple[int, str, int]:
        """What the lowest of wins."""
        return self.rank, self.source, self.position


@dataclass(frozen=True, slots=True)
class Readings:
    """All candidates of a span, and what is to be told of its keys."""

    candidates: tuple[Candidate, ...]
    unmapped_keys: frozenset[str]
    deprecated_keys: frozenset[str]


def readings_of(span: Span, dialect_id: str, operation: str, registry: Registry) -> Readings:
    """Read all keys and events of ``span``."""
    rules = _rules_by_source(dialect_id, registry)
    candidates = [*_from_flattened(span, registry), *_from_events(span, registry)]
    unmapped = set()
    for key, value in span.attributes.items():
        applying = _applying(rules.get(key, []), key, span.attributes, operation, registry)
        candidates += [_candidate(rule, value, span, registry) for rule in applying]
        if not applying and key in registry.targets:
            candidates.append(Candidate(key, 0, key, 0, _typed(value, key, registry)))
        elif key not in rules and not _is_known(key, dialect_id, registry):
            unmapped.add(key)
    deprecated = {key for key in span.attributes if any(rule.deprecated for rule in rules.get(key, []))}
    return Readings(tuple(candidates), frozenset(unmapped), frozenset(deprecated))


def _rules_by_source(dialect_id: str, registry: Registry) -> dict[str, list[Rule]]:
    rules: dict[str, list[Rule]] = {}
    for dialect in registry.in_order():
        for rule in dialect.rules:
            if rule.dialect in ("", dialect_id):
                rules.setdefault(rule.source, []).append(rule)
    return rules


def _applying(
    rules: list[Rule], key: str, attributes: Mapping[str, Value], operation: str, registry: Registry
) -> list[Rule]:
    """The rules that read ``key``; none also when the key is itself a target and nothing comes before that."""
    holding = [rule for rule in rules if _holds(rule, attributes, operation)]
    own_when = [rule for rule in holding if rule.dialect and rule.conditional]
    own = [rule for rule in holding if rule.dialect and not rule.conditional]
    shared_when = [rule for rule in holding if not rule.dialect and rule.conditional]
    shared = [rule for rule in holding if not rule.dialect and not rule.conditional]
    return own_when or own or shared_when or ([] if key in registry.targets else shared)


def _holds(rule: Rule, attributes: Mapping[str, Value], operation: str) -> bool:
    return all(text(attributes.get(key)).lower() == value.lower() for key, value in rule.when) and (
        not rule.operations or operation in rule.operations
    )


def _candidate(rule: Rule, value: Value, span: Span, registry: Registry) -> Candidate:
    said: Value | None = json_part(value, rule.path, is_repr=rule.is_repr) if rule.path else value
    if said is not None:
        said = converted(said, rule.convert, span.start_time_unix_nano, registry.values.get(rule.target, {}))
    if said is not None and _is_derived(rule, registry) and isinstance(said, str) and _NAME.fullmatch(said) is None:
        said = None
    if said is not None:
        said = _typed(said, rule.target, registry)
    return Candidate(rule.target, rule.rank, rule.source, rule.position, said)


def _is_derived(rule: Rule, registry: Registry) -> bool:
    """Whether a text of the target's comes from within another, which may be content: then only a name is read."""
    within = rule.path or rule.convert in ("before_dot", "unquote")
    return bool(within) and registry.targets[rule.target] in ("string", "strings")


def _typed(value: Value, target: str, registry: Registry) -> Value | None:
    said = typed(value, registry.targets[target])
    return said if said is None else mapped(said, registry.values.get(target, {}))


def _from_flattened(span: Span, registry: Registry) -> Iterator[Candidate]:
    for dialect in registry.in_order():
        for flattened in dialect.flattened:
            found = numbered(span.attributes, flattened.prefix)
            if found.items:
                value: Value = rebuilt(found.items, flattened.shape)
                yield Candidate(flattened.target, 1, flattened.prefix, 0, value, truncated=found.has_gaps)


def _from_events(span: Span, registry: Registry) -> Iterator[Candidate]:
    rules = {rule.name: rule for dialect in registry.in_order() for rule in dialect.events}
    messages: dict[str, list[Value]] = {}
    for position, event in enumerate(span.events):
        if (rule := rules.get(event.name)) is None:
            continue
        if rule.attributes:
            for key, value in event.attributes.items():
                if key in registry.targets:
                    yield Candidate(key, _EVENT_ATTRIBUTES_RANK, event.name, position, _typed(value, key, registry))
        else:
            messages.setdefault(rule.target, []).append(event_message(event, rule.role))
    for target, list_of_messages in messages.items():
        yield Candidate(target, _EVENT_MESSAGES_RANK, "events", 0, list_of_messages)


def _is_known(key: str, dialect_id: str, registry: Registry) -> bool:
    """Whether a key without a rule is understood all the same: read for something else, or left out on purpose."""
    read = any(_reads(dialect, key) for dialect in registry.in_order())
    explained = [registry.dialects[name] for name in {dialect_id, CONVENTIONS} if name in registry.dialects]
    left_out = any(_matches(key, pattern) for dialect in explained for pattern in dialect.ignored)
    return read or left_out or family(key) in registry.neutral_families


def _reads(dialect: Dialect, key: str) -> bool:
    return (
        any(is_numbered(key, flattened.prefix) for flattened in dialect.flattened)
        or any(key == rule.source for rule in dialect.operations)
        or any(key in (rule.attribute, rule.message) for rule in dialect.errors)
        or any(key == name for rule in dialect.rules for name, _ in rule.when)
    )


def _matches(key: str, pattern: str) -> bool:
    return key.startswith(pattern[:-1]) if pattern.endswith("*") else key == pattern
