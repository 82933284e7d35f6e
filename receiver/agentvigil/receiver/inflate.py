"""Inflates the bodies of requests within :mod:`agentvigil.storage.inflating`'s limits, and tells senders what is wrong
with one."""

from collections.abc import Callable
from functools import partial
from typing import Final

from agentvigil.receiver.errors import BadRequest, TooLarge
from agentvigil.storage.inflating import (
    CutOff,
    FrameReader,
    NotCompressed,
    OverLimit,
    TooManyFrames,
    gzip_reader,
    inflate_frames,
    raw_deflate_reader,
    zlib_reader,
    zstd_reader,
)

ENCODINGS: Final = ("gzip", "deflate", "zstd")
"""The values of Content-Encoding that :func:`inflate` reads, the usual one first."""

_DEFLATE_METHOD: Final = 8
"""In the low bits of a zlib header. A raw stream would have to start with an uncompressed block that is not the last
one and has bits set in its padding, which compressors leave at zero."""
_MOST_FRAMES: Final = 256
"""zlib copies what follows a frame, so 16 MiB of empty ones would keep us busy for minutes; exporters write one."""

_WINDOW_LOG_MAX: Final = 25
"""A zstd frame may ask for a window of 32 MiB. https://www.rfc-editor.org/rfc/rfc9659 has senders keep to 8, but the Go
compressor, which is the Collector's, goes to 32 at its best level. The window is only reserved: content fills it."""


def inflate(data: bytes, encoding: str, max_bytes: int) -> bytes:
    """Return the content of ``data``, which is compressed as ``encoding``, one of :data:`ENCODINGS`.

    No data is no content. ``gzip`` and ``zstd`` may have several members or frames. ``deflate`` is zlib's format
    (https://www.rfc-editor.org/rfc/rfc9110#section-8.4.1.2), or the raw stream that some senders take it for.

    Raises:
        TooLarge: as soon as the content is over ``max_bytes``; the rest is not inflated.
        BadRequest: if ``data`` is not so compressed, is cut off, has bytes after its end or too many frames, or needs a
            dictionary or a window over 32 MiB.
    """
    new_reader, most_frames = _reading(data, encoding)
    if not data:
        return b""
    try:
        return inflate_frames(data, new_reader, max_bytes, most_frames)
    except OverLimit as exc:
        raise TooLarge(f"the body is over {max_bytes} bytes after decompression; send smaller batches") from exc
    except NotCompressed as exc:
        raise BadRequest(
            f"the body is not {encoding} although Content-Encoding says so ({exc}); send it as it is or compress it"
        ) from exc
    except CutOff as exc:
        raise BadRequest(f"the {encoding} body ends too early; it was cut off on its way or by its sender") from exc
    except TooManyFrames as exc:
        if most_frames == 1:
            raise BadRequest(
                f"the {encoding} body has {exc.rest_bytes} bytes after its end; send what was compressed only"
            ) from exc
        raise BadRequest(f"the {encoding} body has over {most_frames} members; compress it as one") from exc


def _reading(data: bytes, encoding: str) -> tuple[Callable[[], FrameReader], int]:
    """Return what reads a frame of ``data``, and how many frames there may be."""
    match encoding:
        case "gzip":
            return gzip_reader, _MOST_FRAMES
        case "deflate":
            return zlib_reader if data[:1] and data[0] & 0x0F == _DEFLATE_METHOD else raw_deflate_reader, 1
        case "zstd":
            return partial(zstd_reader, _WINDOW_LOG_MAX), _MOST_FRAMES
        case _:
            raise ValueError(f"encoding {encoding} is none of {', '.join(ENCODINGS)}")
