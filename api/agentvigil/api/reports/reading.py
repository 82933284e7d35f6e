"""Reads the reports."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from agentvigil.api.amounts import time_of
from agentvigil.api.conditions import conditions_of, put_together
from agentvigil.api.cursors import cursor_of, position_of
from agentvigil.api.reading import Reader
from agentvigil.api.reports.models import (
    MOST_KEYS,
    MappedKey,
    MappingAsked,
    MappingPage,
    PrivacyAsked,
    PrivacyReport,
    StoredContent,
    WithheldKey,
)
from agentvigil.semconv.privacy import ContentPolicy
from agentvigil.storage.named_queries import load_queries

_STATEMENTS: Final = load_queries("agentvigil.api.reports", "queries.sql")
_LOOK_BACK: Final = timedelta(days=7)
_MARGIN: Final = timedelta(days=1)


class Reports:
    """The reports that ``reader`` has."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def mapping(self, project: str, asked: MappingAsked) -> MappingPage:
        """Return a page of how keys were read."""
        said = asked.model_dump(mode="json", exclude={"cursor", "limit"}) | {"project": project}
        conditions, values = conditions_of(_STATEMENTS, asked)
        after = ""
        if asked.cursor is not None:
            names = ("after_scope", "after_version", "after_dialect", "after_key", "after_reading")
            values |= dict(zip(names, position_of(asked.cursor, said, (str,) * 5), strict=True))
            after = _STATEMENTS["after"]
        sql = put_together(_STATEMENTS["mapping"], conditions=conditions, after=after)
        parameters = {**values, **_days(asked), "project": project, "limit": asked.limit + 1}
        rows = self._reader.records(sql, parameters)
        next_cursor = None
        if len(rows) > asked.limit:
            rows = rows[: asked.limit]
            last = rows[-1]
            place = (last["scope"], last["scope_version"], last["dialect"], last["key"], last["reading"])
            next_cursor = cursor_of(said, place)
        items = [MappedKey(last_seen_at=time_of(row.pop("last_seen_ns")), **row) for row in rows]
        return MappingPage(items=items, next_cursor=next_cursor)

    def privacy(self, project: str, asked: PrivacyAsked, policy: ContentPolicy) -> PrivacyReport:
        """Return what was withheld of ``project``, and what is stored of what it said."""
        parameters = {**_days(asked), "project": project, "limit": MOST_KEYS}
        withheld = self._reader.records(_STATEMENTS["withheld"], parameters)
        (content,) = self._reader.records(_STATEMENTS["content"], {"project": project})
        return PrivacyReport(
            project=project,
            content_policy=policy.name.lower(),
            withheld=[WithheldKey(**row) for row in withheld],
            content=StoredContent(**content),
        )


def _days(asked: MappingAsked | PrivacyAsked) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {"from_day": (asked.since or now - _LOOK_BACK).date(), "to_day": (asked.until or now + _MARGIN).date()}
