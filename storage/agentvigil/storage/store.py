"""What both homes of the data can do: the embedded ClickHouse of this process and a ClickHouse server.

Clients are kept one per thread and thrown away as soon as a statement fails on them: in chDB the rows of a failed
query came out in front of the next answer of the same handle.
"""

import threading
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from clickhouse_connect import common as clickhouse_common
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, Error
from opentelemetry.trace import NoOpTracer, SpanKind, StatusCode, Tracer, get_current_span

from agentvigil.storage.envelope import Envelope
from agentvigil.storage.errors import QueryFailed, StorageError, StoreTooOld
from agentvigil.storage.sharding import local_of
from agentvigil.storage.sql.tokens import quote_name
from agentvigil.storage.streams import RowStream

MINIMUM_VERSION: Final = (26, 2)
"""Text indexes are generally available from here on."""

PRIVATE_TABLES: Final = frozenset(
    {
        "agentvigil_alert_destinations",
        "agentvigil_hash_key",
        "agentvigil_key_uses",
        "agentvigil_keys",
        "agentvigil_projects",
    }
)
"""What no reader is ever shown: who may do what, the secret of the hashes, and those of where alerts go."""

_T = TypeVar("_T")
_NO_TRACER: Final = NoOpTracer()

# A session would serialise the statements of all threads on a server.
clickhouse_common.set_setting("autogenerate_session_id", False)


class Store(ABC):
    """A database in one of the two homes. All methods block, and may be called from any thread."""

    is_embedded: bool

    dictionary_access: str = ""
    """What stands in a dictionary's SOURCE(CLICKHOUSE(…)) beside the table: a server reads its own tables for it as the
    user ``default`` without a password, unless it is told another."""

    cluster: str = ""
    """The cluster that the tables are spread over; empty where there is none."""

    def __init__(self, database: str) -> None:
        self.database = database
        self.tracer: Tracer = _NO_TRACER
        """Makes a span of each statement, without its text, that runs within another span."""
        self._local = threading.local()
        self._clients: set[Client] = set()
        self._lock = threading.Lock()
        self._closed = False

    @abstractmethod
    def _connect(self) -> Client:
        """Open a new client, with ``database`` as its default database."""

    @abstractmethod
    def insert_protobuf(self, arrival: str, message: str, envelopes: Sequence[Envelope]) -> None:
        """Store what is made of ``envelopes``, of the type ``message`` of ``otlp.proto``, that arrive at ``arrival``.

        Returns when ClickHouse has stored all of it. An error says nothing about what was stored.

        Raises:
            QueryFailed: if the insert failed, or its outcome is not known.
        """

    @abstractmethod
    def stream(
        self,
        sql: str,
        parameters: Mapping[str, Any],
        output_format: str,
        settings: Mapping[str, Any] | None = None,
    ) -> RowStream:
        """Set a query going under ``settings`` of its own; its answer, in ClickHouse's ``output_format``, is read from
        what is returned, which must be closed.

        Raises:
            QueryFailed: if the query fails at once; a later failure is raised where the answer is read.
        """

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Sequence[Sequence[Any]]:
        """Run a query and return its rows; ``parameters`` bind ``{name:Type}``.

        Raises:
            QueryFailed: if it fails.
        """
        return self._run(lambda client: client.query(sql, parameters=dict(parameters or {})).result_rows)

    def records(
        self, sql: str, parameters: Mapping[str, Any] | None = None, settings: Mapping[str, Any] | None = None
    ) -> list[dict[str, Any]]:
        """Run a query under ``settings`` of its own and return its rows by the names of their columns.

        Raises:
            QueryFailed: if it fails.
        """
        return self._run(
            lambda client: list(
                client.query(sql, parameters=dict(parameters or {}), settings=dict(settings or {})).named_results()
            )
        )

    def native(self, sql: str, parameters: Mapping[str, Any] | None = None) -> bytes:
        """Run a query and return its rows in ClickHouse's Native format, no bytes if there are none.

        Raises:
            QueryFailed: if it fails.
        """
        return self._run(lambda client: client.raw_query(sql, parameters=dict(parameters or {}), fmt="Native"))

    def command(self, sql: str, parameters: Mapping[str, Any] | None = None) -> None:
        """Run a statement that returns nothing.

        Raises:
            QueryFailed: if it fails.
        """
        self._run(lambda client: client.command(sql, parameters=dict(parameters or {})))

    def change(self, table: str, sql: str, parameters: Mapping[str, Any] | None = None) -> None:
        """Run a statement that changes or deletes rows of ``table``, in which ``{{rows_of_table}}`` stands for it.

        A Distributed table has none: on a cluster that is what has them on all nodes.

        Raises:
            QueryFailed: if it fails.
        """
        place = f"{local_of(table)} ON CLUSTER {quote_name(self.cluster)}" if self.cluster else table
        self.command(sql.replace("{{rows_of_table}}", place), parameters)

    def insert_rows(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Insert ``rows``, each with a value for every one of ``columns``, into ``table`` as one block.

        Raises:
            QueryFailed: if the insert failed, or its outcome is not known.
        """
        self._run(lambda client: client.insert(table, rows, column_names=list(columns)))

    def readable_tables(self) -> frozenset[str]:
        """Return the names of the tables that readers may be shown, `PRIVATE_TABLES` never among them.

        Raises:
            QueryFailed: if the store does not answer.
        """
        return (
            frozenset(
                str(name)
                for (name,) in self.rows(
                    "SELECT name FROM system.tables WHERE database = currentDatabase() "
                    "AND (engine LIKE '%MergeTree' OR engine IN ('View', 'Null', 'Distributed'))"
                )
            )
            - PRIVATE_TABLES
        )

    def version(self) -> str:
        """Return ClickHouse's version, e.g. ``"26.9.2.1"``.

        Raises:
            StoreTooOld: if it is older than the schema needs.
        """
        version = str(self.rows("SELECT version()")[0][0])
        if tuple(int(part) for part in version.split(".")[:2]) < MINIMUM_VERSION:
            raise StoreTooOld(version, ".".join(map(str, MINIMUM_VERSION)))
        return version

    def close(self) -> None:
        """Close every client; safe to call twice."""
        with self._lock:
            self._closed = True
            clients, self._clients = self._clients, set()
        for client in clients:
            client.close()

    def _run(self, action: Callable[[Client], _T]) -> _T:
        if self.tracer is _NO_TRACER or not get_current_span().is_recording():
            return self._run_bare(action)
        with self.tracer.start_as_current_span(
            "clickhouse",
            kind=SpanKind.CLIENT,
            attributes={"db.system.name": "clickhouse", "db.namespace": self.database},
            record_exception=False,  # it may quote data
            set_status_on_exception=False,
        ) as span:
            try:
                return self._run_bare(action)
            except QueryFailed as exc:
                span.set_status(StatusCode.ERROR)
                span.set_attribute("error.type", exc.name)
                raise

    def _run_bare(self, action: Callable[[Client], _T]) -> _T:
        client = self._client()
        try:
            return action(client)
        except ClickHouseError as exc:
            self._discard(client)
            raise failure_of(exc) from exc
        except BaseException:
            self._discard(client)
            raise

    def _client(self) -> Client:
        kept: _Kept | None = getattr(self._local, "kept", None)
        if kept is None:
            if self._closed:
                raise StorageError("the store is closed")
            kept = self._local.kept = _Kept(self._connect())
            with self._lock:
                self._clients.add(kept.client)
            # Threads come and go, and take what they keep with them: a pool lets one go that nobody needed for a while.
            weakref.finalize(kept, self._let_go, kept.client).atexit = False
        return kept.client

    def _discard(self, client: Client) -> None:
        self._local.kept = None
        self._let_go(client)

    def _let_go(self, client: Client) -> None:
        with self._lock:
            is_open = client in self._clients
            self._clients.discard(client)
        if is_open:
            client.close()


class _Kept:
    """What one thread keeps of a store."""

    def __init__(self, client: Client) -> None:
        self.client = client


def failure_of(exc: ClickHouseError) -> QueryFailed:
    """Return clickhouse-connect's error as ours."""
    code, name = (exc.code, exc.name) if isinstance(exc, Error) else (None, None)
    return QueryFailed(code or 0, name or type(exc).__name__, str(exc))
