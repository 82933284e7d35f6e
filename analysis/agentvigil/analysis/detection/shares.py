"""Shares and means of the baseline by input class: shrunk to those of all classes, as far as classes are alike."""

from dataclasses import dataclass

import numpy as np

from agentvigil.analysis.detection.config import DetectionConfig
from agentvigil.analysis.detection.counting import Floats

# How many runs a class counts beside the prior where classes do not differ at all, at least.
_LEAST_PRIOR_RUNS = 1.0
# A class that was never seen may lie as far from the mean of classes as 19 of 20 do.
_UNSEEN_SDS = 2.0


@dataclass(frozen=True, slots=True)
class Shares:
    """By stream and input class, the last being any class without numbers of its own."""

    share: Floats
    variance: Floats


def shares_of(hits: Floats, runs: Floats, dispersion: Floats, config: DetectionConfig) -> Shares:
    """Return the probability of a hit by class, and the variance of its error. ``hits`` and ``runs`` are S × (C + 1).

    Empirical Bayes with a beta prior: its mean is the share in all runs, and it counts for as many runs as the classes'
    own spread says (DerSimonian and Laird's estimate of the variance between groups,
    https://doi.org/10.1016/0197-2456(86)90046-2). The error of a class is that of its own runs all the same: that two
    classes are alike tells little of a third with a few runs. As long as the mix is that of the baseline, the errors of
    classes come to that of all runs together, so this is paid for where a rare class becomes common.
    """
    all_hits, all_runs = hits.sum(axis=1), np.maximum(runs.sum(axis=1), 1)
    mean = (all_hits + 0.5) / (all_runs + 1)
    one = mean * (1 - mean)
    prior, doubted = _prior_runs(hits / np.maximum(runs, 1), runs, mean, one * dispersion, config)
    share = (hits + prior[:, None] * mean[:, None]) / (runs + prior[:, None])
    share = np.where(runs > 0, share, mean[:, None])
    variance = dispersion[:, None] * np.maximum(share * (1 - share), one[:, None] / 4) / (runs + _LEAST_PRIOR_RUNS)
    alike = dispersion * one / all_runs
    variance = np.maximum(variance, alike[:, None])
    share[:, -1] = mean
    variance[:, -1] = alike + _UNSEEN_SDS**2 * dispersion * one / doubted
    return Shares(share, variance)


def mean_errors(
    center: Floats, scale: Floats, runs: Floats, dispersion: float, config: DetectionConfig
) -> tuple[Floats, Floats]:
    """Return the means of classes, shrunk, and the variances of their errors in units of each class's own variance.

    All are arrays of C + 1, the last being any other class, for which the runs of all stand in.
    """
    known, total = runs[:-1], max(float(runs.sum()), 1.0)
    mean = float((center * runs).sum() / total)
    within = float((scale**2 * runs).sum() / total)
    own = center[None, :]
    prior, doubted = _prior_runs(own, runs[None, :], np.array([mean]), np.array([within * dispersion]), config)
    shrunk = (center * runs + prior[0] * mean) / (runs + prior[0])
    variance = dispersion * np.maximum(within, scale**2) / (runs + _LEAST_PRIOR_RUNS)
    variance = np.maximum(variance, dispersion * within / total)
    shrunk[-1] = mean
    variance[-1] = dispersion * within / total + _UNSEEN_SDS**2 * dispersion * within / doubted[0]
    if not len(known):
        shrunk[:] = mean
    return shrunk, variance / np.maximum(scale**2, 1e-9)


def _prior_runs(
    own: Floats, runs: Floats, mean: Floats, sampling: Floats, config: DetectionConfig
) -> tuple[Floats, Floats]:
    """Return for how many runs the mean of all counts: as classes seem to differ, and as they may at worst.

    Classes that do not seem to differ may still do so: a few runs of each can not tell. So the error of a class that
    was never seen allows for one standard error more of what differs. ``sampling`` is the variance of one run, with its
    dispersion.
    """
    total = np.maximum(runs.sum(axis=1), 1)
    more = np.maximum((runs > 0).sum(axis=1) - 1, 0)
    spread = (runs * (own - mean[:, None]) ** 2).sum(axis=1)
    weight = np.maximum(total - (runs**2).sum(axis=1) / total, 1)
    between = (spread - more * sampling) / weight
    error = np.sqrt(2 * more) * sampling / weight
    prior, doubted = (sampling / np.maximum(one, 1e-12) for one in (between, np.maximum(between, 0) + error))
    return (
        np.clip(np.where(more > 0, prior, np.inf), _LEAST_PRIOR_RUNS, config.max_class_prior_runs),
        np.clip(doubted, _LEAST_PRIOR_RUNS, None),
    )


def new_key_share(seen_once: Floats, runs: Floats) -> Floats:
    """Return how likely a run has a key that was never seen: Good and Turing's estimate of the missing mass.

    One more than the keys seen once, so that it is not 0 where there are none. I. J. Good, *The population frequencies
    of species*, https://doi.org/10.1093/biomet/40.3-4.237.
    """
    return np.asarray((seen_once + 1) / (runs + 1))
