"""Where sums over calls come from: every step, or the hours that were summed before.

Both give the same counts, tokens and money. Hours are used where they can answer what is asked and mostly hold; what
they do not cover, the edges of the time and hours that changed since, is read from the steps in the same statement.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from agentvigil.analysis.rollups.calls import Quantiles
from agentvigil.api.conditions import put_together
from agentvigil.api.metrics.asked import Dimension, SeriesAsked
from agentvigil.api.ranges import TimeRange
from agentvigil.api.reading import Reader
from agentvigil.api.runs.filters import RunFilters
from agentvigil.api.totals.measures import Calls, hour_parts, step_parts, step_rows, whole_steps
from agentvigil.storage.named_queries import load_queries

_STATEMENTS: Final = load_queries("agentvigil.api.metrics", "queries.sql")
_HOUR_S: Final = 3600
_HOUR_NS: Final = _HOUR_S * 1_000_000_000
_MOST_RAW_HOURS: Final = 100
"""With more of them it is no work saved."""

_CALLS: Final = {Dimension.MODEL: Calls.MODELS, Dimension.TOOL: Calls.TOOLS}
_OF_STEPS: Final = frozenset({Dimension.MODEL, Dimension.TOOL, Dimension.FAILURE_TYPE, Dimension.FAILURE_CODE})
"""What is known of a step without its run."""

_OF_HOURS: Final = frozenset({Dimension.AGENT, Dimension.MODEL, Dimension.TOOL})


@dataclass(frozen=True, slots=True)
class CallSums:
    """Sums of the measures ``names``, over ``time`` by intervals of ``interval_s`` and by ``dimensions``."""

    project: str
    asked: SeriesAsked
    dimensions: Sequence[Dimension]
    time: TimeRange
    interval_s: int
    names: Sequence[str]

    def statement(self, reader: Reader) -> tuple[str, dict[str, Any]]:
        """Return the statement for the series, and what it binds besides all that series bind."""
        raw_hours = self._raw_hours(reader) if self._hours_tell() else None
        quantiles = Quantiles.EXACT if raw_hours is None else Quantiles.SKETCHED
        rows, values = step_rows(
            self.asked,
            self._kinds,
            with_runs=not _OF_STEPS.issuperset(self.dimensions),
            conditions="\n".join(_STATEMENTS[f"only_{dimension}"] for dimension in self._chosen_calls),
            only_hours=raw_hours is not None,
        )
        parts = put_together(
            _STATEMENTS["parts_of_steps"],
            bucket=_STATEMENTS["bucket"],
            keys=self._keys("steps"),
            measures=step_parts(self.names, quantiles),
            rows=rows,
        )
        if raw_hours is not None:
            parts = put_together(
                _STATEMENTS["parts_of_hours"],
                parts_of_steps=parts,
                hour_keys=self._keys("hours"),
                hour_measures=hour_parts(self.names),
                calls=" OR ".join(_STATEMENTS[f"hours_of_{kind}"] for kind in self._kinds),
                conditions=self._hour_conditions(),
            )
            values |= self._hour_range | {"raw_hours": raw_hours}
        sql = put_together(
            _STATEMENTS["grouped_steps"],
            measures=whole_steps(self.names, quantiles),
            parts=parts,
            key_names=", ".join(f"key_{place}" for place in range(max(len(self.dimensions), 1))),
        )
        return sql, values

    @property
    def _kinds(self) -> list[Calls]:
        return [_CALLS[dimension] for dimension in self.dimensions if dimension in _CALLS] or list(Calls)

    @property
    def _chosen_calls(self) -> list[Dimension]:
        """Whether models or tools are chosen among the calls, and not their runs alone."""
        said = {Dimension.MODEL: self.asked.model, Dimension.TOOL: self.asked.tool}
        return [dimension for dimension, values in said.items() if values and dimension in self.dimensions]

    def _keys(self, source: str) -> str:
        keys = [_STATEMENTS[f"{source}_by_{dimension}"] for dimension in self.dimensions] or [_STATEMENTS["no_group"]]
        return ", ".join(f"{key} AS key_{place}" for place, key in enumerate(keys))

    def _hours_tell(self) -> bool:
        """Say whether sums by hour, agent, model and tool are enough.

        A model or tool chooses runs; where it is what is grouped by, and that alone, the calls of it are in those runs.
        """
        told_filters = {"since", "until", "agent"}
        if len(_CALLS.keys() & set(self.dimensions)) == 1:
            told_filters |= {str(dimension) for dimension in self._chosen_calls}
        said = {name for name in RunFilters.model_fields if getattr(self.asked, name) not in (None, [])}
        span = self._hour_range
        return (
            self.interval_s % _HOUR_S == 0
            and _OF_HOURS.issuperset(self.dimensions)
            and said <= told_filters
            and span["from_hour_s"] < span["to_hour_s"]
        )

    def _hour_conditions(self) -> str:
        names = [f"hours_only_{name}" for name in ("agent", "model", "tool") if getattr(self.asked, name)]
        is_of_each = bool(names) or Dimension.AGENT in self.dimensions
        names.append("hours_of_each_run" if is_of_each else "hours_of_all_runs")
        return "\n".join(_STATEMENTS[name] for name in names)

    @property
    def _hour_range(self) -> dict[str, Any]:
        """The whole hours of the time."""
        from_ns, to_ns = self.time.nanoseconds
        return {"from_hour_s": -(-from_ns // _HOUR_NS) * _HOUR_S, "to_hour_s": to_ns // _HOUR_NS * _HOUR_S}

    def _raw_hours(self, reader: Reader) -> list[int] | None:
        """Return the hours that are read from the steps, by when they start; None if they are too many."""
        span = self._hour_range
        changed = reader.records(
            _STATEMENTS["changed_hours"], {"project": self.project, **span, "limit": _MOST_RAW_HOURS + 1}
        )
        if len(changed) > _MOST_RAW_HOURS:
            return None
        from_ns, to_ns = self.time.nanoseconds
        edges = {ns // _HOUR_NS * _HOUR_S for ns in (from_ns, to_ns) if ns % _HOUR_NS}
        return sorted(edges | {record["hour_s"] for record in changed})
