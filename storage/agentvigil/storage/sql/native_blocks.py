"""ClickHouse's own compression: a body cut in blocks, each with its checksum, as ``compress=1`` asks for it.

A block is 16 bytes of checksum (CityHash128 of version 1.0.2, not of today's library), a byte for the method, the
sizes after and before compression as 32 bits little-endian, and the data. The first size counts the nine bytes of
method and sizes too, and the checksum covers them:
https://github.com/ClickHouse/ClickHouse/blob/master/src/Compression/CompressedReadBufferBase.cpp
"""

import struct
from typing import Final

import lz4.block  # type: ignore[import-untyped]  # none of these two has types
from backports import zstd
from clickhouse_cityhash.cityhash import CityHash128  # type: ignore[import-not-found,import-untyped,unused-ignore]

from agentvigil.storage.inflating import zstd_reader
from agentvigil.storage.sql.encodings import WINDOW_LOG_MAX
from agentvigil.storage.sql.errors import CANNOT_DECOMPRESS, CHECKSUM_DOESNT_MATCH, QUERY_IS_TOO_LARGE, QueryRefused

_HEAD: Final = struct.Struct("<BII")
_CHECKSUM_BYTES: Final = 16
_NONE, _LZ4, _ZSTD = 0x02, 0x82, 0x90
BLOCK_BYTES: Final = 2**20
"""Of plain data in a block we write; ClickHouse's own default of max_compress_block_size."""


class BlockEncoder:
    """Writes LZ4 blocks, the method ClickHouse answers with."""

    def encode(self, data: bytes) -> bytes:
        """Return ``data`` as blocks; none for no data."""
        return b"".join(_block(data[i : i + BLOCK_BYTES]) for i in range(0, len(data), BLOCK_BYTES))

    def finish(self) -> bytes:
        """There is no tail."""
        return b""


def decode_blocks(body: bytes, limit: int) -> bytes:
    """Return what ``body`` holds: LZ4, ZSTD and uncompressed blocks.

    Raises:
        QueryRefused: code 229 before more than ``limit`` bytes are inflated, 40 for a wrong checksum, 271 for anything
            else that is no such block.
    """
    out = bytearray()
    position = 0
    while position < len(body):
        start = position + _CHECKSUM_BYTES
        if len(body) < start + _HEAD.size:
            raise _broken("it ends within a block")
        method, packed_size, size = _HEAD.unpack_from(body, start)
        end = start + packed_size
        if packed_size < _HEAD.size or end > len(body):
            raise _broken("a block says it is longer than the body")
        if len(out) + size > limit:
            raise QueryRefused(QUERY_IS_TOO_LARGE, f"The query inflates to more than {limit} bytes; make it shorter")
        if _checksum(body[start:end]) != body[position:start]:
            raise QueryRefused(CHECKSUM_DOESNT_MATCH, "Checksum of a compressed block of the request does not match")
        plain = _inflate(method, body[start + _HEAD.size : end], size)
        if len(plain) != size:
            raise _broken("a block inflates to another size than it says")
        out += plain
        position = end
    return bytes(out)


def _inflate(method: int, data: bytes, size: int) -> bytes:
    if method == _NONE:
        return data
    try:
        if method == _LZ4:
            return bytes(lz4.block.decompress(data, uncompressed_size=size))
        if method == _ZSTD:
            return zstd_reader(WINDOW_LOG_MAX).decompress(data, size + 1)
    except (lz4.block.LZ4BlockError, zstd.ZstdError, ValueError) as exc:
        raise _broken(str(exc)) from exc
    raise _broken(f"method 0x{method:02x} is none of LZ4, ZSTD and NONE")


def _block(data: bytes) -> bytes:
    packed = bytes(lz4.block.compress(data, store_size=False))
    rest: bytes = _HEAD.pack(_LZ4, len(packed) + _HEAD.size, len(data)) + packed
    return _checksum(rest) + rest


def _checksum(data: bytes) -> bytes:
    number = int(CityHash128(data)).to_bytes(_CHECKSUM_BYTES, "little")
    return number[8:] + number[:8]  # the library puts the half that is written first above the other


def _broken(why: str) -> QueryRefused:
    return QueryRefused(CANNOT_DECOMPRESS, f"The body is not in ClickHouse's compressed blocks: {why}")
