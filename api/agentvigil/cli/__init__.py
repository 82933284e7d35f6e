"""The ``agentvigil`` command."""

import gc
import sys


def main() -> None:
    """Run the command line; the entry point of the distribution."""
    # Until the command is loaded: nothing of that becomes garbage, and to look for some as it grows takes a quarter of
    # the time of a start.
    gc.disable()
    try:
        from agentvigil.cli.commands import agentvigil
    except ModuleNotFoundError as exc:
        if (exc.name or "").startswith("agentvigil"):
            raise
        print(
            f"the agentvigil command needs the server's packages ({exc.name} is missing): "
            "pip install 'agentvigil[server]'",
            file=sys.stderr,
        )
        sys.exit(2)
    agentvigil(prog_name="agentvigil")
