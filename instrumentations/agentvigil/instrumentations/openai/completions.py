"""The old completions, of a text by a text: https://developers.openai.com/api/reference/resources/completions"""

from typing import Any

from agentvigil.instrumentations.fields import each, pick
from agentvigil.instrumentations.messages import text_message
from agentvigil.instrumentations.openai.chat import ChatReader, tell_envelope, tell_usage
from agentvigil.instrumentations.openai.providers import model_of, provider_of
from agentvigil.instrumentations.stainless.calls import Call
from agentvigil.instrumentations.telemetry import Inference, Telemetry
from agentvigil.semconv import names
from agentvigil.semconv.enums import OperationName
from agentvigil.semconv.words import finish_reasons


class CompletionsRoute:
    """A completion."""

    def start(self, telemetry: Telemetry, call: Call) -> Inference:
        body = call.body
        operation = telemetry.inference(
            OperationName.TEXT_COMPLETION, provider_of(call), model_of(call), attributes=call.server()
        )
        operation.set_all(
            {
                names.GEN_AI_REQUEST_MAX_TOKENS: body.get("max_tokens"),
                names.GEN_AI_REQUEST_TEMPERATURE: body.get("temperature"),
                names.GEN_AI_REQUEST_TOP_P: body.get("top_p"),
                names.GEN_AI_REQUEST_SEED: body.get("seed"),
                names.GEN_AI_REQUEST_STREAM: True if call.streams else None,
            }
        )
        operation.content(names.GEN_AI_INPUT_MESSAGES, lambda: [text_message("user", body.get("prompt"))])
        return operation

    def answered(self, operation: Inference, answer: Any) -> None:
        tell_envelope(operation, answer)
        tell_usage(operation, pick(answer, "usage"))
        choices = each(answer, "choices")
        reasons = finish_reasons(pick(choice, "finish_reason") for choice in choices)
        operation.set(names.GEN_AI_RESPONSE_FINISH_REASONS, reasons)
        texts = [pick(choice, "text") for choice in choices]
        operation.content(names.GEN_AI_OUTPUT_MESSAGES, lambda: [text_message("assistant", text) for text in texts])

    def reader(self, operation: Inference, _call: Call, /) -> ChatReader:
        return ChatReader(operation, hides_usage=False)
