"""Looks at the store: is it there, is it new enough, has it this release's schema, and how much room."""

import time
from typing import Final

from agentvigil.cli.doctor.clock import clock_offset, judge_clock
from agentvigil.cli.doctor.findings import Finding, note, ok, trouble
from agentvigil.storage.errors import MigrationChanged, QueryFailed, SchemaTooNew, StorageError, StoreTooOld
from agentvigil.storage.migrations import all_migrations, pending_migrations
from agentvigil.storage.named_queries import load_queries
from agentvigil.storage.store import Store

_QUERIES: Final = load_queries("agentvigil.cli.doctor", "queries.sql")
_UNKNOWN_DATABASE: Final = 81
_WRONG_USER: Final = (192, 193, 194, 516)
_NAMED: Final = 5


def look_at_server(store: Store, where: str) -> list[Finding]:
    """Return whether the ClickHouse server at ``where`` answers and is new enough."""
    started = time.monotonic()
    try:
        version = store.version()
    except StoreTooOld as exc:
        return [trouble("store", f"ClickHouse {exc.found} at {where}, {exc.needed} is needed", "upgrade the server")]
    except QueryFailed as exc:
        return [trouble("store", f"{where}: {words(exc)}", _advice(exc))]
    except ValueError as exc:
        return [trouble("store", f"{where}: no version of ClickHouse: {exc}", "check --clickhouse")]
    return [ok("store", f"ClickHouse {version} at {where}, answered in {(time.monotonic() - started) * 1000:.0f} ms")]


def look_at_schema(store: Store, *, running: bool) -> list[Finding]:
    """Return how the schema of ``store`` compares with this release's; ``running`` says whether an instance uses it."""
    try:
        pending = pending_migrations(store)
    except (SchemaTooNew, MigrationChanged) as exc:
        found, _, advice = str(exc).partition("; ")
        return [trouble("schema", found, advice)]
    except QueryFailed as exc:
        if exc.code != _UNKNOWN_DATABASE:
            return [trouble("schema", words(exc), _advice(exc))]
        if running:
            advice = "give the database that the instance was started with as --database"
            return [trouble("schema", f"there is no database {store.database}", advice)]
        return [note("schema", f"there is no database {store.database} yet", "`agentvigil up` makes it")]
    newest = max(migration.version for migration in all_migrations())
    if not pending:
        return [ok("schema", f"database {store.database} is at {newest:03}, this release's")]
    names = ", ".join(f"{migration.version:03} {migration.name}" for migration in pending[:_NAMED])
    more = f" and {len(pending) - _NAMED} more" if len(pending) > _NAMED else ""
    found = f"database {store.database} lacks {len(pending)} migrations of this release: {names}{more}"
    if running:
        advice = "the instance is an older release: upgrade and restart it; or give its database with --database"
        return [trouble("schema", found, advice)]
    return [note("schema", found, "`agentvigil up` applies them when it starts, `agentvigil migrate` at once")]


def look_at_disks(store: Store, min_free_bytes: int) -> list[Finding]:
    """Return how much room the ClickHouse server has."""
    try:
        disks = store.rows(_QUERIES["disks"])
    except QueryFailed as exc:
        advice = "let its user read system.disks to have the room checked: GRANT SELECT ON system.disks TO the user"
        return [note("disk of the store", f"not known: {words(exc)}", advice)]
    if not disks:
        return [note("disk of the store", "not known: the server names no disk with a limit")]
    findings = []
    for name, path, free_space, total_space in disks:
        free, total = int(free_space), int(total_space)
        text = f"{name} ({path}): {free / 2**30:.1f} of {total / 2**30:.1f} GiB free"
        if free < min_free_bytes:
            advice = "free some disk on the server, or shorten retention with --keep-days"
            findings.append(trouble("disk of the store", text, advice))
        elif free * 10 < total:
            advice = "that is less than a tenth; merges need room too"
            findings.append(note("disk of the store", text, advice))
        else:
            findings.append(ok("disk of the store", text))
    return findings


def look_at_store_clock(store: Store, whose: str) -> list[Finding]:
    """Return how the store's clock compares with ours."""
    try:
        offset = clock_offset(lambda: int(store.rows(_QUERIES["clock"])[0][0]) / 1000, time.time)
    except StorageError as exc:
        return [trouble("clock", f"not known: {words(exc)}", "see the store's findings")]
    return [judge_clock("clock", whose, offset)]


def words(error: StorageError) -> str:
    """Return an error as told to the person at the keyboard, who may see ClickHouse's own text."""
    if isinstance(error, QueryFailed) and error.detail and error.code:
        return f"{error}: {error.detail[:240]}"
    return str(error)


def _advice(error: QueryFailed) -> str:
    if error.code in _WRONG_USER:
        return "check user and password in AGENTVIGIL_CLICKHOUSE: http(s)://user:password@host:8123"
    if error.code == 0:
        return "check the address in AGENTVIGIL_CLICKHOUSE, that the server runs, and firewalls on the way"
    return "look up the error at https://clickhouse.com/docs, and at the server's log"
