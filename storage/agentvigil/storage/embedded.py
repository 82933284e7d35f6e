"""The embedded home: ClickHouse inside this process, by chDB, in one directory.

The rules chDB imposes: one data path per process and one process per path; a handle serves one thread at a time, and
not at all after a query on it raised; after ``fork`` every query hangs, so children are spawned. The engine is
started with a configuration that grants no sources, so no query, not even one of ours, reaches a URL, another server
or a program. Reading files has to stay granted, since chDB feeds every insert through its file storage: what users
may ask is decided by the allow-list of ``agentvigil.storage.sql``.
"""

import atexit
import hashlib
import json
import os
import threading
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote as url_quote
from urllib.parse import urlencode

from clickhouse_connect import get_client
from clickhouse_connect.driver.client import Client

from agentvigil.storage.data_directory import DataDirectory
from agentvigil.storage.envelope import OTLP_SCHEMA, Envelope
from agentvigil.storage.errors import StoreUnreachable
from agentvigil.storage.insert_stream import INSERT_SETTINGS, InsertStream
from agentvigil.storage.literals import quote
from agentvigil.storage.pipeline import Way, ways_of
from agentvigil.storage.store import Store
from agentvigil.storage.streams import EngineStream, RowStream

if TYPE_CHECKING:
    from chdb.state.sqlitelike import Connection

_NO_PATH_HAS: Final = frozenset("?:\\")
"""Where chDB's connection strings and ClickHouse's names of schemas end a path, or read it as another one."""

_CONFIG: Final = """<clickhouse>
  <user_directories><users_xml><path>users.xml</path></users_xml></user_directories>
  <mark_cache_size>134217728</mark_cache_size>
  <background_pool_size>2</background_pool_size>
  <merge_tree><merge_max_block_size_bytes>8388608</merge_max_block_size_bytes></merge_tree>
</clickhouse>
"""

# ClickHouse makes machine code of what it meets for the third time, which takes as long as many a statement over few
# rows: a command would wait for code that nobody uses again. What a server asks it asks thirty times in minutes.
_USERS: Final = """<clickhouse>
  <profiles>
    <default>
      <min_count_to_compile_expression>30</min_count_to_compile_expression>
      <min_count_to_compile_aggregate_expression>30</min_count_to_compile_aggregate_expression>
      <min_count_to_compile_sort_description>30</min_count_to_compile_sort_description>
    </default>
  </profiles>
  <quotas><default></default></quotas>
  <users>
    <default>
      <password></password>
      <networks><ip>127.0.0.1</ip><ip>::1</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
      <grants>
        <query>GRANT SHOW, SELECT, INSERT, ALTER, CREATE, DROP, TRUNCATE, OPTIMIZE, CHECK ON *.*</query>
        <query>GRANT TABLE ENGINE ON *</query>
        <query>GRANT READ ON FILE</query>
        <query>GRANT dictGet, SYSTEM RELOAD DICTIONARY ON *.*</query>
      </grants>
    </default>
  </users>
</clickhouse>
"""


class EmbeddedStore(Store):
    """The database ``database`` in the data directory ``directory``, which this process must own.

    Raises:
        StoreUnreachable: if chDB can not open the directory.
    """

    is_embedded = True

    def __init__(self, directory: DataDirectory, database: str) -> None:
        super().__init__(database)
        self.path = directory.clickhouse
        if unusable := sorted(_NO_PATH_HAS & set(os.path.realpath(self.path))):
            raise StoreUnreachable(
                f"can not keep ClickHouse data in {self.path}: chDB does not take {' '.join(unusable)} in a path; "
                "choose another directory with --data"
            )
        self._configuration = _write_configuration(directory.path / "config")
        self._schema = self._configuration / "otlp.proto"
        options = {"config-file": str(self._configuration / "config.xml")}
        self._connection_string = f"{os.path.realpath(self.path)}?{urlencode(options, quote_via=url_quote)}"
        self._options = options
        self._streams: dict[Way, InsertStream] = {}
        # What still runs in the engine when the interpreter goes would bring the process down.
        atexit.register(self.end_inserts)
        try:
            # Holds the engine open while clients come and go.
            self._anchor = _connect(self._connection_string)
            self._anchor.query("CREATE DATABASE IF NOT EXISTS {database:Identifier}", params={"database": database})
        except RuntimeError as exc:
            raise StoreUnreachable(
                f"can not open the ClickHouse data in {self.path}: {str(exc) or 'another program has it open'}"
            ) from exc

    def open_handle(self) -> "Connection":
        """Return a chDB handle that nobody used before; the caller closes it."""
        return _connect(self._connection_string)

    def insert_protobuf(self, arrival: str, message: str, envelopes: Sequence[Envelope]) -> None:
        for way in ways_of(arrival):
            with self._lock:
                stream = self._streams.get(way)
                if stream is None:
                    stream = self._streams[way] = InsertStream(partial(self._run_insert, way, message), way.tables[-1])
            try:
                stream.insert(envelopes)
            except BaseException:
                with self._lock:
                    self._streams.pop(way, None)
                stream.close()
                raise

    def stream(
        self,
        sql: str,
        parameters: Mapping[str, Any],
        output_format: str,
        settings: Mapping[str, Any] | None = None,
    ) -> RowStream:
        return EngineStream(self.open_handle, self.database, sql, parameters, output_format, settings or {})

    def close(self) -> None:
        self.end_inserts()
        atexit.unregister(self.end_inserts)
        super().close()
        self._anchor.close()

    def end_inserts(self) -> None:
        """End the INSERTs that are open. They know the tables as these were; the next ones see what was altered."""
        with self._lock:
            streams, self._streams = self._streams, {}
        for stream in streams.values():
            stream.close()

    def _run_insert(self, way: Way, message: str, path: str) -> None:
        """Run the INSERT of all that comes from ``path``; see ``insert_stream``."""
        settings = (
            # From a file: ClickHouse would write a schema given as text to the directory we were started in.
            f"format_schema = {quote(f'{self._schema}:{message}')}",
            "input_format_protobuf_oneof_presence = 1",
            "max_partitions_per_insert_block = 0",
            *INSERT_SETTINGS,
        )
        self.command(way.insert_from(path, self._columns_of(way), settings))

    def _columns_of(self, way: Way) -> Sequence[str]:
        """Return the columns that are made of requests on their way; the table may have others, of its owner's.

        Finding out takes half a second for spans, so it is remembered, for as long as the SELECT is the same.
        """
        selected = way.selected()
        digest = hashlib.sha256(selected.encode()).hexdigest()
        memory = self._configuration / f"columns-{way.arrival}-{way.tables[-1]}.json"
        try:
            known = json.loads(memory.read_text(encoding="utf-8"))
            if known["select"] == digest:
                columns: list[str] = known["columns"]
                return columns
        except (OSError, ValueError, KeyError, TypeError):
            pass
        columns = [str(name) for name, *_ in self.rows(f"DESCRIBE TABLE {selected}")]
        new = memory.with_suffix(f".{threading.get_native_id()}")
        new.write_text(json.dumps({"select": digest, "columns": columns}), encoding="utf-8")
        new.replace(memory)
        return columns

    def _connect(self) -> Client:
        # The clients decode what the statements of this package return, none of it in a user's time zone.
        return get_client(
            interface="chdb",
            path=os.path.realpath(self.path),
            database=self.database,
            chdb_options=self._options,
            tz_mode="aware",
        )


def _write_configuration(folder: Path) -> Path:
    folder.mkdir(mode=0o700, exist_ok=True)
    for name, text in {"config.xml": _CONFIG, "users.xml": _USERS, "otlp.proto": OTLP_SCHEMA}.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def _connect(connection_string: str) -> "Connection":
    # It takes a fifth of a second and starts a dozen threads when it is loaded; a ClickHouse server needs none of it.
    import chdb

    connection: Connection = chdb.connect(connection_string)  # type: ignore[no-untyped-call] # it has no types
    return connection
