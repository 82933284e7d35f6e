"""How far each bet leans. All streams have as many bets, so that they fit one array."""

from typing import Final

import numpy as np

from agentvigil.analysis.detection.config import NEW_KEY_TILTS, TILTS
from agentvigil.analysis.detection.counting import Floats

_FAST: Final = TILTS[-3:]
ORDINARY: Final[Floats] = np.array([*TILTS, *(-tilt for tilt in TILTS), *_FAST, *(-tilt for tilt in _FAST)])
NEW_KEYS: Final[Floats] = np.array([*NEW_KEY_TILTS, *NEW_KEY_TILTS])
BETS: Final = len(ORDINARY)
"""Sixteen: ten slow ones, then six fast ones; of new keys eight and eight."""
FAST_FROM: Final = 2 * len(TILTS)
NEW_KEYS_FAST_FROM: Final = len(NEW_KEY_TILTS)
