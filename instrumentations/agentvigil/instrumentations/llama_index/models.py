"""Models of LlamaIndex: whose they are, what they are asked, what they answer."""

from collections.abc import Mapping
from typing import Any, Final

from agentvigil.instrumentations.anthropic.messages import tell_usage as tell_usage_of_anthropic
from agentvigil.instrumentations.fields import each, pick
from agentvigil.instrumentations.google_genai.operations import tell_usage as tell_usage_of_google
from agentvigil.instrumentations.messages import Message, Part, other, reasoning, text, tool_call, tool_response
from agentvigil.instrumentations.openai.chat import tell_usage as tell_usage_of_openai
from agentvigil.instrumentations.openai.messages import arguments_of
from agentvigil.instrumentations.openai.responses import tell_usage as tell_usage_of_responses
from agentvigil.instrumentations.rivals import rival_below, rival_of
from agentvigil.instrumentations.telemetry import Inference
from agentvigil.semconv import names
from agentvigil.semconv.enums import ProviderName
from agentvigil.semconv.words import finish_reasons, provider_name

_NO_MODEL: Final = frozenset({"unknown", "unknown-model"})
"""What LlamaIndex calls a model whose class does not say."""
_GATEWAY: Final = "litellm"
_OWN_PACKAGES: Final = ("llama_index.llms.", "llama_index.embeddings.")


def provider_of(model: Any) -> str:
    """Return ``gen_ai.provider.name``: by the integration's package, or else the name of the application's class."""
    package = _package(model)
    if package == _GATEWAY:
        provider, _ = _behind_gateway(model)
        return provider_name(provider)
    return provider_name(package or type(model).__name__)


def model_of(model: Any) -> Any:
    """Return the model that is asked for."""
    if _package(model) == _GATEWAY:
        return _behind_gateway(model)[1]
    found = pick(model, "model") or pick(model, "model_name")
    name = found if isinstance(found, str) else pick(model, "metadata", "model_name")
    return None if name in _NO_MODEL else name


def is_told_by_sdk(model: Any) -> bool:
    """Say whether somebody else's span of the SDK below tells of what is asked of ``model``."""
    if _package(model) == _GATEWAY:
        return rival_of("litellm") is not None
    return rival_below(provider_of(model)) is not None


def _package(model: Any) -> str:
    """Return which of LlamaIndex's integrations ``model`` is of: ``openai``, ``bedrock_converse``, ..."""
    module = type(model).__module__
    return next((module.removeprefix(p).partition(".")[0] for p in _OWN_PACKAGES if module.startswith(p)), "")


def _behind_gateway(model: Any) -> tuple[str, str]:
    """Return provider and model of LiteLLM's ``PROVIDER/MODEL``; without a provider it is OpenAI's."""
    first, slash, rest = str(pick(model, "model") or pick(model, "model_name") or "").partition("/")
    return (first, rest) if slash else (ProviderName.OPENAI, first)


def request_of(model: Any, arguments: Mapping[str, Any], *, streams: bool) -> dict[str, object]:
    """Return the attributes of a request. What is said with the call goes before what the model was made with."""

    def said(name: str) -> Any:
        return arguments.get(name, pick(model, name))

    return {
        names.GEN_AI_REQUEST_TEMPERATURE: said("temperature"),
        names.GEN_AI_REQUEST_MAX_TOKENS: said("max_tokens"),
        names.GEN_AI_REQUEST_STREAM: True if streams else None,
    }


def tell_piece(operation: Inference, response: Any) -> None:
    """Tell what a piece of a streamed answer says: of the last one alone it would be too late if the stream is left."""
    raw = pick(response, "raw")
    operation.set_missing(names.GEN_AI_RESPONSE_ID, pick(raw, "id"))
    operation.set_missing(names.GEN_AI_RESPONSE_MODEL, pick(raw, "model"))


def tell_answer(operation: Inference, response: Any) -> None:
    """Tell what an answer says, where the SDK below has not told it already."""
    raw = pick(response, "raw")
    tell_piece(operation, response)
    operation.set_missing(names.GEN_AI_RESPONSE_FINISH_REASONS, _reasons(raw) or None)
    if not operation.knows_usage:
        _tell_usage(operation, raw, pick(response, "additional_kwargs"))
    said = pick(response, "message")
    if said is None:
        answer = pick(response, "text")
        operation.content(
            names.GEN_AI_OUTPUT_MESSAGES,
            lambda: [{"role": "assistant", "parts": [text(answer)]}] if answer else None,
        )
    else:
        operation.content(names.GEN_AI_OUTPUT_MESSAGES, lambda: messages_of([said]))


def messages_of(messages: Any) -> list[Message]:
    """Return messages in the conventions' shape. Only called where content is recorded."""
    return [_message(message) for message in messages]


def _message(message: Any) -> Message:
    role = pick(message, "role")
    more = pick(message, "additional_kwargs")
    role = str(getattr(role, "value", role))
    if role == "tool":
        return {"role": role, "parts": [tool_response(pick(more, "tool_call_id"), pick(message, "content"))]}
    parts = [_part(block) for block in each(message, "blocks")]
    if not any(part["type"] == "tool_call" for part in parts):
        # Before calls became blocks, they were kept as the provider had sent them.
        parts += [_provider_call(call) for call in each(more, "tool_calls")]
    return {"role": role, "parts": parts}


def _part(block: Any) -> Part:
    match pick(block, "block_type"):
        case "text":
            return text(pick(block, "text"))
        case "thinking":
            return reasoning(pick(block, "content"))
        case "tool_call":
            return tool_call(
                pick(block, "tool_call_id"), pick(block, "tool_name"), arguments_of(pick(block, "tool_kwargs"))
            )
        case kind:
            return other(str(kind))


def _provider_call(call: Any) -> Part:
    function = pick(call, "function") or call
    arguments = pick(function, "arguments") or pick(function, "input")
    return tool_call(pick(call, "id"), pick(function, "name"), arguments_of(arguments))


def _reasons(raw: Any) -> list[str]:
    said = [pick(choice, "finish_reason") for choice in (*each(raw, "choices"), *each(raw, "candidates"))]
    said.append(pick(raw, "stop_reason"))
    return finish_reasons(getattr(reason, "value", reason) for reason in said)


def _tell_usage(operation: Inference, raw: Any, told: Any) -> None:
    """Tell what it cost, in the words of the provider that has answered, or else in LlamaIndex's own."""
    usage = pick(raw, "usage")
    if pick(raw, "usage_metadata") is not None:
        tell_usage_of_google(operation, pick(raw, "usage_metadata"))
    elif pick(usage, "prompt_tokens") is not None:
        tell_usage_of_openai(operation, usage)
    elif pick(usage, "input_tokens_details") is not None:
        tell_usage_of_responses(operation, usage)
    elif pick(usage, "input_tokens") is not None:
        tell_usage_of_anthropic(operation, usage)
    else:
        operation.usage(input=pick(told, "prompt_tokens"), output=pick(told, "completion_tokens"))
