"""Which operation a call of CrewAI is, and what it tells."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from opentelemetry.context import create_key, get_value, set_value

from agentvigil.instrumentations.fields import pick
from agentvigil.instrumentations.functions import Start, argument
from agentvigil.instrumentations.messages import Message, text_message
from agentvigil.instrumentations.openai.messages import of_chat
from agentvigil.instrumentations.rivals import rival_of
from agentvigil.instrumentations.telemetry import Inference, Operation, Telemetry
from agentvigil.instrumentations.telemetry.guard import guard
from agentvigil.semconv import names
from agentvigil.semconv.enums import OperationName, ProviderName, ToolType
from agentvigil.semconv.words import provider_name

_LONGEST_NAME: Final = 128
_MODEL: Final = create_key("agentvigil.crewai.model")
_TOOL: Final = create_key("agentvigil.crewai.tool")


class Operations:
    """Starts and finishes operations for the functions that are wrapped."""

    def __init__(self, telemetry: Telemetry, is_left_to_others: Callable[[], bool]) -> None:
        self._telemetry = telemetry
        self._is_left_to_others = is_left_to_others

    def crew(self, crew: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Operation | None:
        """A crew that is kicked off."""
        if self._is_left_to_others():
            return None
        operation = self._telemetry.workflow(_label(pick(crew, "name")))
        operation.content(names.GEN_AI_INPUT_MESSAGES, lambda: _asked(argument(0, "inputs", args, kwargs)))
        return operation

    def flow(self, flow: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Operation | None:
        """A flow that is kicked off."""
        if self._is_left_to_others() or _is_crewais_own(flow):
            return None
        operation = self._telemetry.workflow(_label(pick(flow, "name")) or type(flow).__name__)
        operation.content(names.GEN_AI_INPUT_MESSAGES, lambda: _asked(argument(0, "inputs", args, kwargs)))
        return operation

    def method(self, flow: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Operation | None:
        """A method of a flow."""
        if self._is_left_to_others() or _is_crewais_own(flow):
            return None
        return self._telemetry.step(_label(argument(0, "method_name", args, kwargs)) or "method")

    def task(self, task: Any, _args: tuple[Any, ...], _kwargs: dict[str, Any]) -> Operation | None:
        """A task. Without a name it is just that: its description is what somebody asks for."""
        if self._is_left_to_others():
            return None
        return self._telemetry.step(_label(pick(task, "name")) or "task")

    def agent(self, agent: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Operation | None:
        """An agent that works on a task, or that is asked something by itself."""
        if self._is_left_to_others():
            return None
        operation = self._telemetry.agent(_label(pick(agent, "role")))
        asked = argument(0, "task", args, kwargs) or argument(0, "messages", args, kwargs)
        operation.content(names.GEN_AI_INPUT_MESSAGES, lambda: _asked(pick(asked, "description") or asked))
        return operation

    def answered(self, operation: Operation, result: Any) -> None:
        """What a crew or an agent answers."""
        text = result if isinstance(result, str) else pick(result, "raw")
        operation.content(names.GEN_AI_OUTPUT_MESSAGES, lambda: _said(text))

    def tool(self, tool: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Operation | None:
        """A tool. One way of calling it goes through the other; then the outer one tells."""
        name = str(pick(tool, "name") or "tool")
        if self._is_left_to_others() or get_value(_TOOL) == name:
            return None
        operation = self._telemetry.tool(name, attributes={names.GEN_AI_TOOL_TYPE: ToolType.FUNCTION})
        operation.context = set_value(_TOOL, name, operation.context)
        operation.content(names.GEN_AI_TOOL_CALL_ARGUMENTS, lambda: kwargs.get("input") or kwargs or list(args))
        return operation

    def tool_answered(self, operation: Operation, result: Any) -> None:
        """What a tool answers."""
        operation.content(names.GEN_AI_TOOL_CALL_RESULT, lambda: result)

    def memory(self, _memory: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Operation | None:
        """A search in what agents remember."""
        return self._search("memory", argument(0, "query", args, kwargs))

    def knowledge(self, _knowledge: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Operation | None:
        """A search in documents."""
        return self._search("knowledge", argument(0, "query", args, kwargs))

    def found(self, operation: Operation, result: Any) -> None:
        """What a search found."""
        if isinstance(result, list):
            operation.set(names.AGENTVIGIL_RETRIEVAL_DOCUMENT_COUNT, len(result))
            operation.content(names.GEN_AI_RETRIEVAL_DOCUMENTS, lambda: [{"score": pick(r, "score")} for r in result])

    def model_by(self, sdk: str) -> Start:
        """Return what starts a call of a model that is made by ``sdk``."""

        def start(llm: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Operation | None:
            path = "/responses" if pick(llm, "api") == "responses" else ""
            if self._is_left_to_others() or rival_of(sdk, path) is not None:
                return None  # somebody else's span tells of it, of the SDK's call at the latest
            return self._model(llm, args, kwargs)

        return start

    def _model(self, llm: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Operation:
        prefix, _, rest = str(pick(llm, "model") or "").partition("/")
        provider = str(pick(llm, "provider") or (prefix if rest else "")) or ProviderName.OPENAI
        operation = self._telemetry.inference(OperationName.CHAT, provider_name(provider), rest or prefix)
        operation.set_all(
            {
                names.GEN_AI_REQUEST_TEMPERATURE: pick(llm, "temperature"),
                names.GEN_AI_REQUEST_MAX_TOKENS: pick(llm, "max_tokens"),
                names.GEN_AI_REQUEST_STREAM: True if pick(llm, "stream") is True else None,
            }
        )
        messages = argument(0, "messages", args, kwargs)
        operation.content(
            names.GEN_AI_INPUT_MESSAGES, lambda: _asked(messages) if isinstance(messages, str) else of_chat(messages)
        )
        operation.context = set_value(_MODEL, operation, operation.context)
        return operation

    def model_answered(self, operation: Operation, result: Any) -> None:
        """What a model answers, where the SDK below has not told it."""
        if isinstance(result, str):
            operation.content(names.GEN_AI_OUTPUT_MESSAGES, lambda: _said(result))

    def usage(self, wrapped: Callable[..., Any], _llm: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Wrap CrewAI's own counting of tokens, which all its models report to while they are called."""
        with guard("usage of a model"):
            told = argument(0, "usage_data", args, kwargs)
            operation = get_value(_MODEL)
            if isinstance(operation, Inference) and not operation.knows_usage and isinstance(told, Mapping):
                _tell_usage(operation, told)
        return wrapped(*args, **kwargs)

    def _search(self, what: str, query: Any) -> Operation | None:
        if self._is_left_to_others():
            return None
        operation = self._telemetry.retrieval(what)
        operation.content(names.GEN_AI_RETRIEVAL_QUERY_TEXT, lambda: query)
        return operation


def _tell_usage(operation: Inference, told: Mapping[str, Any]) -> None:
    def first(*keys: str) -> Any:
        return next((told[key] for key in keys if isinstance(told.get(key), int)), None)

    read = first("cached_tokens", "cached_prompt_tokens", "cache_read_input_tokens")
    operation.usage(
        input=first("prompt_tokens", "prompt_token_count", "input_tokens"),
        output=first("completion_tokens", "candidates_token_count", "output_tokens"),
        cache_read=read or None,
        reasoning=first("reasoning_tokens") or None,
    )


def _is_crewais_own(flow: Any) -> bool:
    """Say whether ``flow`` is how CrewAI itself is made, such as the loop of its agents, and nothing of the user's."""
    return type(flow).__module__.startswith("crewai.")


def _label(name: Any) -> str | None:
    return " ".join(name.split())[:_LONGEST_NAME] if isinstance(name, str) and name.strip() else None


def _asked(given: Any) -> list[Message] | None:
    if given is None:
        return None
    return [text_message("user", given if isinstance(given, str) else str(given))]


def _said(text: Any) -> list[Message] | None:
    return [text_message("assistant", text)] if isinstance(text, str) else None
