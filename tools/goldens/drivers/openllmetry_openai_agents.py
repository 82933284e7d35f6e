"""OpenLLMetry on OpenAI's Agents SDK."""

from calls import openai_agents
from driving import drive
from opentelemetry.instrumentation.openai_agents import OpenAIAgentsInstrumentor

drive(
    lambda telemetry: OpenAIAgentsInstrumentor().instrument(tracer_provider=telemetry.tracer_provider),
    *openai_agents.ALL,
)
