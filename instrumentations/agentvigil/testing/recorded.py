"""A provider that says again what a real one said: responses of a VCR cassette, in their order, whatever is asked."""

import gzip
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Final

from agentvigil.testing.local_server import Handler, LocalServer

_DROPPED: Final = frozenset({"content-length", "content-encoding", "transfer-encoding", "connection", "date"})
"""Headers that are true of the recorded connection and not of this one."""


class RecordedProvider(LocalServer):
    """Listens on 127.0.0.1 while it is entered. The last response is repeated.

    Raises:
        ImportError: PyYAML is not installed, which cassettes are read with.
        ValueError: the file at ``path`` is no cassette.
    """

    def __init__(self, path: Path, port: int = 0) -> None:
        recorded = list(_responses(path))
        super().__init__(
            type("_RecordedHandler", (_Handler,), {"recorded": recorded, "lock": threading.Lock(), "asked": []}), port
        )

    @property
    def openai_url(self) -> str:
        """What OpenAI's SDK wants as its base URL."""
        return f"{self.base_url}/v1"


class _Handler(Handler):
    recorded: ClassVar[list[tuple[int, list[tuple[str, str]], bytes]]]
    lock: ClassVar[threading.Lock]
    asked: ClassVar[list[str]]

    def do_POST(self) -> None:
        self.content()
        with self.lock:
            number = len(self.asked)
            self.asked.append(self.path)
        status, headers, content = self.recorded[min(number, len(self.recorded) - 1)]
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST


def _responses(path: Path) -> Iterator[tuple[int, list[tuple[str, str]], bytes]]:
    try:
        import yaml
    except ImportError as exc:
        raise ImportError("cassettes are read with PyYAML: pip install pyyaml") from exc
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(document, dict) or "interactions" not in document:
        raise ValueError(f"{path} is no cassette: it has no interactions")
    for interaction in document["interactions"]:
        response = interaction["response"]
        headers = {name.lower(): values for name, values in (response.get("headers") or {}).items()}
        content = _content(response["body"])
        if "gzip" in str(headers.get("content-encoding", "")) and content.startswith(b"\x1f\x8b"):
            content = gzip.decompress(content)
        kept = [(name, str(_first(values))) for name, values in headers.items() if name not in _DROPPED]
        yield int(response["status"]["code"]), kept, content


def _content(body: Any) -> bytes:
    text = body.get("string", "") if isinstance(body, dict) else body
    if isinstance(text, bytes):
        return text
    return (text if isinstance(text, str) else json.dumps(text)).encode()


def _first(values: Any) -> Any:
    return values[0] if isinstance(values, list) else values
