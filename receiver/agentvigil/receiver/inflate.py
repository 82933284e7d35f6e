"""Decompression that stops at a limit, so that a small body can not become a large one in memory."""

import zlib
from typing import Final

from agentvigil.receiver.errors import BadRequest, TooLarge

_GZIP_WINDOW: Final = 31  # zlib's number for "gzip, largest window"
_MAX_MEMBERS: Final = 256
"""zlib copies what follows a member, so 16 MiB of empty ones would keep us busy for minutes; exporters write one."""


def gunzip(data: bytes, max_bytes: int) -> bytes:
    """Return the content of the gzip file ``data``, which may have several members.

    Raises:
        TooLarge: as soon as the content is over ``max_bytes``; the rest is not inflated.
        BadRequest: if ``data`` is no gzip file, is cut off, has bytes after its end or too many members.
    """
    parts: list[bytes] = []
    room = max_bytes
    while data:
        if len(parts) == _MAX_MEMBERS:
            raise BadRequest(f"the gzip body has over {_MAX_MEMBERS} members; compress it as one")
        member = zlib.decompressobj(_GZIP_WINDOW)
        try:
            part = member.decompress(data, room + 1)
        except zlib.error as exc:
            raise BadRequest(
                f"the body is not gzip although Content-Encoding says so ({exc}); send it as it is or compress it"
            ) from exc
        if len(part) > room:
            raise TooLarge(f"the body is over {max_bytes} bytes after decompression; send smaller batches")
        if not member.eof:
            raise BadRequest("the gzip body ends too early; it was cut off on its way or by its sender")
        parts.append(part)
        room -= len(part)
        data = member.unused_data
    return b"".join(parts)
