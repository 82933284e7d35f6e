"""What a caller may do, and in which project."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from agentvigil.storage.access.errors import GrantRefused, ScopeMissing

DEFAULT_PROJECT: Final = "default"
"""Where telemetry goes whose sender is bound to no project."""


class Scope(StrEnum):
    """One kind of thing that a key allows; none of them includes another."""

    INGEST = "ingest"
    READ = "read"
    ADMIN = "admin"


ALL_SCOPES: Final = frozenset(Scope)


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever showed a key. ``project`` None is every project; ``key_id`` is empty where no key is needed.

    The ids ``static`` and ``local`` stand for AGENTVIGIL_INGEST_KEY and for the command line on the server's own data.
    """

    project: str | None
    scopes: frozenset[Scope]
    key_id: str

    @property
    def ingest_project(self) -> str:
        """The project that what this caller sends belongs to."""
        return DEFAULT_PROJECT if self.project is None else self.project

    def check(self, scope: Scope) -> None:
        """Return if the caller has ``scope``.

        Raises:
            ScopeMissing: if not.
        """
        if scope not in self.scopes:
            raise ScopeMissing(scope, self.key_id, sorted(self.scopes))

    def check_grant(self, project: str | None, scopes: Collection[Scope]) -> None:
        """Return if the caller may make a key for ``project`` (None: every one) with ``scopes``.

        Raises:
            ScopeMissing: if it may make no keys at all.
            GrantRefused: if the key would be allowed what the caller is not.
        """
        self.check(Scope.ADMIN)
        if self.project is not None and project != self.project:
            wanted = "every project" if project is None else f"project {project}"
            raise GrantRefused(f"a key of project {self.project} can not make one for {wanted}")
        if missing := sorted(set(scopes) - self.scopes):
            raise GrantRefused(f"a key can not make one that may do more than it may itself: {', '.join(missing)}")


OPEN_CALLER: Final = Caller(None, ALL_SCOPES, "")
"""Everybody, where no key is needed."""
