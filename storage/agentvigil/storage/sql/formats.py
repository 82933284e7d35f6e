"""Output formats a query may ask for, with their content types, and the one empty result chDB does not write itself.

Left out of the engine's formats: those that need a schema or template file (Protobuf, Template, AvroConfluent), the
wire protocols of other databases, and pictures.
"""

from collections.abc import Iterable
from typing import Final

from agentvigil.storage.sql.errors import UNKNOWN_FORMAT, QueryRefused
from agentvigil.storage.varint import varint

_TEXT: Final = "text/plain; charset=UTF-8"
_TSV: Final = "text/tab-separated-values; charset=UTF-8"
_CSV: Final = "text/csv; charset=UTF-8"
_JSON: Final = "application/json; charset=UTF-8"
_NDJSON: Final = "application/x-ndjson; charset=UTF-8"
_BINARY: Final = "application/octet-stream"


def _each(content_type: str, names: str) -> dict[str, str]:
    return dict.fromkeys(names.split(), content_type)


CONTENT_TYPES: Final[dict[str, str]] = {
    **_each(_TSV, "TabSeparated TabSeparatedWithNames TabSeparatedWithNamesAndTypes TabSeparatedRaw"),
    **_each(_TSV, "TabSeparatedRawWithNames TabSeparatedRawWithNamesAndTypes TSKV"),
    **_each(_TSV, "TSV TSVWithNames TSVWithNamesAndTypes TSVRaw TSVRawWithNames TSVRawWithNamesAndTypes"),
    **_each(_TSV, "Raw RawWithNames RawWithNamesAndTypes"),
    **_each(_CSV, "CSV CSVWithNames CSVWithNamesAndTypes"),
    **_each(_JSON, "JSON JSONStrings JSONColumns JSONColumnsWithMetadata JSONCompact JSONCompactColumns"),
    **_each(_JSON, "JSONCompactStrings JSONObjectEachRow GeoJSON"),
    **_each(_NDJSON, "JSONEachRow JSONLines JSONL NDJSON JSONStringsEachRow JSONCompactEachRow"),
    **_each(_NDJSON, "JSONCompactEachRowWithNames JSONCompactEachRowWithNamesAndTypes JSONCompactStringsEachRow"),
    **_each(_NDJSON, "JSONCompactStringsEachRowWithNames JSONCompactStringsEachRowWithNamesAndTypes"),
    **_each(_NDJSON, "PrettyJSONEachRow PrettyJSONLines PrettyNDJSON"),
    **_each(_TEXT, "Pretty PrettyMonoBlock PrettyNoEscapes PrettyNoEscapesMonoBlock PrettyCompact"),
    **_each(_TEXT, "PrettyCompactMonoBlock PrettyCompactNoEscapes PrettyCompactNoEscapesMonoBlock PrettySpace"),
    **_each(_TEXT, "PrettySpaceMonoBlock PrettySpaceNoEscapes PrettySpaceNoEscapesMonoBlock Vertical Values Null"),
    **_each(_TEXT, "LineAsString SQLInsert Hash"),
    **_each("text/markdown; charset=UTF-8", "Markdown MD"),
    **_each("application/xml; charset=UTF-8", "XML"),
    **_each(_BINARY, "Native RowBinary RowBinaryWithNames RowBinaryWithNamesAndTypes RawBLOB MsgPack BSONEachRow"),
    **_each(_BINARY, "Parquet ORC Arrow ArrowStream Avro Npy Buffers"),
}
"""Every allowed format and the Content-Type of its answers."""

_BY_LOWER_CASE: Final = {name.lower(): name for name in CONTENT_TYPES}


def format_named(name: str) -> str:
    """Return the engine's spelling of an output format; case does not matter.

    Raises:
        QueryRefused: code 73 for a format that does not exist or is not given out here.
    """
    found = _BY_LOWER_CASE.get(name.lower())
    if found is None:
        raise QueryRefused(UNKNOWN_FORMAT, f"Unknown format {name[:80]}: use one of {', '.join(sorted(CONTENT_TYPES))}")
    return found


def empty_native_block(columns: Iterable[tuple[str, str]]) -> bytes:
    """Write a Native block of no rows (revision 0): names and types of the columns, nothing else.

    chDB writes no bytes at all for an empty result in Native, so a client would not learn what the columns are.
    """
    columns = list(columns)
    block = bytearray(varint(len(columns)) + varint(0))
    for name, type_name in columns:
        block += native_string(name) + native_string(type_name)
    return bytes(block)


def native_string(text: str) -> bytes:
    """Write a string as Native does: its length in bytes, then the bytes."""
    data = text.encode()
    return varint(len(data)) + data
