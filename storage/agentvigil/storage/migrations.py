"""Brings a database to the schema of this release.

Migrations are the numbered files in ``schema/``, applied in order and only forward. Every one may be run twice and
from two processes at once (``IF NOT EXISTS``, or an ALTER that sets the same again), so no lock is needed: what is
recorded afterwards only saves work and tells a newer or changed schema apart. A file named ``*.embedded.sql`` is for
the embedded home alone, one named ``*.server.sql`` for a server.
"""

import hashlib
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Final

from agentvigil.semconv import __version__
from agentvigil.storage.errors import MigrationChanged, SchemaOfCluster, SchemaTooNew, SchemaTooOld
from agentvigil.storage.rendering import render
from agentvigil.storage.store import Store

_LOG: Final = logging.getLogger("agentvigil.storage")
_FILE_NAME: Final = re.compile(r"(?P<version>\d{3})_(?P<name>\w+)(?:\.(?P<home>embedded|server))?\.sql")

RECORD_TABLE: Final = """
CREATE TABLE IF NOT EXISTS agentvigil_migrations
(
    Version UInt32 COMMENT 'number of the migration',
    Name String,
    Checksum String COMMENT 'SHA-256 of the file',
    AppliedBy String COMMENT 'release of agentvigil',
    AppliedAt DateTime64(3) DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree
ORDER BY Version
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file of the schema; ``sql`` is its text before rendering, ``home`` None if it is for both."""

    version: int
    name: str
    home: str | None
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()

    def is_for(self, store: Store) -> bool:
        """Say whether it is for the kind of home that ``store`` is."""
        return self.home is None or (self.home == "embedded") == store.is_embedded


def all_migrations() -> list[Migration]:
    """Return the migrations this release carries, in order."""
    migrations = []
    for file in resources.files("agentvigil.storage").joinpath("schema").iterdir():
        match = _FILE_NAME.fullmatch(file.name)
        if match is not None:
            migrations.append(
                Migration(int(match["version"]), match["name"], match["home"], file.read_text(encoding="utf-8"))
            )
    return sorted(migrations, key=lambda migration: migration.version)


def pending_migrations(store: Store) -> list[Migration]:
    """Return what :func:`migrate` would apply to ``store``, in order; reads only.

    Raises:
        SchemaTooNew: if the database has a migration that this release does not know.
        MigrationChanged: if an applied migration was another text.
        StorageError: if the store does not answer.
    """
    known = {m.version: m for m in all_migrations() if m.is_for(store)}
    applied = _applied(store)
    newest = max(all_migrations(), key=lambda m: m.version).version
    if applied and max(applied) > newest:
        raise SchemaTooNew(max(applied), newest)
    for version, checksum in applied.items():
        if version in known and known[version].checksum != checksum:
            raise MigrationChanged(f"{version:03}_{known[version].name}")
    return [migration for version, migration in sorted(known.items()) if version not in applied]


def check_schema(store: Store) -> None:
    """Return if ``store`` has this release's schema; reads only.

    Raises:
        SchemaTooOld: if something is missing.
        StorageError: as :func:`pending_migrations`.
    """
    if missing := pending_migrations(store):
        raise SchemaTooOld(store.database, [migration.name for migration in missing])


def migrate(store: Store) -> list[Migration]:
    """Apply what is pending to ``store`` and return it; an empty list means that nothing had to be done.

    Raises:
        StorageError: as :func:`pending_migrations`, or if a statement fails.
    """
    store.command(RECORD_TABLE)
    pending = pending_migrations(store)
    if pending and store.cluster:
        raise SchemaOfCluster(store.cluster, pending[0].version - 1)
    applied = []
    try:
        for migration in pending:
            _LOG.debug("applying migration %03d %s", migration.version, migration.name)
            store.command(render(migration.sql, store.dictionary_access))
            applied.append(migration)
    finally:
        # Together: one by one, this would take as long as half of what the migrations do.
        if applied:
            _record(store, applied)
    if pending:
        _LOG.info("the schema of database %s is now at %03d", store.database, pending[-1].version)
    return pending


def _record(store: Store, applied: Sequence[Migration]) -> None:
    store.command(
        "INSERT INTO agentvigil_migrations (Version, Name, Checksum, AppliedBy) "
        "SELECT row.1, row.2, row.3, {release:String} FROM (SELECT arrayJoin(arrayZip("
        "{versions:Array(UInt32)}, {names:Array(String)}, {checksums:Array(String)})) AS row)",
        {
            "versions": [migration.version for migration in applied],
            "names": [migration.name for migration in applied],
            "checksums": [migration.checksum for migration in applied],
            "release": __version__,
        },
    )


def _applied(store: Store) -> dict[int, str]:
    if not store.rows(
        "SELECT 1 FROM system.tables WHERE database = currentDatabase() AND name = 'agentvigil_migrations'"
    ):
        return {}
    rows = store.rows("SELECT Version, any(Checksum) FROM agentvigil_migrations GROUP BY Version")
    return {int(version): str(checksum) for version, checksum in rows}
