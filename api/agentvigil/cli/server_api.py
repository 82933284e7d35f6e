"""How commands ask the API of a server that runs on their data."""

import contextlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from urllib3.response import BaseHTTPResponse

from agentvigil.cli.calling import HttpCaller, NoAnswer, announced_trust, announced_url, bearer, key_for
from agentvigil.cli.settings import Settings
from agentvigil.storage.data_directory import read_owner
from agentvigil.storage.errors import StorageError
from agentvigil.storage.opening import directory_of

_MOST_REASON_BYTES: Final = 2**12


class ServerFailed(StorageError):
    """The running server did not do what it was asked; the message says why."""


class ServerRefused(ServerFailed):
    """The running server answered with ``status``, an error of HTTP; ``reason`` is what it said."""

    def __init__(self, url: str, status: int, reason: str) -> None:
        super().__init__(f"{url} answered {status}: {reason}")
        self.status, self.reason = status, reason


class ServerApi:
    """The API of a running server, asked as somebody with ``headers``."""

    def __init__(self, caller: HttpCaller, headers: Mapping[str, str]) -> None:
        self._caller = caller
        self._headers = {**headers, "Content-Type": "application/json"}

    @property
    def url(self) -> str:
        """Where it is."""
        return self._caller.url

    def call(self, method: str, target: str, body: object = None) -> Any:
        """Return the answer, read as JSON. Arguments and errors are those of `open`."""
        with self.open(method, target, body) as answer:
            return json.load(answer)

    def open(self, method: str, target: str, body: object = None) -> BaseHTTPResponse:
        """Return the answer to ``target``, a path with its query, still to be read; ``body`` is sent as JSON.

        Raises:
            ServerRefused: if it is an error.
            ServerFailed: if there is none.
        """
        content = None if body is None else json.dumps(body).encode()
        try:
            answer = self._caller.open(method, target, self._headers, content)
        except NoAnswer as exc:
            raise ServerFailed(f"no answer from {self.url}: {exc}") from exc
        if answer.status in (200, 201):
            return answer
        text = answer.read(_MOST_REASON_BYTES).decode("utf-8", errors="replace")
        answer.close()
        try:
            reason = str(json.loads(text)["detail"])
        except (ValueError, KeyError, TypeError):
            reason = text
        raise ServerRefused(self.url, answer.status, reason)


@contextlib.contextmanager
def api_on(settings: Settings) -> Iterator[ServerApi | None]:
    """Yield the API of the server that runs on the embedded store of ``settings``, None if there is none."""
    owner = None
    if urlsplit(settings.clickhouse or "").scheme not in ("http", "https"):
        owner = read_owner(directory_of(settings.clickhouse, settings.data))
    url = announced_url(owner or {}, "api")
    if owner is None or url is None:
        yield None
        return
    with contextlib.closing(HttpCaller(url, announced_trust(owner), timeout_s=None)) as caller:
        yield ServerApi(caller, bearer(key_for(settings, owner)))
