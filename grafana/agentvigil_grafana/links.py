"""Where the dashboards lead: to each other, to AgentVigil's API, to the trace view of Grafana's Explore."""

import json
from typing import Final
from urllib.parse import quote

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models.dashboard import DashboardLinkType

from agentvigil_grafana.clickhouse import PLUGIN

TAG: Final = "agentvigil"
_FIELD: Final = "${__data.fields.%s}"
_KEPT: Final = ("${datasource}", _FIELD % "trace")

# What the datasource itself makes of one trace's spans, for tables with the Collector's names.
_TRACE_SQL: Final = """\
WITH '{trace}' as trace_id, \
(SELECT min(Start) FROM "otel_traces_trace_id_ts" WHERE TraceId = trace_id) as trace_start, \
(SELECT max(End) + 1 FROM "otel_traces_trace_id_ts" WHERE TraceId = trace_id) as trace_end \
SELECT "TraceId" as traceID, "SpanId" as spanID, "ParentSpanId" as parentSpanID, "ServiceName" as serviceName, \
"SpanName" as operationName, multiply(toUnixTimestamp64Nano("Timestamp"), 0.000001) as startTime, \
multiply("Duration", 0.000001) as duration, \
arrayMap(key -> map('key', key, 'value', "SpanAttributes"[key]), mapKeys("SpanAttributes")) as tags, \
arrayMap(key -> map('key', key, 'value', "ResourceAttributes"[key]), mapKeys("ResourceAttributes")) as serviceTags, \
if("StatusCode" IN ('Error', 'STATUS_CODE_ERROR'), 2, 0) as statusCode, "SpanKind" as kind, \
"StatusMessage" as statusMessage \
FROM "otel_traces" \
WHERE traceID = trace_id AND "Timestamp" >= trace_start AND "Timestamp" <= trace_end \
LIMIT 10000"""


def trace_sql(trace_id: str) -> str:
    """Return the query behind the link to a trace."""
    return _TRACE_SQL.format(trace=trace_id)


def to_explore() -> dashboard.DashboardLink:
    """Return the link from a field ``trace`` to that trace in Explore."""
    query = {
        "refId": "A",
        "datasource": {"type": PLUGIN, "uid": "${datasource}"},
        "editorType": "sql",
        "queryType": "traces",
        "format": 3,
        "rawSql": trace_sql(_FIELD % "trace"),
    }
    pane = {"datasource": "${datasource}", "queries": [query], "range": {"from": "now-1h", "to": "now"}}
    panes = quote(json.dumps({"agentvigil": pane}, separators=(",", ":")), safe="")
    for kept in _KEPT:  # Grafana fills these before it opens the link
        panes = panes.replace(quote(kept, safe=""), kept)
    return _link("Spans of the trace", f"/explore?schemaVersion=1&panes={panes}")


def to_api(what: str, field: str) -> dashboard.DashboardLink:
    """Return the link from a ``field`` with an id to ``/v1/{what}/{id}``."""
    return _link("Open in AgentVigil's API", f"${{api}}/v1/{what}/{_FIELD % field}", elsewhere=True)


def to_agent() -> dashboard.DashboardLink:
    """Return the link from a field ``agent`` to the dashboard that compares its versions."""
    where = "${datasource:queryparam}&${project:queryparam}&${__url_time_range}"
    return _link("Versions of the agent", f"/d/agentvigil-agent?var-agent=${{__value.raw:percentencode}}&{where}")


def to_others() -> dashboard.DashboardLink:
    """Return the list of all dashboards above each of them; choices and time go along."""
    return (
        dashboard.DashboardLink("AgentVigil")
        .type(DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .as_dropdown(True)
        .include_vars(True)
        .keep_time(True)
        .icon("external link")
        .tooltip("All dashboards of AgentVigil")
    )


def _link(title: str, url: str, *, elsewhere: bool = False) -> dashboard.DashboardLink:
    return dashboard.DashboardLink(title).type(DashboardLinkType.LINK).url(url).target_blank(elsewhere)
