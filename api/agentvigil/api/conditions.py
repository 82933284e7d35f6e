"""Filters of a request as conditions of a query: fixed texts of ours, with the caller's values bound.

Of a file of statements those named ``where_…`` are conditions. The one named after a filter is used when the caller
gave that filter; its value is bound under the filter's own name.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from pydantic import BaseModel

_PREFIX: Final = "where_"


def conditions_of(fragments: Mapping[str, str], filters: BaseModel) -> tuple[str, dict[str, Any]]:
    """Return the conditions for what is given in ``filters``, each after an AND, and the values they bind.

    Times are bound as nanoseconds since 1970.
    """
    texts, values = [], {}
    for name in type(filters).model_fields:
        value = getattr(filters, name)
        if value is None or value == [] or _PREFIX + name not in fragments:
            continue
        texts.append(f"AND ({fragments[_PREFIX + name]}\n)")
        values[name] = nanoseconds(value) if isinstance(value, datetime) else value
    return "\n".join(texts), values


def nanoseconds(time: datetime) -> int:
    """Return ``time`` in nanoseconds since 1970."""
    whole_s = int(time.replace(microsecond=0).timestamp())
    return whole_s * 1_000_000_000 + time.microsecond * 1000


def put_together(sql: str, **parts: str) -> str:
    """Return ``sql`` with texts of ours in the place of each ``{{name}}``."""
    for name, text in parts.items():
        sql = sql.replace(f"{{{{{name}}}}}", text)
    return sql
