"""The season of a stream: what the hour of the day and the weekend add, as far as the baseline shows it."""

import numpy as np

from agentvigil.analysis.detection.config import HOURS_PER_DAY, SEASONS
from agentvigil.analysis.detection.counting import Floats, Ints


def season_step(residual: Floats, information: Floats, season: Ints, dispersion: Floats) -> Floats:
    """Return what to add to the season (48 × streams), from what is left over by hour (hours × streams).

    A Newton step towards the most likely season, shrunk by empirical Bayes twice: the 24 hours of all days to nothing,
    then working days and weekends apart to those. What is noise comes out as nothing, so an agent with few runs has no
    season and one with many has its own.
    """
    left, known = _by_season(residual, season), _by_season(information, season)
    halves = (2, HOURS_PER_DAY, -1)
    hour_left, hour_known = left.reshape(halves).sum(axis=0), known.reshape(halves).sum(axis=0)
    hour = _shrunk(hour_left, hour_known, dispersion)
    both = np.concatenate([hour, hour])
    return np.asarray(both + _shrunk(left - both * known, known, dispersion))


def _by_season(values: Floats, season: Ints) -> Floats:
    return np.stack([values[season == number].sum(axis=0) for number in range(SEASONS)])


def _shrunk(left: Floats, known: Floats, dispersion: Floats) -> Floats:
    """Return ``left / known``, each shrunk to 0 by how much all differ beyond noise (normal prior, by its moments)."""
    known = np.maximum(known, 1e-9)
    own = left / known
    total = known.sum(axis=0)
    # One standard error less than they seem to: of a few events some hour always has the most. A square of normal
    # noise has the variance 2φ², and one of n events φ/n more.
    error = np.sqrt((2 * dispersion**2 + dispersion / known).sum(axis=0))
    excess = ((known * own**2).sum(axis=0) - len(known) * dispersion - error) / total
    prior = np.maximum(excess, 0)
    return np.asarray(np.clip(own * prior / np.maximum(prior + dispersion / known, 1e-12), -2, 2))
