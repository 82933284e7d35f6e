"""Feedback as telemetry: the log record that ``agentvigil.agent.feedback`` sends, for whoever has no SDK."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs, SeverityNumber
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from agentvigil.api.feedback.models import Judgement
from agentvigil.semconv import __version__, names
from agentvigil.semconv.names import SERVICE_NAME

_SCOPE: Final = InstrumentationScope(name="agentvigil.api", version=__version__)


def request_with(judgement: Judgement, run: Mapping[str, Any], span_id: str, at_ns: int) -> bytes:
    """Return the export request with the record of ``judgement`` of ``run``, a row of agent_runs, by way of a span.

    Both ids are in hex; where they are none, as in rows that others wrote, the record names the run alone.
    """
    record = LogRecord(
        time_unix_nano=at_ns,
        observed_time_unix_nano=at_ns,
        severity_number=SeverityNumber.SEVERITY_NUMBER_INFO,
        event_name=names.EVENT_GEN_AI_EVALUATION_RESULT,
        attributes=[KeyValue(key=key, value=value) for key, value in _said(judgement, run["RunId"])],
        trace_id=_octets(run["TraceId"], 16),
        span_id=_octets(span_id, 8),
    )
    resource = Resource(attributes=[KeyValue(key=SERVICE_NAME, value=AnyValue(string_value=run["ServiceName"]))])
    return ExportLogsServiceRequest(
        resource_logs=[ResourceLogs(resource=resource, scope_logs=[ScopeLogs(scope=_SCOPE, log_records=[record])])]
    ).SerializeToString()


def _said(judgement: Judgement, run_id: str) -> Iterator[tuple[str, AnyValue]]:
    texts = {
        names.GEN_AI_EVALUATION_NAME: judgement.name,
        names.GEN_AI_EVALUATION_SCORE_LABEL: judgement.label,
        names.GEN_AI_EVALUATION_EXPLANATION: judgement.comment,
        names.AGENTVIGIL_FEEDBACK_RUN_ID: run_id,
        names.AGENTVIGIL_FEEDBACK_LABEL: judgement.label,
        names.AGENTVIGIL_FEEDBACK_SOURCE: judgement.source.value,
        names.AGENTVIGIL_FEEDBACK_COMMENT: judgement.comment,
    }
    yield from ((key, AnyValue(string_value=text)) for key, text in texts.items() if text is not None)
    if judgement.score is not None:
        for key in (names.GEN_AI_EVALUATION_SCORE_VALUE, names.AGENTVIGIL_FEEDBACK_SCORE):
            yield key, AnyValue(double_value=judgement.score)


def _octets(text: str, length: int) -> bytes:
    try:
        octets = bytes.fromhex(text)
    except ValueError:
        return b""
    return octets if len(octets) == length else b""
