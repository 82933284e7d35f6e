"""What commands that ask the API have in common: who is asked, and JSON for programs."""

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from agentvigil.cli.api_access import Prepare, api_of
from agentvigil.cli.exit_codes import told
from agentvigil.cli.options import load_settings, settings_options

_STORE: Final = ("data", "clickhouse", "database")

JSON_OPTION: Final = click.option("--json", "as_json", is_flag=True, help="Print what the API says, as JSON.")


def asks_the_api(prepare: Prepare | None = None) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator that gives a click command options that say who is asked, and that as its first argument.

    ``prepare`` is that of :func:`~agentvigil.cli.api_access.api_of`.
    """

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @settings_options(_STORE)
        @click.option(
            "--url",
            envvar="AGENTVIGIL_URL",
            show_envvar=True,
            help="Ask the server whose API is there, http://host:8787, with the key in AGENTVIGIL_KEY.",
        )
        @click.option(
            "--ca",
            type=click.Path(path_type=Path, dir_okay=False),
            help="Certificates in PEM that sign the one of --url; else those of the system.",
        )
        @functools.wraps(command)
        def asking(*arguments: Any, url: str | None, ca: Path | None, config: Path | None, **options: Any) -> Any:
            settings = load_settings({"config": config, **{name: options.pop(name) for name in _STORE}})
            with told(), api_of(settings, url, ca, prepare) as api:
                return command(api, *arguments, **options)

        return asking

    return decorate


def print_json(document: object) -> None:
    """Print ``document`` for programs; ASCII only, so that nothing in it can drive a terminal."""
    click.echo(json.dumps(document, indent=2))
