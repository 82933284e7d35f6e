"""What a server uses: CPU time and memory of its processes, parts and bytes on disk.

Parts are counted on disk, alike for every server: a directory is an active part unless another one covers its blocks.
"""

import contextlib
import functools
import os
import re
import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

SAMPLE_INTERVAL_S: Final = 0.5
TRACES: Final = "otel_traces"

PART: Final = re.compile(r"(?P<partition>[^_]+)_(?P<first>\d+)_(?P<last>\d+)_(?P<level>\d+)(?:_\d+)?")
TABLE_UUID: Final = re.compile(r"ATTACH TABLE _ UUID '([0-9a-f-]+)'")


# --- what the operating system knows of a process ---------------------------------------------------------------


def _stat_fields(pid: str) -> list[str]:
    # The second field is the program's name in parentheses and may hold spaces.
    return Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()


def process_tree(pid: int) -> list[int]:
    """The process and its descendants (Linux)."""
    children: dict[int, list[int]] = defaultdict(list)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                children[int(_stat_fields(entry.name)[1])].append(int(entry.name))
    tree = [pid]
    for member in tree:
        tree.extend(children[member])
    return tree


def cpu_seconds(pid: int) -> float | None:
    """User and system time of the process and its descendants so far; None where there is no /proc."""
    if not Path("/proc/self/stat").exists():
        return None
    ticks = 0
    for member in process_tree(pid):
        with contextlib.suppress(OSError):
            # utime, stime, and those of children already waited for
            ticks += sum(int(value) for value in _stat_fields(str(member))[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


def peak_rss_bytes(pid: int) -> int | None:
    """Highest resident size so far, summed over the descendants; None where there is no /proc."""
    if not Path("/proc/self/status").exists():
        return None
    total = 0
    for member in process_tree(pid):
        with contextlib.suppress(OSError):
            status = Path(f"/proc/{member}/status").read_text()
            if found := re.search(r"VmHWM:\s+(\d+) kB", status):
                total += int(found[1]) * 1024
    return total


# --- what is on disk --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Part:
    """One part directory of a MergeTree table."""

    path: Path
    partition: str
    first: int
    last: int
    level: int

    def covers(self, other: "Part") -> bool:
        """Whether this part is the result of a merge that took the other one in."""
        return (
            self.partition == other.partition
            and self.first <= other.first
            and other.last <= self.last
            and (self.level, self.path.name) > (other.level, other.path.name)
        )


@functools.cache
def _table_uuid(definition: Path) -> str | None:
    """The name of a table's directory, from the statement that defines the table."""
    found = TABLE_UUID.search(definition.read_text(errors="replace"))
    return found[1] if found else None


def active_parts(data: Path) -> dict[str, list[Part]]:
    """Active parts by table. Merged-away parts stay on disk for minutes and are left out."""
    tables: dict[str, list[Part]] = {}
    for store in data.glob("*/store"):
        names = {_table_uuid(definition): definition.stem for definition in store.glob("*/*/*.sql")}
        for table in store.glob("*/*"):
            if table.name not in names:
                continue
            by_partition: dict[str, list[Part]] = defaultdict(list)
            with contextlib.suppress(OSError):
                for entry in table.iterdir():
                    if match := PART.fullmatch(entry.name):
                        numbers = (int(match[key]) for key in ("first", "last", "level"))
                        by_partition[match["partition"]].append(Part(entry, match["partition"], *numbers))
            tables[names[table.name]] = [part for parts in by_partition.values() for part in _uncovered(parts)]
    return tables


def _uncovered(parts: list[Part]) -> Iterator[Part]:
    # Widest first: parts of one partition nest or are disjoint, so the last kept one is the only possible cover.
    kept: Part | None = None
    for part in sorted(parts, key=lambda p: (p.first, -p.last, -p.level)):
        if kept is None or not kept.covers(part):
            kept = part
            yield part


def size_bytes(parts: Sequence[Part]) -> int:
    """Bytes in the files of these parts."""
    total = 0
    for part in parts:
        for file in part.path.rglob("*"):
            with contextlib.suppress(OSError):
                total += file.stat().st_size
    return total


class PartSampler:
    """Counts active parts every half second and keeps the highest counts."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self.most_traces = 0
        self.most_any_table = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(SAMPLE_INTERVAL_S):
            counts = {table: len(parts) for table, parts in active_parts(self._data).items()}
            self.most_traces = max(self.most_traces, counts.get(TRACES, 0))
            self.most_any_table = max(self.most_any_table, *counts.values(), 0)
