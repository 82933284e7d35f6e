"""HTTP content codings: which one an answer gets, and how a request's body is inflated, never past its limit."""

import zlib
from collections.abc import Callable
from functools import partial
from typing import Final, Protocol

import lz4.frame  # type: ignore[import-untyped]  # it has no types
from backports import zstd

from agentvigil.storage.inflating import (
    CutOff,
    FrameReader,
    NotCompressed,
    OverLimit,
    TooManyFrames,
    gzip_reader,
    inflate_frames,
    lz4_reader,
    zlib_reader,
    zstd_reader,
)
from agentvigil.storage.sql.errors import BAD_REQUEST_PARAMETER, CANNOT_DECOMPRESS, QUERY_IS_TOO_LARGE, QueryRefused


class Encoder(Protocol):
    """Compresses one answer, piece by piece."""

    def encode(self, data: bytes) -> bytes:
        """Return what is ready after ``data``; may be nothing."""
        ...

    def finish(self) -> bytes:
        """Return the rest; nothing may follow."""
        ...


class Identity:
    """Leaves an answer as it is."""

    def encode(self, data: bytes) -> bytes:
        """Return ``data``."""
        return data

    def finish(self) -> bytes:
        """There is no tail."""
        return b""


class _Zlib:
    def __init__(self, wbits: int) -> None:
        self._compressor = zlib.compressobj(level=3, wbits=wbits)

    def encode(self, data: bytes) -> bytes:
        return self._compressor.compress(data)

    def finish(self) -> bytes:
        return self._compressor.flush()


class _Lz4:
    def __init__(self) -> None:
        self._compressor = lz4.frame.LZ4FrameCompressor(auto_flush=True)
        self._begun = False

    def encode(self, data: bytes) -> bytes:
        head = b"" if self._begun else bytes(self._compressor.begin())
        self._begun = True
        return head + bytes(self._compressor.compress(data))

    def finish(self) -> bytes:
        return self.encode(b"") + bytes(self._compressor.flush())


class _Zstd:
    def __init__(self) -> None:
        self._compressor = zstd.ZstdCompressor(level=1)

    def encode(self, data: bytes) -> bytes:
        return self._compressor.compress(data)

    def finish(self) -> bytes:
        return self._compressor.flush()


_GZIP_WBITS: Final = 31  # a gzip header and trailer
ENCODERS: Final[dict[str, Callable[[], Encoder]]] = {
    "lz4": _Lz4,
    "zstd": _Zstd,
    "gzip": lambda: _Zlib(_GZIP_WBITS),
    "deflate": lambda: _Zlib(zlib.MAX_WBITS),
}
"""Codings an answer may get, the cheapest for both sides first."""

WINDOW_LOG_MAX: Final = 23
"""Of a Zstandard frame we inflate: 8 MiB, what its specification asks of every decoder (RFC 8878, 3.1.1.1.2)."""

_READERS: Final[dict[str, Callable[[], FrameReader]]] = {
    "gzip": gzip_reader,
    "x-gzip": gzip_reader,
    "deflate": zlib_reader,
    "lz4": lz4_reader,
    "zstd": partial(zstd_reader, WINDOW_LOG_MAX),
}
"""Codings a request may have."""


def accepted_coding(accept_encoding: str) -> str | None:
    """Choose from an ``Accept-Encoding`` header; None to leave the answer as it is."""
    weights: dict[str, float] = {}
    for offer in accept_encoding.lower().replace(" ", "").split(","):
        name, _, parameter = offer.partition(";")
        try:
            weights[name] = float(parameter.removeprefix("q=")) if parameter else 1.0
        except ValueError:
            weights[name] = 0.0
    # A star means gzip, which everything that sends one can read; it does not reach for lz4.
    weights.setdefault("gzip", weights.get("*", 0.0))
    best = max(ENCODERS, key=lambda name: weights.get(name, 0.0))  # of equal ones the first
    return best if weights.get(best, 0.0) > 0 else None


def inflate(coding: str, body: bytes, limit: int) -> bytes:
    """Undo one ``Content-Encoding``.

    Raises:
        QueryRefused: code 229 once there are more than ``limit`` bytes, 271 for a body that is not in that coding or
            has something behind its end, 36 for a coding that is not known.
    """
    if coding not in _READERS:
        raise QueryRefused(
            BAD_REQUEST_PARAMETER,
            f"Content-Encoding {coding[:40]!r} is not taken; "
            "use gzip, deflate, lz4 or zstd, or send the query as it is",
        )
    try:
        return inflate_frames(body, _READERS[coding], limit, most_frames=1)
    except OverLimit as exc:
        raise QueryRefused(
            QUERY_IS_TOO_LARGE, f"The query inflates to more than {limit} bytes; make it shorter"
        ) from exc
    except NotCompressed as exc:
        raise QueryRefused(CANNOT_DECOMPRESS, f"The body is not {coding}, as its Content-Encoding says") from exc
    except (CutOff, TooManyFrames) as exc:
        raise QueryRefused(CANNOT_DECOMPRESS, f"The body is not one whole {coding} stream") from exc
