"""Traces as OTLP has them: which spans are valid, and where attributes are."""

from collections.abc import Iterator
from operator import attrgetter
from typing import Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ScopeSpans, Span

from agentvigil.receiver.around import values_around
from agentvigil.receiver.checking import INVALID_IDS, OWN_SCOPE, Checked, remove_invalid
from agentvigil.storage.signals import TRACES

_IDS: Final = attrgetter("trace_id", "span_id", "parent_span_id")
_NO_TRACE_ID: Final = bytes(16)
_NO_SPAN_ID: Final = bytes(8)


def check_traces(request: ExportTraceServiceRequest) -> Checked:
    """Count the spans of ``request`` and take out those with an id that is none.

    A trace id or span id must be there; every id must be of its length, and all zeros are the same as none.
    """
    scopes = [scope for resource in request.resource_spans for scope in resource.scope_spans]
    spans = sum(len(scope.spans) for scope in scopes)
    is_own = bool(scopes) and all(scope.scope.name == OWN_SCOPE for scope in scopes)
    damaged = [scope for scope in scopes if not _all_ids_valid(scope)]
    for scope in damaged:
        remove_invalid(scope.spans, _ids_valid)
    valid = sum(len(scope.spans) for scope in scopes) if damaged else spans
    if valid == spans:
        return Checked(spans, TRACES.destinations, is_own=is_own)
    return Checked(
        valid,
        TRACES.destinations,
        spans - valid,
        f"{spans - valid} of {spans} spans have invalid ids: a trace id is 16 bytes, a span id 8, in JSON as hex, "
        "and neither is all zeros",
        INVALID_IDS,
        is_own,
    )


def trace_values(request: ExportTraceServiceRequest) -> Iterator[AnyValue]:
    """Yield every attribute's value."""
    yield from values_around(request, "resource_spans", "scope_spans")
    for resource_spans in request.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            for span in scope_spans.spans:
                yield from (pair.value for pair in span.attributes)
                for event in span.events:
                    yield from (pair.value for pair in event.attributes)
                for link in span.links:
                    yield from (pair.value for pair in link.attributes)


def _all_ids_valid(scope: ScopeSpans) -> bool:
    if not scope.spans:
        return True
    trace_ids, span_ids, parent_ids = map(set, zip(*map(_IDS, scope.spans), strict=True))
    return (
        set(map(len, trace_ids)) <= {16}
        and set(map(len, span_ids)) <= {8}
        and set(map(len, parent_ids)) <= {0, 8}
        and _NO_TRACE_ID not in trace_ids
        and _NO_SPAN_ID not in span_ids
    )


def _ids_valid(span: Span) -> bool:
    return (
        len(span.trace_id) == 16
        and len(span.span_id) == 8
        and len(span.parent_span_id) in (0, 8)
        and span.trace_id != _NO_TRACE_ID
        and span.span_id != _NO_SPAN_ID
    )
