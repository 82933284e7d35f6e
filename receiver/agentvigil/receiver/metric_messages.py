"""Metrics as OTLP has them: five kinds with data points of their own, and where their attributes are."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric

from agentvigil.receiver.around import values_around
from agentvigil.receiver.checking import NAMELESS, Checked, remove_invalid
from agentvigil.storage.signals import (
    EXPONENTIAL_HISTOGRAM,
    GAUGE,
    HISTOGRAM,
    SUM,
    SUMMARY,
    Destination,
)

_DESTINATIONS: Final[Mapping[str, Destination]] = {
    "gauge": GAUGE,
    "sum": SUM,
    "histogram": HISTOGRAM,
    "exponential_histogram": EXPONENTIAL_HISTOGRAM,
    "summary": SUMMARY,
}
"""By the field of a Metric that holds its data points."""

_HAVE_EXEMPLARS: Final = frozenset(_DESTINATIONS) - {"summary"}


def check_metrics(request: ExportMetricsServiceRequest) -> Checked:
    """Count the data points of ``request`` and take out those of metrics without a name.

    A metric of a kind that did not exist when this was written has no data points that we could see.
    """
    scopes = [scope for resource in request.resource_metrics for scope in resource.scope_metrics]
    points = 0
    nameless = 0
    kinds = set()
    for scope in scopes:
        for metric in scope.metrics:
            kind = metric.WhichOneof("data")
            if kind is None:
                continue
            count = len(getattr(metric, kind).data_points)
            points += count
            if metric.name:
                if count:
                    kinds.add(kind)
            else:
                nameless += count
    destinations = tuple(where for kind, where in _DESTINATIONS.items() if kind in kinds)
    if not nameless:
        return Checked(points, destinations)
    for scope in scopes:
        remove_invalid(scope.metrics, _has_name)
    return Checked(
        points - nameless,
        destinations,
        nameless,
        f"{nameless} of {points} data points belong to metrics without a name",
        NAMELESS,
    )


def metric_values(request: ExportMetricsServiceRequest) -> Iterator[AnyValue]:
    """Yield every attribute's value, those that exemplars keep included."""
    yield from values_around(request, "resource_metrics", "scope_metrics")
    for resource_metrics in request.resource_metrics:
        for scope_metrics in resource_metrics.scope_metrics:
            for metric in scope_metrics.metrics:
                yield from _data_point_values(metric)


def _data_point_values(metric: Metric) -> Iterator[AnyValue]:
    kind = metric.WhichOneof("data")
    if kind is None:
        return
    points: Any = getattr(metric, kind).data_points
    for point in points:
        yield from (pair.value for pair in point.attributes)
        if kind in _HAVE_EXEMPLARS:
            for exemplar in point.exemplars:
                yield from (pair.value for pair in exemplar.filtered_attributes)


def _has_name(metric: Metric) -> bool:
    return bool(metric.name)
