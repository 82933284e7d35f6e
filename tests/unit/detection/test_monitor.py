"""The monitor goes on where it stopped, adds an hour once, and takes each subject for itself."""

import numpy as np
import pytest

from agentvigil.analysis.detection import Alarm, Baseline, FleetMonitor, ForeignState, HourOutOfOrder, fit
from agentvigil.analysis.detection.arrays import to_bytes
from agentvigil.analysis.features.cells import Cells, Subject
from simulated_agents import START, Agent, cells_of, subject

FIRST = START + 28 * 24
CHANGED = START + 40 * 24 + 7


@pytest.fixture(scope="module")
def other() -> tuple[Baseline, Cells]:
    """Return another agent, which has other classes and few runs, and does not change."""
    cells = cells_of(Agent(60, classes={"": 0.8, "new": 0.2}), 50, 5)
    found = fit(subject(1), cells, START, FIRST)
    assert isinstance(found, Baseline)
    return found, cells


def alarms_of(monitor: FleetMonitor, cells: dict[Subject, Cells], first: int, end: int) -> list[Alarm]:
    return [alarm for hour in range(first, end) for alarm in monitor.advance(hour, cells)]


def test_a_restart_continues_to_the_bit(baseline: Baseline, cells: Cells, other: tuple[Baseline, Cells]) -> None:
    """A process may stop after any hour."""
    both = {subject(): cells, subject(1): other[1]}
    through = FleetMonitor([baseline, other[0]])
    stopping = FleetMonitor([baseline, other[0]])
    expected = alarms_of(through, both, FIRST, CHANGED + 96)

    found = []
    for hour in range(FIRST, CHANGED + 96):
        found += stopping.advance(hour, both)
        if hour % 97 == 0 or hour == CHANGED + 40:
            stopping = FleetMonitor.from_bytes(stopping.to_bytes(), [other[0], baseline])

    assert found == expected
    assert [alarm.subject for alarm in found] == [subject()]
    assert stopping.to_bytes() == through.to_bytes()


def test_an_hour_twice_changes_nothing(baseline: Baseline, cells: Cells) -> None:
    """A process may die between the evidence and whatever is done with it."""
    monitor = FleetMonitor([baseline])
    alarms_of(monitor, {subject(): cells}, FIRST, FIRST + 30)
    state = monitor.to_bytes()

    assert monitor.advance(FIRST + 29, {subject(): cells}) == []
    assert monitor.to_bytes() == state


def test_hours_out_of_order_are_refused(baseline: Baseline, cells: Cells) -> None:
    """Evidence can not be put back in its place."""
    monitor = FleetMonitor([baseline])
    monitor.advance(FIRST + 5, {subject(): cells})
    state = monitor.to_bytes()

    with pytest.raises(HourOutOfOrder, match=f"hour {FIRST + 4} comes before hour {FIRST + 5}") as caught:
        monitor.advance(FIRST + 4, {subject(): cells})

    assert (caught.value.hour, caught.value.last_hour) == (FIRST + 4, FIRST + 5)
    assert monitor.to_bytes() == state


def test_hours_without_runs_are_no_time(baseline: Baseline, cells: Cells) -> None:
    """An agent that rests, or a store that was down, is neither evidence nor its loss."""
    resting = cells.where((cells.hour < FIRST + 20) | (cells.hour >= FIRST + 40))
    through, skipping, empty = (FleetMonitor([baseline]) for _ in range(3))
    for hour in range(FIRST, FIRST + 60):
        through.advance(hour, {subject(): resting})
        if not FIRST + 20 <= hour < FIRST + 40:
            skipping.advance(hour, {subject(): resting})
        empty.advance(hour, {subject(): resting} if hour % 2 else {})
        empty.advance(hour, {})

    assert through.to_bytes() == skipping.to_bytes() != empty.to_bytes()


def test_only_the_hour_counts(baseline: Baseline, cells: Cells) -> None:
    """A caller may read more hours at once than it adds."""
    one, many = FleetMonitor([baseline]), FleetMonitor([baseline])
    for hour in range(FIRST, FIRST + 10):
        one.advance(hour, {subject(): cells.between(hour, hour + 1)})
        many.advance(hour, {subject(): cells})

    assert one.to_bytes() == many.to_bytes()


def test_subjects_do_not_touch_each_other(baseline: Baseline, cells: Cells, other: tuple[Baseline, Cells]) -> None:
    """All are in the same arrays."""
    both = FleetMonitor([other[0], baseline])
    alone = FleetMonitor([baseline])
    for hour in range(FIRST, FIRST + 48):
        both.advance(hour, {subject(1): other[1], subject(): cells, subject(2): cells})
        alone.advance(hour, {subject(): cells})

    assert both.with_baselines([baseline]).to_bytes() == alone.to_bytes()
    assert np.array_equal(FleetMonitor.from_bytes(both.to_bytes(), [baseline])._log_r, alone._log_r)


def test_a_new_baseline_begins_anew_and_others_go_on(
    baseline: Baseline, cells: Cells, other: tuple[Baseline, Cells]
) -> None:
    """Evidence against what no longer holds is none."""
    monitor = FleetMonitor([baseline, other[0]])
    alarms_of(monitor, {subject(): cells, subject(1): other[1]}, FIRST, FIRST + 24)
    rebased = fit(subject(), cells, START + 24, FIRST + 24)
    assert isinstance(rebased, Baseline)

    renewed = monitor.with_baselines([rebased, other[0]])

    assert renewed.last_hour == FIRST + 23
    assert renewed.to_bytes() == FleetMonitor.from_bytes(monitor.to_bytes(), [rebased, other[0]]).to_bytes()
    assert np.isneginf(renewed._log_r[:, renewed._subject_of_column == 0]).all()
    theirs, ours = (one._log_r[:, one._subject_of_column == 1] for one in (monitor, renewed))
    assert np.array_equal(ours, theirs)
    assert not np.isneginf(ours).all()


def test_a_feature_alarms_once_until_it_is_armed_again(baseline: Baseline, cells: Cells) -> None:
    """One finding for one shift; and a second one when somebody asked for it."""
    monitor = FleetMonitor([baseline])
    first = alarms_of(monitor, {subject(): cells}, FIRST, CHANGED + 150)
    monitor.rearm(subject(), "tool")
    monitor.rearm(subject(5))
    second = alarms_of(monitor, {subject(): cells}, CHANGED + 150, CHANGED + 230)

    assert [alarm.feature for alarm in first] == ["tool"]
    assert [(alarm.feature, alarm.watched_from) for alarm in second] == [("tool", CHANGED + 150)]


@pytest.mark.parametrize(
    "foreign",
    [
        b"",
        b"PK\x03\x04 and so on",
        b"\x93NUMPY\x01\x00",
        to_bytes("something else", 1, {}, {}),
        to_bytes("state of the drift detector", 99, {}, {}),
        to_bytes("state of the drift detector", 1, {"last_hour": 1, "baselines": []}, {"log_r": np.zeros(3)}),
    ],
)
def test_foreign_bytes_are_refused(baseline: Baseline, foreign: bytes) -> None:
    """A state of another release, or of another program, must not become evidence."""
    with pytest.raises(ForeignState):
        FleetMonitor.from_bytes(foreign, [baseline])


def test_damaged_bytes_are_refused_or_say_the_same(baseline: Baseline, cells: Cells) -> None:
    """Each part of the file is under a checksum, and what is left of a cut one is no file."""
    monitor = FleetMonitor([baseline])
    alarms_of(monitor, {subject(): cells}, FIRST, FIRST + 3)
    data = monitor.to_bytes()
    rng = np.random.default_rng(1)

    for cut in rng.integers(0, len(data), 20):
        with pytest.raises(ForeignState):
            FleetMonitor.from_bytes(data[:cut], [baseline])
    for at in rng.integers(0, len(data), 120):
        broken = bytearray(data)
        broken[at] ^= 0x55
        try:
            found = FleetMonitor.from_bytes(bytes(broken), [baseline])
        except ForeignState:
            continue
        assert found.to_bytes() == data
