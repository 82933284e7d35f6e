"""How the store's numbers are told: money as text, durations in milliseconds, what is unknown as null."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Final

from pydantic import WithJsonSchema

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

MoneyText = Annotated[str, WithJsonSchema({"type": "string", "pattern": r"^-?\d+(\.\d+)?$", "examples": ["0.01234"]})]
"""US dollars as a decimal number in a text, so that no reader rounds them."""


def usd(amount: Decimal | None) -> str | None:
    """Return ``amount`` without zeros at its end, None if it is not known."""
    if amount is None:
        return None
    return f"{amount.normalize():f}" if amount else "0"


def milliseconds(nanoseconds: int) -> float:
    """Return nanoseconds as milliseconds."""
    return nanoseconds / 1_000_000


def time_of(nanoseconds: int) -> datetime:
    """Return the time that is so many nanoseconds after 1970."""
    return _EPOCH + timedelta(microseconds=nanoseconds // 1000)
