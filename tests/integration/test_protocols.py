"""Both protocols from end to end: real exporters, every wrong input, and what a sender is told about it."""

import contextlib
import gzip
import http.client
import json
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from backports import zstd
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status as RpcStatus
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from otlp_requests import a_metric, a_point, a_record, logs_of, metrics_of
from own_receiver import PATIENCE_S, Receiver
from trace_requests import a_request, a_span, writer_of

from agentvigil.receiver.group_commit import CommitLimits, Writer
from agentvigil.receiver.ingest import DiskHeadroom, IngestConfig
from agentvigil.receiver.otlp import LOGS, METRICS, OTLP_SIGNALS, TRACES, OtlpSignal
from agentvigil.storage.data_directory import DataDirectory
from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.envelope import ExportRequest
from agentvigil.storage.migrations import migrate
from agentvigil.storage.request_writer import Outcome, RequestWriter

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
PROTOBUF = "application/x-protobuf"
LIMIT = 2**16
GOOD = a_request(a_span(1))


@dataclass(frozen=True)
class Answer:
    """What a sender was told, the same way for both protocols."""

    code: grpc.StatusCode
    message: str = ""
    retry_after_s: int | None = None
    response: Any = None
    http_status: int | None = None
    headers: "http.client.HTTPMessage | None" = None

    @property
    def ok(self) -> bool:
        return self.code is grpc.StatusCode.OK


CODES = {code.value[0]: code for code in grpc.StatusCode}


def send_http(
    receiver: Receiver,
    body: Any,
    headers: dict[str, str] | None = None,
    *,
    path: str | None = None,
    method: str = "POST",
    chunked: bool = False,
    otlp: OtlpSignal = TRACES,
) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", receiver.http_port, timeout=PATIENCE_S)
    with contextlib.closing(connection):
        where = path or otlp.http_path
        connection.request(method, where, body, {"content-type": PROTOBUF, **(headers or {})}, encode_chunked=chunked)
        response = connection.getresponse()
        content = response.read()
    assert response.headers["content-type"] == PROTOBUF
    assert response.headers["content-length"] == str(len(content)) or method == "HEAD"
    if response.status == 200:
        parsed = otlp.response.FromString(content)
        return Answer(grpc.StatusCode.OK, "", None, parsed, 200, response.headers)
    status = RpcStatus.FromString(content)
    retry_after = response.headers.get("retry-after")
    seconds = int(retry_after) if retry_after else None
    assert retry_delay(status) == seconds
    return Answer(CODES[status.code], status.message, seconds, None, response.status, response.headers)


def send_grpc(
    receiver: Receiver,
    body: bytes,
    headers: dict[str, str] | None = None,
    *,
    method: str | None = None,
    compression: grpc.Compression | None = None,
    otlp: OtlpSignal = TRACES,
) -> Answer:
    with grpc.insecure_channel(f"127.0.0.1:{receiver.grpc_port}") as channel:
        call = channel.unary_unary(method or f"/{otlp.grpc_service}/Export")
        metadata = tuple((headers or {}).items())
        return grpc_answer(
            lambda: call(body, timeout=PATIENCE_S, metadata=metadata, compression=compression), otlp.response
        )


def grpc_answer(call: Callable[[], bytes], response: type[Message] = ExportTraceServiceResponse) -> Answer:
    try:
        return Answer(grpc.StatusCode.OK, response=response.FromString(call()))
    except grpc.RpcError as exc:
        error: Any = exc
    details = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin")
    seconds = None
    if details is not None:
        status = RpcStatus.FromString(details)
        assert (CODES[status.code], status.message) == (error.code(), error.details())
        seconds = retry_delay(status)
    return Answer(error.code(), error.details(), seconds)


def retry_delay(status: RpcStatus) -> int | None:
    info = RetryInfo()
    for detail in status.details:
        assert detail.Unpack(info)
        return int(info.retry_delay.seconds)
    return None


both = pytest.mark.parametrize("send", [send_grpc, send_http], ids=["grpc", "http"])
Send = Callable[..., Answer]


class GatedWriter:
    """Lets a writer begin only when it is told to."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._begun, self._gate = threading.Semaphore(0), threading.Semaphore(0)
        self.group_sizes: list[int] = []

    def write(self, group: Sequence[ExportRequest]) -> list[Outcome]:
        self.group_sizes.append(len(group))
        self._begun.release()
        assert self._gate.acquire(timeout=PATIENCE_S)
        return self._writer.write(group)

    def wait_until_busy(self) -> None:
        assert self._begun.acquire(timeout=PATIENCE_S)

    def let(self, groups: int) -> None:
        self._gate.release(groups)


class Always:
    """A store whose answer is known."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome

    def write(self, group: Sequence[ExportRequest]) -> list[Outcome]:
        return [self.outcome] * len(group)


def stored(store: EmbeddedStore) -> list[str]:
    return sorted(row[0] for row in store.rows("SELECT SpanName FROM otel_traces"))


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


@pytest.fixture
def receiver(store: EmbeddedStore) -> Iterator[Receiver]:
    with Receiver(writer_of(store)) as receiver:
        yield receiver


@pytest.fixture(scope="module")
def small(data_directory: DataDirectory) -> Iterator[Receiver]:
    """One receiver with a small size limit, for what must not be stored anyway."""
    store = EmbeddedStore(data_directory, "test_protocols")
    migrate(store)
    config = IngestConfig(max_request_bytes=LIMIT)
    with Receiver(writer_of(store), config=config) as receiver:
        yield receiver
    assert stored(store) == []
    store.command("DROP DATABASE test_protocols")
    store.close()


# Real exporters

EXPORTERS: dict[str, Callable[[Receiver, str], SpanExporter]] = {
    "grpc": lambda r, key: GrpcExporter(
        f"127.0.0.1:{r.grpc_port}", insecure=True, headers=(("authorization", f"Bearer {key}"),)
    ),
    "grpc gzip": lambda r, key: GrpcExporter(
        f"127.0.0.1:{r.grpc_port}",
        insecure=True,
        headers=(("authorization", f"Bearer {key}"),),
        compression=grpc.Compression.Gzip,
    ),
    "http": lambda r, key: HttpExporter(
        f"http://127.0.0.1:{r.http_port}/v1/traces", headers={"authorization": f"Bearer {key}"}
    ),
    "http gzip": lambda r, key: HttpExporter(
        f"http://127.0.0.1:{r.http_port}/v1/traces",
        headers={"authorization": f"Bearer {key}"},
        compression=Compression.Gzip,
    ),
}


def sdk_spans(name: str) -> list[ReadableSpan]:
    tracer = TracerProvider(resource=Resource({"service.name": name}), shutdown_on_exit=False).get_tracer("t")
    spans = [tracer.start_span(f"{name} {number}") for number in range(3)]
    for span in spans:
        span.end()
    return spans  # type: ignore[return-value]


def test_real_exporters_are_stored_once_they_are_told_so(store: EmbeddedStore) -> None:
    """What users have: the SDK's exporters, with and without compression, with a key."""
    with Receiver(writer_of(store), key="s3cret") as receiver:
        for name, exporter_for in EXPORTERS.items():
            exporter = exporter_for(receiver, "s3cret")

            assert exporter.export(sdk_spans(name)) is SpanExportResult.SUCCESS

            assert {f"{name} {number}" for number in range(3)} <= set(stored(store))
            exporter.shutdown()
        assert (receiver.requests("grpc", "OK"), receiver.requests("http", "OK")) == (2, 2)
    assert len(stored(store)) == 12


@pytest.mark.parametrize("name", ["grpc", "http"])
def test_real_exporters_give_up_at_once_with_a_wrong_key(store: EmbeddedStore, name: str) -> None:
    """Nothing gets better by trying again; the message is in the application's log."""
    with Receiver(writer_of(store), key="s3cret") as receiver:
        exporter = EXPORTERS[name](receiver, "wrong")

        assert exporter.export(sdk_spans(name)) is SpanExportResult.FAILURE

        exporter.shutdown()
        assert receiver.requests(name, "UNAUTHENTICATED") == 1
    assert stored(store) == []


# What is answered


@both
def test_an_empty_request_is_fine(receiver: Receiver, send: Send) -> None:
    """OTLP says so; health checks of Collectors send it."""
    for body in (b"", b"\x0a\x00", b"\x0a\x02\x12\x00"):
        answer = send(receiver, body)

        assert answer.ok
        assert answer.response == ExportTraceServiceResponse()


@both
def test_a_success_is_an_empty_response(receiver: Receiver, store: EmbeddedStore, send: Send) -> None:
    """partial_success must not be set when nothing was rejected: senders would log it."""
    answer = send(receiver, GOOD)

    assert answer.ok
    assert answer.response == ExportTraceServiceResponse()
    assert not answer.response.HasField("partial_success")
    assert stored(store) == ["span 1"]


@both
def test_invalid_ids_are_a_partial_success(receiver: Receiver, store: EmbeddedStore, send: Send) -> None:
    """The rest of the batch is stored, and the sender is told how much was not and why."""
    body = a_request(a_span(1), a_span(2, trace_id=b"\1" * 15), a_span(3, span_id=bytes(8)), a_span(4))

    answer = send(receiver, body)

    assert answer.ok
    assert answer.response is not None
    assert answer.response.partial_success.rejected_spans == 2
    assert "2 of 4 spans have invalid ids" in answer.response.partial_success.error_message
    assert stored(store) == ["span 1", "span 4"]
    assert receiver.count("items_stored") == 2
    assert receiver.count("items_rejected") == 2


@both
def test_only_invalid_ids_are_an_error(small: Receiver, send: Send) -> None:
    """Nothing of it can be stored, now or later."""
    assert_refused(
        send(small, a_request(a_span(1, trace_id=b""))), grpc.StatusCode.INVALID_ARGUMENT, 400, "invalid ids"
    )


def assert_refused(
    answer: Answer, code: grpc.StatusCode, http_status: int, text: str, retry_after_s: int | None = None
) -> None:
    assert (answer.code, answer.retry_after_s) == (code, retry_after_s), answer
    assert text in answer.message
    assert answer.http_status in (None, http_status)


@both
@pytest.mark.parametrize(
    "body", [b"{}", b"\x0a\xff", GOOD[:-1], b"\x1f\x8b\x08\x00"], ids=["json", "cut", "last byte", "gzip"]
)
def test_malformed_protobuf_is_refused_for_good(small: Receiver, send: Send, body: bytes) -> None:
    """A sender that keeps it would send it for ever."""
    assert_refused(send(small, body), grpc.StatusCode.INVALID_ARGUMENT, 400, "not an OTLP ExportTraceServiceRequest")


@pytest.mark.parametrize(
    ("headers", "status", "text"),
    [
        ({"content-type": "text/plain; charset=utf-8"}, 415, "text/plain is not read"),
        ({"content-type": ""}, 415, "missing"),
        ({"content-type": "application/x-protobuffer"}, 415, "not read"),
        ({"content-encoding": "br"}, 415, "br is not read"),
        ({"content-encoding": "gzip, gzip"}, 415, "not read"),
        ({"content-encoding": "gzip"}, 400, "not gzip"),
    ],
)
def test_what_http_can_say_wrong_is_refused_for_good(
    small: Receiver, headers: dict[str, str], status: int, text: str
) -> None:
    """Each with a sentence that tells what to set."""
    assert_refused(send_http(small, GOOD, headers), grpc.StatusCode.INVALID_ARGUMENT, status, text)


def post_json(
    receiver: Receiver, body: bytes, path: str = "/v1/traces", headers: dict[str, str] | None = None
) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", receiver.http_port, timeout=PATIENCE_S)
    with contextlib.closing(connection):
        connection.request("POST", path, body, {"content-type": "application/json; charset=utf-8", **(headers or {})})
        response = connection.getresponse()
        assert response.headers["content-type"] == "application/json"
        return response.status, json.loads(response.read())


def test_json_is_answered_in_json(small: Receiver) -> None:
    """Success and failure alike: a browser has no protobuf to read them with."""
    assert post_json(small, b"{}") == (200, {})

    status, refusal = post_json(small, b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"kind": "NONE"}]}]}]}')
    assert (status, refusal["code"]) == (400, grpc.StatusCode.INVALID_ARGUMENT.value[0])
    assert "resourceSpans[0].scopeSpans[0].spans[0].kind" in refusal["message"]

    status, refusal = post_json(small, b'{"resourceSpans": [')
    assert (status, refusal["code"]) == (400, grpc.StatusCode.INVALID_ARGUMENT.value[0])

    status, refusal = post_json(small, b"{}", "/v1/profiles")
    assert (status, refusal["code"]) == (404, grpc.StatusCode.UNIMPLEMENTED.value[0])


@pytest.mark.parametrize(("encoding", "compress"), [("deflate", zlib.compress), ("zstd", zstd.compress)])
def test_bombs_are_refused_in_every_compression(
    small: Receiver, encoding: str, compress: Callable[[bytes], bytes]
) -> None:
    """Whatever is inside, and in JSON too."""
    compressed = compress(b" " * (32 * 2**20))
    assert len(compressed) < LIMIT

    answer = send_http(small, compressed, {"content-encoding": encoding})
    assert_refused(answer, grpc.StatusCode.RESOURCE_EXHAUSTED, 413, "after decompression")
    status, refusal = post_json(small, compressed, headers={"content-encoding": encoding})
    assert (status, refusal["code"]) == (413, grpc.StatusCode.RESOURCE_EXHAUSTED.value[0])


def test_many_large_bodies_in_json_are_told_to_come_again(store: EmbeddedStore) -> None:
    """Each takes many times its size in memory while it is read."""
    large = b'{"resourceSpans": []' + b" " * (12 * 2**20) + b"}"
    with Receiver(writer_of(store)) as receiver, ThreadPoolExecutor(16) as pool:
        # The one decoder is held, so that all that come have to wait.
        decoder = receiver.over_http._decoders
        receiver.run(decoder.acquire())
        answers = [pool.submit(post_json, receiver, large) for _ in range(8)]
        wait_for(lambda: sum(answer.done() for answer in answers) == 3)
        receiver.loop.call_soon_threadsafe(decoder.release)
        told = sorted((answer.result() for answer in answers), key=lambda answer: answer[0])

    assert [status for status, _ in told] == [200] * 5 + [429] * 3
    assert told[-1][1]["details"][0]["retryDelay"] == "1s"


@pytest.mark.parametrize("send", [send_grpc, send_http], ids=["grpc", "http"])
def test_every_signal_has_its_own_partial_success(store: EmbeddedStore, send: Send) -> None:
    """Counted in its own unit, with the reason."""
    logs = logs_of(a_record("timeout"), a_record("bad", trace_id=b"short")).SerializeToString()
    nameless = a_metric("sum", a_point("sum"), a_point("sum"))
    nameless.name = ""
    metrics = metrics_of(a_metric("gauge", a_point("gauge")), nameless).SerializeToString()
    with Receiver({otlp: writer_of(store, otlp) for otlp in OTLP_SIGNALS}) as receiver:
        for otlp, body, rejected, reason in (
            (LOGS, logs, 1, "1 of 2 log records have invalid ids"),
            (METRICS, metrics, 2, "2 of 3 data points belong to metrics without a name"),
        ):
            answer = send(receiver, body, otlp=otlp)

            assert answer.ok
            assert getattr(answer.response.partial_success, otlp.rejected_field) == rejected
            assert reason in answer.response.partial_success.error_message
            labels = {"signal": otlp.signal.name}
            assert receiver.count("items_stored", **labels) == 1
            assert receiver.count("items_rejected", **labels) == rejected
    assert store.rows("SELECT Body FROM otel_logs") == [("timeout",)]
    assert store.rows("SELECT count() FROM otel_metrics_gauge") == [(1,)]
    assert store.rows("SELECT count() FROM otel_metrics_sum") == [(0,)]


@pytest.mark.parametrize(
    "path", ["/", "/v1/profiles", "/v1/logs", "/v1/traces/", "/v1/traces/x", "/V1/TRACES", "/v1%2Ftraces/.."]
)
def test_other_paths_are_not_found(small: Receiver, path: str) -> None:
    """A signal that we do not take is told so instead of being swallowed."""
    answer = send_http(small, GOOD, path=path)

    assert_refused(answer, grpc.StatusCode.UNIMPLEMENTED, 404, "/v1/traces")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_other_methods_are_not_allowed(small: Receiver, method: str) -> None:
    """RFC 9110 wants the allowed ones named."""
    answer = send_http(small, GOOD, method=method)

    assert_refused(answer, grpc.StatusCode.UNIMPLEMENTED, 405, f"not {method}")
    assert answer.headers is not None
    assert answer.headers["allow"] == "POST"


def test_other_services_are_not_implemented(small: Receiver) -> None:
    """Exporters of a signal that is not taken stop sending at that."""
    for method in (EXPORT.replace("trace", "logs").replace("Trace", "Logs"), EXPORT + "X"):
        assert send_grpc(small, b"", method=method).code is grpc.StatusCode.UNIMPLEMENTED


def test_a_grpc_call_carries_one_message(small: Receiver) -> None:
    """The method is served as a stream, which must not make it one."""
    with grpc.insecure_channel(f"127.0.0.1:{small.grpc_port}") as channel:
        call = channel.stream_unary(EXPORT)

        two = grpc_answer(lambda: call(iter([GOOD, GOOD]), timeout=PATIENCE_S))
        none = grpc_answer(lambda: call(iter([]), timeout=PATIENCE_S))

    assert_refused(two, grpc.StatusCode.INVALID_ARGUMENT, 0, "one message")
    assert_refused(none, grpc.StatusCode.INVALID_ARGUMENT, 0, "no message")


# Sizes


def oversized() -> bytes:
    return a_request(a_span(1, name="x" * LIMIT))


@pytest.mark.parametrize("chunked", [False, True], ids=["announced", "chunked"])
def test_an_oversized_body_is_refused_for_good(small: Receiver, chunked: bool) -> None:
    """413 and not 429: the same batch will not become smaller."""
    body = oversized()
    headers = {"transfer-encoding": "chunked"} if chunked else {}

    answer = send_http(small, iter([body[:1000], body[1000:]]) if chunked else body, headers, chunked=chunked)

    assert_refused(answer, grpc.StatusCode.RESOURCE_EXHAUSTED, 413, f"{LIMIT} ")


def test_an_announced_size_is_refused_before_it_is_sent(small: Receiver) -> None:
    """A terabyte that is announced needs no terabyte to be refused."""
    with socket.create_connection(("127.0.0.1", small.http_port), PATIENCE_S) as connection:
        connection.sendall(request_head(10**12))

        assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")


def request_head(length: int) -> bytes:
    return (
        f"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: {PROTOBUF}\r\nContent-Length: {length}\r\n\r\n".encode()
    )


def test_an_oversized_message_is_refused_over_grpc(small: Receiver) -> None:
    """Without a RetryInfo, so that the sender drops it."""
    answer = send_grpc(small, oversized())

    assert (answer.code, answer.retry_after_s) == (grpc.StatusCode.RESOURCE_EXHAUSTED, None)


def test_bombs_are_refused_over_both_protocols(small: Receiver) -> None:
    """The limit is for what comes out of the compression."""
    bomb = bytes(64 * 2**20)
    # Not larger than the limit itself, or the announcement would be what is refused.
    compressor = zlib.compressobj(9, wbits=31)
    compressed = b"".join(compressor.compress(bytes(2**20)) for _ in range(32)) + compressor.flush()
    assert len(compressed) < LIMIT

    over_http = send_http(small, compressed, {"content-encoding": "gzip"})
    over_grpc = send_grpc(small, bomb, compression=grpc.Compression.Gzip)

    assert_refused(over_http, grpc.StatusCode.RESOURCE_EXHAUSTED, 413, "after decompression")
    assert (over_grpc.code, over_grpc.retry_after_s) == (grpc.StatusCode.RESOURCE_EXHAUSTED, None)


def test_the_limit_itself_passes(store: EmbeddedStore) -> None:
    """16 MiB are promised, so 16 MiB have to get through both protocols, compressed or not."""
    body = a_request(a_span(1, name="x" * 1000))
    with Receiver(writer_of(store), config=IngestConfig(max_request_bytes=len(body))) as receiver:
        assert send_http(receiver, body).ok
        assert send_http(receiver, gzip.compress(body), {"content-encoding": "gzip"}).ok
        assert send_http(receiver, iter([body]), {"transfer-encoding": "chunked"}, chunked=True).ok
        assert send_grpc(receiver, body).ok
        assert send_grpc(receiver, body, compression=grpc.Compression.Gzip).ok
    assert len(stored(store)) == 1


@pytest.mark.parametrize(
    "content_type", ["application/x-protobuf; charset=utf-8", "Application/X-Protobuf", " application/x-protobuf "]
)
def test_the_content_type_is_read_as_http_defines_it(receiver: Receiver, content_type: str) -> None:
    """Case and parameters are the sender's choice."""
    assert send_http(receiver, GOOD, {"content-type": content_type}).ok


# Keys


def test_a_key_is_asked_for_over_both_protocols(store: EmbeddedStore) -> None:
    """And before anything is read."""
    with Receiver(writer_of(store), key="s3cret") as receiver:
        for send in (send_grpc, send_http):
            for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": "s3cret"}):
                answer = send(receiver, b"malformed", headers)
                assert_refused(answer, grpc.StatusCode.UNAUTHENTICATED, 401, "AGENTVIGIL_INGEST_KEY")
            assert send(receiver, GOOD, {"authorization": "Bearer s3cret"}).ok
        challenged = send_http(receiver, b"").headers
        assert challenged is not None
        assert challenged["www-authenticate"] == "Bearer"
        assert receiver.requests("grpc", "UNAUTHENTICATED") == 3
        assert receiver.requests("http", "UNAUTHENTICATED") == 4
    assert stored(store) == ["span 1"]


# Come again


@both
def test_a_full_queue_says_when_to_come_again(store: EmbeddedStore, send: Send) -> None:
    """Without the delay a gRPC sender would throw its spans away."""
    writer = GatedWriter(writer_of(store))
    bodies = [a_request(a_span(number)) for number in (1, 2, 3)]
    limits = CommitLimits(queued_bytes=2 * len(bodies[0]), interval_s=0)
    with Receiver(writer, limits=limits) as receiver, ThreadPoolExecutor() as pool:
        accepted = [pool.submit(send, receiver, bodies[0])]
        writer.wait_until_busy()
        accepted.append(pool.submit(send, receiver, bodies[1]))
        wait_for(lambda: receiver.committer.queued_bytes == limits.queued_bytes)

        refused = send(receiver, bodies[2])

        writer.let(3)
        assert all(answer.result().ok for answer in accepted)
        assert_refused(refused, grpc.StatusCode.RESOURCE_EXHAUSTED, 429, "wait to be stored", retry_after_s=1)
        assert send(receiver, bodies[2]).ok
    assert stored(store) == ["span 1", "span 2", "span 3"]


@both
def test_a_full_disk_says_when_to_come_again(send: Send, tmp_path: Path) -> None:
    """Retention needs room to work; until then the senders keep their data."""
    with Receiver(Always(Outcome.STORED), headroom=DiskHeadroom(tmp_path, 2**62)) as receiver:
        answer = send(receiver, GOOD)

    assert_refused(answer, grpc.StatusCode.RESOURCE_EXHAUSTED, 429, "AGENTVIGIL_MIN_FREE_DISK_BYTES", retry_after_s=30)


@both
def test_a_receiver_that_stops_says_so(send: Send) -> None:
    """Its successor will take it."""
    with Receiver(Always(Outcome.STORED)) as receiver:
        receiver.committer.stop()

        answer = send(receiver, GOOD)

    assert_refused(answer, grpc.StatusCode.UNAVAILABLE, 503, "stopping", retry_after_s=2)


@both
@pytest.mark.parametrize(
    ("outcome", "code", "status", "retry_after_s"),
    [
        (Outcome.UNAVAILABLE, grpc.StatusCode.UNAVAILABLE, 503, 2),
        (Outcome.REFUSED, grpc.StatusCode.INVALID_ARGUMENT, 400, None),
    ],
)
def test_the_stores_answer_reaches_the_sender(
    send: Send, outcome: Outcome, code: grpc.StatusCode, status: int, retry_after_s: int | None
) -> None:
    """An OK that comes before the store's would be a promise that nobody keeps."""
    with Receiver(Always(outcome)) as receiver:
        answer = send(receiver, GOOD)

    assert_refused(answer, code, status, "", retry_after_s)


@both
def test_a_defect_of_ours_keeps_the_senders_data(send: Send, caplog: pytest.LogCaptureFixture) -> None:
    """Retryable, with the traceback in our log and not in the answer."""
    with Receiver(Always(Outcome.STORED), clock_ns=lambda: 1 // 0) as receiver:
        answer = send(receiver, GOOD)

    assert_refused(answer, grpc.StatusCode.UNAVAILABLE, 503, "see its log", retry_after_s=10)
    assert "ZeroDivisionError" in caplog.text
    assert "ZeroDivision" not in answer.message


# Slow and vanishing senders


def test_a_sender_that_does_not_go_on_is_let_go() -> None:
    """It holds a place that others wait for."""
    config = IngestConfig(read_timeout_s=0.3, exports_in_flight=1)
    with Receiver(Always(Outcome.STORED), config=config) as receiver:
        with socket.create_connection(("127.0.0.1", receiver.http_port), PATIENCE_S) as slow:
            slow.sendall(request_head(len(GOOD)) + GOOD[:5])
            wait_for(lambda: receiver.ingests[TRACES]._in_flight == 1)

            for send in (send_http, send_grpc):
                answer = send(receiver, GOOD)
                assert_refused(
                    answer, grpc.StatusCode.RESOURCE_EXHAUSTED, 429, "exports are under way", retry_after_s=1
                )
            assert slow.recv(65536).startswith(b"HTTP/1.1 503 ")

        assert send_http(receiver, GOOD).ok


def test_a_sender_that_hangs_up_frees_its_place() -> None:
    """A crash loop of an application must not use up the places."""
    with Receiver(Always(Outcome.STORED), config=IngestConfig(exports_in_flight=1)) as receiver:
        for _ in range(3):
            with socket.create_connection(("127.0.0.1", receiver.http_port), PATIENCE_S) as connection:
                connection.sendall(request_head(len(GOOD)) + GOOD[:5])
                wait_for(lambda: receiver.ingests[TRACES]._in_flight == 1)
            wait_for(lambda: receiver.ingests[TRACES]._in_flight == 0)

        assert send_http(receiver, GOOD).ok
        assert receiver.requests("http", "OK") == 1


# Groups and repeats


def poisoned() -> bytes:
    """A request that protobuf reads and ClickHouse does not: its span's name is a group."""
    span = a_span(9).SerializeToString() + b"\x2b\x2c"
    body = bytes([0x12, len(span)]) + span
    body = bytes([0x12, len(body)]) + body
    return bytes([0x0A, len(body)]) + body


def test_a_poisoned_request_is_refused_and_its_group_is_stored(store: EmbeddedStore) -> None:
    """Who meets whom in a group is an accident."""
    # With cleaning, none of the poisons we know would be left.
    writer = GatedWriter(RequestWriter(store, TRACES.signal, lambda _: None))
    with Receiver(writer) as receiver, ThreadPoolExecutor() as pool:
        first = pool.submit(send_grpc, receiver, a_request(a_span(1)))
        writer.wait_until_busy()
        others = [pool.submit(send, receiver, a_request(a_span(n))) for n, send in ((2, send_grpc), (3, send_http))]
        bad = [
            pool.submit(send, receiver, poisoned() + b"\x98\x06" + mark)
            for mark, send in ((b"\1", send_grpc), (b"\2", send_http))
        ]
        wait_for(lambda: len(receiver.committer._on_the_way) == 5)
        writer.let(2)

        assert first.result().ok
        assert all(answer.result().ok for answer in others)
        for answer in bad:
            assert_refused(answer.result(), grpc.StatusCode.INVALID_ARGUMENT, 400, "wire type")
    assert writer.group_sizes == [1, 4]
    assert stored(store) == ["span 1", "span 2", "span 3"]


def test_a_poisoned_request_is_cleaned_and_stored(receiver: Receiver, store: EmbeddedStore) -> None:
    """Its spans are as good as any."""
    assert send_grpc(receiver, poisoned()).ok
    assert stored(store) == ["span 9"]


def test_the_same_bytes_are_stored_once(store: EmbeddedStore) -> None:
    """A sender whose answer was lost sends again, perhaps while the first is still on its way."""
    writer = GatedWriter(writer_of(store))
    body = a_request(a_span(1), a_span(2))
    with Receiver(writer) as receiver, ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(send, receiver, body) for send in (send_grpc, send_http) * 4]
        writer.wait_until_busy()
        wait_for(lambda: receiver.count("requests_repeated") == 7)
        writer.let(1)
        assert all(answer.result().ok for answer in answers)

        assert send_grpc(receiver, body).ok
        assert send_http(receiver, gzip.compress(body), {"content-encoding": "gzip"}).ok
    assert writer.group_sizes == [1]
    assert stored(store) == ["span 1", "span 2"]


def test_stopping_answers_what_was_taken(store: EmbeddedStore) -> None:
    """The last batch of an application that ends together with us."""
    writer = GatedWriter(writer_of(store))
    with Receiver(writer) as receiver, ThreadPoolExecutor() as pool:
        answers = [pool.submit(send_http, receiver, a_request(a_span(1)))]
        writer.wait_until_busy()
        answers.append(pool.submit(send_http, receiver, a_request(a_span(2))))
        wait_for(lambda: len(receiver.committer._on_the_way) == 2)
        stopping = pool.submit(receiver.committer.stop)
        wait_for(lambda: not send_http(receiver, a_request(a_span(3))).ok)
        writer.let(2)
        stopping.result(PATIENCE_S)

        assert all(answer.result().ok for answer in answers)
    assert stored(store) == ["span 1", "span 2"]
