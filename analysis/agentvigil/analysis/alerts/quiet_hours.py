"""Hours in which nobody wants to be woken: what comes then is held, and told at their end."""

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema, model_validator

from agentvigil.analysis.alerts.texts import ZoneName
from agentvigil.analysis.findings.model import Severity


class Weekday(StrEnum):
    """Days of the week, as rules say them."""

    MONDAY = "mon"
    TUESDAY = "tue"
    WEDNESDAY = "wed"
    THURSDAY = "thu"
    FRIDAY = "fri"
    SATURDAY = "sat"
    SUNDAY = "sun"


_WEEK: Final = tuple(Weekday)


def _parse_clock(value: object) -> object:
    if isinstance(value, time):
        return value
    try:
        hours, minutes = str(value).split(":")
        if len(hours) == len(minutes) == 2:
            return time(int(hours), int(minutes))
    except ValueError:
        pass
    raise ValueError("a time of day is written as 22:00")


Clock = Annotated[
    time,
    BeforeValidator(_parse_clock),
    PlainSerializer(lambda clock: clock.strftime("%H:%M"), return_type=str),
    WithJsonSchema({"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$", "examples": ["22:00"]}),
]


class QuietHours(BaseModel):
    """Every day from one time of day to another, past midnight if ``until`` is the earlier one; in a time zone.

    Where clocks are set forward past one of the two, the hour that is skipped counts as its end; where they are set
    back, ``from`` is meant the first time that it comes and ``until`` the second, so that nobody is woken in between.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    start: Clock = Field(alias="from", description="local time that they begin at")
    end: Clock = Field(alias="until", description="local time that they end at")
    time_zone: ZoneName = Field("UTC", examples=["Europe/Berlin"], description="IANA name")
    days: tuple[Weekday, ...] = Field(
        (), max_length=7, description="days that they begin on; every day if none is said"
    )
    passes: Severity | None = Field(None, description="notices of this severity and worse are sent all the same")

    @model_validator(mode="after")
    def _are_some_hours(self) -> "QuietHours":
        if self.start == self.end:
            raise ValueError("from and until are the same time of day: leave quiet_hours out, or disable the rule")
        return self

    def end_of_quiet(self, now: datetime) -> datetime | None:
        """Return when the quiet hours end that ``now`` is in, in UTC; None if it is in none."""
        zone = ZoneInfo(self.time_zone)
        today = now.astimezone(zone).date()
        for day in (today - timedelta(days=1), today):
            if self.days and _WEEK[day.weekday()] not in self.days:
                continue
            last_day = day if self.start < self.end else day + timedelta(days=1)
            begin, end = _moment(day, self.start, zone, fold=0), _moment(last_day, self.end, zone, fold=1)
            if begin <= now < end:
                return end
        return None


def _moment(day: date, clock: time, zone: ZoneInfo, *, fold: int) -> datetime:
    """Return the moment of a local time: of two the one that ``fold`` says, and of none the end of the gap."""
    local = datetime.combine(day, clock, zone).replace(fold=fold)
    moment = local.astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return moment
    # In a gap: with one of the two offsets it is a moment before the clocks are set, with the other one after. Between
    # them is where the offset changes.
    low, high = sorted(local.replace(fold=one).astimezone(UTC) for one in (0, 1))
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        if middle.astimezone(zone).utcoffset() == low.astimezone(zone).utcoffset():
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)
