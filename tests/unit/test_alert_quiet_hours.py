"""Quiet hours are those of a clock on the wall, whatever is done to it."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from agentvigil.analysis.alerts.quiet_hours import QuietHours


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def hours(start: str, end: str, zone: str = "Europe/Berlin", *days: str) -> QuietHours:
    return QuietHours.model_validate({"from": start, "until": end, "time_zone": zone, "days": list(days)})


@pytest.mark.parametrize(
    ("quiet", "now", "end"),
    [
        # Past midnight, in winter: an hour ahead of UTC.
        (hours("22:00", "07:00"), "2026-01-10T20:59:59", None),
        (hours("22:00", "07:00"), "2026-01-10T21:00:00", "2026-01-11T06:00:00"),
        (hours("22:00", "07:00"), "2026-01-11T05:59:59", "2026-01-11T06:00:00"),
        (hours("22:00", "07:00"), "2026-01-11T06:00:00", None),
        # Within a day.
        (hours("12:00", "13:30", "UTC"), "2026-01-10T13:29:00", "2026-01-10T13:30:00"),
        (hours("12:00", "13:30", "UTC"), "2026-01-10T11:59:59", None),
        # The night in which clocks go forward, 2 to 3 on 29 March, is an hour shorter, the one in October longer.
        (hours("22:00", "07:00"), "2026-03-28T21:00:00", "2026-03-29T05:00:00"),
        (hours("22:00", "07:00"), "2026-10-24T20:00:00", "2026-10-25T06:00:00"),
        # Until an hour that is skipped: until the gap ends. From one: from there on.
        (hours("22:00", "02:30"), "2026-03-29T00:59:59", "2026-03-29T01:00:00"),
        (hours("22:00", "02:30"), "2026-03-29T01:00:00", None),
        (hours("02:30", "04:00"), "2026-03-29T00:59:59", None),
        (hours("02:30", "04:00"), "2026-03-29T01:00:00", "2026-03-29T02:00:00"),
        # Half past two comes twice on 25 October: quiet begins with the first and ends with the second.
        (hours("22:00", "02:30"), "2026-10-25T00:30:00", "2026-10-25T01:30:00"),
        (hours("22:00", "02:30"), "2026-10-25T01:29:00", "2026-10-25T01:30:00"),
        (hours("02:30", "05:00"), "2026-10-25T00:30:00", "2026-10-25T04:00:00"),
        # On the other side of the day, and half an hour off.
        (hours("22:00", "07:00", "Asia/Kolkata"), "2026-01-10T16:30:00", "2026-01-11T01:30:00"),
        (hours("22:00", "07:00", "America/Los_Angeles"), "2026-01-11T06:00:00", "2026-01-11T15:00:00"),
        # A day is the one that they begin on: Friday night goes into Saturday.
        (hours("22:00", "07:00", "UTC", "fri"), "2026-01-10T06:00:00", "2026-01-10T07:00:00"),
        (hours("22:00", "07:00", "UTC", "fri"), "2026-01-10T23:00:00", None),
    ],
)
def test_the_end_is_known(quiet: QuietHours, now: str, end: str | None) -> None:
    assert quiet.end_of_quiet(utc(now)) == (utc(end) if end else None)


@pytest.mark.parametrize("said", [{"from": "9:00"}, {"until": "24:00"}, {"time_zone": "../etc"}, {"days": ["Monday"]}])
def test_what_is_no_time_is_refused(said: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        QuietHours.model_validate({"from": "22:00", "until": "07:00", **said})
