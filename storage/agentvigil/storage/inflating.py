"""Decompression that stops at a limit, so that a small body can not become a large one in memory.

What is compressed is a row of frames: gzip's members, the frames of zstd and LZ4, deflate's one stream. A frame is
inflated into what room is left and one byte more, never into what its header claims. Inflating is bounded in three
ways: by the content, by the window that a zstd frame may ask for, and by the number of frames.
"""

import zlib
from collections.abc import Callable
from typing import Final, Protocol, cast

import lz4.frame  # type: ignore[import-untyped]  # it has no types
from backports import zstd

_GZIP_WINDOW: Final = 31  # zlib's number for "gzip, largest window"
_RAW_WINDOW: Final = -zlib.MAX_WBITS


class InflateError(Exception):
    """Root of what :func:`inflate_frames` raises."""


class OverLimit(InflateError):
    """The content is longer than allowed."""


class NotCompressed(InflateError):
    """A frame is not so compressed, or needs a dictionary or a larger window; the message is the library's."""


class CutOff(InflateError):
    """The data ends within a frame."""


class TooManyFrames(InflateError):
    """``rest_bytes`` follow the last frame that is allowed."""

    def __init__(self, rest_bytes: int) -> None:
        super().__init__(f"{rest_bytes} bytes follow the last frame that is allowed")
        self.rest_bytes = rest_bytes


class FrameReader(Protocol):
    """What zlib, zstd and LZ4 all make for one frame. The number is the most bytes of content to return."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes | None: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def gzip_reader() -> FrameReader:
    """Return a reader of one gzip member."""
    return zlib.decompressobj(_GZIP_WINDOW)


def zlib_reader() -> FrameReader:
    """Return a reader of one stream in zlib's format, which HTTP calls deflate."""
    return zlib.decompressobj()


def raw_deflate_reader() -> FrameReader:
    """Return a reader of one stream without zlib's header and checksum."""
    return zlib.decompressobj(_RAW_WINDOW)


def zstd_reader(window_log_max: int) -> FrameReader:
    """Return a reader of one zstd frame, which may ask for a window of ``2**window_log_max`` bytes."""
    return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: window_log_max})


def lz4_reader() -> FrameReader:
    """Return a reader of one LZ4 frame."""
    return cast("FrameReader", lz4.frame.LZ4FrameDecompressor())


def inflate_frames(data: bytes, new_reader: Callable[[], FrameReader], max_bytes: int, most_frames: int) -> bytes:
    """Return the content of the frames that ``data`` is made of, one to ``most_frames`` of them.

    Raises:
        OverLimit: as soon as the content is over ``max_bytes``; the rest is not inflated.
        NotCompressed: if a frame can not be read.
        CutOff: if the last frame has no end; no data is one.
        TooManyFrames: if anything follows the last frame that is allowed.
    """
    parts: list[bytes] = []
    room = max_bytes
    rest = data
    while rest or not parts:
        if len(parts) == most_frames:
            raise TooManyFrames(len(rest))
        reader = new_reader()
        try:
            part = reader.decompress(rest, room + 1)
        except (zlib.error, zstd.ZstdError, RuntimeError) as exc:  # LZ4 raises RuntimeError
            raise NotCompressed(str(exc)) from exc
        if len(part) > room:
            raise OverLimit(f"the content is over {max_bytes} bytes")
        if not reader.eof:
            raise CutOff("the data ends within a frame")
        parts.append(part)
        room -= len(part)
        rest = reader.unused_data or b""
    return b"".join(parts)
