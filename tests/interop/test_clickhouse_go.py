"""The driver of Grafana's datasource against a server as people run it. Needs Go and its module proxy.

Not among the tests of `make test`, for it builds a program; run with ``pytest tests/interop/test_clickhouse_go.py``.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
KEY = "vgl_interop-key-of-no-value-0000"
GO = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
CHECKS = (
    "types",
    "blocks",
    "parameters",
    "empty",
    "schema",
    "error",
    "refusal",
    "error midway",
    "after errors",
    "cancel",
    "after cancel",
)

pytestmark = pytest.mark.skipif(GO is None, reason="there is no Go")


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program of ``clickhouse_go``, built."""
    built = tmp_path_factory.mktemp("go") / "clickhouse_go"
    subprocess.run([str(GO), "build", "-o", str(built), "."], cwd=HERE / "clickhouse_go", check=True, timeout=600)
    return built


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a server of its own process listens for ClickHouse clients."""
    script = HERE / "clickhouse_go" / "serve.py"
    with subprocess.Popen(
        [sys.executable, str(script), str(tmp_path_factory.mktemp("data"))],
        env={**os.environ, "AGENTVIGIL_INTEROP_KEY": KEY},
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


@pytest.mark.timeout(900)
@pytest.mark.parametrize("compression", ["none", "gzip", "deflate", "br", "lz4", "zstd"])
def test_clickhouse_go_reads_everything(compression: str, program: Path, address: str) -> None:
    run = subprocess.run([program, address, KEY, compression], capture_output=True, text=True, timeout=300, check=False)

    lines = run.stdout.splitlines()
    assert lines[1:] == [f"{check} ok" for check in CHECKS], run.stdout + run.stderr
    assert lines[0].startswith("ping, server ")


def test_clickhouse_go_needs_the_key(program: Path, address: str) -> None:
    run = subprocess.run([program, address, "wrong", "none"], capture_output=True, text=True, timeout=300, check=False)

    assert run.returncode == 1
    assert "Authentication failed" in run.stdout
