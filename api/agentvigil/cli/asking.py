"""What commands that ask the API have in common: who is asked, and how it is told when that goes wrong."""

import contextlib
import functools
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import click

from agentvigil.cli.api_access import ApiAccessError, BrokenOff, Refused, api_of
from agentvigil.cli.calling import TrustUnusable
from agentvigil.cli.exit_codes import CannotRun
from agentvigil.cli.options import load_settings, settings_options
from agentvigil.cli.printable import printable
from agentvigil.storage.errors import QueryFailed, StorageError

_STORE: Final = ("data", "clickhouse", "database")
_TROUBLE: Final = (404, 409)
"""What the API says where it understood, and there is no such thing."""

JSON_OPTION: Final = click.option("--json", "as_json", is_flag=True, help="Print what the API says, as JSON.")


def asks_the_api(command: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a click command with options that say who is asked. It gets that as its first argument."""

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
        with _told(), api_of(settings, url, ca) as api:
            return command(api, *arguments, **options)

    return asking


def print_json(document: object) -> None:
    """Print ``document`` for programs; ASCII only, so that nothing in it can drive a terminal."""
    click.echo(json.dumps(document, indent=2))


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Tell errors to people: exit code 1 if there is no such thing or it broke off, 2 if it could not be asked."""
    try:
        yield
        sys.stdout.flush()
    except Refused as exc:
        kind = click.ClickException if exc.status in _TROUBLE else CannotRun
        raise kind(printable(str(exc), kept="\n")) from exc
    except BrokenOff as exc:
        raise click.ClickException(str(exc)) from exc
    except QueryFailed as exc:
        raise CannotRun(f"{exc}: {exc.detail}") from exc
    except (ApiAccessError, StorageError, TrustUnusable) as exc:
        raise CannotRun(printable(str(exc))) from exc
    except BrokenPipeError:
        # `| head` has seen enough; what is left in buffers must not be told again on the way out.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
