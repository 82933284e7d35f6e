"""What a sender measured must be found again in SQL: each kind in its own table, under the Collector's columns."""

import json
import math
import time
from collections.abc import Mapping
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK,
    ExponentialHistogramDataPoint,
    Metric,
    ResourceMetrics,
    ScopeMetrics,
    SummaryDataPoint,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from otlp_requests import (
    VALUES,
    a_metric,
    a_point,
    an_exemplar,
    columns_of,
    insert,
    keys_of,
    metrics_of,
    only_row,
    request_hash,
    rows_of,
)
from trace_requests import DAY, NOW, S, attributes

from agentvigil.semconv.content import CONTENT_KEYS, CONTENT_NUMBERED_PREFIXES, CONTENT_PREFIXES
from agentvigil.semconv.privacy import ContentPolicy
from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.envelope import ExportRequest, Limits, wrap
from agentvigil.storage.errors import QueryFailed
from agentvigil.storage.signals import EXPONENTIAL_HISTOGRAM, GAUGE, HISTOGRAM, METRICS, SUM, SUMMARY, Destination
from agentvigil.storage.varint import varint

ORIGINAL_TIME = "agentvigil.original_time_unix_nano"
SECRET = "what somebody said"

DESTINATIONS: dict[str, Destination] = {
    "gauge": GAUGE,
    "sum": SUM,
    "histogram": HISTOGRAM,
    "exponential_histogram": EXPONENTIAL_HISTOGRAM,
    "summary": SUMMARY,
}
"""By name of ``Metric``'s field."""
WITH_EXEMPLARS = ("gauge", "sum", "histogram", "exponential_histogram")

MAP = "Map(LowCardinality(String), String)"
COMMON = {
    "ResourceAttributes": MAP,
    "ResourceSchemaUrl": "String",
    "ScopeName": "String",
    "ScopeVersion": "String",
    "ScopeAttributes": MAP,
    "ScopeDroppedAttrCount": "UInt32",
    "ScopeSchemaUrl": "String",
    "ServiceName": "LowCardinality(String)",
    "MetricName": "LowCardinality(String)",
    "MetricDescription": "String",
    "MetricUnit": "String",
    "Attributes": MAP,
    "StartTimeUnix": "DateTime",
    "TimeUnix": "DateTime",
}
EXEMPLARS = {
    "Exemplars.FilteredAttributes": f"Array({MAP})",
    "Exemplars.TimeUnix": "Array(DateTime)",
    "Exemplars.Value": "Array(Float64)",
    "Exemplars.SpanId": "Array(String)",
    "Exemplars.TraceId": "Array(String)",
}
COUNT_AND_SUM = {"Count": "UInt64", "Sum": "Float64"}
FLAGS = {"Flags": "UInt32"}
MIN_AND_MAX = {"Min": "Float64", "Max": "Float64"}
TEMPORALITY = {"AggregationTemporality": "Int32"}
COLLECTORS_COLUMNS: dict[str, dict[str, str]] = {
    "gauge": {**COMMON, "Value": "Float64", **FLAGS, **EXEMPLARS},
    "sum": {**COMMON, "Value": "Float64", **FLAGS, **EXEMPLARS, **TEMPORALITY, "IsMonotonic": "Bool"},
    "histogram": {
        **COMMON,
        **COUNT_AND_SUM,
        "BucketCounts": "Array(UInt64)",
        "ExplicitBounds": "Array(Float64)",
        **EXEMPLARS,
        **FLAGS,
        **MIN_AND_MAX,
        **TEMPORALITY,
    },
    "exponential_histogram": {
        **COMMON,
        **COUNT_AND_SUM,
        "Scale": "Int32",
        "ZeroCount": "UInt64",
        "PositiveOffset": "Int32",
        "PositiveBucketCounts": "Array(UInt64)",
        "NegativeOffset": "Int32",
        "NegativeBucketCounts": "Array(UInt64)",
        **EXEMPLARS,
        **FLAGS,
        **MIN_AND_MAX,
        **TEMPORALITY,
    },
    "summary": {
        **COMMON,
        **COUNT_AND_SUM,
        "ValueAtQuantiles.Quantile": "Array(Float64)",
        "ValueAtQuantiles.Value": "Array(Float64)",
        **FLAGS,
    },
}
"""Those of the tables as the Collector's ClickHouse exporter 0.161 creates them."""

CONTENT = [
    *CONTENT_KEYS,
    *(prefix + "x" for prefix in CONTENT_PREFIXES),
    *(prefix + "0.content" for prefix in CONTENT_NUMBERED_PREFIXES),
]


def rows_of_all(store: EmbeddedStore) -> dict[str, list[dict[str, Any]]]:
    return {kind: rows_of(store, destination) for kind, destination in DESTINATIONS.items()}


def rows_by_name(store: EmbeddedStore, kind: str = "gauge") -> dict[str, dict[str, Any]]:
    return {row["MetricName"]: row for row in rows_of(store, DESTINATIONS[kind])}


def test_the_tables_start_with_the_collectors_columns(store: EmbeddedStore) -> None:
    """Its exporter and Rotel name them in their own statements; only times are finer here."""
    for kind, collectors in COLLECTORS_COLUMNS.items():
        ours = {name: type_ for name, type_, _ in columns_of(store, DESTINATIONS[kind])[: len(collectors)]}
        finer = {name: type_.replace("DateTime", "DateTime64(9)") for name, type_ in collectors.items()}
        assert list(ours.items()) == list(finer.items())
        assert keys_of(store, DESTINATIONS[kind]) == (
            "ServiceName, MetricName, toStartOfHour(TimeUnix), cityHash64(Attributes), TimeUnix",
            "(toDate(TimeUnix), KeepDays)",
        )


# Field by field

POINT: dict[str, Any] = {
    "start_time_unix_nano": NOW - 100 * S + 1,
    "time_unix_nano": NOW - 10 * S + 2,
    "pairs": {"b": 1, "a": "x"},
    "flags": 0x101,
}
EXEMPLAR = an_exemplar(
    {"z": True, "e": ""},
    time_unix_nano=NOW - 11 * S + 3,
    as_double=0.5,
    trace_id=bytes.fromhex("0AF7651916CD43DD8448EB211C80319C"),
    span_id=bytes.fromhex("B7AD6B7169203331"),
)
EXEMPLAR_COLUMNS = {
    "Exemplars.FilteredAttributes": [{"e": "", "z": "true"}],
    "Exemplars.TimeUnix": [NOW - 11 * S + 3],
    "Exemplars.Value": [0.5],
    "Exemplars.SpanId": ["b7ad6b7169203331"],
    "Exemplars.TraceId": ["0af7651916cd43dd8448eb211c80319c"],
}
STATISTICS: dict[str, Any] = {"count": 2**63 + 1, "sum": -1.5, "min": -2.5, "max": 3.5}
STATISTICS_COLUMNS = {
    "Count": 2**63 + 1,
    "Sum": -1.5,
    "Min": -2.5,
    "Max": 3.5,
    "HasSum": True,
    "HasMin": True,
    "HasMax": True,
}
FULL: dict[str, tuple[Metric, Mapping[str, Any]]] = {
    "gauge": (
        a_metric("gauge", a_point("gauge", as_double=1.5, exemplars=[EXEMPLAR], **POINT), description="d", unit="s"),
        {"Value": 1.5, **EXEMPLAR_COLUMNS},
    ),
    "sum": (
        a_metric(
            "sum",
            a_point("sum", as_int=-(2**53), exemplars=[EXEMPLAR], **POINT),
            aggregation_temporality=2,
            is_monotonic=True,
            description="d",
            unit="s",
        ),
        {"Value": -(2.0**53), "AggregationTemporality": 2, "IsMonotonic": True, **EXEMPLAR_COLUMNS},
    ),
    "histogram": (
        a_metric(
            "histogram",
            a_point(
                "histogram",
                bucket_counts=[0, 2**63, 1],
                explicit_bounds=[-0.5, 10],
                exemplars=[EXEMPLAR],
                **STATISTICS,
                **POINT,
            ),
            aggregation_temporality=1,
            description="d",
            unit="s",
        ),
        {
            "BucketCounts": [0, 2**63, 1],
            "ExplicitBounds": [-0.5, 10.0],
            "AggregationTemporality": 1,
            **STATISTICS_COLUMNS,
            **EXEMPLAR_COLUMNS,
        },
    ),
    "exponential_histogram": (
        a_metric(
            "exponential_histogram",
            a_point(
                "exponential_histogram",
                scale=-3,
                zero_count=2**63,
                zero_threshold=0.25,
                positive=ExponentialHistogramDataPoint.Buckets(offset=-7, bucket_counts=[1, 300, 2**63]),
                negative=ExponentialHistogramDataPoint.Buckets(offset=7, bucket_counts=[4]),
                exemplars=[EXEMPLAR],
                **STATISTICS,
                **POINT,
            ),
            aggregation_temporality=1,
            description="d",
            unit="s",
        ),
        {
            "Scale": -3,
            "ZeroCount": 2**63,
            "ZeroThreshold": 0.25,
            "PositiveOffset": -7,
            "PositiveBucketCounts": [1, 300, 2**63],
            "NegativeOffset": 7,
            "NegativeBucketCounts": [4],
            "AggregationTemporality": 1,
            **STATISTICS_COLUMNS,
            **EXEMPLAR_COLUMNS,
        },
    ),
    "summary": (
        a_metric(
            "summary",
            a_point(
                "summary",
                count=3,
                sum=4.5,
                quantile_values=[
                    SummaryDataPoint.ValueAtQuantile(quantile=0.0, value=-1.0),
                    SummaryDataPoint.ValueAtQuantile(quantile=0.99, value=2.0),
                ],
                **POINT,
            ),
            description="d",
            unit="s",
        ),
        {
            "Count": 3,
            "Sum": 4.5,
            "ValueAtQuantiles.Quantile": [0.0, 0.99],
            "ValueAtQuantiles.Value": [-1.0, 2.0],
        },
    ),
}
"""A metric of each kind with every field that OTLP has for it, and the columns that only its table has."""


def test_everything_a_data_point_holds_is_found_again(store: EmbeddedStore) -> None:
    """All five kinds in one request, each in its own table only, and every column of its row."""
    scope = InstrumentationScope(
        name="lib", version="2.0", attributes=attributes({"s": True}), dropped_attributes_count=4
    )
    request = ExportMetricsServiceRequest(
        resource_metrics=[
            ResourceMetrics(
                resource=Resource(attributes=attributes({"service.name": "bot", "a": 1.5}), dropped_attributes_count=1),
                schema_url="https://example.org/resource",
                scope_metrics=[
                    ScopeMetrics(
                        scope=scope,
                        schema_url="https://example.org/scope",
                        metrics=[metric for metric, _ in FULL.values()],
                    )
                ],
            )
        ]
    )

    insert(store, METRICS, request, received_at_ns=NOW + 123_456_789, keep_days=30, project="shop", items=5)

    for kind, (row,) in rows_of_all(store).items():
        assert row == {
            "ResourceAttributes": {"a": "1.5", "service.name": "bot"},
            "ResourceSchemaUrl": "https://example.org/resource",
            "ScopeName": "lib",
            "ScopeVersion": "2.0",
            "ScopeAttributes": {"s": "true"},
            "ScopeDroppedAttrCount": 4,
            "ScopeSchemaUrl": "https://example.org/scope",
            "ServiceName": "bot",
            "MetricName": kind,
            "MetricDescription": "d",
            "MetricUnit": "s",
            "Attributes": {"a": "x", "b": "1"},
            "StartTimeUnix": NOW - 100 * S + 1,
            "TimeUnix": NOW - 10 * S + 2,
            "Flags": 0x101,
            "Project": "shop",
            "KeepDays": 30,
            "IngestedAt": (NOW + 123_456_789) // 10**6,
            "RequestHash": request_hash(request).hex(),
            "RequestDataPoints": 5,
            "DroppedAttributes": 0,
            "WithheldKeys": [],
            **FULL[kind][1],
        }
        assert list(row["Attributes"]) == ["a", "b"]
        assert list(row["ResourceAttributes"]) == ["a", "service.name"]


def test_a_bare_data_point_has_empty_columns(store: EmbeddedStore) -> None:
    """Nothing is invented but the time: without one there is no partition to store it in."""
    metrics = [a_metric(kind, a_point(kind, time_unix_nano=0), name="m") for kind in DESTINATIONS]
    request = ExportMetricsServiceRequest(
        resource_metrics=[ResourceMetrics(scope_metrics=[ScopeMetrics(metrics=metrics)])]
    )

    insert(store, METRICS, request)

    for (row,) in rows_of_all(store).values():
        assert {name: value for name, value in row.items() if value not in ("", 0, {}, [])} == {
            "MetricName": "m",
            "TimeUnix": NOW,
            "Project": "default",
            "KeepDays": 90,
            "IngestedAt": NOW // 10**6,
            "RequestHash": request_hash(request).hex(),
            "RequestDataPoints": 1,
        }


def test_a_kind_reaches_its_own_table_only(store: EmbeddedStore) -> None:
    """The same bytes go into every table of a kind that occurs in the group."""
    for kind in DESTINATIONS:
        insert(store, METRICS, metrics_of(a_metric(kind, a_point(kind), a_point(kind))))

    names = {kind: [row["MetricName"] for row in rows] for kind, rows in rows_of_all(store).items()}
    assert names == {kind: [kind, kind] for kind in DESTINATIONS}


def test_empty_things_give_no_rows(store: EmbeddedStore) -> None:
    """An empty resource, scope or metric among others takes nothing from them."""
    full = ScopeMetrics(metrics=[Metric(name="no data"), a_metric("gauge"), a_metric("gauge", *[a_point("gauge")] * 3)])
    request = ExportMetricsServiceRequest(
        resource_metrics=[
            ResourceMetrics(),
            ResourceMetrics(scope_metrics=[ScopeMetrics(), full]),
            ResourceMetrics(
                resource=Resource(attributes=attributes({"service.name": "second"})), scope_metrics=[full, full]
            ),
        ]
    )

    insert(
        store, METRICS, ExportMetricsServiceRequest(), request, metrics_of(*(a_metric(kind) for kind in DESTINATIONS))
    )

    rows = rows_of_all(store)
    assert [len(found) for found in rows.values()] == [9, 0, 0, 0, 0]
    assert sorted(row["ServiceName"] for row in rows["gauge"]) == [""] * 3 + ["second"] * 6


def test_a_metric_of_two_kinds_is_refused(store: EmbeddedStore) -> None:
    """Protobuf lets the last of them count, and so does admission; rows of the other would never add up."""
    two = b"".join(a_metric(kind, a_point(kind)).SerializeToString() for kind in ("gauge", "sum"))
    scope_metrics = b"\x12" + varint(len(two)) + two
    resource_metrics = b"\x12" + varint(len(scope_metrics)) + scope_metrics
    body = b"\x0a" + varint(len(resource_metrics)) + resource_metrics
    assert len(ExportMetricsServiceRequest.FromString(body).resource_metrics[0].scope_metrics[0].metrics) == 1

    for destination in METRICS.destinations:
        envelope = wrap(ExportRequest(METRICS, (destination,), body, 1, bytes(16), "default", NOW, 90, Limits()))
        with pytest.raises(QueryFailed, match="BAD_ARGUMENTS"):
            store.insert_protobuf(destination.arrival, METRICS.message, [envelope])

    assert not any(rows_of_all(store).values())


# Values


def test_numbers_of_both_kinds_are_doubles(store: EmbeddedStore) -> None:
    """The Collector has one column for both; what was not recorded is told by its flag, not by a value."""
    cases: dict[str, tuple[dict[str, Any], float]] = {
        "int": ({"as_int": -7}, -7.0),
        "int zero": ({"as_int": 0}, 0.0),
        "largest": ({"as_int": 2**63 - 1}, 2.0**63),
        "smallest": ({"as_int": -(2**63)}, -(2.0**63)),
        "double": ({"as_double": 0.1}, 0.1),
        "infinite": ({"as_double": -math.inf}, -math.inf),
        "tiny": ({"as_double": 5e-324}, 5e-324),
        "nothing": ({}, 0.0),
        "not recorded": ({"flags": DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK}, 0.0),
    }
    points = {name: a_point("gauge", **fields) for name, (fields, _) in cases.items()}
    points["not a number"] = a_point("gauge", as_double=math.nan)
    insert(
        store,
        METRICS,
        metrics_of(
            *(a_metric("gauge", point, name=name) for name, point in points.items()),
            *(a_metric("sum", point, name=name) for name, point in points.items()),
        ),
    )

    for kind in ("gauge", "sum"):
        rows = rows_by_name(store, kind)
        assert math.isnan(rows.pop("not a number")["Value"])
        assert {name: row["Value"] for name, row in rows.items()} == {n: number for n, (_, number) in cases.items()}
        assert [name for name, row in rows.items() if row["Flags"]] == ["not recorded"]


def test_absent_statistics_are_told_from_zeros(store: EmbeddedStore) -> None:
    """A histogram of temperatures has no sum; the Collector stores 0, and so do we, but say so."""
    cases: dict[str, dict[str, Any]] = {
        "absent": {},
        "zeros": {"sum": 0.0, "min": 0.0, "max": 0.0},
        "only the sum": {"sum": 2.0},
        "only the range": {"min": -1.0, "max": 1.0},
    }
    kinds = ("histogram", "exponential_histogram")
    metrics = [a_metric(kind, a_point(kind, **fields), name=name) for kind in kinds for name, fields in cases.items()]

    insert(store, METRICS, metrics_of(*metrics))

    columns = ("Sum", "Min", "Max", "HasSum", "HasMin", "HasMax")
    for kind in kinds:
        rows = rows_by_name(store, kind)
        assert {name: tuple(rows[name][column] for column in columns) for name in cases} == {
            "absent": (0.0, 0.0, 0.0, False, False, False),
            "zeros": (0.0, 0.0, 0.0, True, True, True),
            "only the sum": (2.0, 0.0, 0.0, True, False, False),
            "only the range": (0.0, -1.0, 1.0, False, True, True),
        }


def test_unknown_temporalities_are_numbers(store: EmbeddedStore) -> None:
    """A value that nobody has defined yet is stored, not refused."""
    kinds = ("sum", "histogram", "exponential_histogram")
    metrics = [
        a_metric(kind, a_point(kind), name=str(number), aggregation_temporality=number)
        for kind in kinds
        for number in (0, 42, -1)
    ]

    insert(store, METRICS, metrics_of(*metrics))

    for kind in kinds:
        rows = rows_by_name(store, kind)
        assert {name: row["AggregationTemporality"] for name, row in rows.items()} == {"0": 0, "42": 42, "-1": -1}


def test_exemplars_are_found_again_in_order(store: EmbeddedStore) -> None:
    """They lead from a metric to a trace; an id of zeros leads nowhere and is empty."""
    exemplars = [
        an_exemplar(as_int=-3, time_unix_nano=2**64 - 1, trace_id=bytes(16), span_id=bytes(8)),
        an_exemplar({"b": 1, "a": [""]}, as_double=1e300, trace_id=b"\xfe" * 16, span_id=b"\xdc" * 8),
        an_exemplar(),
    ]
    metrics = [
        a_metric(kind, a_point(kind, {"p": 1}, exemplars=exemplars), a_point(kind, {"q": 1})) for kind in WITH_EXEMPLARS
    ]

    insert(store, METRICS, metrics_of(*metrics))

    for kind in WITH_EXEMPLARS:
        with_them, without = rows_of(store, DESTINATIONS[kind], "mapKeys(Attributes)")
        assert {name: with_them[name] for name in EXEMPLARS} == {
            "Exemplars.FilteredAttributes": [{}, {"a": '[""]', "b": "1"}, {}],
            "Exemplars.TimeUnix": [2**63 - 1, 0, 0],
            "Exemplars.Value": [-3.0, 1e300, 0.0],
            "Exemplars.SpanId": ["", "dc" * 8, ""],
            "Exemplars.TraceId": ["", "fe" * 16, ""],
        }
        assert all(without[name] == [] for name in EXEMPLARS)
        assert list(with_them["Exemplars.FilteredAttributes"][1]) == ["a", "b"]
        assert (with_them["Attributes"], without["Attributes"]) == ({"p": "1"}, {"q": "1"})


def test_values_of_every_kind_are_texts(store: EmbeddedStore) -> None:
    """0, false and "" are values and not the absence of one."""
    pairs = {name: content for name, (content, _) in VALUES.items()}
    metrics = [a_metric(kind, a_point(kind, pairs, **_one_exemplar(kind, pairs)), name="m") for kind in DESTINATIONS]

    insert(store, METRICS, metrics_of(*metrics, scope=InstrumentationScope(attributes=attributes(pairs)), **pairs))

    expected = {name: text for name, (_, text) in VALUES.items()}
    for (row,) in rows_of_all(store).values():
        assert row["Attributes"] == row["ScopeAttributes"] == expected
        assert row["ResourceAttributes"] == {**expected, "service.name": "test"}
        assert row.get("Exemplars.FilteredAttributes", [expected]) == [expected]


def test_content_is_withheld_everywhere(store: EmbeddedStore) -> None:
    """A label of a metric can hold a prompt as well as a span's attribute can."""
    pairs: dict[str, Any] = {**dict.fromkeys(CONTENT, SECRET), "kept": "yes"}
    metrics = [a_metric(kind, a_point(kind, pairs, **_one_exemplar(kind, pairs))) for kind in DESTINATIONS]

    request = metrics_of(*metrics, scope=InstrumentationScope(attributes=attributes(pairs)), **pairs)
    insert(store, METRICS, request, policy=ContentPolicy.OFF)

    rows = rows_of_all(store)
    assert SECRET not in json.dumps(rows)
    for (row,) in rows.values():
        assert row["Attributes"] == row["ScopeAttributes"] == {"kept": "yes"}
        assert row["ResourceAttributes"] == {"kept": "yes", "service.name": "test"}
        assert row.get("Exemplars.FilteredAttributes", [{"kept": "yes"}]) == [{"kept": "yes"}]
        assert row["DroppedAttributes"] == 0


def _one_exemplar(kind: str, pairs: dict[str, Any]) -> dict[str, Any]:
    return {"exemplars": [an_exemplar(pairs)]} if kind in WITH_EXEMPLARS else {}


# Times and limits


def test_absurd_times_are_replaced_and_kept(store: EmbeddedStore) -> None:
    """A partition of 1677 or 2299 would be dropped at once or never; the point is worth more than its clock."""
    received = NOW + 10 * DAY + 7  # ahead, or the store would drop the oldest as soon as it merges
    sane = {"now": received, "a day ahead": received + DAY, "as old as retention": received - 90 * DAY}
    absurd = {
        "one": 1,
        "seconds": NOW // S,
        "2^63": 2**63,
        "2^64 - 1": 2**64 - 1,
        "more than a day ahead": received + DAY + 1,
        "older than retention": received - 90 * DAY - 1,
    }
    times = {**sane, **absurd, "none": 0}
    metrics = [
        a_metric(kind, a_point(kind, time_unix_nano=at), name=name)
        for kind in DESTINATIONS
        for name, at in times.items()
    ]

    insert(store, METRICS, metrics_of(*metrics), received_at_ns=received)

    for kind in DESTINATIONS:
        rows = rows_by_name(store, kind)
        assert {name: rows[name]["TimeUnix"] for name in times} == {**dict.fromkeys(times, received), **sane}
        assert {name: rows[name]["Attributes"] for name in times} == {
            name: {ORIGINAL_TIME: str(at)} if name in absurd else {} for name, at in times.items()
        }


def test_absurd_start_times_do_not_fail(store: EmbeddedStore) -> None:
    """Beyond what the column holds they are cut to its end."""
    starts = (0, 1, 2**63, 2**64 - 1)
    points = [a_point("sum", time_unix_nano=NOW - n, start_time_unix_nano=at) for n, at in enumerate(starts)]

    insert(store, METRICS, metrics_of(a_metric("sum", *points)))

    assert [row["StartTimeUnix"] for row in rows_of(store, SUM, "TimeUnix DESC")] == [0, 1, 2**63 - 1, 2**63 - 1]


def test_what_is_over_the_limit_is_cut_and_counted(store: EmbeddedStore) -> None:
    """Withheld attributes are not cut ones, and an original time is kept whatever the limit."""
    pairs = {"message": SECRET, **{f"k{n}": n for n in range(5)}}
    points = {"over": {}, "absurd": {"time_unix_nano": 5}}
    metrics = [
        a_metric(kind, a_point(kind, pairs, **fields), name=name)
        for kind in DESTINATIONS
        for name, fields in points.items()
    ]
    metrics.append(a_metric("gauge", a_point("gauge", {f"k{n}": n for n in range(3)}), name="at"))

    insert(store, METRICS, metrics_of(*metrics), attribute_limit=3)

    kept = {"k0": "0", "k1": "1", "k2": "2"}
    for kind in DESTINATIONS:
        found = {name: (row["Attributes"], row["DroppedAttributes"]) for name, row in rows_by_name(store, kind).items()}
        assert found.pop("at", (kept, 0)) == (kept, 0)
        assert found == {"over": (kept, 2), "absurd": ({ORIGINAL_TIME: "5", **kept}, 2)}


def test_retention_is_a_class_of_the_row(store: EmbeddedStore) -> None:
    """Retention drops whole parts, so rows of one class have to lie together."""
    request = metrics_of(*(a_metric(kind, a_point(kind)) for kind in DESTINATIONS))
    for keep_days in (7, 3650):
        insert(store, METRICS, request, keep_days=keep_days)

    day = store.rows("SELECT toString(toDate(TimeUnix)) FROM otel_metrics_sum")[0][0]
    for destination in METRICS.destinations:
        partitions = store.rows(
            "SELECT partition FROM system.parts "
            "WHERE database = currentDatabase() AND table = {table:String} AND active ORDER BY length(partition)",
            {"table": destination.table},
        )
        assert partitions == [(f"('{day}',7)",), (f"('{day}',3650)",)]


# Other writers


def test_rows_that_a_collector_writes_get_everything_too(store: EmbeddedStore) -> None:
    """Its exporter names the columns it knows, with times to the second; ours have to come by themselves."""
    expressions = {
        MAP: "map('service.name', 'bot')",
        "String": "'x'",
        "LowCardinality(String)": "'x'",
        "DateTime": f"toDateTime({NOW // S - 1}, 'UTC')",
        "Float64": "1.5",
        "Bool": "true",
        "Array(UInt64)": "[1, 2]",
        "Array(Float64)": "[0.5]",
        "Array(DateTime)": f"[toDateTime({NOW // S - 1}, 'UTC')]",
        "Array(String)": "['x']",
        f"Array({MAP})": "[map('a', 'b')]",
    }
    for kind, columns in COLLECTORS_COLUMNS.items():
        values = ", ".join(expressions.get(type_, "3") for type_ in columns.values())

        store.command(f"INSERT INTO {DESTINATIONS[kind].table} ({', '.join(columns)}) SELECT {values}")

        row = only_row(store, DESTINATIONS[kind])
        assert (row["TimeUnix"], row["MetricName"]) == (NOW - S, "x")
        assert (row["Project"], row["KeepDays"], row["RequestDataPoints"]) == ("default", 90, 0)
        assert (row["RequestHash"], row["DroppedAttributes"]) == ("00" * 16, 0)
        assert [row.get(name, True) for name in ("HasSum", "HasMin", "HasMax")] == [True] * 3
        assert abs(row["IngestedAt"] - time.time() * 1000) < 600_000
