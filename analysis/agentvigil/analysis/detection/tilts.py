"""How far each bet leans, and for how long it lasts. All streams have as many bets, so that they fit one array."""

from typing import Final

import numpy as np

from agentvigil.analysis.detection.config import NEW_KEY_TILTS, TILTS, WINDOWS_HOURS
from agentvigil.analysis.detection.counting import Floats, Ints

_STRONG: Final = TILTS[2:]
"""What a window of hours can show at all."""
_STRONG_NEW: Final = NEW_KEY_TILTS[2:]

ORDINARY: Final[Floats] = np.array([*TILTS, *(-tilt for tilt in TILTS), *(_STRONG + tuple(-t for t in _STRONG)) * 2])
NEW_KEYS: Final[Floats] = np.array([*NEW_KEY_TILTS, *NEW_KEY_TILTS[-2:], *_STRONG_NEW * 2])
BETS: Final = len(ORDINARY)
"""Twenty-two: ten without an end, then six of each window."""
WINDOW: Final[Ints] = np.repeat((0, *WINDOWS_HOURS), (2 * len(TILTS), 2 * len(_STRONG), 2 * len(_STRONG)))
"""Hours after which a bet begins anew; 0 for one that never does."""
