"""The provider alone, for use by hand: ``python tools/goldens/fake_provider``.

Python puts a directory that it is given on the path itself; the package is found from the one above.
"""

import argparse
import sys
import threading
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fake_provider import FakeProvider
from fake_provider.scenarios import SCENARIOS


def main() -> int:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(
        prog="fake_provider",
        description="A provider of models on this machine, whose usage is known before it is asked.",
        epilog=f"Scenarios: {', '.join(SCENARIOS)}. What was answered: GET /SCENARIO/calls.",
    )
    parser.add_argument("--port", type=int, default=8080, help="port on 127.0.0.1; 0 takes a free one (8080)")
    args = parser.parse_args()
    try:
        provider = FakeProvider(args.port)
    except OSError as exc:
        print(f"cannot listen on 127.0.0.1:{args.port}: {exc.strerror}. Name another port.", file=sys.stderr)
        return 2
    with provider, suppress(KeyboardInterrupt):
        print(f"listening on {provider.url('SCENARIO')}", flush=True)
        threading.Event().wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
