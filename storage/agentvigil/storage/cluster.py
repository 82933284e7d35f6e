"""The same migrations for a cluster: tables of Replicated engines, and Distributed ones over those of the shards.

A sharded table ``t`` is ``t_local`` on every node, and ``t`` a Distributed table over all of them: whoever reads or
writes ``t`` means the whole cluster. All other tables have every row on every node. Null tables, and the materialized
views on them, work on the node that an insert reaches; what they make goes through the Distributed tables to the shard
of its trace. Materialized views on sharded tables work on each shard, from its local table into its local table.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from agentvigil.semconv import __version__
from agentvigil.storage.literals import quote
from agentvigil.storage.migrations import RECORD_TABLE, Migration, all_migrations
from agentvigil.storage.rendering import render
from agentvigil.storage.sharding import SHARDING_KEYS, local_of
from agentvigil.storage.sql.tokens import quote_name

_TABLE: Final = re.compile(r"CREATE TABLE IF NOT EXISTS (?P<name>\w+)")
_ENGINE: Final = re.compile(r"^ENGINE = (?P<family>\w*)MergeTree(?:\((?P<arguments>[^)]*)\))?", re.MULTILINE)
_SETTINGS: Final = re.compile(r"^SETTINGS\b", re.MULTILINE)
_NO_DEDUPLICATION: Final = "replicated_deduplication_window = 0"
"""A replica would drop a block that equals one of before, and say that it was stored: also where rows were deleted so
that they can be sent again. Requests are known by their hashes, and everything else may be written twice."""
_VIEW: Final = re.compile(
    r"CREATE MATERIALIZED VIEW IF NOT EXISTS (?P<name>\w+) TO (?P<target>\w+) AS(?P<select>.*)", re.DOTALL
)
_MADE: Final = re.compile(r"CREATE (?:OR REPLACE )?(?:VIEW|DICTIONARY) (?:IF NOT EXISTS )?\w+")
_ALTER: Final = re.compile(r"ALTER TABLE (?P<name>\w+)")
_SOURCE: Final = re.compile(r"^FROM (?P<name>\w+)$", re.MULTILINE)


class ClusterSchema:
    """The schema in ``database`` on the cluster that the servers' configuration calls ``cluster``.

    ``dictionary_access`` is that of :class:`~agentvigil.storage.store.Store`.
    """

    def __init__(self, cluster: str, database: str, dictionary_access: str = "") -> None:
        self._cluster, self._database, self._access = cluster, database, dictionary_access
        self._on_cluster = f"ON CLUSTER {quote_name(cluster)}"

    def statements(self, after: int = 0) -> Iterator[str]:
        """Yield the statements of all migrations with a number above ``after``, to be run in order on one node.

        They are the same for the same release, and may be run again.
        """
        yield f"CREATE DATABASE IF NOT EXISTS {quote_name(self._database)} {self._on_cluster}"
        yield f"USE {quote_name(self._database)}"
        yield from self.of(RECORD_TABLE)
        migrations = [one for one in all_migrations() if one.home != "embedded" and one.version > after]
        for migration in migrations:
            yield from self.of(render(migration.sql, self._access))
        if migrations:
            yield _record_of(migrations)

    def of(self, sql: str) -> Iterator[str]:
        """Yield what the rendered text ``sql`` of one migration is on the cluster.

        Raises:
            ValueError: if it is of a kind that nobody has thought about.
        """
        statement = re.sub(r"\A(?:\s*--[^\n]*\n)+", "", sql).strip()
        if table := _TABLE.match(statement):
            yield from self._table(table["name"], statement)
        elif view := _VIEW.match(statement):
            yield self._view(view)
        elif made := _MADE.match(statement):
            yield f"{made[0]} {self._on_cluster}{statement[made.end() :]}"
        elif alter := _ALTER.match(statement):
            yield f"ALTER TABLE {local_of(alter['name'])} {self._on_cluster}{statement[alter.end() :]}"
            if alter["name"] in SHARDING_KEYS:
                yield self._distributed(alter["name"])
        elif statement.startswith("INSERT INTO "):
            yield statement
        else:
            raise ValueError(f"no rule says what this is on a cluster: {statement[:80]}")

    def _table(self, name: str, statement: str) -> Iterator[str]:
        head = f"CREATE TABLE IF NOT EXISTS {local_of(name)} {self._on_cluster}"
        rest = statement[len(f"CREATE TABLE IF NOT EXISTS {name}") :]
        engine = _ENGINE.search(rest)
        if engine is None:
            if "\nENGINE = Null" not in rest:
                raise ValueError(f"no rule says what the engine of {name} is on a cluster")
            yield f"{head}{rest}"
            return
        is_sharded = name in SHARDING_KEYS
        # A table that every node has whole is one table with as many replicas as there are nodes.
        path, replica = ("{shard}", "{replica}") if is_sharded else ("all", "{shard}-{replica}")
        place = [quote(f"/clickhouse/tables/{path}/{self._database}/{local_of(name)}"), quote(replica)]
        arguments = ", ".join([*place, *filter(None, [engine["arguments"]])])
        settings = f"{',' if _SETTINGS.search(rest) else chr(10) + 'SETTINGS'} {_NO_DEDUPLICATION}"
        yield (
            f"{head}{rest[: engine.start()]}ENGINE = Replicated{engine['family']}MergeTree({arguments})"
            f"{rest[engine.end() :]}{settings}"
        )
        if is_sharded:
            yield self._distributed(name)

    def _distributed(self, name: str) -> str:
        """It has no rows of its own: it is made anew whenever its local tables change."""
        where = ", ".join(map(quote, (self._cluster, self._database, local_of(name))))
        return (
            f"CREATE OR REPLACE TABLE {name} {self._on_cluster} AS {local_of(name)}\n"
            f"ENGINE = Distributed({where}, {SHARDING_KEYS[name]})"
        )

    def _view(self, view: "re.Match[str]") -> str:
        target, select = view["target"], view["select"]
        source = _SOURCE.search(select)
        if source is not None and source["name"] in SHARDING_KEYS:
            if target in SHARDING_KEYS:
                target = local_of(target)
            select = f"{select[: source.start()]}FROM {local_of(source['name'])}{select[source.end() :]}"
        return f"CREATE MATERIALIZED VIEW IF NOT EXISTS {view['name']} {self._on_cluster} TO {target} AS{select}"


def _record_of(migrations: Sequence[Migration]) -> str:
    rows = ",\n".join(
        f"({one.version}, {quote(one.name)}, {quote(one.checksum)}, {quote(__version__)})" for one in migrations
    )
    return f"INSERT INTO agentvigil_migrations (Version, Name, Checksum, AppliedBy) VALUES\n{rows}"
