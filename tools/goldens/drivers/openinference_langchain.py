"""OpenInference on LangChain and LangGraph."""

from calls import langchain_agents
from driving import drive
from openinference.instrumentation.langchain import LangChainInstrumentor

drive(
    lambda telemetry: LangChainInstrumentor().instrument(tracer_provider=telemetry.tracer_provider),
    *langchain_agents.ALL,
)
