"""How commands end: 0 done, 1 found trouble, 2 could not run; and which errors are which."""

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Final

import click

from agentvigil.cli.api_access import ApiAccessError, BrokenOff, Refused
from agentvigil.cli.calling import TrustUnusable
from agentvigil.cli.printable import printable
from agentvigil.storage.access import AccessError
from agentvigil.storage.errors import QueryFailed, StorageError
from agentvigil.storage.prices.errors import PriceError

_NO: Final = (400, 403, 404, 409)
"""What the API says where it understood, and the answer is no."""


class CannotRun(click.ClickException):
    """The command could not do its work at all."""

    exit_code = 2


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Tell errors of the API and the store to people, who may see ClickHouse's own text."""
    try:
        yield
        sys.stdout.flush()
    except Refused as exc:
        kind = click.ClickException if exc.status in _NO else CannotRun
        raise kind(printable(str(exc), kept="\n")) from exc
    except (AccessError, BrokenOff, PriceError) as exc:
        raise click.ClickException(printable(str(exc), kept="\n")) from exc
    except QueryFailed as exc:
        raise CannotRun(f"{exc}: {exc.detail}") from exc
    except (ApiAccessError, StorageError, TrustUnusable) as exc:
        raise CannotRun(printable(str(exc))) from exc
    except BrokenPipeError:
        # `| head` has seen enough; what is left in buffers must not be told again on the way out.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
