"""Sends a notice to a destination now, to see whether it arrives."""

import uuid
from datetime import UTC, datetime

from agentvigil.analysis.alerts.book import KeptDestination
from agentvigil.analysis.alerts.notices import Notice, Transition
from agentvigil.analysis.alerts.outbox import Delivery, Outbox
from agentvigil.analysis.alerts.sending import Outcome, Result, Sender
from agentvigil.analysis.findings.model import Severity
from agentvigil.storage.store import Store


def try_out(store: Store, project: str, kept: KeptDestination, sender: Sender, now: datetime) -> Delivery:
    """Send a test to ``kept`` once, and return what became of it, which is in the log of deliveries too.

    Raises:
        StorageError: if the store does not answer.
    """
    notice = Notice(
        id=uuid.uuid4().hex,
        project=project,
        rule="",
        transition=Transition.TEST,
        severity=Severity.MINOR,
        subject="",
        title=f"AgentVigil reaches {kept.name}",
        text="This is a test; nothing is the matter.",
        at=now,
        opened_at=now,
    ).cleaned()
    begun = Delivery.made(notice, kept.name, now).begun(now)
    outcome = sender.send(notice, kept.destination, kept.reach, now)
    if outcome.result is Result.TRY_AGAIN:
        # Somebody waits for the answer, and tries again by hand.
        outcome = Outcome(Result.FAILED, outcome.code, outcome.error)
    ended = begun.ended(outcome, datetime.now(UTC))
    Outbox(store).write([ended])
    return ended
