"""The pinned workload: traces of AI agents as OTLP requests, made far faster than a server can take them.

Building a protobuf message span by span in Python costs as much as a server spends on it, so a sender that did it
would measure itself. Instead:

1. A pool of template requests is built once with the real protobuf classes. Every field that must differ from one
   send to the next holds a sentinel: four magic bytes that occur nowhere else, padded to the field's width.
2. The serialised template is searched once for the sentinels, which gives the byte offset of every such field.
3. Each send copies a template and writes fresh values over those offsets with numpy. All of them are of fixed
   width (ids, fixed64 times, identifiers in hex text), so no length prefix changes.

Fresh in every request: trace, span and parent ids (a child keeps naming its parent), start, end and event times
(each trace ended within the second before the send), response and tool call ids, conversation ids (one per four
traces). All else is fixed by the seed; :attr:`Workload.digest` names it, so two reports can be told to have used
the same workload. There is no content (prompts, answers, tool arguments): every value is a number, a boolean or a
short label, so that a server that drops content by default stores as much as one that does not.

Run as a program it prints the size of the workload and how fast it is made.
"""

import argparse
import hashlib
import json
import random
import re
import time
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span, Status

SPANS_PER_TRACE: Final = 8
TRACES_PER_CONVERSATION: Final = 4
POOL_SPANS: Final = 16_384
"""Distinct spans in the pool, whatever the size of a request."""

SECOND_NS: Final = 1_000_000_000

# Bytes above 0x7f cannot occur in our ASCII strings, "~" in none of our labels.
TRACE_ID_MAGIC: Final = b"\xfeTI\xfe"
SPAN_ID_MAGIC: Final = b"\xfeSI\xfe"
PARENT_ID_MAGIC: Final = b"\xfePI\xfe"
TIME_MAGIC: Final = b"\xfeTM\xfe"
CALL_ID_MAGIC: Final = b"~cid"
CONVERSATION_MAGIC: Final = b"~cnv"

CALL_ID_CHARS: Final = 16
CONVERSATION_CHARS: Final = 12

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

AttributeValue = str | int | float | bool | list[str]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Template:
    """A serialised request and where its changing fields are.

    Every ``*_at`` is a matrix of byte offsets, one row per field and one column per byte. The vectors beside them
    say which trace, span or parent a row belongs to.
    """

    body: npt.NDArray[np.uint8]
    traces: int
    spans: int
    trace_id_at: Indices
    trace_of_span: Indices
    span_id_at: Indices
    parent_id_at: Indices
    parent_of: Indices
    time_at: Indices
    trace_of_time: Indices
    time_from_trace_end: Indices
    call_id_at: Indices
    conversation_at: Indices
    trace_of_conversation: Indices


def _attribute(attributes: Any, key: str, value: AttributeValue) -> None:
    item: KeyValue = attributes.add()
    item.key = key
    match value:
        case bool():
            item.value.bool_value = value
        case int():
            item.value.int_value = value
        case float():
            item.value.double_value = value
        case str():
            item.value.string_value = value
        case list():
            for element in value:
                item.value.array_value.values.add().string_value = element


def _sentinel(magic: bytes, index: int, width: int) -> bytes:
    return magic + index.to_bytes(width - len(magic), "big")


class _TemplateBuilder:
    """Builds one template request and keeps, in serialisation order, what each sentinel stands for."""

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

    def build(self) -> Template:
        scope_spans = self._resource_spans().scope_spans.add()
        scope_spans.scope.name = "opentelemetry.instrumentation.genai"
        scope_spans.scope.version = "1.3.0"
        for trace in range(self.traces):
            self._trace(scope_spans.spans, trace)
        body = self.request.SerializeToString()
        times = np.array(self.times, dtype=np.int64).reshape(-1, 2)
        return Template(
            body=np.frombuffer(body, dtype=np.uint8),
            traces=self.traces,
            spans=len(self.trace_of_span),
            trace_id_at=_offsets(body, TRACE_ID_MAGIC, 16, len(self.trace_of_span)),
            trace_of_span=np.array(self.trace_of_span, dtype=np.int64),
            span_id_at=_offsets(body, SPAN_ID_MAGIC, 8, len(self.trace_of_span)),
            parent_id_at=_offsets(body, PARENT_ID_MAGIC, 8, len(self.parent_of)),
            parent_of=np.array(self.parent_of, dtype=np.int64),
            time_at=_offsets(body, TIME_MAGIC, 8, len(self.times)),
            trace_of_time=times[:, 0].copy(),
            time_from_trace_end=times[:, 1].copy(),
            call_id_at=_offsets(body, CALL_ID_MAGIC, CALL_ID_CHARS, self.call_ids),
            conversation_at=_offsets(body, CONVERSATION_MAGIC, CONVERSATION_CHARS, len(self.trace_of_conversation)),
            trace_of_conversation=np.array(self.trace_of_conversation, dtype=np.int64),
        )

    def _resource_spans(self) -> ResourceSpans:
        resource_spans = self.request.resource_spans.add()
        attributes = resource_spans.resource.attributes
        _attribute(attributes, "service.name", self.service.name)
        _attribute(attributes, "service.version", f"1.{self.rng.randrange(6)}.0")
        _attribute(attributes, "service.instance.id", f"{self.service.name}-{self.rng.randrange(4)}")
        _attribute(attributes, "deployment.environment.name", "production")
        _attribute(attributes, "telemetry.sdk.language", "python")
        _attribute(attributes, "telemetry.sdk.name", "opentelemetry")
        _attribute(attributes, "telemetry.sdk.version", "1.40.0")
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
            span.trace_id = _sentinel(TRACE_ID_MAGIC, trace, 16)
            span.span_id = _sentinel(SPAN_ID_MAGIC, first + i, 8)
            if parent is not None:
                span.parent_span_id = _sentinel(PARENT_ID_MAGIC, first + parent, 8)
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
                _attribute(event.attributes, "gen_ai.response.time_to_first_chunk", (end - start) / 4 / SECOND_NS)
            self.trace_of_conversation.append(trace)

    def _time(self, trace: int, from_trace_end: int) -> int:
        self.times.append((trace, from_trace_end))
        return int.from_bytes(_sentinel(TIME_MAGIC, len(self.times), 8), "little")

    def _call_id(self, prefix: str) -> str:
        self.call_ids += 1
        return prefix + CALL_ID_MAGIC.decode().ljust(CALL_ID_CHARS, "0")

    def _fill(self, span: Span, operation: str, *, is_root: bool, model: tuple[str, str, str], user: str) -> None:
        rng, service = self.rng, self.service
        provider, request_model, response_model = model
        agent = service.agent if is_root else service.specialist
        attributes: dict[str, AttributeValue] = {
            "gen_ai.operation.name": operation,
            "gen_ai.conversation.id": CONVERSATION_MAGIC.decode().ljust(CONVERSATION_CHARS, "0"),
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
        for key, value in attributes.items():
            _attribute(span.attributes, key, value)

    def _fail(self, span: Span, operation: str, trace: int, end: int) -> None:
        error = "ToolError" if operation == "execute_tool" else self.rng.choice(("TimeoutError", "RateLimitError"))
        message = f"{operation} gave up after {self.rng.randrange(1, 5)} attempts"
        span.status.code = Status.STATUS_CODE_ERROR
        span.status.message = message
        _attribute(span.attributes, "error.type", error)
        event = span.events.add()
        event.time_unix_nano = self._time(trace, end)
        event.name = "exception"
        _attribute(event.attributes, "exception.type", error)
        _attribute(event.attributes, "exception.message", message)


def _offsets(body: bytes, magic: bytes, width: int, expected: int) -> Indices:
    """Byte offsets of every field that starts with ``magic``, one row per field in serialisation order."""
    starts = [found.start() for found in re.finditer(re.escape(magic), body)]
    if len(starts) != expected:
        raise AssertionError(f"{expected} fields marked {magic!r}, {len(starts)} found: the marker is not unique")
    return np.array(starts, dtype=np.int64).reshape(-1, 1) + np.arange(width, dtype=np.int64)


_HEX_PAIRS: Final = np.frombuffer(b"".join(b"%02x" % i for i in range(256)), dtype=np.uint16)


def _hex(raw: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """ASCII hex digits of each row."""
    return _HEX_PAIRS[raw].view(np.uint8)


def _scramble(numbers: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Spread consecutive numbers over 64 bits (splitmix64), so that they look like identifiers."""
    z = numbers * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


class Workload:
    """A pool of template requests of one size. Share it between threads; give each thread its own stream."""

    def __init__(self, spans_per_request: int, *, seed: int = 20261103) -> None:
        if spans_per_request <= 0 or spans_per_request % SPANS_PER_TRACE:
            raise ValueError(f"{spans_per_request} spans per request: must be a multiple of {SPANS_PER_TRACE}")
        rng = random.Random(seed)
        self.spans_per_request = spans_per_request
        self.templates = tuple(
            _TemplateBuilder(rng, SERVICES[i % len(SERVICES)], spans_per_request // SPANS_PER_TRACE).build()
            for i in range(max(len(SERVICES), POOL_SPANS // spans_per_request))
        )

    @property
    def bytes_per_span(self) -> float:
        """Mean size of a span in a request, its share of the resource included."""
        return sum(len(t.body) for t in self.templates) / sum(t.spans for t in self.templates)

    @property
    def digest(self) -> str:
        """Hex digest of all that the seed decides: the templates with their sentinels, and the relative times."""
        digest = hashlib.sha256()
        for template in self.templates:
            digest.update(template.body.tobytes())
            digest.update(template.time_from_trace_end.astype("<i8").tobytes())
        return digest.hexdigest()[:16]

    def stream(self) -> "Stream":
        """An endless source of requests for one thread."""
        return Stream(self)


class Stream:
    """Requests, each one distinct. Not thread-safe."""

    def __init__(self, workload: Workload) -> None:
        self._workload = workload
        # Ids come from the system's entropy: two runs against one server must not meet in the same trace.
        self._rng = np.random.default_rng()
        self._next = int(self._rng.integers(len(workload.templates)))
        self._conversation_salt = self._rng.integers(1 << 63, dtype=np.uint64)
        self._traces = 0

    def request(self, now_ns: int | None = None) -> bytes:
        """One serialised ``ExportTraceServiceRequest`` whose traces ended in the second before ``now_ns``."""
        templates = self._workload.templates
        template = templates[self._next % len(templates)]
        self._next += 1
        rng = self._rng
        now_ns = time.time_ns() if now_ns is None else now_ns

        body = template.body.copy()
        ids = rng.integers(0, 256, size=16 * template.traces + 8 * template.spans, dtype=np.uint8)
        trace_ids = ids[: 16 * template.traces].reshape(-1, 16)
        span_ids = ids[16 * template.traces :].reshape(-1, 8)
        body[template.trace_id_at] = trace_ids[template.trace_of_span]
        body[template.span_id_at] = span_ids
        body[template.parent_id_at] = span_ids[template.parent_of]

        ends = now_ns - rng.integers(0, SECOND_NS, size=template.traces)
        times = ends[template.trace_of_time] + template.time_from_trace_end
        body[template.time_at] = times.astype("<i8").view(np.uint8).reshape(-1, 8)

        call_ids = rng.integers(0, 256, size=(len(template.call_id_at), CALL_ID_CHARS // 2), dtype=np.uint8)
        body[template.call_id_at] = _hex(call_ids)

        numbers = (self._traces + np.arange(template.traces)) // TRACES_PER_CONVERSATION
        conversations = _scramble(numbers.astype(np.uint64) + self._conversation_salt).view(np.uint8).reshape(-1, 8)
        conversation_ids = _hex(np.ascontiguousarray(conversations[:, : CONVERSATION_CHARS // 2]))
        body[template.conversation_at] = conversation_ids[template.trace_of_conversation]
        self._traces += template.traces
        return body.tobytes()


def check(workload: Workload) -> None:
    """Decode patched requests and assert that they are what they claim to be."""
    stream = workload.stream()
    seen: set[bytes] = set()
    for _ in range(len(workload.templates)):
        now = time.time_ns()
        request = ExportTraceServiceRequest.FromString(stream.request(now))
        spans = [s for rs in request.resource_spans for ss in rs.scope_spans for s in ss.spans]
        assert len(spans) == workload.spans_per_request
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
                "spans_per_request": workload.spans_per_request,
                "templates": len(workload.templates),
                "digest": workload.digest,
                "request_bytes_per_span": round(workload.bytes_per_span, 1),
                "span_bytes_p5_p50_p95": [int(x) for x in np.percentile(sizes, (5, 50, 95))],
                "span_bytes": {
                    operation: round(float(np.mean([s.ByteSize() for s in spans if s.name.startswith(operation)])))
                    for operation in sorted(operations)
                },
                "attributes_per_span": round(float(np.mean([len(s.attributes) for s in spans])), 2),
                "spans_with_events": round(float(np.mean([bool(s.events) for s in spans])), 4),
                "spans_with_errors": round(float(np.mean([s.status.code == 2 for s in spans])), 4),
                "generated_spans_per_s": round(requests * workload.spans_per_request / elapsed),
            }
        )
    )


if __name__ == "__main__":
    main()
