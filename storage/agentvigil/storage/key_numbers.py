"""What the views have to know of an attribute's key, as one number, so that each key is looked up once.

====== ==============================================================================================================
bits
====== ==============================================================================================================
0-3    the privacy class, see :class:`agentvigil.semconv.privacy.KeyClass`
4-10   how telling the key is of a dialect: a place in the order of dialects, or one of the ranks behind them
11-22  the code of what it says in every dialect, 0 for nothing: see :mod:`agentvigil.storage.dialect_sql`
23-30  flags, see :class:`Flag`; a key with one of the *special* flags is looked at more closely
31     set for every known key, so that 0 is none
====== ==============================================================================================================
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntFlag
from typing import Final

from agentvigil.semconv.privacy import key_classes
from agentvigil.storage.literals import array, quote

RANK_SHIFT: Final = 4
CODE_SHIFT: Final = 11
_KNOWN: Final = 1 << 31

AI_RANK: Final = 50
"""Rank of a key that tells that a span is about AI, but not in which dialect."""
NO_RANK: Final = 99


class Flag(IntFlag):
    """What else a key is."""

    OWN = 1 << 23
    """Some dialect means something of its own by it."""
    DERIVED = 1 << 24
    """Other keys are made of it: parts of a JSON, a second meaning."""
    OPERATION = 1 << 25
    """It names a kind of span."""
    PROMPT = 1 << 26
    """It holds what makes an agent the one it is, or tells where that stands."""
    DOCUMENT = 1 << 27
    """It counts documents that a retrieval brought."""
    MARK = 1 << 28
    """Its value may tell the dialect."""
    ERROR = 1 << 29
    """Its value may mean an error."""
    MODEL = 1 << 30
    """It names a model, which is a part of what an agent is."""


SPECIAL: Final = Flag.DERIVED | Flag.OPERATION | Flag.PROMPT | Flag.DOCUMENT | Flag.MARK | Flag.ERROR | Flag.MODEL


@dataclass(frozen=True, slots=True)
class KeyMeanings:
    """What the dialects say of keys: whole ones, and families of them by their beginning up to the first dot."""

    ranks: Mapping[str, int]
    codes: Mapping[str, int]
    flags: Mapping[str, Flag]
    family_ranks: Mapping[str, int] = field(default_factory=dict)

    def number_of(self, key: str) -> int:
        """The number of a known key."""
        family = f"{key.partition('.')[0]}." if "." in key else ""
        rank = min(self.ranks.get(key, NO_RANK), self.family_ranks.get(family, NO_RANK))
        flags = self.flags.get(key, Flag(0))
        return _KNOWN | flags | self.codes.get(key, 0) << CODE_SHIFT | rank << RANK_SHIFT | key_classes().of(key)


def key_number_placeholders(meanings: KeyMeanings) -> dict[str, str]:
    """SQL by placeholder: the keys and their numbers, what makes the number of any other key, and every bit's place."""
    classes = key_classes()
    keys = list(dict.fromkeys([*classes.keys, *meanings.ranks, *meanings.codes, *meanings.flags]))
    return {
        "known_keys": f"splitByChar(',', {quote(','.join(keys))})",
        "known_key_numbers": array(meanings.number_of(key) for key in keys),
        "rank_families": array(meanings.family_ranks),
        "rank_family_numbers": array(rank << RANK_SHIFT for rank in meanings.family_ranks.values()),
        "no_rank_number": str(NO_RANK << RANK_SHIFT),
        "ai_rank": str(AI_RANK),
        "no_rank": str(NO_RANK),
        "rank_shift": str(RANK_SHIFT),
        "code_shift": str(CODE_SHIFT),
        "special_flags": str(int(SPECIAL)),
        **{f"{flag.name.lower()}_flag": str(int(flag)) for flag in Flag if flag.name},
    }
