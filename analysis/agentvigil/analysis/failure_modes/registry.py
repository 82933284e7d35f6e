"""The seven failure modes by their names, and all of them at once."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from agentvigil.analysis.failure_modes import (
    cascade,
    confident_hallucination,
    context_rot,
    cost_creep,
    model_update,
    sequential_tax,
    skill_bloat,
)
from agentvigil.analysis.failure_modes.looking import Look, Period, look_back
from agentvigil.analysis.features.cells import Cells, Subject
from agentvigil.analysis.findings.model import Observation


@dataclass(frozen=True, slots=True)
class FailureMode:
    """One way in which agents go wrong."""

    name: str
    """As findings have it in ``detector``."""
    title: str
    find: Callable[[Cells, Cells, Look], list[Observation]]
    """Cells of the baseline, cells of the window, and which hours these are."""
    features: tuple[str, ...]
    """What it reads, so that no more need be read for it."""


FAILURE_MODES: Final[Mapping[str, FailureMode]] = {
    mode.name: mode
    for mode in (
        FailureMode(skill_bloat.NAME, "Skill bloat", skill_bloat.find, ("tool", "tool_error", "tool_switch")),
        FailureMode(context_rot.NAME, "Context rot", context_rot.find, ("context",)),
        FailureMode(
            confident_hallucination.NAME,
            "Confident hallucination",
            confident_hallucination.find,
            ("confident", "unfounded"),
        ),
        FailureMode(sequential_tax.NAME, "Sequential tax", sequential_tax.find, (sequential_tax.FEATURE, "duration")),
        FailureMode(cost_creep.NAME, "Cost creep", cost_creep.find, ("cost", "usage")),
        FailureMode(cascade.NAME, "Multi-agent cascade", cascade.find, ("cascade",)),
        FailureMode(model_update.NAME, "Model update", model_update.find, (model_update.FEATURE,)),
    )
}
FEATURES_READ: Final = tuple(sorted({feature for mode in FAILURE_MODES.values() for feature in mode.features}))


def find_all(
    history: Cells,
    subject: Subject,
    end_hour: int,
    pinned: Period | None = None,
    known_models: Collection[str] = (),
) -> list[Observation]:
    """Return what all modes see in the 28 days before ``end_hour`` (hours since 1970), to be asked once a day.

    ``history`` holds the subject's cells of at least 56 days, as far as there are any, and of the pinned baseline.
    """
    look, baseline, window = look_back(_with(history, FEATURES_READ), subject, end_hour, pinned, known_models)
    if not look.window.days:
        return []
    return [
        observation
        for mode in FAILURE_MODES.values()
        for observation in mode.find(_with(baseline, mode.features), _with(window, mode.features), look)
    ]


def _with(cells: Cells, features: Collection[str]) -> Cells:
    """Return the rows of some features, so that a mode does not go through all rows again and again."""
    codes = [cells.words.index(feature) for feature in features if feature in cells.words]
    return cells.where(np.isin(cells.feature, codes))
