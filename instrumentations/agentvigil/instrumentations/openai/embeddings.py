"""Embeddings: https://developers.openai.com/api/reference/resources/embeddings"""

from typing import Any

from agentvigil.instrumentations.fields import pick
from agentvigil.instrumentations.openai.providers import model_of, provider_of
from agentvigil.instrumentations.stainless.calls import Call
from agentvigil.instrumentations.telemetry import Inference, Telemetry
from agentvigil.semconv import names
from agentvigil.semconv.enums import OperationName


class EmbeddingsRoute:
    """Embeddings of one text or several."""

    def start(self, telemetry: Telemetry, call: Call) -> Inference:
        encoding = call.body.get("encoding_format")
        operation = telemetry.inference(
            OperationName.EMBEDDINGS, provider_of(call), model_of(call), attributes=call.server()
        )
        operation.set_all(
            {
                names.GEN_AI_EMBEDDINGS_DIMENSION_COUNT: call.body.get("dimensions"),
                names.GEN_AI_REQUEST_ENCODING_FORMATS: [encoding] if isinstance(encoding, str) else None,
            }
        )
        return operation

    def answered(self, operation: Inference, answer: Any) -> None:
        operation.set(names.GEN_AI_RESPONSE_MODEL, pick(answer, "model"))
        operation.usage(input=pick(answer, "usage", "prompt_tokens"))
