"""Serve the SQL interface of an embedded store on a free port, print its address, and go on until terminated."""

import os
import socket
import sys
from pathlib import Path

import uvicorn

from agentvigil.storage.access import Access, KeyBook
from agentvigil.storage.data_directory import DataDirectory
from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.sql.clickhouse_http import clickhouse_http_app
from agentvigil.storage.sql.gateway import SqlGateway


def main(data: Path) -> None:
    """Serve the data directory ``data`` until a signal comes."""
    with DataDirectory(data, purpose="interop tests") as directory:
        store = EmbeddedStore(directory, "default")
        gateway = SqlGateway(store.open_handle, database="default", allowed_tables=frozenset)
        app = clickhouse_http_app(gateway, Access(KeyBook(store), static_key=os.environ["AGENTVIGIL_INTEROP_KEY"]))
        listener = socket.create_server(("127.0.0.1", 0))
        print(f"127.0.0.1:{listener.getsockname()[1]}", flush=True)
        uvicorn.Server(uvicorn.Config(app, log_level="warning", http="httptools", lifespan="off")).run([listener])
        store.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
