"""The commands: words to people on stderr, data on stdout, exit code 0 done, 1 found trouble, 2 could not run.

Each is loaded when it is asked for: with all of them comes the whole server, which takes more than a second.
"""

import gc
from importlib import import_module
from typing import Final

import click

from agentvigil.semconv import __version__

_MODULES: Final = {
    "agents": "agentvigil.cli.reading",
    "alerts": "agentvigil.cli.alerts",
    "analyze": "agentvigil.cli.analyzing",
    "api": "agentvigil.cli.roles",
    "baseline": "agentvigil.cli.baselines",
    "compare": "agentvigil.cli.comparing",
    "demo": "agentvigil.cli.serving",
    "doctor": "agentvigil.cli.doctor.command",
    "export": "agentvigil.cli.exporting",
    "findings": "agentvigil.cli.findings",
    "kafka": "agentvigil.cli.kafka",
    "keys": "agentvigil.cli.keys",
    "migrate": "agentvigil.cli.migrating",
    "prices": "agentvigil.cli.prices",
    "projects": "agentvigil.cli.projects",
    "receiver": "agentvigil.cli.roles",
    "run": "agentvigil.cli.reading",
    "runs": "agentvigil.cli.reading",
    "semconv": "agentvigil.cli.semconv",
    "sessions": "agentvigil.cli.reading",
    "spending": "agentvigil.cli.spending",
    "sql": "agentvigil.cli.sql",
    "up": "agentvigil.cli.serving",
}
"""Where each command is, under its own name."""


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's
        return sorted(_MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's
        if cmd_name not in _MODULES:
            return None
        command = getattr(import_module(_MODULES[cmd_name]), cmd_name)
        assert isinstance(command, click.Command)
        if not gc.isenabled():  # as `main` left it
            gc.freeze()
            gc.enable()
        return command


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Settings also come from AGENTVIGIL_* variables and a file named by --config.",
)
@click.version_option(__version__, prog_name="agentvigil")
def agentvigil() -> None:
    """See what AI agents did: OpenTelemetry traces in, SQL out, in one process.

    \b
    agentvigil demo                     # everything, with simulated agents
    agentvigil up                       # the server, for your own agents
    agentvigil runs --status failure    # which runs failed
    agentvigil run last-failed          # why, step by step
    agentvigil agents                   # how often each fails, how long it takes, what it costs
    agentvigil findings                 # what drifted or goes wrong, since when and why
    agentvigil compare support-agent 1.3 1.4   # is a version worse than another
    agentvigil spending                 # what this month costs and will cost
    agentvigil export runs -o runs.csv  # as CSV, JSON Lines or Parquet
    agentvigil sql "SELECT count() FROM otel_traces"
    agentvigil receiver                 # one part beside a ClickHouse server: receiver, api, analyze
    agentvigil doctor                   # is everything right, and what to do if not
    agentvigil keys create              # who may send and read
    agentvigil prices unpriced          # which models have no price
    agentvigil semconv check spans.json # do my spans follow the conventions
    """
