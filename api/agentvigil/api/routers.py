"""All routes of the API over one store."""

from functools import partial

from fastapi import APIRouter

from agentvigil.analysis.alerts import AlertBook, Configuration, Sender
from agentvigil.analysis.baselines.book import BaselineBook
from agentvigil.analysis.findings.book import FindingsBook
from agentvigil.api.agents.asked import AgentList
from agentvigil.api.agents.models import AgentPage
from agentvigil.api.agents.reading import Agents
from agentvigil.api.agents.routes import agents_router
from agentvigil.api.alerts.reading import AlertReader
from agentvigil.api.alerts.routes import alerts_router
from agentvigil.api.baselines.routes import baselines_router
from agentvigil.api.comparing.reading import Comparisons
from agentvigil.api.comparing.routes import comparing_router
from agentvigil.api.exports.reading import Exports
from agentvigil.api.exports.routes import exports_router
from agentvigil.api.feedback.intake import LogIntake
from agentvigil.api.feedback.models import FeedbackList, FeedbackPage
from agentvigil.api.feedback.reading import FeedbackReader
from agentvigil.api.feedback.routes import feedback_router
from agentvigil.api.findings.acting import FindingActs
from agentvigil.api.findings.asked import FindingList, IncidentList
from agentvigil.api.findings.models import FindingPage, IncidentPage
from agentvigil.api.findings.reading import FindingsReading
from agentvigil.api.findings.routes import findings_router
from agentvigil.api.keys.routes import keys_router
from agentvigil.api.latency.reading import LatencyReading
from agentvigil.api.latency.routes import latency_router
from agentvigil.api.metrics.asked import SeriesAsked
from agentvigil.api.metrics.models import Metrics
from agentvigil.api.metrics.reading import MetricsReading
from agentvigil.api.metrics.routes import metrics_router
from agentvigil.api.prices import prices_router
from agentvigil.api.reading import Reader
from agentvigil.api.reports.reading import Reports
from agentvigil.api.reports.routes import reports_router
from agentvigil.api.runs.filters import RunList
from agentvigil.api.runs.models import RunPage
from agentvigil.api.runs.reading import Runs
from agentvigil.api.runs.routes import run_page, runs_router
from agentvigil.api.searches.book import QueryBook
from agentvigil.api.searches.resource import Resource
from agentvigil.api.searches.routes import searches_router
from agentvigil.api.sessions.filters import SessionList
from agentvigil.api.sessions.models import SessionPage
from agentvigil.api.sessions.reading import Sessions
from agentvigil.api.sessions.routes import session_page, sessions_router
from agentvigil.api.spending.reading import SpendingReading
from agentvigil.api.spending.routes import spending_router
from agentvigil.api.stats.reading import StatsReading
from agentvigil.api.stats.routes import stats_router
from agentvigil.api.tags.book import TagBook
from agentvigil.api.tags.routes import tags_router
from agentvigil.api.traces.filters import TraceList
from agentvigil.api.traces.models import TracePage
from agentvigil.api.traces.reading import Traces
from agentvigil.api.traces.routes import trace_page, traces_router
from agentvigil.receiver.content_policies import ContentPolicies
from agentvigil.storage.access import KeyBook, ProjectBook
from agentvigil.storage.prices.book import PriceBook
from agentvigil.storage.store import Store


def routers_of(
    store: Store,
    keys: KeyBook,
    logs: LogIntake,
    policies: ContentPolicies = ContentPolicies(),  # noqa: B008 - frozen
    alerts: Configuration = Configuration(),  # noqa: B008 - frozen
) -> list[APIRouter]:
    """Return every router under ``/v1``, reading from ``store``; the server's access watches ``keys``, log
    records of ours go to ``logs``, ``policies`` say which projects store content, and ``alerts`` is what the file of
    alerts says."""
    reader = Reader(store)
    runs, sessions, metrics = Runs(reader), Sessions(reader), MetricsReading(reader)
    agents, traces, feedback = Agents(reader), Traces(reader), FeedbackReader(reader)
    baselines = BaselineBook(store)
    findings = FindingsReading(reader, partial(_name_of, keys))
    savable = {
        "agents": Resource(AgentList, AgentPage, agents.page),
        "feedback": Resource(FeedbackList, FeedbackPage, feedback.page),
        "findings": Resource(FindingList, FindingPage, findings.page),
        "incidents": Resource(IncidentList, IncidentPage, findings.incidents),
        "metrics": Resource(SeriesAsked, Metrics, metrics.of),
        "runs": Resource(RunList, RunPage, partial(run_page, runs)),
        "sessions": Resource(SessionList, SessionPage, partial(session_page, sessions)),
        "traces": Resource(TraceList, TracePage, partial(trace_page, traces)),
    }
    return [
        runs_router(runs),
        stats_router(StatsReading(reader)),
        metrics_router(metrics),
        findings_router(findings, FindingActs(FindingsBook(store), findings), agents),
        latency_router(LatencyReading(reader, agents)),
        agents_router(agents, metrics, sessions),
        sessions_router(sessions, runs),
        traces_router(traces, policies),
        prices_router(PriceBook(store)),
        keys_router(keys, ProjectBook(store)),
        exports_router(Exports(store, reader)),
        feedback_router(runs, feedback, logs, policies.of),
        tags_router(TagBook(store, reader, runs)),
        searches_router(QueryBook(store, reader, savable)),
        reports_router(Reports(reader), policies.of),
        baselines_router(baselines),
        comparing_router(Comparisons(store, baselines)),
        spending_router(SpendingReading(reader)),
        alerts_router(store, AlertBook(store, alerts), AlertReader(reader), Sender()),
    ]


def _name_of(keys: KeyBook, key_id: str) -> str | None:
    found = keys.find(key_id)
    return (found.name or None) if found else None
