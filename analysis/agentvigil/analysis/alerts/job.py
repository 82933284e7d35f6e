"""Looks at rules, writes what became of alerts, and sends what is to be told: one step after the other."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from agentvigil.analysis.alerts.book import AlertBook, KeptDestination, KeptRule
from agentvigil.analysis.alerts.configuration import Configuration
from agentvigil.analysis.alerts.findings import OpenFindings, endings, open_by_kind
from agentvigil.analysis.alerts.measures import look_at_budget, look_at_metric, pause_of
from agentvigil.analysis.alerts.notices import RANKS, Notice
from agentvigil.analysis.alerts.outbox import Delivery, Outbox, Status
from agentvigil.analysis.alerts.rules import MetricCondition, Rule
from agentvigil.analysis.alerts.sending import Outcome, Result, Sender
from agentvigil.analysis.alerts.situations import Look
from agentvigil.analysis.alerts.states import Alert, AlertStates, alert_id_of
from agentvigil.analysis.job_service import Lease
from agentvigil.analysis.settling.state import SettlingState
from agentvigil.storage.errors import QueryFailed
from agentvigil.storage.store import Store

LEASE: Final = "alerts"
MOST_AT_ONCE: Final = 5
"""More notices of one rule in one step are told as one summary."""

_MOST_SENT: Final = 50
_LONGEST_REST: Final = timedelta(minutes=5)
"""So long nothing goes to a destination that did not take the last notice."""

_AT_ONCE: Final = timedelta()
_LOG: Final = logging.getLogger("agentvigil.analysis")
_TOO_MUCH: Final = frozenset({158, 159, 241, 307})
"""TOO_MANY_ROWS, TIMEOUT_EXCEEDED, MEMORY_LIMIT_EXCEEDED, TOO_MANY_BYTES."""


@dataclass(frozen=True, slots=True)
class AlertProgress:
    """What the job has done since it began, and what waits; ``open_findings`` are by kind and severity."""

    delivered: int = 0
    retried: int = 0
    failed: int = 0
    dropped: int = 0
    waiting: int = 0
    open_alerts: int = 0
    open_findings: Mapping[tuple[str, str], int] = field(default_factory=dict)


class AlertJob:
    """Keeps alert_states and alert_deliveries of ``store`` up to its rules and those of ``configuration``.

    It may be stopped between any two statements, and go on in another process: see ``states.py`` and ``outbox.py``.
    """

    def __init__(self, store: Store, configuration: Configuration, holder: str, sender: Sender | None = None) -> None:
        self._store, self._sender = store, sender or Sender()
        self._book = AlertBook(store, configuration)
        self._states, self._outbox = AlertStates(store), Outbox(store)
        self._lease = SettlingState(store, holder, LEASE)
        self._looked_at: dict[tuple[str, str, str], datetime] = {}
        self._too_much: set[tuple[str, str, str]] = set()
        self._resting: dict[tuple[str, str], datetime] = {}
        self.progress = AlertProgress()

    @property
    def lease(self) -> Lease:
        """What says that this process does it, and no other."""
        return self._lease

    def step(self, now: datetime) -> bool:
        """Look at all rules that are due, announce what became of their alerts, and send; say if more is to be sent.

        Does nothing while another process has the lease.

        Raises:
            StorageError: if the store does not answer. The next step goes on where this one stopped.
        """
        if not self._lease.take_lease(now):
            return False
        rules = {(kept.project, kept.name): kept for kept in self._book.rules() if kept.rule.enabled}
        alerts = {alert.id: alert for alert in self._states.unsettled()}
        self._look(rules, alerts, now)
        dropped = self._announce(rules, alerts, now)
        is_more, waiting = False, sum(self._outbox.waiting().values())
        if waiting:
            self._outbox.release(now)
            is_more = self._send(now)
            waiting = sum(self._outbox.waiting().values())
        self.progress = replace(
            self.progress,
            dropped=self.progress.dropped + dropped,
            waiting=waiting,
            open_alerts=sum(alert.is_open for alert in alerts.values()),
            open_findings=open_by_kind(self._store),
        )
        return is_more

    def stop(self, now: datetime) -> None:
        """Let another process take over.

        Raises:
            StorageError: if the store does not answer.
        """
        self._lease.end_lease(now)

    def _look(self, rules: Mapping[tuple[str, str], KeptRule], alerts: dict[str, Alert], now: datetime) -> None:
        """Bring ``alerts``, those that are not settled, to what the rules find now, here and in the store."""
        by_rule: dict[tuple[str, str], list[Alert]] = defaultdict(list)
        for alert in alerts.values():
            if alert.is_open:
                by_rule[alert.project, alert.rule].append(alert)
        changed = [alert.closed("", now) for key, left in by_rule.items() if key not in rules for alert in left]
        findings: dict[str, OpenFindings] = {}
        for key, kept in rules.items():
            try:
                look = self._look_at(kept, findings, now)
            except QueryFailed as exc:
                self._check_is_of_rule(exc, kept)
                continue
            if look is not None:
                alerts |= _refreshed(kept, look, by_rule[key])
                changed += self._changes(kept, look, by_rule[key], now)
        alerts |= {alert.id: alert for alert in self._states.write(changed, now)}

    def _check_is_of_rule(self, exc: QueryFailed, kept: KeptRule) -> None:
        """Log, once, that a rule asks for too much; let pass what is of the store, and not of the rule."""
        if exc.code not in _TOO_MUCH:
            raise exc
        if (place := (kept.project, kept.name, kept.rule.condition_hash)) not in self._too_much:
            self._too_much.add(place)
            _LOG.warning(
                "rule %s of project %s is not looked at: %s; narrow its window, or what it is for",
                kept.name,
                kept.project,
                exc,
            )

    def _look_at(self, kept: KeptRule, findings: dict[str, OpenFindings], now: datetime) -> Look | None:
        """Return what a rule finds, None where it was looked at not long ago."""
        rule = kept.rule
        if rule.findings is not None:
            if kept.project not in findings:
                findings[kept.project] = OpenFindings(self._store, kept.project, now)
            return findings[kept.project].look(rule.findings)
        condition = rule.metric or rule.budget
        assert condition is not None
        place = kept.project, kept.name, rule.condition_hash
        if place in self._looked_at and now - self._looked_at[place] < pause_of(condition):
            return None
        if isinstance(condition, MetricCondition):
            look = look_at_metric(self._store, kept.project, condition, now)
        else:
            look = look_at_budget(self._store, kept.project, condition, now)
        self._looked_at[place] = now
        return look

    def _changes(self, kept: KeptRule, look: Look, known: Sequence[Alert], now: datetime) -> list[Alert]:
        """Return those alerts of a rule that are not what they were."""
        rule_hash = kept.rule.condition_hash
        found = {alert_id_of(kept.project, kept.name, there.key): there for there in look.situations}
        open_alerts = {alert.id: alert for alert in known}
        new = {place: there for place, there in found.items() if place not in open_alerts and not there.is_muted}
        before = self._states.episodes(kept.project, new)
        changed = []
        for place, there in new.items():
            episode, version = before.get(place, (0, 0))
            begun = Alert.begun(kept.project, kept.name, rule_hash, there, episode + 1, now)
            changed.append(replace(begun, version=version))
        missing = [alert for alert in open_alerts.values() if alert.id not in found] if look.is_complete else []
        ended = self._endings(kept, missing)
        wait = kept.rule.metric.resolve_after if kept.rule.metric else _AT_ONCE
        for alert in open_alerts.values():
            after = alert
            if alert.id in found:
                after = alert.seen(found[alert.id], rule_hash)
            elif alert.condition_hash != rule_hash and look.is_complete:
                # It is the rule that is another one, so nothing is known to be over.
                after = alert.closed("", now)
            elif look.is_complete:
                after = alert.missing(wait, ended.get(alert.situation.key, ""), now)
            if after is not alert:
                changed.append(after)
        return changed

    def _endings(self, kept: KeptRule, missing: Sequence[Alert]) -> Mapping[str, str]:
        keys = [alert.situation.key for alert in missing]
        if kept.rule.findings is None:
            return dict.fromkeys(keys, "what it should be again")
        return endings(self._store, kept.project, keys)

    def _announce(self, rules: Mapping[tuple[str, str], KeptRule], alerts: dict[str, Alert], now: datetime) -> int:
        """Put in the outbox what is to be told of ``alerts``, then write that it was; return how many were dropped."""
        told: dict[tuple[str, str], list[Notice]] = defaultdict(list)
        after = []
        for alert in alerts.values():
            kept = rules.get((alert.project, alert.rule))
            transition = alert.due(kept.rule, now) if kept else None
            if transition is not None:
                told[alert.project, alert.rule].append(alert.notice(transition, self._book.base_url, now))
                after.append(alert.after(transition, now))
            elif not alert.is_open:
                after.append(replace(alert, is_settled=True))
        dropped = 0
        for key, notices in told.items():
            dropped += self._outbox.put(list(_deliveries(rules[key].rule, notices, now)))
        alerts |= {alert.id: alert for alert in self._states.write(after, now)}
        return dropped

    def _send(self, now: datetime) -> bool:
        """Send what is due, to each destination until it does not take it; say if there is more."""
        due = self._outbox.due(now, _MOST_SENT)
        if not due:
            return False
        places = self._book.destinations_by_project({delivery.notice.project for delivery in due})
        sent = 0
        for delivery in due:
            place = delivery.notice.project, delivery.destination
            if self._resting.get(place, now) > now:
                continue
            if not self._lease.take_lease(now):
                return False
            begun = delivery.begun(now)
            self._outbox.write([begun])
            ended = begun.ended(self._attempt(begun, places[place[0]].get(place[1]), now), now)
            self._outbox.write([ended])
            sent += 1
            self._count(ended)
            if ended.next_attempt_at is not None:
                self._resting[place] = min(ended.next_attempt_at, now + _LONGEST_REST)
            else:
                self._resting.pop(place, None)
        return len(due) == _MOST_SENT and sent > 0

    def _attempt(self, delivery: Delivery, kept: KeptDestination | None, now: datetime) -> Outcome:
        if kept is None:
            return Outcome(Result.FAILED, error="there is no such destination any more")
        return self._sender.send(delivery.notice, kept.destination, kept.reach, now)

    def _count(self, ended: Delivery) -> None:
        counted = {Status.DELIVERED: "delivered", Status.FAILED: "failed"}.get(ended.status, "retried")
        self.progress = replace(self.progress, **{counted: getattr(self.progress, counted) + 1})


def _refreshed(kept: KeptRule, look: Look, known: Sequence[Alert]) -> dict[str, Alert]:
    """Return those of ``known`` that are the case still in the words of now, for what is told of them next."""
    found = {alert_id_of(kept.project, kept.name, there.key): there for there in look.situations}
    return {
        alert.id: replace(alert, situation=found[alert.id])
        for alert in known
        if alert.id in found and found[alert.id].level >= alert.level
    }


def _deliveries(rule: Rule, notices: Sequence[Notice], now: datetime) -> Iterable[Delivery]:
    """Yield the deliveries of ``notices``: held where hours are quiet, and until now where they are too many."""
    end = rule.quiet_hours.end_of_quiet(now) if rule.quiet_hours else None
    passes = rule.quiet_hours.passes if rule.quiet_hours else None
    for notice in notices:
        held_until = end
        if end is not None and passes is not None and RANKS[notice.severity] >= RANKS[passes]:
            held_until = None
        if held_until is None and len(notices) > MOST_AT_ONCE:
            held_until = now
        for destination in dict.fromkeys(rule.destinations):
            yield Delivery.made(notice, destination, now, held_until)
