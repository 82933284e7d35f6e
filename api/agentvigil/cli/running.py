"""The whole server in one process: what ``agentvigil up`` and ``agentvigil demo`` run."""

import asyncio
import contextlib
import gc
import logging
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final

from prometheus_client import CollectorRegistry, Gauge

from agentvigil.api.app import Check, api_app
from agentvigil.cli.listening import CannotListen, HttpServer, bind
from agentvigil.cli.settings import Endpoint, Settings
from agentvigil.receiver.admission import clean_traces
from agentvigil.receiver.group_commit import CommitLimits, GroupCommitter
from agentvigil.receiver.grpc_server import TraceService, grpc_server
from agentvigil.receiver.http_app import TraceHttpApp
from agentvigil.receiver.ingest import DiskHeadroom, IngestConfig, TraceIngest
from agentvigil.receiver.metrics import ReceiverMetrics
from agentvigil.receiver.window import RequestWindow
from agentvigil.storage.data_directory import DataDirectory
from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.envelope import Limits
from agentvigil.storage.errors import StorageError
from agentvigil.storage.migrations import migrate
from agentvigil.storage.opening import open_store
from agentvigil.storage.server import without_password
from agentvigil.storage.sql.clickhouse_http import clickhouse_http_app
from agentvigil.storage.sql.gateway import SqlGateway
from agentvigil.storage.store import Store
from agentvigil.storage.trace_writer import TraceWriter

_LOG: Final = logging.getLogger("agentvigil")
_WINDOW_S: Final = 900
_WINDOW_REQUESTS: Final = 500_000
_GRPC_GRACE_S: Final = 10


class NeedsKey(Exception):
    """Listening beyond this machine was asked for without a key."""

    def __init__(self, address: str, option: str) -> None:
        super().__init__(
            f"refusing to listen on {address} without a key, since others could write and read your telemetry there; "
            f"set AGENTVIGIL_INGEST_KEY, or listen on 127.0.0.1 with {option}"
        )


@dataclass(frozen=True, slots=True)
class Running:
    """A server that listens. ``addresses`` maps otlp_grpc, otlp_http, clickhouse_http and api to host:port."""

    addresses: dict[str, str]
    store: Store
    store_url: str


@contextlib.asynccontextmanager
async def running(settings: Settings, purpose: str) -> AsyncIterator[Running]:
    """Start everything, yield when all ports listen, then stop intake, store what was taken, and close.

    Raises:
        StorageError: if the store can not be opened or migrated.
        CannotListen: if a port is taken.
        NeedsKey: if an address is beyond this machine and there is no key.
    """
    for name in ("otlp_grpc", "otlp_http", "clickhouse_http", "api"):
        _check_key(settings, name)
    async with contextlib.AsyncExitStack() as stack:
        store, directory = stack.enter_context(
            open_store(settings.clickhouse, settings.data, settings.database, purpose=purpose)
        )
        await asyncio.to_thread(_prepare, store)
        registry = CollectorRegistry()
        metrics = ReceiverMetrics(registry)
        headroom = DiskHeadroom(directory.path if directory else None, settings.min_free_disk_bytes)
        committer = await asyncio.to_thread(_committer, store, settings, metrics)
        ingest = TraceIngest(committer, headroom, _ingest_config(settings), metrics)
        _register_disk(registry, headroom)

        committer.start()
        stack.push_async_callback(asyncio.to_thread, committer.stop)
        addresses = await _listen(stack, settings, store, ingest, metrics, registry, headroom)
        if directory is not None:
            directory.announce(addresses)
        # What start-up made stays; the collector need not look at it again while requests come and go.
        gc.collect()
        gc.freeze()
        yield Running(addresses, store, _store_url(settings, directory))
        _LOG.info("stopping: intake ends, what was taken is stored")


async def _listen(
    stack: contextlib.AsyncExitStack,
    settings: Settings,
    store: Store,
    ingest: TraceIngest,
    metrics: ReceiverMetrics,
    registry: CollectorRegistry,
    headroom: DiskHeadroom,
) -> dict[str, str]:
    key = settings.key()
    apps: dict[str, object] = {
        "otlp_http": TraceHttpApp(ingest, key, metrics),
        "api": api_app(_checks(store, headroom), registry, key),
    }
    if isinstance(store, EmbeddedStore):
        gateway = SqlGateway(store.open_handle, database=store.database, allowed_tables=store.readable_tables)
        apps["clickhouse_http"] = clickhouse_http_app(gateway, key=key)
    addresses = {}
    for name, app in apps.items():
        endpoint = Endpoint.parse(getattr(settings, name))
        listener = bind(endpoint, _option(name))
        addresses[name] = endpoint.with_port(listener.getsockname()[1])
        http_server = HttpServer(app, listener)
        await http_server.start()
        stack.push_async_callback(http_server.stop)

    receiver = grpc_server(TraceService(ingest, key, metrics), settings.max_request_bytes)
    try:
        port = receiver.add_insecure_port(settings.otlp_grpc)
    except RuntimeError as exc:
        reason = "address already in use, or not this machine's"
        raise CannotListen(settings.otlp_grpc, _option("otlp_grpc"), reason) from exc
    await receiver.start()
    stack.push_async_callback(lambda: receiver.stop(_GRPC_GRACE_S))
    return {"otlp_grpc": Endpoint.parse(settings.otlp_grpc).with_port(port), **addresses}


def _check_key(settings: Settings, name: str) -> None:
    address: str = getattr(settings, name)
    if not Endpoint.parse(address).is_loopback and settings.key() is None:
        raise NeedsKey(address, _option(name))


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def _prepare(store: Store) -> None:
    _LOG.info("ClickHouse %s", store.version())
    migrate(store)


def _committer(store: Store, settings: Settings, metrics: ReceiverMetrics) -> GroupCommitter:
    writer = TraceWriter(store, clean_traces)
    window = RequestWindow(_WINDOW_S, _WINDOW_REQUESTS)
    window.add(writer.recover(_WINDOW_S, _WINDOW_REQUESTS))
    return GroupCommitter(writer, window, CommitLimits(queued_bytes=settings.max_queued_bytes), metrics)


def _ingest_config(settings: Settings) -> IngestConfig:
    return IngestConfig(
        max_request_bytes=settings.max_request_bytes,
        keep_days=settings.keep_days,
        limits=Limits(settings.max_span_attributes, settings.max_span_events, settings.max_span_links),
    )


def _register_disk(registry: CollectorRegistry, headroom: DiskHeadroom) -> None:
    if headroom.path is not None:
        free = Gauge("agentvigil_disk_free_bytes", "Free bytes on the disk of the store.", registry=registry)
        free.set_function(lambda: headroom.free_bytes() or 0)


def _checks(store: Store, headroom: DiskHeadroom) -> Callable[[], list[Check]]:
    def run() -> list[Check]:
        checks = [_store_check(store)]
        free = headroom.free_bytes()
        if free is not None:
            checks.append(
                Check(
                    name="disk",
                    ok=free >= headroom.min_free_bytes,
                    detail=f"{free // 2**20} MiB free, {headroom.min_free_bytes // 2**20} MiB kept",
                )
            )
        return checks

    return run


def _store_check(store: Store) -> Check:
    started = time.monotonic()
    try:
        store.rows("SELECT 1")
    except StorageError as exc:
        return Check(name="store", ok=False, detail=str(exc))
    return Check(name="store", ok=True, detail=f"answered in {(time.monotonic() - started) * 1000:.0f} ms")


def _store_url(settings: Settings, directory: DataDirectory | None) -> str:
    return without_password(settings.clickhouse or "") if directory is None else f"chdb://{directory.path}"
