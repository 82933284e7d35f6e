"""The API over data that this process opens, for commands where no server runs."""

import contextlib
import secrets
from collections.abc import Iterator

from prometheus_client import CollectorRegistry

from agentvigil.analysis.alerts import AlertsUnusable, Configuration
from agentvigil.api.app import api_app
from agentvigil.api.problems import Unavailable
from agentvigil.api.routers import routers_of
from agentvigil.cli.api_access import BrokenOff, CannotAsk, Prepare, Way
from agentvigil.cli.asgi import InProcess, Interrupted
from agentvigil.cli.calling import bearer
from agentvigil.cli.settings import Settings
from agentvigil.receiver.content_policies import ContentPolicies
from agentvigil.semconv.privacy import ContentPolicy
from agentvigil.storage.access import Access, KeyBook
from agentvigil.storage.migrations import check_schema, migrate
from agentvigil.storage.opening import open_store
from agentvigil.storage.store import Store


@contextlib.contextmanager
def api_here(settings: Settings, prepare: Prepare | None) -> Iterator[Way]:
    """Yield a way to the API over the data of ``settings``, opened and first made what ``prepare`` makes of it.

    Raises:
        CannotAsk: if the file of alerts can not be used.
        StorageError: if the data can not be opened, or is a ClickHouse server's that does not have this release's
            schema.
    """
    try:
        alerts = Configuration.load(settings.alerts)
    except AlertsUnusable as exc:
        raise CannotAsk(str(exc)) from exc
    where = (settings.clickhouse, settings.data, settings.database)
    with open_store(*where, purpose="an agentvigil command") as (store, _):
        store.version()
        (prepare or _check_schema)(store)
        # Who may open the data may do everything with it.
        keys, token = KeyBook(store), secrets.token_urlsafe()
        access = Access(keys, token=token, required=True)
        policies = settings.content_policies()
        routers = routers_of(store, keys, _NoIntake(policies), policies, alerts)
        app = api_app(list, CollectorRegistry(), access, routers)
        with contextlib.closing(InProcess(app)) as process:
            yield _ByProcess(process, token)


def _check_schema(store: Store) -> None:
    """Bring our own store to this release's schema, and leave one of a ClickHouse server as it is."""
    if store.is_embedded:
        migrate(store)
    else:
        check_schema(store)


class _NoIntake:
    """Commands send no telemetry."""

    def __init__(self, policies: ContentPolicies) -> None:
        self._policies = policies

    def content_policy(self, project: str) -> ContentPolicy:
        return self._policies.of(project)

    async def take(self, request: bytes, project: str) -> None:  # noqa: ARG002 - the protocol's
        raise Unavailable("no server runs that would store this", "start one with `agentvigil up`")


class _ByProcess:
    def __init__(self, process: InProcess, token: str) -> None:
        self._process, self._headers = process, {"Host": "localhost", **bearer(token)}

    def open(self, method: str, path: str, query: str, body: bytes | None) -> tuple[int, Iterator[bytes]]:
        headers = self._headers if body is None else {**self._headers, "Content-Type": "application/json"}
        try:
            status, pieces = self._process.open(method, path, query, headers, body or b"")
        except Interrupted as exc:
            raise CannotAsk(f"{method} {path} failed for a reason nobody foresaw; please report it") from exc
        return status, _whole(pieces, path)


def _whole(pieces: Iterator[bytes], path: str) -> Iterator[bytes]:
    try:
        yield from pieces
    except Interrupted as exc:
        raise BrokenOff(f"the answer to {path} broke off; try again") from exc
