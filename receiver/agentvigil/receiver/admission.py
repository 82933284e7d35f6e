"""Decides about one request by itself, without I/O: is it OTLP, how many spans will it become, what is it called.

A request is parsed here in C only to refuse it alone when it is malformed; its spans are decoded in ClickHouse.
"""

from dataclasses import dataclass
from operator import attrgetter
from typing import Final

import xxhash
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ScopeSpans, Span

from agentvigil.receiver.errors import BadRequest
from agentvigil.receiver.nested import flatten, may_need_flattening

_TRACE_ID: Final = attrgetter("trace_id")
_SPAN_ID: Final = attrgetter("span_id")
_NO_TRACE_ID: Final = bytes(16)
_NO_SPAN_ID: Final = bytes(8)


@dataclass(frozen=True, slots=True)
class AdmittedTraces:
    """A request fit for the store.

    ``body`` is the sender's, or what became of it; ``spans`` is how many rows it must become; ``rejected_spans`` how
    many were left out, and ``rejection`` says why, empty if none was.
    """

    body: bytes
    spans: int
    request_hash: bytes
    rejected_spans: int
    rejection: str


def admit_traces(body: bytes, project: str) -> AdmittedTraces:
    """Admit the serialised ``ExportTraceServiceRequest`` ``body`` for ``project``.

    Spans whose trace or span id is missing, of a wrong length or all zeros are left out, as the protocol allows:
    https://opentelemetry.io/docs/specs/otlp/#partial-success.

    Raises:
        BadRequest: if ``body`` is not such a message, or no span of it has valid ids.
    """
    try:
        request = ExportTraceServiceRequest.FromString(body)
    except DecodeError as exc:
        raise BadRequest(
            "the body is not an OTLP ExportTraceServiceRequest in protobuf; check that the exporter's protocol is "
            "grpc or http/protobuf and that nothing changes the body on its way"
        ) from exc
    scopes = [scope for resource in request.resource_spans for scope in resource.scope_spans]
    spans = sum(len(scope.spans) for scope in scopes)
    rejected = 0
    if not all(map(_all_ids_valid, scopes)):
        rejected = sum(map(_remove_invalid_spans, scopes))
        if rejected == spans:
            raise BadRequest(
                f"none of the {spans} spans has valid ids; a trace id is 16 bytes, a span id 8, "
                "and neither is all zeros"
            )
    stored_body = body
    nested = may_need_flattening(body)
    if nested:
        flatten(request)
    if nested or rejected:
        stored_body = request.SerializeToString()
    return AdmittedTraces(
        body=stored_body,
        spans=spans - rejected,
        request_hash=_request_hash(project, body),
        rejected_spans=rejected,
        rejection=f"{rejected} of {spans} spans have invalid ids: a trace id is 16 bytes, a span id 8, not all zeros"
        if rejected
        else "",
    )


def clean_traces(body: bytes) -> bytes | None:
    """Return ``body`` without unknown fields and in canonical form, or None if it does not parse.

    Protobuf's parser passes over some bytes that ClickHouse's refuses, such as a known field with a wrong wire type.
    """
    try:
        request = ExportTraceServiceRequest.FromString(body)
    except DecodeError:
        return None
    request.DiscardUnknownFields()
    return request.SerializeToString()


def _all_ids_valid(scope: ScopeSpans) -> bool:
    trace_ids = set(map(_TRACE_ID, scope.spans))
    span_ids = set(map(_SPAN_ID, scope.spans))
    return (
        set(map(len, trace_ids)) <= {16}
        and set(map(len, span_ids)) <= {8}
        and _NO_TRACE_ID not in trace_ids
        and _NO_SPAN_ID not in span_ids
    )


def _remove_invalid_spans(scope: ScopeSpans) -> int:
    kept = [span for span in scope.spans if _ids_valid(span)]
    removed = len(scope.spans) - len(kept)
    if removed:
        copies = [Span.FromString(span.SerializeToString()) for span in kept]
        del scope.spans[:]
        scope.spans.extend(copies)
    return removed


def _ids_valid(span: Span) -> bool:
    return (
        len(span.trace_id) == 16
        and len(span.span_id) == 8
        and span.trace_id != _NO_TRACE_ID
        and span.span_id != _NO_SPAN_ID
    )


def _request_hash(project: str, body: bytes) -> bytes:
    """Tell requests apart by 128 bits. Who makes two alike on purpose only loses telemetry of his own."""
    digest = xxhash.xxh3_128(b"traces\0" + project.encode() + b"\0")
    digest.update(body)
    return digest.digest()
