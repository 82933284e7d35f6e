"""One embedded engine per test process: chDB has one data path per process, so tests are isolated by database."""

import gc
import os
import tempfile
import uuid
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Final

import pytest

from agentvigil.storage.data_directory import DataDirectory
from agentvigil.storage.embedded import EmbeddedStore
from migrated_stores import MigratedStores

_GC_THRESHOLD: Final = (10_000, 20, 20)
"""To look for garbage as often as Python does by itself takes a twentieth of the time, and hardly any is found."""
_MEMORY: Final = Path("/dev/shm")
_ROOM: Final = 4 << 30
"""In bytes: tests need a tenth, and servers take nothing in where a disk is nearly full."""


def pytest_configure() -> None:
    """Keep what tests store in memory, where Linux has a place for that with room enough and nobody named another.

    A store writes some fifty files for each insert, and has each of them written to the disk: on one that costs as much
    as all else. What a killed process leaves behind is the same in both.
    """
    if "TMPDIR" not in os.environ and _MEMORY.is_dir():
        there = os.statvfs(_MEMORY)
        if there.f_bavail * there.f_frsize >= _ROOM:
            os.environ["TMPDIR"] = str(_MEMORY)
            tempfile.tempdir = None


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Import all test modules, and the frameworks with them, without looking for garbage among what only grows.

    What they made stays, so later collections need not look at it either: several tests ask for one of all there is.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.set_threshold(*_GC_THRESHOLD)
        gc.enable()


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


@pytest.fixture(scope="session")
def migrated_stores(data_directory: DataDirectory, engine: EmbeddedStore) -> Iterator[MigratedStores]:
    """Stores that nobody uses now."""
    stores = MigratedStores(data_directory)
    yield stores
    stores.close()


@pytest.fixture
def store(migrated_stores: MigratedStores) -> Iterator[EmbeddedStore]:
    """A store over a database with this release's schema and no rows."""
    with migrated_stores.taken() as store:
        yield store


@pytest.fixture
def servers_store(migrated_stores: MigratedStores) -> Iterator[EmbeddedStore]:
    """A store over a database with the schema that a server has: with views, through which collectors write as well."""
    with migrated_stores.taken(of_server=True) as store:
        yield store
