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
def store(empty_store: EmbeddedStore) -> EmbeddedStore:
    """A store over a new database with this release's schema."""
    migrate(empty_store)
    return empty_store
