"""From the store to :class:`~agentvigil.analysis.features.cells.Cells`, and how far what is counted is."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from agentvigil.analysis.features.cells import SECONDS_PER_HOUR, Cells, Subject, Words
from agentvigil.analysis.features.native_columns import read_columns
from agentvigil.analysis.settling.state import SettlingState
from agentvigil.storage.named_queries import load_queries
from agentvigil.storage.store import Store

_TEXTS: Final = load_queries("agentvigil.analysis.features", "reading.sql")
_COUNTING: Final = re.sub(r"\A(?:--.*\n)+", "", _TEXTS["counting"])
_ALL_HOURS: Final = (0, 2**32 // SECONDS_PER_HOUR)
_COORDINATES: Final = ("hour", "environment", "agent", "input_class", "version", "model", "feature", "key", "bin")


@dataclass(frozen=True, slots=True)
class FeatureProgress:
    """How far the finished runs of a project are counted. Hours are since 1970."""

    summed_until: int
    """All hours before this one, as far as they were asked for, are over, counted, and hold."""
    settled_until: int
    """What came in before this hour is settled; 0 if nothing ever was. Later hours may still get runs."""
    waiting_hours: int
    """Hours with runs that are over and do not hold: not counted yet, or changed since."""


@dataclass(frozen=True, slots=True)
class RunCount:
    """Finished runs of one subject."""

    runs: int
    first_hour: int
    """Of those asked for, the first that it had runs in."""


def read_cells(
    store: Store,
    project: str,
    first_hour: int,
    end_hour: int,
    subjects: Collection[Subject] | None = None,
    *,
    features: Collection[str] = (),
    sums: bool = True,
) -> dict[Subject, Cells]:
    """Return what is counted of the hours from ``first_hour`` to before ``end_hour``, of ``subjects`` or of all.

    Where ``features`` are named, these alone are read. Without ``sums``, a third of what the store sends, each ``s`` is
    NaN.

    Subjects without runs are left out, and so are those of other projects. All cells have the same words. A million
    rows take some 50 MB and about a second: ask for weeks of many agents day by day, or for some agents at a time.

    Raises:
        StorageError: if the store does not answer.
    """
    parameters: dict[str, Any] = _hours(project, first_hour, end_hour)
    asked: list[str] = []
    wanted: set[Subject] | None = None
    if features:
        parameters["features"] = sorted(features)
        asked.append(_without_comment("some_features"))
    if subjects is not None:
        wanted = {subject for subject in subjects if subject.project == project}
        if not wanted:
            return {}
        parameters["environments"] = sorted({subject.environment for subject in wanted})
        parameters["agents"] = sorted({subject.agent for subject in wanted})
        asked.append(_without_comment("some_subjects"))
    sql = _TEXTS["cells"].replace("{{asked}}", "\n    ".join(asked)).replace("{{counting}}", _COUNTING)
    sql = sql.replace("{{sums}}", _without_comment("sums") if sums else "")
    words = Words()
    columns = read_columns(store.native(sql, parameters), words)
    if not columns:
        return {}
    keep_days = columns.pop("keep_days")
    columns["n"] = columns["n"].astype(np.float64)
    if np.any(keep_days != keep_days[0]):
        columns = _added_up(columns)
    found = _by_subject(project, columns, tuple(words))
    return {subject: cells for subject, cells in found if wanted is None or subject in wanted}


def count_runs(
    store: Store, project: str, first_hour: int = _ALL_HOURS[0], end_hour: int = _ALL_HOURS[1]
) -> dict[Subject, RunCount]:
    """Return how many finished runs each subject had in the hours from ``first_hour`` to before ``end_hour``.

    Raises:
        StorageError: if the store does not answer.
    """
    sql = _TEXTS["runs"].replace("{{counting}}", _COUNTING)
    return {
        Subject(project, str(environment), str(agent)): RunCount(int(runs), int(hour))
        for environment, agent, runs, hour in store.rows(sql, _hours(project, first_hour, end_hour))
    }


def read_costs(
    store: Store,
    project: str,
    first_hour: int,
    end_hour: int,
    agents: Collection[str] = (),
    environments: Collection[str] = (),
) -> NDArray[np.float64]:
    """Return what finished runs cost, in US dollars, in each hour from ``first_hour`` to before ``end_hour``.

    They are runs of ``agents`` in ``environments``, of all where none is named.

    Raises:
        StorageError: if the store does not answer.
    """
    asked = {"agents": sorted(agents), "environments": sorted(environments)}
    sql = _TEXTS["costs"].replace("{{counting}}", _COUNTING)
    costs = np.zeros(max(0, end_hour - first_hour))
    for hour, usd in store.rows(sql, {**_hours(project, first_hour, end_hour), **asked}):
        costs[int(hour) - first_hour] = float(usd)
    return costs


def count_changes(store: Store, project: str, end_hour: int) -> int:
    """Return how often runs of the hours before ``end_hour`` were written: it grows whenever one comes, or changes.

    Raises:
        StorageError: if the store does not answer.
    """
    found = store.rows(_TEXTS["changes"], {"project": project, "end_hour_s": end_hour * SECONDS_PER_HOUR})
    return int(found[0][0])


def projects_with_runs(store: Store) -> Sequence[str]:
    """Return the projects that have runs, or had some.

    Raises:
        StorageError: if the store does not answer.
    """
    return [str(project) for (project,) in store.rows(_TEXTS["projects"])]


def read_progress(store: Store, project: str, first_hour: int, now: datetime) -> FeatureProgress:
    """Return how far the runs of ``project`` are counted, of the hours from ``first_hour`` on.

    Raises:
        StorageError: if the store does not answer.
    """
    current = int(now.timestamp()) // SECONDS_PER_HOUR
    parameters = {"project": project, "first_hour_s": first_hour * SECONDS_PER_HOUR}
    waiting = [int(hour) for (hour,) in store.rows(_TEXTS["waiting_hours"], parameters) if int(hour) < current]
    settled = int(SettlingState(store, "").watermark().timestamp()) // SECONDS_PER_HOUR
    return FeatureProgress(min([*waiting, current]), settled, len(waiting))


def _hours(project: str, first_hour: int, end_hour: int) -> dict[str, Any]:
    return {
        "project": project,
        "first_hour_s": first_hour * SECONDS_PER_HOUR,
        "end_hour_s": end_hour * SECONDS_PER_HOUR,
    }


def _without_comment(name: str) -> str:
    return re.sub(r"\A(?:--.*\n)+", "", _TEXTS[name])


def _added_up(columns: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return the rows with those added up that differ in nothing but how long they are kept."""
    places = np.stack([columns[name].astype(np.int64) for name in _COORDINATES])
    distinct, which = np.unique(places, axis=1, return_inverse=True)
    which = which.reshape(-1)
    added = {name: distinct[i].astype(columns[name].dtype) for i, name in enumerate(_COORDINATES)}
    for name in columns.keys() - set(_COORDINATES):
        added[name] = np.bincount(which, weights=columns[name], minlength=distinct.shape[1])
    return added


def _by_subject(
    project: str, columns: dict[str, NDArray[Any]], words: Sequence[str]
) -> Sequence[tuple[Subject, Cells]]:
    agents = columns.pop("environment").astype(np.int64) * len(words) + columns.pop("agent")
    order = np.lexsort((columns["hour"], agents))
    # One column after another, so that no more than one is there twice.
    ordered = {name: columns.pop(name)[order] for name in list(columns)}
    agents = agents[order]
    starts = np.flatnonzero(np.diff(agents, prepend=-1))
    ends = [*starts[1:], len(agents)]
    found = []
    for start, end in zip(starts, ends, strict=True):
        rows = {name: column[start:end] for name, column in ordered.items()}
        environment, agent = divmod(int(agents[start]), len(words))
        subject = Subject(project, words[environment], words[agent])
        rows.setdefault("s", np.broadcast_to(np.nan, end - start))
        found.append((subject, Cells(words, **rows)))
    return found
