"""Alerts: what a rule finds, over time, and what of it has to be announced next.

An alert is one rule and one thing that it is about. While that is the case the alert is open; each time it becomes the
case again is a new episode. What is to be announced follows from the alert, the rule and the time alone:

1. An open alert that nothing was said of: ``opened``.
2. One that is worse than what was last said: ``worse``.
3. One that was last spoken of ``repeat`` ago, and that nobody looks after: ``repeated``.
4. One that is over and was spoken of: ``resolved``, if the rule says so and its end tells anybody anything.

The store is written in two steps: first that the alert is so, then, after its notices are in the outbox, that it was
announced. A process that dies in between leaves an alert from which the next one makes the same notices, with the same
ids.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Self

from agentvigil.analysis.alerts.notices import Fact, Notice, Transition, id_of
from agentvigil.analysis.alerts.rules import Rule
from agentvigil.analysis.alerts.situations import Situation
from agentvigil.storage.named_queries import load_queries
from agentvigil.storage.store import Store

_COLUMNS: Final = (
    "Project",
    "AlertId",
    "Version",
    "Rule",
    "ConditionHash",
    "Subject",
    "Severity",
    "Situation",
    "Episode",
    "Level",
    "OpenedAt",
    "ClearSince",
    "ClosedAt",
    "ClosedAs",
    "Announced",
    "AnnouncedLevel",
    "AnnouncedAt",
    "Repeats",
    "IsSettled",
    "ChangedAt",
)
_TIMES: Final = ("OpenedAt", "ClearSince", "ClosedAt", "AnnouncedAt", "ChangedAt")
_SELECTED: Final = ", ".join(f"toTimeZone({name}, 'UTC') AS {name}" if name in _TIMES else name for name in _COLUMNS)
_STATEMENTS: Final = {
    name: sql.replace("{{columns}}", _SELECTED)
    for name, sql in load_queries("agentvigil.analysis.alerts", "states.sql").items()
}


@dataclass(frozen=True, slots=True)
class Alert:
    """A row of alert_states; times in UTC."""

    project: str
    id: str
    rule: str
    condition_hash: str
    situation: Situation
    episode: int
    level: int
    opened_at: datetime
    version: int = 0
    clear_since: datetime | None = None
    closed_at: datetime | None = None
    closed_as: str = ""
    announced: Transition | None = None
    announced_level: int = 0
    announced_at: datetime | None = None
    repeats: int = 0
    is_settled: bool = False

    @classmethod
    def begun(cls, project: str, rule: str, rule_hash: str, situation: Situation, episode: int, now: datetime) -> Self:
        """Return the alert that ``situation`` begins at ``now``."""
        alert_id = alert_id_of(project, rule, situation.key)
        return cls(project, alert_id, rule, rule_hash, situation, episode, situation.level, now)

    @property
    def is_open(self) -> bool:
        """Whether it is the case."""
        return self.closed_at is None

    def seen(self, situation: Situation, rule_hash: str) -> Self:
        """Return it when it is the case still, in the words of ``situation``; itself if that tells nothing new."""
        known = self.situation
        flags = ("is_muted", "is_looked_after")
        is_new = situation.level > self.level or any(getattr(known, flag) != getattr(situation, flag) for flag in flags)
        if not is_new and self.clear_since is None and self.condition_hash == rule_hash:
            return self
        return replace(
            self,
            situation=situation if situation.level >= self.level else replace(known, **_flags(situation, flags)),
            level=max(self.level, situation.level),
            clear_since=None,
            condition_hash=rule_hash,
        )

    def missing(self, wait: timedelta, ending: str, now: datetime) -> Self:
        """Return it when it is not the case any more: after ``wait`` it is over, ``ending`` says how."""
        if not wait:
            return self.closed(ending, now)
        if self.clear_since is None:
            return replace(self, clear_since=now)
        return self.closed(ending, now) if now - self.clear_since >= wait else self

    def closed(self, ending: str, now: datetime) -> Self:
        """Return it when it is over; without an ``ending`` nobody is told."""
        return replace(self, closed_at=now, closed_as=ending if self.situation.is_end_told else "")

    def due(self, rule: Rule, now: datetime) -> Transition | None:
        """Return what has to be announced of it now."""
        if self.closed_at is not None:
            is_told = rule.resolved and self.closed_as and self.announced not in (None, Transition.RESOLVED)
            return Transition.RESOLVED if is_told else None
        if self.situation.is_muted:
            return None
        if self.announced is None or self.announced_at is None:
            return Transition.OPENED
        if self.level > self.announced_level:
            return Transition.WORSE
        is_quiet = self.situation.is_looked_after or not self.situation.is_repeated or self.clear_since is not None
        if rule.repeat == "never" or is_quiet:
            return None
        return Transition.REPEATED if now - self.announced_at >= rule.repeat else None

    def notice(self, transition: Transition, base_url: str, now: datetime) -> Notice:
        """Return the notice that tells ``transition``."""
        which = {Transition.WORSE: self.level, Transition.REPEATED: self.repeats + 1}.get(transition, 0)
        situation = self.situation
        title, text, facts = situation.title, situation.text, tuple(situation.facts)
        if transition is Transition.RESOLVED:
            title, text = f"over: {title}", f"It is {self.closed_as}."
            lasted = (self.closed_at or now) - self.opened_at
            facts = (Fact("Lasted", _lasting(lasted)),)
        return Notice(
            id=id_of(self.id, self.episode, transition, which),
            project=self.project,
            rule=self.rule,
            transition=transition,
            severity=situation.severity,
            subject=situation.subject,
            title=title,
            text=text,
            at=now,
            opened_at=self.opened_at,
            alert_id=self.id,
            facts=facts,
            link=f"{base_url}{situation.link}" if situation.link else "",
        ).cleaned()

    def after(self, transition: Transition, now: datetime) -> Self:
        """Return it when ``transition`` is in the outbox."""
        return replace(
            self,
            announced=transition,
            announced_level=self.level,
            announced_at=now,
            repeats=self.repeats + (transition is Transition.REPEATED),
            is_settled=not self.is_open,
        )


class AlertStates:
    """The alerts in ``store``. Every method raises StorageError if the store does not answer."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def unsettled(self) -> list[Alert]:
        """Return all that are open, or over and not announced as that."""
        return [_alert(record) for record in self._store.records(_STATEMENTS["unsettled"])]

    def episodes(self, project: str, ids: Iterable[str]) -> dict[str, tuple[int, int]]:
        """Return the last episode and version of each alert of ``ids`` that there is."""
        asked = sorted(ids)
        if not asked:
            return {}
        found = self._store.records(_STATEMENTS["known"], {"project": project, "ids": asked})
        return {record["AlertId"]: (int(record["Episode"]), int(record["Version"])) for record in found}

    def write(self, alerts: Sequence[Alert], now: datetime) -> list[Alert]:
        """Write ``alerts`` as they are now, and return them with their new versions."""
        written = [replace(alert, version=alert.version + 1) for alert in alerts]
        if written:
            self._store.insert_rows("alert_states", _COLUMNS, [_row(alert, now) for alert in written])
        return written


def alert_id_of(project: str, rule: str, key: str) -> str:
    """Return the id of the alert of a rule about what ``key`` names."""
    return id_of(project, rule, key)


def _flags(situation: Situation, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(situation, name) for name in names}


def _lasting(time: timedelta) -> str:
    minutes = int(time.total_seconds()) // 60
    days, hours = minutes // 1440, minutes // 60 % 24
    return f"{days} d {hours} h" if days else f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"


def _row(alert: Alert, now: datetime) -> tuple[object, ...]:
    situation = alert.situation
    return (
        alert.project,
        alert.id,
        alert.version,
        alert.rule,
        alert.condition_hash,
        situation.subject[:1000],
        situation.severity.value,
        situation.as_json(),
        alert.episode,
        min(alert.level, 255),
        alert.opened_at,
        alert.clear_since,
        alert.closed_at,
        alert.closed_as,
        alert.announced.value if alert.announced else "",
        min(alert.announced_level, 255),
        alert.announced_at,
        alert.repeats,
        alert.is_settled,
        now,
    )


def _alert(record: Mapping[str, Any]) -> Alert:
    return Alert(
        project=record["Project"],
        id=record["AlertId"],
        rule=record["Rule"],
        condition_hash=record["ConditionHash"],
        situation=Situation.parse(record["Situation"]),
        episode=int(record["Episode"]),
        level=int(record["Level"]),
        opened_at=record["OpenedAt"],
        version=int(record["Version"]),
        clear_since=record["ClearSince"],
        closed_at=record["ClosedAt"],
        closed_as=record["ClosedAs"],
        announced=Transition(record["Announced"]) if record["Announced"] else None,
        announced_level=int(record["AnnouncedLevel"]),
        announced_at=record["AnnouncedAt"],
        repeats=int(record["Repeats"]),
        is_settled=bool(record["IsSettled"]),
    )
