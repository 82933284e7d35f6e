"""OpenInference on CrewAI and on OpenAI's SDK under it, as its documentation recommends."""

from calls import crews
from driving import Telemetry, drive
from openinference.instrumentation.crewai import CrewAIInstrumentor
from openinference.instrumentation.openai import OpenAIInstrumentor


def instrument(telemetry: Telemetry) -> None:
    """Both of them."""
    CrewAIInstrumentor().instrument(tracer_provider=telemetry.tracer_provider)
    OpenAIInstrumentor().instrument(tracer_provider=telemetry.tracer_provider)


drive(instrument, *crews.ALL)
