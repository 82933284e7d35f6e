"""How likely a set of tools is, by how often such runs use each and which they use together.

Theory of operation. The model is the tree of Chow and Liu (IEEE Transactions on Information Theory 14, 1968, 462-467):
each tool hangs from the one that tells most about it, and whether a run uses it is as likely as among the runs that do
the same with that one. It knows that two tools exclude each other, or go together, and no more; so few runs are enough.

A run's set is unusual if three things hold: one tool is there, or missing, against a probability of one in a thousand
or less given its neighbour; the whole set is less likely than that of all but a few runs of the baseline; and the set
itself is rarer than one in a thousand. So a tool that 97 of 100 runs use may be missing: three in a hundred do that.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

FEWEST_RUNS: Final = 500
"""With fewer runs nothing is as unlikely as one in a thousand."""

RARE: Final = 1e-3
_MOST_TOOLS: Final = 200
_LEAST_TOLD: Final = 0.99
"""Where the sets that are known are those of fewer runs, their tools go together in any way, and nothing is unusual."""


@dataclass(frozen=True, slots=True)
class Surprise:
    """What is unusual of a set of tools."""

    nats: float
    """How unlikely the set is: minus the logarithm of its probability."""
    limit: float
    """What all but a few of the usual runs stay below."""
    tool: str
    is_there: bool
    """Whether it is there and should not be, or is missing."""
    runs: int
    """Usual runs that do the same with this tool, of ``of_runs`` that do the same with ``neighbour``."""
    of_runs: int
    neighbour: str
    """Empty where the tool has none, and ``of_runs`` are all runs."""
    has_neighbour: bool


@dataclass(frozen=True, slots=True)
class ToolUse:
    """The tools of such runs."""

    tools: Sequence[str]
    runs: int
    set_runs: Mapping[frozenset[str], int]
    parent: NDArray[np.intp]
    """For each tool the one that it hangs from; itself for the first."""
    together: NDArray[np.float64]
    """Runs that use both of two tools, on the diagonal those that use one."""
    new_tool: float
    """Probability that a run uses a tool which none has used."""
    limit: float

    @classmethod
    def of(cls, sets: Iterable[tuple[Sequence[str], int]], runs: int) -> "ToolUse | None":
        """Return the model of ``sets`` with how many of ``runs`` runs have each.

        None if they are too few, or too different for anything to be unusual.
        """
        set_runs: dict[frozenset[str], int] = {}
        for tools, count in sets:
            key = frozenset(tools)
            set_runs[key] = set_runs.get(key, 0) + count
        told = sum(set_runs.values())
        names = sorted({tool for key in set_runs for tool in key})
        if runs < FEWEST_RUNS or told < _LEAST_TOLD * runs or len(names) > _MOST_TOOLS:
            return None
        place = {name: number for number, name in enumerate(names)}
        used = np.zeros((len(set_runs), len(names)))
        for row, key in enumerate(set_runs):
            used[row, [place[tool] for tool in key]] = 1
        counts = np.array(list(set_runs.values()), dtype=np.float64)
        together = used.T @ (used * counts[:, None])
        alone = int((np.diag(together) == 1).sum())
        parent = _tree(together, told)
        unlimited = cls(names, told, set_runs, parent, together, (alone + 0.5) / (told + 1), math.inf)
        nats = np.array([unlimited._nats(key).sum() for key in set_runs])
        # Not the least likely of all: one odd run must not hide the next.
        may_lie_beyond = max(2, told // 1000)
        order = np.argsort(-nats)
        beyond = np.cumsum(counts[order])
        limit = float(nats[order][np.searchsorted(beyond, may_lie_beyond, side="right")])
        return cls(names, told, set_runs, parent, together, unlimited.new_tool, limit)

    def surprise(self, tools: Iterable[str]) -> Surprise | None:
        """Return what is unusual of a run that uses ``tools``, None if nothing is."""
        chosen = frozenset(tools)
        if self.set_runs.get(chosen, 0) > RARE * self.runs:
            return None
        nats = self._nats(chosen)
        new = sorted(chosen - set(self.tools))
        total = float(nats.sum()) - len(new) * math.log(self.new_tool)
        if total <= self.limit:
            return None
        if new and self.new_tool <= RARE:
            return Surprise(total, self.limit, new[0], True, 0, self.runs, "", False)
        if not len(nats) or nats.max() < -math.log(RARE):
            return None
        worst = int(nats.argmax())
        same, of_runs = self._counts(worst, chosen)
        parent = int(self.parent[worst])
        is_root = parent == worst
        return Surprise(
            total,
            self.limit,
            self.tools[worst],
            self.tools[worst] in chosen,
            int(same),
            int(of_runs),
            "" if is_root else self.tools[parent],
            not is_root and self.tools[parent] in chosen,
        )

    def _nats(self, chosen: frozenset[str]) -> NDArray[np.float64]:
        """Return for each tool how unlikely it is that it is there, or missing, given its neighbour."""
        pairs = [self._counts(tool, chosen) for tool in range(len(self.tools))]
        counts = np.array(pairs, dtype=np.float64).reshape(-1, 2)
        nats: NDArray[np.float64] = -np.log((counts[:, 0] + 0.5) / (counts[:, 1] + 1))
        return nats

    def _counts(self, tool: int, chosen: frozenset[str]) -> tuple[float, float]:
        """Return how many runs do the same with this tool, of those that do the same with its neighbour."""
        parent = int(self.parent[tool])
        with_tool, with_parent = self.together[tool, tool], self.together[parent, parent]
        is_there, is_parent_there = self.tools[tool] in chosen, self.tools[parent] in chosen
        if parent == tool:
            return (with_tool if is_there else self.runs - with_tool), float(self.runs)
        both = self.together[tool, parent]
        of_runs = with_parent if is_parent_there else self.runs - with_parent
        there = both if is_parent_there else with_tool - both
        return (there if is_there else of_runs - there), of_runs


def _tree(together: NDArray[np.float64], runs: int) -> NDArray[np.intp]:
    """Return each tool's neighbour in the tree of the greatest mutual information (Prim's algorithm)."""
    size = len(together)
    parent = np.arange(size)
    if size < 2:
        return parent
    shared = _mutual_information(together, runs)
    # The root is the tool that most runs use or leave: about others it tells least.
    root = int(np.argmax(np.abs(np.diag(together) - runs / 2)))
    is_in = np.zeros(size, dtype=bool)
    is_in[root] = True
    best, nearest = shared[root].copy(), np.full(size, root)
    for _ in range(size - 1):
        tool = int(np.argmax(np.where(is_in, -np.inf, best)))
        parent[tool], is_in[tool] = nearest[tool], True
        is_nearer = shared[tool] > best
        best, nearest = np.where(is_nearer, shared[tool], best), np.where(is_nearer, tool, nearest)
    return parent


def _mutual_information(together: NDArray[np.float64], runs: int) -> NDArray[np.float64]:
    """Return what each tool tells of each other, in nats."""
    used = np.diag(together)
    total = np.zeros_like(together)
    joint = (
        (together, used[:, None], used[None, :]),
        (used[:, None] - together, used[:, None], runs - used[None, :]),
        (used[None, :] - together, runs - used[:, None], used[None, :]),
        (runs - used[:, None] - used[None, :] + together, runs - used[:, None], runs - used[None, :]),
    )
    for both, first, second in joint:
        # A quarter of a run in each of the four: none is impossible.
        p = (both + 0.25) / (runs + 1)
        total += p * np.log(p * (runs + 1) ** 2 / ((first + 0.5) * (second + 0.5)))
    return total
