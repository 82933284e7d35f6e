"""What the reports of all parts of the benchmark have in common: cells of a table, and how to repeat the run."""

import contextlib
import datetime as dt
import importlib.metadata
import os
import platform
import re
import shlex
import shutil
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent


@dataclass(slots=True)
class Results:
    """Values of one column by measurement, one per round, and what went wrong."""

    values: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    workloads: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Occasion:
    """When a run began, and how busy the machine was: load over the last minute."""

    started: dt.datetime
    load_average: float


def _number(value: float) -> str:
    if value >= 1000:
        return f"{value:,.0f}"
    if value >= 100 or value == int(value):
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def cell(values: Sequence[float]) -> str:
    """Median and extremes of one measurement."""
    if not values:
        return "n/a"
    median = _number(statistics.median(values))
    low, high = _number(min(values)), _number(max(values))
    return median if low == high else f"{median} ({low} to {high})"


def machine() -> str:
    """CPU model, usable cores, memory and system."""
    model = platform.processor() or platform.machine()
    if sys.platform == "darwin":
        model = subprocess.run(
            ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"], capture_output=True, text=True, check=False
        ).stdout.strip()
    elif (cpuinfo := Path("/proc/cpuinfo")).exists():
        if found := re.search(r"model name\s*:\s*(.+)", cpuinfo.read_text()):
            model = found[1]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{model}, {cores} cores, {memory:.0f} GiB, {platform.system()} {platform.release()}"


def versions() -> str:
    """Versions of everything that takes part."""
    names = ("agentvigil", "chdb", "chdb-core", "clickhouse-connect", "grpcio", "protobuf", "numpy")
    found = [f"Python {platform.python_version()}"]
    for name in names:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found.append(f"{name} {importlib.metadata.version(name)}")
    if git := shutil.which("git"):
        described = subprocess.run(
            [git, "describe", "--always", "--dirty"], cwd=HERE, capture_output=True, text=True, check=False
        )
        if described.returncode == 0:
            found.append(f"commit {described.stdout.strip()}")
    return ", ".join(found)


def circumstances(occasion: Occasion, seconds: str, workloads: Sequence[str]) -> list[str]:
    """The lines that let a reader repeat the run."""
    return [
        f"- Machine: {machine()}; load average when it began: {occasion.load_average:.2f}",
        f"- Versions: {versions()}",
        f"- Date: {occasion.started:%Y-%m-%d %H:%M} UTC",
        f"- Command: `{shlex.join(sys.orig_argv)}`",
        f"- Seconds: {seconds}",
        f"- Workload (digests): {'; '.join(workloads)}",
    ]
