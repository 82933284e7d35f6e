"""Bodies come and go compressed, and none inflates past its limit."""

import gzip
import os
import zlib
from collections.abc import Callable

import lz4.frame  # type: ignore[import-untyped]
import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from agentvigil.storage.sql.encodings import ENCODERS, accepted_coding, inflate
from agentvigil.storage.sql.errors import QueryRefused
from agentvigil.storage.sql.native_blocks import BlockEncoder, decode_blocks

QUERY = "SELECT 'ü' AS a".encode()
COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "lz4": lz4.frame.compress,
    "zstd": zstd.compress,
}
SELECT_1 = bytes.fromhex("818fd1b622dd361a0f77f72bf479bcea8212000000080000008053454c4543542031")
"""``SELECT 1`` as one LZ4 block, in the framing that clickhouse-go accepted from us."""


@pytest.mark.parametrize(
    ("header", "coding"),
    [
        ("lz4,zstd,gzip,deflate", "lz4"),
        ("gzip, deflate, br", "gzip"),
        ("zstd;q=0.9, gzip;q=1.0", "gzip"),
        ("gzip;q=0, deflate", "deflate"),
        ("*", "gzip"),
        ("br", None),
        ("identity", None),
        ("", None),
        ("gzip;q=0", None),
        ("gzip;q=nonsense", None),
        ("*;q=0", None),
    ],
)
def test_the_cheapest_coding_that_the_client_likes_best_is_taken(header: str, coding: str | None) -> None:
    assert accepted_coding(header) == coding


@pytest.mark.parametrize("coding", ENCODERS)
def test_what_an_encoder_writes_in_pieces_is_one_stream(coding: str) -> None:
    encoder = ENCODERS[coding]()
    pieces = [b"a" * 1000, b"", os.urandom(200_000), b"z"]

    packed = b"".join([encoder.encode(piece) for piece in pieces] + [encoder.finish()])

    assert inflate(coding, packed, 10**6) == b"".join(pieces)


@pytest.mark.parametrize("coding", COMPRESS)
def test_a_bomb_is_cut_off(coding: str) -> None:
    bomb = COMPRESS[coding](bytes(50_000_000))

    assert inflate(coding, COMPRESS[coding](QUERY), len(QUERY)) == QUERY
    with pytest.raises(QueryRefused) as refusal:
        inflate(coding, bomb, 100_000)
    assert refusal.value.code == 229


@pytest.mark.parametrize("coding", COMPRESS)
def test_half_a_stream_two_streams_and_no_stream_are_refused(coding: str) -> None:
    packed = COMPRESS[coding](QUERY)

    for body in (packed[:-3], packed + packed, packed + b"; DROP TABLE spans", b"SELECT 1", packed[:1]):
        with pytest.raises(QueryRefused) as refusal:
            inflate(coding, body, 1000)
        assert refusal.value.code == 271


@pytest.mark.parametrize("coding", ["br", "compress", "gzip, gzip", "identity, gzip", "snappy", "x" * 1000])
def test_other_codings_are_refused(coding: str) -> None:
    with pytest.raises(QueryRefused) as refusal:
        inflate(coding, QUERY, 1000)
    assert refusal.value.code == 36


def test_a_frame_that_needs_much_memory_is_refused() -> None:
    def streamed(window_log: int) -> bytes:
        compressor = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: window_log})
        return compressor.compress(QUERY) + compressor.flush()

    assert inflate("zstd", streamed(23), 1000) == QUERY
    with pytest.raises(QueryRefused) as refusal:
        inflate("zstd", streamed(24), 1000)
    assert refusal.value.code == 271


def test_a_block_is_what_clickhouse_writes() -> None:
    assert BlockEncoder().encode(b"SELECT 1") == SELECT_1
    assert decode_blocks(SELECT_1, 8) == b"SELECT 1"


@given(st.binary(max_size=5000))
def test_blocks_come_back_as_they_were(data: bytes) -> None:
    assert decode_blocks(BlockEncoder().encode(data), 5000) == data


@given(st.binary(max_size=200))
def test_any_bytes_are_blocks_or_a_named_error(data: bytes) -> None:
    try:
        decode_blocks(data, 1000)
    except QueryRefused as refusal:
        assert refusal.code in (40, 229, 271)
    else:
        assert not data


def test_a_long_answer_is_cut_into_blocks() -> None:
    data = os.urandom(2_500_000)

    assert decode_blocks(BlockEncoder().encode(data), 2_500_000) == data


def test_a_changed_block_a_bomb_and_an_unknown_method_are_refused() -> None:
    changed = SELECT_1[:-1] + b"2"
    bomb = BlockEncoder().encode(bytes(10_000_000))
    unknown = SELECT_1[:16] + b"\x91" + SELECT_1[17:]

    for body, codes in (
        (changed, {40}),
        (bomb, {229}),
        (unknown, {40}),
        (SELECT_1[:20], {271}),
        (SELECT_1 + b"x", {271}),
        (SELECT_1[:21] + b"\xff\xff\xff\xff" + SELECT_1[25:], {229}),
        (SELECT_1[:17] + b"\x00\x00\x00\x00" + SELECT_1[21:], {271}),
    ):
        with pytest.raises(QueryRefused) as refusal:
            decode_blocks(body, 100_000)
        assert refusal.value.code in codes
