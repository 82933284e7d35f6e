"""Requests with a canary wherever OTLP lets a sender put text, and the search for it in every column of a store."""

import base64
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from agentvigil.receiver.otlp import LOGS, METRICS, OtlpSignal
from agentvigil.semconv.privacy import TEXT_CLASSES, KeyClass, key_classes

CANARY: Final = f"Qz{uuid.uuid4().hex}"
"""What is searched for: one word, which stands in every text below."""

MARKER: Final = f"what-may-be-stored-{uuid.uuid4().hex}"
"""A label under a key that nobody knows: it is kept, and shows that the search finds what is there."""

TEXTS: Final = (
    f"my name is {CANARY} and I am ill",
    f"dear {CANARY} please help",
    f"write to {CANARY}@mail.example or +49 170 1234567 by 2027-01-01",
    f"""he said "{CANARY}" and 'left'; DROP TABLE {{x:String}} \\ %s""",
    f"メモ {CANARY} für Jürgen: “geheim” Überweisung 😀",
    f'{{"question": "who is {CANARY} to you", "{CANARY} in a key": 1, "n": 2}}',
    f"{{'text': 'about {CANARY} the patient', 'n': 3, '{CANARY} here': 4}}",
    f"ValueError: could not book a room for {CANARY} on Monday\nTraceback: {CANARY} again (error 429)",
    f'File "/home/{CANARY} x/run.py", line 3, in main\n    raise E("{CANARY} was here")',
    f"https://shop.example/?q={CANARY} is sick",
    f"a=b,{CANARY} c=what is said",
    f"Bearer of bad news: {CANARY} lost 4111 1111 1111 1111",
)
"""None of them is a label, or a name of three words at most: those are kept on purpose."""

_FAMILIES: Final = (
    *(family + rest for family in key_classes().families for rest in ("0", "0.message.content", "12.role", "x")),
)
_UNKNOWN: Final = ("app.note", "baggage.user.note", "ui.comment", "message.text", "x", *TEXT_CLASSES)
KEYS: Final = (*sorted(key_classes().keys), *_FAMILIES, *_UNKNOWN)
"""Every key anybody told us of, some of every family, and some of nobody's."""

_ONE_OF_EACH: Final = (
    *{key_classes().of(key): key for key in KEYS}.values(),
    *("input.value", "service.name", "user.id", "exception.message", "exception.stacktrace", "gen_ai.input.messages"),
    "llm.invocation_parameters",
    *_UNKNOWN,
)
_OF_PLACES: Final = (KeyClass.SPAN_NAME, KeyClass.TRACE_STATE, KeyClass.URL)
NOW_NS: Final = time.time_ns()


def spellings(text: str) -> list[bytes]:
    """``text`` as it may stand in a file: plain, in base64 as bytes values are stored, in hex, in UTF-16."""
    plain = text.encode()
    # From the second and third byte on, for text that does not start where a group of three bytes does.
    encoded = [base64.b64encode(plain[skip:])[:-4] for skip in range(3)]
    return [plain, *encoded, plain.hex().encode(), plain.hex().upper().encode(), text.encode("utf-16-le")]


def map_of(values: Mapping[str, AnyValue]) -> AnyValue:
    return AnyValue(kvlist_value={"values": [KeyValue(key=key, value=value) for key, value in values.items()]})


def array_of(*values: AnyValue) -> AnyValue:
    return AnyValue(array_value={"values": values})


def values_of(text: str) -> list[AnyValue]:
    """``text`` in every kind of value, flat and nested, and as a key in one."""
    string, octets = AnyValue(string_value=text), AnyValue(bytes_value=text.encode())
    short = AnyValue(bytes_value=CANARY.encode())
    message = map_of({"role": AnyValue(string_value="user"), "content": string, "parts": array_of(string, octets)})
    keyed = map_of({text: AnyValue(int_value=1)})
    return [
        string,
        octets,
        short,
        array_of(string),
        array_of(short),
        message,
        array_of(message, array_of(string)),
        keyed,
    ]


def _attributes(text: str, value: AnyValue, keys: Iterable[str]) -> list[KeyValue]:
    return [
        *(KeyValue(key=key, value=value) for key in keys),
        # The key itself, under values that are kept.
        KeyValue(key=text, value=AnyValue(int_value=1)),
        KeyValue(key=f"app.{text}", value=AnyValue(string_value="ok")),
        KeyValue(key="app.marker", value=AnyValue(string_value=MARKER)),
    ]


def request_with(otlp: OtlpSignal, trace_id: bytes, texts: Sequence[str] = TEXTS) -> bytes:
    """A serialised request with every one of ``texts`` everywhere, in every kind of value."""
    make: Callable[[str, AnyValue, bytes], Any] = {LOGS: _logs, METRICS: _metrics}.get(otlp, _spans)
    found = [make(text, value, trace_id) for text in texts for value in values_of(text)]
    if otlp is LOGS:
        return ExportLogsServiceRequest(resource_logs=found).SerializeToString()
    if otlp is METRICS:
        return ExportMetricsServiceRequest(resource_metrics=found).SerializeToString()
    return ExportTraceServiceRequest(resource_spans=found).SerializeToString()


def _spans(text: str, value: AnyValue, trace_id: bytes) -> Any:
    some = _attributes(text, value, _ONE_OF_EACH)
    spans: list[dict[str, Any]] = [
        {
            "trace_id": trace_id,
            "span_id": (day + 1).to_bytes(8, "big"),
            "name": name,
            "trace_state": text,
            "kind": 3,
            "start_time_unix_nano": NOW_NS - day * 86_400 * 10**9,
            "end_time_unix_nano": NOW_NS,
            "attributes": _attributes(text, value, KEYS if day == 0 else _ONE_OF_EACH),
            "status": {"code": 2, "message": text},
            "events": [
                {"name": event, "time_unix_nano": NOW_NS, "attributes": some}
                for event in ("gen_ai.user.message", "exception", text)
            ],
            "links": [
                {
                    "trace_id": bytes(15) + b"\x01",
                    "span_id": bytes(7) + b"\x01",
                    "trace_state": text,
                    "attributes": some,
                }
            ],
        }
        for day, name in enumerate((f"invoke_agent {text}", text))
    ]
    scope = {"scope": _scope(text, some), "schema_url": text, "spans": spans}
    return {"resource": Resource(attributes=some), "schema_url": text, "scope_spans": [scope]}


def _logs(text: str, value: AnyValue, trace_id: bytes) -> Any:
    some = _attributes(text, value, _ONE_OF_EACH)
    named = [KeyValue(key="event.name", value=AnyValue(string_value="gen_ai.choice"))]
    mapped = map_of({"input": value, "note": value, "marker": AnyValue(string_value=MARKER)})
    common = {"trace_id": trace_id, "time_unix_nano": NOW_NS}
    records: list[dict[str, Any]] = [
        {**common, "attributes": _attributes(text, value, KEYS), "severity_text": text, "event_name": text},
        {**common, "event_name": "gen_ai.user.message", "body": value},
        {**common, "attributes": named, "body": value},
        {**common, "body": value},
        {**common, "body": mapped},
    ]
    scope = {"scope": _scope(text, some), "schema_url": text, "log_records": records}
    return {"resource": Resource(attributes=some), "schema_url": text, "scope_logs": [scope]}


def _metrics(text: str, value: AnyValue, trace_id: bytes) -> Any:
    some = _attributes(text, value, _ONE_OF_EACH)
    metrics: list[dict[str, Any]] = []
    for kind in ("gauge", "sum", "histogram", "exponential_histogram", "summary"):
        keys = KEYS if kind == "gauge" else _ONE_OF_EACH
        point: dict[str, Any] = {"time_unix_nano": NOW_NS, "attributes": _attributes(text, value, keys)}
        if kind != "summary":
            point["exemplars"] = [{"trace_id": trace_id, "time_unix_nano": NOW_NS, "filtered_attributes": some}]
        metrics.append({"name": text, "description": text, "unit": text, kind: {"data_points": [point]}})
    scope = {"scope": _scope(text, some), "schema_url": text, "metrics": metrics}
    return {"resource": Resource(attributes=some), "schema_url": text, "scope_metrics": [scope]}


def _scope(text: str, attributes: list[KeyValue]) -> InstrumentationScope:
    return InstrumentationScope(name=text, version=text, attributes=attributes)


def columns_with(answers: Callable[..., Sequence[Sequence[Sequence[Any]]]], *texts: str) -> list[str]:
    """Columns of any table that hold one of ``texts``, as ``table.column``; ``answers`` answers queries, any number."""
    (columns,) = answers(
        "SELECT table, groupArray(name) FROM system.columns WHERE database = currentDatabase() AND table IN "
        "(SELECT name FROM system.tables WHERE database = currentDatabase() "
        "AND engine NOT IN ('Null', 'MaterializedView', 'View', 'Dictionary')) AND default_kind != 'EPHEMERAL' "
        "AND (type LIKE '%String%' OR type LIKE '%Map%' OR type LIKE '%Array%') GROUP BY table ORDER BY table"
    )
    assert sum(len(names) for _, names in columns) > 100
    needles = ", ".join(f"unhex('{needle.hex()}')" for text in texts for needle in spellings(text))
    counts = (
        (table, ", ".join(f"countIf(multiSearchAny(toString(`{name}`), [{needles}]))" for name in names))
        for table, names in columns
    )
    counted = answers(*(f"SELECT {count} FROM `{table}`" for table, count in counts))
    return [
        f"{table}.{name}"
        for (table, names), ((*hits,),) in zip(columns, counted, strict=True)
        for name, count in zip(names, hits, strict=True)
        if count
    ]


assert {key_classes().of(key) for key in _ONE_OF_EACH} >= {kind for kind in KeyClass if kind not in _OF_PLACES}
