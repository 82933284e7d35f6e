"""Which operation a call in LlamaIndex is, and what its result tells."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast
from weakref import WeakKeyDictionary

from opentelemetry.context import Context, create_key, get_current, get_value, set_value

from agentvigil.instrumentations.fields import each, pick
from agentvigil.instrumentations.llama_index import models
from agentvigil.instrumentations.messages import Message, text_message
from agentvigil.instrumentations.telemetry import Inference, Operation, Telemetry
from agentvigil.instrumentations.telemetry.guard import guard
from agentvigil.instrumentations.telemetry.operation import AgentInvocation
from agentvigil.semconv import names
from agentvigil.semconv.enums import OperationName, ToolType

_RUN: Final = create_key("agentvigil.llama_index.run")
_TOOL: Final = create_key("agentvigil.llama_index.tool")
_CALL_ID: Final = create_key("agentvigil.llama_index.call_id")

_NO_NAME: Final = frozenset({"Agent"})
"""What LlamaIndex calls an agent that has no name."""

Arguments = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Begun:
    """What begins with a call: an operation, and the context that the call runs in."""

    operation: Operation | None
    context: Context


@dataclass(slots=True)
class Run:
    """A run of a workflow. Of several agents, ``agent`` is the one that works now."""

    operation: Operation
    context: Context
    steps: frozenset[str]
    """Those of the application's own workflow; those of agents are how LlamaIndex makes agents."""
    has_agents: bool
    agent_name: str = ""
    agent: AgentInvocation | None = None


class Operations:
    """Begins and finishes operations for the calls that LlamaIndex's dispatcher tells of."""

    def __init__(self, telemetry: Telemetry, is_left_to_others: Callable[..., bool]) -> None:
        self._telemetry = telemetry
        self._is_left_to_others = is_left_to_others
        self._begins: dict[str, Callable[[Any, str, Arguments, bool], Begun | None]] = {
            "BaseLLM": self._model,
            "BaseEmbedding": self._embedding,
            "BaseRetriever": self._retriever,
            "BaseTool": self._tool,
            "BaseQueryEngine": self._engine,
            "BaseChatEngine": self._engine,
            "BaseNodePostprocessor": self._postprocessor,
            "Workflow": self._workflow,
        }

    def begin(self, owner: str, method: str, instance: Any, bound: Any, *, is_root: bool) -> Begun | None:
        """Begin what a call is, or return None for a call that is nothing of its own.

        ``owner`` is the class that the method is looked up by, ``bound`` are the arguments, and ``is_root`` is whether
        no call of LlamaIndex's is around it.
        """
        run = cast("Run | None", get_value(_RUN))
        if run is not None and method != "run" and _is_step_of(run, owner, method, instance):
            return self._step(run, method, _arguments(bound))
        component = None if instance is None else _component(type(instance))
        if component is None or method not in _METHODS[component]:
            return None
        if self._is_left_to_others():
            return self._beside_others(component, instance, method, bound)
        return self._begins[component](instance, method, _arguments(bound), is_root)

    def _beside_others(self, component: str, instance: Any, method: str, bound: Any) -> Begun | None:
        """Have the SDK's call make no second span where others tell of it, whose spans are not current inside."""
        kind = _CALLS_OF_MODELS.get(component)
        if kind is None:
            return None
        if not self._is_left_to_others(kind.value):
            return self._begins[component](instance, method, _arguments(bound), False)
        told = self._telemetry.told_by_others(kind, context=get_current())
        return Begun(told, told.context)

    def end(self, operation: Operation, result: Any) -> None:
        """End what a call was that returns, with what it returned."""
        with guard("what a call of LlamaIndex returned"):
            _tell(operation, result)
        agent = _agent_of(operation)
        if agent is not None:
            agent.end()
        operation.end()

    def fail(self, operation: Operation, error: BaseException) -> None:
        """End what a call was that raises."""
        agent = _agent_of(operation)
        if agent is not None:
            agent.fail(error)
        operation.fail(error)

    def _model(self, llm: Any, method: str, arguments: Arguments, _is_root: bool) -> Begun | None:
        if models.is_told_by_sdk(llm):
            return None
        is_chat = pick(llm, "metadata", "is_chat_model") is not False
        kind = OperationName.CHAT if is_chat else OperationName.TEXT_COMPLETION
        operation = self._telemetry.inference(kind, models.provider_of(llm), models.model_of(llm))
        operation.set_all(models.request_of(llm, arguments, streams="stream" in method))
        given = arguments.get("messages")
        if given is None:
            prompt = next(iter(arguments.get("args") or ()), arguments.get("prompt"))
            operation.content(names.GEN_AI_INPUT_MESSAGES, lambda: _said("user", prompt))
        else:
            operation.content(names.GEN_AI_INPUT_MESSAGES, lambda: models.messages_of(given))
        operation.content(names.GEN_AI_TOOL_DEFINITIONS, lambda: arguments.get("tools"))
        return Begun(operation, operation.context)

    def _embedding(self, embedding: Any, _method: str, _arguments: Arguments, _is_root: bool) -> Begun | None:
        if models.is_told_by_sdk(embedding):
            return None
        provider, model = models.provider_of(embedding), models.model_of(embedding)
        operation = self._telemetry.inference(OperationName.EMBEDDINGS, provider, model)
        return Begun(operation, operation.context)

    def _retriever(self, retriever: Any, _method: str, arguments: Arguments, _is_root: bool) -> Begun:
        operation = self._telemetry.retrieval(type(retriever).__name__)
        asked = arguments.get("str_or_query_bundle")
        operation.content(names.GEN_AI_RETRIEVAL_QUERY_TEXT, lambda: _text(asked))
        return Begun(operation, operation.context)

    def _tool(self, tool: Any, _method: str, arguments: Arguments, _is_root: bool) -> Begun | None:
        """One way of calling a tool goes through another; then the outer one tells."""
        name = str(pick(tool, "metadata", "name") or "tool")
        if get_value(_TOOL) == name:
            return None
        operation = self._telemetry.tool(
            name,
            attributes={
                names.GEN_AI_TOOL_TYPE: ToolType.FUNCTION,
                names.GEN_AI_TOOL_DESCRIPTION: pick(tool, "metadata", "description"),
                names.GEN_AI_TOOL_CALL_ID: get_value(_CALL_ID),
            },
        )
        operation.content(
            names.GEN_AI_TOOL_CALL_ARGUMENTS,
            lambda: (
                {key: value for key, value in arguments.items() if key != "args"} or list(arguments.get("args", ()))
            ),
        )
        return Begun(operation, set_value(_TOOL, name, operation.context))

    def _engine(self, engine: Any, _method: str, arguments: Arguments, is_root: bool) -> Begun:
        name = type(engine).__name__
        if not is_root:
            step = self._telemetry.step(name)
            return Begun(step, step.context)
        operation = self._telemetry.workflow(name)
        asked = arguments.get("str_or_query_bundle", arguments.get("message"))
        operation.content(names.GEN_AI_INPUT_MESSAGES, lambda: _said("user", _text(asked)))
        return Begun(operation, operation.context)

    def _postprocessor(self, postprocessor: Any, _method: str, _arguments: Arguments, _is_root: bool) -> Begun:
        step = self._telemetry.step(type(postprocessor).__name__)
        return Begun(step, step.context)

    def _workflow(self, workflow: Any, _method: str, arguments: Arguments, _is_root: bool) -> Begun:
        bases = {base.__name__ for base in type(workflow).__mro__}
        is_agent, has_agents = "BaseWorkflowAgent" in bases, "AgentWorkflow" in bases
        if is_agent:
            operation: Operation = self._telemetry.agent(_given(pick(workflow, "name")))
        else:
            operation = self._telemetry.workflow(type(workflow).__name__)
        asked = pick(arguments.get("start_event"), "user_msg") or arguments.get("user_msg")
        operation.content(names.GEN_AI_INPUT_MESSAGES, lambda: _said("user", _text(asked)))
        steps = frozenset() if is_agent or has_agents else frozenset(workflow._get_steps())  # noqa: SLF001
        run = Run(operation, operation.context, steps, has_agents)
        operation.context = run.context = set_value(_RUN, run, operation.context)
        return Begun(operation, run.context)

    def _step(self, run: Run, method: str, arguments: Arguments) -> Begun | None:
        if run.steps:
            step = self._telemetry.step(method)
            return Begun(step, step.context)
        event = arguments.get("ev")
        if run.has_agents and method == "run_agent_step":
            self._hand_over(run, str(pick(event, "current_agent_name") or ""))
        context = get_current() if run.agent is None else run.agent.context
        if method == "call_tool":
            return Begun(None, set_value(_CALL_ID, pick(event, "tool_id"), context))
        return None if run.agent is None else Begun(None, context)

    def _hand_over(self, run: Run, name: str) -> None:
        if run.agent is not None and run.agent_name == name:
            return
        if run.agent is not None:
            run.agent.end()
        run.agent_name, run.agent = name, self._telemetry.agent(_given(name), context=run.context)


_CALLS: Final = frozenset({"chat", "complete", "stream_chat", "stream_complete"})
_EMBEDDING_CALLS: Final = frozenset({"get_query_embedding", "get_text_embedding", "get_text_embedding_batch"})
_METHODS: Final[Mapping[str, frozenset[str]]] = {
    "BaseLLM": _CALLS | {f"a{call}" for call in _CALLS},
    "BaseEmbedding": _EMBEDDING_CALLS | {f"a{call}" for call in _EMBEDDING_CALLS},
    "BaseRetriever": frozenset({"retrieve", "aretrieve"}),
    "BaseTool": frozenset({"call", "acall", "__call__"}),
    "BaseQueryEngine": frozenset({"query", "aquery"}),
    "BaseChatEngine": frozenset({"chat", "achat", "stream_chat", "astream_chat"}),
    "BaseNodePostprocessor": frozenset({"_postprocess_nodes"}),
    "Workflow": frozenset({"run"}),
}
"""Of LlamaIndex's base classes, the methods that are an operation. All else that is told is how these are made."""
_CALLS_OF_MODELS: Final = {"BaseLLM": OperationName.CHAT, "BaseEmbedding": OperationName.EMBEDDINGS}
_WRAPPERS: Final = frozenset({"StructuredLLM"})
"""Classes that only hand on to another of their kind."""

_components: Final[WeakKeyDictionary[type, str | None]] = WeakKeyDictionary()


def _component(kind: type) -> str | None:
    """Return which of LlamaIndex's base classes ``kind`` is of, by its name: none of them is imported here."""
    if kind not in _components:
        bases = [base.__name__ for base in kind.__mro__]
        wraps = not _WRAPPERS.isdisjoint(bases)
        _components[kind] = None if wraps else next((name for name in bases if name in _METHODS), None)
    return _components[kind]


def _agent_of(operation: Operation) -> AgentInvocation | None:
    """Return the agent that is at work in a run of several agents."""
    run = cast("Run | None", get_value(_RUN, operation.context))
    return run.agent if run is not None and run.operation is operation else None


def _tell(operation: Operation, result: Any) -> None:
    match operation.operation:
        case OperationName.CHAT | OperationName.TEXT_COMPLETION:
            models.tell_answer(cast("Inference", operation), result)
        case OperationName.EMBEDDINGS:
            vector = result[0] if isinstance(result, list) and result and isinstance(result[0], list) else result
            operation.set(names.GEN_AI_EMBEDDINGS_DIMENSION_COUNT, len(vector) if isinstance(vector, list) else None)
        case OperationName.RETRIEVAL:
            found = [{"id": pick(node, "node", "node_id"), "score": pick(node, "score")} for node in result or ()]
            operation.set(names.AGENTVIGIL_RETRIEVAL_DOCUMENT_COUNT, len(found))
            operation.content(names.GEN_AI_RETRIEVAL_DOCUMENTS, lambda: found)
        case OperationName.EXECUTE_TOOL:
            operation.content(names.GEN_AI_TOOL_CALL_RESULT, lambda: _text(result))
            if pick(result, "is_error") is True:
                operation.mark_failed("tool_error")
        case OperationName.INVOKE_AGENT | OperationName.INVOKE_WORKFLOW:
            operation.content(names.GEN_AI_OUTPUT_MESSAGES, lambda: _said("assistant", _text(result)))


def _arguments(bound: Any) -> Arguments:
    """Return arguments by name, with what a function takes as ``**kwargs`` beside the others."""
    named: dict[str, Any] = dict(bound.arguments)
    for name, parameter in bound.signature.parameters.items():
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            named |= named.pop(name, {})
    return named


def _is_step_of(run: Run, owner: str, method: str, instance: Any) -> bool:
    """Say whether a call is a step of the workflow that runs: a function or method that LlamaIndex calls as one."""
    if instance is not None and _component(type(instance)) != "Workflow":
        return False
    if run.steps:
        return method in run.steps and not method.startswith("_")
    return owner.endswith(("Agent", "AgentWorkflow")) or instance is not None


def _given(name: Any) -> Any:
    return None if name in _NO_NAME else name


def _said(role: str, content: str | None) -> list[Message] | None:
    return None if content is None else [text_message(role, content)]


def _text(value: Any) -> str | None:
    """Return what was asked or answered, of one of LlamaIndex's many envelopes, as a text."""
    for _ in range(4):
        if value is None or isinstance(value, str):
            return value
        value = next(
            (
                found
                for name in ("query_str", "result", "response", "content", "blocks")
                if (found := pick(value, name)) is not None
            ),
            None,
        )
        if isinstance(value, list):
            return "".join(str(pick(block, "text") or "") for block in each({"blocks": value}, "blocks"))
    return None
