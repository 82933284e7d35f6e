"""How a group of commands tells errors: exit code 1 for what was asked, 2 for what could not be reached."""

from typing import Any

import click

from agentvigil.cli.calling import TrustUnusable
from agentvigil.cli.exit_codes import CannotRun
from agentvigil.cli.key_access import NotGiven
from agentvigil.storage.errors import QueryFailed, StorageError


class StoreGroup(click.Group):
    """Tells errors of access and storage to people, who may see ClickHouse's own text."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except NotGiven as exc:
            raise click.ClickException(str(exc)) from exc
        except QueryFailed as exc:
            raise CannotRun(f"{exc}: {exc.detail}") from exc
        except (StorageError, TrustUnusable) as exc:
            raise CannotRun(str(exc)) from exc
