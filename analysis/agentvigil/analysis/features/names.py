"""What is counted of finished runs, and how: the features that detectors watch.

The unit is the finished run, since the spans inside one are not independent of each other.
"""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

BINS_PER_OCTAVE: Final = 8
ZERO_BIN: Final = -32_768
"""The bin of the value 0, which has no logarithm."""


class Counting(StrEnum):
    """How the rows of a feature are to be read."""

    CATEGORIES = "categories"
    """``n`` runs had ``key``, of as many as the row with the empty key says; one run may have several keys."""
    VALUES = "values"
    """``n`` runs had a value in ``bin``, and ``s`` is the sum of their values."""
    TALLY = "tally"
    """``n`` things of the kind ``key``, and ``s`` of something summed over them, as the feature says. No runs."""


class Unit(StrEnum):
    """Of values, and of sums."""

    SHARE = "share"
    SECONDS = "s"
    USD = "USD"
    TOKENS = "tokens"
    COUNT = "1"


@dataclass(frozen=True, slots=True)
class Feature:
    """One thing that is counted."""

    name: str
    counting: Counting
    unit: Unit
    words: str
    """What it is, as it stands in a sentence."""


_CATEGORIES: Final = Counting.CATEGORIES
_VALUES: Final = Counting.VALUES
_TALLY: Final = Counting.TALLY

FEATURES: Final = {
    feature.name: feature
    for feature in (
        Feature("status", _CATEGORIES, Unit.SHARE, "how runs end"),
        Feature("failure", _CATEGORIES, Unit.SHARE, "what makes runs fail"),
        Feature("tool", _CATEGORIES, Unit.SHARE, "which tools runs use"),
        Feature("tool_order", _CATEGORIES, Unit.SHARE, "which tool follows which"),
        Feature("finish_reason", _CATEGORIES, Unit.SHARE, "why models stop"),
        Feature("response_model", _CATEGORIES, Unit.SHARE, "which models answer"),
        Feature("retrieval", _CATEGORIES, Unit.SHARE, "searches that find nothing"),
        Feature("retry", _CATEGORIES, Unit.SHARE, "runs with retries"),
        Feature("tool_error", _CATEGORIES, Unit.SHARE, "runs in which a tool fails"),
        Feature("tool_switch", _CATEGORIES, Unit.SHARE, "runs that go from a failed tool to another"),
        Feature("unfounded", _CATEGORIES, Unit.SHARE, "runs that succeed on nothing found"),
        Feature("confident", _CATEGORIES, Unit.SHARE, "confident runs that are judged bad"),
        Feature("duration", _VALUES, Unit.SECONDS, "how long runs take"),
        Feature("time_to_first_chunk", _VALUES, Unit.SECONDS, "time to the first chunk"),
        Feature("cost", _VALUES, Unit.USD, "what runs cost"),
        Feature("input_tokens", _VALUES, Unit.TOKENS, "input tokens"),
        Feature("output_tokens", _VALUES, Unit.TOKENS, "output tokens"),
        Feature("steps", _VALUES, Unit.COUNT, "steps of runs"),
        Feature("sequential_share", _VALUES, Unit.SHARE, "time lost by tools that run one after another"),
        Feature("context", _TALLY, Unit.COUNT, "calls of models by how full their context is, and those that go wrong"),
        Feature("usage", _TALLY, Unit.COUNT, "calls, tokens, cost and retries by model"),
        Feature("cascade", _TALLY, Unit.COUNT, "agents after agents, and those that fail"),
    )
}
"""All features by their names. Keys, where a feature has fixed ones:

``status`` failure, partial; ``retrieval`` empty; ``retry`` any; ``tool_error`` any; ``tool_switch`` any; ``unfounded``
any; ``confident`` bad; ``context`` low, middle, high (``n`` calls, ``s`` of them followed by a failed or repeated
step); ``usage`` calls, input_tokens, output_tokens, cache_read_tokens, cost_usd, retries (``n`` runs, ``s`` the sum;
``model`` is the call's own); ``cascade`` after_failure, after_success (``n`` executions of agents, ``s`` of them
failed). The keys of ``failure`` are type and code, ``tool/timeout``; those of ``tool_order`` are ``first>second``.
"""


def is_error(feature: str, key: str) -> bool:
    """Say whether runs with ``key`` went wrong by an error: they failed, or a tool did in them."""
    return feature in ("failure", "tool_error") or (feature == "status" and key == "failure")


def bin_of(value: float) -> int:
    """Return the bin of a value that is 0 or more: an eighth of an octave wide."""
    return ZERO_BIN if value <= 0 else math.floor(BINS_PER_OCTAVE * math.log2(value))


def value_of(number: int) -> float:
    """Return the value in the middle of a bin, by the logarithm."""
    return 0.0 if number == ZERO_BIN else 2.0 ** ((number + 0.5) / BINS_PER_OCTAVE)
