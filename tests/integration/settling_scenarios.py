"""Many small traces settled together: planning the statements of a batch costs the same for one trace and for fifty.

A test says which spans its scenario has, and reads what became of them. Each scenario is a project of its own, so none
can see the spans of another::

    scenarios = Scenarios()

    @scenarios.of(agent(1), chat(2, 1))
    def test_a_call_is_a_step(found: Found) -> None:
        assert found.steps("SpanId") == [id_of(2)]
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any, TypeVar

from agent_traces import Sp, receive, settle_traces

from agentvigil.storage.store import Store

_Test = TypeVar("_Test", bound=Callable[..., None])


@dataclass(frozen=True)
class _Scenario:
    rounds: Sequence[Sequence[Sp]]
    is_final: bool


@dataclass(frozen=True)
class Found:
    """What the traces of a project have settled to: by default in the end, or :meth:`after` some rounds."""

    store: Store
    project: str
    suffix: str = " FINAL"

    def after(self, rounds: int) -> "Found":
        """What it was when only the first ``rounds`` rounds had been received and settled."""
        return replace(self, suffix=f"_after_{rounds}")

    def within(self, part: str) -> "Found":
        """What is found of a part of the scenario, made by the function :func:`within`."""
        return replace(self, project=_project(self.project, part))

    def runs(self, columns: str, *, where: str = "1") -> list[Any]:
        """Return the columns of all runs, in the order of their ids; single values if it is one column."""
        return self.rows(f"agent_runs{self.suffix}", columns, where=where, order="RunId")

    def steps(self, columns: str, *, where: str = "1") -> list[Any]:
        """Return the columns of all steps, run by run in their order; single values if it is one column."""
        return self.rows(f"agent_steps{self.suffix}", columns, where=where, order="RunId, Ordinal")

    def everything(self) -> tuple[list[Any], list[Any]]:
        """Return all rows of both tables, without the project and what tells when they were settled."""
        return (
            self.runs("* EXCEPT (Project, Version, SettledAt, HasLateSpans)"),
            self.steps("* EXCEPT (Project, Version)"),
        )

    def rows(self, table: str, columns: str, *, order: str, where: str = "1") -> list[Any]:
        """Return the columns of what ``table`` has of the project; single values if it is one column."""
        rows = self.store.rows(
            f"SELECT {columns} FROM {table} WHERE Project = {{project:String}} AND ({where}) ORDER BY {order}",
            {"project": self.project},
        )
        return [row[0] if len(row) == 1 else tuple(row) for row in rows]


class Scenarios:
    """The scenarios of a module, by the name of the test that reads them."""

    def __init__(self) -> None:
        self._scenarios: dict[str, _Scenario] = {}

    def of(self, *spans: Sp, then: Sequence[Sequence[Sp]] = (), final: bool = False) -> Callable[[_Test], _Test]:
        """The scenario of the test below: ``spans`` are received and settled, and ``then`` each further round."""

        def add(test: _Test) -> _Test:
            self._scenarios[test.__name__] = _Scenario((spans, *then), final)
            return test

        return add

    def settle(self, store: Store) -> None:
        """Settle all of them, all their first rounds together, then all their second ones."""
        rounds = zip_longest(*(scenario.rounds for scenario in self._scenarios.values()), fillvalue=())
        for number, spans_by_scenario in enumerate(rounds, 1):
            if number > 1:
                keep(store, f"after_{number - 1}")
            self._settle_round(store, spans_by_scenario)

    def _settle_round(self, store: Store, spans_by_scenario: Sequence[Sequence[Sp]]) -> None:
        received: list[Sp] = []
        traces: dict[tuple[str, int], bool] = {}
        for (name, scenario), spans in zip(self._scenarios.items(), spans_by_scenario, strict=True):
            for span in spans:
                received.append(replace(span, project=_project(name, span.project)))
                traces[received[-1].project, span.trace] = scenario.is_final
        receive(store, *received)
        settle_traces(store, traces)


def keep(store: Store, moment: str) -> None:
    """Keep what is settled now, for a :class:`Found` of this ``moment``."""
    for table in ("agent_runs", "agent_steps"):
        store.command(
            "CREATE TABLE {kept:Identifier} ENGINE = Memory AS SELECT * FROM {table:Identifier} FINAL",
            {"kept": f"{table}_{moment}", "table": table},
        )


def within(part: str, *spans: Sp) -> Iterator[Sp]:
    """The same spans as a part of the scenario that sees nothing of its other parts."""
    return (replace(span, project=part) for span in spans)


def _project(scenario: str, part: str) -> str:
    return scenario if part == Sp.project else f"{scenario}: {part}"
