"""OpenTelemetry's own instrumentation of Google's GenAI SDK."""

from driving import PROVIDER, drive, fails
from google import genai
from google.genai import errors, types
from opentelemetry.instrumentation.google_genai import GoogleGenAiSdkInstrumentor

MODEL = "gemini-3-flash"
OPTIONS = types.HttpOptions(base_url=PROVIDER, retry_options=types.HttpRetryOptions(attempts=1))
CLIENT = genai.Client(api_key="none", http_options=OPTIONS)


def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"sunny, 24 degrees in {city}"


def chat() -> None:
    config = {"system_instruction": "You answer in one sentence.", "temperature": 0.5, "max_output_tokens": 200}
    CLIENT.models.generate_content(model=MODEL, contents="What is the capital of France?", config=config)


def chat_stream() -> None:
    for _ in CLIENT.models.generate_content_stream(model=MODEL, contents="What is a stream?"):
        pass


def cached() -> None:
    CLIENT.models.generate_content(model=MODEL, contents="What was known?")


def tool() -> None:
    config = {"tools": [get_weather]}
    CLIENT.models.generate_content(model=MODEL, contents="What is the weather in Paris?", config=config)


def rate_limited() -> None:
    with fails(errors.ClientError):
        CLIENT.models.generate_content(model=MODEL, contents="Once more.")


drive(
    lambda telemetry: GoogleGenAiSdkInstrumentor().instrument(
        tracer_provider=telemetry.tracer_provider, logger_provider=telemetry.logger_provider
    ),
    chat,
    chat_stream,
    cached,
    tool,
    rate_limited,
)
