"""The plain rules as one flat table, for what compiles them: one row per key, whatever number of dialects there is.

A key that only one dialect means so stands as ``dialect + " " + key``: no attribute's own key has a dialect's name and
a space before it by chance. ``order`` counts from 0, the target's own name, within a target; no two rows of a target
share it, so that sorting by it gives the precedence.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from agentvigil.semconv.dialects.model import Convert, Registry, Rule


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One key and the target it is."""

    key: str
    target: str
    order: int
    convert: Convert = ""
    is_second: bool = False
    """The key has another target besides, and comes to this one only for want of a better key."""


def key_table(registry: Registry) -> tuple[KeyRow, ...]:
    """All plain rules: those without a condition that read a whole value."""
    by_target: dict[str, list[Rule]] = {target: [] for target in registry.targets}
    for dialect in registry.in_order():
        for rule in dialect.rules:
            if not rule.conditional and not rule.path:
                by_target[rule.target].append(rule)
    return tuple(row for target, rules in by_target.items() for row in _rows(target, rules))


def _rows(target: str, rules: list[Rule]) -> Iterator[KeyRow]:
    yield KeyRow(target, target, 0)
    ordered = sorted(rules, key=lambda rule: (rule.rank, rule.source, rule.position, rule.dialect))
    for order, rule in enumerate(ordered, start=1):
        key = f"{rule.dialect} {rule.source}" if rule.dialect else rule.source
        yield KeyRow(key, target, order, rule.convert, rule.position > 0)
