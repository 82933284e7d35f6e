"""The ``agentvigil`` command."""

import sys


def main() -> None:
    """Run the command line; the entry point of the distribution."""
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
