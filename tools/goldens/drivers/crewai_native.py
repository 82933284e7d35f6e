"""CrewAI's own spans, which it keeps to a session that a host opens with exporters of its choice."""

import functools
from collections.abc import Callable

from calls import crews
from crewai.telemetry.tracing.session import telemetry_session
from driving import run
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter


def within_session(scenario: Callable[[], None]) -> Callable[[], None]:
    """The same scenario, traced."""

    @functools.wraps(scenario)
    def traced() -> None:
        with telemetry_session("kickoff-1", "goldens", exporters=[OTLPSpanExporter()]):
            scenario()

    return traced


run(*(within_session(scenario) for scenario in crews.ALL))
