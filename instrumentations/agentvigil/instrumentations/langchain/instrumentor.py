"""Where LangChain and LangGraph are taken hold of."""

from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any, ClassVar

from agentvigil.instrumentations.instrumentor import FrameworkInstrumentor
from agentvigil.instrumentations.langchain.callbacks import Callbacks
from agentvigil.instrumentations.langchain.contexts import Contexts, aretrieve, retrieve
from agentvigil.instrumentations.langchain.graphs import watch
from agentvigil.instrumentations.langchain.runs import Runs
from agentvigil.instrumentations.patches import Hook, Patch, Wrapped
from agentvigil.instrumentations.telemetry import Telemetry
from agentvigil.instrumentations.telemetry.guard import guard


class LangChainInstrumentor(FrameworkInstrumentor):
    """Instruments ``langchain-core``, and so LangChain and LangGraph."""

    name: ClassVar[str] = "langchain"
    requires: ClassVar[str] = "langchain-core >= 0.3.60, < 2"

    def patches(self, telemetry: Telemetry, **_options: Any) -> Iterable[Patch]:
        self.runs = Runs()
        contexts = Contexts(self.runs)
        callbacks: list[Any] = []

        def make_callbacks(module: ModuleType) -> Callable[[], object]:
            handler = type("AgentVigilCallbacks", (Callbacks, module.BaseCallbackHandler), {})
            callbacks.append(handler(telemetry, self.runs, self.is_left_to_others))
            return callbacks.clear

        def add_callbacks(
            wrapped: Callable[..., Any], manager: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
        ) -> None:
            wrapped(*args, **kwargs)
            with guard("a callback manager"):
                for handler in callbacks:
                    if handler not in manager.inheritable_handlers:
                        manager.add_handler(handler, inherit=True)

        model = "langchain_core.language_models.chat_models"
        return (
            Hook("langchain_core.callbacks.base", make_callbacks),
            Wrapped("langchain_core.callbacks.base", "BaseCallbackManager.__init__", add_callbacks),
            Wrapped("langchain_core.runnables.config", "_set_config_context", contexts.prepare),
            Wrapped("langgraph._internal._runnable", "_set_config_context", contexts.prepare),
            Wrapped("langgraph.utils.runnable", "_set_config_context", contexts.prepare),
            Wrapped(model, "BaseChatModel._generate_with_cache", contexts.generate),
            Wrapped(model, "BaseChatModel._agenerate_with_cache", contexts.agenerate),
            Wrapped("langchain_core.retrievers", "BaseRetriever.invoke", retrieve),
            Wrapped("langchain_core.retrievers", "BaseRetriever.ainvoke", aretrieve),
            Wrapped("langgraph.pregel.main", "Pregel.stream", watch),
            Wrapped("langgraph.pregel.main", "Pregel.astream", watch),
            Wrapped("langgraph.pregel", "Pregel.stream", watch),
            Wrapped("langgraph.pregel", "Pregel.astream", watch),
        )
