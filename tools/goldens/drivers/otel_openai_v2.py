"""OpenTelemetry's own instrumentation of OpenAI's SDK, under the name that it had first."""

from calls import openai_sdk
from driving import drive
from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor

drive(
    lambda telemetry: OpenAIInstrumentor().instrument(
        tracer_provider=telemetry.tracer_provider, logger_provider=telemetry.logger_provider
    ),
    *openai_sdk.ALL,
)
