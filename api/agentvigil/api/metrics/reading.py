"""Sums over time in one query, however many series.

A percentile can not be added up from those of parts. So groups are told apart before anything is summed up: those that
are not among the largest are one group, of which everything is computed as of any other.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from agentvigil.api.conditions import nanoseconds, put_together
from agentvigil.api.metrics.asked import Dimension, Interval, MetricName, SeriesAsked
from agentvigil.api.metrics.call_sums import CallSums
from agentvigil.api.metrics.definitions import METRICS, Metric
from agentvigil.api.metrics.models import Metrics, Series, Value
from agentvigil.api.problems import Invalid, TooMuch
from agentvigil.api.ranges import TimeRange
from agentvigil.api.reading import Reader
from agentvigil.api.totals.measures import Source, measures, run_rows
from agentvigil.storage.named_queries import load_queries

_STATEMENTS: Final = load_queries("agentvigil.api.metrics", "queries.sql")
_USUAL: Final = timedelta(hours=24)
_USUAL_POINTS: Final = 200
_MOST_POINTS: Final = 2_000
_MOST_VALUES: Final = 500_000
"""Some megabytes of answer, and half a second to write it."""

_MONDAY: Final = datetime(1970, 1, 5, tzinfo=UTC)
_ONLY_OF_STEPS: Final = frozenset({Dimension.MODEL, Dimension.TOOL})


class MetricsReading:
    """Series over what ``reader`` has."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def of(self, project: str, asked: SeriesAsked) -> Metrics:
        """Return the series that are ``asked`` for, by default over a day.

        Raises:
            Invalid: if the metrics are not of what is grouped by, or no time lies between since and until.
            TooMuch: if that were too many values.
        """
        time = TimeRange.of(asked.since, asked.until, _USUAL)
        dimensions = list(dict.fromkeys(asked.group_by))
        source = _source(asked.metric, dimensions)
        chosen = _chosen(asked.metric, source, dimensions)
        interval_s = (asked.interval or _usual_interval(time)).seconds
        times = _times(time, interval_s)
        series_count = asked.groups + 1 if dimensions else 1
        _check_size(len(times), series_count, len(chosen), is_interval_said=asked.interval is not None)

        summed = list(dict.fromkeys(one for metric in chosen.values() for one in metric.measures))
        if source is Source.STEPS:
            sums = CallSums(project, asked, dimensions, time, interval_s, summed)
            sql, values = sums.statement(self._reader)
        else:
            sql, values = _runs_statement(asked, dimensions, summed)
        parameters = {
            **values,
            **time.parameters,
            "project": project,
            "origin_ns": nanoseconds(times[0]),
            "interval_ns": interval_s * 1_000_000_000,
            "groups": asked.groups,
        }
        records = self._reader.records(sql, parameters)
        return Metrics(
            since=time.since,
            until=time.until,
            interval_s=interval_s,
            times=times,
            source=source,
            groups_total=max((record["groups_total"] for record in records), default=0) if dimensions else 1,
            series=_series(records, dimensions, chosen, len(times)),
        )


def _source(metrics: Sequence[MetricName], dimensions: Iterable[Dimension]) -> Source:
    """Return runs, unless only steps have what is asked for."""
    only_of_steps = METRICS[Source.STEPS].keys() - METRICS[Source.RUNS].keys()
    if only_of_steps.intersection(metrics) or _ONLY_OF_STEPS & set(dimensions):
        return Source.STEPS
    return Source.RUNS


def _chosen(metrics: Sequence[MetricName], source: Source, dimensions: Sequence[Dimension]) -> dict[MetricName, Metric]:
    """Return the metrics of ``source`` that are asked for, all if none is named."""
    there = METRICS[source]
    if missing := [name for name in metrics if name not in there]:
        by = f" by {' and '.join(dimensions)}" if dimensions else ""
        raise Invalid(
            f"{', '.join(missing)} can not be told of {source}{by}",
            f"of {source} there are {', '.join(there)}; calls, errors, models and tools are of steps, the rest of runs",
        )
    return {name: there[name] for name in metrics or there}


def _usual_interval(time: TimeRange) -> Interval:
    length_s = (time.until - time.since).total_seconds()
    return next((one for one in Interval if length_s / one.seconds <= _USUAL_POINTS - 1), Interval.D30)


def _times(time: TimeRange, interval_s: int) -> list[datetime]:
    """Return where the points begin, in whole intervals since a Monday.

    Raises:
        TooMuch: if there are too many.
    """
    interval = timedelta(seconds=interval_s)
    first = (time.since - _MONDAY) // interval
    behind = -((_MONDAY - time.until) // interval)
    if behind - first > _MOST_POINTS:
        raise TooMuch(
            f"{behind - first} points of {interval_s} s lie in that time; {_MOST_POINTS} are told at most",
            "narrow the time, or ask for a longer interval",
        )
    return [_MONDAY + number * interval for number in range(first, behind)]


def _check_size(points: int, series: int, metrics: int, *, is_interval_said: bool) -> None:
    if points * series * metrics > _MOST_VALUES:
        raise TooMuch(
            f"{points} points x {series} series x {metrics} metrics are more than {_MOST_VALUES} values",
            "name the metrics you need with metric=, ask for fewer groups"
            + (", or for a longer interval" if is_interval_said else ""),
        )


def _runs_statement(
    asked: SeriesAsked, dimensions: Sequence[Dimension], summed: Iterable[str]
) -> tuple[str, dict[str, Any]]:
    """Return the statement for series of runs, and what it binds besides all that series bind."""
    rows, values = run_rows(asked)
    keys = {f"key_{place}": _STATEMENTS[f"runs_by_{dimension}"] for place, dimension in enumerate(dimensions)}
    sql = put_together(
        _STATEMENTS["grouped_runs" if dimensions else "series_of_runs"],
        bucket=_STATEMENTS["bucket"],
        measures=measures(Source.RUNS, summed),
        keys=", ".join(f"{expression} AS {key}" for key, expression in keys.items()),
        key_names=", ".join(keys),
        rows=rows,
    )
    return sql, values


def _series(
    records: Iterable[Mapping[str, Any]],
    dimensions: Sequence[Dimension],
    chosen: Mapping[MetricName, Metric],
    points: int,
) -> list[Series]:
    """Return a series for each place in ``records``, the rest (place 0) last; every point is there."""
    by_place: dict[int, Series] = {}
    if not dimensions:
        by_place[1] = _empty_series({}, chosen, points)
    for record in records:
        place = record["place"]
        if place not in by_place:
            labels = zip(dimensions, record["labels"], strict=True) if place else ()
            by_place[place] = _empty_series({name: value or None for name, value in labels}, chosen, points)
            by_place[place].is_other = place == 0
        told = by_place[place].metrics
        for name, metric in chosen.items():
            told[name][record["bucket"]] = metric.told(record)
    return [by_place[place] for place in sorted(by_place, key=lambda place: (place == 0, place))]


def _empty_series(labels: dict[str, str | None], chosen: Mapping[MetricName, Metric], points: int) -> Series:
    told: dict[MetricName, list[Value]] = {name: [metric.nothing] * points for name, metric in chosen.items()}
    return Series(labels=labels, is_other=False, metrics=told)
