"""Chooses what the fleet does next: which deployment runs, in which conversation, and whether somebody cancels it.

Two generators of random numbers, on purpose. The seed decides what happens, so the same seed tells the same story. Ids
come from another one: two fleets with one seed must not share conversations or response ids, because a backend is
right to take two equal response ids for one call seen twice.
"""

import random
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from agentvigil.cli.fleet.agents import FLEET, Deployment
from agentvigil.cli.fleet.plan import Plan, PlannedSpan, StepFailed
from agentvigil.cli.fleet.scenes import SCENES
from agentvigil.semconv import attributes as a

NOMINAL_RATE: Final = 2.0
"""Runs per second, where nobody says otherwise."""

DEFAULT_SEED: Final = 1218
"""Chosen because its first 60 runs, half a minute of a demo, hold every kind of trouble; a test says so."""

_CANCELLED_SHARE: Final = 0.02
_USERS: Final = 60
_WITHOUT_CONVERSATION: Final = frozenset({"embeddings", "retrieval"})
_NS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """One run of one deployment; ``root`` begins at 0."""

    deployment: Deployment
    root: PlannedSpan


@dataclass(slots=True)
class _Conversation:
    conversation_id: str
    user_id: str
    turns_left: int
    rested_ns: int


class Script:
    """An endless sequence of runs, the same for the same seed but for ids and for who asked.

    Runs are assumed to end ``1 / rate`` seconds apart. It matters to conversations only: a person's next question comes
    after the last answer, so a run continues a conversation whose last run had ended when it began.
    """

    def __init__(self, seed: int, *, rate: float = NOMINAL_RATE, ids: random.Random | None = None) -> None:
        self._rng = random.Random(seed)  # noqa: S311 - a simulation, no secret
        # People draw from a generator of their own: how often they can come back must not change what the agents do.
        self._people = random.Random(f"people of {seed}")  # noqa: S311
        self._ids = ids or random.Random()  # noqa: S311 - unique, need not be secret
        self._spacing_ns = int(_NS / rate)
        self._now_ns = 0
        self._conversations: defaultdict[Deployment, list[_Conversation]] = defaultdict(list)

    def next_run(self) -> PlannedRun:
        (deployment,) = self._rng.choices(FLEET, [each.weight for each in FLEET])
        plan = Plan(self._rng, self._ids, deployment)
        with suppress(StepFailed):  # a run may fail: its spans say so
            SCENES[deployment.service](plan)
        (root,) = plan.spans
        if self._rng.random() < _CANCELLED_SHARE:
            root.cancel(int(root.end_ns * self._rng.uniform(0.3, 0.9)))
        self._now_ns += self._spacing_ns
        if deployment.converses:
            self._join_conversation(deployment, root)
        return PlannedRun(deployment, root)

    def _join_conversation(self, deployment: Deployment, root: PlannedSpan) -> None:
        going = self._conversations[deployment]
        began_ns = self._now_ns - root.end_ns
        conversation = next((each for each in going if each.rested_ns <= began_ns), None)
        if conversation is None or self._people.random() < 0.25:
            conversation = _Conversation(
                conversation_id=f"conv-{self._ids.getrandbits(64):016x}",
                # A few users ask much, most ask little.
                user_id=f"user-{int(self._people.triangular(0, _USERS, 0)):03d}",
                turns_left=self._people.randint(1, 6),
                rested_ns=0,
            )
            going.append(conversation)
        conversation.turns_left -= 1
        conversation.rested_ns = self._now_ns + int(self._people.uniform(1, 10) * _NS)
        if conversation.turns_left == 0:
            going.remove(conversation)
        root.attributes[a.USER_ID] = conversation.user_id
        for span in root.walk():
            if span.attributes[a.GEN_AI_OPERATION_NAME] not in _WITHOUT_CONVERSATION:
                span.attributes[a.GEN_AI_CONVERSATION_ID] = conversation.conversation_id
