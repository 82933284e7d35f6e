"""Calls of LiteLLM, and the streams that it answers with."""

import sys
import weakref
from collections.abc import Callable
from typing import Any, Final

from opentelemetry.context import create_key, get_value, set_value

from agentvigil.instrumentations.fields import each, pick
from agentvigil.instrumentations.functions import Start, argument
from agentvigil.instrumentations.openai.chat import ChatReader, tell_envelope, tell_usage
from agentvigil.instrumentations.openai.messages import of_chat, of_choices, of_response_input
from agentvigil.instrumentations.openai.responses import ResponseReader, ResponsesRoute
from agentvigil.instrumentations.rivals import ANY_REQUEST, rival_of
from agentvigil.instrumentations.stainless.calls import Reader
from agentvigil.instrumentations.telemetry import Inference, Telemetry
from agentvigil.instrumentations.telemetry.guard import guard
from agentvigil.instrumentations.telemetry.streams import Reading
from agentvigil.semconv import names
from agentvigil.semconv.enums import CostSource, OperationName
from agentvigil.semconv.words import finish_reasons, provider_name

_READING: Final = "_agentvigil_reading"
_CALLED_BY_ASYNCHRONOUS: Final = ("acompletion", "aembedding", "atext_completion", "aresponses")
"""Set by LiteLLM itself when an asynchronous function calls the plain one."""
_CALL: Final = create_key("agentvigil.litellm.call")
_LIMITS: Final = ("max_completion_tokens", "max_tokens", "max_output_tokens")
_RESPONSES: Final = ResponsesRoute()
_BY_OPENAIS_SDK: Final = frozenset({"openai", "text-completion-openai", "azure", "azure_text"})
"""LiteLLM's names of providers that it calls with OpenAI's SDK."""


class Calls:
    """Starts operations for LiteLLM's functions."""

    def __init__(self, telemetry: Telemetry, is_left_to_others: Callable[[str], bool]) -> None:
        self._telemetry = telemetry
        self._is_left_to_others = is_left_to_others

    def start(self, name: str, kind: OperationName) -> Start:
        """Return what starts a call of the asynchronous function ``name``."""
        return lambda _none, args, kwargs: self._started(name, kind, args, kwargs)

    def start_plain(self, name: str, kind: OperationName) -> Start:
        """Return what starts a call of the plain function ``name``, unless an asynchronous one calls it."""

        def start(_none: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Inference | None:
            is_inside = any(kwargs.get(mark) for mark in _CALLED_BY_ASYNCHRONOUS)
            return None if is_inside else self._started(name, kind, args, kwargs)

        return start

    def _started(
        self, name: str, kind: OperationName, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Inference | None:
        if self._is_left_to_others(name) or _has_its_own():
            return None
        if get_value(_CALL) == kind:
            return None  # one function of LiteLLM's calls another one
        # The Responses API has its input first and then the model, all others the model first.
        is_response = name.endswith("responses")
        asked = str(argument(1 if is_response else 0, "model", args, kwargs) or "")
        provider, model = _provider_and_model(asked, kwargs.get("custom_llm_provider"))
        if provider in _BY_OPENAIS_SDK and rival_of("openai", ANY_REQUEST) is not None:
            return None  # somebody else's span of the SDK's call tells of it
        operation = self._telemetry.inference(kind, provider_name(provider), model)
        stop = kwargs.get("stop")
        operation.set_all(
            {
                names.GEN_AI_REQUEST_MAX_TOKENS: next((kwargs[limit] for limit in _LIMITS if kwargs.get(limit)), None),
                names.GEN_AI_REQUEST_TEMPERATURE: kwargs.get("temperature"),
                names.GEN_AI_REQUEST_TOP_P: kwargs.get("top_p"),
                names.GEN_AI_REQUEST_SEED: kwargs.get("seed"),
                names.GEN_AI_REQUEST_STOP_SEQUENCES: [stop] if isinstance(stop, str) else stop,
                names.GEN_AI_REQUEST_REASONING_LEVEL: kwargs.get("reasoning_effort"),
                names.GEN_AI_REQUEST_STREAM: True if kwargs.get("stream") is True else None,
            }
        )
        if is_response:
            given = {"input": argument(0, "input", args, kwargs)}
            operation.content(names.GEN_AI_INPUT_MESSAGES, lambda: of_response_input(given))
        elif kind is OperationName.CHAT:
            messages = argument(1, "messages", args, kwargs)
            operation.content(names.GEN_AI_INPUT_MESSAGES, lambda: of_chat(messages or ()))
        if kind is OperationName.CHAT:
            operation.content(names.GEN_AI_TOOL_DEFINITIONS, lambda: kwargs.get("tools"))
        operation.context = set_value(_CALL, kind, operation.context)
        return operation


def answered(operation: Inference, answer: Any) -> bool:
    """Tell what LiteLLM has answered. Says whether it is a stream, which goes on."""
    kind = type(answer).__name__
    reader: Reader
    if kind == "CustomStreamWrapper":
        reader = ChatReader(operation, hides_usage=False)
    elif kind.endswith("ResponsesAPIStreamingIterator"):
        reader = ResponseReader(_RESPONSES, operation)
    elif kind == "ResponsesAPIResponse":
        _RESPONSES.answered(operation, answer)
        _tell_cost(operation, answer)
        return False
    else:
        _tell(operation, answer)
        return False
    reading = Reading(operation, reader.item, reader.end)
    setattr(answer, _READING, reading)
    weakref.finalize(answer, reading.finish)
    return True


def next_chunk(wrapped: Callable[..., Any], stream: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Wrap ``__next__`` of the streams that LiteLLM answers with."""
    reading = stream.__dict__.get(_READING)
    if reading is None:
        return wrapped(*args, **kwargs)
    with reading.next_item():
        chunk = wrapped(*args, **kwargs)
    reading.passes(chunk)
    return chunk


async def anext_chunk(wrapped: Callable[..., Any], stream: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Wrap ``__anext__`` of the streams that LiteLLM answers with."""
    reading = stream.__dict__.get(_READING)
    if reading is None:
        return await wrapped(*args, **kwargs)
    with reading.next_item():
        chunk = await wrapped(*args, **kwargs)
    reading.passes(chunk)
    return chunk


def _tell(operation: Inference, answer: Any) -> None:
    tell_envelope(operation, answer)
    usage = pick(answer, "usage")
    tell_usage(operation, usage)
    operation.usage(cache_write=pick(usage, "cache_creation_input_tokens") or None)
    _tell_cost(operation, answer)
    choices = each(answer, "choices")
    reasons = finish_reasons(pick(choice, "finish_reason") for choice in choices)
    operation.set_missing(names.GEN_AI_RESPONSE_FINISH_REASONS, reasons)
    operation.content(names.GEN_AI_OUTPUT_MESSAGES, lambda: of_choices(choices))


def _tell_cost(operation: Inference, answer: Any) -> None:
    cost = pick(answer, "_hidden_params", "response_cost")
    if isinstance(cost, float) and cost > 0:
        operation.set(names.AGENTVIGIL_COST_USD, cost)
        operation.set(names.AGENTVIGIL_COST_SOURCE, CostSource.GATEWAY)


def _provider_and_model(model: str, said: Any) -> tuple[str, str]:
    """Return LiteLLM's name of the provider, and the model without it."""
    if isinstance(said, str) and said:
        return said, model.removeprefix(f"{said}/")
    litellm = sys.modules.get("litellm")
    with guard("LiteLLM's provider of a model"):
        try:
            found = pick(litellm, "get_llm_provider")(model=model)
        except Exception:  # noqa: BLE001 - it raises for models that it does not know, and the call will say so
            prefix, slash, rest = model.partition("/")
            return (prefix, rest) if slash else ("litellm", model)
        return str(found[1]), str(found[0])
    return "litellm", model


def _has_its_own() -> bool:
    litellm = sys.modules.get("litellm")
    for callback in (*each(litellm, "callbacks"), *each(litellm, "success_callback")):
        if callback == "otel" or type(callback).__name__ in ("OpenTelemetry", "OpenTelemetryV2"):
            return True
    return False
