"""Measures what settling costs while a day of runs fills up: CPU seconds for each 1,000 runs, and rows read.

``python benchmarks/settling/run.py --runs 1000000`` fills a store with a day of runs in four parts, settling each part
as it comes in, and after each part settles increments of several sizes. CPU is that of the whole process, merges
included; making the spans is not counted, neither there nor in the peak of memory. Linux only.
"""

import argparse
import json
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from agentvigil.analysis.settling import SettlingConfig, SettlingJob
from agentvigil.storage.data_directory import DataDirectory
from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.migrations import all_migrations, migrate
from agentvigil.storage.rendering import render
from agentvigil.storage.store import Store


def named_statements(text: str) -> dict[str, str]:
    """Return the statements of ``text`` by their names."""
    parts = re.split(r"^-- (\w+) --\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


SPANS_PER_RUN: Final = 8
PARTS: Final = (0.0, 0.25, 0.5, 1.0)
CHUNK: Final = 5_000
STATEMENTS: Final = named_statements(Path(__file__).with_name("a_day.sql").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Measured:
    """What settling ``runs`` runs took."""

    runs: int
    cpu_s: float
    wall_s: float
    rows_read: int
    peak_gib: float

    def __str__(self) -> str:
        return (
            f"{self.runs:>9,} runs: {self.cpu_s / self.runs * 1000:8.3f} CPU-s per 1,000 runs, "
            f"{self.rows_read / (self.runs * SPANS_PER_RUN):9.1f} rows read per span, {self.wall_s:7.2f} s, "
            f"peak {self.peak_gib:.2f} GiB"
        )


class Day:
    """A day of ``runs`` runs in ``store``, as far as it went by."""

    def __init__(self, store: Store, runs: int) -> None:
        self._store, self._runs = store, runs
        self._begin = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=2)
        self._made = 0
        self._job = SettlingJob(store, SettlingConfig(), "benchmark")
        self._job.step(self._begin)

    def settle(self, runs: int) -> Measured:
        """Let ``runs`` more runs come in, then settle them."""
        for first in range(0, runs, CHUNK):
            count = min(CHUNK, runs - first)
            self._store.command(
                STATEMENTS["generate"],
                {"day": self._begin, "runs": self._runs, "first": self._made, "count": count},
            )
            self._made += count
        _forget_peak()
        now = self._begin + timedelta(days=self._made / self._runs) + timedelta(seconds=20)
        cpu_s, wall_s, rows, settled = time.process_time(), time.monotonic(), self._rows_read(), self._job.progress.runs
        while self._job.step(now):
            pass
        while self._job.progress.pending_traces:
            self._job.step(now)
        return Measured(
            self._job.progress.runs - settled,
            time.process_time() - cpu_s,
            time.monotonic() - wall_s,
            self._rows_read() - rows,
            _peak_gib(),
        )

    def _rows_read(self) -> int:
        return sum(int(value) for (value,) in self._store.rows(STATEMENTS["rows_read"]))


def _forget_peak() -> None:
    """Let the kernel begin anew with the peak of this process' memory (proc(5), clear_refs)."""
    Path("/proc/self/clear_refs").write_text("5")


def _peak_gib() -> float:
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 2**20


def measure(day: Day, runs: int, sizes: list[int]) -> Iterator[tuple[float, str, Measured]]:
    for before, part in zip((0.0, *PARTS), PARTS, strict=False):
        if part > before:
            yield part, "bulk", day.settle(int(runs * (part - before)))
        for size in sizes:
            for _ in range(3 if size < 1000 else 1):
                measured = day.settle(size)
            yield part, "increment", measured


def _let_spans_type_themselves(store: Store) -> None:
    """Give ``store`` what a server has for rows of Collectors: the spans of the day are made by SQL as well."""
    (typing,) = (migration for migration in all_migrations() if migration.name == "otel_traces_typed_columns")
    store.command(render(typing.sql))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1_000_000, help="runs of the day")
    parser.add_argument("--increments", type=int, nargs="+", default=[50, 1_000, 10_000], help="runs at once")
    parser.add_argument("--json", action="store_true", help="print figures for machines")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, DataDirectory(Path(folder), purpose="benchmark") as directory:
        store = EmbeddedStore(directory, "default")
        migrate(store)
        _let_spans_type_themselves(store)
        day = Day(store, arguments.runs)
        for part, kind, measured in measure(day, arguments.runs, arguments.increments):
            if arguments.json:
                print(json.dumps({"part": part, "kind": kind, **measured.__dict__}), flush=True)
            else:
                print(f"{part:4.0%} of the day {kind:9s} {measured}", flush=True)
        print("runs, calls, steps, partial:", *store.rows(STATEMENTS["check"])[0], file=sys.stderr)
        store.close()


if __name__ == "__main__":
    main()
