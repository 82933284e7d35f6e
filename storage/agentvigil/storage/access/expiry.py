"""When a key ends, as people write it."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

_FROM_NOW: Final = re.compile(r"(\d{1,5})([hdwy])")
_HOURS: Final = {"h": 1, "d": 24, "w": 7 * 24, "y": 365 * 24}
_LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)


def parse_expiry(text: object, now: datetime | None = None) -> datetime:
    """Return the time that ``text`` says, in UTC: ``12h``, ``90d``, ``4w``, ``1y`` from now, or ISO 8601.

    Raises:
        ValueError: for anything else, and for times that are past or from 2200 on.
    """
    now = now or datetime.now(UTC)
    said = str(text).strip()
    try:
        if span := _FROM_NOW.fullmatch(said):
            at = now + timedelta(hours=int(span[1]) * _HOURS[span[2]])
        else:
            at = text if isinstance(text, datetime) else datetime.fromisoformat(said)
            at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError) as exc:
        raise ValueError(f"{said[:40]!r} is no time: write 12h, 90d, 4w, 1y or a day as 2027-01-01") from exc
    if not now < at < _LATEST:
        raise ValueError(f"a key can not end at {at.isoformat()}: give a time to come, before 2200")
    return at
