"""The outbox: notices on their way to destinations, in the table that is their log as well.

A delivery is a notice and a destination, and its id follows from both: what is put in twice is there once. Its life:

    held -> waiting -> sending -> delivered | failed | waiting again
    held -> summarized                        where several of one rule were held until the same moment
    dropped                                   where too many wait for the destination already

An attempt is written before it is made, so that one that a dying process did not finish is made again, after a while: a
notice comes at least once, and with the id by which a receiver knows it again.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby
from typing import Any, Final, Self

from agentvigil.analysis.alerts.moments import milliseconds
from agentvigil.analysis.alerts.notices import Notice, id_of, summary_of
from agentvigil.analysis.alerts.sending import Outcome, Result
from agentvigil.storage.named_queries import load_queries
from agentvigil.storage.store import Store

_COLUMNS: Final = (
    "Project",
    "DeliveryId",
    "Version",
    "NoticeId",
    "AlertId",
    "Rule",
    "Destination",
    "Transition",
    "Severity",
    "Status",
    "Notice",
    "CreatedAt",
    "HeldUntil",
    "NextAttemptAt",
    "Attempts",
    "LastAttemptAt",
    "Code",
    "Error",
    "SummaryId",
    "IsFinished",
)
_TIMES: Final = ("CreatedAt", "HeldUntil", "NextAttemptAt", "LastAttemptAt")
SELECTED: Final = ", ".join(f"toTimeZone({name}, 'UTC') AS {name}" if name in _TIMES else name for name in _COLUMNS)
"""The columns that :func:`delivery_of` reads."""

_STATEMENTS: Final = {
    name: sql.replace("{{columns}}", SELECTED)
    for name, sql in load_queries("agentvigil.analysis.alerts", "outbox.sql").items()
}
MOST_WAITING: Final = 200
"""For one destination; what comes when so many wait is dropped, and in the log as that."""

GIVE_UP_AFTER: Final = timedelta(hours=24)
"""So long after it was first due a delivery is tried again."""

_FIRST_WAIT: Final = timedelta(seconds=10)
_LONGEST_WAIT: Final = timedelta(hours=1)
_JITTER: Final = 0.25
_CLAIM: Final = timedelta(minutes=5)
"""So long nobody else makes an attempt that was begun; longer than any takes."""


class Status(StrEnum):
    """How far a delivery is."""

    HELD = "held"
    """It came in quiet hours, or with too many others."""
    WAITING = "waiting"
    SENDING = "sending"
    DELIVERED = "delivered"
    FAILED = "failed"
    DROPPED = "dropped"
    SUMMARIZED = "summarized"
    """Another notice told it."""

    @property
    def is_final(self) -> bool:
        """Whether nothing more becomes of it."""
        return self in (Status.DELIVERED, Status.FAILED, Status.DROPPED, Status.SUMMARIZED)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A row of alert_deliveries; times in UTC."""

    notice: Notice
    destination: str
    status: Status
    created_at: datetime
    version: int = 1
    held_until: datetime | None = None
    next_attempt_at: datetime | None = None
    attempts: int = 0
    last_attempt_at: datetime | None = None
    code: int = 0
    error: str = ""
    summary_id: str = ""

    @classmethod
    def made(cls, notice: Notice, destination: str, now: datetime, held_until: datetime | None = None) -> Self:
        """Return a delivery that waits from ``now`` on, or is held."""
        if held_until is not None:
            return cls(notice, destination, Status.HELD, now, held_until=held_until)
        return cls(notice, destination, Status.WAITING, now, next_attempt_at=now)

    @property
    def id(self) -> str:
        """The same for the same notice to the same destination."""
        return id_of(self.notice.id, self.destination)

    def begun(self, now: datetime) -> Self:
        """Return it with an attempt under way."""
        return replace(
            self,
            status=Status.SENDING,
            version=self.version + 1,
            attempts=self.attempts + 1,
            last_attempt_at=now,
            next_attempt_at=now + _CLAIM,
        )

    def ended(self, outcome: Outcome, now: datetime) -> Self:
        """Return it after the attempt that was under way."""
        after = replace(self, version=self.version + 1, code=outcome.code, error=outcome.error, next_attempt_at=None)
        if outcome.result is Result.DELIVERED:
            return replace(after, status=Status.DELIVERED)
        if outcome.result is Result.FAILED:
            return replace(after, status=Status.FAILED)
        next_at = now + max(wait_after(self.attempts, self.id), outcome.wait or timedelta())
        if next_at - (self.held_until or self.created_at) > GIVE_UP_AFTER:
            return replace(
                after, status=Status.FAILED, error=f"{outcome.error}; given up after {self.attempts} attempts"
            )
        return replace(after, status=Status.WAITING, next_attempt_at=next_at)


def wait_after(attempts: int, delivery_id: str) -> timedelta:
    """Return how long to wait after so many attempts: 10 s, doubled each time up to an hour, a quarter more or less.

    By how much is drawn from id and attempt, so that what failed together does not come back together.
    """
    wait: timedelta = min(_FIRST_WAIT * float(2 ** min(attempts - 1, 20)), _LONGEST_WAIT)
    drawn = random.Random(f"{delivery_id} {attempts}").uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 - no secret
    return timedelta(milliseconds=int(1000 * drawn * wait.total_seconds()))


class Outbox:
    """The deliveries in ``store``. Every method raises StorageError if the store does not answer."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def put(self, deliveries: Sequence[Delivery]) -> int:
        """Put in those that are not there yet; return how many of them were dropped, since too many wait."""
        known = self._known(deliveries)
        new = {delivery.id: delivery for delivery in deliveries if delivery.id not in known}
        if not new:
            return 0
        waiting = self.waiting()
        rows, dropped = [], 0
        for delivery in new.values():
            place = (delivery.notice.project, delivery.destination)
            row = delivery
            if waiting.get(place, 0) >= MOST_WAITING:
                dropped += 1
                row = replace(
                    delivery, status=Status.DROPPED, next_attempt_at=None, error=f"{MOST_WAITING} waited for it already"
                )
            waiting[place] = waiting.get(place, 0) + 1
            rows.append(row)
        self.write(rows)
        return dropped

    def waiting(self) -> dict[tuple[str, str], int]:
        """Return how many wait, or are held, for each destination of each project."""
        return {
            (record["project"], record["destination"]): int(record["deliveries"])
            for record in self._store.records(_STATEMENTS["unfinished_counts"])
        }

    def release(self, now: datetime) -> None:
        """Let go what was held until now: one by itself, several of a rule as one summary."""
        held = [
            delivery_of(record)
            for record in self._store.records(_STATEMENTS["released"], {"now_ms": milliseconds(now)})
        ]
        for _, group in groupby(held, key=_held_together):
            together = list(group)
            if len(together) == 1:
                alone = together[0]
                freed = replace(alone, status=Status.WAITING, version=alone.version + 1, next_attempt_at=now)
                self.write([freed])
                continue
            summary_id = id_of("summary", *_held_together(together[0]))
            notice = summary_of([delivery.notice for delivery in together], summary_id, now)
            summary = Delivery.made(notice, together[0].destination, now)
            # It takes the place of others, so it is not one too many.
            if not self._known([summary]):
                self.write([summary])
            # One insert of one block: all of them are told by the summary, or all are held still.
            self.write(
                [
                    replace(told, status=Status.SUMMARIZED, version=told.version + 1, summary_id=summary_id)
                    for told in together
                ]
            )

    def due(self, now: datetime, most: int) -> list[Delivery]:
        """Return what is to be sent now, and what another process began to send and did not end."""
        return [
            delivery_of(record)
            for record in self._store.records(_STATEMENTS["due"], {"now_ms": milliseconds(now), "limit": most})
        ]

    def write(self, deliveries: Sequence[Delivery]) -> None:
        """Write ``deliveries`` as they are now, as one block."""
        self._store.insert_rows("alert_deliveries", _COLUMNS, [_row(delivery) for delivery in deliveries])

    def _known(self, deliveries: Sequence[Delivery]) -> frozenset[str]:
        if not deliveries:
            return frozenset()
        ids = sorted(delivery.id for delivery in deliveries)
        return frozenset(record["delivery_id"] for record in self._store.records(_STATEMENTS["present"], {"ids": ids}))


def delivery_of(record: Mapping[str, Any]) -> Delivery:
    """Return the delivery that a row with the columns ``SELECTED`` is."""
    return Delivery(
        notice=Notice.parse(record["Notice"]),
        destination=record["Destination"],
        status=Status(record["Status"]),
        created_at=record["CreatedAt"],
        version=int(record["Version"]),
        held_until=record["HeldUntil"],
        next_attempt_at=record["NextAttemptAt"],
        attempts=int(record["Attempts"]),
        last_attempt_at=record["LastAttemptAt"],
        code=int(record["Code"]),
        error=record["Error"],
        summary_id=record["SummaryId"],
    )


def _held_together(delivery: Delivery) -> tuple[str, ...]:
    held_until = delivery.held_until.isoformat() if delivery.held_until else ""
    return delivery.notice.project, delivery.notice.rule, delivery.destination, held_until


def _row(delivery: Delivery) -> tuple[object, ...]:
    notice = delivery.notice
    return (
        notice.project,
        delivery.id,
        delivery.version,
        notice.id,
        notice.alert_id,
        notice.rule,
        delivery.destination,
        notice.transition.value,
        notice.severity.value,
        delivery.status.value,
        notice.as_json(),
        delivery.created_at,
        delivery.held_until,
        delivery.next_attempt_at,
        delivery.attempts,
        delivery.last_attempt_at,
        delivery.code,
        delivery.error,
        delivery.summary_id,
        delivery.status.is_final,
    )
