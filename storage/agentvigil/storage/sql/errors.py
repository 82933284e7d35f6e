"""What a client is told when a query fails, in ClickHouse's own words and numbers.

Clients decide by the code (retry, log in again, show to the user), so ours are taken from ClickHouse's
``ErrorCodes.cpp`` and mean there what they mean here.
"""

import re
from typing import Final

SYNTAX_ERROR: Final = 62
UNKNOWN_TABLE: Final = 60
CANNOT_PARSE_NUMBER: Final = 72
UNKNOWN_FORMAT: Final = 73
UNKNOWN_DATABASE: Final = 81
QUERY_IS_TOO_LARGE: Final = 229
TIMEOUT_EXCEEDED: Final = 159
READONLY: Final = 164
TOO_MANY_SIMULTANEOUS_QUERIES: Final = 202
QUERY_WAS_CANCELLED: Final = 394
TOO_MANY_ROWS_OR_BYTES: Final = 396
SETTING_CONSTRAINT_VIOLATION: Final = 452
BAD_QUERY_PARAMETER: Final = 457
ACCESS_DENIED: Final = 497
AUTHENTICATION_FAILED: Final = 516
UNKNOWN_FUNCTION: Final = 46
CHECKSUM_DOESNT_MATCH: Final = 40
CANNOT_DECOMPRESS: Final = 271
BAD_REQUEST_PARAMETER: Final = 36
UNKNOWN_EXCEPTION: Final = 1002

NAMES: Final = {
    BAD_REQUEST_PARAMETER: "BAD_ARGUMENTS",
    CHECKSUM_DOESNT_MATCH: "CHECKSUM_DOESNT_MATCH",
    CANNOT_DECOMPRESS: "CANNOT_DECOMPRESS",
    UNKNOWN_FUNCTION: "UNKNOWN_FUNCTION",
    UNKNOWN_TABLE: "UNKNOWN_TABLE",
    SYNTAX_ERROR: "SYNTAX_ERROR",
    CANNOT_PARSE_NUMBER: "CANNOT_PARSE_NUMBER",
    UNKNOWN_FORMAT: "UNKNOWN_FORMAT",
    UNKNOWN_DATABASE: "UNKNOWN_DATABASE",
    TIMEOUT_EXCEEDED: "TIMEOUT_EXCEEDED",
    READONLY: "READONLY",
    TOO_MANY_SIMULTANEOUS_QUERIES: "TOO_MANY_SIMULTANEOUS_QUERIES",
    QUERY_IS_TOO_LARGE: "QUERY_IS_TOO_LARGE",
    QUERY_WAS_CANCELLED: "QUERY_WAS_CANCELLED",
    TOO_MANY_ROWS_OR_BYTES: "TOO_MANY_ROWS_OR_BYTES",
    SETTING_CONSTRAINT_VIOLATION: "SETTING_CONSTRAINT_VIOLATION",
    BAD_QUERY_PARAMETER: "BAD_QUERY_PARAMETER",
    ACCESS_DENIED: "ACCESS_DENIED",
    AUTHENTICATION_FAILED: "AUTHENTICATION_FAILED",
    UNKNOWN_EXCEPTION: "UNKNOWN_EXCEPTION",
}
"""Every code of our own, with ClickHouse's name for it."""


class SqlError(Exception):
    """A query did not run to its end. ``str()`` is the line a ClickHouse server would answer."""

    def __init__(self, code: int, name: str, message: str) -> None:
        super().__init__(f"Code: {code}. DB::Exception: {message.rstrip('. ')}. ({name})")
        self.code = code
        self.name = name
        self.message = message


class QueryRefused(SqlError):
    """We did not run the query: it asks for something this interface does not give."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(code, NAMES[code], message)


class GatewayBusy(QueryRefused):
    """Every slot stayed taken for the whole wait; the same query may pass a moment later."""

    def __init__(self, slots: int, waited_s: float) -> None:
        super().__init__(
            TOO_MANY_SIMULTANEOUS_QUERIES,
            f"Too many simultaneous queries: all {slots} slots stayed busy for {waited_s:g} s; try again",
        )


class EngineError(SqlError):
    """The engine refused or broke off the query; code, name and text are its own."""

    @classmethod
    def from_text(cls, text: str) -> "EngineError":
        """Read ``Code: N. DB::Exception: … (NAME)``; nested exceptions (chDB repeats itself) give the innermost.

        Text of another shape becomes code 1002, as ClickHouse does with exceptions that carry no code.
        """
        text = _VERSION.sub("", text).strip()
        start = _CODE.match(text)
        if start is None:
            return cls(UNKNOWN_EXCEPTION, NAMES[UNKNOWN_EXCEPTION], text or "the engine gave no reason")
        code = int(start[1])
        while (inner := _CODE.match(text)) is not None:
            code, text = int(inner[1]), text[inner.end() :]
        names = _NAME.findall(text)
        text = _NAMES_AT_END.sub("", text)
        return cls(code, names[-1] if names else NAMES.get(code, "UNKNOWN_EXCEPTION"), text)


_VERSION: Final = re.compile(r"\s*\(version [^()]*(?:\([^()]*\))?[^()]*\)")
_CODE: Final = re.compile(r"\s*Code: (\d+)\. DB::(?:Exception|NetException|ErrnoException|ParsingException): ")
_NAME: Final = re.compile(r"\(([A-Z][A-Z0-9_]{2,})\)\.?(?=\s*(?:\(|$|\.))")
_NAMES_AT_END: Final = re.compile(r"(?:\.?\s*\([A-Z][A-Z0-9_]{2,}\)\.?)+\s*$")
