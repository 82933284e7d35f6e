"""How names and times are said in rules, and how text from spans is made fit to be sent to people.

Names of agents, tools and users come from whoever sends spans. What is taken from there is one line, of bounded length,
without control characters; each way of sending escapes it once more for its own markup.
"""

import re
import unicodedata
from datetime import timedelta
from typing import Annotated, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, StringConstraints, WithJsonSchema

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:@-]{1,64}$")]
"""Name of a rule or destination: a label without slashes."""

SpanText = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
"""Something that spans say, such as the name of an agent."""

_SPAN: Final = re.compile(r"(\d{1,4})([mhd])")
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days"}


def _parse_span(value: object) -> object:
    if isinstance(value, timedelta):
        return value
    found = _SPAN.fullmatch(value) if isinstance(value, str) else None
    if found is None or not int(found[1]):
        raise ValueError("a length of time is written as 15m, 24h or 7d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def span_text(span: timedelta) -> str:
    """Return ``span`` as it is written: ``15m``, ``24h``, ``7d``."""
    minutes = int(span.total_seconds()) // 60
    if minutes % 60:
        return f"{minutes}m"
    return f"{minutes // 60}h" if minutes % 1440 or minutes == 1440 else f"{minutes // 1440}d"


def _schema(longest: str) -> WithJsonSchema:
    return WithJsonSchema(
        {
            "type": "string",
            "pattern": "^[0-9]{1,4}[mhd]$",
            "examples": ["15m", "24h", "7d"],
            "description": f"minutes, hours or days, {longest} at most",
        }
    )


def _at_most(days: int) -> AfterValidator:
    def check(span: timedelta) -> timedelta:
        if span > timedelta(days=days):
            raise ValueError(f"at most {days} days")
        return span

    return AfterValidator(check)


_WRITTEN: Final = (BeforeValidator(_parse_span), PlainSerializer(span_text, return_type=str))

Span = Annotated[timedelta, *_WRITTEN, _at_most(31), _schema("31 days")]
"""A length of time."""


def _check_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
        raise ValueError(f"{name[:64]!r} is no time zone: write one as Europe/Berlin or UTC") from exc
    return name


ZoneName = Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(_check_zone)]
"""Name of a time zone in the IANA database, such as Europe/Berlin."""


def one_line(text: str, most: int) -> str:
    """Return ``text`` in one line without control and format characters, at most ``most`` characters long.

    Format characters go too: with them a name can be shown backwards, or look like another.
    """
    shown = "".join(" " if unicodedata.category(char) in _UNSEEN else char for char in text[: most * 4])
    shown = " ".join(shown.split())
    return shown if len(shown) <= most else shown[: most - 1] + "…"


_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
