"""The tables and views by which a ClickHouse server fetches OTLP from Kafka, into where our receiver's requests arrive.

The receiver's part is done in SQL: the envelope, and the count of what a request has. What it does beyond that is not
done: nothing is checked before ClickHouse decodes it, and a message that Kafka hands out twice is stored twice.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from agentvigil.storage.envelope import OTLP_SCHEMA, Limits
from agentvigil.storage.literals import quote
from agentvigil.storage.named_queries import load_queries
from agentvigil.storage.nested_selects import part
from agentvigil.storage.rendering import render
from agentvigil.storage.signals import LOGS, METRICS, SIGNALS, TRACES, Destination, Signal

_SQL: Final = {name: part(sql) for name, sql in load_queries("agentvigil.storage", "kafka.sql").items()}
_FIELDS: Final = MappingProxyType({TRACES: "resource_spans", LOGS: "resource_logs", METRICS: "resource_metrics"})
"""What an OTLP request consists of."""
_COUNTS: Final = MappingProxyType({TRACES: "spans", LOGS: "log_records", METRICS: "data_points"})
"""How its envelope calls the number of its items."""
TOPICS: Final[Mapping[Signal, str]] = MappingProxyType(
    {TRACES: "otlp_spans", LOGS: "otlp_logs", METRICS: "otlp_metrics"}
)
"""Where the Collector's exporter writes unless it is told otherwise."""


@dataclass(frozen=True, slots=True)
class KafkaSource:
    """Where ClickHouse reads, and whose the telemetry is. ``brokers`` is a list of addresses with commas between."""

    brokers: str
    topics: Mapping[Signal, str] = field(default_factory=lambda: TOPICS)
    group: str = "agentvigil"
    project: str = "default"
    keep_days: int = 90
    limits: Limits = field(default_factory=Limits)


def kafka_statements(source: KafkaSource) -> list[str]:
    """Return the statements, to be run in this order in a database with this release's schema, as a server has it."""
    statements = [_SQL["errors"]]
    for signal in SIGNALS:
        texts = {
            "signal": signal.name,
            "columns": _columns(signal),
            "brokers": quote(source.brokers),
            "topic": quote(source.topics[signal]),
            "group": quote(source.group),
            "schema": quote(OTLP_SCHEMA),
            "message": quote(request_message(signal)),
        }
        statements += [_filled(_SQL[name], texts) for name in ("queue", "read", "errors_view")]
        statements += [_requests_view(source, signal, destination) for destination in signal.destinations]
        statements.append(_filled(_SQL["reading_view"], {**texts, "reading": reading(signal, f"kafka_{signal.name}")}))
    return statements


def reading(signal: Signal, rows: str) -> str:
    """Return the SELECT over what ClickHouse's Kafka engine reads, which are ``rows``: a table, or a query."""
    return _filled(_SQL["reading"], {"field": _FIELDS[signal], "rows": rows})


def request_columns(signal: Signal) -> str:
    """Return the columns of a request without envelope, as a file's structure."""
    return " ".join(_columns(signal).split())


def request_message(signal: Signal) -> str:
    """Return what ``otlp.proto`` calls a request without its envelope."""
    return signal.message.replace("Envelope", "Request")


def _requests_view(source: KafkaSource, signal: Signal, destination: Destination) -> str:
    limits = source.limits
    counted = {"lengths": " + ".join(f"length({_points(kind)})" for kind in _kinds(signal))}
    of_spans = {"max_events": str(limits.events), "max_links": str(limits.links)}
    texts = {
        "signal": signal.name,
        "arrival": destination.arrival,
        "field": _FIELDS[signal],
        "request": quote(f"Tuple({' '.join(_request(destination.arrival).split())})"),
        "count": _filled(_SQL[f"{_COUNTS[signal]}_count"], counted),
        "count_name": _COUNTS[signal],
        "project": quote(source.project),
        "keep_days": str(source.keep_days),
        "max_attributes": str(limits.attributes),
        "limits_of_spans": "\n    " + _filled(_SQL["limits_of_spans"], of_spans) if signal is TRACES else "",
    }
    return _filled(_SQL["requests_view"], texts)


def _columns(signal: Signal) -> str:
    """Columns of a request: of all kinds of metrics, where each destination has one."""
    first, *others = signal.destinations
    columns = _request(first.arrival)
    if others:
        kind, *_ = kinds = _kinds(signal)
        of_each = [
            _between(_request(other.arrival), f"{name} Tuple(")
            for name, other in zip(kinds, signal.destinations, strict=True)
        ]
        columns = columns.replace(
            f"{kind} Tuple({of_each[0]})",
            ",\n".join(f"{name} Tuple({inside})" for name, inside in zip(kinds, of_each, strict=True)),
        )
    return columns


def _request(arrival: str) -> str:
    """The fields of the request in the columns of ``arrival``."""
    return _between(render(f"{{{{{arrival}_columns}}}}"), "request Tuple(").strip()


def _kinds(signal: Signal) -> list[str]:
    """How OTLP calls the kinds of metrics, in the order of their destinations."""
    arrivals = [destination.arrival for destination in signal.destinations]
    return [arrival.removeprefix("otlp_metrics_") for arrival in arrivals] if signal is METRICS else []


def _points(kind: str) -> str:
    return f"tupleElement(tupleElement(metric, '{kind}'), 'data_points')"


def _between(text: str, opening: str) -> str:
    """What stands in ``text`` behind ``opening``, up to the parenthesis that closes its last one."""
    begin = text.index(opening) + len(opening)
    depth = 1
    for place in range(begin, len(text)):
        depth += {"(": 1, ")": -1}.get(text[place], 0)
        if depth == 0:
            return text[begin:place]
    raise ValueError(f"nothing closes {opening!r}")


def _filled(sql: str, texts: Mapping[str, str]) -> str:
    return re.sub(r"\{\{(\w+)\}\}", lambda found: texts[found[1]], sql)
