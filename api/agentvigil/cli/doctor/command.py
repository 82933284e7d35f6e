"""``agentvigil doctor``."""

import os
import sys
from pathlib import Path
from typing import Any, Final

import click

from agentvigil.cli.calling import Trust
from agentvigil.cli.doctor import report
from agentvigil.cli.doctor.examination import examine
from agentvigil.cli.logs import configure_logging
from agentvigil.cli.options import DOCTOR_OPTIONS, load_settings, settings_options

_FILE: Final = click.Path(path_type=Path, dir_okay=False)


@click.command()
@settings_options(DOCTOR_OPTIONS)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--no-test-telemetry", is_flag=True, help="Send nothing: leave out the test span, log record and metric.")
@click.option("--ca", type=_FILE, help="Certificates in PEM that sign the server's; else those of the system.")
@click.option("--client-cert", type=_FILE, help="Certificate in PEM to show to a server that asks for one.")
@click.option("--client-key", type=_FILE, help="Private key of --client-cert, in PEM.")
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(min=0.1, max=3600),
    default=10,
    show_default=True,
    help="Seconds for each step on the network.",
)
def doctor(
    as_json: bool,
    no_test_telemetry: bool,
    ca: Path | None,
    client_cert: Path | None,
    client_key: Path | None,
    timeout_s: float,
    **flags: Any,
) -> None:
    """Check everything that must be right for telemetry to be stored, and say what to do about what is not.

    Looks at the server that has the data directory, or at the addresses given; sends it a span, a log record and a
    metric, and looks for them in the store. Exits with 1 if it found trouble.

    \b
    agentvigil doctor
    agentvigil doctor --data ./telemetry --no-test-telemetry
    agentvigil doctor --clickhouse http://default:secret@clickhouse:8123
    AGENTVIGIL_INGEST_KEY=vgl_... agentvigil doctor --otlp-grpc vigil.example.org:4317 --ca ca.pem --json
    """
    if (client_cert is None) != (client_key is None):
        raise click.UsageError("give both --client-cert and --client-key")
    settings = load_settings(flags)
    configure_logging(settings)
    trust = Trust(ca=ca, client_certificate=client_cert, client_key=client_key)
    findings = examine(settings, trust, timeout_s=timeout_s, test_telemetry=not no_test_telemetry)
    colours = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    click.echo(report.as_json(findings) if as_json else report.as_text(findings, colours=colours))
    if report.has_trouble(findings):
        sys.exit(1)
