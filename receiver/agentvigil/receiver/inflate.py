"""Decompression that stops at a limit, so that a small body can not become a large one in memory."""

import zlib
from typing import Final

from agentvigil.receiver.errors import BadRequest, TooLarge

_GZIP_WINDOW: Final = 31  # zlib's number for "gzip, largest window"


def gunzip(data: bytes, max_bytes: int) -> bytes:
    """Return the content of the gzip file ``data``, which may have several members.

    Raises:
        TooLarge: as soon as the content is over ``max_bytes``; the rest is not inflated.
        BadRequest: if ``data`` is no gzip file, is cut off or has bytes after its end.
    """
    parts: list[bytes] = []
    room = max_bytes
    while data:
        member = zlib.decompressobj(_GZIP_WINDOW)
        try:
            part = member.decompress(data, room + 1)
        except zlib.error as exc:
            raise BadRequest(f"the body is not gzip although Content-Encoding says so ({exc}); send it as it is or compress it") from exc
        if len(part) > room:
            raise TooLarge(f"the body is over {max_bytes} bytes after decompression; send smaller batches")
        if not member.eof:
            raise BadRequest("the gzip body ends too early; it was cut off on its way or by its sender")
        parts.append(part)
        room -= len(part)
        data = member.unused_data
    return b"".join(parts)
