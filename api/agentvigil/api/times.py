"""Times as callers write them: ISO 8601, or how long ago."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

_AGO: Final = re.compile(r"(\d{1,6})(s|m|h|d|w)")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)
_WANTED: Final = "write a time as 2026-11-30T08:00:00Z or how long ago it was, as 30m, 24h or 7d"


def parse_time(text: object, now: datetime | None = None) -> datetime:
    """Return the time that ``text`` says, in UTC: ISO 8601 (UTC where no zone is said), or ``24h``, ``7d`` ago.

    Raises:
        ValueError: for anything else, and for times before 1970 and from 2200 on, which the store does not have.
    """
    if isinstance(text, datetime):
        time = text
    else:
        said = str(text).strip()
        try:
            if ago := _AGO.fullmatch(said):
                time = (now or datetime.now(UTC)) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
            else:
                time = datetime.fromisoformat(said)
        except (ValueError, OverflowError) as exc:
            raise ValueError(f"{said[:40]!r} is no time: {_WANTED}") from exc
    try:
        time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except OverflowError as exc:
        raise ValueError(f"{time} is out of range: {_WANTED}") from exc
    if not _EARLIEST <= time < _LATEST:
        raise ValueError(f"{time.isoformat()} is out of range, 1970 to 2199")
    return time


def in_utc(time: datetime) -> str:
    """Return ``time`` as ISO 8601 with ``Z``."""
    return time.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


GivenTime = Annotated[
    datetime,
    BeforeValidator(parse_time),
    WithJsonSchema(
        {
            "type": "string",
            "examples": ["2026-11-30T08:00:00Z", "24h"],
            "description": "ISO 8601, or how long ago: `90s`, `30m`, `24h`, `7d`, `2w`",
        },
    ),
]
"""A time in a request."""

ToldTime = Annotated[
    datetime,
    PlainSerializer(in_utc, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-11-30T08:00:00.123456Z"]}),
]
"""A time in an answer."""
