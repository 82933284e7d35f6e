"""Texts for statements that sum: which rows, and which sums of them."""

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Any, Final

from agentvigil.api.conditions import conditions_of, put_together
from agentvigil.api.runs.filters import RunFilters
from agentvigil.api.runs.reading import STATEMENTS as RUN_STATEMENTS
from agentvigil.storage.named_queries import load_queries

STATEMENTS: Final = load_queries("agentvigil.api.totals", "measures.sql")

_QUANTILES: Final = re.compile(r"^(quantiles\w+)(\([^()]*\))", re.MULTILINE)
"""How a measure begins that can not be added up."""


class Source(StrEnum):
    """What is summed."""

    RUNS = "runs"
    STEPS = "steps"


class Calls(StrEnum):
    """Which steps stand for a call."""

    MODELS = "models"
    TOOLS = "tools"


def measures(source: Source, names: Iterable[str]) -> str:
    """Return the columns for SELECT that sum rows of ``source``: each is named as the measure it is."""
    return ",\n".join(f"{STATEMENTS[f'{source}_{name}']} AS {name}" for name in names)


def partial_measures(source: Source, names: Iterable[str]) -> str:
    """Return the columns for SELECT of which :func:`whole_measures` makes those of :func:`measures`."""
    sums = {name: STATEMENTS[f"{source}_{name}"] for name in names}
    parts = {name: _QUANTILES.sub(r"\1State\2", sum_of_rows) for name, sum_of_rows in sums.items()}
    return ",\n".join(f"{part} AS {name}" for name, part in parts.items())


def whole_measures(source: Source, names: Iterable[str]) -> str:
    """Return the columns for SELECT that put together rows of :func:`partial_measures`: all but quantiles are added."""
    columns = []
    for name in names:
        quantiles = _QUANTILES.search(STATEMENTS[f"{source}_{name}"])
        whole = f"{quantiles[1]}Merge{quantiles[2]}" if quantiles else "sum"
        columns.append(f"{whole}(part.{name}) AS {name}")
    return ",\n".join(columns)


def run_rows(filters: RunFilters) -> tuple[str, dict[str, Any]]:
    """Return what follows FROM for the runs that ``filters`` let through, and the values it binds.

    It binds ``project``, ``from_ns`` and ``to_ns`` besides.
    """
    conditions, values = conditions_of(RUN_STATEMENTS, filters)
    return put_together(STATEMENTS["runs"], conditions=conditions), values


def step_rows(
    filters: RunFilters, calls: Iterable[Calls], *, with_runs: bool = False, conditions: str = ""
) -> tuple[str, dict[str, Any]]:
    """Return what follows FROM for the calls, of the kinds ``calls``, in runs that ``filters`` let through.

    The step is ``step``; ``with_runs`` joins what is known of its run, ``run``. Binds the same as :func:`run_rows`.
    """
    run_conditions, values = conditions_of(RUN_STATEMENTS, filters)
    runs = put_together(STATEMENTS["runs_of_steps"], conditions=run_conditions)
    join = put_together(STATEMENTS["join_runs"], runs_of_steps=runs) if with_runs else ""
    if run_conditions and not with_runs:
        conditions += "\n" + put_together(STATEMENTS["in_runs"], runs_of_steps=runs)
    kinds = " OR ".join(f"({STATEMENTS[f'calls_of_{kind}']})" for kind in calls)
    return put_together(STATEMENTS["steps"], join=join, calls=kinds, step_conditions=conditions), values
