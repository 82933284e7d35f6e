"""How each key of each dialect is read, as constants of SQL for the view ``mapping_report``.

The same as ``semconv/reference/candidates.py`` says of one span's keys. A reading is one text, the word for it and the
names under which the key's value is known then: ``mapped gen_ai.request.model``. Numbers in keys count as one key.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from agentvigil.semconv.dialects import load
from agentvigil.semconv.dialects.model import CONVENTIONS, Dialect, Registry, Rule
from agentvigil.storage.literals import array, quote

_NUMBER: Final = re.compile(r"\.[0-9]{1,6}\b", re.ASCII)


def mapping_placeholders() -> dict[str, str]:
    """SQL by placeholder, as :mod:`agentvigil.storage.rendering` fills it in."""
    registry = load()
    shared = _shared_readings(registry)
    own = {f"{d.id} {key}": reading for d in registry.in_order() for key, reading in _own_readings(d, registry).items()}
    ignored = [f"{d.id} {pattern}" for d in registry.in_order() for pattern in d.ignored if d.id != CONVENTIONS]
    ignored += [f" {pattern}" for pattern in registry.dialects[CONVENTIONS].ignored]
    ignored += [f" {family}.*" for family in sorted(registry.neutral_families)]
    return {
        "mapping_own_froms": array(own),
        "mapping_own_tos": array(own.values()),
        "mapping_shared_froms": array(shared),
        "mapping_shared_tos": array(shared.values()),
        "mapping_read_pattern": quote(f"^(?:{_alternatives(_read_keys(registry))})$"),
        "mapping_ignored_pattern": quote(f"^(?:{_alternatives(ignored)})$"),
    }


def counted_as_one(key: str) -> str:
    """Return ``key`` as the report names it, with N for each number after a dot."""
    return _NUMBER.sub(".N", key)


def _shared_readings(registry: Registry) -> dict[str, str]:
    """Keys that every dialect's spans are read by, unless the dialect has rules of its own."""
    sources = {rule.source for d in registry.in_order() for rule in d.rules if not rule.dialect}
    return {
        counted_as_one(key): _reading(key, [], _rules(registry, key, ""), registry)
        for key in sorted(sources | set(registry.targets))
    }


def _own_readings(dialect: Dialect, registry: Registry) -> dict[str, str]:
    sources = {rule.source for d in registry.in_order() for rule in d.rules if rule.dialect == dialect.id}
    return {
        counted_as_one(key): _reading(key, _rules(registry, key, dialect.id), _rules(registry, key, ""), registry)
        for key in sorted(sources)
    }


def _reading(key: str, own: list[Rule], shared: list[Rule], registry: Registry) -> str:
    """What can come of ``key``: rules that hold for some spans only leave what comes after them."""
    targets: list[str] = []
    for rules in (own, shared):
        conditional = [rule.target for rule in rules if rule.conditional]
        plain = [rule.target for rule in rules if not rule.conditional]
        if rules is shared and key in registry.targets:
            plain = [key]
        targets += conditional + plain
        if plain:
            break
    word = "deprecated" if any(rule.deprecated for rule in (*own, *shared)) else "mapped"
    return " ".join((word, *dict.fromkeys(targets)))


def _rules(registry: Registry, key: str, dialect_id: str) -> list[Rule]:
    return [r for d in registry.in_order() for r in d.rules if r.source == key and r.dialect == dialect_id]


def _read_keys(registry: Registry) -> Iterator[str]:
    """Keys that tell something other than a target: an operation, an error, a part of a list, whether a rule holds."""
    for dialect in registry.in_order():
        for flattened in dialect.flattened:
            # The number's dot belongs to the prefix.
            yield f"{flattened.prefix}N"
            yield f"{flattened.prefix}N.*"
        yield from (rule.source for rule in dialect.operations)
        yield from (name for rule in dialect.rules for name, _ in rule.when)
        for error in dialect.errors:
            yield from filter(None, (error.attribute, error.message))


def _alternatives(patterns: Iterable[str]) -> str:
    """Keys, and beginnings of keys before a star, as one regular expression."""
    found = dict.fromkeys(counted_as_one(pattern) for pattern in patterns)
    return "|".join(
        re.escape(pattern[:-1]) + ".*" if pattern.endswith("*") else re.escape(pattern) for pattern in found
    )
