"""How far each bet leans, and for how long it lasts. All streams have as many bets, so that they fit one array."""

from typing import Final

import numpy as np

from agentvigil.analysis.detection.config import NEW_KEY_TILTS, TILTS, WINDOWS_HOURS
from agentvigil.analysis.detection.counting import Floats, Ints

_STRONG: Final = TILTS[2:]
"""What a few hours can show at all."""
_MIDDLE: Final = TILTS[1:4]


def _both_ways(tilts: tuple[float, ...]) -> tuple[float, ...]:
    return (*tilts, *(-tilt for tilt in tilts))


ORDINARY: Final[Floats] = np.array([*_both_ways(TILTS), *_both_ways(_STRONG), *_both_ways(_MIDDLE)])
_NEW: Final = dict(zip(_both_ways(TILTS), (*NEW_KEY_TILTS, *NEW_KEY_TILTS[-2:]), strict=True))
NEW_KEYS: Final[Floats] = np.array([_NEW[tilt] for tilt in ORDINARY.tolist()])
"""Bets that lean alike in other streams do so in those of new keys as well."""
BETS: Final = len(ORDINARY)
"""Twenty-two: ten without an end, then six of each window."""
WINDOW: Final[Ints] = np.repeat((0, *WINDOWS_HOURS), (2 * len(TILTS), 2 * len(_STRONG), 2 * len(_MIDDLE)))
"""Hours after which a bet begins anew; 0 for one that never does."""
MIRROR: Final[Ints] = np.array(
    [np.flatnonzero((-tilt == ORDINARY) & (window == WINDOW))[0] for tilt, window in zip(ORDINARY, WINDOW, strict=True)]
)
"""The bet that leans as far the other way for as long."""
