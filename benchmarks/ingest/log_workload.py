"""The pinned workload of logs: what agents' services log, as OTLP requests of one service each.

Of every five records four are lines of a service (about 120 bytes, eight attributes) and one is a gen_ai event without
a body and without content. Six of seven records name the trace and span they were written in: eight records to a trace,
two to a span. Fresh in every request: those ids, both times of a record (the last of a trace within the second before
the send), a request id in the text of every line, response and conversation ids. All else is fixed by the seed.
How requests are made is in ``patching.py``.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, SeverityNumber
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
    Pool,
    Template,
    Values,
    add_attributes,
    add_resource,
    protobuf_template,
    sentinel,
    text_sentinel,
)
from workload import MODELS, SERVICES, Service

RECORDS_PER_TRACE: Final = 8
RECORDS_PER_SPAN: Final = 2
POOL_RECORDS: Final = 16_384
EVENT: Final = "gen_ai.client.inference.operation.details"

_SEVERITIES: Final = (
    (SeverityNumber.SEVERITY_NUMBER_INFO, "INFO", 0.78),
    (SeverityNumber.SEVERITY_NUMBER_DEBUG, "DEBUG", 0.12),
    (SeverityNumber.SEVERITY_NUMBER_WARN, "WARNING", 0.07),
    (SeverityNumber.SEVERITY_NUMBER_ERROR, "ERROR", 0.03),
)
_MODULES: Final = ("api", "planner", "memory", "tool_runner", "model_client", "session_store")


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

    def __init__(self, rng: random.Random, service: Service, records: int) -> None:
        self.rng = rng
        self.service = service
        self.records = records
        self.trace_of_record: list[int] = []
        self.span_of_record: list[int] = []
        self.trace_of_conversation: list[int] = []
        self.call_ids = 0
        self.times: list[tuple[int, int]] = []  # (trace, nanoseconds from the trace's end, negative)

    def build(self) -> Draft:
        request = ExportLogsServiceRequest()
        resource_logs = request.resource_logs.add()
        add_resource(resource_logs.resource, self.rng, self.service.name)
        scope_logs = resource_logs.scope_logs.add()
        scope_logs.scope.name = f"{self.service.name.replace('-', '_')}.logging"
        for index in range(self.records):
            self._record(scope_logs.log_records.add(), index)
        times = np.array(self.times, dtype=np.int64)
        relative_times = times[:, 1].copy()
        traces = -(-self.records // RECORDS_PER_TRACE)
        spans = -(-self.records // RECORDS_PER_SPAN)
        return Draft(
            request,
            self.records,
            {
                TRACE_ID: np.array(self.trace_of_record, dtype=np.int64),
                SPAN_ID: np.array(self.span_of_record, dtype=np.int64),
                TIME: np.arange(len(times)),
                CALL_ID: np.arange(self.call_ids),
                CONVERSATION: np.array(self.trace_of_conversation, dtype=np.int64),
            },
            _Plan(traces, spans, self.call_ids, times[:, 0].copy(), relative_times),
            relative_times,
        )

    def _record(self, record: LogRecord, index: int) -> None:
        rng = self.rng
        trace, place = divmod(index, RECORDS_PER_TRACE)
        # Some 100 ms between the records of a trace, and up to a millisecond until the SDK has seen one.
        from_end = -(RECORDS_PER_TRACE - place) * 100_000_000 + rng.randrange(90_000_000)
        record.time_unix_nano = self._time(trace, from_end)
        if rng.random() < 6 / 7:
            record.trace_id = sentinel(TRACE_ID.magic, trace, TRACE_ID.width)
            record.span_id = sentinel(SPAN_ID.magic, index // RECORDS_PER_SPAN, SPAN_ID.width)
            record.flags = 1
            self.trace_of_record.append(trace)
            self.span_of_record.append(index // RECORDS_PER_SPAN)
        if index % 5 == 4:
            self._event(record, trace)
        else:
            self._line(record)
        record.observed_time_unix_nano = self._time(trace, from_end + rng.randrange(1_000_000))

    def _event(self, record: LogRecord, trace: int) -> None:
        rng = self.rng
        provider, request_model, response_model = rng.choice(MODELS)
        record.event_name = EVENT
        record.severity_number = SeverityNumber.SEVERITY_NUMBER_INFO
        # In the order in which they are written here: conversation and call ids are counted by it.
        self.trace_of_conversation.append(trace)
        attributes: dict[str, AttributeValue] = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": provider,
            "gen_ai.request.model": request_model,
            "gen_ai.response.model": response_model,
            "gen_ai.conversation.id": text_sentinel(CONVERSATION),
            "gen_ai.response.id": self._call_id("resp-"),
            "gen_ai.usage.input_tokens": int(rng.lognormvariate(7.3, 0.8)),
            "gen_ai.usage.output_tokens": rng.randrange(20, 900),
            "gen_ai.response.finish_reasons": [rng.choice(("stop", "tool_calls", "length"))],
            "gen_ai.agent.name": self.service.agent,
        }
        add_attributes(record.attributes, attributes)

    def _line(self, record: LogRecord) -> None:
        rng, service = self.rng, self.service
        number, text, _ = rng.choices(_SEVERITIES, [weight for *_, weight in _SEVERITIES])[0]
        record.severity_number, record.severity_text = number, text
        module, tool = rng.choice(_MODULES), rng.choice(service.tools)
        milliseconds = int(rng.lognormvariate(5, 1))
        request = self._call_id("req-")
        if number >= SeverityNumber.SEVERITY_NUMBER_WARN:
            line = (
                f"tool {tool} did not answer {service.agent} within {milliseconds} ms on attempt {rng.randrange(1, 5)} "
                f"for {request}, it is tried again in {rng.randrange(100, 900)} ms"
            )
        else:
            line = self._usual_line(request, tool, milliseconds)
        record.body.string_value = line
        attributes: dict[str, AttributeValue] = {
            "code.function.name": f"{service.name.replace('-', '_')}.{module}.{rng.choice(('run', 'handle', 'step'))}",
            "code.file.path": f"/srv/app/{module}.py",
            "code.line.number": rng.randrange(20, 400),
            "thread.name": f"worker-{rng.randrange(8)}",
            "http.request.method": "POST",
            "http.response.status_code": rng.choice((200, 200, 200, 202, 429)),
            "duration_ms": round(milliseconds + rng.random(), 3),
            "user.id": f"user-{rng.randrange(5000)}",
        }
        if number == SeverityNumber.SEVERITY_NUMBER_ERROR:
            attributes["exception.type"] = rng.choice(("TimeoutError", "ConnectionResetError"))
        add_attributes(record.attributes, attributes)

    def _usual_line(self, request: str, tool: str, milliseconds: int) -> str:
        rng, service = self.rng, self.service
        match rng.randrange(3):
            case 0:
                return (
                    f"POST /v1/{service.name}/messages answered {request} with 200 in {milliseconds} ms, "
                    f"{rng.randrange(1, 9)} steps, {rng.randrange(200, 9000)} bytes sent"
                )
            case 1:
                return (
                    f"agent {service.agent} chose {tool} for {request}: step {rng.randrange(1, 9)} of at most 12, "
                    f"{rng.randrange(500, 60_000)} tokens of context left after pruning"
                )
            case _:
                return (
                    f"session for {request} read from cache node {rng.randrange(8)} in {milliseconds} ms, "
                    f"{rng.randrange(2, 60)} turns, {rng.randrange(1, 64)} kB, summary is up to date"
                )

    def _call_id(self, prefix: str) -> str:
        self.call_ids += 1
        return prefix + text_sentinel(CALL_ID)

    def _time(self, trace: int, from_trace_end: int) -> int:
        self.times.append((trace, from_trace_end))
        return int.from_bytes(sentinel(TIME.magic, len(self.times), TIME.width), "little")


class LogValues:
    """Fresh values for the requests of one stream."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng

    def __call__(self, plan: _Plan, now_ns: int) -> Values:
        """Values of a request whose traces wrote their last records in the second before ``now_ns``."""
        ends = now_ns - self._rng.integers(1_000_000, SECOND_NS, size=plan.traces)
        return {
            TRACE_ID: self._random_bytes(plan.traces, TRACE_ID.width),
            SPAN_ID: self._random_bytes(plan.spans, SPAN_ID.width),
            TIME: ends[plan.trace_of_time] + plan.time_from_trace_end,
            CALL_ID: self._random_bytes(plan.call_ids, CALL_ID.width // 2),
            CONVERSATION: self._random_bytes(plan.traces, CONVERSATION.width // 2),
        }

    def _random_bytes(self, rows: int, width: int) -> npt.NDArray[np.uint8]:
        return self._rng.integers(0, 256, size=(rows, width), dtype=np.uint8)


class LogWorkload(Pool):
    """A pool of requests with log records, all of one size."""

    def __init__(
        self,
        records_per_request: int,
        spell: Callable[[Draft], Template] = protobuf_template,
        *,
        seed: int = 20261103,
    ) -> None:
        rng = random.Random(seed)
        drafts = [
            _DraftBuilder(rng, SERVICES[i % len(SERVICES)], records_per_request).build()
            for i in range(max(len(SERVICES), POOL_RECORDS // records_per_request))
        ]
        super().__init__(drafts, spell, LogValues)
