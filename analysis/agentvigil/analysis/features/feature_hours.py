"""Finished runs counted by the hour, into agent_feature_hours: the statements of ``feature_hours.sql``."""

import re
from collections.abc import Mapping
from typing import Any, Final

from agentvigil.analysis.rollups import Hour, HourlySums
from agentvigil.analysis.settling.failure_sql import operations_of
from agentvigil.semconv.enums import FailureType
from agentvigil.storage.named_queries import load_queries
from agentvigil.storage.prices.windows import context_window
from agentvigil.storage.store import Store

OTHER: Final = "(other)"
"""What stands for all keys, models, versions and classes of an agent's hour that are beyond the most frequent."""

MOST: Final = {"most_keys": 200, "most_models": 20, "most_versions": 20, "most_classes": 50}
"""How many of each are told apart: keys of an agent, hour and feature; all others of an agent and hour."""


def _load() -> dict[str, str]:
    texts = {"model_operations": operations_of(FailureType.MODEL)}
    return {
        name: re.sub(r"\{\{(\w+)\}\}", lambda match: texts[match[1]], sql)
        for name, sql in load_queries("agentvigil.analysis.features", "feature_hours.sql").items()
    }


STATEMENTS: Final = _load()
"""The statements of ``feature_hours.sql`` with the words of the vocabulary filled in."""


def _look_up(store: Store, hour: Hour) -> Mapping[str, Any]:
    """Return the context windows of the models that were called, and what is kept apart."""
    names = [(str(provider), str(model)) for provider, model in store.rows(STATEMENTS["models"], hour.parameters())]
    windows = {f"{provider}\n{model}": context_window(provider, model) for provider, model in names}
    known = {name: window for name, window in windows.items() if window}
    # The engine takes no empty list here.
    return {**MOST, "window_models": list(known) or [""], "windows": list(known.values()) or [0]}


FEATURE_HOURS: Final = HourlySums(
    "features", STATEMENTS["waiting"], STATEMENTS["sum_hour"], STATEMENTS["made"], look_up=_look_up
)
"""What :class:`~agentvigil.analysis.rollups.RollupJob` counts runs with."""
