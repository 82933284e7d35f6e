"""What is fitted to hours is missing from what is left of them, and by how much is known."""

import numpy as np
import pytest

from agentvigil.analysis.detection.expecting import season_of
from agentvigil.analysis.detection.season import season_step
from simulated_agents import START

DAYS, STREAMS = 14, 400
HOURS = START + np.arange(24 * DAYS)
NOISE = 6.0
"""Variance of residuals, relative to what the season is told it is."""


def left_over(information: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return residuals of streams without a season after one was fitted to them twice, and what was left free of it."""
    rng = np.random.default_rng(seed)
    residual = rng.normal(0, np.sqrt(NOISE * information))
    free = np.ones_like(residual)
    for _ in range(2):
        season, own = season_step(residual, information, season_of(HOURS), np.ones(STREAMS))
        residual, free = residual - information * season[season_of(HOURS)], free * (1 - own)
    return residual, free


@pytest.mark.parametrize("burst", [1.0, 30.0])
def test_what_a_season_took_from_hours_is_known(burst: float) -> None:
    """A season that takes wander for its own leaves a variance that is too small, the more so where one hour rules."""
    information = np.full((len(HOURS), STREAMS), 50.0)
    information[5::97] *= burst

    residual, free = left_over(information, 1)
    squares = (residual**2).sum()

    assert squares / information.sum() < 0.9 * NOISE
    assert squares / (information * free).sum() == pytest.approx(NOISE, rel=0.06)


def test_noise_has_hardly_a_season_and_loses_hardly_anything() -> None:
    """Where hours vary by what they are said to, next to nothing is fitted, so next to nothing is missing."""
    information = np.full((len(HOURS), STREAMS), 50.0)
    residual = np.random.default_rng(2).normal(0, np.sqrt(information))

    season, own = season_step(residual, information, season_of(HOURS), np.ones(STREAMS))

    fitted = residual.reshape(DAYS, 24, STREAMS).mean(axis=0) / 50
    assert (season**2).mean() < 0.1 * (fitted**2).mean()
    assert 0 <= own.min() <= own.mean() < 0.01


def test_a_season_is_found_and_an_hour_that_is_alone_in_it_is_taken_whole() -> None:
    """Working days wave, weekends do not, and one of all working days has runs at three in the morning."""
    at = season_of(HOURS)
    wave = np.where(np.arange(48) < 24, 0.3 * np.sin(2 * np.pi * np.arange(48) / 24), 0)
    information = np.full((len(HOURS), 1), 400.0)
    threes = np.flatnonzero(at == 3)
    information[threes[1:]] = 0

    season, own = season_step(information * wave[at, None], information, at, np.ones(1))

    others = np.arange(48) != 3
    assert season[others, 0] == pytest.approx(wave[others], abs=0.015)
    assert 0.8 < own[threes[0], 0] <= 1
    assert np.all(own[threes[1:]] == 0)
    assert np.all(own[at == 4] < 0.15)
