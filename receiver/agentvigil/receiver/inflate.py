"""Decompression that stops at a limit, so that a small body can not become a large one in memory.

Every encoding is a row of frames: gzip's members, zstd's frames, deflate's one stream. A frame is inflated into what
room is left and one byte more, never into what its header claims. Inflating is bounded in three ways: by the content,
by the window that a zstd frame may ask for, and by the number of frames.
"""

import zlib
from collections.abc import Callable
from typing import Final, Protocol

from backports import zstd

from agentvigil.receiver.errors import BadRequest, TooLarge

ENCODINGS: Final = ("gzip", "deflate", "zstd")
"""The values of Content-Encoding that :func:`inflate` reads, the usual one first."""

_GZIP_WINDOW: Final = 31  # zlib's number for "gzip, largest window"
_ZLIB_WINDOW: Final = 15
_RAW_WINDOW: Final = -15
_DEFLATE_METHOD: Final = 8
"""In the low bits of a zlib header. A raw stream would have to start with an uncompressed block that is not the last
one and has bits set in its padding, which compressors leave at zero."""
_MOST_FRAMES: Final = 256
"""zlib copies what follows a frame, so 16 MiB of empty ones would keep us busy for minutes; exporters write one."""

_ZSTD_OPTIONS: Final[dict[int, int]] = {zstd.DecompressionParameter.window_log_max: 25}
"""A frame may ask for a window of 32 MiB. https://www.rfc-editor.org/rfc/rfc9659 has senders keep to 8, but the Go
compressor, which is the Collector's, goes to 32 at its best level. The window is only reserved: content fills it."""


class _FrameReader(Protocol):
    """What zlib and zstd both make for one frame. The number is the most bytes of content to return."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def inflate(data: bytes, encoding: str, max_bytes: int) -> bytes:
    """Return the content of ``data``, which is compressed as ``encoding``, one of :data:`ENCODINGS`.

    ``gzip`` and ``zstd`` may have several members or frames. ``deflate`` is zlib's format
    (https://www.rfc-editor.org/rfc/rfc9110#section-8.4.1.2), or the raw stream that some senders take it for.

    Raises:
        TooLarge: as soon as the content is over ``max_bytes``; the rest is not inflated.
        BadRequest: if ``data`` is not so compressed, is cut off, has bytes after its end or too many frames, or needs a
            dictionary or a window over 32 MiB.
    """
    match encoding:
        case "gzip":
            return _inflated(data, max_bytes, "gzip", lambda: zlib.decompressobj(_GZIP_WINDOW), _MOST_FRAMES)
        case "deflate":
            window = _ZLIB_WINDOW if data[:1] and data[0] & 0x0F == _DEFLATE_METHOD else _RAW_WINDOW
            return _inflated(data, max_bytes, "deflate", lambda: zlib.decompressobj(window), 1)
        case "zstd":
            return _inflated(
                data, max_bytes, "zstd", lambda: zstd.ZstdDecompressor(options=_ZSTD_OPTIONS), _MOST_FRAMES
            )
        case _:
            raise ValueError(f"encoding {encoding} is none of {', '.join(ENCODINGS)}")


def _inflated(
    data: bytes, max_bytes: int, encoding: str, frame_reader: Callable[[], _FrameReader], most_frames: int
) -> bytes:
    parts: list[bytes] = []
    room = max_bytes
    while data:
        if len(parts) == most_frames:
            if most_frames == 1:
                raise BadRequest(
                    f"the {encoding} body has {len(data)} bytes after its end; send what was compressed only"
                )
            raise BadRequest(f"the {encoding} body has over {most_frames} members; compress it as one")
        frame = frame_reader()
        try:
            part = frame.decompress(data, room + 1)
        except (zlib.error, zstd.ZstdError) as exc:
            raise BadRequest(
                f"the body is not {encoding} although Content-Encoding says so ({exc}); send it as it is or compress it"
            ) from exc
        if len(part) > room:
            raise TooLarge(f"the body is over {max_bytes} bytes after decompression; send smaller batches")
        if not frame.eof:
            raise BadRequest(f"the {encoding} body ends too early; it was cut off on its way or by its sender")
        parts.append(part)
        room -= len(part)
        data = frame.unused_data
    return b"".join(parts)
