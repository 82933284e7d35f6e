"""Responses: https://developers.openai.com/api/reference/resources/responses"""

from typing import Any, Final

from opentelemetry.trace import SpanKind

from agentvigil.instrumentations.fields import each, pick
from agentvigil.instrumentations.messages import Part, text
from agentvigil.instrumentations.openai.chat import output_type
from agentvigil.instrumentations.openai.messages import of_response_input, of_response_output
from agentvigil.instrumentations.openai.providers import model_of, provider_of
from agentvigil.instrumentations.stainless.calls import Call
from agentvigil.instrumentations.telemetry import Inference, Operation, Telemetry
from agentvigil.instrumentations.telemetry.operation import Kind
from agentvigil.semconv import names
from agentvigil.semconv.enums import FinishReason, OperationName
from agentvigil.semconv.words import finish_reasons

_FETCH_KIND: Final = Kind(OperationName.FETCH_RESPONSE.value, SpanKind.CLIENT)
_LAST_EVENTS: Final = frozenset({"response.completed", "response.incomplete", "response.failed"})


class ResponsesRoute:
    """A response."""

    def start(self, telemetry: Telemetry, call: Call) -> Inference:
        body = call.body
        operation = telemetry.inference(OperationName.CHAT, provider_of(call), model_of(call), attributes=call.server())
        operation.set_all(
            {
                names.OPENAI_API_TYPE: "responses",
                names.GEN_AI_REQUEST_MAX_TOKENS: body.get("max_output_tokens"),
                names.GEN_AI_REQUEST_TEMPERATURE: body.get("temperature"),
                names.GEN_AI_REQUEST_TOP_P: body.get("top_p"),
                names.GEN_AI_REQUEST_STREAM: True if call.streams else None,
                names.GEN_AI_REQUEST_REASONING_LEVEL: pick(body, "reasoning", "effort"),
                names.GEN_AI_REQUEST_PREVIOUS_RESPONSE_ID: body.get("previous_response_id"),
                names.GEN_AI_OUTPUT_TYPE: output_type(pick(body, "text", "format", "type")),
                names.OPENAI_REQUEST_SERVICE_TIER: body.get("service_tier"),
                names.GEN_AI_CONVERSATION_ID: _conversation(body.get("conversation")),
            }
        )
        operation.content(names.GEN_AI_INPUT_MESSAGES, lambda: of_response_input(body))
        operation.content(names.GEN_AI_SYSTEM_INSTRUCTIONS, lambda: _instructions(body.get("instructions")))
        operation.content(names.GEN_AI_TOOL_DEFINITIONS, lambda: body.get("tools"))
        return operation

    def answered(self, operation: Inference, answer: Any) -> None:
        operation.set_all(
            {
                names.GEN_AI_RESPONSE_ID: pick(answer, "id"),
                names.GEN_AI_RESPONSE_MODEL: pick(answer, "model"),
                names.GEN_AI_CONVERSATION_ID: _conversation(pick(answer, "conversation")),
                names.OPENAI_RESPONSE_SERVICE_TIER: pick(answer, "service_tier"),
                names.GEN_AI_RESPONSE_FINISH_REASONS: _finish_reasons(answer),
            }
        )
        tell_usage(operation, pick(answer, "usage"))
        operation.content(names.GEN_AI_OUTPUT_MESSAGES, lambda: of_response_output(each(answer, "output")))
        if pick(answer, "status") == "failed":
            operation.mark_failed(str(pick(answer, "error", "code") or "failed"), _text(answer, "error", "message"))

    def reader(self, operation: Inference, _call: Call, /) -> "ResponseReader":
        return ResponseReader(self, operation)


class ResponseReader:
    """Reads the events of a streamed response: its last one holds all of it."""

    def __init__(self, route: ResponsesRoute, operation: Inference) -> None:
        self._route = route
        self._operation = operation

    def item(self, item: Any) -> bool:
        kind = pick(item, "type")
        kind = getattr(kind, "value", kind)
        if kind == "response.created":
            self._operation.set(names.GEN_AI_RESPONSE_ID, pick(item, "response", "id"))
            self._operation.set(names.GEN_AI_RESPONSE_MODEL, pick(item, "response", "model"))
        elif kind in _LAST_EVENTS:
            self._route.answered(self._operation, pick(item, "response"))
        elif kind == "error":
            self._operation.mark_failed(str(pick(item, "code") or "error"), _text(item, "message"))
        return False

    def end(self) -> None:
        """All is said with the last event."""


class FetchRoute:
    """Getting a response that was made before. What it cost was told then."""

    def start(self, telemetry: Telemetry, call: Call) -> Operation:
        return telemetry.other(
            _FETCH_KIND,
            attributes={
                names.GEN_AI_PROVIDER_NAME: provider_of(call),
                names.GEN_AI_RESPONSE_ID: call.path.rpartition("/")[2],
                **call.server(),
            },
        )

    def answered(self, operation: Operation, answer: Any) -> None:
        operation.set(names.GEN_AI_RESPONSE_MODEL, pick(answer, "model"))
        operation.set(names.GEN_AI_RESPONSE_STATUS, pick(answer, "status"))


def tell_usage(operation: Inference, usage: Any) -> None:
    """Tell what it cost, in the words of this API: its totals have the cache and reasoning in them."""
    operation.usage(
        input=pick(usage, "input_tokens"),
        output=pick(usage, "output_tokens"),
        cache_read=pick(usage, "input_tokens_details", "cached_tokens") or None,
        cache_write=pick(usage, "input_tokens_details", "cache_write_tokens") or None,
        reasoning=pick(usage, "output_tokens_details", "reasoning_tokens") or None,
    )


def _finish_reasons(answer: Any) -> list[str] | None:
    reason = pick(answer, "incomplete_details", "reason")
    if reason:
        return finish_reasons([reason])
    if pick(answer, "status") != "completed":
        return [FinishReason.ERROR] if pick(answer, "status") == "failed" else None
    calls = any(pick(item, "type") in ("function_call", "custom_tool_call") for item in each(answer, "output"))
    return [FinishReason.TOOL_CALL if calls else FinishReason.STOP]


def _conversation(conversation: Any) -> Any:
    return conversation if isinstance(conversation, str) else pick(conversation, "id")


def _instructions(said: Any) -> list[Part] | None:
    return [text(said)] if isinstance(said, str) else None


def _text(value: Any, *path: str) -> str:
    found = pick(value, *path)
    return found if isinstance(found, str) else ""
