"""The ingest benchmark, in two parts: agentvigil beside the yardstick, and agentvigil by every road it takes OTLP by.

The first part is ``comparison.py``, the second ``roads.py``. In both, every load goes to a new process on an empty
directory, and the items stored are counted through SQL right after it: what was acknowledged must be there. CPU time
counts from the ready line to the end of a time for merges to settle and is divided by all items acknowledged, so it
charges a server for merges it put off. Results are medians over the rounds, with the extremes beside them.

Data on stdout (a markdown report), progress on stderr. Exit code 0: done; 1: a server lost or duplicated items or
answered with errors; 2: could not run.
"""

import argparse
import datetime as dt
import os
import sys
from pathlib import Path

from comparison import SERVERS, compare
from reporting import Occasion
from roads import ROADS, drive
from servers import BenchmarkError, progress

PARTS = {"yardstick": compare, "roads": drive}


def parse_args() -> argparse.Namespace:
    """The command line; ``--quick`` sets every duration it does not name."""
    parser = argparse.ArgumentParser(
        description="Benchmark the ingest of agentvigil: against a plain receiver, and by every road."
    )
    parser.add_argument(
        "--part", choices=("yardstick", "roads", "all"), default="all", help="one of the two parts, or both (all)"
    )
    parser.add_argument("--quick", action="store_true", help="one short round: does it run, not how fast")
    parser.add_argument("--rounds", type=int, help="rounds, servers or roads in turn within each (3)")
    parser.add_argument("--seconds", type=float, help="measured seconds of the load (20)")
    parser.add_argument("--steady-seconds", type=float, help="measured seconds at the steady rate (20)")
    parser.add_argument("--warmup", type=float, help="seconds before each that are not timed (3)")
    parser.add_argument("--settle", type=float, help="seconds for merges after the load (10)")
    parser.add_argument("--rate", type=float, default=2000, help="steady rate in spans/s (2000)")
    parser.add_argument("--in-flight", type=int, default=64, help="requests under way during the load (64)")
    parser.add_argument(
        "--servers", nargs="+", choices=tuple(SERVERS), default=list(SERVERS), help="which servers to compare (all)"
    )
    parser.add_argument(
        "--roads", nargs="+", choices=tuple(ROADS), default=list(ROADS), metavar="ROAD", help="which roads to run (all)"
    )
    parser.add_argument("--data-root", type=Path, metavar="DIR", help="where data directories are made (temporary)")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the report there as well")
    args = parser.parse_args()
    names = ("rounds", "seconds", "steady_seconds", "warmup", "settle")
    for name, quick, full in zip(names, (1, 2, 2, 0.5, 1), (3, 20, 20, 3, 10), strict=True):
        if getattr(args, name) is None:
            setattr(args, name, quick if args.quick else full)
    return args


def main() -> int:
    args = parse_args()
    parts = list(PARTS) if args.part == "all" else [args.part]
    texts, well = [], True
    try:
        for part in parts:
            text, part_well = PARTS[part](args, Occasion(dt.datetime.now(dt.UTC), os.getloadavg()[0]))
            # At once: what the first part took minutes for must not be lost with the second.
            print(text, end="" if part == parts[-1] else "\n", flush=True)
            texts.append(text)
            well = well and part_well
            if args.output:
                args.output.write_text("\n".join(texts))
    except (BenchmarkError, OSError) as error:
        progress(str(error))
        return 2
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
