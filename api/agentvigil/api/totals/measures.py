"""Texts for statements that sum: which rows, and which sums of them."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, Final

from agentvigil.analysis.rollups.calls import CALLS, Quantiles, part, whole
from agentvigil.api.conditions import conditions_of, put_together
from agentvigil.api.runs.filters import RunFilters
from agentvigil.api.runs.reading import STATEMENTS as RUN_STATEMENTS
from agentvigil.storage.named_queries import load_queries

STATEMENTS: Final = load_queries("agentvigil.api.totals", "measures.sql") | CALLS


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


def step_parts(names: Iterable[str], quantiles: Quantiles) -> str:
    """Return the columns for SELECT that sum steps to parts, each named as the measure it is part of."""
    return ",\n".join(f"{part(STATEMENTS[f'steps_{name}'], quantiles)} AS {name}" for name in names)


def hour_parts(names: Iterable[str]) -> str:
    """Return the same of rows of agent_step_hours, whose quantiles are sketched."""
    return ",\n".join(f"{STATEMENTS[f'hours_{name}']} AS {name}" for name in names)


def whole_steps(names: Iterable[str], quantiles: Quantiles) -> str:
    """Return the columns for SELECT that put parts of steps together; they are rows of ``part``."""
    return ",\n".join(f"{whole(STATEMENTS[f'steps_{name}'], f'part.{name}', quantiles)} AS {name}" for name in names)


def run_rows(filters: RunFilters) -> tuple[str, dict[str, Any]]:
    """Return what follows FROM for the runs that ``filters`` let through, and the values it binds.

    It binds ``project``, ``from_ns`` and ``to_ns`` besides.
    """
    conditions, values = conditions_of(RUN_STATEMENTS, filters)
    return put_together(STATEMENTS["runs"], conditions=conditions), values


def step_rows(
    filters: RunFilters,
    calls: Iterable[Calls],
    *,
    with_runs: bool = False,
    conditions: str = "",
    only_hours: bool = False,
) -> tuple[str, dict[str, Any]]:
    """Return what follows FROM for the calls, of the kinds ``calls``, in runs that ``filters`` let through.

    The step is ``step``; ``with_runs`` joins what is known of its run, ``run``. Binds the same as :func:`run_rows`, and
    ``raw_hours`` for ``only_hours``: seconds since 1970, each the start of an hour that steps are read of.
    """
    run_conditions, values = conditions_of(RUN_STATEMENTS, filters)
    join = ""
    if with_runs or run_conditions:
        conditions += "\n" + STATEMENTS["only_near_run"]
        run_conditions += "\n" + STATEMENTS["runs_of_hours"] if only_hours else ""
        runs = put_together(STATEMENTS["runs_of_steps"], conditions=run_conditions)
        join = put_together(STATEMENTS["join_runs"], runs_of_steps=runs)
    if only_hours:
        conditions += "\n" + STATEMENTS["steps_of_hours"]
    sql = put_together(STATEMENTS["steps"], join=join, calls=kinds_of(calls), step_conditions=conditions)
    return put_together(sql, run_of_step=STATEMENTS["run_of_step"]), values


def kinds_of(calls: Iterable[Calls]) -> str:
    """Return the condition that a step stands for a call of one of these kinds."""
    return " OR ".join(f"({STATEMENTS[f'calls_of_{kind}']})" for kind in calls)
