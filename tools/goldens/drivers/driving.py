"""What every driver shares: telemetry that goes to the generator, and the choice of a scenario.

Runs in the environment of a driven library, so it needs nothing but OpenTelemetry's SDK and its OTLP/HTTP exporter.
"""

import asyncio
import inspect
import os
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from opentelemetry import trace
from opentelemetry._logs import set_logger_provider
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

PROVIDER = os.environ["GOLDENS_PROVIDER"]
"""Base URL of the fake provider, with the scenario in it."""

CAPTURE = os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"]
"""Base URL of the OTLP endpoint."""

Scenario: TypeAlias = Callable[[], Awaitable[None] | None]


class Telemetry:
    """Global providers, as an application sets them up."""

    def __init__(self) -> None:
        self.tracer_provider = TracerProvider()
        self.tracer_provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self.logger_provider = LoggerProvider()
        self.logger_provider.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
        trace.set_tracer_provider(self.tracer_provider)
        set_logger_provider(self.logger_provider)

    def shutdown(self) -> None:
        """Send what is left."""
        self.tracer_provider.shutdown()
        self.logger_provider.shutdown()


def drive(
    instrument: Callable[[Telemetry], object], *scenarios: Scenario, finish: Callable[[], object] = lambda: None
) -> None:
    """Run the scenario that the command line names: ``instrument`` before it, ``finish`` before telemetry ends."""
    telemetry = Telemetry()
    instrument(telemetry)
    run(*scenarios)
    finish()
    telemetry.shutdown()


def run(*scenarios: Scenario) -> None:
    """Run the scenario that the command line names."""
    result = {scenario.__name__: scenario for scenario in scenarios}[sys.argv[1]]()
    if inspect.isawaitable(result):
        asyncio.run(_awaited(result))


async def _awaited(result: Awaitable[None]) -> None:
    await result


@contextmanager
def fails(*kinds: type[BaseException]) -> Iterator[None]:
    """The block has to raise one of ``kinds``: a scenario about an error without one shows nothing."""
    try:
        yield
    except kinds:
        return
    raise AssertionError(f"did not raise {', '.join(kind.__name__ for kind in kinds)}")
