"""A receiver inside the process of the tests, over any writer, and what can be asked of it."""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
from typing import Any, Final, Self, TypeVar

from access_by_key import access_by
from prometheus_client import CollectorRegistry

from agentvigil.cli.listening import HttpServer, bind
from agentvigil.cli.settings import Endpoint
from agentvigil.receiver.group_commit import CommitLimits, GroupCommitter, Writer
from agentvigil.receiver.grpc_server import GrpcConfig, GrpcReceiver
from agentvigil.receiver.http_app import OtlpHttpApp
from agentvigil.receiver.ingest import DiskHeadroom, Ingest, IngestConfig
from agentvigil.receiver.metrics import ReceiverMetrics
from agentvigil.receiver.otlp import TRACES, OtlpSignal
from agentvigil.receiver.window import RequestWindow
from agentvigil.storage.access import Access

PATIENCE_S: Final = 60
T = TypeVar("T")


class Receiver:
    """The receiver as ``agentvigil up`` puts it together, on a loop in a thread of its own.

    ``writers`` is what stores traces, or what stores each of several signals.
    """

    def __init__(
        self,
        writers: Writer | Mapping[OtlpSignal, Writer],
        *,
        key: str | None = None,
        access: Access | None = None,
        config: IngestConfig | None = None,
        limits: CommitLimits | None = None,
        headroom: DiskHeadroom | None = None,
        clock_ns: Callable[[], int] = time.time_ns,
        grpc_config: GrpcConfig | None = None,
    ) -> None:
        self.registry = CollectorRegistry()
        self.config = config or IngestConfig()
        self.ingests: dict[OtlpSignal, Ingest] = {}
        self.committers: dict[OtlpSignal, GroupCommitter] = {}
        metrics = ReceiverMetrics(self.registry)
        for otlp, writer in (writers if isinstance(writers, Mapping) else {TRACES: writers}).items():
            limits = limits or CommitLimits(interval_s=0, longest_rest_s=0)
            of_signal = metrics.of(otlp.signal.name)
            committer = GroupCommitter(writer, RequestWindow(900, 1000), limits, of_signal)
            self.committers[otlp] = committer
            headroom = headroom or DiskHeadroom(None, 0)
            self.ingests[otlp] = Ingest(otlp, committer, headroom, self.config, of_signal, clock_ns)
        self._access, self._grpc = access or access_by(key), grpc_config or GrpcConfig(self.config.max_request_bytes)
        self._ready: Future[None] = Future()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self.grpc_port = self.http_port = 0

    def __enter__(self) -> Self:
        for committer in self.committers.values():
            committer.start()
        self._thread.start()
        self._ready.result(PATIENCE_S)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stop.set()
        self._thread.join()
        for committer in self.committers.values():
            committer.stop()

    @property
    def committer(self) -> GroupCommitter:
        """That of traces."""
        return self.committers[TRACES]

    def run(self, action: Coroutine[Any, Any, T]) -> T:
        """Run ``action`` on the receiver's loop."""
        return asyncio.run_coroutine_threadsafe(action, self.loop).result(PATIENCE_S)

    async def _serve(self) -> None:
        self.loop = asyncio.get_running_loop()
        try:
            listener = bind(Endpoint("127.0.0.1", 0), "--otlp-http")
            self.http_port = listener.getsockname()[1]
            self.over_http = OtlpHttpApp(list(self.ingests.values()), self._access)
            over_http = HttpServer(self.over_http, listener)
            over_grpc = self.over_grpc = GrpcReceiver(list(self.ingests.values()), self._access, self._grpc)
            self.grpc_port = over_grpc.server.add_insecure_port("127.0.0.1:0")
            await over_http.start()
            await over_grpc.server.start()
        except BaseException as exc:
            self._ready.set_exception(exc)
            raise
        self._ready.set_result(None)
        await asyncio.to_thread(self._stop.wait)
        await over_grpc.stop(0)
        await over_http.stop()

    def requests(self, protocol: str, status: str) -> float:
        """How many requests of traces were answered so."""
        return self.count("requests", protocol=protocol, status=status)

    def count(self, name: str, **labels: str) -> float:
        """The receiver's own counter ``name``, of traces unless ``labels`` say otherwise, summed over all others."""
        wanted = {"signal": "traces", **labels}.items()
        samples = [sample for metric in self.registry.collect() for sample in metric.samples]
        return sum(
            sample.value
            for sample in samples
            if sample.name == f"agentvigil_receiver_{name}_total" and wanted <= sample.labels.items()
        )
