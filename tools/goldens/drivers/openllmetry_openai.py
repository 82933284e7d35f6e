"""OpenLLMetry on OpenAI's SDK."""

from calls import openai_sdk
from driving import drive
from opentelemetry.instrumentation.openai import OpenAIInstrumentor

drive(lambda telemetry: OpenAIInstrumentor().instrument(tracer_provider=telemetry.tracer_provider), *openai_sdk.ALL)
