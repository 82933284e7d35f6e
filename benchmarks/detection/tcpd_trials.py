"""Our bets as a segmenter of the Turing series, beside published methods.

These series are not what the detector is made for: they are short, have one value at a time, wander, and are to be cut
in hindsight. So this shows its principle alone: the first 20 values after a change are the baseline, with a dispersion
from their own autocorrelation; the bets that the detector makes on means go over the rest, forwards only; where the
evidence reaches A = 720, the running likelihood says when it began, and from there it all begins anew. Nothing was
chosen by looking at these series.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from reporting import table
from tcpd import PUBLISHED, Published, covering, f1, series

from agentvigil.analysis.detection import DetectionConfig, Hours
from agentvigil.analysis.detection.bets import grown
from agentvigil.analysis.detection.config import TILTS

Floats = NDArray[np.float64]

BASELINE = 20
FARTHEST = 6.0
"""Standard deviations at which a value is clipped, so that no single one decides."""


@dataclass(frozen=True)
class Scored:
    """One series."""

    name: str
    found: list[int]
    f1: float
    covering: float
    published: Published


def changes(values: Floats) -> list[int]:
    """Return the places (of n) at which something new begins in a series (n, d)."""
    found: list[int] = []
    start = 0
    while (place := _next_change(values[start:])) is not None:
        start += place
        found.append(start)
    return found


def _next_change(values: Floats) -> int | None:
    baseline, rest = values[:BASELINE], values[BASELINE:]
    if not len(rest):
        return None
    centre = baseline.mean(axis=0)
    spread = np.maximum(baseline.std(axis=0, ddof=1), 1e-9 * (1 + np.abs(centre)))
    again = np.clip(((baseline[1:] - centre) * (baseline[:-1] - centre)).mean(axis=0) / spread**2, 0.0, 0.9)
    dispersion = (1 + again) / (1 - again)
    z = np.clip((rest - centre) / spread, -FARTHEST, FARTHEST)
    tilts = np.array([*TILTS, *(-tilt for tilt in TILTS)])[:, None, None]
    reach = np.sqrt(dispersion / BASELINE) + DetectionConfig().margin_sd
    log_e = (tilts * z - tilts**2 / 2 - np.abs(tilts) * reach) / dispersion
    log_r = np.full((len(tilts), z.shape[1]), -np.inf)
    evidence = np.zeros(len(z))
    for place, paid in enumerate(np.moveaxis(log_e, 1, 0)):
        log_r = grown(log_r, paid, np.ones(z.shape[1], np.bool_))
        evidence[place] = np.exp(log_r).mean()
    alarms = np.flatnonzero(evidence >= Hours.EAGER)
    if not len(alarms):
        return None
    # The likelihood of a change at each place before the alarm, by the bet and the stream for which it is largest.
    since = np.cumsum(log_e[:, : alarms[0] + 1][:, ::-1], axis=1)[:, ::-1]
    return BASELINE + int(since.max(axis=(0, 2)).argmax())


def scores() -> list[Scored]:
    """Return the scores of all series."""
    scored = []
    for one in series():
        found = changes(one.values)
        score = f1(one.marks, found), covering(one.marks, found, len(one.values))
        scored.append(Scored(one.name, found, *score, PUBLISHED[one.name]))
    return scored


def told(scored: list[Scored]) -> str:
    """Return F1 and covering of ours beside those that were published."""
    rows = [
        [
            one.name,
            f"{one.f1:.2f} / {one.covering:.2f}",
            *(
                "n/a" if score is None else f"{score[0]:.2f} / {score[1]:.2f}"
                for score in (one.published.zero, one.published.bocpd, one.published.pelt, one.published.ecp)
            ),
        ]
        for one in scored
    ]
    return table(["series (F1 / covering)", "our bets", "finding nothing", "BOCPD", "PELT", "ECP"], rows)
