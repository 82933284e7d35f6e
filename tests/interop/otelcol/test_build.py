"""The Collector that the tests run is the one we describe, and takes the configurations we ship, whatever is set."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest
import yaml

ROOT: Final = Path(__file__).parents[3]
BUILDER: Final = Path(__file__).with_name("builder.yaml")
KEYS: Final = ROOT / "tests" / "data" / "otelcol_keys.json"

VARIABLES: Final[dict[str, tuple[str, dict[str, str]]]] = {
    "none": ("otel-collector", {}),
    "key": ("otel-collector", {"AGENTVIGIL_INGEST_KEY": "vgl_a-key"}),
    "over HTTP": ("otel-collector", {"AGENTVIGIL_COLLECTOR_EXPORTER": "otlp_http/agentvigil"}),
    "TLS": (
        "otel-collector",
        {"AGENTVIGIL_ENDPOINT": "https://agentvigil.example:4317", "AGENTVIGIL_CA_FILE": "/etc/ssl/ca.pem"},
    ),
    "in Kubernetes": (
        "otel-collector",
        {"AGENTVIGIL_COLLECTOR_PROCESSORS": "[memory_limiter, k8s_attributes, resource_detection]"},
    ),
    "in a cloud": ("otel-collector", {"AGENTVIGIL_COLLECTOR_DETECTORS": "[env, system, ec2]"}),
    "apart": ("otel-collector", {"AGENTVIGIL_COLLECTOR_PROCESSORS": "[memory_limiter]"}),
    "quiet": ("otel-collector", {"AGENTVIGIL_COLLECTOR_METRICS_LEVEL": "none"}),
    "sizes": (
        "otel-collector",
        {
            "AGENTVIGIL_COLLECTOR_QUEUE_BYTES": "1000000",
            "AGENTVIGIL_COLLECTOR_BATCH_BYTES": "0",
            "AGENTVIGIL_COLLECTOR_MEMORY_MIB": "4000",
            "AGENTVIGIL_COLLECTOR_SPIKE_MIB": "800",
        },
    ),
    "ClickHouse": ("otel-collector-clickhouse", {}),
    "ClickHouse with TLS": (
        "otel-collector-clickhouse",
        {"AGENTVIGIL_CLICKHOUSE": "https://user:secret@clickhouse.example:8443", "AGENTVIGIL_DATABASE": "telemetry"},
    ),
    "Kafka": ("otel-collector-kafka", {}),
    "Kafka with TLS": (
        "otel-collector-kafka",
        {
            "AGENTVIGIL_KAFKA_BROKERS": "[one.example:9093, two.example:9093]",
            "AGENTVIGIL_KAFKA_TLS": "{}",
            "AGENTVIGIL_KAFKA_AUTH": "{sasl: {mechanism: SCRAM-SHA-512, username: me, password: secret}}",
        },
    ),
}
"""By name, a configuration and what is set."""


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
    """It checks names and types of every setting, and every statement, which YAML alone does not."""
    file, variables = VARIABLES[name]
    result = otelcol("validate", "--config", ROOT / f"{file}.yaml", **variables)

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


def test_the_known_keys_are_those_of_the_components(tmp_path: Path) -> None:
    """Where no Collector is, tests hold our configurations against ``tests/data/otelcol_keys.json``.

    To write it anew: ``AGENTVIGIL_OTELCOL_KEYS=write make interop ARGS='-k known_keys'``.
    """
    sources = ROOT / "build" / "otelcol"
    go = shutil.which("go")
    if go is None or not (sources / "components.go").exists():
        pytest.skip("not built here")
    shutil.copy(Path(__file__).with_name("keys_test.go"), sources)
    printed = KEYS if os.environ.get("AGENTVIGIL_OTELCOL_KEYS") == "write" else tmp_path / "keys.json"
    subprocess.run(
        [go, "test", "-trimpath", "-vet=off", "-run", "^TestKeys$", "."],
        cwd=sources,
        env={**os.environ, "OTELCOL_KEYS": str(printed)},
        timeout=1800,
        check=True,
    )
    assert printed.read_text() == KEYS.read_text()


def test_the_exporter_names_the_columns_that_tests_insert_by() -> None:
    """Where no Collector is, rows are inserted by ``tests/data/clickhouseexporter_columns.json``."""
    sources, go = ROOT / "build" / "otelcol", shutil.which("go")
    if go is None or not (sources / "go.mod").exists():
        pytest.skip("not built here")
    module = "github.com/open-telemetry/opentelemetry-collector-contrib/exporter/clickhouseexporter"
    listed = subprocess.run(
        [go, "list", "-m", "-f", "{{.Dir}}", module], cwd=sources, capture_output=True, text=True, check=True
    )
    templates = Path(listed.stdout.strip()) / "internal" / "sqltemplates"
    found = {}
    for path in templates.glob("*_insert.sql"):
        if "json" in path.name or "profiles" in path.name:
            continue  # for other columns than ours, and what we have no table for
        # What the exporter adds when the table has it, as ours does.
        text = path.read_text().replace("{{.FeatureColumnNames}}", ", EventName")
        (names,) = re.findall(r"\(([^()?]*?)\)\s*VALUES", text)
        kind = path.name.removesuffix("_insert.sql").replace("_exp_", "_exponential_")
        found[f"otel_{kind}"] = re.findall(r"[\w.]+", names)
    assert found == json.loads(KEYS.with_name("clickhouseexporter_columns.json").read_text())
