"""Projects: those that were made, and those that are there because they have keys or data."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from agentvigil.storage.access.labels import check_label
from agentvigil.storage.named_queries import load_queries
from agentvigil.storage.store import Store

_QUERIES: Final = load_queries("agentvigil.storage.access", "queries.sql")


@dataclass(frozen=True, slots=True)
class Project:
    """One project; times in UTC.

    ``created_at`` is None for one that nobody made by name. ``usable_keys`` counts keys bound to it that are neither
    revoked nor expired. ``last_data_at`` is the start of the newest run of 30 days or span of two days, None if there
    is none.
    """

    name: str
    description: str
    created_at: datetime | None
    usable_keys: int
    last_data_at: datetime | None


class ProjectBook:
    """The projects of ``store``. All methods block and raise StorageError if the store does not answer."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def create(self, name: str, description: str = "") -> Project:
        """Make the project ``name``, or give it another description, and return it.

        Raises:
            LabelInvalid: if ``name``, or a ``description`` that is not empty, is no label.
        """
        check_label("project", name)
        if description:
            check_label("description", description)
        self._store.command(
            _QUERIES["make_project"], {"name": name, "description": description, "now": datetime.now(UTC)}
        )
        return self.listed(only=name)[0]

    def listed(self, only: str | None = None) -> list[Project]:
        """Return all projects, or ``only`` that one if it is there; ``default`` always is, and comes first."""
        return [Project(*row) for row in self._store.rows(_QUERIES["projects"], {"only": only or ""})]
