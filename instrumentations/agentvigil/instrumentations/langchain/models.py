"""What LangChain tells of a call of a model, in the conventions' words."""

from collections.abc import Mapping
from typing import Any, Final

from agentvigil.instrumentations.fields import each, pick
from agentvigil.instrumentations.messages import Message, Part, text, tool_call, tool_response
from agentvigil.instrumentations.telemetry import Inference
from agentvigil.semconv import names
from agentvigil.semconv.words import finish_reasons, provider_name

_ROLES: Final[Mapping[str, str]] = {"human": "user", "ai": "assistant", "AIMessageChunk": "assistant"}


def provider_of(metadata: Mapping[str, Any], serialized: Any) -> str:
    """Return ``gen_ai.provider.name``: LangChain's name for it, or else the last of the class's own path."""
    told = metadata.get("ls_provider")
    if not isinstance(told, str):
        path = pick(serialized, "id")
        told = str(path[-1]).removeprefix("Chat").lower() if isinstance(path, list) and path else "langchain"
    return provider_name(told)


def request_of(metadata: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, object]:
    """Return the attributes of a request."""
    stop = metadata.get("ls_stop") or parameters.get("stop")
    return {
        names.GEN_AI_REQUEST_TEMPERATURE: _first(metadata.get("ls_temperature"), parameters.get("temperature")),
        names.GEN_AI_REQUEST_MAX_TOKENS: _first(metadata.get("ls_max_tokens"), parameters.get("max_tokens")),
        names.GEN_AI_REQUEST_TOP_P: parameters.get("top_p"),
        names.GEN_AI_REQUEST_SEED: parameters.get("seed"),
        names.GEN_AI_REQUEST_STOP_SEQUENCES: [stop] if isinstance(stop, str) else stop,
        names.GEN_AI_REQUEST_STREAM: True if parameters.get("stream") is True else None,
        names.GEN_AI_CONVERSATION_ID: thread_of(metadata),
    }


def model_of(metadata: Mapping[str, Any], parameters: Mapping[str, Any]) -> Any:
    """Return the model that is asked for."""
    return _first(metadata.get("ls_model_name"), parameters.get("model"), parameters.get("model_name"))


def thread_of(metadata: Mapping[str, Any]) -> str | None:
    """Return the conversation: what the application gives LangGraph as its thread, or LangChain as its session."""
    for key in ("thread_id", "session_id", "conversation_id"):
        if metadata.get(key):
            return str(metadata[key])
    return None


def tell_answer(operation: Inference, result: Any) -> None:
    """Tell what an ``LLMResult`` says, where the SDK has not told it already."""
    generations = [generation for group in each(result, "generations") for generation in group or ()]
    messages = [message for generation in generations if (message := pick(generation, "message")) is not None]
    for message in messages[:1]:
        metadata = pick(message, "response_metadata")
        own_id = pick(message, "id")
        is_made_up = not isinstance(own_id, str) or own_id.startswith(("run-", "lc_"))
        operation.set_missing(names.GEN_AI_RESPONSE_ID, _first(pick(metadata, "id"), None if is_made_up else own_id))
        model = _first(pick(metadata, "model_name"), pick(metadata, "model"))
        operation.set_missing(names.GEN_AI_RESPONSE_MODEL, model)
    operation.set_missing(names.GEN_AI_RESPONSE_FINISH_REASONS, finish_reasons(map(_reason, generations)))
    if not operation.knows_usage:
        for message in messages:
            _tell_usage(operation, pick(message, "usage_metadata"))
    operation.content(names.GEN_AI_OUTPUT_MESSAGES, lambda: messages_of(messages))


def messages_of(messages: Any) -> list[Message]:
    """Return messages in the conventions' shape. Only called where content is recorded."""
    found = []
    for message in messages:
        kind = pick(message, "type")
        content = pick(message, "content")
        if kind == "tool":
            found.append({"role": "tool", "parts": [tool_response(pick(message, "tool_call_id"), content)]})
            continue
        parts = _parts(content)
        parts += [
            tool_call(pick(call, "id"), pick(call, "name"), pick(call, "args")) for call in each(message, "tool_calls")
        ]
        found.append({"role": _ROLES.get(str(kind), str(kind)), "parts": parts})
    return found


def _parts(content: Any) -> list[Part]:
    if isinstance(content, str):
        return [text(content)] if content else []
    blocks = content if isinstance(content, list) else ()
    texts = [block if isinstance(block, str) else pick(block, "text") for block in blocks]
    return [text(found) for found in texts if isinstance(found, str)]


def _tell_usage(operation: Inference, usage: Any) -> None:
    given, made = pick(usage, "input_token_details"), pick(usage, "output_token_details")
    operation.usage(
        input=pick(usage, "input_tokens"),
        output=pick(usage, "output_tokens"),
        cache_read=pick(given, "cache_read") or None,
        cache_write=pick(given, "cache_creation") or None,
        reasoning=pick(made, "reasoning") or None,
        input_audio=pick(given, "audio") or None,
        output_audio=pick(made, "audio") or None,
    )


def _reason(generation: Any) -> Any:
    metadata = pick(generation, "message", "response_metadata")
    told = _first(pick(metadata, "finish_reason"), pick(metadata, "stop_reason"), pick(metadata, "done_reason"))
    return _first(told, pick(generation, "generation_info", "finish_reason"))


def _first(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)
