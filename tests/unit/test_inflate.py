"""A small body must not become a large one in memory."""

import gzip
import resource
import struct
import sys
import time
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
from backports import zstd
from hypothesis import example, given
from hypothesis import strategies as st

from agentvigil.receiver.errors import BadRequest, TooLarge
from agentvigil.receiver.inflate import ENCODINGS, inflate

MIB = 2**20


def raw_deflate(data: bytes) -> bytes:
    """A stream without zlib's header and checksum."""
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(data) + compressor.flush()


def zstd_of_unknown_size(data: bytes, window_log: int = 20) -> bytes:
    """A frame as a streaming sender writes it: it names its window and checksum, not its content's size."""
    options = {
        zstd.CompressionParameter.window_log: window_log,
        zstd.CompressionParameter.content_size_flag: 0,
        zstd.CompressionParameter.checksum_flag: 1,
    }
    compressor = zstd.ZstdCompressor(options=options)
    return compressor.compress(data) + compressor.flush()


COMPRESSORS = [
    pytest.param("gzip", gzip.compress, id="gzip"),
    pytest.param("deflate", zlib.compress, id="deflate"),
    pytest.param("deflate", raw_deflate, id="raw deflate"),
    pytest.param("zstd", zstd.compress, id="zstd"),
    pytest.param("zstd", zstd_of_unknown_size, id="zstd of unknown size"),
]
SKIPPABLE = struct.pack("<II", 0x184D2A5F, 5) + b"hello"

each_compressor = pytest.mark.parametrize(("encoding", "compress"), COMPRESSORS)
each_encoding = pytest.mark.parametrize("encoding", ENCODINGS)


@each_compressor
@given(data=st.binary(max_size=2000))
@example(data=bytes(MIB))
def test_what_was_compressed_comes_back(encoding: str, compress: Callable[[bytes], bytes], data: bytes) -> None:
    """And a limit of exactly its size lets it through: a sender who was told that size may use it."""
    assert inflate(compress(data), encoding, len(data)) == data


@pytest.mark.parametrize("level", range(10))
@pytest.mark.parametrize("strategy", [zlib.Z_DEFAULT_STRATEGY, zlib.Z_FIXED, zlib.Z_HUFFMAN_ONLY])
@given(data=st.binary(max_size=200))
def test_no_raw_stream_is_taken_for_zlib(level: int, strategy: int, data: bytes) -> None:
    """The two differ in their first byte alone."""
    compressor = zlib.compressobj(level, wbits=-15, strategy=strategy)

    assert inflate(compressor.compress(data) + compressor.flush(), "deflate", 200) == data


@given(
    st.lists(st.binary(max_size=200), max_size=5), st.sampled_from([(gzip.compress, "gzip"), (zstd.compress, "zstd")])
)
def test_members_are_read_as_one(parts: list[bytes], how: tuple[Callable[[bytes], bytes], str]) -> None:
    """RFC 1952 and RFC 8878 let a body have several, and some compressors write them."""
    compress, encoding = how
    whole = b"".join(parts)

    assert inflate(b"".join(map(compress, parts)), encoding, len(whole)) == whole


def test_skippable_frames_are_skipped() -> None:
    """They carry a tool's own notes, such as pzstd's table of frames."""
    data = SKIPPABLE + zstd.compress(b"ab") + SKIPPABLE + zstd.compress(b"c") + SKIPPABLE

    assert inflate(data, "zstd", 3) == b"abc"
    assert inflate(SKIPPABLE, "zstd", 0) == b""


@each_compressor
def test_the_limit_is_the_largest_that_passes(encoding: str, compress: Callable[[bytes], bytes]) -> None:
    """A batch that the sender was told is small enough has to get through."""
    data = compress(bytes(1024))

    assert inflate(data, encoding, 1024) == bytes(1024)
    with pytest.raises(TooLarge, match="over 1023 bytes"):
        inflate(data, encoding, 1023)


@pytest.mark.parametrize(("compress", "encoding"), [(gzip.compress, "gzip"), (zstd.compress, "zstd")])
def test_the_limit_is_for_all_members_together(compress: Callable[[bytes], bytes], encoding: str) -> None:
    """Else a bomb would be made of many."""
    with pytest.raises(TooLarge):
        inflate(compress(bytes(MIB // 2)) * 3, encoding, MIB)


def bomb(encoding: str, mib: int) -> bytes:
    """That many MiB of zeros, made without having them in memory."""
    if encoding == "zstd":
        zstd_compressor = zstd.ZstdCompressor()
        return b"".join(zstd_compressor.compress(bytes(MIB)) for _ in range(mib)) + zstd_compressor.flush()
    compressor = zlib.compressobj(1, wbits=31 if encoding == "gzip" else 15)
    return b"".join(compressor.compress(bytes(MIB)) for _ in range(mib)) + compressor.flush()


@each_encoding
def test_a_bomb_is_cut_off_while_it_inflates(encoding: str) -> None:
    """A GiB from less than 5 MiB would end the process, not the request."""
    data = bomb(encoding, 1024)
    assert len(data) < 5 * MIB
    resident_before = peak_resident_bytes()

    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            inflate(data, encoding, MIB)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 8 * MIB
    assert peak_resident_bytes() - resident_before < 32 * MIB


def peak_resident_bytes() -> int:
    """What the compressors' own memory shows up in, which Python does not trace."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


@pytest.mark.parametrize("window_log", [25, 26, 27])
def test_a_window_bomb_is_refused(window_log: int) -> None:
    """A frame of a few bytes may ask for gigabytes to look back into."""
    data = zstd_of_unknown_size(b"some spans", window_log)

    if window_log <= 25:
        assert inflate(data, "zstd", 100) == b"some spans"
    else:
        with pytest.raises(BadRequest, match="too much memory"):
            inflate(data, "zstd", 100)


@pytest.mark.parametrize("claimed", [30 * MIB, 2**31, 2**63])
def test_a_claimed_size_is_not_believed(claimed: int) -> None:
    """Nothing is allocated by it; what is there decides."""
    one_segment = b"\x28\xb5\x2f\xfd\xe0" + struct.pack("<Q", claimed) + b"\x09\x00\x00a"

    tracemalloc.start()
    try:
        with pytest.raises(BadRequest):
            inflate(one_segment, "zstd", MIB)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 4 * MIB


def test_a_dictionary_is_refused() -> None:
    """We have none: whoever asks for one gets told."""
    samples = [b"%d spans of service %d, and as many logs" % (number * 7919, number) for number in range(500)]
    dictionary = zstd.train_dict(samples, 1024)
    zlib_compressor = zlib.compressobj(zdict=b"some spans")

    with pytest.raises(BadRequest, match="Dictionary"):
        inflate(zstd.compress(samples[3], zstd_dict=dictionary), "zstd", MIB)
    with pytest.raises(BadRequest, match="deflate"):
        inflate(zlib_compressor.compress(b"some spans") + zlib_compressor.flush(), "deflate", MIB)


@pytest.mark.parametrize(
    "empty", [gzip.compress(b""), zstd.compress(b""), SKIPPABLE], ids=["gzip", "zstd", "skippable"]
)
def test_a_swarm_of_empty_members_is_refused_at_once(empty: bytes) -> None:
    """Each member costs a copy of what follows it: 16 MiB of them would stop the receiver for minutes."""
    swarm = empty * (16 * MIB // len(empty))
    started = time.process_time()

    with pytest.raises(BadRequest, match="members"):
        inflate(swarm, "gzip" if empty.startswith(b"\x1f") else "zstd", MIB)

    assert time.process_time() - started < 10


@each_compressor
def test_a_body_cut_anywhere_is_refused(encoding: str, compress: Callable[[bytes], bytes]) -> None:
    """Nobody knows that what did arrive is right, or all there was."""
    whole = compress(b"some spans, and some more spans, and " * 5)

    for end in range(1, len(whole)):
        with pytest.raises(BadRequest, match="ends too early"):
            inflate(whole[:end], encoding, MIB)


@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        pytest.param("gzip", b"not gzip", id="gzip: text"),
        pytest.param("gzip", b"\0", id="gzip: one byte"),
        pytest.param("gzip", zlib.compress(b"zlib, not gzip"), id="gzip: zlib"),
        pytest.param("gzip", gzip.compress(b"a") + b"garbage", id="gzip: garbage behind it"),
        pytest.param("gzip", gzip.compress(b"a") + b"\0", id="gzip: padding behind it"),
        pytest.param("gzip", gzip.compress(b"a" * 50)[:-8] + bytes(8), id="gzip: wrong checksum"),
        pytest.param("deflate", b"not deflate", id="deflate: text"),
        pytest.param("deflate", gzip.compress(b"gzip, not zlib"), id="deflate: gzip"),
        pytest.param("deflate", zlib.compress(b"a") + b"\0", id="deflate: padding behind it"),
        pytest.param("deflate", zlib.compress(b"a") * 2, id="deflate: two streams"),
        pytest.param("deflate", raw_deflate(b"a") + b"\0", id="raw deflate: padding behind it"),
        pytest.param("deflate", zlib.compress(b"a")[:-1] + b"\0", id="deflate: wrong checksum"),
        pytest.param("zstd", b"not zstd", id="zstd: text"),
        pytest.param("zstd", zstd.compress(b"a") + b"garbage", id="zstd: garbage behind it"),
        pytest.param("zstd", zstd.compress(b"a") + b"\0", id="zstd: padding behind it"),
        pytest.param("zstd", zstd_of_unknown_size(b"a")[:-1] + b"\0", id="zstd: wrong checksum"),
        pytest.param("zstd", gzip.compress(b"gzip, not zstd"), id="zstd: gzip"),
    ],
)
def test_what_is_not_so_compressed_is_refused(encoding: str, data: bytes) -> None:
    """Permanently: the same bytes will not become it."""
    with pytest.raises(BadRequest, match=encoding):
        inflate(data, encoding, MIB)


@each_encoding
def test_an_empty_body_is_an_empty_request(encoding: str) -> None:
    """Some exporters set the header and have nothing to compress."""
    assert inflate(b"", encoding, MIB) == b""


@each_encoding
@given(data=st.binary(max_size=200), limit=st.integers(0, 100))
def test_any_bytes_inflate_or_are_refused(encoding: str, data: bytes, limit: int) -> None:
    """Nothing else may come out, and never more than the limit."""
    for header in (b"", b"\x1f\x8b\x08\x00", b"\x78\x9c", b"\x28\xb5\x2f\xfd"):
        try:
            content = inflate(header + data, encoding, limit)
        except (BadRequest, TooLarge):
            continue
        assert len(content) <= limit


def test_an_encoding_must_be_one_of_ours() -> None:
    """Which ones are is for the caller to tell the sender: that is another status."""
    with pytest.raises(ValueError, match="br"):
        inflate(b"", "br", 1)
