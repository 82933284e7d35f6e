"""Which HTTP status goes with which ClickHouse error code, as ClickHouse's own ``exceptionCodeToHTTPStatus`` says."""

from typing import Final

_BAD_REQUEST: Final = (*(6, 25, 26, 27, 36, 38, 41, 43, 44, 53, 62, 69, 72, 117, 131, 182, 190, 420, 427, 456, 457),)
_NOT_FOUND: Final = (46, 47, 50, 56, 60, 63, 73, 78, 81, 110, 115, 336)

STATUS: Final[dict[int, int]] = {
    **dict.fromkeys(_BAD_REQUEST, 400),
    **dict.fromkeys(_NOT_FOUND, 404),
    48: 501,  # NOT_IMPLEMENTED
    159: 408,  # TIMEOUT_EXCEEDED
    192: 403,  # UNKNOWN_USER
    193: 403,  # WRONG_PASSWORD
    194: 401,  # REQUIRED_PASSWORD
    202: 503,  # TOO_MANY_SIMULTANEOUS_QUERIES; ClickHouse says 500, but clients try again on 503 and may
    229: 413,  # QUERY_IS_TOO_LARGE
    381: 411,  # HTTP_LENGTH_REQUIRED
    40: 400,  # CHECKSUM_DOESNT_MATCH; here it is always the client's block
    271: 400,  # CANNOT_DECOMPRESS
    452: 400,  # SETTING_CONSTRAINT_VIOLATION; ClickHouse says 500 here and for the next two, though none is its fault
    164: 403,  # READONLY
    497: 403,  # ACCESS_DENIED
    516: 403,  # AUTHENTICATION_FAILED
}


def http_status(code: int) -> int:
    """Return the HTTP status for a ClickHouse error code; 500 for what the table does not name."""
    return STATUS.get(code, 500)
