"""How the process logs: to stderr, as text for people or as one JSON object a line for programs."""

import logging
import sys
from datetime import UTC, datetime
from typing import Any, Final

from pythonjsonlogger.json import JsonFormatter

from agentvigil.api.request_ids import current_request_id
from agentvigil.cli.settings import Settings

_TEXT: Final = "%(asctime)s %(levelname)-7s %(name)s: %(message)s%(request)s"


def configure_logging(settings: Settings) -> None:
    """Set up the root logger; called once, by a command."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines() if settings.log_format == "json" else logging.Formatter(_TEXT))
    handler.addFilter(_note_request)
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.captureWarnings(settings.log_format == "json")
    logging.getLogger("agentvigil").setLevel(settings.log_level.upper())
    for library in ("urllib3", "clickhouse_connect"):
        # They warn of every attempt at a server that is away; what we make of it is in our own log.
        logging.getLogger(library).setLevel(logging.ERROR)
    if settings.log_level != "debug":
        # Likewise, of every span of our own that can not be sent; the logs of other programs do not come through here.
        for library in ("opentelemetry.exporter", "opentelemetry.sdk"):
            logging.getLogger(library).setLevel(logging.CRITICAL)


def _note_request(record: logging.LogRecord) -> bool:
    """Add the request that is being answered, in the words of either format; true, since every record passes."""
    if request_id := current_request_id():
        record.request_id = request_id
        record.request = f" [{request_id}]"
    else:
        record.request = ""
    return True


class _JsonLines(JsonFormatter):
    """``time``, ``level``, ``logger``, ``message``, ``request_id`` and ``exception`` where there is one, and extras."""

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        log_data["time"] = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        log_data["level"], log_data["logger"] = record.levelname.lower(), record.name
        log_data["message"] = record.getMessage()
        super().add_fields(log_data, record, {})
        for name in ("request", "color_message"):
            # The first is the id as text has it, the second uvicorn's message once more.
            log_data.pop(name, None)
        if "exc_info" in message_dict:
            log_data["exception"] = message_dict["exc_info"]
