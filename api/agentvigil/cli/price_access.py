"""Who has the prices that a command asks for: a server that runs on the data, or the store itself."""

import contextlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import urlencode

from urllib3.response import BaseHTTPResponse

from agentvigil.cli.server_api import ServerApi, ServerFailed, ServerRefused, api_on
from agentvigil.cli.settings import Settings
from agentvigil.storage.migrations import migrate
from agentvigil.storage.opening import open_store
from agentvigil.storage.prices.book import PriceBook, Recost
from agentvigil.storage.prices.errors import PriceError
from agentvigil.storage.prices.loading import load_prices


class Prices(Protocol):
    """What :class:`~agentvigil.storage.prices.book.PriceBook` does, wherever it is."""

    def listed(self, provider: str = "", model: str = "", source: str = "") -> list[dict[str, Any]]: ...

    def set(self, entries: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]: ...

    def unset(self, entries: Sequence[Mapping[str, Any]]) -> int: ...

    def diff(self) -> list[dict[str, Any]]: ...

    def unpriced(self, since: datetime | None = None) -> list[dict[str, Any]]: ...

    def recost(self, wanted: Recost) -> Iterator[dict[str, Any]]: ...


@contextlib.contextmanager
def prices_of(settings: Settings) -> Iterator[Prices]:
    """Yield the prices of the server that runs on the data, or of the store, brought to this release's prices.

    Raises:
        StorageError: if neither can be reached.
    """
    with api_on(settings) as api:
        if api is not None:
            yield _ServerPrices(api)
            return
    with open_store(settings.clickhouse, settings.data, settings.database, purpose="agentvigil prices") as (store, _):
        store.version()
        migrate(store)
        load_prices(store)
        yield PriceBook(store)


class _ServerPrices:
    """The prices of a running server, by its API."""

    def __init__(self, api: ServerApi) -> None:
        self._api = api

    def listed(self, provider: str = "", model: str = "", source: str = "") -> list[dict[str, Any]]:
        query = urlencode({"provider": provider, "model": model, "source": source})
        return list(self._call("GET", f"?{query}")["prices"])

    def set(self, entries: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        return list(self._call("PUT", "/overrides", {"prices": entries})["prices"])

    def unset(self, entries: Sequence[Mapping[str, Any]]) -> int:
        return int(self._call("POST", "/overrides/remove", {"prices": entries})["removed"])

    def diff(self) -> list[dict[str, Any]]:
        return list(self._call("GET", "/diff")["prices"])

    def unpriced(self, since: datetime | None = None) -> list[dict[str, Any]]:
        query = urlencode({"since": since.isoformat()}) if since else ""
        return list(self._call("GET", f"/unpriced?{query}")["models"])

    def recost(self, wanted: Recost) -> Iterator[dict[str, Any]]:
        request = {
            "since": wanted.since and wanted.since.isoformat(),
            "until": wanted.until and wanted.until.isoformat(),
            "provider": wanted.provider,
            "model": wanted.model,
        }
        with self._open("POST", "/recost", request) as answer:
            for line in map(json.loads, io.BufferedReader(answer)):
                if "error" in line:
                    raise ServerFailed(line["error"])
                if "done" in line:
                    return
                yield line
        raise ServerFailed(f"{self._api.url} ended before it was done; run it again to go on")

    def _call(self, method: str, target: str, body: object = None) -> Any:
        with self._open(method, target, body) as answer:
            return json.load(answer)

    def _open(self, method: str, target: str, body: object = None) -> BaseHTTPResponse:
        """Return the answer, which is still to be read.

        Raises:
            PriceError: if the server says that a price can not be.
            ServerFailed: if it says anything else but yes, or nothing.
        """
        try:
            return self._api.open(method, f"/v1/prices{target}", body)
        except ServerRefused as exc:
            if exc.status == 400:
                raise PriceError(exc.reason) from exc
            raise
