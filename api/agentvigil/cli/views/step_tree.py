"""Steps of a run as a tree, and which of very many are shown."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from agentvigil.cli.views.paper import Paper

Json = Mapping[str, Any]

_DEEPEST: Final = 12
"""Guides that are drawn; what is deeper stands below the last."""
_AT_THE_ENDS: Final = 20


@dataclass(frozen=True, slots=True)
class Placed:
    """A step in the tree: what stands before it is one letter for each step around it, then its own.

    ``|`` is a line that goes on, a space none, ``+`` a branch and ``L`` the last of its branches.
    """

    step: Json
    guides: str

    def drawn(self, paper: Paper) -> str:
        """Return the guides as they are written."""
        letters = (
            {"|": "│ ", " ": "  ", "+": "├ ", "L": "└ "}
            if paper.draws
            else {"|": "| ", " ": "  ", "+": "|-", "L": "`-"}
        )
        return "".join(letters[letter] for letter in self.guides[-_DEEPEST:])


def placed(steps: Sequence[Json]) -> list[Placed]:
    """Return every one of ``steps`` once, each after the step around it, else in their order."""
    ids = {step["span_id"] for step in steps}
    children: dict[str | None, list[Json]] = {}
    for step in steps:
        around = step["parent_step_id"]
        children.setdefault(around if around in ids and around != step["span_id"] else None, []).append(step)
    found: list[Placed] = []
    waiting = [Placed(step, "") for step in reversed(children.pop(None, []))]
    while waiting or children:
        if not waiting:
            # Whoever sent them says that they stand around each other.
            waiting += [Placed(step, "") for step in reversed(children.pop(next(iter(children))))]
        place = waiting.pop()
        found.append(place)
        inside = children.pop(place.step["span_id"], [])
        around = place.guides.replace("+", "|").replace("L", " ")
        waiting += [
            Placed(step, around + ("L" if last else "+"))
            for last, step in zip((True, *[False] * len(inside)), reversed(inside), strict=False)
        ]
    return found


def folded(places: Sequence[Placed], most: int) -> Iterator[Placed | list[Placed]]:
    """Yield about ``most`` of ``places`` in their order, and lists of those in between that are left out.

    Shown are the first and the last, those that failed, those that took most of the critical path, and what stands
    around them.
    """
    if len(places) <= most:
        yield from places
        return
    shown = _shown(places, most)
    hidden: list[Placed] = []
    for index, place in enumerate(places):
        if index not in shown:
            hidden.append(place)
            continue
        if hidden:
            yield hidden
            hidden = []
        yield place
    if hidden:
        yield hidden


def _shown(places: Sequence[Placed], most: int) -> set[int]:
    index_of = {place.step["span_id"]: index for index, place in enumerate(places)}
    ends = [*range(_AT_THE_ENDS), *range(len(places) - _AT_THE_ENDS, len(places))]
    ranked = sorted(range(len(places)), key=lambda index: _weight(places[index].step), reverse=True)
    shown: set[int] = set()
    for index in (*ends, *ranked):
        if len(shown) >= most:
            break
        shown.update(_with_those_around(index, places, index_of))
    return shown


def _weight(step: Json) -> tuple[bool, bool, float]:
    failure = step["failure"]
    return bool(failure and failure["is_root_cause"]), failure is not None, step["critical_path_ms"]


def _with_those_around(index: int, places: Sequence[Placed], index_of: Mapping[str, int]) -> Iterable[int]:
    found: dict[int, None] = {}
    at: int | None = index
    while at is not None and at not in found and len(found) <= _DEEPEST:
        found[at] = None
        at = index_of.get(places[at].step["parent_step_id"] or "")
    return found
