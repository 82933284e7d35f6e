"""The baselines that people pinned, in a store."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from agentvigil.analysis.baselines.choosing import Hours, Pin
from agentvigil.analysis.features.cells import SECONDS_PER_HOUR, Subject
from agentvigil.storage.named_queries import load_queries
from agentvigil.storage.store import Store

_STATEMENTS: Final = load_queries("agentvigil.analysis.baselines", "queries.sql")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_HOUR: Final = (2**32 - 1) // SECONDS_PER_HOUR
"""Of what a DateTime of ClickHouse holds, in 2106."""

MOST_BASELINES: Final = 1000
"""Of one project."""


class BaselineError(Exception):
    """Root of what can go wrong; the message says what happened and what to do."""


class NoSuchBaseline(BaselineError):
    """Nothing is pinned under that name."""

    def __init__(self, subject: Subject, name: str) -> None:
        where = f" in {subject.environment}" if subject.environment else ""
        super().__init__(f"agent {subject.agent[:100]!r}{where} has no baseline {name!r}")
        self.subject, self.name = subject, name


class HoursEmpty(BaselineError):
    """No hour lies between the times, or they are out of the range that the store has."""

    def __init__(self, hours: Hours) -> None:
        super().__init__(f"no whole hour from 1970 to 2106 lies between {_time(hours.first)} and {_time(hours.end)}")
        self.hours = hours


class TooManyBaselines(BaselineError):
    """The project has as many as it may have."""

    def __init__(self, project: str, count: int) -> None:
        super().__init__(f"project {project} has {count} baselines, and no project has more; drop one first")
        self.project, self.count = project, count


@dataclass(frozen=True, slots=True)
class Pinned:
    """A baseline of ``subject`` by its name."""

    subject: Subject
    name: str
    hours: Hours
    version: str
    """Only runs of this version; empty for all."""
    pinned_by: str
    pinned_at: datetime

    @property
    def pin(self) -> Pin:
        """What is chosen by."""
        at = (self.pinned_at - _EPOCH) // timedelta(hours=1)
        return Pin(self.name, self.hours, self.version, at)


class BaselineBook:
    """What is pinned in ``store``. Any thread may call; all methods may raise StorageError."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._counting = threading.Lock()

    def listed(self, project: str, agent: str = "") -> list[Pinned]:
        """Return what is pinned in ``project``, of one agent if it is said, the newest first."""
        return self._found(project, agent)

    def one(self, subject: Subject, name: str) -> Pinned:
        """Return what is pinned for ``subject`` as ``name``.

        Raises:
            NoSuchBaseline: if nothing is.
        """
        for found in self._found(subject.project, subject.agent, name):
            if found.subject == subject:
                return found
        raise NoSuchBaseline(subject, name)

    def pin(self, subject: Subject, name: str, hours: Hours, version: str = "", pinned_by: str = "") -> Pinned:
        """Pin the runs of ``hours``, in the place of what has that name.

        Raises:
            HoursEmpty: if no hour is in them.
            TooManyBaselines: if the project has as many as it may have.
        """
        if not len(hours) or hours.first < 0 or hours.end > _LAST_HOUR:
            raise HoursEmpty(hours)
        with self._counting:
            count = self._store.records(_STATEMENTS["count"], {"project": subject.project})[0]["baselines"]
            is_there = any(found.subject == subject for found in self._found(subject.project, subject.agent, name))
            if count >= MOST_BASELINES and not is_there:
                raise TooManyBaselines(subject.project, count)
            said = {"first_hour": hours.first, "end_hour": hours.end, "version": version, "pinned_by": pinned_by}
            self._store.command(_STATEMENTS["pin"], subject._asdict() | {"name": name} | said)
        return self.one(subject, name)

    def drop(self, subject: Subject, name: str) -> Pinned:
        """Take away what is pinned as ``name``, and return what it was.

        Raises:
            NoSuchBaseline: if nothing is.
        """
        with self._counting:
            dropped = self.one(subject, name)
            self._store.command(_STATEMENTS["drop"], subject._asdict() | {"name": name})
        return dropped

    def _found(self, project: str, agent: str = "", name: str = "") -> list[Pinned]:
        said = {"project": project, "agent": agent, "name": name}
        return [_pinned(project, record) for record in self._store.records(_STATEMENTS["baselines"], said)]


def _pinned(project: str, record: Mapping[str, Any]) -> Pinned:
    return Pinned(
        Subject(project, record["environment"], record["agent"]),
        record["name"],
        Hours(int(record["first_hour"]), int(record["end_hour"])),
        record["version"],
        record["pinned_by"],
        record["pinned_at"],
    )


def _time(hour: int) -> str:
    try:
        return (_EPOCH + timedelta(hours=hour)).strftime("%Y-%m-%d %H:%M")
    except OverflowError:
        return f"hour {hour}"
