"""Rows as the Collector's own exporter for ClickHouse inserts them become rows with all that AgentVigil's have.

The columns are those that the exporter's statements name; ``tests/interop/otelcol`` holds them against its sources, and
``test_collectors.py`` sends through the exporter itself where a Collector is.
"""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest
from agent_traces import START, runs, settle_traces, steps, trace_of

from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.literals import quote
from agentvigil.storage.prices.loading import load_prices
from agentvigil.storage.signals import SIGNALS

pytestmark = pytest.mark.long

COLUMNS: Final[Mapping[str, Sequence[str]]] = json.loads(
    (Path(__file__).parents[1] / "data" / "clickhouseexporter_columns.json").read_text(encoding="utf-8")
)
"""By table, the columns that the exporter names, in its order."""
S: Final = 10**9


def insert(store: EmbeddedStore, table: str, *rows: dict[str, Any]) -> None:
    """Insert ``rows`` by the exporter's columns; what a row does not say is empty."""
    types: dict[str, str] = dict(
        store.rows(  # type: ignore[arg-type]
            "SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = {table:String}",
            {"table": table},
        )
    )
    names = ", ".join(f"`{name}`" for name in COLUMNS[table])
    structure = ", ".join(f"`{name}` {types[name]}" for name in COLUMNS[table])
    text = "\n".join(map(json.dumps, rows))
    store.command(
        f"INSERT INTO {table} ({names}) SELECT {names} "
        f"FROM format('JSONEachRow', {quote(structure)}, {quote(text)}) SETTINGS date_time_input_format = 'best_effort'"
    )


def a_span(number: int, name: str, start_s: int, attributes: dict[str, str], **fields: Any) -> dict[str, Any]:
    return {
        "Timestamp": f"{START / S + start_s:.9f}",
        "TraceId": trace_of(1),
        "SpanId": f"{number:016x}",
        "ParentSpanId": "" if number == 1 else f"{1:016x}",
        "SpanName": name,
        "SpanKind": "Internal",
        "ServiceName": "shop",
        "ResourceAttributes": {"service.name": "shop"},
        "SpanAttributes": attributes,
        "Duration": (2000 if number == 1 else 500) * 1_000_000,
        "StatusCode": "Unset",
        **fields,
    }


def test_spans_get_typed_columns_costs_and_settled_runs(servers_store: EmbeddedStore) -> None:
    load_prices(servers_store)
    model = {"gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o"}
    used = {"gen_ai.usage.input_tokens": "1000", "gen_ai.usage.output_tokens": "100"}
    insert(
        servers_store,
        "otel_traces",
        a_span(1, "invoke_agent helper", 0, {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "helper"}),
        a_span(
            2,
            "chat gpt-4o",
            0,
            {"gen_ai.operation.name": "chat", "gen_ai.response.finish_reasons": '["tool_calls"]', **model, **used},
        ),
        a_span(
            3,
            "execute_tool search",
            1,
            {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search", "error.type": "timeout"},
            StatusCode="Error",
            **{
                "Events.Timestamp": [f"{START / S + 1:.9f}"],
                "Events.Name": ["exception"],
                "Events.Attributes": [{"exception.type": "TimeoutError"}],
            },
        ),
    )
    typed = servers_store.rows(
        "SELECT Operation, AgentName, Provider, RequestModel, ToolName, StepType, FinishReason, InputTokens, "
        "ListCostUSD, ErrorType, Project, KeepDays FROM otel_traces ORDER BY SpanId"
    )
    assert typed == [
        ("invoke_agent", "helper", "", "", "", "other", "", None, None, "", "default", 90),
        ("chat", "", "openai", "gpt-4o", "", "plan", "tool_call", 1000, Decimal("0.0035"), "", "default", 90),
        ("execute_tool", "", "", "", "search", "tool", "", None, None, "timeout", "default", 90),
    ]

    settle_traces(servers_store, {("default", 1): True})
    columns = ("AgentName", "Status", "Steps", "InputTokens", "BilledCostUSD", "Tools", "FirstFailureCode")
    assert runs(servers_store, *columns) == [("helper", "failure", 2, 1000, Decimal("0.0035"), ["search"], "timeout")]
    assert steps(servers_store, "StepType") == ["plan", "tool"]


def test_log_records_and_data_points_are_taken(servers_store: EmbeddedStore) -> None:
    """Of every kind, by the columns that their statements name; what they do not say has our defaults."""
    at = f"{START / S:.9f}"
    insert(
        servers_store,
        "otel_logs",
        {"Timestamp": at, "Body": "calling", "SeverityText": "INFO", "EventName": "a", "LogAttributes": {"k": "v"}},
    )
    for table in COLUMNS.keys() - {"otel_traces", "otel_logs"}:
        point = {"StartTimeUnix": at, "TimeUnix": at, "MetricName": "m", "Attributes": {"k": "v"}}
        insert(servers_store, table, point)
    for signal in SIGNALS[1:]:
        for destination in signal.destinations:
            assert servers_store.rows(f"SELECT Project, KeepDays, WithheldKeys FROM {destination.table}") == [
                ("default", 90, [])
            ], destination.table


def test_the_exporter_writes_every_table() -> None:
    assert COLUMNS.keys() == {destination.table for signal in SIGNALS for destination in signal.destinations}
