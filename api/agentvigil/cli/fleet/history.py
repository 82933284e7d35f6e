"""The past of the fleet: weeks of two small agents, told in seconds, in which something changes near the end.

Detectors compare with weeks of runs, which nobody who looks at a demo has time to wait for. Spans carry the times at
which they would have been: only the telling is faster.
"""

import math
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from agentvigil.cli.fleet.agents import EMBEDDING_SMALL, GPT_4_1_MINI, MISTRAL_SMALL, Deployment
from agentvigil.cli.fleet.plan import Plan, StepFailed
from agentvigil.cli.fleet.script import PlannedRun

CONCIERGE: Final = "concierge"
HANDBOOK: Final = "handbook-agent"

_RUNS_PER_HOUR: Final = 12
_NS_PER_HOUR: Final = 3600 * 10**9
_HOURS_PER_DAY: Final = 24
_NEWER_MISTRAL_SMALL: Final = replace(MISTRAL_SMALL, response="mistral-small-2603")
"""What the provider answers by when the name that is asked for, ``mistral-small-latest``, means another model."""


def concierge(plan: Plan, *, changed: bool) -> None:
    """Helps guests, or hands over to a person: far more often since the model behind its name is another."""
    model = _NEWER_MISTRAL_SMALL if changed else MISTRAL_SMALL
    with plan.agent(CONCIERGE, "Invented question: is there a synthetic pool?", prompt_tokens=900):
        hands_over = plan.happens(0.42 if changed else 0.14)
        tool = "hand_over" if hands_over else "look_up_booking"
        plan.chat(model, output_tokens=30, calls=[tool])
        plan.tool(tool, median_s=0.3, arguments={"guest": "synthetic"}, failing=0.01)
        plan.chat(model, output_tokens=90)


def handbook(plan: Plan, *, changed: bool) -> None:
    """Answers from the company's handbook; since its index lost a shelf it often finds nothing, and answers still."""
    with plan.agent(HANDBOOK, "Invented question: how many synthetic holidays?", prompt_tokens=700):
        plan.embed(EMBEDDING_SMALL, 18)
        if plan.retrieve("handbook", top_k=5, empty=0.22 if changed else 0.03):
            plan.read(2_000)
        plan.chat(GPT_4_1_MINI, output_tokens=140)


@dataclass(frozen=True, slots=True)
class _Story:
    """What an agent did in the past, and how many hours ago it changed."""

    deployment: Deployment
    scene: Callable[..., None]
    changed_hours_ago: int


_STORIES: Final = (
    _Story(Deployment(CONCIERGE, "5.1", "production", 1, converses=False), concierge, 40),
    _Story(Deployment(HANDBOOK, "0.7", "production", 1, captures_content=True, converses=False), handbook, 64),
)


def history(seed: int, now_ns: int, days: int, ids: random.Random | None = None) -> Iterator[tuple[PlannedRun, int]]:
    """Yield the runs of the ``days`` before the hour of ``now_ns`` (Unix time), oldest first, each with when it ended.

    The same seed tells the same story, but for ids.
    """
    rng = random.Random(f"history of {seed}")  # noqa: S311 - a simulation, no secret
    ids = ids or random.Random()  # noqa: S311 - unique, need not be secret
    this_hour = now_ns // _NS_PER_HOUR
    for hour in range(this_hour - days * _HOURS_PER_DAY, this_hour):
        ended = sorted(
            (rng.randrange(_NS_PER_HOUR), story)
            for story in range(len(_STORIES))
            for _ in range(_runs_in(rng, hour % _HOURS_PER_DAY))
        )
        for offset_ns, number in ended:
            story = _STORIES[number]
            plan = Plan(rng, ids, story.deployment)
            with suppress(StepFailed):  # a run may fail: its spans say so
                story.scene(plan, changed=this_hour - hour <= story.changed_hours_ago)
            (root,) = plan.spans
            yield PlannedRun(story.deployment, root), hour * _NS_PER_HOUR + offset_ns


def _runs_in(rng: random.Random, hour_of_day: int) -> int:
    """Few at night, most in the afternoon."""
    expected = _RUNS_PER_HOUR * (1 - 0.8 * math.cos((hour_of_day - 2) / _HOURS_PER_DAY * 2 * math.pi))
    return max(0, round(rng.gauss(expected, math.sqrt(expected))))
