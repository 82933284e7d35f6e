"""A small body must not become a large one in memory."""

import gzip
import time
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentvigil.receiver.errors import BadRequest, TooLarge
from agentvigil.receiver.inflate import gunzip

MIB = 2**20


@given(st.lists(st.binary(max_size=200), max_size=5))
def test_members_are_read_as_one(parts: list[bytes]) -> None:
    """RFC 1952 lets a file have several members, and some compressors write them."""
    whole = b"".join(parts)

    assert gunzip(b"".join(map(gzip.compress, parts)), len(whole)) == whole


def test_the_limit_is_the_largest_that_passes() -> None:
    """A batch that the sender was told is small enough has to get through."""
    data = gzip.compress(bytes(1000)) + gzip.compress(bytes(24))

    assert gunzip(data, 1024) == bytes(1024)
    with pytest.raises(TooLarge, match="over 1023 bytes"):
        gunzip(data, 1023)


def test_a_bomb_is_cut_off_while_it_inflates() -> None:
    """200 MiB from 200 KiB would end the process, not the request."""
    compressor = zlib.compressobj(wbits=31)
    bomb = b"".join(compressor.compress(bytes(MIB)) for _ in range(200)) + compressor.flush()
    assert len(bomb) < MIB / 2

    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            gunzip(bomb, MIB)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 4 * MIB


def test_a_bomb_of_many_members_is_cut_off() -> None:
    """The limit is for all members together."""
    with pytest.raises(TooLarge):
        gunzip(gzip.compress(bytes(MIB // 2)) * 3, MIB)


def test_a_swarm_of_empty_members_is_refused_at_once() -> None:
    """Each member costs a copy of what follows it: 16 MiB of them would stop the receiver for minutes."""
    swarm = gzip.compress(b"") * (16 * MIB // 20)
    started = time.process_time()

    with pytest.raises(BadRequest, match="members"):
        gunzip(swarm, MIB)

    assert time.process_time() - started < 10


@pytest.mark.parametrize("cut", [1, 4, 8, 15, 25])
def test_a_truncated_body_is_refused(cut: int) -> None:
    """Its checksum is missing, so nobody knows that what did arrive is right."""
    with pytest.raises(BadRequest, match="ends too early"):
        gunzip(gzip.compress(b"some spans, and some more spans")[:-cut], MIB)


@pytest.mark.parametrize(
    "data",
    [
        b"not gzip",
        b"\0",
        zlib.compress(b"zlib, not gzip"),
        gzip.compress(b"a") + b"garbage",
        gzip.compress(b"a") + b"\0",
        gzip.compress(b"a" * 50)[:-8] + bytes(8),
    ],
    ids=["text", "one byte", "zlib", "garbage behind it", "padding behind it", "wrong checksum"],
)
def test_what_is_no_gzip_is_refused(data: bytes) -> None:
    """Permanently: the same bytes will not become gzip."""
    with pytest.raises(BadRequest):
        gunzip(data, MIB)


def test_an_empty_body_is_an_empty_request() -> None:
    """Some exporters set the header and have nothing to compress."""
    assert gunzip(b"", MIB) == b""
    assert gunzip(gzip.compress(b""), 0) == b""


@given(st.binary(max_size=200), st.integers(0, 100))
def test_any_bytes_inflate_or_are_refused(data: bytes, limit: int) -> None:
    """Nothing else may come out, and never more than the limit."""
    for body in (data, b"\x1f\x8b\x08\x00" + data):
        try:
            content = gunzip(body, limit)
        except (BadRequest, TooLarge):
            continue
        assert len(content) <= limit
