"""OpenTelemetry's own instrumentation of LangChain."""

from calls import langchain_agents
from driving import drive
from opentelemetry.instrumentation.genai.langchain import LangChainInstrumentor

drive(
    lambda telemetry: LangChainInstrumentor().instrument(
        tracer_provider=telemetry.tracer_provider, logger_provider=telemetry.logger_provider
    ),
    *langchain_agents.ALL,
)
