"""What contributes to how long runs take, by sums alone."""

import pytest

from agentvigil.analysis.latency import Doing, PathSum, WindowSums, contributors, sampled_hours, with_agent

SEARCH, MODEL = Doing("tool", "search"), Doing("model", "gpt-4o")


def window(runs: int, **path_ns: float) -> WindowSums:
    """Runs of a microsecond each, in which steps always take the same."""
    doings = {"search": SEARCH, "model": MODEL}
    sums = [PathSum(doings[name], runs, runs, runs * ns, runs * ns**2) for name, ns in path_ns.items()]
    return with_agent(WindowSums(runs, runs * 1000.0, sums))


def test_shares_add_up_with_the_agents_own_time() -> None:
    told = contributors(window(50, search=200, model=700), window(50, search=100, model=700))

    assert [(one.doing, one.share) for one in told] == [
        (MODEL, 0.7),
        (SEARCH, 0.2),
        (Doing("agent", ""), pytest.approx(0.1)),
    ]


def test_what_always_takes_the_same_and_now_more_has_clearly_grown() -> None:
    model, search, own = contributors(window(50, search=200, model=700), window(40, search=100, model=700))

    assert (search.growth_ns, search.growth_low_ns, search.is_clear) == (100, 100, True)
    assert (model.growth_ns, model.is_clear) == (0, False)
    assert (own.growth_ns, own.growth_low_ns, own.is_clear) == (pytest.approx(-100), None, False)


def test_few_runs_have_no_interval_and_none_nothing_to_compare_with() -> None:
    few = contributors(window(29, search=200), window(50, search=100))[1]
    none = contributors(window(50, search=200), WindowSums(0, 0, []))[1]

    assert (few.doing, few.growth_ns, few.growth_low_ns, few.is_clear) == (SEARCH, 100, None, False)
    assert (none.growth_ns, none.before_ns_per_run) == (None, None)


def test_hours_are_picked_until_there_are_runs_enough() -> None:
    runs_by_hour = {3600 * hour: 10 for hour in range(700)}

    hours = sampled_hours(runs_by_hour, 1_000, 200)
    assert (len(hours), len(sampled_hours(runs_by_hour, 1_000, 20))) == (100, 20)
    assert hours == sorted(hours) == sampled_hours(dict(reversed(runs_by_hour.items())), 1_000, 200)
    assert len({hour // 3600 % 24 for hour in hours}) > 20, "of all hours of the day"
    assert sampled_hours({7: 3, 5: 2}, 1_000, 100) == [5, 7]
