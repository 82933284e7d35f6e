"""What tests of alerts have in common: findings, a file of alerts, and somebody who takes notices."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from agentvigil.analysis.alerts import AlertJob, Configuration, Sender
from agentvigil.analysis.alerts.connecting import Reach
from agentvigil.analysis.alerts.destinations import Mail, Webhook
from agentvigil.analysis.alerts.notices import Notice
from agentvigil.analysis.alerts.sending import Outcome, Result
from agentvigil.analysis.findings.book import FindingsBook
from agentvigil.analysis.findings.model import Kind, Observation, Severity, SubjectType
from agentvigil.storage.embedded import EmbeddedStore

NOON: Final = datetime(2026, 11, 30, 12, tzinfo=UTC)
MINUTE: Final = timedelta(minutes=1)
HOUR: Final = timedelta(hours=1)

DESTINATION: Final = """
[[destinations]]
name = "ops"
type = "webhook"
url = "http://127.0.0.1:9/hook"
"""


def configuration(tmp_path: Path, text: str) -> Configuration:
    """The file of alerts that says ``text``."""
    path = tmp_path / "alerts.toml"
    path.write_text(text, encoding="utf-8")
    return Configuration.load(path)


def rule(said: str, more: str = "", name: str = "all", to: str = '"ops"') -> str:
    """A rule that says ``said``, with ``more`` lines."""
    return f'[[rules]]\nname = "{name}"\ndestinations = [{to}]\n{said}\n{more}\n'


def seen(feature: str = "tools", at: datetime = NOON, severity: Severity = Severity.MAJOR, **more: Any) -> Observation:
    """Something that a detector saw of agent a, which began an hour before."""
    known: dict[str, Any] = {
        "project": "default",
        "kind": Kind.DRIFT,
        "detector": "mixture",
        "subject_type": SubjectType.AGENT,
        "subject": "a",
        "agent": "a",
        "changed_at": NOON - HOUR,
        "changed_from": NOON - HOUR,
        "changed_to": NOON - HOUR,
        "explanation": f"The share of {feature} moved.",
    }
    return Observation(
        feature=feature,
        seen_at=at,
        window_start=at - HOUR,
        window_end=at,
        severity=severity,
        **{**known, **more},
    )


def record(store: EmbeddedStore, *observations: Observation, at: datetime = NOON) -> list[str]:
    """Take findings in, and return their ids."""
    found = FindingsBook(store).record(observations, at)
    return [one.finding.id for one in found if one.finding]


@dataclass
class Taker(Sender):
    """Takes every notice and keeps it, or ends attempts as ``outcomes`` say."""

    got: list[Notice] = field(default_factory=list)
    to: list[str] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)

    def send(self, notice: Notice, destination: Webhook | Mail, reach: Reach, now: datetime) -> Outcome:
        self.got.append(notice)
        self.to.append(destination.place)
        return self.outcomes.pop(0) if self.outcomes else Outcome(Result.DELIVERED, 200)

    def told(self) -> list[tuple[str, str]]:
        """What was told of what, so far and not before."""
        told = [(notice.transition.value, notice.subject) for notice in self.got]
        self.got.clear()
        return told


def steps(job: AlertJob, *times: datetime) -> None:
    """Take a step at each of ``times``."""
    for time in times:
        job.step(time)


def statuses(store: EmbeddedStore) -> Sequence[tuple[str, str, int]]:
    """Transition, status and attempts of each delivery in the log."""
    rows = store.rows(
        "SELECT toString(Transition), toString(Status), Attempts FROM alert_deliveries FINAL "
        "ORDER BY CreatedAt, DeliveryId"
    )
    return [(row[0], row[1], int(row[2])) for row in rows]


def with_severity(observations: Iterable[Observation], severity: Severity, at: datetime) -> list[Observation]:
    """The same, seen again."""
    return [replace(one, severity=severity, seen_at=at, window_end=at) for one in observations]
