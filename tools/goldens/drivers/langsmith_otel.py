"""LangSmith's export of LangChain's runs by OTLP."""

from calls import langchain_agents
from driving import CAPTURE, drive
from langsmith.run_trees import get_cached_client

drive(
    lambda telemetry: get_cached_client(
        tracing_mode="otel", otel_tracer_provider=telemetry.tracer_provider, api_url=CAPTURE, api_key="none"
    ),
    *langchain_agents.ALL,
    finish=lambda: get_cached_client().flush(),
)
