"""An HTTP server that answers every request with 200 and an empty body, and keeps nothing: it measures the sender."""

import asyncio
import threading

import httptools

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class _Connection(asyncio.Protocol):
    """Reads requests to their end, one after the other."""

    def __init__(self) -> None:
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        assert self._transport is not None
        self._transport.write(ANSWER)


def serve(host: str, port: int) -> int:
    """Serve in a thread of its own for as long as the process lives, and return the port."""
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(loop.create_server(_Connection, host, port))
    threading.Thread(target=loop.run_forever, daemon=True).start()
    return int(server.sockets[0].getsockname()[1])
