"""Sockets and HTTP servers of the process."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import uvicorn

from agentvigil.cli.settings import Endpoint


class CannotListen(Exception):
    """A port is taken, or the address is not this machine's."""

    def __init__(self, address: str, option: str, reason: str) -> None:
        super().__init__(
            f"can not listen on {address}: {reason}; choose another address with {option} (port 0 is any free)"
        )


def bind(endpoint: Endpoint, option: str) -> socket.socket:
    """Return a listening socket for ``endpoint``; ``option`` is the flag to name if that fails.

    Raises:
        CannotListen: with the reason and what to do.
    """
    family = socket.AF_INET6 if ":" in endpoint.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((endpoint.host, endpoint.port))
        listener.listen(1024)
        listener.setblocking(False)
    except OSError as exc:
        listener.close()
        raise CannotListen(endpoint.with_port(endpoint.port), option, exc.strerror or str(exc)) from exc
    return listener


class HttpServer:
    """One ASGI application on one bound socket; ``tls`` are uvicorn's settings for it, none for plain HTTP."""

    def __init__(self, app: Any, listener: socket.socket, tls: Mapping[str, Any] = MappingProxyType({})) -> None:
        self._listener = listener
        self._server = _Server(
            uvicorn.Config(
                app,
                http="httptools",
                loop="asyncio",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_keep_alive=75,
                timeout_graceful_shutdown=10,
                **tls,
            )
        )
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Return when the server accepts connections."""
        self._task = asyncio.create_task(self._server.serve(sockets=[self._listener]))
        while not self._server.started:
            if self._task.done():
                self._task.result()
            await asyncio.sleep(0.005)

    async def stop(self) -> None:
        """Accept nothing more, finish what is under way."""
        self._server.should_exit = True
        if self._task is not None:
            await self._task
        self._listener.close()


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the process: it has several servers and stops them in an order of its own."""
        yield
