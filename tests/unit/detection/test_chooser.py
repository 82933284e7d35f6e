"""What the service learns of many agents is what the detector learns of them."""

from collections.abc import Collection, Mapping

import pytest

from agentvigil.analysis.detection import Baseline, DetectionConfig, fit, spread_of_fleet
from agentvigil.analysis.features.cells import Cells, Subject
from agentvigil.analysis.features.reading import RunCount
from agentvigil.analysis.watching.batches import AT_ONCE
from agentvigil.analysis.watching.choosing import Chooser, Circumstances
from simulated_agents import START, Agent, cells_of, subject

DAYS = 16
END = START + DAYS * 24


@pytest.fixture(scope="module")
def fleet() -> dict[Subject, Cells]:
    """Return more agents than are read at a time, of which those at the end wander and those before do not."""
    return {
        subject(number): cells_of(Agent(60, wander=0.0 if number < AT_ONCE else 0.4), DAYS, number)
        for number in range(10, AT_ONCE + 16)
    }


def test_agents_of_all_batches_are_compared_with_the_same_fleet(fleet: dict[Subject, Cells]) -> None:
    """Whoever is read together: names that lie side by side say nothing of how agents vary."""

    def read(first_hour: int, end_hour: int, subjects: Collection[Subject] | None) -> Mapping[Subject, Cells]:
        assert subjects is not None
        return {one: fleet[one].between(first_hour, end_hour) for one in sorted(subjects, reverse=True)}

    counts = {one: RunCount(round(cells.of("status").n.sum()), START) for one, cells in fleet.items()}
    found = Chooser(read, DetectionConfig()).review(END, counts, {}, Circumstances())
    spread = spread_of_fleet(fleet, START, END)
    assert len(fleet) > AT_ONCE
    assert list(found) == sorted(fleet)
    for one, watched in found.items():
        hours = watched.choice.hours
        alone = fit(one, watched.choice.of(fleet[one]), hours.first, hours.end, fleet=spread)
        assert isinstance(alone, Baseline)
        assert watched.baseline.fingerprint == alone.fingerprint
