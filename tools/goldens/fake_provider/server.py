"""The provider as a server: which API a path belongs to, and how its answer goes over the wire."""

import json
from dataclasses import asdict
from typing import ClassVar, Final

from fake_provider.anthropic_messages import Messages
from fake_provider.api import CREATED_UNIX_SECONDS, Api, Document
from fake_provider.google_generate_content import GenerateContent
from fake_provider.ledger import Call, Ledger
from fake_provider.openai_chat import ChatCompletions
from fake_provider.openai_embeddings import Embeddings
from fake_provider.openai_responses import Responses
from fake_provider.scenarios import SCENARIOS
from local_server import Handler, LocalServer

APIS: Final[tuple[Api, ...]] = (ChatCompletions(), Responses(), Embeddings(), Messages(), GenerateContent())


class FakeProvider(LocalServer):
    """The provider, listening on 127.0.0.1 while it is entered.

    Port 0 takes a free one. Counting of calls begins anew with each provider.
    """

    def __init__(self, port: int = 0) -> None:
        self._ledger = Ledger()
        super().__init__(type("_ProviderHandler", (_Handler,), {"ledger": self._ledger}), port)

    def url(self, scenario: str) -> str:
        """Base URL of a scenario, without the version of an API."""
        return f"{self.base_url}/{scenario}"

    def calls(self, scenario: str) -> list[Call]:
        """What was answered so far."""
        return self._ledger.calls(scenario)


class _Handler(Handler):
    """One connection. Subclassed with the ledger of the provider it belongs to."""

    ledger: ClassVar[Ledger]

    def do_GET(self) -> None:
        scenario, path = self._target()
        if path == "/calls":
            self._document(200, {"calls": [asdict(call) for call in self.ledger.calls(scenario)]})
        elif path.endswith("/models"):
            self._document(200, {"object": "list", "data": []})
        else:
            self._document(404, {"error": {"message": f"no such page: {self.path}"}})

    def do_POST(self) -> None:
        content = self.content()
        scenario, path = self._target()
        api = next((api for api in APIS if api.path.fullmatch(path)), None)
        if scenario not in SCENARIOS or api is None:
            self._document(404, {"error": {"message": f"no such scenario or API: {self.path}"}})
            return
        reply = self.ledger.answer(scenario, api, path, json.loads(content))
        if reply.document is not None:
            self._document(reply.status, reply.document)
        else:
            self._stream(reply.events)

    def version_string(self) -> str:
        """Constant, since some libraries pass on the headers of a response."""
        return "fake"

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Constant for the same reason."""
        return super().date_time_string(CREATED_UNIX_SECONDS if timestamp is None else timestamp)

    def _target(self) -> tuple[str, str]:
        scenario, slash, rest = self.path.partition("?")[0].removeprefix("/").partition("/")
        return scenario, slash + rest

    def _document(self, status: int, document: Document) -> None:
        content = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("x-request-id", "req_0")
        self.end_headers()
        self.wfile.write(content)

    def _stream(self, events: tuple[str, ...]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.send_header("x-request-id", "req_0")
        self.end_headers()
        for event in (*events, ""):
            content = event.encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(content), content))
            self.wfile.flush()
