"""Columns of ClickHouse's Native format as arrays of numpy, texts as codes: no Python object for any row.

An answer is a series of blocks. A block is the number of its columns and of its rows, then each column: its name, its
type, its data. Numbers lie there as in memory. LowCardinality(String) has, after two numbers that say how it is
written, the block's own dictionary and then for each row its place in that, so a text is looked at once a block.
https://clickhouse.com/docs/interfaces/formats/Native and SerializationLowCardinality.cpp beside it.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from agentvigil.analysis.features.cells import Words

_NUMBERS: Final[Mapping[str, str]] = {
    "UInt8": "<u1",
    "UInt16": "<u2",
    "UInt32": "<u4",
    "UInt64": "<u8",
    "Int16": "<i2",
    "Int32": "<i4",
    "Int64": "<i8",
    "Float64": "<f8",
}
_TEXTS: Final = "LowCardinality(String)"
_PLACES: Final = ("<u1", "<u2", "<u4", "<u8")
_KEYS_FOLLOW: Final = 1 << 9
"""The flag of a column that brings its dictionary with it, as every one in this format does."""
_SHARED_DICTIONARY: Final = 1 << 8


def read_columns(data: bytes, words: Words) -> dict[str, NDArray[Any]]:
    """Return the columns of an answer in the format Native by their names, none of an answer without rows.

    Texts are codes of ``words``, which learns those it does not know.

    Raises:
        ValueError: if a column is of a type that is not read here.
    """
    blocks = list(_blocks(data, words))
    if not blocks:
        return {}
    # The parts of a column go when it is whole, so that no more than one is there twice.
    return {name: np.concatenate([block.pop(name) for block in blocks]) for name in list(blocks[0])}


def _blocks(data: bytes, words: Words) -> Iterator[dict[str, NDArray[Any]]]:
    reader = _Reader(data)
    while not reader.is_at_end:
        columns, rows = reader.number(), reader.number()
        block: dict[str, NDArray[Any]] = {}
        for _ in range(columns):
            name, kind = reader.text(), reader.text()
            if kind in _NUMBERS:
                block[name] = reader.array(_NUMBERS[kind], rows)
            elif kind == _TEXTS:
                block[name] = _codes(reader, rows, words)
            else:
                raise ValueError(f"column {name} is {kind}; ask for one of {', '.join((*_NUMBERS, _TEXTS))}")
        if rows:
            yield block


def _codes(reader: "_Reader", rows: int, words: Words) -> NDArray[Any]:
    if not rows:
        return np.empty(0, np.int32)
    reader.array("<u8", 1)  # the version of this way of writing
    how = int(reader.array("<u8", 1)[0])
    if how & _SHARED_DICTIONARY or not how & _KEYS_FOLLOW:
        raise ValueError(f"a column of texts is written in another way than is read here: {how:#x}")
    keys = reader.texts(int(reader.array("<u8", 1)[0]))
    places = reader.array(_PLACES[how & 0xFF], int(reader.array("<u8", 1)[0]))
    codes = np.fromiter((words.code(key) for key in keys), np.int32, len(keys))
    return codes.take(places)


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    @property
    def is_at_end(self) -> bool:
        return self._at >= len(self._data)

    def number(self) -> int:
        """Return a number of variable length: seven bits a byte, the lowest first."""
        value = shift = 0
        while True:
            byte = self._data[self._at]
            self._at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    def text(self) -> str:
        length = self.number()
        self._at += length
        # A label may be any bytes: what is no UTF-8 is the same text each time it comes.
        return self._data[self._at - length : self._at].decode("utf-8", "surrogateescape")

    def texts(self, count: int) -> Sequence[str]:
        return [self.text() for _ in range(count)]

    def array(self, kind: str, count: int) -> NDArray[Any]:
        found = np.frombuffer(self._data, kind, count, self._at)
        self._at += found.nbytes
        return found
