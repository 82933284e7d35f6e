"""The API over a store of this process, as the server puts it together."""

import asyncio
from functools import partial
from typing import Any, Final, cast

from fastapi import APIRouter, FastAPI
from prometheus_client import CollectorRegistry

from agentvigil.analysis.alerts import Configuration
from agentvigil.api.app import api_app
from agentvigil.api.routers import routers_of
from agentvigil.cli.log_intake import ReceiverIntake
from agentvigil.receiver.admission import clean
from agentvigil.receiver.content_policies import ContentPolicies
from agentvigil.receiver.group_commit import GroupCommitter
from agentvigil.receiver.ingest import DiskHeadroom, Ingest, IngestConfig
from agentvigil.receiver.metrics import ReceiverMetrics
from agentvigil.receiver.otlp import LOGS
from agentvigil.storage.access import Access, KeyBook
from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.envelope import ExportRequest
from agentvigil.storage.request_writer import Outcome, RequestWriter

_NO_POLICIES: Final = ContentPolicies()
_NO_ALERTS: Final = Configuration()
_ROUTERS: Final[dict[EmbeddedStore, tuple[KeyBook, list[APIRouter]]]] = {}


class _Writing:
    """Where a receiver stores: at once, in the thread of who sends."""

    def __init__(self, writer: RequestWriter) -> None:
        self._writer = writer

    def check_open(self) -> None:
        """Nothing waits here."""

    async def submit(self, request: ExportRequest, **_: bool) -> Outcome:
        return (await asyncio.to_thread(self._writer.write, [request]))[0]


def intake_of(store: EmbeddedStore, policies: ContentPolicies = _NO_POLICIES) -> ReceiverIntake:
    """The receiver's road for logs into ``store``, without its threads."""
    config = IngestConfig(content_policies=policies, hash_key=b"key of the tests")
    metrics = ReceiverMetrics(CollectorRegistry()).of(LOGS.signal.name)
    committer = cast("GroupCommitter", _Writing(RequestWriter(store, LOGS.signal, partial(clean, LOGS))))
    return ReceiverIntake(Ingest(LOGS, committer, DiskHeadroom(None, 0), config, metrics))


def app_over(
    store: EmbeddedStore,
    *,
    key: str | None = None,
    policies: ContentPolicies = _NO_POLICIES,
    alerts: Configuration = _NO_ALERTS,
    **options: Any,
) -> FastAPI:
    """The API over ``store``, open as it is without keys, or for those who have ``key`` or one of the store's.

    ``alerts`` is what the file of alerts says; ``options`` are those of ``api_app``.
    """
    keys, routers = _routers_over(store, policies, alerts)
    access = Access(keys, static_key=key)
    access.load()
    return api_app(list, CollectorRegistry(), access, routers, **options)


def _routers_over(
    store: EmbeddedStore, policies: ContentPolicies, alerts: Configuration
) -> tuple[KeyBook, list[APIRouter]]:
    """The routers over ``store``, made once where they are those of every test: FastAPI takes half a second for them.

    They keep nothing of what they answered; what does is made with each application.
    """
    if (policies, alerts) != (_NO_POLICIES, _NO_ALERTS):
        keys = KeyBook(store)
        return keys, routers_of(store, keys, intake_of(store, policies), policies, alerts)
    if store not in _ROUTERS:
        keys = KeyBook(store)
        _ROUTERS[store] = keys, routers_of(store, keys, intake_of(store))
    return _ROUTERS[store]


def document_app() -> FastAPI:
    """The API without a store, to look at its routes."""
    nowhere = cast("EmbeddedStore", None)
    keys = KeyBook(nowhere)
    return api_app(list, CollectorRegistry(), Access(keys), routers_of(nowhere, keys, intake_of(nowhere)))


def document() -> dict[str, Any]:
    """The OpenAPI document."""
    return document_app().openapi()
