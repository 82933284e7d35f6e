"""The server in this process: all of it, as ``agentvigil up`` and ``agentvigil demo`` run it, or one of its parts, as
``agentvigil receiver``, ``api`` and ``analyze`` do beside a ClickHouse server."""

import asyncio
import contextlib
import gc
import logging
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from typing import Final

from fastapi import APIRouter
from opentelemetry.trace import NoOpTracer, Tracer
from prometheus_client import CollectorRegistry, Gauge
from starlette.types import ASGIApp

from agentvigil.analysis.alerts import Configuration
from agentvigil.analysis.job_service import JobCollector, JobService, LeaseKeeper
from agentvigil.analysis.settling import ProgressCollector, SettlingConfig, SettlingService
from agentvigil.api.app import api_app
from agentvigil.api.request_ids import RequestIds
from agentvigil.api.routers import routers_of
from agentvigil.api.telemetry import ApiMetrics, ApiTelemetry
from agentvigil.cli.background import start_jobs
from agentvigil.cli.health import HealthChecks
from agentvigil.cli.listening import CannotListen, HttpServer, bind
from agentvigil.cli.log_intake import ReceiverIntake
from agentvigil.cli.open_files import raise_limit
from agentvigil.cli.settings import Endpoint, Settings, names_clickhouse_server, option_of
from agentvigil.cli.tls import Tls, load_tls
from agentvigil.receiver.admission import clean
from agentvigil.receiver.group_commit import CommitLimits, GroupCommitter, Writer
from agentvigil.receiver.grpc_server import GrpcConfig, GrpcReceiver
from agentvigil.receiver.http_app import OtlpHttpApp
from agentvigil.receiver.ingest import DiskHeadroom, Ingest, IngestConfig
from agentvigil.receiver.metrics import ReceiverMetrics, SignalMetrics
from agentvigil.receiver.neighbours import NeighbourlyWriter
from agentvigil.receiver.otlp import LOGS, OTLP_SIGNALS, OtlpSignal
from agentvigil.receiver.window import RequestWindow
from agentvigil.storage.access import Access, KeyBook
from agentvigil.storage.data_directory import DataDirectory, directory_of
from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.envelope import Limits
from agentvigil.storage.hash_key import hash_key_of
from agentvigil.storage.ledger import RequestLedger
from agentvigil.storage.migrations import check_schema, migrate
from agentvigil.storage.opening import open_store
from agentvigil.storage.prices.errors import PriceError
from agentvigil.storage.prices.loading import load_prices
from agentvigil.storage.project_tables import project_tables_of
from agentvigil.storage.request_writer import RequestWriter
from agentvigil.storage.server import ServerStore, without_password
from agentvigil.storage.spool import Spool, SpoolingWriter, SpoolLimits
from agentvigil.storage.sql.clickhouse_http import ClickHouseHttp, clickhouse_http_app
from agentvigil.storage.sql.gateway import SqlGateway
from agentvigil.storage.store import Store

_LOG: Final = logging.getLogger("agentvigil")


class Part(Enum):
    """What a process does. Every one answers ``/health`` and ``/metrics``."""

    RECEIVER = "takes OTLP"
    API = "answers the API"
    ANALYSIS = "settles runs, detects, alerts"


ALL_PARTS: Final = frozenset(Part)
_WINDOW_S: Final = 900
_WINDOW_REQUESTS: Final = 250_000
_GRPC_GRACE_S: Final = 10
_HEALTH_EVERY_S: Final = 5


class NeedsKey(Exception):
    """Listening beyond this machine was asked for without a key."""

    def __init__(self, address: str, option: str) -> None:
        super().__init__(
            f"refusing to listen on {address} without a key, since others could write and read your telemetry there; "
            "make one with `agentvigil keys create`, set AGENTVIGIL_INGEST_KEY, "
            f"or listen on 127.0.0.1 with {option}"
        )


@dataclass(frozen=True, slots=True)
class Running:
    """A server that listens. ``addresses`` maps otlp_grpc, otlp_http, clickhouse_http, api, what it has, to host:port.

    ``token`` is a key of this start to everything, for commands of this machine.
    """

    addresses: dict[str, str]
    store: Store
    store_url: str
    access: Access
    token: str = field(repr=False)


@contextlib.asynccontextmanager
async def running(
    settings: Settings, purpose: str, *, parts: frozenset[Part] = ALL_PARTS, brisk: bool = False
) -> AsyncIterator[Running]:
    """Start ``parts``, yield when all ports listen, then stop intake, store what was taken, and close.

    All parts together bring the store to this release's schema; one alone leaves a ClickHouse server's as it is.
    ``brisk`` is that of :func:`~agentvigil.cli.background.start_jobs`, and of settling.

    Raises:
        StorageError: if the store can not be opened or migrated, or is a server's without this release's schema.
        CannotListen: if a port is taken.
        NeedsKey: if an address is beyond this machine and there is no key.
        TlsUnusable: if there is something wrong with the files for TLS.
        AlertsUnusable: if there is something wrong with the file of alerts.
    """
    beyond = [name for name in _interfaces(settings, parts) if not Endpoint.parse(getattr(settings, name)).is_loopback]
    needs_key = NeedsKey(getattr(settings, beyond[0]), option_of(beyond[0])) if beyond else None
    if needs_key is not None and settings.static_key() is None and not _has_data(settings):
        # Where there is no data there is no key; nothing need be made to find that out.
        raise needs_key
    tls = load_tls(settings)
    alerts = Configuration.load(settings.alerts)
    raise_limit()
    async with contextlib.AsyncExitStack() as stack:
        store, directory = stack.enter_context(
            open_store(settings.clickhouse, settings.data, settings.database, purpose=purpose)
        )
        await asyncio.to_thread(_prepare, store, makes_schema=store.is_embedded or parts == ALL_PARTS)
        keys, token = KeyBook(store), secrets.token_urlsafe(32)
        access = await _access(stack, settings, keys, token, needs_key)
        own_traces = None
        if settings.own_traces_endpoint:
            # With it comes OpenTelemetry's SDK, a tenth of all that is loaded.
            from agentvigil.cli.own_traces import OwnTraces

            own_traces = OwnTraces(settings.own_traces_endpoint)
        tracer = own_traces.tracer if own_traces else NoOpTracer()
        if own_traces:
            store.tracer = tracer
        settling = SettlingService(store, SettlingConfig(), tracer, brisk=brisk)
        registry = CollectorRegistry()
        jobs: list[JobService] = []
        if Part.ANALYSIS in parts:
            if settings.settling:
                settling.start()
                stack.push_async_callback(asyncio.to_thread, settling.stop)
                ProgressCollector(registry, lambda: settling.progress)
                jobs.append(settling)
            jobs += await start_jobs(stack, store, settings, alerts, registry, brisk=brisk)
            JobCollector(registry, jobs)
            if not store.is_embedded:
                keeper = LeaseKeeper(jobs)
                keeper.start()
                stack.push_async_callback(asyncio.to_thread, keeper.stop)
        headroom = DiskHeadroom(directory.path if directory else None, settings.min_free_disk_bytes)
        _register_disk(registry, headroom)
        spool = None
        if Part.RECEIVER in parts:
            spool = await asyncio.to_thread(_open_spool, stack, settings, store, settling, registry)
        checks = HealthChecks(store, headroom, spool, jobs)
        ingests: list[Ingest] = []
        routers: list[APIRouter] = []
        if Part.RECEIVER in parts or Part.API in parts:
            # The API sends feedback on the road of logs.
            signals = OTLP_SIGNALS if Part.RECEIVER in parts else (LOGS,)
            ingests = await _start_intake(
                stack, settings, store, directory, spool, headroom, signals, ReceiverMetrics(registry), tracer
            )
        if Part.API in parts:
            intake = ReceiverIntake(next(ingest for ingest in ingests if ingest.otlp is LOGS))
            routers = routers_of(store, keys, intake, settings.content_policies(), alerts)
        api = api_app(
            checks,
            registry,
            access,
            routers,
            requests_per_minute=settings.api_requests_per_minute,
            cors_origins=settings.allowed_origins(),
        )
        watched_api = ApiTelemetry(api, ApiMetrics(registry), tracer)
        apps: dict[str, ASGIApp] = {"otlp_http": OtlpHttpApp(ingests, access)} if Part.RECEIVER in parts else {}
        addresses = await _listen_http(stack, settings, tls, store, {**apps, "api": watched_api}, access)
        if Part.RECEIVER in parts:
            receiving = await _listen_grpc(stack, settings, tls, ingests, checks, access)
            addresses = {"otlp_grpc": receiving, **addresses}
        if own_traces:
            # While the ports still listen: they may be where these go.
            stack.push_async_callback(asyncio.to_thread, own_traces.stop)
        stack.callback(checks.stop)
        if directory is not None:
            directory.announce(addresses, certificate=str(tls.certificate.resolve()) if tls else None, token=token)
        # What start-up made stays; the collector need not look at it again while requests come and go.
        gc.collect()
        gc.freeze()
        yield Running(addresses, store, _store_url(settings, directory), access, token)
        _LOG.info("stopping: intake ends, what was taken is stored")


def _interfaces(settings: Settings, parts: frozenset[Part]) -> Sequence[str]:
    """Return the settings that say where a process with these ``parts`` listens."""
    of_receiver = ("otlp_grpc", "otlp_http") if Part.RECEIVER in parts else ()
    of_store = () if names_clickhouse_server(settings) else ("clickhouse_http",)
    return (*of_receiver, *of_store, "api")


async def _start_intake(
    stack: contextlib.AsyncExitStack,
    settings: Settings,
    store: Store,
    directory: DataDirectory | None,
    spool: Spool | None,
    headroom: DiskHeadroom,
    signals: Sequence[OtlpSignal],
    metrics: ReceiverMetrics,
    tracer: Tracer,
) -> list[Ingest]:
    """Start what stores requests of ``signals``, until ``stack`` unwinds."""
    hash_key = settings.hash_key_bytes()
    if hash_key is None:
        hash_key = await asyncio.to_thread(hash_key_of, store, directory)
    config = _ingest_config(settings, hash_key)
    ingests = []
    for otlp in signals:
        committer = await asyncio.to_thread(
            _committer, otlp, store, spool, settings, metrics.of(otlp.signal.name), tracer
        )
        committer.start()
        stack.push_async_callback(asyncio.to_thread, committer.stop)
        ingests.append(Ingest(otlp, committer, headroom, config, metrics.of(otlp.signal.name)))
    return ingests


async def _listen_http(
    stack: contextlib.AsyncExitStack,
    settings: Settings,
    tls: Tls | None,
    store: Store,
    apps: Mapping[str, ASGIApp],
    access: Access,
) -> dict[str, str]:
    """Let ``apps`` answer, and SQL where the store is embedded; return where each does."""
    apps = dict(apps)
    if isinstance(store, EmbeddedStore):
        gateway = SqlGateway(
            store.open_handle,
            database=store.database,
            allowed_tables=store.readable_tables,
            project_tables=partial(project_tables_of, store),
        )
        apps["clickhouse_http"] = clickhouse_http_app(gateway, access)
    addresses = {}
    for name, app in apps.items():
        endpoint = Endpoint.parse(getattr(settings, name))
        listener = bind(endpoint, option_of(name))
        addresses[name] = endpoint.with_port(listener.getsockname()[1])
        http_server = HttpServer(
            RequestIds(app), listener, tls.for_http(only_known_clients=name == "otlp_http") if tls else {}
        )
        await http_server.start()
        stack.push_async_callback(http_server.stop)
        if isinstance(app, ClickHouseHttp):
            stack.push_async_callback(asyncio.to_thread, app.close)
    return addresses


async def _listen_grpc(
    stack: contextlib.AsyncExitStack,
    settings: Settings,
    tls: Tls | None,
    ingests: Sequence[Ingest],
    checks: HealthChecks,
    access: Access,
) -> str:
    receiver = GrpcReceiver(
        ingests,
        access,
        GrpcConfig(settings.max_request_bytes, settings.max_connection_age_s, settings.grpc_reflection),
    )
    try:
        if tls is None:
            port = receiver.server.add_insecure_port(settings.otlp_grpc)
        else:
            port = receiver.server.add_secure_port(settings.otlp_grpc, tls.for_grpc())
    except RuntimeError as exc:
        reason = "address already in use, or not this machine's"
        raise CannotListen(settings.otlp_grpc, option_of("otlp_grpc"), reason) from exc
    await receiver.server.start()
    stack.push_async_callback(receiver.stop, _GRPC_GRACE_S)
    reporting = asyncio.create_task(_report_health(receiver, checks))
    stack.callback(reporting.cancel)
    return Endpoint.parse(settings.otlp_grpc).with_port(port)


async def _report_health(receiver: GrpcReceiver, checks: HealthChecks) -> None:
    """Keep the gRPC health service saying what ``/health`` says."""
    while True:
        try:
            healthy = all(check.ok for check in await asyncio.to_thread(checks))
        except Exception:  # noqa: BLE001 - a defect must not leave the last answer standing for ever
            _LOG.exception("the state of health could not be found out")
            healthy = False
        await receiver.set_healthy(healthy)
        await asyncio.sleep(_HEALTH_EVERY_S)


async def _access(
    stack: contextlib.AsyncExitStack, settings: Settings, keys: KeyBook, token: str, needs_key: NeedsKey | None
) -> Access:
    """Return who may call, kept up to date until ``stack`` unwinds.

    Raises:
        NeedsKey: ``needs_key``, if it is given and no key lets anybody in.
        StorageError: if the keys can not be read.
    """
    access = Access(keys, static_key=settings.static_key(), token=token, required=needs_key is not None)
    await asyncio.to_thread(access.load)
    if needs_key is not None and not access.usable_keys:
        raise needs_key
    access.start()
    stack.push_async_callback(asyncio.to_thread, access.stop)
    return access


def _has_data(settings: Settings) -> bool:
    """Say whether there may be data already; of a ClickHouse server nothing is known."""
    return (
        names_clickhouse_server(settings)
        or (directory_of(settings.clickhouse, settings.data).expanduser() / "clickhouse").is_dir()
    )


def _prepare(store: Store, *, makes_schema: bool) -> None:
    _LOG.info("ClickHouse %s", store.version())
    if not makes_schema:
        check_schema(store)
        return
    migrate(store)
    try:
        load_prices(store)
    except PriceError as exc:
        # Better the prices of before than no server.
        _LOG.error("the list prices stay as they were: %s", exc)


def _open_spool(
    stack: contextlib.ExitStack | contextlib.AsyncExitStack,
    settings: Settings,
    store: Store,
    settling: SettlingService,
    registry: CollectorRegistry,
) -> Spool | None:
    if not isinstance(store, ServerStore) or not settings.spool_max_bytes:
        return None
    directory = stack.enter_context(DataDirectory(settings.data / "spool", purpose="agentvigil's spool"))
    local = EmbeddedStore(directory, "default")
    stack.callback(local.close)
    migrate(local)
    limits = SpoolLimits(settings.spool_max_bytes, settings.min_free_disk_bytes)
    spool = Spool(local, store, limits, on_traces_moved=settling.settle_window)
    size = Gauge("agentvigil_spool_bytes", "Disk taken by rows that wait for the ClickHouse server.", registry=registry)
    size.set_function(spool.size_bytes)
    spool.start()
    stack.callback(spool.stop)
    return spool


def _writer(otlp: OtlpSignal, store: Store, spool: Spool | None) -> RequestWriter | SpoolingWriter:
    to_store = RequestWriter(store, otlp.signal, partial(clean, otlp))
    if spool is None:
        return to_store
    to_spool = RequestWriter(spool.local, otlp.signal, partial(clean, otlp))
    return SpoolingWriter(otlp.signal, to_store, to_spool, spool)


def _committer(
    otlp: OtlpSignal, store: Store, spool: Spool | None, settings: Settings, metrics: SignalMetrics, tracer: Tracer
) -> GroupCommitter:
    writer = _writer(otlp, store, spool)
    window = RequestWindow(_WINDOW_S, _WINDOW_REQUESTS)
    window.add(writer.recover(_WINDOW_S, _WINDOW_REQUESTS))
    if writer.newest_found is not None:
        metrics.stored_at(writer.newest_found.timestamp())
    to_group: Writer = writer
    if not store.is_embedded:
        seen = RequestWindow(_WINDOW_S, _WINDOW_REQUESTS)
        to_group = NeighbourlyWriter(writer, RequestLedger(store, otlp.signal).since, seen)
    return GroupCommitter(to_group, window, CommitLimits(queued_bytes=settings.max_queued_bytes), metrics, tracer)


def _ingest_config(settings: Settings, hash_key: bytes) -> IngestConfig:
    return IngestConfig(
        max_request_bytes=settings.max_request_bytes,
        keep_days=settings.keep_days,
        limits=Limits(settings.max_span_attributes, settings.max_span_events, settings.max_span_links),
        content_policies=settings.content_policies(),
        hash_key=hash_key,
    )


def _register_disk(registry: CollectorRegistry, headroom: DiskHeadroom) -> None:
    if headroom.path is not None:
        free = Gauge("agentvigil_disk_free_bytes", "Free bytes on the disk of the store.", registry=registry)
        free.set_function(lambda: headroom.free_bytes() or 0)


def _store_url(settings: Settings, directory: DataDirectory | None) -> str:
    return without_password(settings.clickhouse or "") if directory is None else f"chdb://{directory.path}"
