"""One embedded engine per test process: chDB has one data path per process, so tests are isolated by database."""

import uuid
from collections.abc import Iterator

import pytest

from agentvigil.storage.data_directory import DataDirectory
from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.migrations import migrate


@pytest.fixture(scope="session")
def data_directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DataDirectory]:
    """The data directory of this process' engine."""
    with DataDirectory(tmp_path_factory.mktemp("engine"), purpose="pytest") as directory:
        yield directory


@pytest.fixture(scope="session")
def engine(data_directory: DataDirectory) -> Iterator[EmbeddedStore]:
    """This process' engine, kept open, by its database ``default``."""
    store = EmbeddedStore(data_directory, "default")
    yield store
    store.close()


@pytest.fixture
def empty_store(data_directory: DataDirectory, engine: EmbeddedStore) -> Iterator[EmbeddedStore]:
    """A store over a new database without any table."""
    store = EmbeddedStore(data_directory, f"test_{uuid.uuid4().hex}")
    yield store
    store.command(f"DROP DATABASE IF EXISTS {store.database}")
    store.close()


@pytest.fixture
def servers_store(empty_store: EmbeddedStore) -> EmbeddedStore:
    """A store over a database with the schema that a server has: with views, through which collectors write as well."""
    empty_store.is_embedded = False
    migrate(empty_store)
    return empty_store


@pytest.fixture(scope="session")
def migrated_stores(data_directory: DataDirectory, engine: EmbeddedStore) -> Iterator[list[EmbeddedStore]]:
    """Stores with this release's schema and no rows that nobody uses now; making one takes half a second."""
    stores: list[EmbeddedStore] = []
    yield stores
    for store in stores:
        store.close()


@pytest.fixture
def store(migrated_stores: list[EmbeddedStore], data_directory: DataDirectory) -> Iterator[EmbeddedStore]:
    """A store over a database with this release's schema and no rows."""
    if not migrated_stores:
        fresh = EmbeddedStore(data_directory, f"test_{uuid.uuid4().hex}")
        migrate(fresh)
        migrated_stores.append(fresh)
    store = migrated_stores.pop()
    before = _definitions(store)
    yield store
    if _definitions(store) == before:
        for name, engine in store.rows("SELECT name, engine FROM system.tables WHERE database = currentDatabase()"):
            if engine.endswith("MergeTree") and name != "agentvigil_migrations":
                store.command("TRUNCATE TABLE {name:Identifier}", {"name": name})
        migrated_stores.append(store)
    else:
        store.command("DROP DATABASE {name:Identifier}", {"name": store.database})
        store.close()


def _definitions(store: EmbeddedStore) -> object:
    """Every table of ``store`` as it is made now, and which migrations are recorded."""
    tables = store.rows(
        "SELECT name, create_table_query FROM system.tables WHERE database = currentDatabase() ORDER BY name"
    )
    return tables, store.rows("SELECT * FROM agentvigil_migrations ORDER BY ALL")
