"""Arrays and texts as bytes, which say what they are: NumPy's format, without pickles."""

import io
import json
import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from agentvigil.analysis.detection.errors import ForeignState

_HEADER: Final = "header"
# What zipfile, zlib, NumPy and JSON raise on bytes that somebody else wrote, or cut.
_UNREADABLE: Final = (
    OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, NotImplementedError, RuntimeError, MemoryError,
    OverflowError, SyntaxError, tokenize.TokenError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


def to_bytes(
    kind: str, version: int, texts: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], *, packed: bool = True
) -> bytes:
    """Write arrays, and texts that JSON can hold. Arrays of noise become no smaller by packing, and it takes time."""
    header = json.dumps({"kind": kind, "version": version, "texts": texts}).encode()
    out = io.BytesIO()
    save = np.savez_compressed if packed else np.savez
    save(out, allow_pickle=False, **{_HEADER: np.frombuffer(header, dtype=np.uint8)}, **arrays)
    return out.getvalue()


def from_bytes(kind: str, version: int, data: bytes) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Read what :func:`to_bytes` wrote.

    Raises:
        ForeignState: if they are other bytes, cut short, of another kind, or of another version.
    """
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        header = json.loads(arrays.pop(_HEADER).tobytes())
        found, found_version, texts = header["kind"], header["version"], header["texts"]
    except _UNREADABLE as exc:
        raise ForeignState(f"{len(data):,} bytes are no {kind}; throw them away and start anew: {exc}") from exc
    if found != kind:
        raise ForeignState(f"the bytes hold a {str(found)[:50]!r}, not a {kind}")
    if found_version != version:
        raise ForeignState(
            f"the {kind} is of version {found_version}, which this agentvigil does not read: "
            f"it is to be made anew, as version {version}"
        )
    return texts, arrays
