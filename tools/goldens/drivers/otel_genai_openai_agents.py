"""OpenTelemetry's own instrumentation of OpenAI's Agents SDK."""

from calls import openai_agents
from driving import drive
from opentelemetry.instrumentation.genai.openai_agents import OpenAIAgentsInstrumentor

drive(
    lambda telemetry: OpenAIAgentsInstrumentor().instrument(
        tracer_provider=telemetry.tracer_provider, logger_provider=telemetry.logger_provider
    ),
    *openai_agents.ALL,
)
