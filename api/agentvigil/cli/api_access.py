"""Who answers what the API is asked on the command line: a server that runs, here or elsewhere, or this process.

Where a server runs on the data it is asked over HTTP. Where none does, the same application is built on the opened
data in this process, so that commands have one way to ask, and answers are the same.
"""

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import quote, urlencode, urlsplit

from urllib3.exceptions import HTTPError

from agentvigil.cli.calling import HttpCaller, NoAnswer, Trust, announced_trust, announced_url, bearer, key_for
from agentvigil.cli.hints import in_words_of_commands
from agentvigil.cli.settings import Settings
from agentvigil.storage.data_directory import directory_of, read_owner
from agentvigil.storage.store import Store

Params = Mapping[str, str | Sequence[str]]
"""Parameters of a query; a list gives its parameter several times."""

Prepare = Callable[[Store], object]
"""What is done first to a store that this process opens."""

_TIMEOUT_S: Final = 90.0
"""For each connect and read of a server elsewhere: longer than the API lets a query run."""

_CHUNK_BYTES: Final = 2**16
_MOST_REASON_BYTES: Final = 2**16


class ApiAccessError(Exception):
    """Root of what can go wrong; the message says what happened and what to do."""


class CannotAsk(ApiAccessError):
    """Nobody is there who could be asked, or what answers is not the API."""


class BrokenOff(ApiAccessError):
    """The answer ended before it was whole."""


class Refused(ApiAccessError):
    """The API said no, with ``status``; ``detail`` says what happened, ``hint`` what to do, both in its own words."""

    def __init__(self, status: int, detail: str, hint: str = "") -> None:
        super().__init__(in_words_of_commands(f"{detail}\n{hint}".strip()))
        self.status, self.detail, self.hint = status, detail, hint


class Way(Protocol):
    """How requests reach the API."""

    def open(self, method: str, path: str, query: str, body: bytes | None) -> tuple[int, Iterator[bytes]]:
        """Return the status of the answer and the pieces of its body, which raise `BrokenOff` if it is not whole."""
        ...


class Api:
    """The API, reached by ``way``. Every method raises `ApiAccessError` where there is no whole, good answer."""

    def __init__(self, way: Way) -> None:
        self._way = way

    def get(self, path: str, params: Params | None = None) -> Any:
        """Return the JSON at ``path``."""
        return self.call("GET", path, params)

    def call(self, method: str, path: str, params: Params | None = None, body: object = None) -> Any:
        """Return the JSON that answers ``method`` with ``body`` as JSON, None for no body."""
        return _json(b"".join(self.stream(path, params, method=method, body=body)), path)

    def lines(self, path: str, body: object) -> Iterator[Any]:
        """Yield the lines of JSON that answer a POST of ``body``, as they come."""
        rest = b""
        for piece in self.stream(path, method="POST", body=body):
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                yield _json(line, path)

    def stream(
        self, path: str, params: Params | None = None, *, method: str = "GET", body: object = None
    ) -> Iterator[bytes]:
        """Return the pieces of the answer as they come. It is asked at once, not when the first piece is read."""
        content = None if body is None else json.dumps(body).encode()
        status, pieces = self._way.open(method, path, urlencode(params or {}, doseq=True), content)
        if status not in (200, 201):
            raise _problem(status, pieces)
        return pieces

    def items(self, path: str, params: Params, most: int | None) -> tuple[list[Any], bool]:
        """Return the first ``most`` items of a list, all if that is None, over as many pages as that takes; and whether
        there are more."""
        found: list[Any] = []
        cursor: dict[str, str] = {}
        while True:
            size = 1000 if most is None else min(1000, most - len(found))
            page = self.get(path, {**params, **cursor, "limit": str(size)})
            found += page["items"]
            if page["next_cursor"] is None:
                return found, False
            if most is not None and len(found) >= most:
                return found, True
            cursor = {"cursor": page["next_cursor"]}


def segment(name: str) -> str:
    """Return ``name`` as one segment of a path."""
    return quote(name, safe="")


@contextlib.contextmanager
def api_of(
    settings: Settings, url: str | None = None, ca: Path | None = None, prepare: Prepare | None = None
) -> Iterator[Api]:
    """Yield the API of the server at ``url``, else of the one that has the data, else of this process over the data.

    ``ca`` are the certificates that the server at ``url`` must be signed by, None for those of the system. Where no
    server is asked, ``prepare`` makes what the command needs, the schema first of all; without it nothing is made where
    there is no data.

    Raises:
        ApiAccessError: if it can not be reached.
        StorageError: if the data can not be opened.
        TrustUnusable: if a file of certificates can not be used.
    """
    if url is not None:
        with _server(_base_of(url), Trust(ca=ca), settings.shown_key(), _TIMEOUT_S) as api:
            yield api
        return
    on_server = urlsplit(settings.clickhouse or "").scheme in ("http", "https")
    owner = None if on_server else read_owner(directory_of(settings.clickhouse, settings.data))
    announced = announced_url(owner or {}, "api")
    if announced:
        # One on this machine is waited for: to give a day of spans new costs may take long.
        with _server(announced, announced_trust(owner or {}), key_for(settings, owner or {}), None) as api:
            yield api
        return
    if prepare is None and not on_server:
        _check_there_is_data(directory_of(settings.clickhouse, settings.data))
    # The whole server takes a second to load, which asking one does not need.
    from agentvigil.cli.api_here import api_here

    with api_here(settings, prepare) as way:
        yield Api(way)


@contextlib.contextmanager
def _server(url: str, trust: Trust, key: str | None, timeout_s: float | None) -> Iterator[Api]:
    with contextlib.closing(HttpCaller(url, trust, timeout_s)) as caller:
        yield Api(_ByHttp(caller, key))


class _ByHttp:
    def __init__(self, caller: HttpCaller, key: str | None) -> None:
        self._caller, self._headers = caller, bearer(key)

    def open(self, method: str, path: str, query: str, body: bytes | None) -> tuple[int, Iterator[bytes]]:
        target = f"{path}?{query}" if query else path
        headers = self._headers if body is None else {**self._headers, "Content-Type": "application/json"}
        try:
            response = self._caller.open(method, target, headers, body)
        except NoAnswer as exc:
            raise CannotAsk(f"no answer from {self._caller.url}: {exc}") from exc

        def pieces() -> Iterator[bytes]:
            try:
                yield from response.stream(_CHUNK_BYTES)
            except HTTPError as exc:
                reason = self._caller.reason(exc)
                raise BrokenOff(f"the answer of {self._caller.url} broke off: {reason}; try again") from exc
            finally:
                response.close()

        return response.status, pieces()


def _json(text: bytes, path: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as exc:
        raise CannotAsk(f"the answer to {path} is no JSON: is that address AgentVigil's API?") from exc


def _problem(status: int, pieces: Iterator[bytes]) -> Refused:
    """Return what an answer that is no success says: problem details, or whatever else stands there."""
    text = b""
    for piece in pieces:
        text += piece
        if len(text) > _MOST_REASON_BYTES:
            break
    try:
        problem = json.loads(text)
        return Refused(status, str(problem["detail"]), str(problem.get("hint", "")))
    except (ValueError, KeyError, TypeError, AttributeError):
        said = text.decode("utf-8", errors="replace").strip()[:200]
        return Refused(status, f"the answer was {status}" + (f": {said}" if said else ""))


def _base_of(url: str) -> str:
    parts = urlsplit(url)
    try:
        is_base = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_base = False
    if not is_base or parts.username is not None or parts.path.strip("/") or parts.query or parts.fragment:
        raise CannotAsk("--url wants the address of the API and no more, such as http://vigil.example.org:8787")
    return f"{parts.scheme}://{parts.netloc}"


def _check_there_is_data(directory: Path) -> None:
    if (directory / "clickhouse").exists():
        return
    demo = directory / "demo"
    named = f"; the demo's is there with --data {demo}" if demo.exists() else ""
    raise CannotAsk(
        f"there is no data in {directory}: `agentvigil up` takes some in, --data names another place{named}"
    )
