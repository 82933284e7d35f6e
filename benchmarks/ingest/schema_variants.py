"""What a choice in the schema costs: CPU to insert, CPU to merge, bytes on disk, for variants of ``otel_traces``.

    python benchmarks/ingest/schema_variants.py [--groups 40]

Runs in this process on an empty embedded store: groups of 32 requests of 512 spans from the pinned workload, sent as
the receiver's writer sends them, at the pace they are taken. Each variant gets the same groups twice over, in turn, and
the smaller figure counts. Merging is counted from the first insert until four seconds after the last.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workload import Workload

from agentvigil.storage.data_directory import DataDirectory
from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.envelope import Envelope, ExportRequest, Limits, wrap
from agentvigil.storage.migrations import migrate
from agentvigil.storage.signals import TRACES

_REQUESTS, _SPANS = 32, 512
_ITEMS = "arrayMap(kv -> concat(kv.1, '=', kv.2), CAST({map}, 'Array(Tuple(String, String))'))"
_SETTLE_S = 4

_NO_MERGES = "ALTER TABLE otel_traces MODIFY SETTING max_bytes_to_merge_at_max_space_in_pool = 1"
VARIANTS: dict[str, tuple[str, ...]] = {
    "as shipped": (),
    "ClickHouse's own merge pace": ("ALTER TABLE otel_traces MODIFY SETTING merge_selector_base = 5",),
    "no merges": (_NO_MERGES,),
    "wide parts from 10 MB, as ClickHouse": (
        "ALTER TABLE otel_traces MODIFY SETTING min_bytes_for_wide_part = 10485760",
    ),
    "no trace id index": ("ALTER TABLE otel_traces DROP INDEX idx_trace_id",),
    "text indexes on keys, as the Collector": tuple(
        f"ALTER TABLE otel_traces ADD INDEX idx_key_{column} mapKeys({column}) TYPE text(tokenizer = 'array')"
        for column in ("ResourceAttributes", "SpanAttributes")
    ),
    "text indexes on keys and items, as the Collector": tuple(
        f"ALTER TABLE otel_traces ADD INDEX idx_{kind}_{column} {expression} TYPE text(tokenizer = 'array')"
        for column in ("ResourceAttributes", "SpanAttributes")
        for kind, expression in (("key", f"mapKeys({column})"), ("item", _ITEMS.format(map=column)))
    ),
    "bloom filters on keys and values": tuple(
        f"ALTER TABLE otel_traces ADD INDEX idx_{function}_{column} {function}({column}) TYPE bloom_filter(0.01)"
        for column in ("ResourceAttributes", "SpanAttributes")
        for function in ("mapKeys", "mapValues")
    ),
}


def groups(count: int) -> list[list[Envelope]]:
    """Return ``count`` groups, their spans dated as if 60,000 arrived in a second."""
    stream = Workload(_SPANS).stream()
    first_ns = time.time_ns() - count * _REQUESTS * _SPANS * 16_667
    made = []
    for group in range(count):
        bodies = [
            stream.request(first_ns + (group * _REQUESTS + index) * _SPANS * 16_667) for index in range(_REQUESTS)
        ]
        made.append([wrap(_request(body)) for body in bodies])
    return made


def _request(body: bytes) -> ExportRequest:
    return ExportRequest(
        TRACES, TRACES.destinations, body, _SPANS, os.urandom(16), "default", time.time_ns(), 90, Limits()
    )


@contextmanager
def fresh_store(directory: DataDirectory, name: str, statements: tuple[str, ...]) -> Iterator[EmbeddedStore]:
    """Yield a store over a new database with the schema and ``statements`` after it."""
    store = EmbeddedStore(directory, name)
    migrate(store)
    for statement in statements:
        store.command(statement)
    yield store
    store.end_inserts()
    store.command("DROP DATABASE {database:Identifier}", {"database": name})
    store.close()


def measure(store: EmbeddedStore, groups: list[list[Envelope]]) -> tuple[float, float, int]:
    """Return CPU seconds per million spans, bytes on disk per span and the most parts seen."""
    parts = 0
    # Planning the INSERT is paid once in the life of a process.
    store.insert_protobuf("otlp_traces", TRACES.message, groups[0][:1])
    before = time.process_time()
    for group in groups:
        store.insert_protobuf("otlp_traces", TRACES.message, group)
        parts = max(parts, _parts(store))
    time.sleep(_SETTLE_S)
    spans = len(groups) * _REQUESTS * _SPANS
    cpu = (time.process_time() - before) / spans * 1e6
    rows = store.rows(
        "SELECT sum(bytes_on_disk) / sum(rows) FROM system.parts "
        "WHERE database = currentDatabase() AND table = 'otel_traces' AND active"
    )
    return cpu, float(rows[0][0]), parts


def _parts(store: EmbeddedStore) -> int:
    rows = store.rows(
        "SELECT count() FROM system.parts WHERE database = currentDatabase() AND table = 'otel_traces' AND active"
    )
    return int(rows[0][0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--groups", type=int, default=40, help="groups of 16,384 spans for each variant (40)")
    arguments = parser.parse_args()
    made = groups(arguments.groups)
    figures: dict[str, list[tuple[float, float, int]]] = {name: [] for name in VARIANTS}
    with tempfile.TemporaryDirectory() as folder, DataDirectory(Path(folder), purpose="benchmark") as directory:
        anchor = EmbeddedStore(directory, "default")
        for turn in range(2):
            for number, (name, statements) in enumerate(VARIANTS.items()):
                with fresh_store(directory, f"variant_{turn}_{number}", statements) as store:
                    figures[name].append(measure(store, made))
        anchor.close()
    print("| variant | CPU-s per million spans, merges included | bytes per span | most parts |")
    print("|---|---|---|---|")
    for name, runs in figures.items():
        cpu, size, parts = min(runs)
        print(f"| {name} | {cpu:.1f} | {size:.0f} | {parts} |")


if __name__ == "__main__":
    main()
