"""The provider alone, for use by hand: ``python -m agentvigil.testing``."""

import argparse
import sys
import threading
from contextlib import suppress
from typing import Final

from agentvigil.testing import FakeProvider
from agentvigil.testing.scenarios import SCENARIOS

_EXAMPLES: Final = """examples:
  python -m agentvigil.testing --port 8080
  OPENAI_BASE_URL=http://127.0.0.1:8080/chat/v1 OPENAI_API_KEY=any python my_agent.py
  ANTHROPIC_BASE_URL=http://127.0.0.1:8080/tool ANTHROPIC_API_KEY=any python my_agent.py
  curl http://127.0.0.1:8080/chat/calls

scenarios: {scenarios}
"""


def main() -> int:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(
        prog="python -m agentvigil.testing",
        description="A provider of models on this machine, whose usage is known before it is asked.",
        epilog=_EXAMPLES.format(scenarios=", ".join(SCENARIOS)),
        formatter_class=argparse.RawDescriptionHelpFormatter,
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
