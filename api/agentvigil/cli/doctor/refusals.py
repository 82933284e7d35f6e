"""What a refusal means to whoever sends telemetry, and what to do about it; the same for both protocols."""

from typing import Final

import grpc
from google.protobuf.message import DecodeError
from google.rpc.status_pb2 import Status as RpcStatus

from agentvigil.cli.calling import Answer

_SHOWN: Final = 240
_OF_HTTP: Final = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.UNIMPLEMENTED,
    405: grpc.StatusCode.UNIMPLEMENTED,
    413: grpc.StatusCode.RESOURCE_EXHAUSTED,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    503: grpc.StatusCode.UNAVAILABLE,
}
SENDERS_WAIT: Final = frozenset(
    {grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}
)
"""Codes that say nothing against the port or the key: the same bytes may be taken later."""


class Refused(Exception):
    """An export was not taken; ``found`` is what was answered, ``advice`` what to do."""

    def __init__(self, code: grpc.StatusCode, answered: str, message: str, key: str | None) -> None:
        found, self.advice = _meaning(code, answered, message, key)
        said = f': "{message[:_SHOWN]}"' if message and code is not grpc.StatusCode.UNAUTHENTICATED else ""
        self.found = f"{found} ({answered}){said}"
        self.code = code
        super().__init__(self.found)


def grpc_refusal(error: grpc.RpcError, key: str | None) -> Refused:
    """Return what a failed call says; ``key`` is the one that was shown."""
    code = error.code() if isinstance(error, grpc.Call) else grpc.StatusCode.UNKNOWN
    details = (error.details() if isinstance(error, grpc.Call) else None) or ""
    return Refused(code, code.name, details, key)


def http_refusal(answer: Answer, key: str | None) -> Refused:
    """Return what an answer other than 200 says; ``key`` is the one that was shown."""
    code = _OF_HTTP.get(answer.status, grpc.StatusCode.UNKNOWN)
    try:
        message = RpcStatus.FromString(answer.body).message
    except DecodeError:
        message = answer.body[:_SHOWN].decode("utf-8", errors="replace")
    return Refused(code, f"HTTP {answer.status}", message, key)


def key_refusal(key: str | None) -> tuple[str, str]:
    """Return what it means, and what to do, if a server does not take ``key``."""
    if key is None:
        return (
            "it wants a key, and none is set here",
            (
                "set AGENTVIGIL_KEY, or key in the file of --config, to one that `agentvigil keys create` made on the "
                "server's data, or AGENTVIGIL_INGEST_KEY to the server's own; senders set "
                "OTEL_EXPORTER_OTLP_HEADERS='authorization=Bearer KEY'"
            ),
        )
    return (
        "it does not take the key that is set here",
        (
            "set AGENTVIGIL_KEY here to a key of the server, or AGENTVIGIL_INGEST_KEY to the same value as where the "
            "server was started; `agentvigil keys list` there says which keys are valid"
        ),
    )


def _meaning(code: grpc.StatusCode, answered: str, message: str, key: str | None) -> tuple[str, str]:
    if code is grpc.StatusCode.UNAUTHENTICATED:
        return key_refusal(key)
    if code is grpc.StatusCode.PERMISSION_DENIED:
        return (
            "it knows the key that is set here, which may not send",
            "set AGENTVIGIL_KEY to one that may: `agentvigil keys create --scope ingest,read` makes it",
        )
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED and "disk" in message:
        return (
            "it has too little disk and turns senders away, which keep their data and send again",
            "free some disk, shorten retention with --keep-days, or restart with a lower --min-free-disk-bytes",
        )
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED:
        return (
            "it can not take more now and tells senders to come again",
            (
                "the store is slower than the senders: send fewer, larger batches, look at the store's disk, or raise "
                "--max-queued-bytes"
            ),
        )
    if code is grpc.StatusCode.UNAVAILABLE:
        return (
            "it can not store now; senders keep their data and send again",
            "look at the findings about the store and at the server's log; it also says this while it stops",
        )
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return (
            "no answer in time",
            "the server or its store is overloaded or stuck: look at its log, or give --timeout more seconds",
        )
    if code is grpc.StatusCode.UNIMPLEMENTED:
        return (
            "it does not know this signal",
            "another program has this port, or an older agentvigil runs there: upgrade it",
        )
    return "the test was refused", f"the server and this agentvigil do not fit together ({answered}); upgrade the older"
