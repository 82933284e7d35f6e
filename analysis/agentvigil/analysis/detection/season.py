"""The season of a stream: what the hour of the day and the weekend add, as far as the baseline shows it."""

import numpy as np

from agentvigil.analysis.detection.config import HOURS_PER_DAY, SEASONS
from agentvigil.analysis.detection.counting import Floats, Ints

# Information of hours without runs: so little that nothing of it is taken for a season.
_LEAST_KNOWN = 1e-9


def season_step(residual: Floats, information: Floats, season: Ints, dispersion: Floats) -> tuple[Floats, Floats]:
    """Return what to add to the season (48 × streams), from what is left over by hour (hours × streams).

    A Newton step towards the most likely season, shrunk by empirical Bayes twice: the 24 hours of all days to nothing,
    then working days and weekends apart to those. What is noise comes out as nothing, so an agent with few runs has no
    season and one with many has its own.

    Beside it, which part of its own left over each hour then finds in its season (hours × streams): all of it, if no
    other hour of the same season has runs and none of it is taken for noise.
    """
    left, known = _by_season(residual, season), np.maximum(_by_season(information, season), _LEAST_KNOWN)
    halves = (2, HOURS_PER_DAY, -1)
    hour_left, hour_known = left.reshape(halves).sum(axis=0), known.reshape(halves).sum(axis=0)
    of_hour = np.concatenate([_signal(hour_left, hour_known, dispersion)] * 2)
    hour_known = np.concatenate([hour_known, hour_known])
    hour = _most(of_hour * np.concatenate([hour_left, hour_left]) / hour_known)
    left -= hour * known
    of_half = _signal(left, known, dispersion)
    own = of_half / known + (1 - of_half) * of_hour / hour_known
    return hour + _most(of_half * left / known), information * own[season]


def _by_season(values: Floats, season: Ints) -> Floats:
    order = np.argsort(season, kind="stable")
    found, first = np.unique(season[order], return_index=True)
    total = np.zeros((SEASONS, values.shape[1]))
    total[found] = np.add.reduceat(values[order], first, axis=0)
    return total


def _signal(left: Floats, known: Floats, dispersion: Floats) -> Floats:
    """Return which part of ``left / known`` is no noise, by how much all differ beyond it (normal prior by moments)."""
    total = known.sum(axis=0)
    # One standard error less than they seem to: of a few events some hour always has the most. A square of normal
    # noise has the variance 2φ², and one of n events φ/n more.
    error = np.sqrt((2 * dispersion**2 + dispersion / known).sum(axis=0))
    excess = ((left**2 / known).sum(axis=0) - len(known) * dispersion - error) / total
    prior = np.maximum(excess, 0)
    return np.asarray(prior / np.maximum(prior + dispersion / known, 1e-12))


def _most(season: Floats) -> Floats:
    return np.asarray(np.clip(season, -2, 2))
