"""Which tables are cut into shards where the store is a cluster.

Rows that replace each other, or are added up by a view, must meet on one shard; and so must what is joined most, the
spans, steps and runs of a trace. All that is not named here is small beside the spans, and whole on every node.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_TRACE: Final = "sipHash64(TraceId)"
_SERIES: Final = "cityHash64(ServiceName, MetricName, Attributes)"

SHARDING_KEYS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "otel_traces": _TRACE,
        "otel_traces_trace_id_ts": _TRACE,
        "agent_runs": _TRACE,
        "agent_steps": _TRACE,
        "span_contents": _TRACE,
        # Most log records have no trace: one shard would get them all.
        "otel_logs": "sipHash64(if(TraceId != '', TraceId, toString(Timestamp)))",
        # The points of a series stay together.
        "otel_metrics_gauge": _SERIES,
        "otel_metrics_sum": _SERIES,
        "otel_metrics_histogram": _SERIES,
        "otel_metrics_exponential_histogram": _SERIES,
        "otel_metrics_summary": _SERIES,
        # Equal messages are stored once.
        "content_messages": "sipHash64(Hash)",
        # Each shard counts what is written to its own runs and steps; readers sum.
        "agent_run_changes": "sipHash64(Project, Hour)",
        "agent_step_changes": "sipHash64(Project, Hour)",
    }
)
"""Which tables are sharded, and by what."""


def local_of(table: str) -> str:
    """Return the name of the table that has the rows of ``table`` on a node of a cluster."""
    return f"{table}_local" if table in SHARDING_KEYS else table
