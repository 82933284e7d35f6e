"""The pinned workload of traces: AI agents as OTLP requests, made far faster than a server can take them.

How requests are made is in ``patching.py``. Fresh in every request: trace, span and parent ids (a child keeps naming
its parent), start, end and event times (each trace ended within the second before the send), response and tool call
ids, conversation ids (one per four traces). All else is fixed by the seed; :attr:`Pool.digest` names it, so two
reports can be told to have used the same workload. There is no content (prompts, answers, tool arguments): every
value is a number, a boolean or a short label, so that a server that drops content by default stores as much as one
that does not.

Run as a program it prints the size of the workload and how fast it is made.
"""

import argparse
import json
import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span, Status
from patching import (
    CALL_ID,
    CONVERSATION,
    SECOND_NS,
    SPAN_ID,
    TIME,
    TRACE_ID,
    AttributeValue,
    Draft,
    Indices,
    Kind,
    Pool,
    Template,
    Values,
    add_attributes,
    add_resource,
    protobuf_template,
    sentinel,
    text_sentinel,
)

SPANS_PER_TRACE: Final = 8
TRACES_PER_CONVERSATION: Final = 4
POOL_SPANS: Final = 16_384
"""Distinct spans in the pool, whatever the size of a request."""

PARENT_ID: Final = Kind(b"\xfePI\xfe", 8, "id")

MODELS: Final = (
    ("openai", "gpt-4.1", "gpt-4.1-2025-04-14"),
    ("openai", "gpt-4.1-mini", "gpt-4.1-mini-2025-04-14"),
    ("anthropic", "claude-sonnet-4-5", "claude-sonnet-4-5-20250929"),
    ("gcp.gemini", "gemini-2.5-flash", "gemini-2.5-flash"),
)


@dataclass(frozen=True, slots=True)
class Service:
    """One instrumented application: its agent, the agent it hands over to, what they call."""

    name: str
    agent: str
    specialist: str
    data_source: str
    tools: tuple[str, ...]


SERVICES: Final = (
    Service("support-desk", "support", "refunds", "help-centre", ("lookup_order", "create_ticket", "issue_refund")),
    Service("travel-planner", "trip-planner", "fares", "destinations", ("search_flights", "hold_seat", "hold_room")),
    Service("code-review", "reviewer", "security", "repository-index", ("read_file", "run_tests", "post_comment")),
    Service("sales-research", "researcher", "enrichment", "crm-notes", ("search_web", "fetch_page", "update_crm")),
    Service("claims-intake", "claims", "fraud-check", "policy-terms", ("extract_form", "score_claim", "open_case")),
    Service("ops-runbook", "responder", "diagnostics", "runbooks", ("query_metrics", "restart_pod", "page_human")),
)

# (operation, index of the parent span in the trace); the root comes first and children after their parent.
TRACE_SHAPE: Final = (
    ("invoke_agent", None),
    ("chat", 0),
    ("retrieval", 0),
    ("execute_tool", 0),
    ("invoke_agent", 0),
    ("chat", 4),
    ("execute_tool", 4),
    ("chat", 0),
)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a request needs: how many ids, and the trace and ns from its end (negative) of every time."""

    traces: int
    spans: int
    call_ids: int
    trace_of_time: Indices
    time_from_trace_end: Indices


class _DraftBuilder:
    """Builds one request and keeps, in serialisation order, what each sentinel stands for."""

    def __init__(self, rng: random.Random, service: Service, traces: int) -> None:
        self.rng = rng
        self.service = service
        self.traces = traces
        self.request = ExportTraceServiceRequest()
        self.trace_of_span: list[int] = []
        self.parent_of: list[int] = []
        self.times: list[tuple[int, int]] = []  # (trace, nanoseconds from the trace's end, negative)
        self.trace_of_conversation: list[int] = []
        self.call_ids = 0

    def build(self) -> Draft:
        scope_spans = self._resource_spans().scope_spans.add()
        scope_spans.scope.name = "opentelemetry.instrumentation.genai"
        scope_spans.scope.version = "1.3.0"
        for trace in range(self.traces):
            self._trace(scope_spans.spans, trace)
        spans = len(self.trace_of_span)
        times = np.array(self.times, dtype=np.int64).reshape(-1, 2)
        relative_times = times[:, 1].copy()
        return Draft(
            self.request,
            spans,
            {
                TRACE_ID: np.array(self.trace_of_span, dtype=np.int64),
                SPAN_ID: np.arange(spans),
                PARENT_ID: np.array(self.parent_of, dtype=np.int64),
                TIME: np.arange(len(times)),
                CALL_ID: np.arange(self.call_ids),
                CONVERSATION: np.array(self.trace_of_conversation, dtype=np.int64),
            },
            _Plan(self.traces, spans, self.call_ids, times[:, 0].copy(), relative_times),
            relative_times,
        )

    def _resource_spans(self) -> ResourceSpans:
        resource_spans = self.request.resource_spans.add()
        add_resource(resource_spans.resource, self.rng, self.service.name)
        return resource_spans

    def _trace(self, spans: Any, trace: int) -> None:
        rng = self.rng
        first = len(self.trace_of_span)
        model = rng.choice(MODELS)
        user = f"user-{rng.randrange(5000)}"
        # Children run one after the other inside the root; all times count back from the trace's end.
        durations = [int(rng.lognormvariate(6.2, 0.7)) * 1_000_000 + rng.randrange(1_000_000) for _ in TRACE_SHAPE]
        ends = [-sum(durations[i + 1 :]) for i in range(len(durations))]
        for i, (operation, parent) in enumerate(TRACE_SHAPE):
            span: Span = spans.add()
            span.trace_id = sentinel(TRACE_ID.magic, trace, 16)
            span.span_id = sentinel(SPAN_ID.magic, first + i, 8)
            if parent is not None:
                span.parent_span_id = sentinel(PARENT_ID.magic, first + parent, 8)
                self.parent_of.append(first + parent)
            self.trace_of_span.append(trace)
            start, end = ends[i] - durations[i], ends[i]
            if operation == "invoke_agent":
                end = 0 if parent is None else ends[6]
            span.start_time_unix_nano = self._time(trace, start)
            span.end_time_unix_nano = self._time(trace, end)
            self._fill(span, operation, is_root=parent is None, model=model, user=user)
            if rng.random() < 0.02:
                self._fail(span, operation, trace, end)
            elif operation == "chat" and rng.random() < 0.15:
                event = span.events.add()
                event.time_unix_nano = self._time(trace, start + (end - start) // 4)
                event.name = "gen_ai.first_chunk"
                add_attributes(event.attributes, {"gen_ai.response.time_to_first_chunk": (end - start) / 4 / SECOND_NS})
            self.trace_of_conversation.append(trace)

    def _time(self, trace: int, from_trace_end: int) -> int:
        self.times.append((trace, from_trace_end))
        return int.from_bytes(sentinel(TIME.magic, len(self.times), 8), "little")

    def _call_id(self, prefix: str) -> str:
        self.call_ids += 1
        return prefix + text_sentinel(CALL_ID)

    def _fill(self, span: Span, operation: str, *, is_root: bool, model: tuple[str, str, str], user: str) -> None:
        rng, service = self.rng, self.service
        provider, request_model, response_model = model
        agent = service.agent if is_root else service.specialist
        attributes: dict[str, AttributeValue] = {
            "gen_ai.operation.name": operation,
            "gen_ai.conversation.id": text_sentinel(CONVERSATION),
        }
        input_tokens = int(rng.lognormvariate(7.3, 0.8))
        match operation:
            case "invoke_agent":
                span.name = f"invoke_agent {agent}"
                span.kind = Span.SPAN_KIND_INTERNAL
                attributes |= {
                    "gen_ai.agent.name": agent,
                    "gen_ai.provider.name": provider,
                    "gen_ai.request.model": request_model,
                    "gen_ai.request.temperature": rng.choice((0.0, 0.2, 0.7)),
                    "gen_ai.usage.input_tokens": 3 * input_tokens,
                    "gen_ai.usage.output_tokens": rng.randrange(200, 3000),
                    "gen_ai.response.finish_reasons": ["stop"],
                    "gen_ai.agent.version": "1.4",
                    "user.id": user,
                }
            case "chat":
                span.name = f"chat {request_model}"
                span.kind = Span.SPAN_KIND_CLIENT
                attributes |= {
                    "gen_ai.provider.name": provider,
                    "gen_ai.request.model": request_model,
                    "gen_ai.response.model": response_model,
                    "gen_ai.response.id": self._call_id("resp-"),
                    "gen_ai.request.temperature": rng.choice((0.0, 0.2, 0.7)),
                    "gen_ai.usage.input_tokens": input_tokens,
                    "gen_ai.usage.output_tokens": rng.randrange(20, 900),
                    "gen_ai.response.finish_reasons": [rng.choice(("stop", "tool_calls", "length"))],
                    "server.port": 443,
                }
            case "retrieval":
                span.name = f"retrieval {service.data_source}"
                span.kind = Span.SPAN_KIND_CLIENT
                attributes |= {
                    "gen_ai.agent.name": service.agent,
                    "gen_ai.data_source.id": service.data_source,
                    "gen_ai.retrieval.top_k": rng.choice((5, 10, 20)),
                    "gen_ai.provider.name": "openai",
                    "retrieval.returned": rng.randrange(21),
                    "retrieval.best_score": round(rng.random(), 6),
                    "server.address": f"vectors-{rng.randrange(3)}",
                    "server.port": 6333,
                    "user.id": user,
                }
            case "execute_tool":
                tool = rng.choice(service.tools)
                span.name = f"execute_tool {tool}"
                span.kind = Span.SPAN_KIND_INTERNAL
                attributes |= {
                    "gen_ai.agent.name": service.agent,
                    "gen_ai.tool.name": tool,
                    "gen_ai.tool.type": "function",
                    "gen_ai.tool.call.id": self._call_id("call-"),
                    "tool.attempt": rng.choice((1, 1, 1, 2)),
                    "tool.cache.hit": rng.random() < 0.2,
                    "tool.result.bytes": int(rng.lognormvariate(7, 1.2)),
                    "thread.id": 1000 + rng.randrange(64),
                    "user.id": user,
                }
        add_attributes(span.attributes, attributes)

    def _fail(self, span: Span, operation: str, trace: int, end: int) -> None:
        error = "ToolError" if operation == "execute_tool" else self.rng.choice(("TimeoutError", "RateLimitError"))
        message = f"{operation} gave up after {self.rng.randrange(1, 5)} attempts"
        span.status.code = Status.STATUS_CODE_ERROR
        span.status.message = message
        add_attributes(span.attributes, {"error.type": error})
        event = span.events.add()
        event.time_unix_nano = self._time(trace, end)
        event.name = "exception"
        add_attributes(event.attributes, {"exception.type": error, "exception.message": message})


def _scramble(numbers: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Spread consecutive numbers over 64 bits (splitmix64), so that they look like identifiers."""
    z = numbers * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


class TraceValues:
    """Fresh values for the requests of one stream, whose conversations go on from one request to the next."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._conversation_salt = rng.integers(1 << 63, dtype=np.uint64)
        self._traces = 0

    def __call__(self, plan: _Plan, now_ns: int) -> Values:
        """Values of a request whose traces end in the second before ``now_ns``."""
        rng = self._rng
        ids = rng.integers(0, 256, size=16 * plan.traces + 8 * plan.spans, dtype=np.uint8)
        trace_ids = ids[: 16 * plan.traces].reshape(-1, 16)
        span_ids = ids[16 * plan.traces :].reshape(-1, 8)
        ends = now_ns - rng.integers(0, SECOND_NS, size=plan.traces)
        numbers = (self._traces + np.arange(plan.traces)) // TRACES_PER_CONVERSATION
        conversations = _scramble(numbers.astype(np.uint64) + self._conversation_salt).view(np.uint8).reshape(-1, 8)
        self._traces += plan.traces
        return {
            TRACE_ID: trace_ids,
            SPAN_ID: span_ids,
            PARENT_ID: span_ids,
            TIME: ends[plan.trace_of_time] + plan.time_from_trace_end,
            CALL_ID: rng.integers(0, 256, size=(plan.call_ids, CALL_ID.width // 2), dtype=np.uint8),
            CONVERSATION: np.ascontiguousarray(conversations[:, : CONVERSATION.width // 2]),
        }


class Workload(Pool):
    """A pool of requests with traces, all of one size."""

    def __init__(
        self,
        spans_per_request: int,
        spell: Callable[[Draft], Template] = protobuf_template,
        *,
        seed: int = 20261103,
    ) -> None:
        if spans_per_request <= 0 or spans_per_request % SPANS_PER_TRACE:
            raise ValueError(f"{spans_per_request} spans per request: must be a multiple of {SPANS_PER_TRACE}")
        rng = random.Random(seed)
        drafts = [
            _DraftBuilder(rng, SERVICES[i % len(SERVICES)], spans_per_request // SPANS_PER_TRACE).build()
            for i in range(max(len(SERVICES), POOL_SPANS // spans_per_request))
        ]
        super().__init__(drafts, spell, TraceValues)


def check(workload: Workload) -> None:
    """Decode patched requests and assert that they are what they claim to be."""
    stream = workload.stream()
    seen: set[bytes] = set()
    for _ in range(len(workload.templates)):
        now = time.time_ns()
        request = ExportTraceServiceRequest.FromString(stream.request(now))
        spans = [s for rs in request.resource_spans for ss in rs.scope_spans for s in ss.spans]
        assert len(spans) == workload.items_per_request
        traces: dict[bytes, list[Span]] = {}
        for span in spans:
            assert span.span_id not in seen
            seen.add(span.span_id)
            traces.setdefault(span.trace_id, []).append(span)
            assert now - 120 * SECOND_NS < span.start_time_unix_nano <= span.end_time_unix_nano <= now
            assert all(span.start_time_unix_nano <= e.time_unix_nano <= span.end_time_unix_nano for e in span.events)
        for members in traces.values():
            by_id = {span.span_id: span for span in members}
            parents = [by_id[s.parent_span_id].name.split()[0] for s in members if s.parent_span_id]
            assert len(members) == SPANS_PER_TRACE
            assert parents == ["invoke_agent"] * (SPANS_PER_TRACE - 1)
            conversations = {a.value.string_value for s in members for a in s.attributes if a.key.endswith("tion.id")}
            assert len(conversations) == 1
        assert not re.search(b"~c(id|nv)", request.SerializeToString())


def main() -> None:
    parser = argparse.ArgumentParser(description="Print the size of the workload and how fast it is made.")
    parser.add_argument("--requests-spans", type=int, default=512, metavar="N", help="spans per request (512)")
    workload = Workload(parser.parse_args().requests_spans)
    check(workload)
    stream, requests, started = workload.stream(), 0, time.perf_counter()
    while time.perf_counter() - started < 2:
        stream.request()
        requests += 1
    elapsed = time.perf_counter() - started
    sample = [ExportTraceServiceRequest.FromString(t.body.tobytes()) for t in workload.templates]
    spans = [s for request in sample for s in request.resource_spans[0].scope_spans[0].spans]
    sizes = np.array([s.ByteSize() for s in spans])
    operations = {operation for operation, _ in TRACE_SHAPE}
    print(
        json.dumps(
            {
                "spans_per_request": workload.items_per_request,
                "templates": len(workload.templates),
                "digest": workload.digest,
                "request_bytes_per_span": round(workload.bytes_per_item, 1),
                "span_bytes_p5_p50_p95": [int(x) for x in np.percentile(sizes, (5, 50, 95))],
                "span_bytes": {
                    operation: round(float(np.mean([s.ByteSize() for s in spans if s.name.startswith(operation)])))
                    for operation in sorted(operations)
                },
                "attributes_per_span": round(float(np.mean([len(s.attributes) for s in spans])), 2),
                "spans_with_events": round(float(np.mean([bool(s.events) for s in spans])), 4),
                "spans_with_errors": round(float(np.mean([s.status.code == 2 for s in spans])), 4),
                "generated_spans_per_s": round(requests * workload.items_per_request / elapsed),
            }
        )
    )


if __name__ == "__main__":
    main()
