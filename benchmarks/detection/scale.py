"""What watching many agents costs: the pass of each hour, and baselines of all of them from nothing.

Some agents are drawn and written into the store's own table of features as columns; the engine makes many of each,
under other names. From there on it is what the service does: choose what agents are compared with, learn it from the
cells of the store, and go on hour by hour through the last day.
"""

import resource
import sys
import tempfile
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from climates import CALM
from course import lay_out
from generator import count_runs as draw_cells
from generator import subject_of
from reporting import table
from traits import draw

from agentvigil.analysis.detection import WATCHED_FEATURES, DetectionConfig, FleetMonitor
from agentvigil.analysis.features.cells import SECONDS_PER_HOUR, Cells, Subject
from agentvigil.analysis.features.reading import count_runs, read_cells
from agentvigil.analysis.watching.choosing import Chooser, Circumstances
from agentvigil.storage.data_directory import DataDirectory
from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.migrations import migrate
from agentvigil.storage.store import Store

DRAWN: Final = 20
"""Agents that are drawn; all others are copies of them."""
MOST_RUNS_PER_DAY: Final = 1_000
"""Of the largest agent: with 20 to 1,000 an hour has about a hundred rows of each agent."""
PROJECT: Final = "benchmark"
KEEP_DAYS: Final = 3_650
"""The runs are those of a month that may be long past, and rows go when it is time."""
SEED: Final = 7_000

_COLUMNS: Final = (
    ("Hour", "UInt32"),
    ("Agent", "String"),
    ("InputClass", "String"),
    ("AgentVersion", "String"),
    ("Model", "String"),
    ("Feature", "String"),
    ("Key", "String"),
    ("Bin", "Int16"),
    ("N", "UInt32"),
    ("S", "Float64"),
)
_STAGE: Final = f"CREATE TABLE drawn ({', '.join(f'{name} {type_}' for name, type_ in _COLUMNS)}) ENGINE = Memory"
_MULTIPLY: Final = """
INSERT INTO agent_feature_hours
    (Project, Hour, KeepDays, Environment, Agent, InputClass, AgentVersion, Model, Feature, Key, Bin, Changes, N, S)
SELECT {project:String}, toDateTime(Hour, 'UTC'), {keep_days:UInt16}, 'production', concat(Agent, '-', toString(copy)),
    InputClass, AgentVersion, Model, Feature, Key, Bin, 1, N, S
FROM drawn CROSS JOIN (SELECT number AS copy FROM numbers({copies:UInt32})) AS copies
WHERE Hour >= {first:UInt32} AND Hour < {end:UInt32}
ORDER BY drawn.Hour, Agent, copy
"""
"""In the order of their hours, as the service sums them: parts do not overlap."""
_MADE: Final = """
INSERT INTO agent_feature_hours_made (Project, Hour, KeepDays, Changes)
SELECT DISTINCT {project:String}, toDateTime(Hour, 'UTC'), {keep_days:UInt16}, 1 FROM drawn
"""


@dataclass(frozen=True)
class Measured:
    """What it took. Seconds are of the wall; CPU is that of the whole process, the engine's threads included."""

    agents: int
    days: int
    rows: int
    on_disk_mib: float
    streams: int
    baselines: int
    fill_s: float
    count_s: float
    cold_s: float
    cold_cpu_s: float
    cold_read_s: float
    hour_s: tuple[float, ...]
    hour_read_s: tuple[float, ...]
    hour_cpu_s: tuple[float, ...]
    peak_gib: float


def measure(agents: int, days: int) -> Measured:
    """Fill a store and measure it."""
    with (
        tempfile.TemporaryDirectory(prefix="agentvigil-detection-") as folder,
        DataDirectory(Path(folder), purpose="benchmark") as directory,
    ):
        store = EmbeddedStore(directory, "default")
        try:
            migrate(store)
            return _measure(store, agents, days)
        finally:
            store.close()


def _measure(store: Store, agents: int, days: int) -> Measured:
    began = time.monotonic()
    end = _fill(store, agents, days)
    rows, size = store.rows(
        "SELECT sum(rows), sum(bytes_on_disk) FROM system.parts WHERE active AND table = 'agent_feature_hours'"
    )[0]
    fill_s = time.monotonic() - began
    print(f"{rows:,} rows in the store after {fill_s:.0f} s", file=sys.stderr)

    reading = _Reading(store)
    began = time.monotonic()
    counts = count_runs(store, PROJECT, 0, end - 24)
    count_s = time.monotonic() - began
    began, cpu = time.monotonic(), time.process_time()
    watched = Chooser(reading, DetectionConfig()).review(end - 24, counts, {}, Circumstances())
    cold_s, cold_cpu_s, cold_read_s = time.monotonic() - began, time.process_time() - cpu, reading.read_s
    baselines = [one.baseline for one in watched.values()]
    print(f"{len(baselines):,} baselines of {len(counts):,} agents after {cold_s:.1f} s", file=sys.stderr)

    monitor = FleetMonitor(baselines)
    hour_s, read_s, cpu_s = [], [], []
    for hour in range(end - 24, end):
        began, cpu = time.monotonic(), time.process_time()
        cells = read_cells(store, PROJECT, hour, hour + 1, watched)
        read_s.append(time.monotonic() - began)
        monitor.advance(hour, cells)
        monitor.to_bytes()
        hour_s.append(time.monotonic() - began)
        cpu_s.append(time.process_time() - cpu)
    return Measured(
        agents=agents,
        days=days,
        rows=int(rows),
        on_disk_mib=int(size) / 2**20,
        streams=sum(len(one.streams) for one in baselines),
        baselines=len(baselines),
        fill_s=fill_s,
        count_s=count_s,
        cold_s=cold_s,
        cold_cpu_s=cold_cpu_s,
        cold_read_s=cold_read_s,
        hour_s=tuple(hour_s),
        hour_read_s=tuple(read_s),
        hour_cpu_s=tuple(cpu_s),
        peak_gib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    )


class _Reading:
    """Reads cells of what is watched, and adds up how long that takes."""

    def __init__(self, store: Store) -> None:
        self._store, self.read_s = store, 0.0

    def __call__(self, first_hour: int, end_hour: int, subjects: Collection[Subject] | None) -> Mapping[Subject, Cells]:
        began = time.monotonic()
        cells = read_cells(self._store, PROJECT, first_hour, end_hour, subjects, features=WATCHED_FEATURES, sums=False)
        self.read_s += time.monotonic() - began
        return cells


def _fill(store: Store, agents: int, days: int) -> int:
    """Write the features of ``agents`` agents and return the hour before which they are."""
    store.command(_STAGE)
    names = [name for name, _ in _COLUMNS]
    first = end = 0
    for number in range(DRAWN):
        agent = draw(SEED, number, DRAWN, most=MOST_RUNS_PER_DAY)
        course = lay_out(agent, CALM, SEED, days, calm_days=days - 1)
        first, end = course.first_hour, course.first_hour + course.hours
        cells = draw_cells(course)
        words = np.array(cells.words, dtype=object)
        texts = (cells.input_class, cells.version, cells.model, cells.feature, cells.key)
        columns = [
            cells.hour * np.int64(SECONDS_PER_HOUR),
            np.full(len(cells), subject_of(agent).agent, dtype=object),
            *(words[codes] for codes in texts),
            cells.bin,
            cells.n.astype(np.uint32),
            cells.s,
        ]
        values = [column.tolist() for column in columns]
        store._run(lambda client, v=values: client.insert("drawn", v, column_names=names, column_oriented=True))
    shared = {"project": PROJECT, "keep_days": KEEP_DAYS}
    copies = agents // DRAWN
    for hour in range(first, end, 24):
        seconds = {"first": hour * SECONDS_PER_HOUR, "end": (hour + 24) * SECONDS_PER_HOUR}
        store.command(_MULTIPLY, {**shared, **seconds, "copies": copies})
    store.command(_MADE, shared)
    store.command("DROP TABLE drawn")
    return end


def told(measured: Measured) -> str:
    """Return what it took, as a table."""
    hour, read, cpu = (np.array(one) for one in (measured.hour_s, measured.hour_read_s, measured.hour_cpu_s))
    rows = [
        ["agents, days", f"{measured.agents:,}, {measured.days}"],
        ["rows of features in the store", f"{measured.rows:,} ({measured.on_disk_mib:,.0f} MiB)"],
        ["baselines, streams", f"{measured.baselines:,}, {measured.streams:,}"],
        ["pass of an hour: median, longest", f"{np.median(hour):.2f} s, {hour.max():.2f} s"],
        ["… of that reading the store", f"{np.median(read):.2f} s, {read.max():.2f} s"],
        ["… CPU", f"{np.median(cpu):.2f} s, {cpu.max():.2f} s"],
        ["counting the runs of all agents, which tells of whom there can be a baseline", f"{measured.count_s:.0f} s"],
        ["all baselines from nothing", f"{measured.cold_s:.0f} s ({measured.cold_cpu_s:.0f} s CPU)"],
        ["… of that reading the store, mostly beside learning", f"{measured.cold_read_s:.0f} s"],
        ["peak of memory", f"{measured.peak_gib:.1f} GiB"],
    ]
    return table(["", "measured"], rows)
