"""How commands end: 0 done, 1 found trouble, 2 could not run."""

import click


class CannotRun(click.ClickException):
    """The command could not do its work at all."""

    exit_code = 2
