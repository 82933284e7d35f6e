"""Fills a data directory with runs of agents: spans, steps and runs that agree, made inside the engine.

``python benchmarks/query/dataset.py --data DIRECTORY --runs 1000000`` spreads them over the thirty days up to now. Rows
come in as they do in life, oldest first and a few thousand at a time (fewer at the end), so that merging has left
several parts in the partitions of the last two days (of spans in every day's), and one in those of runs and steps
before; one run in twenty is settled a second time, in a later part than the first.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from agentvigil.analysis.rollups import RollupJob
from agentvigil.storage.data_directory import DataDirectory
from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.migrations import migrate
from agentvigil.storage.named_queries import split_queries
from agentvigil.storage.store import Store

SQL: Final = split_queries(Path(__file__).with_name("dataset.sql").read_text(encoding="utf-8"), "dataset.sql")
DAYS: Final = 30
CHUNK: Final = 4_000
LAST_CHUNK: Final = 100
"""Runs in each of the last inserts: what has just come in lies in parts that no merge has seen yet."""
LAST_CHUNKS: Final = 12


@dataclass(frozen=True)
class Dataset:
    """``runs`` runs over the days before ``end``; run n stands the same in every store of the same ``runs``."""

    runs: int
    end: datetime

    def fill(self, store: Store) -> Iterator[int]:
        """Store all of it, yielding how many runs are stored so far."""
        store.command(SQL["make_view"])
        try:
            before: dict[str, Any] | None = None
            for first, count in self._chunks():
                chunk = {"end": self.end, "days": DAYS, "runs": self.runs, "first": first, "count": count}
                store.command(SQL["spans"], chunk)
                self._settle(store, {**chunk, "version": 1})
                if before is not None:
                    self._settle(store, {**before, "version": 2})
                before = chunk
                yield first + count
            if before is not None:
                self._settle(store, {**before, "version": 2})
            store.command(SQL["settled"], {"end": self.end})
            for table, partition in store.rows(SQL["past_days"], {"end": self.end}):
                store.command(SQL["merge_day"], {"table": table, "partition": partition})
        finally:
            store.command(SQL["drop_view"])

    def _chunks(self) -> Iterator[tuple[int, int]]:
        first, last = 0, max(0, self.runs - LAST_CHUNK * LAST_CHUNKS)
        while first < self.runs:
            count = min(CHUNK, last - first) if first < last else min(LAST_CHUNK, self.runs - first)
            yield first, count
            first += count

    def _settle(self, store: Store, chunk: dict[str, Any]) -> None:
        for statement in ("steps", "runs", "void_runs"):
            store.command(SQL[statement], chunk)


def sum_hours(store: Store) -> None:
    """Sum the hours of ``store`` that are over, as a server that ran meanwhile would have done."""
    job = RollupJob(store, "benchmark", quiet_s=0)
    while job.step(datetime.now(UTC)):
        print(f"\r{job.progress.waiting_hours:>5,} hours to sum", end="", file=sys.stderr, flush=True)
    job.stop(datetime.now(UTC))
    print(file=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="data directory to fill; must not hold data yet")
    parser.add_argument("--runs", type=int, default=1_000_000, help="runs of ten spans each (1,000,000)")
    arguments = parser.parse_args()
    with DataDirectory(arguments.data, purpose="benchmark") as directory:
        if directory.clickhouse.exists():
            parser.error(f"{arguments.data} holds data already: choose another directory, or delete it")
        store = EmbeddedStore(directory, "default")
        migrate(store)
        started = time.monotonic()
        for done in Dataset(arguments.runs, datetime.now(UTC)).fill(store):
            elapsed_s = time.monotonic() - started
            print(f"\r{done:>9,} of {arguments.runs:,} runs, {elapsed_s:.0f} s", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)
        sum_hours(store)
        for row in (*store.rows(SQL["parts"]), *store.rows(SQL["check"])):
            print(*row)
        store.close()


if __name__ == "__main__":
    main()
