"""What stands in a line of the log, for people and for programs."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from agentvigil.api.request_ids import _CURRENT
from agentvigil.cli import logs
from agentvigil.cli.settings import Settings

LOGGER = logging.getLogger("agentvigil.test")
Lines = Callable[[], list[str]]


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Lines]:
    """The lines written to stderr since logging was configured in the format that the test names."""
    written = io.StringIO()
    monkeypatch.setattr("sys.stderr", written)
    root, ours = logging.getLogger(), logging.getLogger("agentvigil")
    handlers, levels = root.handlers[:], (root.level, ours.level)
    root.handlers[:] = []
    logs.configure_logging(Settings(log_format=request.param))
    yield lambda: written.getvalue().splitlines()
    logging.captureWarnings(False)
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    ours.setLevel(levels[1])


@pytest.fixture
def request_id() -> Iterator[str]:
    token = _CURRENT.set("asked-1")
    yield "asked-1"
    _CURRENT.reset(token)


@pytest.mark.parametrize("lines", ["json"], indirect=True)
def test_each_line_is_one_json_object(lines: Lines) -> None:
    """A log collector splits by lines, whatever a message or a traceback holds."""
    before = datetime.now(UTC).replace(microsecond=0)
    LOGGER.info("two\nlines of %s", "text", extra={"status": 200})
    LOGGER.error("it failed", exc_info=LookupError("not\nthere"))
    logging.getLogger("uvicorn.error").error("theirs", extra={"color_message": "theirs"})
    told: list[dict[str, Any]] = [json.loads(line) for line in lines()]

    times = [datetime.fromisoformat(entry.pop("time")) for entry in told]
    assert all(before <= time and time.utcoffset() == UTC.utcoffset(None) for time in times)
    exception = told[1].pop("exception")
    for entry in told:
        # LiteLLM, where a test before this one imported it, writes it into every record of the process.
        entry.pop("litellm_redacted", None)
    assert told == [
        {"level": "info", "logger": "agentvigil.test", "message": "two\nlines of text", "status": 200},
        {"level": "error", "logger": "agentvigil.test", "message": "it failed"},
        {"level": "error", "logger": "uvicorn.error", "message": "theirs"},
    ]
    assert exception == "LookupError: not\nthere"


@pytest.mark.parametrize("lines", ["json"], indirect=True)
def test_a_line_in_json_names_the_request(lines: Lines, request_id: str) -> None:
    LOGGER.warning("slow")

    assert json.loads(lines()[0])["request_id"] == request_id


@pytest.mark.parametrize("lines", ["text"], indirect=True)
def test_a_line_of_text_names_the_request_if_there_is_one(lines: Lines) -> None:
    LOGGER.warning("alone")
    token = _CURRENT.set("asked-1")
    LOGGER.warning("slow")
    _CURRENT.reset(token)

    alone, slow = lines()
    assert alone.endswith("WARNING agentvigil.test: alone")
    assert slow.endswith("WARNING agentvigil.test: slow [asked-1]")
