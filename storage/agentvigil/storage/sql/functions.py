"""Which functions a query may call: the names of ``functions.txt``, and aggregates of it with combinators."""

import importlib.resources
from functools import cache
from typing import Final

COMBINATORS: Final = (
    "SimpleState",
    "OrDefault",
    "Distinct",
    "Resample",
    "ForEach",
    "ArgMax",
    "ArgMin",
    "OrNull",
    "Tuple",
    "Merge",
    "State",
    "Array",
    "Null",
    "Map",
    "If",
)
"""Suffixes of aggregate functions, as ``system.aggregate_function_combinators`` of 26.9 lists them.

They go on any allowed name, also one that is no aggregate: the engine knows no such function then, and says so.
"""

SYNTAX: Final = frozenset({"lambda", "exists", "untuple", "grouping"})
"""What the parser itself turns into a function node; ``system.functions`` does not list these."""

SET_FUNCTIONS: Final = frozenset(
    prefix + name + suffix
    for prefix in ("", "global")
    for name in (("in", "notIn", "nullIn", "notNullIn") if not prefix else ("In", "NotIn", "NullIn", "NotNullIn"))
    for suffix in ("", "IgnoreSet")
)
"""``IN`` in all its spellings: the right side may be a table's bare name."""

TABLE_FUNCTIONS: Final = frozenset(
    {"numbers", "numbers_mt", "zeros", "zeros_mt", "generateSeries", "generate_series", "values"}
)
"""Table functions that make rows out of their arguments and nothing else."""


@cache
def allowed_functions() -> tuple[frozenset[str], frozenset[str]]:
    """Names that must be spelled exactly, and (in lower case) names whose case the engine ignores."""
    text = (importlib.resources.files("agentvigil.storage.sql") / "functions.txt").read_text(encoding="utf-8")
    lines = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    return frozenset(line[0] for line in lines), frozenset(line[0].lower() for line in lines if len(line) > 1)


def may_call(name: str) -> bool:
    """Tell whether a query may call ``name``: listed, or listed once its combinators are taken off."""
    exact, any_case = allowed_functions()
    while True:
        if name in exact or name in SYNTAX or name.lower() in any_case:
            return True
        suffix = next((suffix for suffix in COMBINATORS if name.endswith(suffix) and len(name) > len(suffix)), None)
        if suffix is None:
            return False
        name = name.removesuffix(suffix)
