"""``agentvigil receiver`` and ``agentvigil api``: parts of the server beside a ClickHouse server, any number."""

from typing import Any, Final

import click

from agentvigil.cli.logs import configure_logging
from agentvigil.cli.options import load_settings, settings_options
from agentvigil.cli.running import Part
from agentvigil.cli.serving import READY_AS_JSON, run, serve
from agentvigil.cli.settings import Settings, names_clickhouse_server

_EVERY_PART: Final = ("clickhouse", "database", "log_level", "log_format", "own_traces_endpoint")
_API: Final = ("api", "api_requests_per_minute", "tls_cert", "tls_key")

RECEIVER_OPTIONS: Final = (
    *_EVERY_PART,
    "otlp_grpc",
    "otlp_http",
    *_API,
    "tls_client_ca",
    "max_connection_age_s",
    "grpc_reflection",
    "keep_days",
    "max_request_bytes",
    "max_queued_bytes",
    "max_span_attributes",
    "max_span_events",
    "max_span_links",
    "content_policy",
    "data",
    "min_free_disk_bytes",
    "spool_max_bytes",
)
API_OPTIONS: Final = (*_EVERY_PART, *_API, "cors_origins", "content_policy", "keep_days", "alerts")


@click.command()
@settings_options(RECEIVER_OPTIONS)
@READY_AS_JSON
def receiver(as_json: bool, **flags: Any) -> None:
    """Take OTLP in and store it on a ClickHouse server; --api answers /health and /metrics alone.

    Any number may run beside each other, behind any load balancer. The schema has to be there: `agentvigil migrate`.
    The URL with its password is best given as AGENTVIGIL_CLICKHOUSE, since others on the machine can read flags.

    \b
    agentvigil receiver --clickhouse http://agentvigil_ingest:secret@clickhouse:8123/agentvigil
    agentvigil receiver --otlp-grpc 0.0.0.0:4317 --otlp-http 0.0.0.0:4318 --api 0.0.0.0:8787
    """
    _run_part(Part.RECEIVER, "receiver", flags, as_json=as_json)


@click.command()
@settings_options(API_OPTIONS)
@READY_AS_JSON
def api(as_json: bool, **flags: Any) -> None:
    """Answer the API over what a ClickHouse server has, and /health and /metrics.

    Any number may run beside each other, behind any load balancer. The schema has to be there: `agentvigil migrate`.
    The URL with its password is best given as AGENTVIGIL_CLICKHOUSE, since others on the machine can read flags.

    \b
    agentvigil api --clickhouse http://agentvigil_admin:secret@clickhouse:8123/agentvigil
    agentvigil api --api 0.0.0.0:8787 --cors-origins https://vigil.example.org
    """
    _run_part(Part.API, "api", flags, as_json=as_json)


def _run_part(part: Part, command: str, flags: dict[str, Any], *, as_json: bool) -> None:
    settings = load_settings(flags)
    check_beside_server(settings, command)
    configure_logging(settings)
    run(serve(settings, f"agentvigil {command}", frozenset({part}), as_json=as_json))


def check_beside_server(settings: Settings, command: str) -> None:
    """Return if ``settings`` name a ClickHouse server.

    Raises:
        click.UsageError: if not.
    """
    if not names_clickhouse_server(settings):
        raise click.UsageError(
            f"`agentvigil {command}` is one part of a server, beside a ClickHouse server: name that with --clickhouse "
            "or AGENTVIGIL_CLICKHOUSE, as http://user:password@host:8123/database. Without one `agentvigil up` is all "
            "there is to start"
        )
