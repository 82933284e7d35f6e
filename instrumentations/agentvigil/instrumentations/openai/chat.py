"""Chat completions: https://developers.openai.com/api/reference/resources/chat"""

from typing import Any

from agentvigil.instrumentations.fields import each, pick
from agentvigil.instrumentations.messages import Message, text, tool_call
from agentvigil.instrumentations.openai.messages import arguments_of, of_chat, of_choices
from agentvigil.instrumentations.openai.providers import model_of, provider_of
from agentvigil.instrumentations.stainless.calls import Call
from agentvigil.instrumentations.telemetry import Inference, Telemetry
from agentvigil.semconv import names
from agentvigil.semconv.enums import OperationName, OutputType
from agentvigil.semconv.words import finish_reasons


class ChatRoute:
    """A chat."""

    def start(self, telemetry: Telemetry, call: Call) -> Inference:
        body = call.body
        operation = telemetry.inference(OperationName.CHAT, provider_of(call), model_of(call), attributes=call.server())
        operation.set_all(
            {
                names.OPENAI_API_TYPE: "chat_completions",
                names.GEN_AI_REQUEST_MAX_TOKENS: body.get("max_completion_tokens") or body.get("max_tokens"),
                names.GEN_AI_REQUEST_TEMPERATURE: body.get("temperature"),
                names.GEN_AI_REQUEST_TOP_P: body.get("top_p"),
                names.GEN_AI_REQUEST_FREQUENCY_PENALTY: body.get("frequency_penalty"),
                names.GEN_AI_REQUEST_PRESENCE_PENALTY: body.get("presence_penalty"),
                names.GEN_AI_REQUEST_SEED: body.get("seed"),
                names.GEN_AI_REQUEST_STOP_SEQUENCES: _list_of(body.get("stop")),
                names.GEN_AI_REQUEST_STREAM: True if call.streams else None,
                names.GEN_AI_REQUEST_REASONING_LEVEL: body.get("reasoning_effort"),
                names.GEN_AI_OUTPUT_TYPE: output_type(pick(body, "response_format", "type")),
                names.OPENAI_REQUEST_SERVICE_TIER: body.get("service_tier"),
                names.GEN_AI_REQUEST_CHOICE_COUNT: body.get("n") if body.get("n") != 1 else None,
            }
        )
        operation.content(names.GEN_AI_INPUT_MESSAGES, lambda: of_chat(each(body, "messages")))
        operation.content(names.GEN_AI_TOOL_DEFINITIONS, lambda: body.get("tools"))
        return operation

    def answered(self, operation: Inference, answer: Any) -> None:
        tell_envelope(operation, answer)
        tell_usage(operation, pick(answer, "usage"))
        choices = each(answer, "choices")
        reasons = finish_reasons(pick(choice, "finish_reason") for choice in choices)
        operation.set(names.GEN_AI_RESPONSE_FINISH_REASONS, reasons)
        operation.content(names.GEN_AI_OUTPUT_MESSAGES, lambda: of_choices(choices))

    def reader(self, operation: Inference, call: Call, /) -> "ChatReader":
        return ChatReader(operation, hides_usage=call.is_changed)


class ChatReader:
    """Reads the chunks of a streamed chat. Texts are gathered only where content is recorded."""

    def __init__(self, operation: Inference, *, hides_usage: bool) -> None:
        self._operation = operation
        self._hides_usage = hides_usage
        self._has_envelope = False
        self._reasons: dict[int, str] = {}
        self._choices: dict[int, _Gathered] = {}

    def item(self, item: Any) -> bool:
        if not self._has_envelope and pick(item, "id"):
            tell_envelope(self._operation, item)
            self._has_envelope = True
        usage = pick(item, "usage")
        if usage is not None:
            tell_usage(self._operation, usage)
        choices = each(item, "choices")
        for choice in choices:
            self._choice(choice)
        # What comes only because we asked for it: usage, and nothing else.
        return self._hides_usage and usage is not None and not choices

    def end(self) -> None:
        reasons = [reason for _, reason in sorted(self._reasons.items())]
        self._operation.set(names.GEN_AI_RESPONSE_FINISH_REASONS, finish_reasons(reasons))
        gathered = [self._choices[index].message(self._reasons.get(index)) for index in sorted(self._choices)]
        self._operation.content(names.GEN_AI_OUTPUT_MESSAGES, lambda: gathered)

    def _choice(self, choice: Any) -> None:
        index = pick(choice, "index") or 0
        reason = pick(choice, "finish_reason")
        if isinstance(reason, str):
            self._reasons[index] = reason
        if self._operation.records_content:
            self._choices.setdefault(index, _Gathered()).add(pick(choice, "delta"))


class _Gathered:
    """One choice, as its pieces come."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._calls: dict[int, dict[str, Any]] = {}

    def add(self, delta: Any) -> None:
        for piece in (pick(delta, "content"), pick(delta, "refusal")):
            if isinstance(piece, str):
                self._texts.append(piece)
        for piece in each(delta, "tool_calls"):
            call = self._calls.setdefault(pick(piece, "index") or 0, {"id": None, "name": None, "arguments": []})
            call["id"] = pick(piece, "id") or call["id"]
            call["name"] = pick(piece, "function", "name") or call["name"]
            call["arguments"].append(pick(piece, "function", "arguments") or "")

    def message(self, reason: str | None) -> Message:
        parts = [text("".join(self._texts))] if any(self._texts) else []
        parts += [
            tool_call(call["id"], call["name"], arguments_of("".join(call["arguments"])))
            for call in self._calls.values()
        ]
        return {"role": "assistant", "parts": parts, "finish_reason": reason}


def tell_envelope(operation: Inference, answer: Any) -> None:
    """Tell which response it is, of which model."""
    operation.set_all(
        {
            names.GEN_AI_RESPONSE_ID: pick(answer, "id"),
            names.GEN_AI_RESPONSE_MODEL: pick(answer, "model"),
            names.OPENAI_RESPONSE_SERVICE_TIER: pick(answer, "service_tier"),
            names.OPENAI_RESPONSE_SYSTEM_FINGERPRINT: pick(answer, "system_fingerprint"),
        }
    )


def tell_usage(operation: Inference, usage: Any) -> None:
    """Tell what it cost. OpenAI's totals have the cache and reasoning in them."""
    given, made = pick(usage, "prompt_tokens_details"), pick(usage, "completion_tokens_details")
    operation.usage(
        input=pick(usage, "prompt_tokens"),
        output=pick(usage, "completion_tokens"),
        cache_read=pick(given, "cached_tokens") or None,
        cache_write=pick(given, "cache_write_tokens") or None,
        reasoning=pick(made, "reasoning_tokens") or None,
        input_audio=pick(given, "audio_tokens") or None,
        output_audio=pick(made, "audio_tokens") or None,
    )


def output_type(format_type: Any) -> str | None:
    """Return ``gen_ai.output.type`` of a response format."""
    if format_type in ("json_object", "json_schema"):
        return OutputType.JSON
    return OutputType.TEXT if format_type == "text" else None


def _list_of(stop: Any) -> Any:
    return [stop] if isinstance(stop, str) else stop
