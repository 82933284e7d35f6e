"""What tests of instrumentations share."""

import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

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


@pytest.fixture
def sinks(monkeypatch: pytest.MonkeyPatch) -> Sinks:
    """Where telemetry goes, in an environment that asks for no content."""
    monkeypatch.delenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", raising=False)
    return Sinks()
