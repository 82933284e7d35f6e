"""How far each bet leans. All streams have as many bets, so that they fit one array."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from agentvigil.analysis.detection.config import NEW_KEY_TILTS, SUDDEN_TILTS, SUDDEN_WEIGHTS, TILTS
from agentvigil.analysis.detection.counting import Bools, Floats, Ints


def _both_ways(tilts: tuple[float, ...]) -> tuple[float, ...]:
    return (*tilts, *(-tilt for tilt in tilts))


ORDINARY: Final[Floats] = np.array(_both_ways(TILTS))
NEW_KEYS: Final[Floats] = np.array((*NEW_KEY_TILTS, *NEW_KEY_TILTS[-2:]))
BETS: Final = len(ORDINARY)
"""Ten."""
SUDDEN: Final[Ints] = np.array([np.flatnonzero(tilt == ORDINARY)[0] for tilt in _both_ways(SUDDEN_TILTS)])
"""Those that are made on sudden shifts as well: six."""
SUDDEN_WEIGHT: Final[NDArray[np.float32]] = np.array([weight / 2 for weight in SUDDEN_WEIGHTS * 2], dtype=np.float32)
"""What each of these weighs; 1 together."""


def _mirror(tilts: Floats) -> Ints:
    return np.array([np.flatnonzero(-tilt == tilts)[0] for tilt in tilts])


MIRROR: Final[Ints] = _mirror(ORDINARY)
"""The bet that leans as far the other way."""
SUDDEN_MIRROR: Final[Ints] = _mirror(ORDINARY[SUDDEN])
"""The same among the bets on sudden shifts."""
UPWARDS: Final[Bools] = np.concatenate([ORDINARY, ORDINARY[SUDDEN]]) > 0
"""Of all bets, those on sudden shifts after the others."""
