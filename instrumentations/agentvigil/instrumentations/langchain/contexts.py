"""Making a run's context current while its code runs, and only then.

LangChain and LangGraph run code of nodes, tools and chains in a copy of the context, which they prepare in a function
of their own. What is made current in that copy is gone with it: nothing has to be detached, in whatever task or thread
the run ends. Models run in the caller's context, while ``_generate_with_cache`` does its work, and so do retrievers:
the callback makes their context current, and the caller's comes back when ``invoke`` returns.
"""

from collections.abc import Callable
from typing import Any, Final

from opentelemetry.context import attach, create_key, get_current, get_value, set_value

from agentvigil.instrumentations.fields import pick
from agentvigil.instrumentations.langchain.runs import Run, Runs
from agentvigil.instrumentations.telemetry.current import Active
from agentvigil.instrumentations.telemetry.guard import guard

_WILL_BE_LEFT: Final = create_key("agentvigil.langchain.retriever")


class Contexts:
    """Wrappers that make the contexts of ``runs`` current."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs

    def prepare(self, wrapped: Callable[..., Any], _none: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Wrap ``_set_config_context``, which is called inside the copied context."""
        prepared = wrapped(*args, **kwargs)
        with guard("the context of a run"):
            config = args[0] if args else kwargs.get("config")
            run = self._runs.get(pick(config, "callbacks", "parent_run_id"))
            if run is not None:
                attach(run.context)
        return prepared

    def generate(self, wrapped: Callable[..., Any], _model: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Wrap ``BaseChatModel._generate_with_cache``."""
        run = self._run(args, kwargs)
        if run is None:
            return wrapped(*args, **kwargs)
        with Active(run.context):
            return wrapped(*args, **kwargs)

    async def agenerate(
        self, wrapped: Callable[..., Any], _model: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Wrap ``BaseChatModel._agenerate_with_cache``."""
        run = self._run(args, kwargs)
        if run is None:
            return await wrapped(*args, **kwargs)
        with Active(run.context):
            return await wrapped(*args, **kwargs)

    def _run(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Run | None:
        # (messages, stop=None, run_manager=None, **kwargs)
        manager = kwargs.get("run_manager") or (args[2] if len(args) > 2 else None)
        return self._runs.get(getattr(manager, "run_id", None))


def retrieve(wrapped: Callable[..., Any], _retriever: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Wrap ``BaseRetriever.invoke``."""
    with Active(set_value(_WILL_BE_LEFT, True)):
        return wrapped(*args, **kwargs)


async def aretrieve(wrapped: Callable[..., Any], _retriever: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Wrap ``BaseRetriever.ainvoke``."""
    with Active(set_value(_WILL_BE_LEFT, True)):
        return await wrapped(*args, **kwargs)


def enter_retriever(run: Run | None) -> None:
    """Make the context of a retriever that begins current, if it is sure to be left again."""
    if run is not None and get_value(_WILL_BE_LEFT, get_current()):
        attach(set_value(_WILL_BE_LEFT, False, run.context))
