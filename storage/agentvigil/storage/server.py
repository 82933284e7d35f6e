"""The other home: a ClickHouse server or cluster, reached over its HTTP interface."""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from clickhouse_connect import get_client
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from agentvigil.storage.envelope import OTLP_SCHEMA, Envelope
from agentvigil.storage.errors import QueryFailed, StoreUnreachable
from agentvigil.storage.literals import quote
from agentvigil.storage.store import Store, failure_of
from agentvigil.storage.streams import RowStream, ServerStream

_CLUSTER_OF: Final = """
SELECT splitByChar('''', any(engine_full))[2]
FROM system.tables
WHERE database = {database:String} AND name = 'otel_traces' AND engine = 'Distributed'
"""
_INSERT_TIMEOUT_S: Final = 60
_STREAM_TIMEOUT_S: Final = 600
"""How long a server may be silent in the middle of an answer: what it reads may hold little of what is asked for."""
_NOT_LET_IN: Final = (192, 193, 194, 516)
"""ClickHouse's codes for UNKNOWN_USER, WRONG_PASSWORD, REQUIRED_PASSWORD and AUTHENTICATION_FAILED."""
_INSERT_SETTINGS: Final = {
    # Merging the steps of views takes longer than all other planning, and makes them slower.
    "query_plan_enable_optimizations": 0,
    "max_insert_block_size": 1_000_000,
    "max_partitions_per_insert_block": 0,
    # What we acknowledge is stored, not waiting in a server's memory.
    "async_insert": 0,
}
_CLUSTER_SETTINGS: Final = {
    # What we acknowledge is not on its way to other nodes.
    "distributed_foreground_insert": 1,
    # What is joined, or looked for in a subquery, may be a working table that one node has.
    "prefer_global_in_and_join": 1,
    # Of a shard's replicas the one that was written to is read.
    "load_balancing": "in_order",
}


class ServerStore(Store):
    """The database ``database`` of the server at ``url`` (``http(s)://user:password@host:8123``).

    Raises:
        StoreUnreachable: if the server does not answer or refuses us.
    """

    is_embedded = False

    def __init__(self, url: str, database: str) -> None:
        super().__init__(database)
        # What stands behind the host names a database, which need not be there yet.
        self._url = urlsplit(url)._replace(path="").geturl()
        self.dictionary_access = dictionary_access(url)
        try:
            client = get_client(dsn=self._url, connect_timeout=5)
        except ClickHouseError as exc:
            raise _unreachable(url, failure_of(exc)) from exc
        try:
            _make_database(client, database)
            self.cluster = str(client.query(_CLUSTER_OF, parameters={"database": database}).result_rows[0][0])
        except ClickHouseError as exc:
            raise failure_of(exc) from exc
        finally:
            client.close()

    def insert_protobuf(self, arrival: str, message: str, envelopes: Sequence[Envelope]) -> None:
        self._run(
            lambda client: client.raw_insert(
                arrival,
                insert_block=b"".join(chain.from_iterable(envelopes)),
                fmt="Protobuf",
                settings={
                    "format_schema_source": "string",
                    "format_schema": OTLP_SCHEMA,
                    "format_schema_message_name": message,
                    "input_format_protobuf_oneof_presence": 1,
                    **_INSERT_SETTINGS,
                },
            )
        )

    def insert_native(self, table: str, rows: bytes) -> None:
        """Insert ``rows``, in ClickHouse's Native format, into ``table``.

        Raises:
            QueryFailed: if the insert failed, or its outcome is not known.
        """
        self._run(lambda client: client.raw_insert(table, insert_block=rows, fmt="Native", settings=_INSERT_SETTINGS))

    def stream(
        self,
        sql: str,
        parameters: Mapping[str, Any],
        output_format: str,
        settings: Mapping[str, Any] | None = None,
    ) -> RowStream:
        try:
            return ServerStream(
                lambda: self._connect(_STREAM_TIMEOUT_S), sql, parameters, output_format, settings or {}
            )
        except ClickHouseError as exc:
            raise failure_of(exc) from exc

    def _connect(self, timeout_s: int = _INSERT_TIMEOUT_S) -> Client:
        try:
            return get_client(
                dsn=self._url,
                database=self.database,
                connect_timeout=5,
                send_receive_timeout=timeout_s,
                tz_mode="aware",
                settings=_CLUSTER_SETTINGS if self.cluster else None,
            )
        except ClickHouseError as exc:
            raise failure_of(exc) from exc


def _unreachable(url: str, failure: QueryFailed) -> StoreUnreachable:
    place = without_password(url)
    if failure.code in _NOT_LET_IN:
        user = unquote(urlsplit(url).username or "default")
        return StoreUnreachable(
            f"ClickHouse at {place} does not let user {user!r} in: {failure}; "
            "check name and password in AGENTVIGIL_CLICKHOUSE, with %XX for what a URL does not take"
        )
    return StoreUnreachable(f"no ClickHouse at {place}: {failure}; check AGENTVIGIL_CLICKHOUSE")


def _make_database(client: Client, database: str) -> None:
    """Make ``database`` if it is not there: a user who may only use it need not be allowed to make it."""
    there = client.query("SELECT 1 FROM system.databases WHERE name = {name:String}", parameters={"name": database})
    if not there.result_rows:
        client.command("CREATE DATABASE IF NOT EXISTS {database:Identifier}", parameters={"database": database})


def dictionary_access(url: str) -> str:
    """Return what a dictionary needs to read tables as the user in ``url``, see ``Store.dictionary_access``."""
    parts = urlsplit(url)
    if parts.username is None:
        return ""
    return f"USER {quote(unquote(parts.username))} PASSWORD {quote(unquote(parts.password or ''))}"


def without_password(url: str) -> str:
    """Return ``url`` fit for a log."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"
