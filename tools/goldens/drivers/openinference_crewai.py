"""OpenInference on CrewAI."""

from calls import crews
from driving import drive
from openinference.instrumentation.crewai import CrewAIInstrumentor

drive(lambda telemetry: CrewAIInstrumentor().instrument(tracer_provider=telemetry.tracer_provider), *crews.ALL)
