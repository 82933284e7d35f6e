"""The table of refusals is a contract: a sender drops its data or keeps it by what stands there."""

import grpc
import pytest

from agentvigil.receiver import errors
from agentvigil.receiver.errors import ALL, ReceiverError
from agentvigil.receiver.grpc_server import rpc_status

RETRYABLE_HTTP = {429, 502, 503, 504}
"""https://opentelemetry.io/docs/specs/otlp/#retryable-response-codes."""

RETRYABLE_GRPC = {
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.OUT_OF_RANGE,
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DATA_LOSS,
}
"""https://opentelemetry.io/docs/specs/otlp/#failures; RESOURCE_EXHAUSTED only with a RetryInfo."""

each_error = pytest.mark.parametrize("error", ALL, ids=lambda error: error.__name__)


def test_the_table_holds_every_error() -> None:
    """An error outside of it would be checked by none of the tests here."""
    defined = {
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, ReceiverError) and value is not ReceiverError
    }

    assert set(ALL) == defined
    assert len(ALL) == len(defined)


@each_error
def test_is_spelled_in_both_protocols(error: type[ReceiverError]) -> None:
    """The same refusal must not be final over one protocol and temporary over the other."""
    status = error.status
    retryable = status.retry_after_s is not None

    assert isinstance(status.grpc_code, grpc.StatusCode)
    assert status.grpc_code is not grpc.StatusCode.OK
    assert 400 <= status.http_status <= 599
    assert (status.http_status in RETRYABLE_HTTP) is retryable
    if status.grpc_code is not grpc.StatusCode.RESOURCE_EXHAUSTED:
        assert (status.grpc_code in RETRYABLE_GRPC) is retryable


@each_error
def test_says_when_to_come_again_exactly_if_one_may(error: type[ReceiverError]) -> None:
    """RESOURCE_EXHAUSTED without a RetryInfo tells a gRPC sender to throw its data away."""
    status = rpc_status(error("the message"))

    assert status.message == "the message"
    assert status.code == error.status.grpc_code.value[0]
    assert bool(status.details) is (error.status.retry_after_s is not None)


def test_the_temporary_ones_are_these() -> None:
    """To add one is a decision: senders will resend for it."""
    temporary = {error.__name__: error.status.http_status for error in ALL if error.status.retry_after_s is not None}

    assert temporary == {"Busy": 429, "DiskFull": 429, "Unavailable": 503, "Internal": 503}
    assert all(error.status.retry_after_s for error in ALL if error.__name__ in temporary)
