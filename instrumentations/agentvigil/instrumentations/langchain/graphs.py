"""Which run is a graph, and which graph is an agent. Callbacks do not say; the graph's own methods know.

``Pregel.stream`` and ``astream`` begin every execution of a graph, and the callback about it follows in the same task.
"""

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

from agentvigil.instrumentations.telemetry.guard import guard

_AGENT_NODES: Final = (frozenset({"agent", "tools"}), frozenset({"model", "tools"}))
"""Nodes of LangGraph's prebuilt agents and of LangChain's: a model that calls tools in a loop."""
_NAMELESS: Final = frozenset({"LangGraph"})


@dataclass(frozen=True, slots=True)
class Graph:
    """A graph that is about to run."""

    name: str
    nodes: frozenset[str]


_next: ContextVar[Graph | None] = ContextVar("agentvigil_langgraph", default=None)


def watch(wrapped: Callable[..., Any], graph: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Wrap ``Pregel.stream`` and ``Pregel.astream``."""
    with guard("a graph"):
        _next.set(Graph(str(graph.get_name()), frozenset(graph.nodes)))
    return wrapped(*args, **kwargs)


def take_graph() -> Graph | None:
    """Return the graph that the run which begins now is, or None if it is none."""
    graph = _next.get()
    if graph is not None:
        _next.set(None)
    return graph


def is_agent(graph: Graph, metadata: Mapping[str, Any]) -> bool:
    """Say whether a model decides what happens in ``graph``."""
    named = metadata.get("lc_agent_name")
    if named and named == graph.name:
        return True
    return any(nodes <= graph.nodes for nodes in _AGENT_NODES)


def given_name(name: str) -> str | None:
    """Return the name that somebody gave a graph or chain, or None where it is that of a class."""
    return None if name in _NAMELESS or name.startswith("Runnable") else name
