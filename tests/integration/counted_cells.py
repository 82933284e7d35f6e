"""Writes what was counted of an agent into a store, without the runs that it was counted of."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from agentvigil.analysis.features.cells import Cells, Subject, time_of
from agentvigil.analysis.settling.state import SettlingState
from agentvigil.storage.store import Store


def put(store: Store, agent: Subject, cells: Cells) -> None:
    """Write ``cells`` as what was counted of ``agent``, and that all is settled until now."""
    names = ("InputClass", "AgentVersion", "Model", "Feature", "Key", "Bin", "N", "S")
    words = [
        [cells.words[code] for code in column]
        for column in (cells.input_class, cells.version, cells.model, cells.feature, cells.key)
    ]
    numbers = [cells.bin.tolist(), [int(n) for n in cells.n], cells.s.tolist()]
    hours = [time_of(int(hour)) for hour in cells.hour]
    rows = [
        [agent.project, hour, 90, agent.environment, agent.agent, *row, 1]
        for hour, *row in zip(hours, *words, *numbers, strict=True)
    ]
    columns = ("Project", "Hour", "KeepDays", "Environment", "Agent", *names, "Changes")
    store.insert_rows("agent_feature_hours", columns, rows)
    counted: Sequence[Any] = [[agent.project, hour, 90, 1] for hour in sorted(set(hours))]
    store.insert_rows("agent_run_changes", ("Project", "Hour", "KeepDays", "Changes"), counted)
    store.insert_rows("agent_feature_hours_made", ("Project", "Hour", "KeepDays", "Changes"), counted)
    SettlingState(store, "tests").advance(datetime.now(UTC))
