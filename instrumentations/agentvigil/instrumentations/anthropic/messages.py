"""Messages: https://docs.claude.com/en/api/messages"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from agentvigil.instrumentations.fields import each, pick
from agentvigil.instrumentations.messages import Message, Part, other, reasoning, text, tool_call, tool_response
from agentvigil.instrumentations.stainless.calls import Call
from agentvigil.instrumentations.telemetry import Inference, Telemetry
from agentvigil.semconv import names
from agentvigil.semconv.enums import OperationName, ProviderName
from agentvigil.semconv.words import finish_reasons

_PLATFORMS: Final[Mapping[str, str]] = {
    "Bedrock": ProviderName.AWS_BEDROCK,
    "Vertex": ProviderName.GCP_VERTEX_AI,
    "Foundry": ProviderName.AZURE_AI_INFERENCE,
}
_COUNTS: Final = (
    "input_tokens",
    "output_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "output_tokens_details",
)


class MessagesRoute:
    """A message."""

    def start(self, telemetry: Telemetry, call: Call) -> Inference:
        body = call.body
        operation = telemetry.inference(
            OperationName.CHAT, _provider_of(call), body.get("model"), attributes=call.server()
        )
        operation.set_all(
            {
                names.GEN_AI_REQUEST_MAX_TOKENS: body.get("max_tokens"),
                names.GEN_AI_REQUEST_TEMPERATURE: body.get("temperature"),
                names.GEN_AI_REQUEST_TOP_P: body.get("top_p"),
                names.GEN_AI_REQUEST_TOP_K: body.get("top_k"),
                names.GEN_AI_REQUEST_STOP_SEQUENCES: body.get("stop_sequences"),
                names.GEN_AI_REQUEST_STREAM: True if call.streams else None,
                names.GEN_AI_REQUEST_REASONING_LEVEL: pick(body, "output_config", "effort"),
            }
        )
        operation.content(names.GEN_AI_INPUT_MESSAGES, lambda: _messages(each(body, "messages")))
        operation.content(names.GEN_AI_SYSTEM_INSTRUCTIONS, lambda: _parts(body.get("system")))
        operation.content(names.GEN_AI_TOOL_DEFINITIONS, lambda: body.get("tools"))
        return operation

    def answered(self, operation: Inference, answer: Any) -> None:
        _tell_envelope(operation, answer)
        tell_usage(operation, pick(answer, "usage"))
        operation.set(names.GEN_AI_RESPONSE_FINISH_REASONS, finish_reasons([pick(answer, "stop_reason")]))
        operation.content(
            names.GEN_AI_OUTPUT_MESSAGES,
            lambda: [{"role": "assistant", "parts": _parts(pick(answer, "content"))}],
        )

    def reader(self, operation: Inference, _call: Call, /) -> "MessageReader":
        return MessageReader(operation)


class MessageReader:
    """Reads the events of a streamed message.

    The first event has the input's counts and placeholders for the output's; later ones have totals, not additions.
    """

    def __init__(self, operation: Inference) -> None:
        self._operation = operation
        self._counts: dict[str, Any] = {}
        self._has_output = False
        self._reason: Any = None
        self._blocks: dict[int, dict[str, Any]] = {}

    def item(self, item: Any) -> bool:
        match pick(item, "type"):
            case "message_start":
                _tell_envelope(self._operation, pick(item, "message"))
                self._count(pick(item, "message", "usage"))
            case "message_delta":
                self._has_output = True
                self._count(pick(item, "usage"))
                self._reason = pick(item, "delta", "stop_reason") or self._reason
            case "content_block_start" | "content_block_delta" if self._operation.records_content:
                self._block(item)
            case "error":
                kind, message = pick(item, "error", "type"), pick(item, "error", "message")
                self._operation.mark_failed(str(kind or "error"), message if isinstance(message, str) else "")
        return False

    def end(self) -> None:
        if not self._has_output:
            # What the first event says of the output is a placeholder.
            self._counts.pop("output_tokens", None)
        tell_usage(self._operation, self._counts)
        self._operation.set(names.GEN_AI_RESPONSE_FINISH_REASONS, finish_reasons([self._reason]))
        blocks = [_finished(self._blocks[index]) for index in sorted(self._blocks)]
        self._operation.content(
            names.GEN_AI_OUTPUT_MESSAGES, lambda: [{"role": "assistant", "parts": _parts(blocks)}] if blocks else None
        )

    def _count(self, usage: Any) -> None:
        self._counts.update({count: value for count in _COUNTS if (value := pick(usage, count)) is not None})

    def _block(self, item: Any) -> None:
        index = pick(item, "index") or 0
        block = pick(item, "content_block")
        if block is not None:
            self._blocks[index] = {name: pick(block, name) for name in ("type", "id", "name", "text", "thinking")}
            return
        held, delta = self._blocks.setdefault(index, {}), pick(item, "delta")
        for name in ("text", "thinking", "partial_json"):
            piece = pick(delta, name)
            if isinstance(piece, str):
                held[name] = (held.get(name) or "") + piece


def _provider_of(call: Call) -> str:
    kind = type(call.client).__name__
    return next((provider for name, provider in _PLATFORMS.items() if name in kind), ProviderName.ANTHROPIC)


def _tell_envelope(operation: Inference, answer: Any) -> None:
    operation.set(names.GEN_AI_RESPONSE_ID, pick(answer, "id"))
    operation.set(names.GEN_AI_RESPONSE_MODEL, pick(answer, "model"))


def tell_usage(operation: Inference, usage: Any) -> None:
    """Tell what it cost. Anthropic counts what a cache gave and took apart from the input."""
    fresh, read, written = (
        pick(usage, name) for name in ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
    )
    total = None
    if isinstance(fresh, int):
        total = fresh + sum(part for part in (read, written) if isinstance(part, int))
    operation.usage(
        input=total,
        output=pick(usage, "output_tokens"),
        cache_read=read or None,
        cache_write=written or None,
        reasoning=pick(usage, "output_tokens_details", "thinking_tokens") or None,
    )


def _messages(messages: Iterable[Any]) -> list[Message]:
    return [{"role": pick(message, "role"), "parts": _parts(pick(message, "content"))} for message in messages]


def _parts(content: Any) -> list[Part]:
    if isinstance(content, str):
        return [text(content)]
    return [_part(block) for block in content if block is not None] if isinstance(content, list | tuple) else []


def _part(block: Any) -> Part:
    match pick(block, "type"):
        case "text":
            return text(pick(block, "text"))
        case "thinking":
            return reasoning(pick(block, "thinking"))
        case "tool_use":
            return tool_call(pick(block, "id"), pick(block, "name"), pick(block, "input"))
        case "tool_result":
            return tool_response(pick(block, "tool_use_id"), pick(block, "content"))
        case kind:
            return other(str(kind or "unknown"))


def _finished(block: dict[str, Any]) -> dict[str, Any]:
    text = block.pop("partial_json", None)
    if text is not None:
        try:
            block["input"] = json.loads(text)
        except ValueError:
            block["input"] = text
    return block
