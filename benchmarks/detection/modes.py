"""The seven failure modes as they are laid over courses, each with something that looks like it and is none.

Sizes are such that somebody would act on them and that they can happen within a day: what is rare, one run in 20 to
100, becomes two to four times as frequent; a quarter of a run's time is lost in a row where it was a twentieth; 2 % a
day is half as dear again in three weeks; six failures of ten are passed on where it was one. Smaller ones take more
runs, by the square of what they are smaller: ``mode_bounds.py`` says what can be known of them at all. The
seasons, input classes, walks, repeated runs, bursts and outages of the course stay under all of them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from course import Course
from drifts import (
    creep,
    input_mix,
    keys_of_model,
    larger,
    more_runs,
    new_key,
    new_model,
    of_model,
    onset,
    tally_more,
    tally_odds,
    tally_share,
    times,
    together,
)
from generator import Fault

UPDATED: Final = "model-a"
"""The model that is changed silently, in the cases that do so."""

EVERYWHERE: Final = 24 * 22 + 12
"""The hour at which that sets in with all agents at once, counted from the beginning."""


@dataclass(frozen=True)
class Case:
    """One thing that happens to an agent."""

    mode: str
    words: str
    is_failure: bool
    """Whether the mode is to be found."""
    change: Callable[[Course, int], None]
    by_model: bool = False
    """Whether it shows in a model over many agents, not in one of them."""

    def fault(self) -> Fault:
        """Return the change at the hour at which it sets in for each course."""
        return lambda course: self.change(course, onset(course))


def _more_tools(course: Course, hour: int) -> None:
    for number in range(6):
        new_key("tool", f"skill-{number}", 0.02 + 0.01 * number)(course, hour)


def _models_change_places(course: Course, hour: int) -> None:
    course.model_share[hour:] = course.model_share[hour:, :, ::-1]


def _at_once(course: Course, hour: int) -> None:
    """Let a model change behind its name: everywhere at the same hour, wherever it is used."""
    del hour
    of_model(UPDATED, "output_tokens", float(np.log2(1.25)))(course, EVERYWHERE)
    keys_of_model(UPDATED, "finish_reason", "length", 0.8)(course, EVERYWHERE)


def _everybody_at_once(course: Course, hour: int) -> None:
    del hour
    larger("output_tokens", 1.25)(course, EVERYWHERE)
    times("finish_reason", "length", 2)(course, EVERYWHERE)


CASES: Final = (
    Case(
        "skill_bloat",
        "six more tools, tool errors 4 → 9 %, switches 1.5 → 4 %",
        True,
        together(_more_tools, times("tool_error", "any", 2.25), times("tool_switch", "any", 2.7)),
    ),
    Case("skill_bloat", "six more tools, and nothing else", False, _more_tools),
    Case("skill_bloat", "tool errors 4 → 9 %, with the same tools", False, times("tool_error", "any", 2.25)),
    Case(
        "context_rot",
        "odds of a bad step × 3 where the context is full",
        True,
        together(tally_odds("context", "high", 3), tally_odds("context", "middle", 1.5)),
    ),
    Case(
        "context_rot",
        "odds of a bad step × 2, however full the context is",
        False,
        together(*(tally_odds("context", key, 2) for key in ("low", "middle", "high"))),
    ),
    Case("context_rot", "three times as many calls with a full context", False, tally_more("context", "high", 3)),
    Case("confident_hallucination", "confident runs judged bad 6 → 18 %", True, times("confident", "bad", 3)),
    Case("confident_hallucination", "success on nothing found 1 → 4 %", True, times("unfounded", "any", 4)),
    Case("confident_hallucination", "failures 1 → 3 %", False, times("status", "failure", 3)),
    Case("confident_hallucination", "empty searches 6 → 12 %", False, times("retrieval", "empty", 2)),
    Case("sequential_tax", "time lost one after another × 5", True, larger("sequential_share", 5)),
    Case("sequential_tax", "everything takes 50 % longer", False, larger("duration", 1.5)),
    Case("sequential_tax", "50 % more steps", False, larger("steps", 1.5)),
    Case(
        "cost_creep",
        "cost and input tokens +2 % a day",
        True,
        together(creep("cost", 0.02), creep("input_tokens", 0.02)),
    ),
    Case("cost_creep", "twice as many runs", False, more_runs(2)),
    Case("cost_creep", "input mix alone", False, input_mix),
    Case("cascade", "60 % fail after a failure, were 10 %", True, tally_share("cascade", "after_failure", 0.6)),
    Case("cascade", "three times as many failures upstream", False, tally_more("cascade", "after_failure", 3)),
    Case(
        "cascade",
        "odds of failing × 2, after failures and successes",
        False,
        together(tally_odds("cascade", "after_failure", 2), tally_odds("cascade", "after_success", 2)),
    ),
    Case("model_update", "a model never seen answers 20 %", True, new_model(0.2)),
    Case("model_update", "models that were seen change places", False, _models_change_places),
    Case("model_update", "a model changes behind its name: output +25 %", True, _at_once, by_model=True),
    Case("model_update", "all models at once: output +25 %", False, _everybody_at_once, by_model=True),
)
"""What happens, and what each mode has to say to it."""
