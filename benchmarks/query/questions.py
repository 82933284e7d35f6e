"""What is measured: requests to the API, with places for values drawn from the store, and what each may take."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Request:
    """``path`` has names of samples in braces. ``target_ms`` is for the 95th percentile, None where none was set."""

    name: str
    path: str
    target_ms: int | None


LIST: Final = 200
DETAIL: Final = 150
METRICS: Final = 500
TRACE: Final = 100

REQUESTS: Final = (
    Request("runs, newest", "/v1/runs", LIST),
    Request("runs, failed, 30 days", "/v1/runs?status=failure&since=30d", LIST),
    Request("runs, agent and version", "/v1/runs?agent={agent}&version={version}", LIST),
    Request("runs, tool and failure", "/v1/runs?tool={tool}&failure_type=tool&failure_code=timeout", LIST),
    Request("runs, model and environment", "/v1/runs?model={model}&environment={environment}&since=7d", LIST),
    Request("runs, one user", "/v1/runs?user={user}", LIST),
    Request("runs, one session", "/v1/runs?session={session}", LIST),
    Request("runs, dear ones", "/v1/runs?min_cost_usd={cost}", LIST),
    Request("runs, slow ones of a day", "/v1/runs?min_duration_ms={duration}&since=24h", LIST),
    Request("runs, dearest of 7 days", "/v1/runs?sort=-cost_usd&since=7d", LIST),
    Request("runs, dearest of 30 days", "/v1/runs?sort=-cost_usd&since=30d", LIST),
    Request("runs, longest of 30 days", "/v1/runs?sort=-duration_ms&since=30d", LIST),
    Request("run", "/v1/runs/{run}", DETAIL),
    Request("run, its steps", "/v1/runs/{run}/steps", DETAIL),
    Request("run, why it failed", "/v1/runs/{failed_run}/failures", DETAIL),
    Request("trace", "/v1/traces/{trace}", TRACE),
    Request("metrics, 30 days by day", "/v1/metrics?since=30d&interval=1d", METRICS),
    Request("metrics, 30 days by hour", "/v1/metrics?since=30d&interval=1h", METRICS),
    Request("metrics, by day and agent", "/v1/metrics?since=30d&interval=1d&group_by=agent", METRICS),
    Request("metrics, by hour and agent", "/v1/metrics?since=30d&interval=1h&group_by=agent", METRICS),
    Request(
        "metrics, latency by hour and version",
        "/v1/metrics?since=30d&interval=1h&group_by=version&agent={agent}&metric=duration_p95_ms",
        METRICS,
    ),
    Request("metrics, by day and model", "/v1/metrics?since=30d&interval=1d&group_by=model", METRICS),
    Request("metrics, by hour and tool", "/v1/metrics?since=30d&interval=1h&group_by=tool", METRICS),
    Request("stats, 24 hours", "/v1/stats?since=24h", None),
    Request("stats, 30 days", "/v1/stats?since=30d", None),
    Request("agents, 30 days", "/v1/agents?since=30d", None),
    Request("sessions, 30 days", "/v1/sessions?since=30d", None),
    Request("traces, newest", "/v1/traces", None),
)
