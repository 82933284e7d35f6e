"""What must be right for telemetry to be stored, as ``/health`` and ``grpc.health.v1`` tell it."""

import threading
import time
from collections.abc import Sequence

from agentvigil.analysis.job_service import JobService
from agentvigil.api.operations import Check
from agentvigil.receiver.ingest import DiskHeadroom
from agentvigil.storage.errors import SchemaTooNew, StorageError
from agentvigil.storage.migrations import pending_migrations
from agentvigil.storage.spool import Spool
from agentvigil.storage.store import Store


class HealthChecks:
    """Looks at ``store``, its schema, the disk, which of ``jobs`` this process does, and whether the server goes on;
    calling it blocks."""

    def __init__(
        self, store: Store, headroom: DiskHeadroom, spool: Spool | None, jobs: Sequence[JobService] = ()
    ) -> None:
        self._store, self._headroom, self._spool, self._jobs = store, headroom, spool, tuple(jobs)
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Say from now on that the server is stopping."""
        self._stopping.set()

    def __call__(self) -> Sequence[Check]:
        answers, check = _store_check(self._store, self._spool)
        checks = [check]
        if answers and not self._store.is_embedded:
            # An embedded store is nobody else's; on a server, others may change what we write to.
            checks.append(_schema_check(self._store))
        free = self._headroom.free_bytes()
        if free is not None:
            kept = self._headroom.min_free_bytes
            detail = f"{free // 2**20} MiB free, {kept // 2**20} MiB kept"
            checks.append(Check(name="disk", ok=free >= kept, detail=detail))
        if self._jobs and not self._store.is_embedded:
            checks.append(_analysis_check(self._jobs))
        if self._stopping.is_set():
            checks.append(Check(name="running", ok=False, detail="the server is stopping"))
        return checks


def _store_check(store: Store, spool: Spool | None) -> tuple[bool, Check]:
    """Say whether the store answers, and whether what arrives is kept."""
    started = time.monotonic()
    try:
        store.rows("SELECT 1")
    except StorageError as exc:
        if spool is None or not spool.has_room():
            return False, Check(name="store", ok=False, detail=str(exc))
        waiting = f"{spool.size_bytes() / 2**20:.1f} MiB wait in the spool"
        return False, Check(name="store", ok=True, detail=f"{exc}; what arrives is kept meanwhile, {waiting}")
    return True, Check(name="store", ok=True, detail=f"answered in {(time.monotonic() - started) * 1000:.0f} ms")


def _analysis_check(jobs: Sequence[JobService]) -> Check:
    """Say which jobs are done here. That another process does them, or did until a moment ago, is as it should be."""
    active = [job.name for job in jobs if job.is_active]
    waiting = [job.name for job in jobs if not job.is_active]
    told = [f"{what}: {', '.join(names)}" for what, names in (("active", active), ("waiting", waiting)) if names]
    return Check(name="analysis", ok=True, detail="; ".join(told))


def _schema_check(store: Store) -> Check:
    try:
        pending = pending_migrations(store)
    except SchemaTooNew as exc:
        # Migrations only add, so what we write still fits: while a release is rolled out, the old ones go on.
        return Check(name="schema", ok=True, detail=str(exc))
    except StorageError as exc:
        return Check(name="schema", ok=False, detail=str(exc))
    if pending:
        names = ", ".join(migration.name for migration in pending[:5])
        return Check(
            name="schema", ok=False, detail=f"{len(pending)} changes are missing ({names}): agentvigil migrate"
        )
    return Check(name="schema", ok=True, detail="as this release knows it")
