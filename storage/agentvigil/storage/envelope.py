"""The envelope around an OTLP request: what the receiver knows about it and ClickHouse needs while decoding it.

Wrapping costs a few bytes and no parsing: the sender's bytes become the envelope's field 1 as they are, and unlike
fields appended to the sender's own message, an envelope can not be forged from inside.
"""

from dataclasses import dataclass
from importlib import resources
from typing import Final, TypeAlias

from agentvigil.semconv.privacy import ContentPolicy
from agentvigil.storage.signals import Destination, Signal
from agentvigil.storage.varint import varint

OTLP_SCHEMA: Final = resources.files("agentvigil.storage").joinpath("otlp.proto").read_text(encoding="utf-8")
"""Text of the Protobuf schema that ClickHouse decodes envelopes by."""

Envelope: TypeAlias = tuple[bytes, ...]
"""A length-delimited message, in parts."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of one span, log record or data point is kept; what is over is cut and counted in the row."""

    attributes: int = 128
    events: int = 128
    links: int = 128


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """An admitted OTLP export request on its way to the store.

    ``body`` is the serialised request, ``items`` how many rows it must become in all ``destinations`` together,
    ``request_hash`` 16 bytes that are the same for the same bytes from the same project, ``received_at_ns`` nanoseconds
    since 1970. ``content_policy`` is the project's, ``hash_key`` the installation's 16 bytes; without them nothing of
    content is stored, and what is replaced can not be told apart.
    """

    signal: Signal
    destinations: tuple[Destination, ...]
    body: bytes
    items: int
    request_hash: bytes
    project: str
    received_at_ns: int
    keep_days: int
    limits: Limits
    content_policy: ContentPolicy = ContentPolicy.OFF
    hash_key: bytes = b""


def wrap(request: ExportRequest) -> Envelope:
    """Return ``request`` in its envelope; in parts, so that its body need not be copied."""
    project = request.project.encode()
    head = b"\x0a" + varint(len(request.body))
    tail = b"".join(
        (
            b"\x12" + varint(len(project)) + project,
            b"\x19" + request.received_at_ns.to_bytes(8, "little"),
            b"\x22" + varint(len(request.request_hash)) + request.request_hash,
            b"\x28" + varint(request.items),
            b"\x30" + varint(request.keep_days),
            b"\x38" + varint(request.limits.attributes),
            b"\x40" + varint(request.limits.events),
            b"\x48" + varint(request.limits.links),
            b"\x50" + varint(request.content_policy),
            b"\x5a" + varint(len(request.hash_key)) + request.hash_key,
        )
    )
    size = len(head) + len(request.body) + len(tail)
    return varint(size), head, request.body, tail
