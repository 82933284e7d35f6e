"""How senders are connected: health, reflection, the age of connections, TLS with and without client certificates."""

import http.client
import json
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
import trustme
from click.testing import CliRunner
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult
from own_receiver import PATIENCE_S, Receiver
from server_process import ANY_PORTS, OtlpSender, Server, until
from trace_requests import a_request, a_span, writer_of

from agentvigil.cli.commands import agentvigil
from agentvigil.receiver.grpc_server import GrpcConfig
from agentvigil.receiver.otlp import OTLP_SIGNALS, TRACES
from agentvigil.storage.embedded import EmbeddedStore

SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING
StartServer = Callable[..., Server]


@pytest.fixture
def open_receiver(store: EmbeddedStore) -> Callable[..., Receiver]:
    """A receiver of all three signals, with a key and what is given."""

    def open_it(**options: object) -> Receiver:
        config = GrpcConfig(2**20, **options)  # type: ignore[arg-type]
        return Receiver({otlp: writer_of(store, otlp) for otlp in OTLP_SIGNALS}, key="s3cret", grpc_config=config)

    return open_it


# Health


def test_the_health_service_follows_what_it_is_told(open_receiver: Callable[..., Receiver]) -> None:
    """Kubernetes and load balancers ask it, by service or as a whole, and have no key."""
    with open_receiver() as receiver, grpc.insecure_channel(f"127.0.0.1:{receiver.grpc_port}") as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        watched: list[int] = []
        watch = stub.Watch(health_pb2.HealthCheckRequest(), timeout=PATIENCE_S)
        watched.append(next(watch).status)

        for healthy in (False, True):
            receiver.run(receiver.over_grpc.set_healthy(healthy))
            watched.append(next(watch).status)
            for service in ("", *(otlp.grpc_service for otlp in OTLP_SIGNALS)):
                answer = stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=PATIENCE_S)
                assert answer.status == (SERVING if healthy else NOT_SERVING)
        watch.cancel()

        assert watched == [SERVING, NOT_SERVING, SERVING]
        with pytest.raises(grpc.RpcError) as unknown:
            stub.Check(health_pb2.HealthCheckRequest(service="no.such.Service"), timeout=PATIENCE_S)
        assert unknown.value.code() is grpc.StatusCode.NOT_FOUND


# Reflection


def services_of(receiver: Receiver) -> set[str]:
    with grpc.insecure_channel(f"127.0.0.1:{receiver.grpc_port}") as channel:
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        request = reflection_pb2.ServerReflectionRequest(list_services="*")
        (answer,) = stub.ServerReflectionInfo(iter([request]), timeout=PATIENCE_S)
    return {service.name for service in answer.list_services_response.service}


def test_reflection_is_there_when_asked_for(open_receiver: Callable[..., Receiver]) -> None:
    """For people who look around with grpcurl; nobody else needs to know."""
    with open_receiver(reflection=True) as receiver:
        assert {otlp.grpc_service for otlp in OTLP_SIGNALS} | {"grpc.health.v1.Health"} < services_of(receiver)
    with open_receiver() as receiver, pytest.raises(grpc.RpcError) as refused:
        services_of(receiver)
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED


# Age


def test_an_old_connection_is_closed_without_a_loss(
    open_receiver: Callable[..., Receiver], store: EmbeddedStore
) -> None:
    """Senders behind a load balancer come to a new receiver in time; what is under way is answered."""
    states: list[grpc.ChannelConnectivity] = []
    with (
        open_receiver(max_connection_age_s=1) as receiver,
        grpc.insecure_channel(f"127.0.0.1:{receiver.grpc_port}") as channel,
    ):
        channel.subscribe(states.append)
        export = channel.unary_unary(f"/{TRACES.grpc_service}/Export")
        sent = 0

        def closed_and_open_again() -> bool:
            nonlocal sent
            sent += 1
            body = a_request(a_span(sent))
            export(body, timeout=PATIENCE_S, metadata=(("authorization", "Bearer s3cret"),))
            return states.count(grpc.ChannelConnectivity.READY) >= 3

        until(closed_and_open_again, "a second and a third connection", 0.2)
    assert store.rows("SELECT count() FROM otel_traces") == [(sent,)]


# TLS


@dataclass
class Certificates:
    """A server's certificate, a sender's, and who signed both."""

    ca: trustme.CA
    folder: Path

    def __post_init__(self) -> None:
        self.server = self.ca.issue_cert("localhost", "127.0.0.1")
        self.sender = self.ca.issue_cert("sender.test")
        self.ca.cert_pem.write_to_path(self.folder / "ca.pem")
        self.server.private_key_pem.write_to_path(self.folder / "server.key")
        self.sender.private_key_pem.write_to_path(self.folder / "sender.key")
        for name, cert in (("server", self.server), ("sender", self.sender)):
            (self.folder / f"{name}.pem").write_bytes(b"".join(blob.bytes() for blob in cert.cert_chain_pems))

    def path(self, name: str) -> str:
        return str(self.folder / name)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(trustme.CA(), tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module", params=["tls", "mtls"])
def tls_server(
    request: pytest.FixtureRequest,
    certificates: Certificates,
    tmp_path_factory: pytest.TempPathFactory,
    start_shared_server: StartServer,
) -> tuple[Server, bool]:
    """A server with TLS, and whether senders need a certificate."""
    mutual = request.param == "mtls"
    arguments = ["--tls-cert", certificates.path("server.pem"), "--tls-key", certificates.path("server.key")]
    if mutual:
        arguments += ["--tls-client-ca", certificates.path("ca.pem")]
    return start_shared_server(tmp_path_factory.mktemp("tls") / "data", *arguments), mutual


def ask(connection: http.client.HTTPConnection, method: str, path: str) -> int:
    try:
        connection.request(method, path, headers={"Content-Type": "application/x-protobuf"})
        return connection.getresponse().status
    finally:
        connection.close()


def export_one(exporter: GrpcExporter | HttpExporter) -> SpanExportResult:
    span = TracerProvider(resource=Resource({}), shutdown_on_exit=False).get_tracer("t").start_span("s")
    span.end()
    result = exporter.export([span])  # type: ignore[list-item]
    exporter.shutdown()
    return result


def test_real_exporters_come_through_tls(
    tls_server: tuple[Server, bool], certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the certificate that mutual TLS asks for, where it does."""
    # To requests, on which the exporter stands, these count more than what the exporter is told.
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)
    server, mutual = tls_server
    ca = Path(certificates.path("ca.pem")).read_bytes()
    key, chain = (Path(certificates.path(f"sender.{kind}")) for kind in ("key", "pem"))
    credentials = grpc.ssl_channel_credentials(
        ca, *((key.read_bytes(), chain.read_bytes()) if mutual else (None, None))
    )
    over_grpc = GrpcExporter(server.addresses["otlp_grpc"], credentials=credentials, timeout=PATIENCE_S)
    over_http = HttpExporter(
        f"https://{server.addresses['otlp_http']}/v1/traces",
        certificate_file=certificates.path("ca.pem"),
        client_key_file=str(key) if mutual else None,
        client_certificate_file=str(chain) if mutual else None,
        timeout=PATIENCE_S,
    )

    assert export_one(over_grpc) is SpanExportResult.SUCCESS
    assert export_one(over_http) is SpanExportResult.SUCCESS


def test_a_server_that_runs_says_that_it_is_healthy(
    tls_server: tuple[Server, bool], certificates: Certificates
) -> None:
    """That one whose disk is too full says that it is not is tested with the doctor, which is told so."""
    server, mutual = tls_server
    ca, key, chain = (Path(certificates.path(name)).read_bytes() for name in ("ca.pem", "sender.key", "sender.pem"))
    credentials = grpc.ssl_channel_credentials(ca, *((key, chain) if mutual else (None, None)))
    with grpc.secure_channel(server.addresses["otlp_grpc"], credentials) as channel:
        answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=PATIENCE_S)

    assert answer.status == SERVING


def test_nobody_comes_in_without_tls(tls_server: tuple[Server, bool]) -> None:
    """On any of the four ports."""
    server, _ = tls_server
    sender = OtlpSender(server.addresses["otlp_grpc"])
    with pytest.raises(grpc.RpcError):
        sender.send(a_request(a_span(1)))
    sender.close()
    for name in ("otlp_http", "clickhouse_http", "api"):
        with pytest.raises((http.client.HTTPException, OSError)):
            ask(http.client.HTTPConnection(server.addresses[name], timeout=PATIENCE_S), "GET", "/ping")


def test_readers_need_tls_but_no_certificate(tls_server: tuple[Server, bool], certificates: Certificates) -> None:
    """Browsers and Grafana have a key at most."""
    server, _ = tls_server
    trusted = ssl.create_default_context(cafile=certificates.path("ca.pem"))
    for name, path in (("clickhouse_http", "/ping"), ("api", "/health")):
        connection = http.client.HTTPSConnection(server.addresses[name], timeout=PATIENCE_S, context=trusted)
        assert ask(connection, "GET", path) == 200


def test_mutual_tls_turns_strangers_away(tls_server: tuple[Server, bool], certificates: Certificates) -> None:
    """A sender without a certificate, and one whose certificate somebody else signed."""
    server, mutual = tls_server
    stranger = trustme.CA().issue_cert("stranger.test")
    ca = Path(certificates.path("ca.pem")).read_bytes()
    pairs = [(None, None), (stranger.private_key_pem.bytes(), stranger.cert_chain_pems[0].bytes())]
    for key, chain in pairs[: 2 if mutual else 0]:
        context = ssl.create_default_context(cadata=ca.decode())
        if key and chain:
            with stranger.private_key_and_cert_chain_pem.tempfile() as pem:
                context.load_cert_chain(pem)
        connection = http.client.HTTPSConnection(server.addresses["otlp_http"], timeout=PATIENCE_S, context=context)
        with pytest.raises((http.client.HTTPException, OSError)):
            ask(connection, "POST", "/v1/traces")
        credentials = grpc.ssl_channel_credentials(ca, key, chain)
        with grpc.secure_channel(server.addresses["otlp_grpc"], credentials) as channel:
            export = channel.unary_unary(f"/{TRACES.grpc_service}/Export")
            with pytest.raises(grpc.RpcError) as refused:
                export(b"", timeout=5)
            assert refused.value.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--tls-cert", "server.pem"], "give both --tls-cert and --tls-key"),
        (["--tls-client-ca", "ca.pem"], "give both --tls-cert and --tls-key"),
        (["--tls-cert", "missing.pem", "--tls-key", "server.key"], "No such file"),
        (["--tls-cert", "server.pem", "--tls-key", "sender.key"], "KEY_VALUES_MISMATCH"),
        (["--tls-cert", "server.key", "--tls-key", "server.key"], "can not use --tls-cert"),
        (["--tls-cert", "server.pem", "--tls-key", "server.key", "--tls-client-ca", "server.key"], "--tls-client-ca"),
    ],
)
def test_files_that_do_not_fit_are_named(
    arguments: list[str], text: str, certificates: Certificates, tmp_path: Path
) -> None:
    """At start, and before anything listens."""
    paths = [certificates.path(name) if not name.startswith("--") else name for name in arguments]

    # It comes to nothing that would need a process of its own.
    command = ["up", "--data", str(tmp_path / "data"), *ANY_PORTS, *paths]
    done = CliRunner().invoke(agentvigil, command, prog_name="agentvigil")

    assert done.exit_code == 2
    assert text in done.stderr
    assert isinstance(done.exception, SystemExit), "told, and not raised"
    assert not (tmp_path / "data").exists()


def test_the_announcement_names_the_certificate(tls_server: tuple[Server, bool], certificates: Certificates) -> None:
    """So that the command line on the same machine can trust exactly this one."""
    server, _ = tls_server
    owner = json.loads((server.data / "agentvigil.lock").read_text())

    assert owner["certificate"] == certificates.path("server.pem")
