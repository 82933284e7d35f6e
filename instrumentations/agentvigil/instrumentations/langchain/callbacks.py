"""What LangChain's callbacks become.

Every method is called in the task or thread that the run is in, since ``run_inline`` is set. None of them leaves a
context current: LangChain gives no pair of callbacks that is sure to come in one context. :mod:`.contexts` does that.
"""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from opentelemetry.context import Context

from agentvigil.instrumentations.fields import pick
from agentvigil.instrumentations.langchain import contexts, models
from agentvigil.instrumentations.langchain.graphs import Graph, given_name, is_agent, take_graph
from agentvigil.instrumentations.langchain.runs import Runs
from agentvigil.instrumentations.messages import text_message
from agentvigil.instrumentations.rivals import rival_below
from agentvigil.instrumentations.telemetry import Inference, Operation, Telemetry
from agentvigil.instrumentations.telemetry.guard import guarded
from agentvigil.instrumentations.telemetry.identity import with_identity
from agentvigil.instrumentations.telemetry.nesting import announce
from agentvigil.semconv import names
from agentvigil.semconv.enums import OperationName, ToolType

_HIDDEN = "langsmith:hidden"
_QUIET_ERRORS = frozenset({"GraphBubbleUp", "GeneratorExit"})
"""Classes of what is raised to interrupt a graph, to leave it for another node, or to give a stream up."""


class Callbacks:
    """LangChain's callbacks, to be mixed with its ``BaseCallbackHandler``."""

    run_inline = True
    raise_error = False

    def __init__(self, telemetry: Telemetry, runs: Runs, is_left_to_others: Callable[[], bool]) -> None:
        self._telemetry = telemetry
        self._runs = runs
        self._is_left_to_others = is_left_to_others

    @guarded(otherwise=None)
    def on_chain_start(
        self,
        serialized: Any,
        inputs: Any,  # noqa: ARG002 - content
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        name: str | None = None,
        **more: Any,
    ) -> None:
        metadata = metadata or {}
        label = name or pick(serialized, "name") or ""
        graph = take_graph()
        around = self._runs.context_for(parent_run_id)
        operation = None
        if not self._is_left_to_others() and _HIDDEN not in (tags or ()):
            if _is_node(label, tags, metadata):
                operation = self._telemetry.step(label, context=around)
            elif graph is not None or (parent_run_id is None and more.get("run_type") not in ("prompt", "parser")):
                operation = self._outer(label, graph, metadata, around)
        self._runs.add(run_id, operation, around)

    def _outer(self, label: str, graph: Graph | None, metadata: Mapping[str, Any], around: Context) -> Operation:
        thread = models.thread_of(metadata)
        if graph is not None and is_agent(graph, metadata):
            return self._telemetry.agent(given_name(label), conversation_id=thread, context=around)
        return self._telemetry.workflow(given_name(label), conversation_id=thread, context=around)

    @guarded(otherwise=None)
    def on_chain_end(self, outputs: Any, *, run_id: UUID, **_more: Any) -> None:  # noqa: ARG002 - content
        self._end(run_id)

    @guarded(otherwise=None)
    def on_chain_error(self, error: BaseException, *, run_id: UUID, **_more: Any) -> None:
        self._end(run_id, error)

    @guarded(otherwise=None)
    def on_chat_model_start(
        self, serialized: Any, messages: Any, *, run_id: UUID, parent_run_id: UUID | None = None, **more: Any
    ) -> None:
        operation = self._model(OperationName.CHAT, serialized, run_id, parent_run_id, more)
        if operation is not None:
            said = [message for group in messages for message in group]
            operation.content(names.GEN_AI_INPUT_MESSAGES, lambda: models.messages_of(said))

    @guarded(otherwise=None)
    def on_llm_start(
        self, serialized: Any, prompts: Any, *, run_id: UUID, parent_run_id: UUID | None = None, **more: Any
    ) -> None:
        operation = self._model(OperationName.TEXT_COMPLETION, serialized, run_id, parent_run_id, more)
        if operation is not None:
            operation.content(
                names.GEN_AI_INPUT_MESSAGES,
                lambda: [text_message("user", prompt) for prompt in prompts],
            )

    def _model(
        self, kind: OperationName, serialized: Any, run_id: UUID, parent_run_id: UUID | None, more: Mapping[str, Any]
    ) -> Inference | None:
        metadata, parameters = more.get("metadata") or {}, more.get("invocation_params") or {}
        around = self._runs.context_for(parent_run_id)
        provider = models.provider_of(metadata, serialized)
        if rival_below(provider) is not None:
            # Somebody else's span of the SDK's call tells of it, below the node or tool that it is made in.
            self._runs.add(run_id, None, around)
            return None
        if self._is_left_to_others():
            operation = self._telemetry.told_by_others(kind, context=around)
        else:
            thread = models.thread_of(metadata)
            around = with_identity(around, conversation_id=thread) if thread else around
            operation = self._telemetry.inference(kind, provider, models.model_of(metadata, parameters), context=around)
            operation.set_all(models.request_of(metadata, parameters))
        self._runs.add(run_id, operation, around)
        announce(operation)
        return operation

    @guarded(otherwise=None)
    def on_llm_new_token(self, token: str, *, run_id: UUID, **_more: Any) -> None:  # noqa: ARG002 - content
        run = self._runs.get(run_id)
        if run is not None and isinstance(run.operation, Inference):
            run.operation.chunk()

    @guarded(otherwise=None)
    def on_llm_end(self, response: Any, *, run_id: UUID, **_more: Any) -> None:
        run = self._runs.get(run_id)
        if run is not None and isinstance(run.operation, Inference):
            models.tell_answer(run.operation, response)
        self._end(run_id)

    @guarded(otherwise=None)
    def on_llm_error(self, error: BaseException, *, run_id: UUID, **_more: Any) -> None:
        self._end(run_id, error)

    @guarded(otherwise=None)
    def on_tool_start(
        self,
        serialized: Any,
        input_str: str,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        inputs: Any = None,
        tool_call_id: str | None = None,
        **more: Any,
    ) -> None:
        around = self._runs.context_for(parent_run_id)
        operation = None
        if not self._is_left_to_others():
            operation = self._telemetry.tool(
                str(pick(serialized, "name") or more.get("name") or "tool"),
                context=around,
                attributes={
                    names.GEN_AI_TOOL_TYPE: ToolType.FUNCTION,
                    names.GEN_AI_TOOL_DESCRIPTION: pick(serialized, "description"),
                    names.GEN_AI_TOOL_CALL_ID: tool_call_id,
                },
            )
            given = inputs if inputs is not None else input_str
            operation.content(names.GEN_AI_TOOL_CALL_ARGUMENTS, lambda: given)
        self._runs.add(run_id, operation, around)

    @guarded(otherwise=None)
    def on_tool_end(self, output: Any, *, run_id: UUID, **_more: Any) -> None:
        run = self._runs.get(run_id)
        operation = None if run is None else run.operation
        if operation is not None:
            operation.set_missing(names.GEN_AI_TOOL_CALL_ID, pick(output, "tool_call_id"))
            result = pick(output, "content") if hasattr(output, "tool_call_id") else output
            operation.content(names.GEN_AI_TOOL_CALL_RESULT, lambda: result)
            if pick(output, "status") == "error":
                operation.mark_failed("tool_error")
        self._end(run_id)

    @guarded(otherwise=None)
    def on_tool_error(self, error: BaseException, *, run_id: UUID, **_more: Any) -> None:
        self._end(run_id, error)

    @guarded(otherwise=None)
    def on_retriever_start(
        self, serialized: Any, query: str, *, run_id: UUID, parent_run_id: UUID | None = None, **more: Any
    ) -> None:
        around = self._runs.context_for(parent_run_id)
        operation = None
        if not self._is_left_to_others():
            name = more.get("name") or pick(serialized, "name")
            operation = self._telemetry.retrieval(name, context=around)
            operation.content(names.GEN_AI_RETRIEVAL_QUERY_TEXT, lambda: query)
        self._runs.add(run_id, operation, around)
        contexts.enter_retriever(self._runs.get(run_id))

    @guarded(otherwise=None)
    def on_retriever_end(self, documents: Any, *, run_id: UUID, **_more: Any) -> None:
        run = self._runs.get(run_id)
        if run is not None and run.operation is not None:
            found = [{"id": pick(document, "id")} for document in documents or ()]
            run.operation.set(names.AGENTVIGIL_RETRIEVAL_DOCUMENT_COUNT, len(found))
            run.operation.content(names.GEN_AI_RETRIEVAL_DOCUMENTS, lambda: found)
        self._end(run_id)

    @guarded(otherwise=None)
    def on_retriever_error(self, error: BaseException, *, run_id: UUID, **_more: Any) -> None:
        self._end(run_id, error)

    @guarded(otherwise=None)
    def on_interrupt(self, event: Any) -> None:
        """LangGraph: the graph waits for somebody."""
        self._note(event, "interrupt")

    @guarded(otherwise=None)
    def on_resume(self, event: Any) -> None:
        """LangGraph: the graph goes on."""
        self._note(event, "resume")

    def _note(self, event: Any, name: str) -> None:
        run = self._runs.get(pick(event, "run_id"))
        if run is not None and run.operation is not None:
            run.operation.span.add_event(name, {"status": str(pick(event, "status"))})

    def _end(self, run_id: UUID, error: BaseException | None = None) -> None:
        operation = self._runs.pop(run_id)
        if operation is None:
            return
        if error is None or any(kind.__name__ in _QUIET_ERRORS for kind in type(error).__mro__):
            operation.end()
        else:
            operation.fail(error)


def _is_node(name: str, tags: list[str] | None, metadata: Mapping[str, Any]) -> bool:
    if name != metadata.get("langgraph_node") or name.startswith("__"):
        return False
    return any(tag.startswith("graph:step:") for tag in tags or ()) or _is_task(metadata)


def _is_task(metadata: Mapping[str, Any]) -> bool:
    """Say whether a run is a task of LangGraph's functional API: its path has in it that of who called it."""
    path = metadata.get("langgraph_path")
    return isinstance(path, tuple | list) and len(path) > 1 and isinstance(path[1], tuple | list)
