"""Notices: what is told of an alert, before it is known in which format."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, Self

from agentvigil.analysis.alerts.texts import one_line
from agentvigil.analysis.findings.model import Severity

_MOST_TITLE: Final = 200
_MOST_TEXT: Final = 1500
_MOST_FACT: Final = 200
_MOST_FACTS: Final = 12
_MOST_LINES: Final = 50


class Transition(StrEnum):
    """What became of an alert."""

    OPENED = "opened"
    WORSE = "worse"
    REPEATED = "repeated"
    RESOLVED = "resolved"
    SUMMARY = "summary"
    """Several notices, as one."""
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Fact:
    """A value that a notice tells."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that is told, of an alert; a summary tells several, a line each.

    ``id`` is the same for the same thing told again, after a restart or by another process: receivers that keep ids
    take each once. All text is in one line and of bounded length, and may still hold any markup.
    """

    id: str
    project: str
    rule: str
    transition: Transition
    severity: Severity
    subject: str
    """What it is about: an agent, a user, ...; empty for all."""
    title: str
    text: str
    at: datetime
    opened_at: datetime
    alert_id: str = ""
    facts: Sequence[Fact] = ()
    link: str = ""
    """Where to read on, a path of the API or a URL."""
    lines: Sequence[str] = ()
    """Of a summary: what it sums up."""

    def cleaned(self) -> Self:
        """Return it with all text as it may be sent."""
        return replace(
            self,
            subject=one_line(self.subject, _MOST_FACT),
            title=one_line(self.title, _MOST_TITLE),
            text=one_line(self.text, _MOST_TEXT),
            facts=tuple(
                Fact(one_line(fact.name, _MOST_FACT), one_line(fact.value, _MOST_FACT))
                for fact in self.facts[:_MOST_FACTS]
            ),
            lines=tuple(one_line(line, _MOST_TITLE) for line in self.lines[:_MOST_LINES]),
        )

    def told(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            **asdict(self),
            "at": _told_time(self.at),
            "opened_at": _told_time(self.opened_at),
            "facts": [asdict(fact) for fact in self.facts],
            "lines": list(self.lines),
        }

    def as_json(self) -> str:
        return json.dumps(self.told(), ensure_ascii=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the notice that ``text`` is, as :meth:`as_json` gave it."""
        told: Mapping[str, Any] = json.loads(text)
        return cls(
            **{
                **told,
                "transition": Transition(told["transition"]),
                "severity": Severity(told["severity"]),
                "at": datetime.fromisoformat(told["at"]),
                "opened_at": datetime.fromisoformat(told["opened_at"]),
                "facts": tuple(Fact(**fact) for fact in told["facts"]),
                "lines": tuple(told["lines"]),
            }
        )


RANKS: Final = {severity: rank for rank, severity in enumerate(Severity)}
"""The worse, the greater."""


def id_of(*parts: object) -> str:
    """Return the id of what ``parts`` name."""
    return hashlib.sha256("\0".join(map(str, parts)).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def summary_of(notices: Sequence[Notice], notice_id: str, now: datetime) -> Notice:
    """Return one notice in the place of ``notices`` of one rule, in their order: for each alert what became of it last.

    What began and ended meanwhile is told as that.
    """
    by_alert: dict[str, list[Notice]] = {}
    for notice in notices:
        by_alert.setdefault(notice.alert_id, []).append(notice)
    lines, over = [], 0
    for told in sorted(by_alert.values(), key=lambda told: -RANKS[told[-1].severity]):
        last = told[-1]
        word = last.transition.value
        if last.transition is Transition.RESOLVED:
            over += 1
            word = "came and went" if told[0].transition is Transition.OPENED else word
        lines.append(f"{word}: [{last.severity}] {last.title}")
    if len(lines) > _MOST_LINES:
        lines = [*lines[: _MOST_LINES - 1], f"and {len(lines) - _MOST_LINES + 1} more"]
    lasting = len(by_alert) - over
    last = notices[-1]
    return Notice(
        id=notice_id,
        project=last.project,
        rule=last.rule,
        transition=Transition.SUMMARY,
        severity=max((notice.severity for notice in notices), key=RANKS.__getitem__),
        subject="",
        title=f"{len(by_alert)} alerts of rule {last.rule}: {lasting} still there, {over} over",
        text=f"Since {min(notice.at for notice in notices).astimezone(UTC):%Y-%m-%d %H:%M} UTC.",
        at=now,
        opened_at=min(notice.opened_at for notice in notices),
        lines=lines,
    ).cleaned()


def _told_time(time: datetime) -> str:
    return time.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
