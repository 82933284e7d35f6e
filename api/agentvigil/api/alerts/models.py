"""Alerts as the API takes and tells them; docs/alerts.md says what they are for."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel, Field

from agentvigil.analysis.alerts.book import KeptDestination, KeptRule
from agentvigil.analysis.alerts.destinations import Format, Mail, Security, Webhook
from agentvigil.analysis.alerts.notices import Transition
from agentvigil.analysis.alerts.outbox import Delivery, Status
from agentvigil.analysis.alerts.rules import Rule
from agentvigil.analysis.findings.model import Severity
from agentvigil.api.asked import Asked
from agentvigil.api.runs.filters import Texts
from agentvigil.api.times import GivenTime, ToldTime


class ToldRule(Rule):
    """A rule, and how it stands."""

    name: str = Field(examples=["failures"])
    is_read_only: bool = Field(description="it stands in the file of alerts, and is changed there")
    created_at: ToldTime | None = Field(description="null for one of the file")
    changed_at: ToldTime | None = Field(description="null for one of the file")
    open_alerts: int = Field(description="what it finds to be the case now")
    announced_at: ToldTime | None = Field(description="when one of its alerts was last told of; null: never")

    @classmethod
    def of(cls, kept: KeptRule, standing: Mapping[str, Any] | None) -> Self:
        """Return what is told of ``kept``, of which ``standing`` is the row of its alerts, if it has any."""
        return cls(
            **{name: getattr(kept.rule, name) for name in Rule.model_fields},
            name=kept.name,
            is_read_only=kept.is_of_file,
            created_at=kept.created_at,
            changed_at=kept.changed_at,
            open_alerts=int(standing["open_alerts"]) if standing else 0,
            announced_at=standing["announced_at"] if standing else None,
        )


class RulePage(BaseModel):
    """Rules by their names, all there are."""

    items: list[ToldRule]
    next_cursor: None = Field(default=None, description="a project has few enough for one page")


class ToldDestination(BaseModel):
    """A destination without what is secret of it, which is never told again."""

    name: str = Field(examples=["ops"])
    type: str = Field(examples=["webhook"], description="webhook or mail")
    place: str = Field(examples=["https://hooks.example.org"], description="of a URL nothing but scheme, host and port")
    format: Format | None = Field(description="of a webhook")
    is_signed: bool = Field(description="it has a secret that signs what is sent")
    security: Security | None = Field(description="of mail")
    sender: str | None = Field(description="of mail")
    has_login: bool = Field(description="of mail: it has user and password")
    timeout_s: float
    is_read_only: bool = Field(description="it stands in the file of alerts, and is changed there")
    created_at: ToldTime | None = Field(description="null for one of the file")
    changed_at: ToldTime | None = Field(description="null for one of the file")

    @classmethod
    def of(cls, kept: KeptDestination) -> Self:
        """Return what is told of ``kept``."""
        there = kept.destination
        webhook = there if isinstance(there, Webhook) else None
        mail = there if isinstance(there, Mail) else None
        return cls(
            name=kept.name,
            type=there.type,
            place=there.place,
            format=webhook.format if webhook else None,
            is_signed=webhook is not None and webhook.secret is not None,
            security=mail.security if mail else None,
            sender=mail.sender if mail else None,
            has_login=mail is not None and mail.password is not None,
            timeout_s=there.timeout_s,
            is_read_only=kept.is_of_file,
            created_at=kept.created_at,
            changed_at=kept.changed_at,
        )


class DestinationPage(BaseModel):
    """Destinations by their names, all there are."""

    items: list[ToldDestination]
    next_cursor: None = Field(default=None, description="a project has few enough for one page")


class TrialResult(BaseModel):
    """What became of a test."""

    is_delivered: bool
    code: int | None = Field(examples=[204], description="of HTTP or SMTP; null where none was heard")
    error: str | None = Field(description="why it was not delivered")
    delivery_id: str = Field(description="its row in the log")

    @classmethod
    def of(cls, delivery: Delivery) -> Self:
        """Return what is told of a test that ended as ``delivery``."""
        return cls(
            is_delivered=delivery.status is Status.DELIVERED,
            code=delivery.code or None,
            error=delivery.error or None,
            delivery_id=delivery.id,
        )


class ToldAlert(BaseModel):
    """Something that a rule finds to be the case."""

    id: str
    rule: str
    subject: str | None = Field(examples=["support-agent"], description="agent, user, ...; null for all")
    severity: Severity
    title: str = Field(examples=["failure_rate of agent support-agent is 12.5 %, above 5 %"])
    opened_at: ToldTime
    announced_at: ToldTime | None = Field(description="when it was last told of; null: not yet")
    is_muted: bool = Field(description="somebody muted it, so nothing is told of it")

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Self:
        """Return the alert that a row is."""
        return cls(
            id=record["AlertId"],
            rule=record["Rule"],
            subject=record["Subject"] or None,
            severity=Severity(record["Severity"]),
            title=record["Title"],
            opened_at=record["OpenedAt"],
            announced_at=record["AnnouncedAt"],
            is_muted=bool(record["is_muted"]),
        )


class AlertList(Asked):
    """Open alerts."""

    limit: int = Field(100, ge=1, le=1000)


class OpenAlerts(BaseModel):
    """Alerts that are not over, the worst first."""

    items: list[ToldAlert]
    next_cursor: None = Field(default=None, description="`limit` is the most that is told")


class ToldDelivery(BaseModel):
    """A notice to a destination, and what became of it."""

    id: str
    notice_id: str = Field(description="what the receiver got as id, `webhook-id` or in `X-AgentVigil-Notice`")
    alert_id: str | None = Field(description="null for summaries and tests")
    rule: str | None = Field(description="null for tests")
    destination: str = Field(examples=["ops"])
    transition: Transition
    severity: Severity
    title: str
    status: Status
    created_at: ToldTime
    held_until: ToldTime | None = Field(description="end of the quiet hours that it came in; null for none")
    next_attempt_at: ToldTime | None = Field(description="null where none follows")
    attempts: int
    last_attempt_at: ToldTime | None
    code: int | None = Field(
        examples=[503], description="of HTTP or SMTP, of the last attempt; null where none was heard"
    )
    error: str | None = Field(description="why the last attempt failed")
    summary_id: str | None = Field(description="notice that told it instead")

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Self:
        """Return the delivery that a row is."""
        times: dict[str, datetime | None] = {
            "held_until": record["HeldUntil"],
            "next_attempt_at": record["NextAttemptAt"],
            "last_attempt_at": record["LastAttemptAt"],
        }
        return cls(
            id=record["DeliveryId"],
            notice_id=record["NoticeId"],
            alert_id=record["AlertId"] or None,
            rule=record["Rule"] or None,
            destination=record["Destination"],
            transition=Transition(record["Transition"]),
            severity=Severity(record["Severity"]),
            title=record["Title"],
            status=Status(record["Status"]),
            created_at=record["CreatedAt"],
            attempts=int(record["Attempts"]),
            code=int(record["Code"]) or None,
            error=record["Error"] or None,
            summary_id=record["SummaryId"] or None,
            **times,
        )


class DeliveryList(Asked):
    """A page of deliveries."""

    rule: Texts = Field([], description="of these rules")
    destination: Texts = Field([], description="to these destinations")
    status: list[Status] = Field([], max_length=len(Status), description="that are so far")
    transition: list[Transition] = Field([], max_length=len(Transition), description="that tell this")
    alert: Texts = Field([], description="of these alerts, by id")
    since: GivenTime | None = Field(None, description="made at or after this time; 7 days ago if it is not said")
    until: GivenTime | None = Field(None, description="made before this time")
    limit: int = Field(50, ge=1, le=1000)
    cursor: str | None = Field(None, max_length=2048, description="`next_cursor` of the page before")


class DeliveryPage(BaseModel):
    """Deliveries, the newest first."""

    items: list[ToldDelivery]
    next_cursor: str | None = Field(description="cursor of the next page, null on the last one")
