"""``agentvigil doctor`` against real servers: well ones, sick ones, and none at all."""

import http.server
import json
import os
import signal
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
import trustme
from click.testing import CliRunner
from clickhouse_stand_in import ClickHouseStandIn
from server_process import ANY_PORTS, Server, run_cli

from agentvigil.cli.commands import agentvigil
from agentvigil.cli.doctor.telemetry import RUN, Canary
from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.named_queries import load_queries

pytestmark = pytest.mark.long

StartServer = Callable[..., Server]

KEY: Final = "vgl_a-key-for-the-doctor"
PASSWORD: Final = "hunter2-of-clickhouse"
TABLES: Final = ("otel_traces", "otel_logs", "otel_metrics_gauge")
SENT: Final = ("span", "log record", "metric")


@dataclass(frozen=True)
class Report:
    """What one run of the doctor said; ``findings`` by the name of the check."""

    exit_code: int
    findings: dict[str, dict[str, Any]]
    text: str

    def status(self, check: str) -> str:
        return str(self.findings[check]["status"])

    @property
    def troubles(self) -> set[str]:
        return {check for check, finding in self.findings.items() if finding["status"] == "trouble"}


def doctor(*arguments: str, key: str | None = None, data: Path | None = None) -> Report:
    """Run the doctor with --json in this process, which saves the start of another."""
    variables: dict[str, str | None] = {name: None for name in os.environ if name.startswith("AGENTVIGIL_")}
    if key is not None:
        variables["AGENTVIGIL_INGEST_KEY"] = key
    if data is not None:
        variables["AGENTVIGIL_DATA"] = str(data)
    result = CliRunner().invoke(agentvigil, ["doctor", "--json", *arguments], env=variables, prog_name="agentvigil")
    assert result.exit_code in (0, 1), result.output
    document = json.loads(result.stdout)
    findings = {finding["check"]: finding for finding in document["findings"]}
    assert len(findings) == len(document["findings"]), "a check has one line"
    assert document["status"] == ("trouble" if result.exit_code else "ok")
    return Report(result.exit_code, findings, result.stdout)


def addresses_of(server: Server) -> list[str]:
    return [part for name, address in server.addresses.items() for part in (f"--{name.replace('_', '-')}", address)]


def port_options(address: str) -> list[str]:
    """The four ports at ``address``, which may have port 0."""
    return [address if part == "127.0.0.1:0" else part for part in ANY_PORTS]


@pytest.fixture(scope="module")
def well(tmp_path_factory: pytest.TempPathFactory, start_shared_server: StartServer) -> Server:
    """A server without key and TLS."""
    return start_shared_server(tmp_path_factory.mktemp("well") / "data")


@dataclass
class Certificates:
    """A server's certificate, a sender's, and who signed both."""

    folder: Path

    def __post_init__(self) -> None:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(self.path("ca.pem"))
        for name, host in (("server", "vigil.test"), ("sender", "sender.test")):
            issued = authority.issue_cert(host)
            issued.private_key_pem.write_to_path(self.path(f"{name}.key"))
            Path(self.path(f"{name}.pem")).write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))

    def path(self, name: str) -> str:
        return str(self.folder / name)

    @property
    def of_sender(self) -> list[str]:
        return ["--client-cert", self.path("sender.pem"), "--client-key", self.path("sender.key")]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def guarded(
    certificates: Certificates, tmp_path_factory: pytest.TempPathFactory, start_shared_server: StartServer
) -> Server:
    """A server with a key, TLS under a name that is not its address, and senders that must show a certificate."""
    return start_shared_server(
        tmp_path_factory.mktemp("guarded") / "data",
        *("--tls-cert", certificates.path("server.pem"), "--tls-key", certificates.path("server.key")),
        *("--tls-client-ca", certificates.path("ca.pem"), "--api", "0.0.0.0:0"),
        variables={"AGENTVIGIL_INGEST_KEY": KEY},
    )


# --- a running server


def test_a_well_server_has_no_trouble_and_withholds_content(well: Server) -> None:
    """What was sent is found again by SQL, each signal by both protocols, and the canary is nowhere."""
    report = doctor("--data", str(well.data))

    assert report.troubles == set(), report.text
    assert report.exit_code == 0
    for protocol in ("gRPC", "HTTP"):
        for sent in SENT:
            assert "found by SQL after" in report.findings[f"{sent} over {protocol}"]["found"]
        assert "sent with 3 items and stored with none" in report.findings[f"content over {protocol}"]["found"]
    assert f"pid {well.pid}" in report.findings["instance"]["found"]
    for check in ("port otlp-grpc", "port otlp-http", "port clickhouse-http", "port api", "schema", "clock", "disk"):
        assert report.status(check) == "ok"
    query = " UNION ALL ".join(
        f"SELECT '{table}' AS name, count(), countIf(position(toString(tuple(*)), 'canary-') > 0) "
        f"FROM {table} WHERE ServiceName = 'agentvigil-doctor'"
        for table in TABLES
    )
    stored = run_cli("sql", "--data", str(well.data), f"{query} FORMAT TSV").stdout
    assert sorted(stored.splitlines()) == [f"{table}\t2\t0" for table in sorted(TABLES)]


def test_a_person_reads_aligned_lines_and_a_sum(well: Server) -> None:
    """The text that a terminal and a pipe get; nothing is sent if that is asked for."""
    result = run_cli("doctor", "--data", str(well.data), "--no-test-telemetry")

    assert result.returncode == 0, result.stdout
    *lines, last = result.stdout.splitlines()
    assert all(line.startswith(("ok       ", "note     ", "trouble  ", "          ")) for line in lines)
    assert last.endswith("0 troubles: nothing to mend")
    assert "over gRPC" not in result.stdout
    assert "\x1b" not in result.stdout
    assert result.stderr == ""


def test_an_instance_is_found_by_its_addresses_alone(well: Server, tmp_path: Path) -> None:
    """It may be on another machine, whose data directory we can not see."""
    report = doctor("--data", str(tmp_path / "none"), *addresses_of(well))

    assert report.troubles == set(), report.text
    assert "the addresses given" in report.findings["instance"]["found"]
    assert report.status("span over gRPC") == "ok"
    assert not {"data directory", "disk"} & report.findings.keys(), "those of this machine are not its own"
    assert not (tmp_path / "none").exists()


def test_swapped_ports_are_told_with_the_flag_to_use(well: Server, tmp_path: Path) -> None:
    """4317 and 4318 are easily mixed up, and SDKs only say that the export failed."""
    report = doctor(
        *("--data", str(tmp_path / "none"), "--api", well.addresses["api"]),
        *("--otlp-grpc", well.addresses["otlp_http"], "--otlp-http", well.addresses["otlp_grpc"]),
        *("--clickhouse-http", well.addresses["clickhouse_http"]),
    )

    assert report.exit_code == 1
    assert report.troubles == {"port otlp-grpc", "port otlp-http"}
    assert "it speaks HTTP, not gRPC" in report.findings["port otlp-grpc"]["found"]
    assert "it speaks HTTP/2, not HTTP" in report.findings["port otlp-http"]["found"]
    assert report.findings["test telemetry over gRPC"]["found"] == "not tried: see port otlp-grpc"
    assert report.status("schema") == "ok", "the other checks are made all the same"


def test_a_server_that_hangs_is_told_in_bounded_time(well: Server) -> None:
    """Its ports take connections still: only who asks finds out."""
    os.kill(well.pid, signal.SIGSTOP)
    try:
        report = doctor("--data", str(well.data), "--timeout", "0.2")
    finally:
        os.kill(well.pid, signal.SIGCONT)

    assert report.troubles == {"port otlp-grpc", "port otlp-http", "port clickhouse-http", "port api"}
    assert "says nothing for 0.2 s" in report.findings["port otlp-grpc"]["found"]
    assert f"pid {well.pid} hangs" in report.findings["port otlp-grpc"]["advice"]


def test_ports_that_another_agentvigil_has_are_told(
    well: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever forgot one in another terminal, or a demo, wants to know that it is ours."""
    # As if the addresses were the defaults, so that no instance is meant by them.
    monkeypatch.setattr("agentvigil.cli.doctor.examination.find_instance", lambda *_: None)
    report = doctor("--data", str(tmp_path / "data"), *addresses_of(well))

    assert report.troubles == {"port otlp-grpc", "port otlp-http", "port clickhouse-http", "port api"}
    for port in report.troubles:
        assert "an agentvigil 0." in report.findings[port]["found"]
        assert f"agentvigil doctor --api {well.addresses['api']}" in report.findings[port]["advice"]


@pytest.mark.parametrize(
    ("query", "table", "columns"),
    [
        ("find_spans", "otel_traces", "Timestamp, TraceId, SpanAttributes"),
        ("find_logs", "otel_logs", "Timestamp, TraceId, LogAttributes"),
        ("find_metrics", "otel_metrics_gauge", "TimeUnix, MetricName, Attributes"),
    ],
)
def test_content_would_be_found_if_it_were_stored(store: EmbeddedStore, query: str, table: str, columns: str) -> None:
    """Here it is put into the table by hand: under its key, under another, and as a name."""
    canary = Canary.new()
    run = canary.trace_id.hex()
    for key, value, scope in (
        ("gen_ai.input.messages", "[]", ""),
        ("other", f"x {canary.content} y", ""),
        ("fine", "fine", canary.content),
        ("fine", "fine", ""),
    ):
        store.command(
            f"INSERT INTO {table} (ServiceName, ScopeName, {columns}) "
            f"SELECT 'agentvigil-doctor', '{scope}', now64(9), '{run}', map('{RUN}', '{run}', '{key}', '{value}')"
        )

    rows = store.rows(load_queries("agentvigil.cli.doctor", "queries.sql")[query], canary.parameters())
    assert rows == [(4, 3)]


# --- key and TLS


def test_a_guarded_server_is_looked_at_by_its_announced_certificate(
    guarded: Server, certificates: Certificates
) -> None:
    """The certificate is for another name and signed by nobody we know: it is pinned, for gRPC as well."""
    report = doctor("--data", str(guarded.data), "--timeout", "60", *certificates.of_sender, key=KEY)

    assert report.troubles == set(), report.text
    assert "over TLS" in report.findings["port otlp-grpc"]["found"]
    assert report.findings["certificate"]["found"].startswith("for vigil.test, until ")
    for sent in SENT:
        assert report.status(f"{sent} over gRPC") == report.status(f"{sent} over HTTP") == "ok"
    assert KEY not in report.text


def test_sql_asks_a_server_with_tls(guarded: Server) -> None:
    """`agentvigil sql` is told by the announcement that it has to."""
    command = ("sql", "--data", str(guarded.data), "SELECT 42 AS answer")
    assert run_cli(*command, variables={"AGENTVIGIL_INGEST_KEY": KEY}).stdout == "answer\n42\n"


def test_a_wrong_key_is_told_apart_from_a_network_that_is(guarded: Server, certificates: Certificates) -> None:
    """A sender only hears UNAUTHENTICATED."""
    report = doctor("--data", str(guarded.data), *certificates.of_sender, key="vgl_not-this-one")

    ports = {"port otlp-grpc", "port otlp-http", "port clickhouse-http", "port api"}
    assert report.exit_code == 1
    assert report.troubles == ports
    for port in ports:
        assert "does not take the key" in report.findings[port]["found"]
        assert "AGENTVIGIL_INGEST_KEY" in report.findings[port]["advice"]
    assert report.findings["test telemetry over HTTP"]["found"].startswith("not tried")
    assert "vgl_" not in report.text


def test_on_the_data_itself_no_key_is_needed_and_none_is_told(guarded: Server, certificates: Certificates) -> None:
    """Whoever may read the data directory finds the token of this start there; it stays there."""
    report = doctor("--data", str(guarded.data), *certificates.of_sender)

    assert report.troubles == set()
    token = json.loads((guarded.data / "agentvigil.lock").read_text())["token"]
    assert len(token) > 40
    assert token not in report.text
    assert token not in guarded.output()
    assert stat.S_IMODE((guarded.data / "agentvigil.lock").stat().st_mode) == 0o600


def test_a_server_that_wants_a_certificate_of_senders_says_so(guarded: Server) -> None:
    """gRPC calls this UNAVAILABLE, too."""
    report = doctor("--data", str(guarded.data), key=KEY)

    assert report.troubles == {"port otlp-grpc", "port otlp-http"}
    for port in report.troubles:
        assert "wants senders to show a certificate" in report.findings[port]["found"]
        assert "--client-cert" in report.findings[port]["advice"]
    assert report.status("port api") == "ok", "who reads needs none"


def test_a_certificate_nobody_vouches_for_is_not_trusted(
    guarded: Server, certificates: Certificates, tmp_path: Path
) -> None:
    """Over a network the certificate has to be signed by somebody known, and be for the name that was called."""
    arguments = ("--data", str(tmp_path / "none"), *addresses_of(guarded), *certificates.of_sender)

    unknown = doctor(*arguments, key=KEY)
    assert {"port otlp-grpc", "port otlp-http", "port clickhouse-http", "port api"} == unknown.troubles
    assert "is not trusted" in unknown.findings["port otlp-grpc"]["found"]
    assert "--ca FILE" in unknown.findings["port otlp-grpc"]["advice"]

    misnamed = doctor(*arguments, "--ca", certificates.path("ca.pem"), key=KEY)
    assert "mismatch" in misnamed.findings["port api"]["found"]


def test_tls_that_was_expected_and_is_not_there_is_told(
    well: Server, certificates: Certificates, tmp_path: Path
) -> None:
    """An endpoint with https:// on a server without TLS is a common first mistake."""
    report = doctor("--data", str(tmp_path), *addresses_of(well), "--ca", certificates.path("ca.pem"))

    for port in ("port otlp-grpc", "port api"):
        assert "speaks no TLS" in report.findings[port]["found"]


# --- disk


def test_a_full_disk_is_told_with_what_senders_hear_and_a_stopped_store_is_opened(
    tmp_path: Path, start_server: StartServer
) -> None:
    """The same data with a server that takes nothing, and without one."""
    data = tmp_path / "data"
    server = start_server(data, "--min-free-disk-bytes", str(10**16))
    full = doctor("--data", str(data))
    assert full.exit_code == 1
    assert "--min-free-disk-bytes" in full.findings["health: disk"]["advice"]
    assert "NOT_SERVING" in full.findings["port otlp-grpc"]["found"]
    assert "RESOURCE_EXHAUSTED" in full.findings["span over gRPC"]["found"]
    assert "HTTP 429" in full.findings["log record over HTTP"]["found"]
    assert "free some disk" in full.findings["metric over gRPC"]["advice"]
    assert full.status("schema") == "ok"

    assert server.stop() == 0
    stopped = doctor("--data", str(data), *port_options("127.0.0.1:0"))
    assert stopped.troubles == set(), stopped.text
    assert "agentvigil up" in stopped.findings["instance"]["advice"]
    assert "opens" in stopped.findings["store"]["found"]
    assert stopped.status("schema") == "ok"


# --- nothing runs


def test_nothing_is_made_where_nothing_runs(tmp_path: Path) -> None:
    """A look must not leave a directory behind."""
    report = doctor("--data", str(tmp_path / "data"), *port_options("127.0.0.1:0"))

    assert report.exit_code == 0, report.text
    assert report.findings["instance"]["advice"].startswith("start one with `agentvigil up")
    assert report.status("port otlp-grpc") == "ok"
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_way_of_the_data_directory_is_trouble(tmp_path: Path) -> None:
    """`agentvigil up` would end with it."""
    (tmp_path / "file").touch()
    for data in (tmp_path / "file", tmp_path / "file" / "data"):
        report = doctor(*port_options("127.0.0.1:0"), data=data)
        assert report.troubles == {"data directory"}
        assert str(tmp_path / "file") in report.findings["data directory"]["found"]
        assert "--data" in report.findings["data directory"]["advice"]


def test_addresses_where_nobody_answers_are_trouble(tmp_path: Path) -> None:
    """They were given, so somebody should be there."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    report = doctor("--data", str(tmp_path / "data"), *port_options(address))

    assert "connection refused" in report.findings["port otlp-grpc"]["found"]
    assert report.findings["schema"]["found"].startswith("not tried")


class Stranger(http.server.BaseHTTPRequestHandler):
    """Some web server."""

    def do_GET(self) -> None:
        self.send_response(404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def stranger() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stranger)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_port_that_another_program_has_is_told(
    stranger: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether a server should start there, or should run there already."""
    there = doctor("--data", str(tmp_path / "data"), *port_options(stranger))
    assert there.exit_code == 1
    assert "not gRPC" in there.findings["port otlp-grpc"]["found"]
    for port in ("otlp-http", "clickhouse-http", "api"):
        assert f"--{port}" in there.findings[f"port {port}"]["advice"]

    # As if the addresses were the defaults, so that no instance is meant by them.
    monkeypatch.setattr("agentvigil.cli.doctor.examination.find_instance", lambda *_: None)
    free = doctor("--data", str(tmp_path / "data"), *port_options("127.0.0.1:0"), "--api", stranger)
    assert free.troubles == {"port api"}
    assert "taken by another program, which speaks HTTP" in free.findings["port api"]["found"]
    assert "--api" in free.findings["port api"]["advice"]


# --- a ClickHouse server


@pytest.fixture(scope="module")
def clickhouse(engine: EmbeddedStore, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseStandIn]:
    stand_in = ClickHouseStandIn(engine.open_handle, tmp_path_factory.mktemp("stand_in") / "sent.proto")
    stand_in.start()
    yield stand_in
    stand_in.stop()


def test_a_server_on_clickhouse_is_looked_at_through_clickhouse(
    clickhouse: ClickHouseStandIn, servers_store: EmbeddedStore, tmp_path: Path, start_server: StartServer
) -> None:
    """Telemetry goes through our server and is found in theirs; then the database is tampered with."""
    database = servers_store.database
    url = f"http://default:{PASSWORD}@127.0.0.1:{clickhouse.port}"
    store = ("--clickhouse", url, "--database", database, "--data", str(tmp_path / "data"))
    alone = doctor(*store, "--database", "nowhere", *port_options("127.0.0.1:1")[:2], "--no-test-telemetry")
    assert alone.findings["store"]["found"].startswith("ClickHouse 26.")
    assert "there is no database nowhere" in alone.findings["schema"]["found"]

    server = start_server(tmp_path / "data", "--clickhouse", url, "--database", database)
    given = addresses_of(server)
    report = doctor(*store, *given)
    assert report.troubles == set(), report.text
    for check in ("store", "schema", "clock", "span over gRPC", "metric over HTTP", "content over gRPC"):
        assert report.status(check) == "ok"
    assert "GiB free" in report.findings["disk of the store"]["found"]
    assert PASSWORD not in report.text

    servers_store.command("INSERT INTO agentvigil_migrations (Version, Name) VALUES (999, 'from_the_future')")
    newer = doctor(*store, *given, "--no-test-telemetry")
    assert newer.troubles == {"schema"}
    assert "version 999" in newer.findings["schema"]["found"]
    server.kill()
    servers_store.command("DELETE FROM agentvigil_migrations WHERE Version = 999")


def test_no_clickhouse_is_told_without_the_password(tmp_path: Path) -> None:
    """The report ends up in a chat."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    url = f"http://default:{PASSWORD}@127.0.0.1:{port}"
    report = doctor("--clickhouse", url, "--data", str(tmp_path), *port_options("127.0.0.1:0"))

    assert "store" in report.troubles
    assert "connection refused" in report.findings["store"]["found"]
    assert report.findings["schema"]["found"] == "not tried: see store"
    assert PASSWORD not in report.text


# --- use


def test_wrong_use_is_told_apart_from_trouble() -> None:
    """2 is for what could not run."""
    result = CliRunner().invoke(agentvigil, ["doctor", "--client-cert", "cert.pem"], prog_name="agentvigil")
    assert result.exit_code == 2
    assert "--client-key" in result.output
    result = CliRunner().invoke(agentvigil, ["doctor", "--api", "nowhere"], prog_name="agentvigil")
    assert result.exit_code == 2
