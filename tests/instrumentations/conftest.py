"""What tests of instrumentations share."""

import gc
import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry import trace
from opentelemetry._logs import _internal as logs

sys.path.insert(0, str(Path(__file__).parent))

from telemetry_sinks import Sinks

from agentvigil.instrumentations.telemetry import guard


@pytest.fixture(autouse=True)
def fresh_logging(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Log as a new process would: the server's command line, tested in this one too, sets levels."""
    monkeypatch.setattr(guard, "_reported", set())
    logger = logging.getLogger("agentvigil")
    before = logger.level
    logger.setLevel(logging.NOTSET)
    yield
    logger.setLevel(before)


@pytest.fixture(autouse=True)
def garbage_is_collected_where_tests_say_so() -> Iterator[None]:
    """Only there: a stream that was given up closes its connection when it is collected.

    Where that happens in the middle of another request, under httpcore's own lock, it waits for ever; with or without
    anybody who watches.
    """
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def sinks(monkeypatch: pytest.MonkeyPatch) -> Sinks:
    """Where telemetry goes, in an environment that asks for no content."""
    monkeypatch.delenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", raising=False)
    return Sinks()


@pytest.fixture(scope="session")
def sinks_of_the_process() -> Sinks:
    """Frameworks that ask for a tracer when they are imported keep the first one they are given."""
    return Sinks()


@pytest.fixture
def global_sinks(sinks_of_the_process: Sinks, monkeypatch: pytest.MonkeyPatch) -> Sinks:
    """Sinks that are OpenTelemetry's global ones, empty: where frameworks send what they make by themselves."""
    monkeypatch.delenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", raising=False)
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", sinks_of_the_process.tracer_provider)
    monkeypatch.setattr(logs, "_LOGGER_PROVIDER", sinks_of_the_process.logger_provider)
    sinks_of_the_process.clear()
    return sinks_of_the_process
