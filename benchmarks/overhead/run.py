"""What instrumentation costs an application: ours, OpenTelemetry's own and OpenInference's, in one run.

Each program of ``program.py`` is run in turn, in several rounds, and the median of all its calls is compared with that
of the same program without any instrumentation. Packages are installed into an environment of their own,
build/overhead.

Progress on stderr, tables on stdout.
"""

import argparse
import json
import platform
import statistics
import subprocess
import sys
import venv
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from agentvigil.testing import Answer, FakeProvider, Usage

_EXAMPLES: Final = """examples:
  python benchmarks/overhead/run.py
  python benchmarks/overhead/run.py --rounds 3 --calls 500
"""
ROOT: Final = Path(__file__).resolve().parents[2]
ENVIRONMENT: Final = ROOT / "build" / "overhead"
PACKAGES: Final = (
    "openai==3.57.0",
    "opentelemetry-sdk==1.45.2",
    "opentelemetry-instrumentation-genai-openai==1.3b0",
    "openinference-instrumentation-openai==0.1.66",
)
NONE: Final = "none"
SPANS_ONLY: Final = ("agentvigil", "opentelemetry", "openinference")
WITH_METRICS: Final = ("agentvigil with metrics", "opentelemetry with metrics")
LATENCY_S: Final = 0.2
CHUNKS: Final = 50


def main(argv: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=_EXAMPLES,
    )
    parser.add_argument("--rounds", type=int, default=7, help="times that each program is run (7)")
    parser.add_argument("--calls", type=int, default=2_000, help="calls that each program measures in a round (2000)")
    args = parser.parse_args(argv)
    python = _environment()
    names = (NONE, *SPANS_ONLY, *WITH_METRICS)
    tables = [
        _cost(python, names, "span", args.rounds, args.calls * 5),
        _cost(python, names, "chat", args.rounds, args.calls),
        _cost(python, names, "stream", args.rounds, max(args.calls // 10, 1)),
    ]
    with FakeProvider(answers=[Answer(text="Paris.", usage=Usage(21, 9))], latency_s=LATENCY_S) as provider:
        share = _medians(python, names, "run", args.rounds, 5, provider.openai_url)
    machine = f"{platform.machine()}, Python {platform.python_version()}"
    print(f"{machine}, {', '.join(PACKAGES)}, {datetime.now(UTC):%Y-%m-%d}\n")
    run = f"run of three {LATENCY_S * 1e3:.0f} ms calls"
    print(f"| instrumentation | span alone, µs | chat, µs a call | stream of {CHUNKS} chunks, µs a call | {run} |")
    print("|---|---:|---:|---:|---:|")
    for name in names[1:]:
        span, chat, stream = (table[name] for table in tables)
        percent = (share[name] / share[NONE] - 1) * 100
        # OpenInference has no layer that could be called by itself.
        alone = "" if name == "openinference" else f"{span:.0f}"
        print(f"| {name} | {alone} | {chat:.0f} | {stream:.0f} | {percent:+.2f} % |")
    return 0


def _cost(python: Path, names: Sequence[str], workload: str, rounds: int, calls: int) -> Mapping[str, float]:
    medians = _medians(python, names, workload, rounds, calls)
    return {name: (median - medians[NONE]) * 1e6 for name, median in medians.items()}


def _medians(
    python: Path, names: Sequence[str], workload: str, rounds: int, calls: int, *arguments: str
) -> Mapping[str, float]:
    """Return the median seconds of a call for each of ``names``. Their order turns with every round."""
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds):
        print(f"{workload}: round {number + 1} of {rounds}", file=sys.stderr, flush=True)
        for name in (*names[number % len(names) :], *names[: number % len(names)]):
            program = str(Path(__file__).with_name("program.py"))
            done = subprocess.run(
                [str(python), program, name, workload, str(calls), *arguments],
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
            seconds[name].append(statistics.median(json.loads(done.stdout)))
    return {name: statistics.median(medians) for name, medians in seconds.items()}


def _environment() -> Path:
    python = ENVIRONMENT / "bin" / "python"
    finished = ENVIRONMENT / "pins.txt"
    wanted = "\n".join(PACKAGES)
    if not finished.exists() or finished.read_text(encoding="utf-8") != wanted:
        print(f"installing {', '.join(PACKAGES)}", file=sys.stderr, flush=True)
        venv.create(ENVIRONMENT, with_pip=True, clear=True)
        command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-e", str(ROOT)]
        subprocess.run([*command, *PACKAGES], check=True)
        finished.write_text(wanted, encoding="utf-8")
    return python


if __name__ == "__main__":
    sys.exit(main())
