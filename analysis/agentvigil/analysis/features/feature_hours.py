"""Finished runs counted by the hour, into agent_feature_hours: the statements of ``feature_hours.sql``."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from agentvigil.analysis.rollups import HourlySums, Hours
from agentvigil.analysis.settling.failure_sql import operations_of
from agentvigil.analysis.settling.state import SettlingState
from agentvigil.semconv.enums import FailureType
from agentvigil.semconv.names import AGENTVIGIL_CONFIDENCE
from agentvigil.storage.literals import quote
from agentvigil.storage.named_queries import load_queries
from agentvigil.storage.prices.windows import context_window
from agentvigil.storage.store import Store

OTHER: Final = "(other)"
"""What stands for all keys, models, versions and classes of an agent's hour that are beyond the most frequent."""

MOST: Final = {"most_keys": 200, "most_models": 20, "most_versions": 20, "most_classes": 50}
"""How many of each are told apart: keys of an agent, hour and feature; all others of an agent and hour."""


BAD_LABELS: Final = (
    "bad",
    "fail",
    "failed",
    "false",
    "hallucinated",
    "hallucination",
    "harmful",
    "incorrect",
    "negative",
    "no",
    "poor",
    "thumbs_down",
    "unfaithful",
    "unhelpful",
    "unsupported",
    "wrong",
)
GOOD_LABELS: Final = (
    "correct",
    "excellent",
    "faithful",
    "good",
    "helpful",
    "ok",
    "pass",
    "passed",
    "positive",
    "right",
    "supported",
    "thumbs_up",
    "true",
    "yes",
)
"""Labels that judge a run, in lower case; what others say is not known."""

_LOOK_EVERY: Final = timedelta(minutes=1)
_LOOK_BACK: Final = timedelta(minutes=15)
"""A row becomes visible some time after the moment it was taken in."""
_FIRST_LOOK_BACK: Final = timedelta(days=30)


def _load() -> dict[str, str]:
    sql_of = load_queries("agentvigil.analysis.features", "feature_hours.sql")
    texts = {
        "model_operations": operations_of(FailureType.MODEL),
        "confidence": quote(AGENTVIGIL_CONFIDENCE),
        "new_judgements": re.sub(r"\A(?:--.*\n)+", "", sql_of["new_judgements"]),
    }
    return {name: re.sub(r"\{\{(\w+)\}\}", lambda match: texts[match[1]], sql) for name, sql in sql_of.items()}


STATEMENTS: Final = _load()
"""The statements of ``feature_hours.sql`` with the words of the vocabulary filled in."""


def _look_up(store: Store, hours: Hours) -> Mapping[str, Any]:
    """Return the context windows of the models that were called, and what is kept apart."""
    names = [(str(provider), str(model)) for provider, model in store.rows(STATEMENTS["models"], hours.parameters())]
    windows = {f"{provider}\n{model}": context_window(provider, model) for provider, model in names}
    known = {name: window for name, window in windows.items() if window}
    # The engine takes no empty list here.
    return {**MOST, "window_models": list(known) or [""], "windows": list(known.values()) or [0]}


def _take_note(store: Store, now: datetime) -> None:
    """Note the judgements of runs that came in, which mostly come long after the runs' hours were summed."""
    state = SettlingState(store, "")
    looked_at = state.judged()
    if now - looked_at < _LOOK_EVERY:
        return
    since = max(looked_at - _LOOK_BACK, now - _FIRST_LOOK_BACK)
    parameters = {"since": since, "bad_labels": list(BAD_LABELS), "good_labels": list(GOOD_LABELS)}
    if store.rows(STATEMENTS["count_judgements"], parameters)[0][0]:
        store.command(STATEMENTS["note_changes"], parameters)
        store.command(STATEMENTS["note_judgements"], parameters)
    state.advance_judged(now)


FEATURE_HOURS: Final = HourlySums(
    "features",
    "agent_run_changes",
    "agent_feature_hours_made",
    STATEMENTS["sum_hours"],
    look_up=_look_up,
    take_note=_take_note,
)
"""What :class:`~agentvigil.analysis.rollups.RollupJob` counts runs with."""
