"""The dashboards, in the order in which somebody reads them."""

from collections.abc import Iterator

from grafana_foundation_sdk.models.dashboard import Dashboard

from agentvigil_grafana.board import board
from agentvigil_grafana.panels import bars, number, rows, series
from agentvigil_grafana.statements import statements

_RUNS = ("project", "environment", "agent")


def boards() -> Iterator[Dashboard]:
    """Yield them all."""
    yield overview()
    yield cost()
    yield latency()
    yield findings()
    yield failures()
    yield agent()
    yield calls()
    yield sessions()
    yield health()


def overview() -> Dashboard:
    """How all agents are doing."""
    s = statements("overview")
    panels = [
        number(s["runs"], "Runs", "short"),
        number(s["failed_share"], "Failed", "percentunit", warns=(0.02, 0.1), decimals=1),
        number(s["cost"], "Cost", "currencyUSD", none="no prices"),
        number(s["slowest"], "95 % took no longer than", "s"),
        number(s["tokens"], "Tokens", "short"),
        number(s["open_findings"], "Urgent findings", "short", warns=(1, 5)),
        series(s["runs_by_status"], "Runs by status", "short", stacked=True),
        series(s["failed_share_by_agent"], "Failed runs by agent", "percentunit", label="agent"),
        series(s["cost_by_agent"], "Cost by agent", "currencyUSD", label="agent", stacked=True),
        series(s["p95_by_agent"], "95th percentile of durations by agent", "s", label="agent"),
        rows(s["agents"], "Agents", height=10),
        rows(s["unresolved"], "Findings that nobody resolved", none="nothing was found"),
    ]
    title = "How all agents are doing: runs, failures, cost, durations, findings."
    return board("overview", "Overview", title, (*_RUNS, "api"), panels)


def cost() -> Dashboard:
    """What agents cost."""
    s = statements("cost")
    panels = [
        number(s["total"], "Cost", "currencyUSD", none="no prices"),
        number(s["a_day"], "A day", "currencyUSD", none="no prices"),
        number(s["a_run"], "A run", "currencyUSD", none="no prices", decimals=4),
        number(
            s["of_failures"], "Spent on failed runs", "percentunit", warns=(0.05, 0.2), decimals=1, none="no prices"
        ),
        number(s["cached"], "Input from caches", "percentunit", decimals=1, none="no tokens"),
        number(s["unpriced"], "Calls without a price", "short", warns=(1,)),
        series(s["by_agent"], "Cost by agent", "currencyUSD", label="agent", stacked=True),
        series(s["by_model"], "Cost by model", "currencyUSD", label="model", stacked=True, least="1h"),
        series(s["a_run_by_agent"], "Cost of a run by agent", "currencyUSD", label="agent"),
        series(s["tokens"], "Tokens by kind", "short", stacked=True, least="1h"),
        rows(s["models"], "Models", width=12),
        rows(s["users"], "Users", width=12, none="no run says whom it was for"),
        rows(s["dearest"], "Dearest runs", none="no prices"),
    ]
    title = "What agents cost by agent, model and user. Money is list price, each real call once."
    return board("cost", "Cost", title, (*_RUNS, "model", "api"), panels)


def latency() -> Dashboard:
    """How long runs take."""
    s = statements("latency")
    panels = [
        number(s["p50"], "Half took no longer than", "s", width=6),
        number(s["p95"], "95 % took no longer than", "s", width=6),
        number(s["p99"], "99 % took no longer than", "s", width=6),
        number(s["first_chunk"], "First chunk, 95 %", "s", width=6, none="nothing was streamed"),
        series(s["quantiles"], "Durations of runs", "s"),
        series(s["p95_by_agent"], "95th percentile by agent", "s", label="agent"),
        series(s["critical_path"], "What a run waits for", "s", stacked=True),
        series(s["models"], "95th percentile of calls by model", "s", label="model", least="1h"),
        rows(s["by_agent"], "Agents"),
        rows(s["slowest"], "Slowest runs"),
    ]
    title = "How long runs and calls take, and what a run waits for."
    return board("latency", "Latency", title, (*_RUNS, "model", "api"), panels)


def findings() -> Dashboard:
    """What moved."""
    s = statements("findings")
    nothing = "nothing was found"
    panels = [
        number(s["critical"], "Critical", "short", width=6, warns=(1, 1), none=nothing),
        number(s["major"], "Major", "short", width=6, warns=(1, 5), none=nothing),
        number(s["incidents"], "Incidents", "short", width=6, none=nothing),
        number(s["dollars"], "Cost a day", "currencyUSD", width=6, none="not known"),
        series(s["by_kind"], "Findings by kind", "short", label="kind", stacked=True, least="1h", none=nothing),
        series(s["tools"], "Runs that use a tool", "percentunit", label="tool", least="6h"),
        rows(s["unresolved"], "Not resolved", height=12, none=nothing),
        rows(s["anomalies"], "Runs far from the others", width=12, none="no run is far from the others"),
        rows(s["history"], "What happened to findings", width=12, none=nothing),
        rows(s["resolved"], "Resolved", none="nothing was resolved"),
    ]
    title = "What moved, or goes wrong in a way that is known by name, and what became of it."
    return board("findings", "Drift and findings", title, (*_RUNS, "api"), panels)


def failures() -> Dashboard:
    """What fails."""
    s = statements("failures")
    panels = [
        number(s["failed"], "Failed runs", "short", width=6),
        number(s["failed_share"], "Failed", "percentunit", width=6, warns=(0.02, 0.1), decimals=1),
        number(s["partial"], "Partial runs", "short", width=6),
        number(s["mended"], "Failed steps that a retry mended", "percentunit", width=6, decimals=1, none="none failed"),
        series(s["by_cause"], "Root causes", "short", label="cause", stacked=True, none="nothing failed"),
        series(s["share_by_agent"], "Failed runs by agent", "percentunit", label="agent"),
        rows(s["causes"], "Root causes", width=12, none="nothing failed"),
        series(s["retries"], "Retries of a run by agent", "short", label="agent"),
        rows(s["steps"], "Steps that failed", none="nothing failed"),
        rows(s["latest"], "Failed and partial runs", height=12, none="nothing failed"),
    ]
    title = "Which runs and steps fail, by root cause."
    return board("failures", "Failures", title, (*_RUNS, "api"), panels)


def agent() -> Dashboard:
    """Version against version."""
    s = statements("agent")
    panels = [
        number(s["runs"], "Runs", "short", width=6),
        number(s["failed"], "Failed", "percentunit", width=6, warns=(0.02, 0.1), decimals=1),
        number(s["p95"], "95 % took no longer than", "s", width=6),
        number(s["cost"], "A run costs", "currencyUSD", width=6, decimals=4, none="no prices"),
        rows(s["versions"], "Versions side by side"),
        series(s["runs_by_version"], "Runs", "short", label="version", stacked=True),
        series(s["failed_by_version"], "Failed runs", "percentunit", label="version"),
        series(s["p95_by_version"], "95th percentile of durations", "s", label="version"),
        series(s["cost_by_version"], "Cost of a run", "currencyUSD", label="version"),
        rows(s["tools"], "Tools of each version", width=12, none="no tools"),
        rows(s["causes"], "Root causes of each version", width=12, none="nothing failed"),
        rows(s["findings"], "Findings about the agent", none="nothing was found"),
        rows(s["latest"], "Newest runs"),
    ]
    title = "One agent, version against version. `agentvigil compare` says what is worse, and how sure that is."
    return board("agent", "Agent", title, (*_RUNS, "version", "api"), panels)


def calls() -> Dashboard:
    """Models and tools."""
    s = statements("calls")
    panels = [
        number(s["model_calls"], "Calls of models", "short", width=6),
        number(s["model_errors"], "Failed", "percentunit", width=6, warns=(0.02, 0.1), decimals=1),
        number(s["tool_calls"], "Calls of tools", "short", width=6),
        number(s["tool_errors"], "Failed", "percentunit", width=6, warns=(0.05, 0.2), decimals=1),
        series(s["calls_by_model"], "Calls by model", "short", label="model", stacked=True, least="1h"),
        series(s["p95_by_model"], "95th percentile of calls by model", "s", label="model", least="1h"),
        series(s["calls_by_tool"], "Calls by tool", "short", label="tool", stacked=True, least="1h"),
        series(s["errors_by_tool"], "Failed calls by tool", "percentunit", label="tool", least="1h"),
        rows(s["models"], "Models", none="no model was called"),
        rows(s["tools"], "Tools", none="no tool was called"),
    ]
    title = "Calls of models and tools, from hourly sums. Environments are not told apart in these."
    return board("calls", "Models and tools", title, ("project", "agent", "model"), panels, marked=False)


def sessions() -> Dashboard:
    """Conversations."""
    s = statements("sessions")
    nothing = "no run belongs to a conversation"
    panels = [
        number(s["sessions"], "Conversations", "short", width=6, none=nothing),
        number(s["users"], "Users", "short", width=6, none=nothing),
        number(s["length"], "Runs of a conversation", "short", width=6, decimals=1, none=nothing),
        number(s["cost"], "A conversation costs", "currencyUSD", width=6, decimals=4, none="no prices"),
        series(s["over_time"], "Conversations", "short", none=nothing),
        bars(s["lengths"], "How long conversations are", "short", none=nothing),
        rows(s["list"], "Conversations", height=12, none=nothing),
        rows(s["people"], "Users", none="no run says whom it was for"),
    ]
    title = "Conversations: runs with one conversation id, and who leads them."
    return board("sessions", "Sessions", title, (*_RUNS, "api"), panels)


def health() -> Dashboard:
    """Whether telemetry comes in whole."""
    s = statements("health")
    nothing = "no spans"
    panels = [
        number(s["spans"], "Spans", "short", none=nothing),
        number(s["silence"], "Since the last span", "s", warns=(900, 3600), none=nothing),
        number(s["delay"], "95 % came within", "s", warns=(60, 600), none=nothing),
        number(s["unsettled"], "Runs are behind by", "s", warns=(60, 600), none="nothing is settled"),
        number(s["withheld"], "With something withheld", "percentunit", decimals=1, none=nothing),
        number(s["late"], "Runs with late spans", "percentunit", warns=(0.05, 0.2), decimals=1),
        series(s["spans_by_dialect"], "Spans by dialect", "short", label="dialect", stacked=True, none=nothing),
        series(s["delay_over_time"], "Time from a span's end until it came in", "s", none=nothing),
        series(
            s["withheld_over_time"],
            "Spans with something withheld",
            "short",
            label="service",
            stacked=True,
            none="nothing was withheld",
        ),
        series(s["cut"], "Cut off by senders and limits", "short", stacked=True, none=nothing),
        rows(s["keys"], "What was withheld", width=12, none="nothing was withheld"),
        rows(s["tables"], "What is stored", width=12, none="nothing is stored"),
        rows(s["sources"], "Who sends what", none=nothing),
    ]
    title = "Whether telemetry comes in whole and in time, and what the projects' policies keep out of the store."
    return board("health", "Ingest and privacy health", title, ("project",), panels, marked=False)
