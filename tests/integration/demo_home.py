"""The demo's fleet in a store of this process, settled, counted and looked at: what a newcomer sees after some minutes.

Of the demo's past only some hours of its last days are played, in a tenth of the time. What its detectors find in three
weeks of it is recorded as they record it, since to find it takes ten seconds; that they do is tested elsewhere. Beyond
the demo, one run takes sixty times as long as it would, and one finding is resolved.
"""

import copy
import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status
from trace_requests import DAY, NOW, S, admitted, attributes, take

from agentvigil.analysis.anomalies import AnomalyJob
from agentvigil.analysis.features.feature_hours import FEATURE_HOURS
from agentvigil.analysis.findings.book import FindingsBook
from agentvigil.analysis.findings.model import Observation, Resolution, Severity
from agentvigil.analysis.rollups import RollupJob
from agentvigil.analysis.rollups.call_hours import CALL_HOURS
from agentvigil.analysis.settling import Trace, TraceSettler
from agentvigil.analysis.settling.state import SettlingState
from agentvigil.cli.fleet.agents import Deployment
from agentvigil.cli.fleet.history import CONCIERGE, HANDBOOK, history
from agentvigil.cli.fleet.plan import PlannedSpan
from agentvigil.cli.fleet.script import DEFAULT_SEED, PlannedRun, Script
from agentvigil.semconv import attributes as a
from agentvigil.semconv.privacy import ContentPolicy
from agentvigil.storage.embedded import EmbeddedStore
from observations import observation

DAYS: Final = 3
_HOURS_OF_A_DAY: Final = range(13, 17)
"""In UTC, when most runs are."""
_LIVE_RUNS: Final = 120
_LIVE_SPACING_NS: Final = 25 * S
_SLOWER: Final = 60


def play(store: EmbeddedStore) -> None:
    """Fill ``store``; ``NOW`` is when it was played."""
    ids = random.Random(1)
    runs = [*_past(ids), *_live(ids)]
    spans: defaultdict[Deployment, list[Span]] = defaultdict(list)
    traces = []
    for run, ended_ns in runs:
        trace_id = ids.randbytes(16)
        made = list(_spans(run.root, trace_id, ended_ns - run.root.end_ns, b"", ids))
        spans[run.deployment] += made
        began, ended = (datetime.fromtimestamp(ns / S, UTC) for ns in (ended_ns - run.root.end_ns, ended_ns))
        traces.append(Trace("default", trace_id.hex(), began - timedelta(seconds=1), ended, len(made), is_final=True))
    take(
        store,
        *[
            admitted(_request(deployment, made[at : at + 4000]), policy=ContentPolicy.OFF)
            for deployment, made in spans.items()
            for at in range(0, len(made), 4000)
        ],
    )
    TraceSettler(store, batch_spans=100_000).settle(traces)
    _analyze(store)


def _past(ids: random.Random) -> Iterator[tuple[PlannedRun, int]]:
    for run, ended_ns in history(DEFAULT_SEED, NOW, DAYS, ids):
        if ended_ns % DAY // (3600 * S) in _HOURS_OF_A_DAY:
            yield run, ended_ns
    # The last one anew, a second later: no step has another's ids.
    slow = copy.deepcopy(run)
    for span in slow.root.walk():
        span.start_ns, span.end_ns = span.start_ns * _SLOWER, span.end_ns * _SLOWER
        span.attributes.pop(a.GEN_AI_RESPONSE_ID, None)
    yield slow, ended_ns + S


def _live(ids: random.Random) -> Iterator[tuple[PlannedRun, int]]:
    script = Script(DEFAULT_SEED, rate=S / _LIVE_SPACING_NS, ids=ids)
    for number, run in enumerate(islice(iter(script.next_run, None), _LIVE_RUNS)):
        yield run, NOW - (_LIVE_RUNS - number) * _LIVE_SPACING_NS


def _spans(span: PlannedSpan, trace_id: bytes, began_ns: int, parent: bytes, ids: random.Random) -> Iterator[Span]:
    span_id = ids.randbytes(8)
    yield Span(
        trace_id=trace_id,
        span_id=span_id,
        parent_span_id=parent,
        name=span.name,
        kind=Span.SpanKind.ValueType(span.kind.value + 1),
        start_time_unix_nano=began_ns + span.start_ns,
        end_time_unix_nano=began_ns + span.end_ns,
        attributes=attributes(dict(span.attributes)),
        status=Status(
            code=Status.STATUS_CODE_UNSET if span.error is None else Status.STATUS_CODE_ERROR, message=span.error or ""
        ),
    )
    for child in span.children:
        yield from _spans(child, trace_id, began_ns, span_id, ids)


def _request(deployment: Deployment, spans: list[Span]) -> bytes:
    said = {
        a.SERVICE_NAME: deployment.service,
        a.SERVICE_VERSION: deployment.version,
        a.DEPLOYMENT_ENVIRONMENT_NAME: deployment.environment,
    }
    scope = ScopeSpans(scope=InstrumentationScope(name="agentvigil.cli.fleet"), spans=spans)
    resource_spans = ResourceSpans(resource=Resource(attributes=attributes(said)), scope_spans=[scope])
    return ExportTraceServiceRequest(resource_spans=[resource_spans]).SerializeToString()


def _analyze(store: EmbeddedStore) -> None:
    now = datetime.now(UTC)
    book = FindingsBook(store)
    SettlingState(store, "tests").advance(now)
    rollups = RollupJob(store, "tests", quiet_s=0, kinds=(FEATURE_HOURS, CALL_HOURS))
    while rollups.step(now):
        pass
    for one in book.record(_observations(now), now):
        if one.observation.agent == CONCIERGE and one.finding is not None:
            book.resolve("default", one.finding.id, Resolution.FIXED, "", now)
    anomalies = AnomalyJob(store, "tests", lambda seen: book.record(seen, now), quiet=timedelta(0))
    while anomalies.step(now + timedelta(minutes=1)):
        pass


def _observations(now: datetime) -> Iterator[Observation]:
    began, seen = now - timedelta(hours=40), now - timedelta(hours=1)
    when = {"window_start": began, "changed_at": began, "window_end": seen, "seen_at": seen}
    for agent, said in (
        (CONCIERGE, {"stream": "hand_over", "severity": Severity.CRITICAL}),
        (HANDBOOK, {"feature": "cost", "stream": "", "unit": "USD", "usd_per_day": 1.5}),
    ):
        explanation = f"{agent} is not as it was."
        yield observation(subject=agent, agent=agent, explanation=explanation, **said, **when)
