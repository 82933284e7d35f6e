"""Logs as OTLP has them: which records are valid, and where values are."""

from collections.abc import Iterator
from operator import attrgetter
from typing import Final

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ScopeLogs

from agentvigil.receiver.around import values_around
from agentvigil.receiver.checking import INVALID_IDS, Checked, remove_invalid
from agentvigil.storage.signals import LOGS

_TRACE_ID: Final = attrgetter("trace_id")
_SPAN_ID: Final = attrgetter("span_id")
_TRACE_ID_LENGTHS: Final = {0, 16}
_SPAN_ID_LENGTHS: Final = {0, 8}


def check_logs(request: ExportLogsServiceRequest) -> Checked:
    """Count the records of ``request`` and take out those whose trace or span id is there but of a wrong length."""
    scopes = [scope for resource in request.resource_logs for scope in resource.scope_logs]
    records = sum(len(scope.log_records) for scope in scopes)
    damaged = [scope for scope in scopes if not _all_ids_valid(scope)]
    for scope in damaged:
        remove_invalid(scope.log_records, _ids_valid)
    valid = sum(len(scope.log_records) for scope in scopes) if damaged else records
    if valid == records:
        return Checked(records, LOGS.destinations)
    return Checked(
        valid,
        LOGS.destinations,
        records - valid,
        f"{records - valid} of {records} log records have invalid ids: a trace id is 16 bytes, a span id 8, "
        "in JSON as hex, or there is none",
        INVALID_IDS,
    )


def log_values(request: ExportLogsServiceRequest) -> Iterator[AnyValue]:
    """Yield every attribute's value and every body."""
    yield from values_around(request, "resource_logs", "scope_logs")
    for resource_logs in request.resource_logs:
        for scope_logs in resource_logs.scope_logs:
            for record in scope_logs.log_records:
                yield from (pair.value for pair in record.attributes)
                yield record.body


def _all_ids_valid(scope: ScopeLogs) -> bool:
    return (
        set(map(len, map(_TRACE_ID, scope.log_records))) <= _TRACE_ID_LENGTHS
        and set(map(len, map(_SPAN_ID, scope.log_records))) <= _SPAN_ID_LENGTHS
    )


def _ids_valid(record: LogRecord) -> bool:
    return len(record.trace_id) in _TRACE_ID_LENGTHS and len(record.span_id) in _SPAN_ID_LENGTHS
