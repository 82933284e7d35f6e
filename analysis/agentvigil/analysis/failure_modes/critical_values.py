"""How many standard errors it takes: upper quantiles of Student's distribution, for few days as for many."""

import math
from functools import lru_cache
from typing import Final

import numpy as np

LEAST_DEGREES: Final = 3
_POINTS: Final = 20_001


@lru_cache(maxsize=4_096)
def student_t(tail: float, degrees: int) -> float:
    """Return the value that is exceeded with the chance ``tail``, less than a half, for ``degrees`` of freedom.

    With t = sqrt(degrees) tan θ the density becomes cos θ to the power of degrees - 1, between right angles, which is
    summed up over even steps of θ from the middle to where hardly anything remains. Right to three digits for tails
    from 1e-9 on.

    Raises:
        ValueError: if ``tail`` or ``degrees`` is out of range.
    """
    if not 0 < tail < 0.5 or degrees < LEAST_DEGREES:
        raise ValueError(f"no Student quantile for tail {tail} and {degrees} degrees: 0 < tail < 0.5, degrees >= 3")
    # Beyond, the density is below 1e-18 of its height.
    widest = math.pi / 2 if degrees < 40 else min(math.pi / 2, math.acos(10 ** (-18 / (degrees - 1))))
    theta = np.linspace(0.0, widest, _POINTS)
    density = np.cos(theta) ** (degrees - 1)
    steps = (density[1:] + density[:-1]) / 2
    # From the far end, so that a small tail is a sum of small numbers and not a difference of large ones.
    upper = np.concatenate([np.cumsum(steps[::-1])[::-1], [0.0]])
    upper *= 0.5 / upper[0]
    at = float(np.interp(-math.log(tail), -np.log(np.maximum(upper, 1e-300)), theta))
    return math.sqrt(degrees) * math.tan(at)
