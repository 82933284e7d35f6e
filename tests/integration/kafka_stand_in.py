"""A stand-in for Kafka: one broker that takes what producers send, and keeps the messages.

It speaks the few requests of the protocol that a producer needs, each in one version, which it announces
(https://kafka.apache.org/protocol). Every topic that anybody asks for exists, with one partition.
"""

import socketserver
import struct
import threading
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from agentvigil.receiver.inflate import inflate

_PRODUCE, _METADATA, _API_VERSIONS, _INIT_PRODUCER_ID = 0, 3, 18, 22
_VERSIONS: Final = {_PRODUCE: 7, _METADATA: 1, _API_VERSIONS: 0, _INIT_PRODUCER_ID: 0}
_UNSUPPORTED_VERSION: Final = 35
_BATCH_HEAD: Final = struct.Struct(">qiibIhiqqqhii")
"""Offset, length, epoch of the leader, 2, checksum, attributes, last offset, two times, producer's id, epoch and
sequence, number of records."""
_COMPRESSION, _ZSTD = 0x07, 4


class KafkaStandIn:
    """Listens on ``address`` until :meth:`stop`; ``messages`` has the values by topic."""

    def __init__(self) -> None:
        self.messages: dict[str, list[bytes]] = defaultdict(list)
        stand_in = self

        class Connection(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                while size := self.rfile.read(4):
                    answer = stand_in._answer(_Reader(self.rfile.read(int.from_bytes(size, "big"))))
                    self.wfile.write(len(answer).to_bytes(4, "big") + answer)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True

        self._server = Server(("127.0.0.1", 0), Connection)
        self._port = self._server.server_address[1]
        self.address = f"127.0.0.1:{self._port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _answer(self, request: "_Reader") -> bytes:
        kind, version, correlation = request.integer(2), request.integer(2), request.take(4)
        if kind == _API_VERSIONS:
            error = 0 if version == _VERSIONS[kind] else _UNSUPPORTED_VERSION
            known = b"".join(struct.pack(">hhh", key, only, only) for key, only in _VERSIONS.items())
            return correlation + struct.pack(">hi", error, len(_VERSIONS)) + known
        assert version == _VERSIONS[kind], (kind, version)
        request.text()  # who it is
        answers = {_METADATA: self._metadata, _INIT_PRODUCER_ID: self._producer_id, _PRODUCE: self._produced}
        return correlation + answers[kind](request)

    def _metadata(self, request: "_Reader") -> bytes:
        topics = [request.text() for _ in range(max(0, request.integer(4)))]
        broker = struct.pack(">i", 0) + _text("127.0.0.1") + struct.pack(">ih", self._port, -1)
        partition = struct.pack(">hiiiiii", 0, 0, 0, 1, 0, 1, 0)
        described = [struct.pack(">h", 0) + _text(name) + struct.pack(">?i", False, 1) + partition for name in topics]
        head = struct.pack(">i", 1) + broker + struct.pack(">i", 0)
        return head + struct.pack(">i", len(described)) + b"".join(described)

    def _producer_id(self, _: "_Reader") -> bytes:
        return struct.pack(">ihqh", 0, 0, 1, 0)

    def _produced(self, request: "_Reader") -> bytes:
        request.text()
        request.take(2 + 4)
        answer = struct.pack(">i", topics := request.integer(4))
        for _ in range(topics):
            name = request.text()
            answer += _text(name) + struct.pack(">i", partitions := request.integer(4))
            for _ in range(partitions):
                partition = request.integer(4)
                offset = len(self.messages[name])
                self.messages[name] += _values(request.take(request.integer(4)))
                answer += struct.pack(">ihqqq", partition, 0, offset, -1, 0)
        return answer + struct.pack(">i", 0)


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def take(self, size: int) -> bytes:
        self._at += size
        return self._data[self._at - size : self._at]

    def integer(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big", signed=True)

    def text(self) -> str:
        """A text with its length; none is empty."""
        return self.take(max(0, self.integer(2))).decode()

    def varint(self) -> int:
        shift = number = 0
        while True:
            (byte,) = self.take(1)
            number |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return (number >> 1) ^ -(number & 1)


def _text(text: str) -> bytes:
    return struct.pack(">h", len(text)) + text.encode()


def _values(batch: bytes) -> Iterator[bytes]:
    """The values of the records in one batch."""
    head = _BATCH_HEAD.unpack_from(batch)
    magic, attributes, records = head[3], head[5], head[-1]
    assert magic == 2
    data = batch[_BATCH_HEAD.size :]
    assert attributes & _COMPRESSION in (0, _ZSTD)
    if attributes & _COMPRESSION:
        data = inflate(data, "zstd", 2**24)
    reader = _Reader(data)
    for _ in range(records):
        record = _Reader(reader.take(reader.varint()))
        record.take(1)
        for _ in ("time", "offset"):
            record.varint()
        record.take(max(0, record.varint()))  # the key
        yield record.take(record.varint())
