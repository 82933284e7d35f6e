"""Builds traces of agents, takes them into a store in any order, settles them, and reads runs and steps back."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status
from trace_requests import NOW, S, admitted, attributes, take

from agentvigil.analysis.settling import Trace, TraceSettler
from agentvigil.storage.store import Store

MS: Final = 1_000_000
START: Final = NOW - 3600 * S
"""When the traces of these tests begin: an hour before they are received."""

SCOPE: Final = "opentelemetry.instrumentation.genai.openai"
TRACELOOP: Final = "opentelemetry.instrumentation.openai"
ANTHROPIC: Final = "com.anthropic.sdk.python"


@dataclass(frozen=True)
class Sp:
    """A span in milliseconds since ``START``; ids are numbers, and no parent is 0."""

    span: int
    parent: int = 0
    name: str = "work"
    start: int = 0
    end: int = 1000
    attributes: dict[str, Any] = field(default_factory=dict)
    trace: int = 1
    scope: str = "app"
    error: str | None = None
    """The message of the span's status, which is an error then."""
    ok: bool = False
    exception: str | None = None
    remote: bool = False
    service: str = "shop"
    resource: dict[str, str] = field(default_factory=dict)
    project: str = "default"

    def proto(self) -> Span:
        code = Status.STATUS_CODE_OK if self.ok else Status.STATUS_CODE_UNSET
        code = code if self.error is None else Status.STATUS_CODE_ERROR
        events = []
        if self.exception is not None:
            events.append(Span.Event(name="exception", attributes=attributes({"exception.type": self.exception})))
        return Span(
            trace_id=self.trace.to_bytes(16, "big"),
            span_id=self.span.to_bytes(8, "big"),
            parent_span_id=self.parent.to_bytes(8, "big") if self.parent else b"",
            flags=0x301 if self.remote else 0x101,
            name=self.name,
            start_time_unix_nano=START + self.start * MS,
            end_time_unix_nano=START + self.end * MS,
            attributes=attributes(self.attributes),
            events=events,
            status=Status(code=code, message=self.error or ""),
        )


def agent(span: int, parent: int = 0, name: str = "helper", start: int = 0, end: int = 1000, **more: Any) -> Sp:
    said = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": name, **more.pop("attributes", {})}
    return Sp(span, parent, f"invoke_agent {name}", start, end, said, **{"scope": SCOPE, **more})


def chat(
    span: int,
    parent: int = 0,
    start: int = 0,
    end: int = 1000,
    *,
    model: str = "gpt-4o",
    tokens: tuple[int, int] | None = (100, 10),
    response: str = "",
    finish: str = "stop",
    **more: Any,
) -> Sp:
    said = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": model}
    said["gen_ai.response.finish_reasons"] = [finish]
    if tokens:
        said |= {"gen_ai.usage.input_tokens": tokens[0], "gen_ai.usage.output_tokens": tokens[1]}
    if response:
        said["gen_ai.response.id"] = response
    return Sp(
        span, parent, f"chat {model}", start, end, {**said, **more.pop("attributes", {})}, **{"scope": SCOPE, **more}
    )


def tool(span: int, parent: int = 0, name: str = "search", start: int = 0, end: int = 1000, **more: Any) -> Sp:
    said = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": name, **more.pop("attributes", {})}
    return Sp(span, parent, f"execute_tool {name}", start, end, said, **{"scope": SCOPE, **more})


def retrieval(span: int, parent: int = 0, start: int = 0, end: int = 1000, **more: Any) -> Sp:
    said = {"gen_ai.operation.name": "retrieval", **more.pop("attributes", {})}
    return Sp(span, parent, "retrieval docs", start, end, said, **{"scope": SCOPE, **more})


def step(span: int, parent: int = 0, name: str = "node", start: int = 0, end: int = 1000, **more: Any) -> Sp:
    said = {"agentvigil.step.type": "other", "agentvigil.step.name": name, **more.pop("attributes", {})}
    return Sp(span, parent, name, start, end, said, **{"scope": SCOPE, **more})


def receive(store: Store, *spans: Sp, at_ns: int = NOW, keep_days: int = 90) -> None:
    """Take ``spans`` in at one time, a request for each project."""
    spans_by_project: dict[str, list[Sp]] = {}
    for span in spans:
        spans_by_project.setdefault(span.project, []).append(span)
    take(
        store,
        *[
            admitted(request_of(spans).SerializeToString(), received_at_ns=at_ns, keep_days=keep_days, project=project)
            for project, spans in spans_by_project.items()
        ],
    )


def trace_of(number: int) -> str:
    return number.to_bytes(16, "big").hex()


def id_of(number: int) -> str:
    return number.to_bytes(8, "big").hex()


def run_of(trace: int, span: int | None = None) -> str:
    return trace_of(trace) if span is None else f"{trace_of(trace)}-{id_of(span)}"


def settle(store: Store, *traces: int, final: bool = False, project: str = "default") -> None:
    """Settle ``traces``, by default the first, as they are in the store."""
    settle_traces(store, {(project, trace): final for trace in traces or (1,)})


def settle_traces(store: Store, traces: Mapping[tuple[str, int], bool]) -> None:
    """Settle traces by project and number together; the value says whether nothing more is awaited."""
    began = datetime.fromtimestamp(START / S, UTC)
    TraceSettler(store, batch_spans=100_000).settle(
        [
            Trace(project, trace_of(trace), began - timedelta(hours=2), began + timedelta(hours=2), 10, final)
            for (project, trace), final in traces.items()
        ]
    )


def runs(store: Store, *columns: str, where: str = "1") -> list[Any]:
    """Return the columns of all runs, in the order of their ids; single values if it is one column."""
    return _read(store, f"SELECT {', '.join(columns)} FROM agent_runs FINAL WHERE {where} ORDER BY Project, RunId")


def steps(store: Store, *columns: str, where: str = "1") -> list[Any]:
    """Return the columns of all steps, run by run in their order; single values if it is one column."""
    return _read(
        store, f"SELECT {', '.join(columns)} FROM agent_steps FINAL WHERE {where} ORDER BY Project, RunId, Ordinal"
    )


def everything(store: Store) -> tuple[Sequence[Any], Sequence[Any]]:
    """Return all rows of both tables, without what tells when they were settled."""
    hidden = "Version, SettledAt, HasLateSpans"
    return (
        store.rows(f"SELECT * EXCEPT ({hidden}) FROM agent_runs FINAL ORDER BY ALL"),
        store.rows("SELECT * EXCEPT (Version) FROM agent_steps FINAL ORDER BY ALL"),
    )


def request_of(spans: Iterable[Sp]) -> ExportTraceServiceRequest:
    by_origin: dict[object, list[Sp]] = {}
    for span in spans:
        by_origin.setdefault((span.service, *span.resource.items(), span.scope), []).append(span)
    return ExportTraceServiceRequest(
        resource_spans=[
            ResourceSpans(
                resource=Resource(attributes=attributes({"service.name": first.service, **first.resource})),
                scope_spans=[
                    ScopeSpans(
                        scope=InstrumentationScope(name=first.scope), spans=[span.proto() for span in (first, *rest)]
                    )
                ],
            )
            for first, *rest in by_origin.values()
        ]
    )


def _read(store: Store, sql: str) -> list[Any]:
    rows: Iterable[Sequence[Any]] = store.rows(sql)
    return [row[0] if len(row) == 1 else tuple(row) for row in rows]
