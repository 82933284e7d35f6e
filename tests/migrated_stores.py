"""Stores over databases with this release's schema and no rows; making one takes seconds, emptying it does not."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain

from agentvigil.storage.data_directory import DataDirectory
from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.migrations import migrate


class MigratedStores:
    """Lends stores, and empties them when they come back; in one data directory, from one thread."""

    def __init__(self, directory: DataDirectory) -> None:
        self._directory = directory
        self._free: dict[bool, list[EmbeddedStore]] = {False: [], True: []}

    @contextmanager
    def taken(self, *, of_server: bool = False) -> Iterator[EmbeddedStore]:
        """Lend a store, with the schema that a server has if it is ``of_server``."""
        store = self._free[of_server].pop() if self._free[of_server] else self._new(of_server=of_server)
        before = _definitions(store)
        yield store
        for name in _definitions(store).keys() - before.keys():
            store.command("DROP TABLE {name:Identifier}", {"name": name})
        if _definitions(store) == before:
            # Only what a test filled: emptying a table that is empty takes as long.
            for (name,) in store.rows(
                "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree' "
                "AND total_rows != 0 AND name != 'agentvigil_migrations'"
            ):
                store.command("TRUNCATE TABLE {name:Identifier}", {"name": name})
            for (name,) in store.rows(
                "SELECT name FROM system.dictionaries WHERE database = currentDatabase() AND element_count != 0"
            ):
                # It would remember for minutes what its table held, and price the spans of the next test.
                store.command(f"SYSTEM RELOAD DICTIONARY {name}")
            self._free[of_server].append(store)
        else:
            store.end_inserts()
            store.command("DROP DATABASE {name:Identifier}", {"name": store.database})
            store.close()

    def close(self) -> None:
        """Close those that are not lent."""
        for store in chain.from_iterable(self._free.values()):
            store.close()

    def _new(self, *, of_server: bool) -> EmbeddedStore:
        store = EmbeddedStore(self._directory, f"test_{uuid.uuid4().hex}")
        store.is_embedded = not of_server
        migrate(store)
        for name, definition in _definitions(store).items():
            if " TTL " in definition:
                # A merge may drop what has expired in the moment in which it comes in: tests see rows of the past.
                store.command(
                    "ALTER TABLE {name:Identifier} MODIFY SETTING max_number_of_merges_with_ttl_in_pool = 0",
                    {"name": name},
                )
        return store


def _definitions(store: EmbeddedStore) -> dict[str, str]:
    """How each table is made now, and which migrations are recorded."""
    tables = dict(store.rows("SELECT name, create_table_query FROM system.tables WHERE database = currentDatabase()"))
    if "agentvigil_migrations" in tables:
        tables["agentvigil_migrations"] += str(store.rows("SELECT * FROM agentvigil_migrations ORDER BY ALL"))
    return tables
