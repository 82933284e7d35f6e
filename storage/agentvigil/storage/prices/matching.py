"""Turns genai-prices' rules for names into regular expressions, in the order in which they are tried.

A rule of the package is a clause: ``equals``, ``starts_with``, ``ends_with``, ``contains``, ``regex``, ``and`` or
``or``. The first model of a provider whose clause is true has the price. ClickHouse's dictionary of layout
``regexp_tree`` works the same way: the first node that matches gives the value, and a child is asked only if its
parent matched. Both know names in lower case.

Source: https://github.com/pydantic/genai-prices/blob/main/packages/python/genai_prices/types.py
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from genai_prices.types import (
    ClauseAnd,
    ClauseContains,
    ClauseEndsWith,
    ClauseEquals,
    ClauseOr,
    ClauseRegex,
    ClauseStartsWith,
    MatchLogic,
)

from agentvigil.storage.prices.errors import PackageUnknown

_LACKS: Final = re.compile(r"\^\(\?!(?P<lacking>(?:[^()\\]|\\.|\((?:[^()\\]|\\.)*\))+)\)(?P<rest>.*)")
"""The one use of a look-ahead there is in the package: at its start the name lacks what is in it."""

_GROUPS_AND_SETS: Final = re.compile(r"\\.|\[(?:\\.|[^\]])*\]|\((?:\\.|[^()])*\)")
_DATE: Final = re.compile(r"(?<=-)(20\d\d)\\?-(0[1-9]|1[0-2])\\?-(0[1-9]|[12]\d|3[01])(?=\\?[-:]|\$|\Z)")
_ANY_DATE: Final = r"-\d{4}-\d{2}-\d{2}"
_ANY_COMPACT_DATE: Final = r"-20\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
_END_OF_DATE: Final = "(?:[-:]|$)"


class UnknownClause(PackageUnknown):
    """genai-prices has a rule for names that can not be told to ClickHouse; the message quotes it."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """One way for a clause to be true: at the name's start all of ``patterns`` match, and ``lacks`` does not."""

    patterns: tuple[str, ...]
    lacks: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a rule decides: ``values`` by attribute, unless one of ``rules`` matches and gives others."""

    values: tuple[tuple[str, str], ...] = ()
    rules: tuple["Rule", ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """A node of the tree: ``pattern`` matches a whole key, then ``outcome`` holds."""

    pattern: str
    outcome: Outcome


def schedule_outcome(schedule: int) -> Outcome:
    """Return the outcome that is the rates ``schedule``; 0 is for names without a price."""
    return Outcome((("Schedule", str(schedule)),))


def alternatives(clause: MatchLogic) -> list[Alternative]:
    """Return the ways in which ``clause`` can be true.

    Raises:
        UnknownClause: if the engine can not evaluate it.
    """
    match clause:
        case ClauseOr():
            return [way for part in clause.or_ for way in alternatives(part)]
        case ClauseAnd():
            ways = [Alternative(())]
            for part in clause.and_:
                ways = [_both(one, other) for one in ways for other in alternatives(part)]
            return ways
        case ClauseEquals():
            return [Alternative((f"{_literal(clause.equals)}$",))]
        case ClauseStartsWith():
            return [Alternative((_literal(clause.starts_with),))]
        case ClauseEndsWith():
            return [Alternative((f".*{_literal(clause.ends_with)}$",))]
        case ClauseContains():
            return [Alternative((f".*{_literal(clause.contains)}",))]
        case ClauseRegex():
            return [_of_regex(clause.regex)]
        case _:
            raise UnknownClause(f"genai-prices matches names by {clause!r}, which this release does not know")


def first_match(
    prefix: str, clauses: Sequence[tuple[MatchLogic, Outcome]], *, otherwise: Outcome | None = None, dates: bool = False
) -> Iterator[Rule]:
    """Yield rules for keys that start with the pattern ``prefix``: the outcome of the first clause that is true.

    With ``dates``, a name for which none is true is tried again with a date like ``-20251211`` written
    ``-2025-12-11``, as LiteLLM's and OpenRouter's names need it. ``otherwise`` must be given if a clause says what a
    name has to lack: it is the outcome for names that have it and match nothing.

    Raises:
        UnknownClause: if the engine can not evaluate a clause.
    """
    ways = [(way, outcome) for clause, outcome in clauses for way in alternatives(clause)]
    if dates:
        ways += [(compact, outcome) for way, outcome in ways if (compact := _with_compact_dates(way)) != way]
    lacked = {way.lacks for way, _ in ways if way.lacks is not None}
    if len(lacked) > 1 or (lacked and otherwise is None):
        raise UnknownClause(f"genai-prices has a list of names that must lack several different things: {lacked}")
    for lacks in lacked:
        # For the names that have it: the list without those that must lack it, and nothing after that.
        others = [(way, outcome) for way, outcome in ways if way.lacks is None]
        assert otherwise is not None
        yield Rule(f"{prefix}{lacks}", Outcome(otherwise.values, tuple(_rules(prefix, others))))
    yield from _rules(prefix, ways)


def _rules(prefix: str, ways: Iterable[tuple[Alternative, Outcome]]) -> Iterator[Rule]:
    """Yield a rule for each way, however many have one outcome.

    The engine finds one of many plain patterns in a tenth of the time that alternatives in one pattern cost it.
    """
    for way, outcome in ways:
        *outer, last = way.patterns or ("",)
        rule = Rule(prefix + last, outcome)
        for pattern in reversed(outer):
            rule = Rule(prefix + pattern, Outcome((), (rule,)))
        yield rule


def _both(one: Alternative, other: Alternative) -> Alternative:
    if one.lacks is not None and other.lacks is not None:
        raise UnknownClause(f"genai-prices has a model whose name must lack both {one.lacks} and {other.lacks}")
    return Alternative(one.patterns + other.patterns, one.lacks or other.lacks)


def _of_regex(regex: str) -> Alternative:
    lacks, rest = None, regex
    if found := _LACKS.fullmatch(regex):
        lacks, rest = found["lacking"], f"^{found['rest']}"
    if "(?" in rest.replace("(?:", "") or "|" in _GROUPS_AND_SETS.sub("", _GROUPS_AND_SETS.sub("", rest)):
        raise UnknownClause(f"genai-prices matches names by the regular expression {regex}, which is not translated")
    pattern = rest[1:] if rest.startswith("^") else f".*{rest}"
    return Alternative((pattern,) if pattern else (), lacks)


def _literal(text: str) -> str:
    return re.escape(text.lower())


def _with_compact_dates(way: Alternative) -> Alternative:
    return Alternative(tuple(_compact(pattern) for pattern in way.patterns), way.lacks)


def _compact(pattern: str) -> str:
    compact = _DATE.sub(r"\1\2\3", pattern).replace(_ANY_DATE, _ANY_COMPACT_DATE)
    return compact + _END_OF_DATE if compact != pattern and compact[-1] in "0123456789)" else compact
