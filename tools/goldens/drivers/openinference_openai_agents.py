"""OpenInference on OpenAI's Agents SDK."""

from calls import openai_agents
from driving import drive
from openinference.instrumentation.openai_agents import OpenAIAgentsInstrumentor

drive(
    lambda telemetry: OpenAIAgentsInstrumentor().instrument(tracer_provider=telemetry.tracer_provider),
    *openai_agents.ALL,
)
