"""Many small agents together show what none of them can."""

from dataclasses import replace

import numpy as np
import pytest

from agentvigil.analysis.detection import Direction, FleetMonitor, HourOutOfOrder, fit_fleet, spread_of_fleet
from agentvigil.analysis.detection.baseline import Baseline
from agentvigil.analysis.detection.pooling import Dimension, Pool, PoolAlarm, PooledMonitor, fit_pools
from agentvigil.analysis.features.cells import Cells, Subject
from simulated_agents import START, Agent, cells_of, subject

FIRST = START + 28 * 24
END = FIRST + 3 * 24


def fleet_of(changed: set[str], count: int = 24, days: int = 31) -> dict[Subject, Cells]:
    """Return small agents of two models; those of the changed ones write a third more from the first day on."""
    fleet = {}
    for number in range(count):
        agent = Agent(20, classes={"": 1.0}, model=("gpt", "claude")[number % 2])
        now = replace(agent, tokens=agent.tokens * 1.33) if agent.model in changed else agent
        fleet[subject(number)] = cells_of(agent, days, number, changes=[(28, now)])
    return fleet


@pytest.fixture(scope="module")
def one_changed() -> dict[Subject, Cells]:
    return fleet_of({"gpt"})


def pools_of(fleet: dict[Subject, Cells], dimension: Dimension) -> list[Pool]:
    return fit_pools(fleet.items(), dimension, START, FIRST, fleet=spread_of_fleet(fleet, START, FIRST))


def alarms_of(monitor: PooledMonitor, fleet: dict[Subject, Cells]) -> list[PoolAlarm]:
    return [alarm for hour in range(FIRST, END) for alarm in monitor.advance(hour, fleet)]


def test_a_silent_update_of_a_model_shows_in_its_pool_alone(one_changed: dict[Subject, Cells]) -> None:
    """No agent has enough runs to tell, and the agents of the other model are as they were."""
    spread = spread_of_fleet(one_changed, START, FIRST)
    pools = fit_pools(one_changed.items(), Dimension.MODEL, START, FIRST, fleet=spread)
    alarms = alarms_of(PooledMonitor(pools), one_changed)
    alone = fit_fleet(one_changed, START, FIRST, fleet=spread).values()
    monitor = FleetMonitor([baseline for baseline in alone if isinstance(baseline, Baseline)])

    assert [(pool.value, len(pool.members)) for pool in pools] == [("claude", 12), ("gpt", 12)]
    assert {(a.value, a.feature, a.direction, a.others_moved) for a in alarms} == {
        ("gpt", "output_tokens", Direction.UP, False),
        ("gpt", "cost", Direction.UP, False),
    }
    assert all(alarm.since.first_hour <= FIRST + 12 and alarm.since.hour <= alarm.hour for alarm in alarms)
    assert alarms[0].agents == tuple(f"agent-{number:04}" for number in range(0, 24, 2))
    last = max(alarm.hour for alarm in alarms)
    assert [a for hour in range(FIRST, last + 1) for a in monitor.advance(hour, one_changed)] == []


def test_what_moves_everywhere_is_not_blamed_on_one_model() -> None:
    """Other models are the control, of the one that shows it first as well."""
    fleet = fleet_of({"gpt", "claude"})
    alarms = alarms_of(PooledMonitor(pools_of(fleet, Dimension.MODEL)), fleet)

    assert {alarm.value for alarm in alarms} == {"gpt", "claude"}
    assert all(alarm.others_moved for alarm in alarms)


def test_others_that_have_told_nothing_for_three_days_are_waited_for_no_longer() -> None:
    """Nobody uses the other model any more, so whether it moved will never be known."""
    ends = FIRST + 5 * 24
    fleet = fleet_of({"gpt"}, days=33)
    gone = {one: cells.between(START, FIRST) for one, cells in list(fleet.items())[1::2]}
    monitor = PooledMonitor(pools_of(fleet, Dimension.MODEL))
    alarms = [alarm for hour in range(FIRST, ends) for alarm in monitor.advance(hour, fleet | gone)]

    assert {(alarm.value, alarm.others_moved) for alarm in alarms} == {("gpt", False)}
    assert all(72 <= alarm.hour - alarm.since.hour < 72 + 24 for alarm in alarms)


def test_the_use_of_a_tool_is_watched_over_all_agents(one_changed: dict[Subject, Cells]) -> None:
    """And only its use: what else moved is for other pools."""
    few = dict(list(one_changed.items())[:6])
    pools = pools_of(few, Dimension.TOOL)

    assert {pool.value for pool in pools} >= {"search", "refund", "lookup"}
    assert alarms_of(PooledMonitor(pools), few) == []


def test_what_is_rearmed_begins_from_nothing_and_nothing_else_does(one_changed: dict[Subject, Cells]) -> None:
    """What is over must not alarm again by the runs that told of it."""
    monitor = PooledMonitor(pools_of(one_changed, Dimension.MODEL))
    for hour in range(FIRST, FIRST + 24):
        monitor.advance(hour, one_changed)
    (watched,) = (one for one in monitor._watched if one.pool.value == "gpt")
    mine = [stream.feature == "output_tokens" for stream in watched.streams]
    before = watched.evidence()

    monitor.rearm(watched.pool.members[0].subject.environment, "gpt", "output_tokens")

    after = watched.evidence()
    assert before[:, mine].sum() > 0
    assert not after[:, mine].any()
    assert (after[:, np.logical_not(mine)] == before[:, np.logical_not(mine)]).all()


def test_an_hour_twice_changes_nothing_and_an_older_one_is_refused(one_changed: dict[Subject, Cells]) -> None:
    """As with the monitor of the fleet."""
    few = dict(list(one_changed.items())[:6])
    monitor = PooledMonitor(pools_of(few, Dimension.VERSION))
    monitor.advance(FIRST + 1, few)

    assert monitor.advance(FIRST + 1, few) == []
    with pytest.raises(HourOutOfOrder):
        monitor.advance(FIRST, few)


def test_two_agents_are_no_pool(one_changed: dict[Subject, Cells]) -> None:
    """What they have in common may be chance."""
    assert pools_of(dict(list(one_changed.items())[:4]), Dimension.MODEL) == []
