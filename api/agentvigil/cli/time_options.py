"""Options of the command line that are times."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import click

from agentvigil.api.times import parse_time


def moment_option(name: str, help: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:  # noqa: A002 - as click's
    """Return a click option that takes a time as the API does: ``2026-11-01``, ``2026-11-01T12:00:00Z``, ``7d`` ago."""
    return click.option(name, callback=_parse, metavar="TIME", help=help)


def _parse(_context: click.Context, parameter: click.Parameter, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return parse_time(text)
    except ValueError as exc:
        raise click.BadParameter(str(exc), param_hint=parameter.opts[0]) from exc
