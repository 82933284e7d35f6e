"""An application behind a real HTTP server in a thread, for what a client without a socket does not show."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

from agentvigil.cli.listening import HttpServer, bind
from agentvigil.cli.settings import Endpoint

_PATIENCE_S = 60


@contextmanager
def serving(app: Any) -> Iterator[int]:
    """Serve ``app`` as ``agentvigil up`` does, and yield the port."""
    ready: Future[int] = Future()
    stop = threading.Event()

    async def serve() -> None:
        listener = bind(Endpoint("127.0.0.1", 0), "--api")
        server = HttpServer(app, listener)
        await server.start()
        ready.set_result(listener.getsockname()[1])
        await asyncio.to_thread(stop.wait)
        await server.stop()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        yield ready.result(_PATIENCE_S)
    finally:
        stop.set()
        thread.join()
