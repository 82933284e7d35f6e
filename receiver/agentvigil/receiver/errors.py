"""Everything a sender can be told, in one table for both protocols.

OTLP makes the status a command: a permanent one tells the sender to drop the data, a retryable one to send the same
bytes again. In gRPC, RESOURCE_EXHAUSTED is retryable only with a RetryInfo
(https://opentelemetry.io/docs/specs/otlp/#failures), over HTTP only 429, 502, 503 and 504 are.
"""

import re
from dataclasses import dataclass
from typing import Final

import grpc


@dataclass(frozen=True, slots=True)
class Status:
    """How one kind of refusal is spelled in both protocols; ``retry_after_s`` is None for a permanent one."""

    grpc_code: grpc.StatusCode
    http_status: int
    retry_after_s: int | None = None


class ReceiverError(Exception):
    """A request that was not stored. The message goes to the sender: what happened, with which value, what to do.

    ``reason`` is the class as metrics name it, e.g. ``too_large``.
    """

    status: Status
    reason: str

    def __init_subclass__(cls) -> None:
        cls.reason = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", cls.__name__).lower()


class BadRequest(ReceiverError):
    """The bytes are not what the protocol asks for; sending them again will not help.

    ``invalid_items`` is how many items it had, where that is known and all of them are at fault; ``item_reason`` why.
    """

    status = Status(grpc.StatusCode.INVALID_ARGUMENT, 400)

    def __init__(self, message: str, invalid_items: int = 0, item_reason: str = "") -> None:
        super().__init__(message)
        self.invalid_items, self.item_reason = invalid_items, item_reason


class Unauthenticated(ReceiverError):
    """The key is missing or wrong."""

    status = Status(grpc.StatusCode.UNAUTHENTICATED, 401)


class Forbidden(ReceiverError):
    """The key is valid, but not for sending."""

    status = Status(grpc.StatusCode.PERMISSION_DENIED, 403)


class NotFound(ReceiverError):
    """There is nothing at that path."""

    status = Status(grpc.StatusCode.UNIMPLEMENTED, 404)


class MethodNotAllowed(ReceiverError):
    """OTLP/HTTP is POST only."""

    status = Status(grpc.StatusCode.UNIMPLEMENTED, 405)


class TooLarge(ReceiverError):
    """The request is over the size limit; the sender must make smaller ones."""

    status = Status(grpc.StatusCode.RESOURCE_EXHAUSTED, 413)


class UnsupportedMediaType(ReceiverError):
    """A content type or encoding that we do not read."""

    status = Status(grpc.StatusCode.INVALID_ARGUMENT, 415)


class Busy(ReceiverError):
    """The queue is full: the sender is faster than the store."""

    status = Status(grpc.StatusCode.RESOURCE_EXHAUSTED, 429, retry_after_s=1)


class DiskFull(ReceiverError):
    """There is too little room left to write and still run retention."""

    status = Status(grpc.StatusCode.RESOURCE_EXHAUSTED, 429, retry_after_s=30)


class Unavailable(ReceiverError):
    """The store is away, or we are stopping."""

    status = Status(grpc.StatusCode.UNAVAILABLE, 503, retry_after_s=2)


class Internal(ReceiverError):
    """A defect of ours. Retryable, so that the sender keeps its data until it is mended."""

    status = Status(grpc.StatusCode.UNAVAILABLE, 503, retry_after_s=10)


ALL: Final = (
    BadRequest,
    Unauthenticated,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    TooLarge,
    UnsupportedMediaType,
    Busy,
    DiskFull,
    Unavailable,
    Internal,
)
