"""Tables in memory that one batch is worked out in, under names nobody else has, gone at its end.

They are ordinary tables: temporary ones live in a session, and a ClickHouse server is spoken to without.
"""

import contextlib
import uuid
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from agentvigil.analysis.settling.statements import STATEMENTS
from agentvigil.storage.errors import StorageError
from agentvigil.storage.store import Store


class WorkingTables:
    """The working tables of one batch; statements name a table by its role, as in ``{spans:Identifier}``."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._prefix = f"settling_{uuid.uuid4().hex}"
        self._names: dict[str, str] = {}
        self._made = 0

    def make(self, role: str, statement: str, parameters: Mapping[str, Any] | None = None) -> None:
        """Make the table of ``role`` by ``statement``, of those made before."""
        roles, name = dict(self._names), self._new_name(role)
        self._store.command(STATEMENTS[statement], {**roles, **(parameters or {}), role: name})

    def replace(self, role: str, statement: str, aliases: Mapping[str, str]) -> None:
        """Make the table of ``role`` anew, of what it and others were.

        ``aliases`` says what the statement calls them: its name for a table → the role that the table has now.
        """
        roles = {**self._names, **{alias: self._names[known] for alias, known in aliases.items()}}
        old = self._names[role]
        self._store.command(STATEMENTS[statement], {**roles, role: self._new_name(role)})
        self._store.command(STATEMENTS["drop"], {"table": old})

    def drop(self, role: str) -> None:
        """Drop the table of ``role``, which will be made again."""
        self._store.command(STATEMENTS["drop"], {"table": self._names.pop(role)})

    def run(self, statement: str, parameters: Mapping[str, Any] | None = None) -> None:
        """Run ``statement``."""
        self._store.command(STATEMENTS[statement], {**self._names, **(parameters or {})})

    def rows(self, statement: str, parameters: Mapping[str, Any] | None = None) -> Sequence[Sequence[Any]]:
        """Return what ``statement`` finds."""
        return self._store.rows(STATEMENTS[statement], {**self._names, **(parameters or {})})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # A store that is away keeps them until the next start sweeps them.
        with contextlib.suppress(StorageError):
            for name in self._names.values():
                self._store.command(STATEMENTS["drop"], {"table": name})

    def _new_name(self, role: str) -> str:
        self._made += 1
        self._names[role] = f"{self._prefix}_{self._made}_{role}"
        return self._names[role]


def sweep(store: Store) -> None:
    """Drop the working tables that processes left behind which were killed.

    Raises:
        StorageError: if the store does not answer.
    """
    for (name,) in store.rows(STATEMENTS["left_behind"]):
        store.command(STATEMENTS["drop"], {"table": name})
