"""Finds runs that show what an observation says, and runs as they were before."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from agentvigil.analysis.findings.model import Observation
from agentvigil.storage.named_queries import load_queries
from agentvigil.storage.store import Store

MOST_RUNS: Final = 5
_LOOKED_AT: Final = timedelta(days=3)
"""Examples are taken from the end of a window, and typical runs from the end of the time before: what is new is what
people remember, and less is read."""

_VALUES: Final = {
    "duration": "duration",
    "time_to_first_chunk": "time_to_first_chunk",
    "cost": "cost",
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "steps": "steps_of_run",
    "sequential_share": "duration",
    "context": "input_tokens",
    "usage": "cost",
}
"""By what the runs of a feature with values are ordered."""


def _load() -> dict[str, str]:
    # Fragments stand within a statement, where their comments would end its line.
    queries = load_queries("agentvigil.analysis.watching", "examples.sql")
    return {name: re.sub(r"\A(?:--.*\n)+", "", sql) for name, sql in queries.items()}


_TEXTS: Final = _load()


def with_examples(store: Store, seen: Observation) -> Observation:
    """Return ``seen`` with up to five runs that show it, and as many that are as runs were before.

    Raises:
        StorageError: if the store does not answer.
    """
    feature, key = _where(seen)
    is_down = seen.direction == "down"
    window = max(seen.window_start, seen.window_end - _LOOKED_AT), seen.window_end
    examples = _runs(store, seen, feature, key, *window, holds=not is_down)
    before_end = seen.changed_from or seen.changed_at or seen.window_start
    typical = _runs(store, seen, feature, key, before_end - _LOOKED_AT, before_end, holds=is_down)
    return replace(seen, example_runs=tuple(examples), typical_runs=tuple(typical))


def _where(seen: Observation) -> tuple[str, str]:
    """Return the feature, and its key, by which a run shows what was seen."""
    said = seen.details.get("where")
    if isinstance(said, Mapping) and said:
        feature, key = next(iter(said.items()))
        return ("response_model" if feature == "model" else str(feature)), str(key)
    moved = seen.details.get("moved")
    keys = seen.details.get("keys")
    key = str(moved.get("key", "")) if isinstance(moved, Mapping) else ""
    if not key and seen.direction == "new" and isinstance(keys, list):
        key = next((str(one["key"]) for one in keys if not one["before"]), "")
    return seen.feature, key


def _runs(
    store: Store, seen: Observation, feature: str, key: str, first: datetime, end: datetime, *, holds: bool
) -> list[str]:
    condition, value = "any", _TEXTS["when"]
    if feature in _VALUES:
        value = _TEXTS[_VALUES[feature]] if holds else _TEXTS["when"]
        holds = True
    elif feature in _TEXTS and (key or feature not in _NEED_KEY):
        condition = feature
    else:
        holds = True
    sql = _TEXTS["runs"].replace("{{condition}}", _TEXTS[condition]).replace("{{value}}", value)
    bound = {
        "project": seen.project,
        "agent": seen.agent,
        "environment": seen.environment,
        "first_s": int(first.timestamp()),
        "end_s": int(end.timestamp()),
        "key": key,
        "holds": holds,
        "most": MOST_RUNS,
    }
    return [str(run_id) for (run_id,) in store.rows(sql.replace("{{steps}}", _TEXTS["steps"]), bound)]


_NEED_KEY: Final = frozenset({"status", "failure", "tool", "tool_order", "response_model", "finish_reason"})
