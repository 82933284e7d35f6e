"""Logs and metrics are admitted as traces are: refused alone, counted exactly, and nothing in them is missed."""

from collections.abc import Iterator

import pytest
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs

from agentvigil.receiver.admission import admit, clean
from agentvigil.receiver.errors import BadRequest
from agentvigil.receiver.nested import may_need_flattening
from agentvigil.receiver.otlp import LOGS, METRICS, OTLP_SIGNALS, TRACES, OtlpSignal
from agentvigil.semconv.privacy import ContentPolicy
from agentvigil.storage.signals import EXPONENTIAL_HISTOGRAM, GAUGE, HISTOGRAM, SUM, SUMMARY

TRACE_ID, SPAN_ID = bytes(range(16)), bytes(range(8))
KINDS = {
    "gauge": GAUGE,
    "sum": SUM,
    "histogram": HISTOGRAM,
    "exponential_histogram": EXPONENTIAL_HISTOGRAM,
    "summary": SUMMARY,
}


def logs_of(*records: LogRecord) -> ExportLogsServiceRequest:
    return ExportLogsServiceRequest(resource_logs=[ResourceLogs(scope_logs=[ScopeLogs(log_records=records)])])


def metrics_of(**points: int) -> ExportMetricsServiceRequest:
    """One metric of each kind that is named, with so many points."""
    request = ExportMetricsServiceRequest()
    metrics = request.resource_metrics.add().scope_metrics.add().metrics
    for kind, count in points.items():
        data = getattr(metrics.add(name=f"a {kind}"), kind)
        data.SetInParent()
        for _ in range(count):
            data.data_points.add()
    return request


# Counting


@pytest.mark.parametrize(
    ("trace_id", "span_id", "valid"),
    [
        (b"", b"", True),
        (TRACE_ID, SPAN_ID, True),
        (TRACE_ID, b"", True),
        (bytes(16), bytes(8), True),
        (TRACE_ID[:15], SPAN_ID, False),
        (TRACE_ID, b"\0", False),
        (TRACE_ID.hex().encode(), SPAN_ID, False),
    ],
)
def test_records_with_broken_ids_are_left_out_and_counted(trace_id: bytes, span_id: bytes, valid: bool) -> None:
    """A record needs no trace, but one that it names must be one."""
    good = LogRecord(body=AnyValue(string_value="good"))
    request = logs_of(good, LogRecord(trace_id=trace_id, span_id=span_id), good)

    admitted = admit(LOGS, request.SerializeToString(), "default")

    assert (admitted.items, admitted.rejected) == ((3, 0) if valid else (2, 1))
    assert admitted.destinations == LOGS.signal.destinations
    if not valid:
        assert admitted.rejection.startswith("1 of 3 log records have invalid ids")
        assert ExportLogsServiceRequest.FromString(admitted.body) == logs_of(good, good)


def test_only_broken_records_are_an_error() -> None:
    """Nothing of them can be stored, now or later."""
    with pytest.raises(BadRequest, match="1 of 1 log records"):
        admit(LOGS, logs_of(LogRecord(trace_id=b"short")).SerializeToString(), "default")


@given(st.dictionaries(st.sampled_from(sorted(KINDS)), st.integers(0, 3)))
def test_a_request_goes_where_it_has_data_points(points: dict[str, int]) -> None:
    """An insert of nothing costs as much as one of something."""
    body = metrics_of(**points).SerializeToString()

    admitted = admit(METRICS, body, "default")

    assert admitted.items == sum(points.values())
    assert set(admitted.destinations) == {KINDS[kind] for kind, count in points.items() if count}
    assert admitted.body == body


def test_points_of_a_metric_without_a_name_are_left_out_and_counted() -> None:
    """Nobody could ask for them: https://opentelemetry.io/docs/specs/otel/metrics/data-model/."""
    request = metrics_of(gauge=2, sum=3)
    request.resource_metrics[0].scope_metrics[0].metrics[1].name = ""

    admitted = admit(METRICS, request.SerializeToString(), "default")

    assert (admitted.items, admitted.rejected, admitted.destinations) == (2, 3, (GAUGE,))
    assert admitted.rejection == "3 of 5 data points belong to metrics without a name"
    assert ExportMetricsServiceRequest.FromString(admitted.body) == metrics_of(gauge=2)


def test_a_metric_without_data_is_nothing() -> None:
    """Kinds that are not known here, and kinds without a point."""
    request = metrics_of(histogram=0)
    request.resource_metrics[0].scope_metrics[0].metrics.add(name="of a kind to come")

    admitted = admit(METRICS, request.SerializeToString(), "default")

    assert (admitted.items, admitted.rejected, admitted.destinations) == (0, 0, ())


def test_the_same_bytes_are_another_request_for_another_signal() -> None:
    """An empty request of logs must not be taken for one of traces."""
    assert len({admit(otlp, b"", "default").request_hash for otlp in OTLP_SIGNALS}) == 3


@pytest.mark.parametrize("otlp", OTLP_SIGNALS, ids=lambda otlp: otlp.signal.name)
def test_what_is_no_request_is_refused_by_its_name(otlp) -> None:  # type: ignore[no-untyped-def]
    """An exporter that sends to the wrong place is the usual reason."""
    with pytest.raises(BadRequest, match=f"not an OTLP {otlp.request.DESCRIPTOR.name}"):
        admit(otlp, b"\x0a\xff", "default")
    assert clean(otlp, b"\x0a\xff") is None
    assert clean(otlp, b"\x98\x06\x01") == b""


# Values that ClickHouse does not read


UNCOMMON = {
    "bytes": AnyValue(bytes_value=b"\xff"),
    "map": AnyValue(kvlist_value=KeyValueList(values=[KeyValue(key="a", value=AnyValue(int_value=1))])),
    "empty map": AnyValue(kvlist_value=KeyValueList()),
    "numbers": AnyValue(array_value=ArrayValue(values=[AnyValue(int_value=1)])),
    "mixed": AnyValue(array_value=ArrayValue(values=[AnyValue(string_value="a"), AnyValue()])),
}
TEXTS = {"bytes": "/w==", "map": '{"a":1}', "empty map": "{}", "numbers": "[1]", "mixed": '["a",null]'}


def _admitted(otlp: OtlpSignal, request: Message) -> bytes:
    """The body of ``request`` as it is admitted where everything may be stored."""
    return admit(otlp, request.SerializeToString(), "default", ContentPolicy.FULL).body


@pytest.mark.parametrize("name", UNCOMMON)
def test_uncommon_bodies_become_their_text(name: str) -> None:
    """A body that the store does not read would be stored as nothing."""
    for neighbour in ("", "x" * 200, "*", "2:"):
        record = LogRecord(body=UNCOMMON[name], severity_text=neighbour, event_name=neighbour)
        request = logs_of(LogRecord(body=AnyValue(string_value=neighbour)), record)

        admitted = ExportLogsServiceRequest.FromString(_admitted(LOGS, request))

        records = admitted.resource_logs[0].scope_logs[0].log_records
        assert [record.body.string_value for record in records] == [neighbour, TEXTS[name]]


def test_an_ordinary_body_is_not_suspected() -> None:
    """A walk in Python costs several times what the scan does."""
    for text in ("", "*", "INFO: done", "x" * 300, "a*b\n12"):
        body = logs_of(LogRecord(body=AnyValue(string_value=text), time_unix_nano=1)).SerializeToString()
        assert not may_need_flattening(body, LOGS.value_tags)


def places_of(request: ExportMetricsServiceRequest) -> Iterator[object]:
    """Every list of attributes that a request of metrics has room for."""
    resource = request.resource_metrics.add()
    yield resource.resource.attributes
    scope = resource.scope_metrics.add()
    yield scope.scope.attributes
    for kind in KINDS:
        point = getattr(scope.metrics.add(name=kind), kind).data_points.add()
        yield point.attributes
        if kind != "summary":
            yield point.exemplars.add().filtered_attributes


@pytest.mark.parametrize("name", UNCOMMON)
def test_uncommon_values_are_found_wherever_metrics_have_attributes(name: str) -> None:
    """Exemplars keep attributes too."""
    for place in range(len(list(places_of(ExportMetricsServiceRequest())))):
        request = ExportMetricsServiceRequest()
        attributes = list(places_of(request))[place]
        attributes.add(key="k").value.CopyFrom(UNCOMMON[name])  # type: ignore[attr-defined]

        body = _admitted(METRICS, request)

        assert TEXTS[name].encode() in body
        assert not may_need_flattening(body, METRICS.value_tags)


def test_bytes_become_a_word_where_content_is_off() -> None:
    """In base64 what somebody said looks like a label, and labels are kept of unknown keys."""
    octets = AnyValue(bytes_value=b"what somebody said")
    nested = AnyValue(kvlist_value=KeyValueList(values=[KeyValue(key="a", value=octets)]))
    values = [octets, AnyValue(array_value=ArrayValue(values=[octets])), nested]
    request = logs_of(*(LogRecord(body=value) for value in values))

    admitted = ExportLogsServiceRequest.FromString(admit(LOGS, request.SerializeToString(), "default").body)

    records = admitted.resource_logs[0].scope_logs[0].log_records
    assert [record.body.string_value for record in records] == ["(bytes)", '["(bytes)"]', '{"a":"(bytes)"}']


def test_traces_look_at_no_bodies() -> None:
    """A span's name stands behind the tag that a body has."""
    assert TRACES.value_tags == METRICS.value_tags == LOGS.value_tags[:1]
