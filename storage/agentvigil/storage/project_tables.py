"""Which tables and views can be shown to somebody who may see one project alone."""

from dataclasses import dataclass
from typing import Final

from agentvigil.storage.named_queries import load_queries
from agentvigil.storage.store import Store

_QUERIES: Final = load_queries("agentvigil.storage", "queries.sql")

_READ_THROUGH: Final = frozenset({"otel_traces_trace_id_ts"})
"""Views without a column Project that read from nothing but tables with one: whoever filters those filters these."""


@dataclass(frozen=True, slots=True)
class ProjectTables:
    """Names of tables and views: ``filtered`` have a column Project, ``through`` are views that only read from those.

    All others show no project, or all at once.
    """

    filtered: frozenset[str] = frozenset()
    through: frozenset[str] = frozenset()


def project_tables_of(store: Store) -> ProjectTables:
    """Return what of the tables that readers may be shown can be narrowed to one project.

    Raises:
        QueryFailed: if the store does not answer.
    """
    readable = store.readable_tables()
    rows = store.rows(_QUERIES["project_tables"], {"read_through": sorted(_READ_THROUGH)})
    found = [(str(name), bool(has_project)) for name, has_project in rows if name in readable]
    return ProjectTables(
        frozenset(name for name, has_project in found if has_project),
        frozenset(name for name, has_project in found if not has_project),
    )
