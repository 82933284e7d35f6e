"""The order in which the spans of a trace are told: depth first, children by their start.

Parents are what senders say, so they may be missing, or their own descendants. Where a span has no way up to a root it
hangs under the trace's first root, as it does in runs (docs/runs.md), or stands at the top where there is none.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Place:
    """Where a span stands: ``span`` is its index, ``parent`` that of the span it hangs under."""

    span: int
    parent: int | None
    depth: int
    parent_is_missing: bool


def places(spans: Sequence[Mapping[str, Any]]) -> Iterator[Place]:
    """Yield the place of each of ``spans``, which come by start, with ``SpanId`` and ``ParentSpanId``.

    Of spans with the same id the first is the parent of those who name it.
    """
    ids: dict[str, int] = {}
    for index, span in enumerate(spans):
        ids.setdefault(span["SpanId"], index)
    root = next((index for index, span in enumerate(spans) if not span["ParentSpanId"]), None)
    said = [ids.get(span["ParentSpanId"]) if span["ParentSpanId"] else None for span in spans]
    in_cycles = _in_cycles(said)
    lost = [
        bool(span["ParentSpanId"]) and (said[index] is None or index in in_cycles) for index, span in enumerate(spans)
    ]
    parents = [root if lost[index] else said[index] for index in range(len(spans))]

    children: list[list[int]] = [[] for _ in spans]
    tops: list[int] = []
    for index, parent in enumerate(parents):
        (tops if parent is None else children[parent]).append(index)
    waiting = [(index, 0) for index in reversed(tops)]
    while waiting:
        index, depth = waiting.pop()
        yield Place(index, parents[index], depth, lost[index])
        waiting += [(child, depth + 1) for child in reversed(children[index])]


def _in_cycles(parents: Sequence[int | None]) -> set[int]:
    """Return those that are their own ancestors."""
    found: set[int] = set()
    walks: list[int | None] = [None] * len(parents)
    for start in range(len(parents)):
        index: int | None = start
        while index is not None and walks[index] is None:
            walks[index] = start
            index = parents[index]
        if index is None or walks[index] != start:
            continue
        while index is not None and index not in found:
            found.add(index)
            index = parents[index]
    return found
