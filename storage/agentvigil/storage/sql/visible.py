"""What one query may see: which tables, and of which project.

For somebody bound to a project every table has a filter, ``Project = '…'``, which the engine applies wherever the table
is read: in joins and subqueries, and inside of views. The doubts, and how they are met:

1. The engine gives a table the first filter of the list that matches its name or its alias. An alias may be written
   like another entry, so the project's come first, and say all the same.
2. The older analyzer does not go by these rules, so the newer one is not left to the client's choice.
3. A table without a column Project, and a view over one, can not be narrowed: they are not there at all.
4. How much all projects have stored together shows in what ``EXPLAIN`` estimates, so that is not told.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from agentvigil.semconv.registry import LABEL_PATTERN
from agentvigil.storage.project_tables import ProjectTables
from agentvigil.storage.sql.admission import PLAIN_NAME, SYSTEM_TABLES, Admission
from agentvigil.storage.sql.errors import ACCESS_DENIED, QueryRefused
from agentvigil.storage.sql.tokens import quote

_BOUND_SETTINGS: Final = MappingProxyType({"allow_experimental_analyzer": "1"})
_NONE: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Visible:
    """The tables of ``database`` that a query may name, and the ``project`` that it sees, None for every one.

    ``filtered`` are those of ``tables`` that get the project's filter, none without a project.
    """

    database: str
    tables: frozenset[str]
    project: str | None
    filtered: frozenset[str]

    @classmethod
    def to(
        cls,
        project: str | None,
        *,
        database: str,
        allowed_tables: Callable[[], frozenset[str]],
        project_tables: Callable[[], ProjectTables],
    ) -> "Visible":
        """Return what is visible to who may see ``project``, None for every one.

        Raises:
            QueryRefused: if ``project`` can be no project's name.
        """
        if project is None:
            return cls(database, allowed_tables(), None, frozenset())
        if not re.match(LABEL_PATTERN, project):
            raise QueryRefused(ACCESS_DENIED, f"{project[:80]!r} is no name of a project")
        found = project_tables()
        filtered = frozenset(name for name in found.filtered if PLAIN_NAME.fullmatch(name))
        return cls(database, (filtered | found.through) & allowed_tables(), project, filtered)

    def admission(self) -> Admission:
        """Return the rules for a query that sees this."""
        return Admission(self.database, lambda: self.tables, is_bound=self.project is not None)

    def filters(self) -> dict[str, str]:
        """Return the conditions on tables, by their qualified names, in the order in which the engine must see them.

        Those on the system tables that describe the schema show what a query may read, no more.
        """
        filters = {}
        if self.project is not None:
            # Every table that has one, named in the query or not: views read from them.
            filters = {f"{self.database}.{name}": f"Project = {quote(self.project)}" for name in sorted(self.filtered)}
        database = quote(self.database)
        tables = ", ".join(map(quote, sorted(self.tables))) or "''"
        system = ", ".join(map(quote, sorted(SYSTEM_TABLES)))
        visible = f"(database = {database} AND {{0}} IN ({tables})) OR (database = 'system' AND {{0}} IN ({system}))"
        return {
            **filters,
            "system.databases": f"name IN ({database}, 'system')",
            "system.tables": visible.format("name"),
            "system.columns": visible.format("table"),
        }

    def settings(self) -> Mapping[str, str]:
        """Return the engine settings that the filters rely on; they win over the client's."""
        return _NONE if self.project is None else _BOUND_SETTINGS
