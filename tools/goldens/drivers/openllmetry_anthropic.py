"""OpenLLMetry on Anthropic's SDK."""

from calls import anthropic_sdk
from driving import drive
from opentelemetry.instrumentation.anthropic import AnthropicInstrumentor

drive(
    lambda telemetry: AnthropicInstrumentor().instrument(tracer_provider=telemetry.tracer_provider), *anthropic_sdk.ALL
)
