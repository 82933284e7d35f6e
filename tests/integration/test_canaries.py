"""Under the default policy no word of what anybody said is in any column, wherever its sender put it."""

from typing import Any

import pytest
from canaries import CANARY, KEYS, MARKER, TEXTS, columns_with, request_with, values_of
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from trace_requests import a_span, admitted, attributes, take

from agentvigil.receiver.otlp import LOGS, METRICS, OTLP_SIGNALS, TRACES, OtlpSignal
from agentvigil.semconv.privacy import ContentPolicy, KeyClass, class_of
from agentvigil.semconv.screening import is_label, is_name
from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.envelope import Limits

ALL = Limits(attributes=100_000, events=100_000, links=100_000)

EVERYWHERE = (
    "ResourceAttributes",
    "ScopeAttributes",
    "ResourceSchemaUrl",
    "ScopeName",
    "ScopeVersion",
    "ScopeSchemaUrl",
)
PLACES = {
    TRACES: (
        "SpanName", "TraceState", "StatusMessage", "SpanAttributes", "Events.Name", "Events.Attributes",
        "Links.TraceState", "Links.Attributes",
    ),
    LOGS: ("SeverityText", "EventName", "Body", "LogAttributes"),
    METRICS: ("MetricName", "MetricDescription", "MetricUnit", "Attributes", "Exemplars.FilteredAttributes"),
}  # fmt: skip


def places_of(otlp: OtlpSignal) -> set[str]:
    return {
        f"{destination.table}.{column}"
        for destination in otlp.signal.destinations
        for column in (*EVERYWHERE, *PLACES[otlp])
        if (destination.table, column) != ("otel_metrics_summary", "Exemplars.FilteredAttributes")
    }


def store_canaries(store: EmbeddedStore, otlp: OtlpSignal, policy: ContentPolicy, texts: tuple[str, ...]) -> None:
    body = request_with(otlp, b"t" * 16, texts)
    take(store, admitted(body, otlp=otlp, policy=policy, limits=ALL), otlp=otlp)


def asking(store: EmbeddedStore) -> Any:
    return lambda *queries: [store.rows(query) for query in queries]


def test_no_text_of_this_test_is_kept_on_purpose() -> None:
    """Else the search would look for what may well be stored."""
    assert [text for text in TEXTS if is_label(text) or is_name(text)] == []
    assert len(KEYS) > 700


@pytest.mark.parametrize("otlp", OTLP_SIGNALS, ids=lambda otlp: otlp.signal.name)
def test_no_canary_is_in_any_column(store: EmbeddedStore, otlp: OtlpSignal) -> None:
    """The search covers every table there is, those that are made of these rows too."""
    store_canaries(store, otlp, ContentPolicy.OFF, TEXTS)

    assert columns_with(asking(store), CANARY) == []
    kept = {f"{destination.table}.ResourceAttributes" for destination in otlp.signal.destinations}
    assert set(columns_with(asking(store), MARKER)) >= kept
    counted = store.rows("SELECT Signal, Key, sum(Records) FROM withheld_attributes GROUP BY ALL")
    keys = {key for signal, key, _ in counted if signal == otlp.signal.name}
    assert keys >= {"(not a label)", "input.value", "llm.input_messages.N.message.content", "app.note", "(schema url)"}


@pytest.mark.parametrize("otlp", OTLP_SIGNALS, ids=lambda otlp: otlp.signal.name)
def test_everything_is_there_where_everything_is_allowed(store: EmbeddedStore, otlp: OtlpSignal) -> None:
    """The search would find it."""
    store_canaries(store, otlp, ContentPolicy.FULL, TEXTS[:1])

    assert set(columns_with(asking(store), CANARY)) >= places_of(otlp)
    counted = {key for (key,) in store.rows("SELECT DISTINCT Key FROM withheld_attributes")}
    assert {class_of(key.replace(".N", ".0")) for key in counted} == {KeyClass.CONTENT}, "content is no attribute"


def test_masks_take_addresses_numbers_and_keys(store: EmbeddedStore) -> None:
    """Masked is for reading what was said without who said it."""
    text = "I am anna@mail.example, +49 170 1234567, 4111 1111 1111 1111, with sk-abcdefghijkl, ghp_0123456789abcdef"
    span = a_span(name=f"chat {text}", attributes=attributes({"app.note": text, "input.value": text, "app.n": "ok"}))
    body = ExportTraceServiceRequest(
        resource_spans=[{"scope_spans": [{"spans": [span]}]}]  # type: ignore[list-item]
    ).SerializeToString()

    take(store, admitted(body, policy=ContentPolicy.MASKED))

    masked = "I am [mail], [phone], [card], with [key], [key]"
    assert store.rows("SELECT SpanName, SpanAttributes FROM otel_traces") == [
        (f"chat {masked}", {"app.n": "ok", "app.note": masked})
    ]


def test_there_is_a_value_of_every_kind() -> None:
    """A kind that is missing here is not tested anywhere."""
    kinds = {value.WhichOneof("value") for value in values_of("x")}
    assert kinds == {"string_value", "bytes_value", "array_value", "kvlist_value"}
