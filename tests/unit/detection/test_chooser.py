"""What the service learns of many agents is what the detector learns of them."""

from collections.abc import Collection, Mapping

import pytest

from agentvigil.analysis.baselines.choosing import Hours, Pin
from agentvigil.analysis.detection import Baseline, DetectionConfig, fit, spread_of_fleet
from agentvigil.analysis.features.cells import Cells, Subject
from agentvigil.analysis.features.reading import RunCount
from agentvigil.analysis.watching.batches import AT_ONCE
from agentvigil.analysis.watching.choosing import Chooser, Circumstances
from agentvigil.analysis.watching.drift import Watched
from agentvigil.storage.errors import StoreUnreachable
from simulated_agents import START, Agent, cells_of, subject

DAYS = 16
END = START + DAYS * 24


@pytest.fixture(scope="module")
def fleet() -> dict[Subject, Cells]:
    """Return some agents, of which those at the end wander and those before do not."""
    return {
        subject(number): cells_of(Agent(60, wander=0.0 if number < AT_ONCE else 0.4), DAYS, number)
        for number in range(10, AT_ONCE + 16)
    }


class Fleet:
    """A chooser over some agents, and their counts; agents without cells run no more."""

    def __init__(self, fleet: Mapping[Subject, Cells], fails_at: int | None = None) -> None:
        """Of ``fleet``, whose hours from ``fails_at`` on can not be read."""
        self._fleet, self._fails_at = fleet, fails_at
        # As if they were busy: some are read at a time.
        self.counts = {one: RunCount(100 * round(cells.of("status").n.sum()), START) for one, cells in fleet.items()}
        self.batches: list[set[Subject]] = []
        self.chooser = Chooser(self._read, DetectionConfig())

    def _read(self, first_hour: int, end_hour: int, subjects: Collection[Subject] | None) -> Mapping[Subject, Cells]:
        assert subjects is not None
        self.batches.append(set(subjects))
        if first_hour == self._fails_at:
            raise StoreUnreachable("the store is gone")
        known = sorted((one for one in subjects if one in self._fleet), reverse=True)
        return {one: self._fleet[one].between(first_hour, end_hour) for one in known}

    def review(self, counts: Mapping[Subject, RunCount]) -> Mapping[Subject, Watched]:
        return self.chooser.review(END, counts, {}, Circumstances())


def test_agents_of_all_batches_are_compared_with_the_same_fleet(fleet: dict[Subject, Cells]) -> None:
    """Whoever is read together: names that lie side by side say nothing of how agents vary."""
    whole = Fleet(fleet)
    found = whole.review(whole.counts)
    spread = spread_of_fleet(fleet, START, END)

    assert max(map(len, whole.batches)) < len(fleet)
    assert list(found) == sorted(fleet)
    for one, watched in found.items():
        hours = watched.choice.hours
        alone = fit(one, watched.choice.of(fleet[one]), hours.first, hours.end, fleet=spread)
        assert isinstance(alone, Baseline)
        assert watched.baseline.fingerprint == alone.fingerprint


def test_agents_that_run_no_more_say_nothing_of_the_fleet(fleet: dict[Subject, Cells]) -> None:
    """They are looked at every day, and what was learned of the others stays."""
    whole = Fleet(fleet)
    before = whole.review(whole.counts)
    one = min(fleet)
    gone = {subject(number): RunCount(500, START) for number in range(100, 110)}
    after = whole.review({one: whole.counts[one], **gone})

    assert list(after) == [one]
    assert after[one].baseline.fingerprint == before[one].baseline.fingerprint


def test_a_store_that_stops_to_answer_while_baselines_are_learned_is_an_error(fleet: dict[Subject, Cells]) -> None:
    """The hours of a pinned baseline are read where it is learned, after the agents were read."""
    some = dict(list(fleet.items())[:3])
    pinned = next(iter(some))
    said = Circumstances(pins={pinned: (Pin("good", Hours(START, START + 14 * 24), "", START),)})
    whole = Fleet(some, fails_at=START)

    with pytest.raises(StoreUnreachable, match="is gone"):
        whole.chooser.review(END, whole.counts, {}, said)
    assert whole.batches == [set(some), {pinned}]
