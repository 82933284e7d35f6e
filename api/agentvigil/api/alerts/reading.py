"""Finds alerts and deliveries in the store."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from agentvigil.api.alerts.models import AlertList, DeliveryList, DeliveryPage, OpenAlerts, ToldAlert, ToldDelivery
from agentvigil.api.conditions import conditions_of, put_together
from agentvigil.api.cursors import cursor_of, position_of
from agentvigil.api.reading import Reader
from agentvigil.storage.named_queries import load_queries

_STATEMENTS: Final = load_queries("agentvigil.api.alerts", "queries.sql")
_LOOK_BACK: Final = timedelta(days=7)
_MARGIN: Final = timedelta(days=1)


class AlertReader:
    """The alerts and deliveries that ``reader`` has."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def open(self, project: str, asked: AlertList) -> OpenAlerts:
        """Return what rules find to be the case."""
        rows = self._reader.records(_STATEMENTS["open"], {"project": project, "limit": asked.limit})
        return OpenAlerts(items=[ToldAlert.of(row) for row in rows])

    def standings(self, project: str) -> dict[str, Mapping[str, Any]]:
        """Return how many alerts of each rule are open, and when one was last told of."""
        rows = self._reader.records(_STATEMENTS["open_by_rule"], {"project": project})
        return {row["Rule"]: row for row in rows}

    def deliveries(self, project: str, asked: DeliveryList) -> DeliveryPage:
        """Return a page of deliveries."""
        now = datetime.now(UTC)
        from_ms = _milliseconds(asked.since or now - _LOOK_BACK)
        to_ms = _milliseconds(asked.until or now + _MARGIN)
        said = asked.model_dump(mode="json", exclude={"cursor", "limit", "since", "until"}) | {"project": project}
        conditions, values = conditions_of(_STATEMENTS, asked)
        if asked.cursor is not None:
            from_ms, to_ms, created_ms, delivery_id = position_of(asked.cursor, said, (int, int, int, str))
            conditions += "\n" + _STATEMENTS["after"]
            values |= {"created_ms": created_ms, "delivery_id": delivery_id}
        parameters = {**values, "project": project, "from_ms": from_ms, "to_ms": to_ms, "limit": asked.limit + 1}
        rows = self._reader.records(put_together(_STATEMENTS["page"], conditions=conditions), parameters)
        next_cursor = None
        if len(rows) > asked.limit:
            rows = rows[: asked.limit]
            next_cursor = cursor_of(said, (from_ms, to_ms, rows[-1]["created_ms"], rows[-1]["DeliveryId"]))
        return DeliveryPage(items=[ToldDelivery.of(row) for row in rows], next_cursor=next_cursor)


def _milliseconds(time: datetime) -> int:
    return int(time.timestamp() * 1000)
