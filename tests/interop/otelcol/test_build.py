"""The Collector that the tests run is the one we describe, and takes the configuration we ship, whatever is set."""

import os
import re
import subprocess
from pathlib import Path
from typing import Final

import pytest
import yaml

CONFIG: Final = Path(__file__).parents[3] / "otel-collector.yaml"
BUILDER: Final = Path(__file__).with_name("builder.yaml")

VARIABLES: Final[dict[str, dict[str, str]]] = {
    "none": {},
    "key": {"AGENTVIGIL_INGEST_KEY": "vgl_a-key"},
    "over HTTP": {"AGENTVIGIL_COLLECTOR_EXPORTER": "otlp_http/agentvigil"},
    "TLS": {"AGENTVIGIL_ENDPOINT": "https://agentvigil.example:4317", "AGENTVIGIL_CA_FILE": "/etc/ssl/ca.pem"},
    "sizes": {
        "AGENTVIGIL_COLLECTOR_QUEUE_BYTES": "1000000",
        "AGENTVIGIL_COLLECTOR_BATCH_BYTES": "0",
        "AGENTVIGIL_COLLECTOR_MEMORY_MIB": "4000",
        "AGENTVIGIL_COLLECTOR_SPIKE_MIB": "800",
    },
}


def otelcol(*arguments: str | Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    named = os.environ.get("AGENTVIGIL_OTELCOL")
    if not named:
        pytest.skip("no OpenTelemetry Collector: `make interop` builds one, or name yours in AGENTVIGIL_OTELCOL")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AGENTVIGIL_")}
    return subprocess.run(
        [named, *arguments], env={**kept, **variables}, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("name", VARIABLES)
def test_the_collector_takes_the_configuration(name: str) -> None:
    """It checks names and types of every setting, which YAML alone does not."""
    result = otelcol("validate", "--config", CONFIG, **VARIABLES[name])

    assert (result.returncode, result.stdout) == (0, ""), result.stderr
    assert "deprecated" not in result.stderr


def test_the_collector_is_what_the_builder_file_describes() -> None:
    """Else the tests pass with components that nobody who follows it has."""
    result = otelcol("components")
    assert result.returncode == 0, result.stderr
    found = set(re.findall(r"module: (\S+ v\S+)", result.stdout))

    described = yaml.safe_load(BUILDER.read_text())
    modules = {
        component["gomod"] for kind, components in described.items() if kind != "dist" for component in components
    }
    assert modules <= found
