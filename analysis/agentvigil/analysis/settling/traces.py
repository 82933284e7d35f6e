"""Settles traces: their spans, as they are in the store now, become rows of agent_runs and agent_steps."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, TypeVar

from opentelemetry.trace import NoOpTracer, Tracer

from agentvigil.analysis.settling.batches import Trace, batches_of
from agentvigil.analysis.settling.statements import STATEMENTS
from agentvigil.analysis.settling.working_tables import WorkingTables
from agentvigil.storage.store import Store

_TRACES_PER_STATEMENT: Final = 1_000
_SIGHTING_WINDOW_NS: Final = 5 * 60 * 10**9
_AFFECTED_ROUNDS: Final = 4
_LOOKS: Final = 4
"""So often spans are read again of which another process settled a newer state meanwhile."""
_NO_TRACER: Final = NoOpTracer()

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Settled:
    """What was done: how many ``runs`` were written, and in which traces a run is ``open``."""

    runs: int
    open: frozenset[tuple[str, str]]


class TraceSettler:
    """Settles traces of ``store``, some ``batch_spans`` spans at a time.

    It may be stopped anywhere: settling the same traces again gives the same rows in a higher version, and voids what
    they do not have any more. It may stand still anywhere, too, while another process settles the same traces: a
    version is the store's time from before the spans were read, so rows of what was read earlier never replace those of
    what was read later, and who finds newer ones than its own reads again. Every method raises :class:`StorageError` if
    the store does not answer. Each batch that has runs is a span of ``tracer``; spans of that kind make no runs, so
    they bring no more of them.
    """

    def __init__(self, store: Store, batch_spans: int, tracer: Tracer = _NO_TRACER) -> None:
        self._store, self._batch_spans, self._tracer = store, batch_spans, tracer
        self._version = 0

    def settle(self, traces: Sequence[Trace]) -> Settled:
        """Settle ``traces``, and those settled before whose calls turn out to be billed here."""
        runs, still_open = 0, set[tuple[str, str]]()
        affected: set[tuple[str, str]] = set()
        for batch in batches_of(traces, self._batch_spans, self._stored_by_day):
            runs += self._settle_batch(batch, still_open, affected)
        for _ in range(_AFFECTED_ROUNDS):
            if not affected:
                break
            found, affected = self._located(sorted(affected)), set()
            for batch in batches_of(found, self._batch_spans, self._stored_by_day):
                runs += self._settle_batch(batch, set(), affected)
        return Settled(runs, frozenset(still_open))

    def resettle(self, traces: Sequence[tuple[str, str]]) -> Settled:
        """Settle traces again, given by project and trace id; an open run stays open."""
        return self.settle(self._located(traces))

    def _stored_by_day(self) -> dict[date, int]:
        return {row[0]: int(row[1]) for row in self._store.rows(STATEMENTS["stored_by_day"])}

    def _located(self, traces: Sequence[tuple[str, str]]) -> list[Trace]:
        found = []
        for some in _chunks(traces):
            rows = self._store.rows(
                STATEMENTS["located"],
                {"projects": [project for project, _ in some], "traces": [trace_id for _, trace_id in some]},
            )
            found += [Trace(row[0], row[1], row[2], row[3], int(row[4]), is_final=not row[5]) for row in rows]
        return found

    def _settle_batch(
        self, traces: Sequence[Trace], still_open: set[tuple[str, str]], affected: set[tuple[str, str]]
    ) -> int:
        began_ns = time.time_ns()
        runs = self._settle_tables(traces, still_open, affected)
        if runs:
            span = self._tracer.start_span("settle", start_time=began_ns)
            span.set_attributes(
                {
                    "agentvigil.traces": len(traces),
                    "agentvigil.spans": sum(trace.spans for trace in traces),
                    "agentvigil.runs": runs,
                }
            )
            span.end()
        return runs

    def _settle_tables(
        self, traces: Sequence[Trace], still_open: set[tuple[str, str]], affected: set[tuple[str, str]]
    ) -> int:
        times = {"from": min(trace.first for trace in traces), "to": max(trace.last for trace in traces)}
        for _ in range(_LOOKS):
            with WorkingTables(self._store) as tables:
                self._fill(tables, traces)
                # Before the spans are read.
                self._version = max(self._version + 2, int(tables.rows("clock")[0][0]))
                tables.make("spans", "spans", times)
                self._grow_tree(tables)
                tables.make("placed", "placed")
                affected |= self._compare_calls(tables)
                for name in ("duplicates", "members", "steps", "runs"):
                    tables.make(name, name)
                if self._write(tables, times):
                    runs, open_traces = tables.rows("settled")[0]
                    still_open.update((str(project), str(trace_id)) for project, trace_id in open_traces)
                    return int(runs)
        # Who settles them all the time reads what is there.
        return 0

    def _fill(self, tables: WorkingTables, traces: Sequence[Trace]) -> None:
        tables.make("batch", "batch")
        for some in _chunks(traces):
            tables.run(
                "add_to_batch",
                {
                    "projects": [trace.project for trace in some],
                    "traces": [trace.trace_id for trace in some],
                    "finals": [int(trace.is_final) for trace in some],
                },
            )

    def _grow_tree(self, tables: WorkingTables) -> None:
        tables.make("links", "links")
        spans = int(tables.rows("most_spans")[0][0])
        self._link(tables)
        if not self._climb(tables, spans):
            # What is left after so many jumps goes round in circles.
            tables.replace("links", "links_without_cycles", {"cyclic": "links", "up": "up"})
            for name in ("tries", "picks", "up"):
                tables.drop(name)
            self._link(tables)
            self._climb(tables, spans)

    def _link(self, tables: WorkingTables) -> None:
        for name in ("tries", "picks", "up"):
            tables.make(name, name)

    def _climb(self, tables: WorkingTables, spans: int) -> bool:
        """Double how far up every span sees, until all see their top; say if they do."""
        reach = 1
        while int(tables.rows("unfinished")[0][0]):
            if reach > spans:
                return False
            tables.replace("up", "further_up", {"nearer": "up"})
            reach *= 2
        return True

    def _compare_calls(self, tables: WorkingTables) -> set[tuple[str, str]]:
        """Find out which calls are billed elsewhere; return the traces settled before that this proves wrong."""
        for name in ("calls", "losers"):
            tables.make(name, name)
        calls, inner_calls = tables.rows("count_calls")[0]
        if inner_calls:
            tables.run("nested_losers")
        if not calls:
            return set()
        tables.make("sightings", "sightings", {"window_ns": _SIGHTING_WINDOW_NS})
        tables.make("shared", "shared")
        if not tables.rows("count_shared")[0][0]:
            return set()
        tables.make("pairs", "pairs")
        tables.run("paired_losers")
        return {(str(project), str(trace_id)) for project, trace_id in tables.rows("affected")}

    def _write(self, tables: WorkingTables, times: Mapping[str, datetime]) -> bool:
        """Write the rows if none are newer, and say if they are the newest of their traces then."""
        prior = self._newest(tables, times)
        if prior >= self._version:
            self._version = prior
            return False
        version = {"version": self._version}
        tables.run("insert_runs", version)
        tables.run("insert_steps", version)
        if prior:
            tables.run("bury_steps", {**version, **times})
            tables.run("bury_runs", {**version, **times})
        # Another process, in that very moment: it did not see these rows, and could not bury what it does not have.
        return self._store.is_embedded or self._newest(tables, times) <= self._version

    def _newest(self, tables: WorkingTables, times: Mapping[str, datetime]) -> int:
        return int(tables.rows("newest", times)[0][0])


def _chunks(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    return (items[start : start + _TRACES_PER_STATEMENT] for start in range(0, len(items), _TRACES_PER_STATEMENT))
