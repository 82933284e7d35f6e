"""Who gets which answer, and what was told to whom."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from agentvigil.testing.answers import Answer
from agentvigil.testing.api import Api, Document, Reply, Turn


@dataclass(frozen=True, slots=True)
class Call:
    """One call that was answered, and the usage that its caller was told; None is usage that it was not."""

    api: str
    request_model: str
    response_model: str
    status: int
    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    reasoning: int | None = None


class Ledger:
    """Answers the calls of each scenario in turn, and keeps them. Threads may share it."""

    def __init__(self, scenarios: Mapping[str, Sequence[Answer]], first_number: int = 1) -> None:
        self.scenarios = scenarios
        self._first_number = first_number
        self._calls: dict[str, list[Call]] = {}
        self._requests: dict[str, list[Document]] = {}
        self._lock = threading.Lock()

    def calls(self, scenario: str) -> list[Call]:
        """What was answered so far."""
        with self._lock:
            return list(self._calls.get(scenario, ()))

    def requests(self, scenario: str) -> list[Document]:
        """What was asked so far."""
        with self._lock:
            return list(self._requests.get(scenario, ()))

    def answer(self, scenario: str, api: Api, path: str, body: Document) -> Reply:
        """Answer one request, and remember that."""
        with self._lock:
            calls = self._calls.setdefault(scenario, [])
            self._requests.setdefault(scenario, []).append(body)
            answers = self.scenarios[scenario]
            turn = Turn(path, body, answers[min(len(calls), len(answers) - 1)], len(calls) + self._first_number)
            status = turn.answer.status
            reply = Reply(api.error(status), status=status) if turn.answer.is_error else api.reply(turn)
            told = {} if reply.told is None else asdict(reply.told)
            response_model = "" if turn.answer.is_error else api.answered_by(turn)
            calls.append(Call(api.name, api.model(turn), response_model, reply.status, **told))
            return replace(reply, answer=turn.answer)
