"""Opens the store that a URL or a directory names."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from agentvigil.storage.data_directory import DataDirectory, directory_of
from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.errors import StoreUnreachable
from agentvigil.storage.server import ServerStore
from agentvigil.storage.store import Store


@contextlib.contextmanager
def open_store(
    url: str | None, data: Path, database: str, *, purpose: str
) -> Iterator[tuple[Store, DataDirectory | None]]:
    """Yield the store at ``url`` (``http://…``, ``https://…`` or ``chdb:///directory``), or in ``data`` without one.

    With the embedded home comes its data directory, owned for as long as the store is open; ``purpose`` is what
    another process will be told about us.

    Raises:
        StorageError: if the store can not be opened.
    """
    scheme = urlsplit(url).scheme if url else "chdb"
    if scheme in ("http", "https"):
        store: Store = ServerStore(str(url), database)
        with contextlib.closing(store):
            yield store, None
    elif scheme == "chdb":
        with DataDirectory(directory_of(url, data), purpose=purpose) as directory:
            store = EmbeddedStore(directory, database)
            with contextlib.closing(store):
                yield store, directory
    else:
        raise StoreUnreachable(
            f"{scheme}:// is no ClickHouse URL we know; use http://user:password@host:8123, https://… or chdb:///directory"
        )
