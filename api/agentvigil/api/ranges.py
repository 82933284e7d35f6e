"""The time that sums are over: from one moment up to another, both known before anything is read."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from agentvigil.api.conditions import nanoseconds
from agentvigil.api.problems import Invalid


@dataclass(frozen=True, slots=True)
class TimeRange:
    """From ``since`` up to, and without, ``until``."""

    since: datetime
    until: datetime

    @classmethod
    def of(cls, since: datetime | None, until: datetime | None, usual: timedelta) -> Self:
        """Return the time between two that may not be given: up to now, and ``usual`` long.

        Raises:
            Invalid: if there is nothing between them.
        """
        until = until or datetime.now(UTC)
        if since is None:
            since = until - usual
        if since >= until:
            raise Invalid(
                f"since ({since.isoformat()}) is not before until ({until.isoformat()})",
                "leave one of them out, or give a time before until",
            )
        return cls(since, until)

    @property
    def nanoseconds(self) -> tuple[int, int]:
        """Both ends in nanoseconds since 1970."""
        return nanoseconds(self.since), nanoseconds(self.until)

    @property
    def parameters(self) -> dict[str, Any]:
        """Both ends as statements bind them."""
        from_ns, to_ns = self.nanoseconds
        return {"from_ns": from_ns, "to_ns": to_ns}
