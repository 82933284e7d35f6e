"""OpenTelemetry's own instrumentation of Anthropic's SDK."""

from calls import anthropic_sdk
from driving import drive
from opentelemetry.instrumentation.genai.anthropic import AnthropicInstrumentor

drive(
    lambda telemetry: AnthropicInstrumentor().instrument(
        tracer_provider=telemetry.tracer_provider, logger_provider=telemetry.logger_provider
    ),
    *anthropic_sdk.ALL,
)
