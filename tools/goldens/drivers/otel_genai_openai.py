"""OpenTelemetry's own instrumentation of OpenAI's SDK, as released from the repository of its GenAI packages."""

from calls import openai_sdk
from driving import drive
from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor

drive(
    lambda telemetry: OpenAIInstrumentor().instrument(
        tracer_provider=telemetry.tracer_provider, logger_provider=telemetry.logger_provider
    ),
    *openai_sdk.ALL,
)
