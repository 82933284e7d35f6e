"""OpenLLMetry on LangChain and LangGraph."""

from calls import langchain_agents
from driving import drive
from opentelemetry.instrumentation.langchain import LangchainInstrumentor

drive(
    lambda telemetry: LangchainInstrumentor().instrument(tracer_provider=telemetry.tracer_provider),
    *langchain_agents.ALL,
)
