"""Times, durations, money and counts in a few letters. What is not known is a dash."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

UNKNOWN: Final = "-"
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86400


def duration(milliseconds: float | None) -> str:
    """Return a duration: ``0.4 ms``, ``412 ms``, ``4.5 s``, ``3m 12s``, ``2h 05m``, ``3d 04h``."""
    if milliseconds is None:
        return UNKNOWN
    if milliseconds < 0.95:
        return f"{milliseconds:.1f} ms"
    if milliseconds < 999.5:
        return f"{milliseconds:.0f} ms"
    if milliseconds < 59_950:
        return f"{milliseconds / 1000:.1f} s"
    seconds = round(milliseconds / 1000)
    if seconds < _HOUR_S:
        return f"{seconds // _MINUTE_S}m {seconds % _MINUTE_S:02}s"
    if seconds < _DAY_S:
        return f"{seconds // _HOUR_S}h {seconds % _HOUR_S // _MINUTE_S:02}m"
    return f"{seconds // _DAY_S}d {seconds % _DAY_S // _HOUR_S:02}h"


def dollars(amount: str | None) -> str:
    """Return an amount as the API writes it in four decimals, or in two digits where it is less than that shows."""
    if amount is None:
        return UNKNOWN
    value = Decimal(amount)
    if not value:
        return "$0"
    if value >= 1:
        return f"${value:,.2f}"
    if value >= Decimal("0.001"):
        return f"${value:.4f}"
    return f"${float(f'{value:.1e}'):.{-value.adjusted() + 1}f}"


def count(number: int | None) -> str:
    """Return a number with commas between thousands."""
    return UNKNOWN if number is None else f"{number:,}"


def short_count(number: int | None) -> str:
    """Return a number in at most four letters: ``950``, ``1.2k``, ``34k``, ``1.2M``."""
    if number is None:
        return UNKNOWN
    scaled, unit = float(number), ""
    for unit in ("", "k", "M", "G"):  # noqa: B007 - the last one is used
        if scaled < 999.5:
            break
        scaled /= 1000
    return f"{scaled:.1f}{unit}" if unit and scaled < 9.95 else f"{scaled:.0f}{unit}"


def counted(number: int, noun: str) -> str:
    """Return a number and what it counts: ``1 step``, ``2 steps``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def time_of(text: str) -> datetime:
    """Return a time of the API in the zone of this machine."""
    return datetime.fromisoformat(text).astimezone()


def second(text: str | None) -> str | None:
    """Return a time of the API to the second, in UTC: ``2026-11-29T22:17:05Z``.

    The API leaves out fractions that are nothing, so that its times have two forms. Lists for other programs have one.
    """
    return None if text is None else f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def ago(time: datetime, now: datetime) -> str:
    """Return how long ago ``time`` was: ``12s ago``, ``5m ago``, ``3h ago``, ``2d ago``, or ``in 5m``."""
    seconds = round((now - time).total_seconds())
    for length_s, unit in ((_DAY_S, "d"), (_HOUR_S, "h"), (_MINUTE_S, "m"), (1, "s")):
        if abs(seconds) >= length_s:
            number = f"{abs(seconds) // length_s}{unit}"
            return f"{number} ago" if seconds > 0 else f"in {number}"
    return "now"


def clock(time: datetime, now: datetime) -> str:
    """Return ``time`` by the clock, with as much of the date as ``now`` leaves open; both are in one zone."""
    if time.date() == now.date():
        return f"{time:%H:%M:%S}"
    return f"{time:%m-%d %H:%M}" if time.year == now.year else f"{time:%Y-%m-%d}"
