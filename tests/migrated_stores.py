"""Stores over databases with this release's schema and no rows; making one takes seconds, emptying it does not."""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from agentvigil.storage.data_directory import DataDirectory
from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.migrations import migrate

_RECORD: Final = "agentvigil_migrations"


@dataclass(frozen=True)
class _Made:
    """How each table is made, and which migrations are recorded."""

    definitions: dict[str, str]
    records: Sequence[Sequence[Any]]


class MigratedStores:
    """Lends stores, and empties them when they come back; in one data directory, from one thread."""

    def __init__(self, directory: DataDirectory) -> None:
        self._directory = directory
        self._free: dict[bool, list[EmbeddedStore]] = {False: [], True: []}
        self._made: dict[str, _Made] = {}
        """By the name of its database, what each was when it was new."""

    @contextmanager
    def taken(self, *, of_server: bool = False) -> Iterator[EmbeddedStore]:
        """Lend a store, with the schema that a server has if it is ``of_server``."""
        store = self._free[of_server].pop() if self._free[of_server] else self._new(of_server=of_server)
        made = self._made[store.database]
        ((lent_at,),) = store.rows("SELECT toUnixTimestamp(now())")
        yield store
        filled, untouched = [], set[str]()
        for name, written_at, has_rows in store.rows(
            "SELECT name, toUnixTimestamp(metadata_modification_time), engine LIKE '%MergeTree' AND total_rows != 0 "
            "FROM system.tables WHERE database = currentDatabase()"
        ):
            if name not in made.definitions:
                store.command("DROP TABLE {name:Identifier}", {"name": name})
                continue
            if has_rows and name != _RECORD:
                filled.append(name)
            # What a file system says about when a file was written may be some ms behind the clock.
            if written_at < lent_at - 1:
                untouched.add(name)
        # To read every definition takes longer than many a test. None need be read where none was written meanwhile.
        is_as_made = untouched == made.definitions.keys() or _definitions(store) == made.definitions
        if is_as_made and _records(store) == made.records:
            # Only what a test filled: emptying a table that is empty takes as long.
            for name in filled:
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
        self._made[store.database] = _Made(_definitions(store), _records(store))
        return store


def _definitions(store: EmbeddedStore) -> dict[str, str]:
    return dict(store.rows("SELECT name, create_table_query FROM system.tables WHERE database = currentDatabase()"))


def _records(store: EmbeddedStore) -> Sequence[Sequence[Any]]:
    return store.rows(f"SELECT * FROM {_RECORD} ORDER BY ALL")
