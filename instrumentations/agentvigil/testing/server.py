"""The provider as a server: which API a path belongs to, and how its answer goes over the wire."""

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from http import HTTPStatus
from typing import Any, ClassVar, Final

from agentvigil.testing.answers import Answer
from agentvigil.testing.anthropic_messages import Messages
from agentvigil.testing.api import CREATED_UNIX_SECONDS, Api, Document, Reply
from agentvigil.testing.google_generate_content import GenerateContent
from agentvigil.testing.ledger import Call, Ledger
from agentvigil.testing.local_server import Handler, LocalServer
from agentvigil.testing.openai_chat import ChatCompletions
from agentvigil.testing.openai_embeddings import Embeddings
from agentvigil.testing.openai_responses import Responses
from agentvigil.testing.scenarios import SCENARIOS

APIS: Final[tuple[Api, ...]] = (ChatCompletions(), Responses(), Embeddings(), Messages(), GenerateContent())
OWN: Final = "own"
"""The scenario of the answers that a test gives."""


class FakeProvider(LocalServer):
    """The provider, listening on 127.0.0.1 while it is entered.

    ``answers`` are given in turn, and the last one again and again; without them there are only the built-in scenarios.
    ``latency_s`` passes before each of the answers. Port 0 takes a free one. Ids of answers are made from their number,
    which begins with ``first_number`` in every scenario: two providers that are used at once need different ones.
    """

    def __init__(
        self, port: int = 0, *, answers: Sequence[Answer] = (), latency_s: float = 0.0, first_number: int = 1
    ) -> None:
        own = [replace(answer, delay_s=answer.delay_s + latency_s) for answer in answers]
        self._ledger = Ledger({**SCENARIOS, OWN: own} if own else SCENARIOS, first_number)
        super().__init__(type("_ProviderHandler", (_Handler,), {"ledger": self._ledger}), port)

    def url(self, scenario: str = OWN) -> str:
        """Base URL of a scenario, without the version of an API: what Anthropic's and Google's SDKs want."""
        return f"{self.base_url}/{scenario}"

    @property
    def openai_url(self) -> str:
        """What OpenAI's SDK wants as its base URL."""
        return f"{self.url()}/v1"

    @property
    def anthropic_url(self) -> str:
        """What Anthropic's SDK wants as its base URL."""
        return self.url()

    @property
    def google_url(self) -> str:
        """What Google's SDK wants as its base URL."""
        return self.url()

    def calls(self, scenario: str = OWN) -> list[Call]:
        """What was answered so far, with the usage that the caller was told."""
        return self._ledger.calls(scenario)

    def requests(self, scenario: str = OWN) -> list[Document]:
        """The bodies of the requests so far."""
        return self._ledger.requests(scenario)


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
        if scenario not in self.ledger.scenarios or api is None:
            self._document(404, {"error": {"message": f"no such scenario or API: {self.path}"}})
            return
        reply = self.ledger.answer(scenario, api, path, json.loads(content))
        answer = reply.answer or Answer()
        time.sleep(answer.delay_s)
        if answer.cut == "before":
            self.close_connection = True
        elif reply.document is not None:
            self._document(reply.status, answer.edited(reply.document), is_cut=answer.cut == "middle")
        else:
            self._stream(reply, answer)

    def version_string(self) -> str:
        """Constant, since some libraries pass on the headers of a response."""
        return "fake"

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Constant for the same reason."""
        return super().date_time_string(CREATED_UNIX_SECONDS if timestamp is None else timestamp)

    def _target(self) -> tuple[str, str]:
        scenario, slash, rest = self.path.partition("?")[0].removeprefix("/").partition("/")
        return scenario, slash + rest

    def _document(self, status: int, document: Any, *, is_cut: bool = False) -> None:
        content = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("x-request-id", "req_0")
        if status == HTTPStatus.TOO_MANY_REQUESTS and self._target()[0] == OWN:
            self.send_header("Retry-After", "0")  # SDKs would wait a second otherwise; the goldens were made without
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if is_cut else content)
        self.close_connection = self.close_connection or is_cut

    def _stream(self, reply: Reply, answer: Answer) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.send_header("x-request-id", "req_0")
        self.end_headers()
        is_cut = answer.cut == "middle"
        events = reply.events[: len(reply.events) // 2] if is_cut else (*reply.events, "")
        for content in _edited(events, answer):
            time.sleep(answer.chunk_delay_s)
            self.wfile.write(b"%x\r\n%s\r\n" % (len(content), content))
            self.wfile.flush()
        self.close_connection = self.close_connection or is_cut


def _edited(events: Iterable[str], answer: Answer) -> Iterable[bytes]:
    for event in events:
        head, data, document = event.partition("data: ")
        if answer.edit is not None and document.startswith("{"):
            yield f"{head}{data}{json.dumps(answer.edited(json.loads(document)))}\n\n".encode()
        else:
            yield event.encode()
