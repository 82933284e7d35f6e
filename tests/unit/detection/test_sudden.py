"""Bets on sudden shifts are fair whatever the level of the day happens to be, and pay at once what a day can tell."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentvigil.analysis.detection import sudden
from agentvigil.analysis.detection.counting import Floats
from agentvigil.analysis.detection.tilts import SUDDEN, SUDDEN_MIRROR

BETS = len(SUDDEN)
TILTS = np.array([0.2, 0.4, 0.8, -0.2, -0.4, -0.8])
WEIGHTS = np.array([0.25, 0.15, 0.1, 0.25, 0.15, 0.1])
NO_PAIRS = np.zeros((2, 0), dtype=np.int64)
ONE_PAIR = np.array([[0], [1]])


def hours_of(deviations: Floats, information: Floats, variance: float) -> sudden.Paid:
    """Return what normal hours pay: sums of deviations with so much information, at a level with that variance."""
    won = TILTS[:, None] * deviations - TILTS[:, None] ** 2 * information / 2
    return np.concatenate([variance * information[None], won]).T[:, :, None].astype(np.float32)


@pytest.mark.parametrize("variance", [0.0, 0.004, 0.05])
@pytest.mark.parametrize("information", [3.0, 60.0, 1_000.0])
def test_a_bet_pays_one_in_expectation_whatever_the_level_wandered_to(variance: float, information: float) -> None:
    """Both the level of the day and the runs of its hours are normal, so their sum is: the mean is an integral."""
    hours = 5
    place = np.linspace(-70, 70, 1_401)
    log_weight = np.log(0.1 / np.sqrt(2 * np.pi)) - place**2 / 2
    total = hours * information
    sums = np.sqrt(total * (1 + variance * total)) * place
    log_e = np.array(
        [
            sudden.log_bets(hours_of(np.full(hours, one / hours), np.full(hours, information), variance))[-1, :, 0]
            for one in sums
        ],
        dtype=np.float64,
    )

    assert np.exp(log_weight[:, None] + log_e).sum(axis=0) == pytest.approx(1, abs=2e-3)


def test_one_hour_that_is_far_off_pays_at_once_and_no_more_than_the_level_of_a_day_is_worth() -> None:
    """A level that lies 0.4 off where 0.1 is usual is worth 0.4²/(2·0.1²), however many runs say so."""
    few, many, endless = (
        float(sudden.log_bets(hours_of(np.array([0.4 * n]), np.array([n]), 0.01))[0, 1, 0]) for n in (25.0, 1e3, 1e6)
    )

    assert few == pytest.approx(0.4**2 * 25 / 2 / 1.25)
    assert few < many < endless == pytest.approx(8, rel=0.01)


def test_a_shift_of_less_than_half_the_least_tilt_wins_nothing_however_many_runs_show_it() -> None:
    """That is the margin of these bets."""
    for runs in (1e2, 1e4, 1e6):
        log_e = sudden.log_bets(hours_of(np.array([0.099 * runs]), np.array([runs]), 0.0))[0]

        assert log_e.max() < 0


def test_hours_become_parts_of_blocks_after_a_day_and_are_forgotten_after_four() -> None:
    """Those without runs are no time: a monitor that was off must not take what it missed for a quiet time."""
    day, noon = sudden.nothing(1), 12
    day[0] = hours_of(np.array([5.0]), np.array([10.0]), 0.0)[0]
    three_hours_later = sudden.moved_on(day, noon, noon + 3)

    def kept_at(hours: int) -> list[int]:
        return np.flatnonzero(sudden.had_runs(sudden.moved_on(day, noon, noon + hours))[:, 0]).tolist()

    assert kept_at(3) == [3]
    assert (sudden.log_bets(three_hours_later)[3] == sudden.log_bets(day)[0]).all()
    assert [kept_at(hours) for hours in (23, 24, 29, 30, 36)] == [[23], [24], [24], [25], [26]]
    assert [kept_at(hours) for hours in (95, 96, 97, 10_000)] == [[35], [], [], []]


def test_bets_that_began_with_a_block_are_paid_by_all_of_its_hours() -> None:
    """Blocks begin with each sixth hour since 1970, whenever the first runs came."""
    paid = hours_of(np.arange(1.0, 31.0), np.full(30, 10.0), 0.0)
    recent = sudden.nothing(1)
    for place, newest in enumerate(paid):
        recent = sudden.moved_on(recent, 9 + place, 10 + place)
        recent[0] = newest
    # The last hour is 39, so hours from 16 are kept; 10 and 11 are a block, and 12 to 15 are the beginning of the next.
    since = sudden.log_bets(recent)[:, :, 0]

    assert np.flatnonzero(sudden.had_runs(recent)[:, 0]).tolist() == [*range(24), 24, 25]
    assert since[24] == pytest.approx(paid[2:, 1:, 0].sum(axis=0), rel=1e-5)
    assert since[25] == pytest.approx(paid[:, 1:, 0].sum(axis=0), rel=1e-5)


STEPS = st.tuples(st.floats(-60, 60), st.sampled_from([0.0, 1.0, 40.0]))


@settings(max_examples=40)
@given(
    st.integers(1, 130).flatmap(lambda hours: st.lists(STEPS, min_size=hours, max_size=hours)),
    st.sampled_from([0.0, 0.02]),
    st.integers(480_000, 480_005),
)
def test_evidence_after_any_hour_is_what_one_hour_after_another_comes_to(
    steps: list[tuple[float, float]], variance: float, first_hour: int
) -> None:
    """The back-test takes the short way through the same sums as the monitor, and knows where it need not look."""
    information = np.array([n for _, n in steps])
    one = hours_of(np.where(information > 0, [d for d, _ in steps], 0.0), information, variance)
    hours = np.concatenate([one, one[:, [0, 4, 5, 6, 1, 2, 3]]], axis=2)
    dispersion = np.array([1.5])
    most = sudden.most_by_hour(hours, ONE_PAIR, dispersion) * (1 + 1e-3)
    recent = sudden.nothing(2)
    for place, newest in enumerate(hours):
        recent = sudden.moved_on(recent, first_hour + place - 1, first_hour + place)
        recent[0] = newest
        pay = sudden.log_bets(recent)
        pair = (pay[:, :, [0]] + pay[:, SUDDEN_MIRROR][:, :, [1]]) / np.float32(1.5)
        columns = np.exp(np.minimum(np.concatenate([pay, pair], axis=2), sudden.MOST)).astype(np.float64)
        began = sudden.had_runs(recent)[:, [0, 1, 0]]
        found = sudden.evidence_after(hours, first_hour, place, ONE_PAIR, dispersion)

        assert found == pytest.approx(((WEIGHTS @ columns) * began).sum(axis=0), rel=1e-3)
        assert (found <= most[place]).all()
    assert (most <= sudden.most_of_path(hours, ONE_PAIR, dispersion) * (1 + 1e-2)).all()


def test_evidence_fits_whatever_was_paid() -> None:
    """A shift that nobody looks at must not overflow."""
    hours = hours_of(np.full(30, 1e7), np.full(30, 1e5), 0.0)

    assert np.isfinite(sudden.evidence_after(hours, 0, 29, NO_PAIRS, np.zeros(0))).all()
    assert np.isfinite(sudden.most_by_hour(hours, NO_PAIRS, np.zeros(0))).all()
