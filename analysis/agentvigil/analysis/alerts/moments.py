"""Moments as statements bind them: a datetime would lose what is below a second."""

from datetime import UTC, datetime, timedelta
from typing import Final

_BEGIN: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


def milliseconds(time: datetime) -> int:
    """Return ``time`` in whole milliseconds since 1970."""
    return (time - _BEGIN) // _MILLISECOND
