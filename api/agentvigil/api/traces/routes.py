"""``/v1/traces``: lists of traces, one of them as a tree, one span whole."""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Response

from agentvigil.api.access import Reads
from agentvigil.api.asked import Asked
from agentvigil.api.problems import described
from agentvigil.api.traces.filters import TraceList
from agentvigil.api.traces.models import Trace, TracePage, TraceTree
from agentvigil.api.traces.reading import Traces
from agentvigil.api.traces.spans import Span
from agentvigil.api.traces.tree import places
from agentvigil.receiver.content_policies import ContentPolicies
from agentvigil.semconv.privacy import ContentPolicy

TraceId = Annotated[
    str,
    Path(
        pattern="^[0-9A-Fa-f]{32}$",
        examples=["4bf92f3577b34da6a3ce929d0e0e4736"],
        description="id of the trace, 32 hexadecimal digits",
    ),
]
SpanId = Annotated[
    str,
    Path(
        pattern="^[0-9A-Fa-f]{16}$",
        examples=["00f067aa0ba902b7"],
        description="id of the span, 16 hexadecimal digits",
    ),
]
_NOTHING_SAID: Final = (
    "nothing of the span is stored: it said nothing, or came in before the project's policy allowed it"
)


def trace_page(traces: Traces, project: str, asked: TraceList) -> TracePage:
    """Return a page of ``traces``."""
    rows, next_cursor = traces.page(project, asked)
    return TracePage(items=[Trace.of(row) for row in rows], next_cursor=next_cursor)


def traces_router(traces: Traces, policies: ContentPolicies) -> APIRouter:
    """Return the routes under ``/v1/traces``; ``policies`` say which projects store content."""
    router = APIRouter(prefix="/v1/traces", tags=["traces"])

    @router.get("", response_model=TracePage)
    def list_traces(asker: Reads, asked: Annotated[TraceList, Query()]) -> TracePage:
        """List traces, the newest first. Pages stay right while traces arrive."""
        return trace_page(traces, asker.project, asked)

    @router.get("/{trace_id}", response_model=TraceTree, responses=described(404))
    def get_trace(asker: Reads, trace_id: TraceId, _: Annotated[Asked, Query()]) -> Response:
        """Tell the spans of a trace in their tree, without attributes and texts."""
        place = traces.place(asker.project, trace_id.lower())
        spans, spans_total = traces.spans(place)
        tree = TraceTree.of(
            asker.project,
            place.trace_id,
            spans,
            list(places(spans)),
            spans_total,
            list(place.run_ids),
            traces.spans_with_content(place),
        )
        # What is checked once is not checked again, which would take longer than the store does.
        return Response(tree.model_dump_json(), media_type="application/json")

    @router.get("/{trace_id}/spans/{span_id}", response_model=Span, responses=described(404))
    def get_span(asker: Reads, trace_id: TraceId, span_id: SpanId, _: Annotated[Asked, Query()]) -> Span:
        """Tell one span whole, with what the project lets be stored of what was said in it."""
        trace_id, span_id = trace_id.lower(), span_id.lower()
        row = traces.span(traces.place(asker.project, trace_id), span_id)
        content = traces.content(asker.project, trace_id, span_id)
        policy = policies.of(asker.project)
        hint = None if content else _hint(asker.project, policy)
        return Span.of(row, content, policy.name.lower(), hint)

    return router


def _hint(project: str, policy: ContentPolicy) -> str:
    if policy is not ContentPolicy.OFF:
        return _NOTHING_SAID
    return (
        f"project {project} stores no content: start the server with --content-policy {project}=masked, or "
        f"{project}=full, to have it of spans that come in from then on"
    )
