"""A bet is fair under the null, which is what all promises of the detector rest on."""

from dataclasses import dataclass, field
from itertools import product
from math import comb
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from agentvigil.analysis.detection.bets import grown, log_bets, most_of_path, path
from agentvigil.analysis.detection.config import MEMORY, SEASONS, DetectionConfig
from agentvigil.analysis.detection.counting import Layout
from agentvigil.analysis.detection.expecting import Expected, Null
from agentvigil.analysis.detection.streams import Plan, Stream, StreamKind
from agentvigil.analysis.detection.tilts import BETS, MIRROR, NEW_KEYS, ORDINARY
from agentvigil.analysis.features.cells import Subject

CONFIG = DetectionConfig()
STREAMS = (
    Stream("status", StreamKind.KEY, key="failure"),
    Stream("status", StreamKind.KEY, key="partial"),
    Stream("status", StreamKind.NEW),
    Stream("duration", StreamKind.ABOVE, edge_bin=8, level=0.5),
    Stream("duration", StreamKind.MEAN),
)
KEY, OTHER_KEY, NEW, ABOVE, MEAN, PAIR = range(6)
# A skewed distribution with mean 0 and standard deviation 1, as clipped logarithms may have.
DEVIATIONS = np.array([-1.0, 0.0, 2.0])
CHANCES = np.array([0.4, 0.4, 0.2])
DEVIATIONS = (DEVIATIONS - CHANCES @ DEVIATIONS) / np.sqrt(CHANCES @ DEVIATIONS**2 - (CHANCES @ DEVIATIONS) ** 2)


@dataclass(frozen=True)
class Given:
    """Numbers of one subject with one input class, and any other."""

    dispersion: float = 1.0
    wander: float = 0.0
    pair: float = 1.0
    variance: NDArray[np.float64] = field(default_factory=lambda: np.zeros((5, 2)))
    class_share: NDArray[np.float64] = field(default_factory=lambda: np.ones(4))
    share: ClassVar = np.full((5, 2), 0.1)
    common_error: ClassVar = np.zeros(5)
    season: ClassVar = np.zeros((SEASONS, 5))
    center: ClassVar = np.zeros(4)
    scale: ClassVar = np.ones(4)

    @property
    def constant(self) -> NDArray[np.float64]:
        return np.full(5, self.dispersion)

    @property
    def by_day(self) -> NDArray[np.float64]:
        return np.full(5, self.wander)

    @property
    def by_hour(self) -> NDArray[np.float64]:
        return np.full(5, self.wander / 10)

    hour_runs: ClassVar = np.full(2, 10.0)
    day_runs: ClassVar = np.full(2, 240.0)
    day_hours: ClassVar = np.full(2, 24.0)

    @property
    def pair_dispersion(self) -> NDArray[np.float64]:
        return np.full(1, self.pair)

    @property
    def cumulants(self) -> NDArray[np.float64]:
        found = np.zeros((BETS, 5))
        found[:, MEAN] = np.log(np.exp(np.outer(ORDINARY, DEVIATIONS)) @ CHANCES)
        return found


def null_of(numbers: Given) -> Null:
    plan = Plan(Subject("", "", "a"), ("",), (), STREAMS, {"status": ()}, {"duration": (0, 16)})
    return Null(Layout([plan]), [numbers], CONFIG)


def paid(null: Null, runs: float, hits: float, log_odds: float = 0.0) -> NDArray[np.float64]:
    """Return what each bet pays on each stream and pair for the same runs and hits: bets × columns."""
    one = np.ones((1, 5))
    level = np.where(null.layout.is_mean, 0.0, log_odds) * one
    return np.exp(log_bets(null, Expected(runs * one, hits * one, level, 0 * one, one)))[:, 0]


def shifted(share: float, log_odds: float) -> float:
    odds = share / (1 - share) * np.exp(log_odds)
    return float(odds / (1 + odds))


@pytest.mark.parametrize("share", [0.001, 0.05, 0.5, 0.97])
@pytest.mark.parametrize("runs", [1, 3, 12])
@pytest.mark.parametrize("dispersion", [1.0, 2.5])
def test_no_bet_on_a_share_gains_inside_the_margin(share: float, runs: int, dispersion: float) -> None:
    """All outcomes are gone through, at both edges of the null interval and in its middle."""
    null = null_of(Given(dispersion))
    level = float(np.log(share / (1 - share)))
    for moved in (-CONFIG.margin_log_odds, 0.0, CONFIG.margin_log_odds):
        true = shifted(share, moved)
        expectation = sum(
            comb(runs, hits) * true**hits * (1 - true) ** (runs - hits) * paid(null, runs, hits, level)
            for hits in range(runs + 1)
        )

        assert (np.asarray(expectation)[:, [KEY, NEW, ABOVE]] <= 1 + 1e-9).all()


def test_a_bet_at_its_edge_is_exactly_fair() -> None:
    """A margin that is wider than said would hide what it should show."""
    null = null_of(Given())
    true = shifted(0.2, CONFIG.margin_log_odds)
    expectation = (1 - true) * paid(null, 1, 0, np.log(0.25)) + true * paid(null, 1, 1, np.log(0.25))

    assert expectation[ORDINARY > 0, KEY] == pytest.approx(1)
    assert expectation[NEW_KEYS > 0, NEW] == pytest.approx(1)


def test_runs_that_differ_do_not_gain() -> None:
    """Input classes have shares of their own; only their mean is bet against."""
    null = null_of(Given())
    shares = (0.02, 0.3, 0.58)
    level = float(np.log(np.mean(shares) / (1 - np.mean(shares))))
    expectation = 0.0
    for hits in product((0, 1), repeat=3):
        chance = np.prod([share if hit else 1 - share for share, hit in zip(shares, hits, strict=True)])
        expectation = expectation + chance * paid(null, 3, sum(hits), level)

    assert (np.asarray(expectation)[:, [KEY, NEW, ABOVE]] <= 1).all()


@pytest.mark.parametrize("moved", [-CONFIG.margin_sd, 0.0, CONFIG.margin_sd])
def test_no_bet_on_a_mean_gains_inside_the_margin(moved: float) -> None:
    """Whatever the form of the baseline's distribution: its own cumulants are what is paid against."""
    null = null_of(Given())
    expectation = np.zeros(BETS)
    for outcome in product(range(3), repeat=4):
        total = sum(DEVIATIONS[place] + moved for place in outcome)
        expectation += np.prod([CHANCES[place] for place in outcome]) * paid(null, 4, total)[:, MEAN]

    assert (expectation <= 1 + 1e-9).all()


def test_wander_slows_bets_as_much_more_as_there_are_more_runs() -> None:
    """An agent that is asked three times as often wanders as far, and three times as many runs show it."""
    for more in (1, 3):
        still, wandering = (
            np.log(paid(null_of(Given(wander=wander)), 10 * more, 9 * more, np.log(0.25))[:, KEY])
            for wander in (0.0, 2.4)
        )

        # As many runs as the usual hour has: 0.24 by the hour, and by the day as much as days remember each other.
        assert still / wandering == pytest.approx(1 + more * (0.24 + 2.4 * MEMORY))


@pytest.mark.parametrize("busier", [0.3, 1.0, 3.0, 9.0])
def test_more_errors_of_estimates_are_allowed_where_more_runs_show_them(busier: float) -> None:
    """Three times as many runs as the baseline's hours had are evidence against its error three times as soon."""
    uncertain = Given(variance=np.full((5, 2), 1e-4))
    runs = np.array([[10 * busier, 0.0] * 2])

    expected = null_of(uncertain).compare(runs, np.zeros((1, 5)), np.zeros((1, 5)))

    allowed = expected.error[0, [KEY, MEAN]] / np.array([1e-2 / (0.1 * 0.9), 1e-2])
    assert allowed == pytest.approx(3 - 2 / np.sqrt(max(busier, 1)))


@pytest.mark.parametrize(("usual", "allowed"), [(0.25, 3), (0.04, 4), (0.0025, 4.75)])
def test_more_are_allowed_where_a_rare_class_is_common(usual: float, allowed: float) -> None:
    """Three are, since ten thousand times as many runs come in the hour, and more from 2.25 times as common on."""
    uncertain = Given(variance=np.full((5, 2), 1e-4), class_share=np.array([usual, np.inf] * 2))
    runs = np.array([[1e5, 0.0] * 2])

    expected = null_of(uncertain).compare(runs, np.zeros((1, 5)), np.zeros((1, 5)))

    assert expected.error[0, MEAN] / 1e-2 == pytest.approx(allowed, rel=0.005)


def test_a_bet_on_a_pair_is_the_product_of_opposite_bets() -> None:
    """So it is fair where both are, and the keys are independent; else it is slowed by how far they are not."""
    null = null_of(Given())
    up, down = paid(null, 40, 16, np.log(0.25))[:, KEY], paid(null, 40, 2, np.log(0.25))[MIRROR, OTHER_KEY]
    hits = np.array([[16.0, 2.0, 0.0, 0.0, 0.0]])
    one = np.ones((1, 5))
    expected = Expected(40 * one, hits, np.where(null.layout.is_mean, 0.0, np.log(0.25)) * one, 0 * one, one)

    together = np.exp(log_bets(null, expected))[:, 0, PAIR]
    dependent = log_bets(null_of(Given(pair=1.5)), expected)[:, 0, PAIR]

    assert together == pytest.approx(up * down)
    assert (together[ORDINARY == 0.8] > np.maximum(up, down)[ORDINARY == 0.8]).all()
    assert dependent == pytest.approx(np.log(up * down) / 1.5)


def test_no_runs_pay_nothing() -> None:
    """An hour without runs is no evidence for anything."""
    assert (paid(null_of(Given()), 0, 0) == 1).all()


@given(st.lists(st.tuples(st.floats(-30, 30), st.booleans()), min_size=1, max_size=100))
def test_the_path_is_what_one_hour_after_another_comes_to(steps: list[tuple[float, bool]]) -> None:
    """The back-test takes the short way through the same sums as the monitor."""
    log_e = np.array([[[step if active else 0.0] for step, active in steps]]).repeat(BETS, axis=0)
    active = np.array([[active] for _, active in steps])
    log_r = np.full((BETS, 1), -np.inf)
    through = path(log_e, active)
    for hour in range(len(steps)):
        log_r = grown(log_r, log_e[:, hour], active[hour])

        assert through[hour] == pytest.approx(np.exp(log_r).mean(axis=0))
    most = most_of_path(log_e.transpose(1, 0, 2), np.zeros((2, 0), dtype=np.int64), np.zeros(0))
    assert (through <= most * (1 + 1e-6)).all()


def test_evidence_that_can_not_grow_any_more_still_falls() -> None:
    """Years of a shift that nobody looks at must neither overflow nor stick."""
    one = np.ones(1, dtype=np.bool_)
    log_r = grown(np.array([[499.0]]), np.array([[1e6]]), one)

    assert np.isfinite(np.exp(log_r)).all()
    assert grown(log_r, np.array([[-800.0]]), one) < 0
