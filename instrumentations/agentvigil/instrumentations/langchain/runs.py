"""Runs of LangChain that go on: each has an id, the operation that tells of it if there is one, and a context."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from opentelemetry.context import Context, create_key, get_current, get_value, set_value

from agentvigil.instrumentations.going_on import GoingOn
from agentvigil.instrumentations.telemetry import Operation

_KEY: Final = create_key("agentvigil.langchain.run")


@dataclass(frozen=True, slots=True)
class Run:
    """One run. ``context`` is current inside it; without an operation it is that of the run around it."""

    operation: Operation | None
    context: Context


class Runs:
    """The runs that go on, from any thread."""

    def __init__(self) -> None:
        self._runs: GoingOn[UUID, Run] = GoingOn()

    def context_for(self, parent_run_id: UUID | None) -> Context:
        """Return the context that a run begins in.

        Inside the code of its parent that is the current one, since the application may have opened spans there.
        Callbacks also come from elsewhere; then it is the parent's.
        """
        current = get_current()
        if parent_run_id is None or get_value(_KEY, current) == parent_run_id:
            return current
        parent = self.get(parent_run_id)
        return current if parent is None else parent.context

    def add(self, run_id: UUID, operation: Operation | None, around: Context) -> None:
        """Remember a run that has begun."""
        context = set_value(_KEY, run_id, around if operation is None else operation.context)
        abandoned = self._runs.add(run_id, Run(operation, context))
        if abandoned is not None and abandoned.operation is not None:
            abandoned.operation.end()

    def get(self, run_id: UUID | None) -> Run | None:
        """Return a run that goes on."""
        return None if run_id is None else self._runs.get(run_id)

    def pop(self, run_id: UUID) -> Operation | None:
        """Forget a run that ends, and return its operation."""
        run = self._runs.pop(run_id)
        return None if run is None else run.operation

    def __len__(self) -> int:
        return len(self._runs)
