"""Decides about one request by itself, without I/O: is it OTLP, how many rows will it become, what is it called.

A request is parsed here in C only to refuse it alone when it is malformed; its items are decoded in ClickHouse.
"""

from dataclasses import dataclass

import xxhash
from google.protobuf.message import DecodeError

from agentvigil.receiver.errors import BadRequest
from agentvigil.receiver.nested import flatten, may_need_flattening
from agentvigil.receiver.otlp import OtlpSignal
from agentvigil.semconv.privacy import ContentPolicy
from agentvigil.storage.signals import Destination


@dataclass(frozen=True, slots=True)
class Admitted:
    """A request fit for the store.

    ``body`` is the sender's, or what became of it; ``items`` is how many rows it must become in ``destinations``
    together; ``rejected`` how many were left out, ``rejection`` says why and ``reason`` in a word, empty if none was.
    ``is_own`` is that of :class:`~agentvigil.receiver.checking.Checked`.
    """

    body: bytes
    items: int
    destinations: tuple[Destination, ...]
    request_hash: bytes
    rejected: int
    rejection: str
    reason: str
    is_own: bool


def admit(otlp: OtlpSignal, body: bytes, project: str, policy: ContentPolicy = ContentPolicy.OFF) -> Admitted:
    """Admit the serialised export request ``body`` for ``project``, whose content is treated by ``policy``.

    What is not valid in it is left out, as the protocol allows:
    https://opentelemetry.io/docs/specs/otlp/#partial-success.

    Raises:
        BadRequest: if ``body`` is not such a message, or nothing in it is valid.
    """
    try:
        request = otlp.request.FromString(body)
    except DecodeError as exc:
        raise BadRequest(
            f"the body is not an OTLP {otlp.request.DESCRIPTOR.name} in protobuf; check that the exporter sends this "
            "signal here, that its protocol is grpc or http/protobuf, and that nothing changes the body on its way"
        ) from exc
    checked = otlp.check(request)
    if checked.rejected and not checked.items:
        raise BadRequest(checked.rejection, checked.rejected, checked.reason)
    stored_body = request.SerializeToString() if checked.rejected else body
    # Resources have such values more often than spans (the arguments of a process), and are few.
    for values in (otlp.values_around, otlp.values):
        if not may_need_flattening(stored_body, otlp.value_tags):
            break
        flatten(values(request), keep_octets=policy is not ContentPolicy.OFF)
        stored_body = request.SerializeToString()
    return Admitted(
        body=stored_body,
        items=checked.items,
        destinations=checked.destinations,
        request_hash=_request_hash(otlp.signal.name, project, body),
        rejected=checked.rejected,
        rejection=checked.rejection,
        reason=checked.reason,
        is_own=checked.is_own,
    )


def clean(otlp: OtlpSignal, body: bytes) -> bytes | None:
    """Return ``body`` without unknown fields and in canonical form, or None if it does not parse.

    Protobuf's parser passes over some bytes that ClickHouse's refuses, such as a known field with a wrong wire type.
    """
    try:
        request = otlp.request.FromString(body)
    except DecodeError:
        return None
    request.DiscardUnknownFields()
    return request.SerializeToString()


def _request_hash(signal: str, project: str, body: bytes) -> bytes:
    """Tell requests apart by 128 bits. Who makes two alike on purpose only loses telemetry of his own."""
    digest = xxhash.xxh3_128(signal.encode() + b"\0" + project.encode() + b"\0")
    digest.update(body)
    return digest.digest()
