"""Asks a store over ClickHouse's HTTP interface, ours or a server's; unlike the other stores it makes nothing."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, NoReturn
from urllib.parse import urlencode

from clickhouse_connect.driver.client import Client

from agentvigil.cli.calling import HttpCaller, NoAnswer
from agentvigil.storage.envelope import Envelope
from agentvigil.storage.errors import QueryFailed, StorageError
from agentvigil.storage.store import Store

_NAME: Final = re.compile(r"\(([A-Z0-9_]+)\)")


class SqlReader(Store):
    """The database ``database`` behind ``caller``, or that of the user if it is empty; ``headers`` say who asks."""

    def __init__(self, caller: HttpCaller, headers: Mapping[str, str], database: str, *, is_embedded: bool) -> None:
        super().__init__(database)
        self.is_embedded = is_embedded
        self._caller, self._headers = caller, headers

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Sequence[Sequence[Any]]:
        fields = {f"param_{name}": str(value) for name, value in (parameters or {}).items()}
        if self.database:
            fields["database"] = self.database
        try:
            answer = self._caller.call(
                "POST", f"/?{urlencode(fields)}", self._headers, f"{sql} FORMAT JSONCompact".encode()
            )
        except NoAnswer as exc:
            raise QueryFailed(0, str(exc), str(exc)) from exc
        text = answer.body.decode("utf-8", errors="replace").strip()
        if answer.status != 200:
            code = answer.headers.get("x-clickhouse-exception-code", "")
            names = _NAME.findall(text)
            raise QueryFailed(int(code) if code.isdigit() else 0, names[-1] if names else f"HTTP {answer.status}", text)
        try:
            rows: list[list[Any]] = json.loads(text)["data"]
        except (ValueError, KeyError, TypeError) as exc:
            raise QueryFailed(0, "what answers is no ClickHouse", text) from exc
        return rows

    def insert_protobuf(self, arrival: str, message: str, envelopes: Sequence[Envelope]) -> NoReturn:  # noqa: ARG002 - the base's
        raise StorageError("this store is only read")

    def stream(self, *_: object, **__: object) -> NoReturn:
        raise StorageError("this store is asked for rows alone")

    def _connect(self) -> Client:
        raise StorageError("this store is only read")
