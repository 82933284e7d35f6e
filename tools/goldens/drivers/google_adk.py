"""The Agent Development Kit's own spans, over Google's generateContent."""

import os

from driving import PROVIDER, drive, fails
from google.adk.agents import LlmAgent
from google.adk.agents.run_config import RunConfig, StreamingMode
from google.adk.models import Gemini
from google.adk.runners import InMemoryRunner
from google.genai import errors, types

os.environ["GOOGLE_GEMINI_BASE_URL"] = PROVIDER
MODEL = Gemini(model="gemini-3-flash", retry_options=types.HttpRetryOptions(attempts=1))


def get_weather(city: str) -> dict:
    """The weather in a city."""
    return {"weather": f"sunny, 24 degrees in {city}"}


def get_no_weather(city: str) -> dict:
    """The weather in a city."""
    raise TimeoutError(f"the weather service did not answer for {city}")


get_no_weather.__name__ = "get_weather"


def agent(name: str = "assistant", **options: object) -> LlmAgent:
    """An agent on the model of all scenarios."""
    return LlmAgent(model=MODEL, name=name, instruction="You answer in one sentence.", **options)


async def asked(root: LlmAgent, question: str, **options: object) -> None:
    """Run one turn of a conversation."""
    runner = InMemoryRunner(agent=root, app_name="goldens")
    await runner.session_service.create_session(app_name="goldens", user_id="user-1", session_id="thread-1")
    content = types.Content(role="user", parts=[types.Part(text=question)])
    async for _ in runner.run_async(user_id="user-1", session_id="thread-1", new_message=content, **options):
        pass


async def chat() -> None:
    await asked(agent(), "What is the capital of France?")


async def chat_stream() -> None:
    await asked(agent(), "What is a stream?", run_config=RunConfig(streaming_mode=StreamingMode.SSE))


async def cached() -> None:
    await asked(agent(), "What was known?")


async def tool() -> None:
    await asked(agent("weather_agent", tools=[get_weather]), "What is the weather in Paris?")


async def tool_error() -> None:
    with fails(TimeoutError):
        await asked(agent("weather_agent", tools=[get_no_weather]), "What is the weather in Paris?")


async def handoff() -> None:
    specialist = agent("weather_specialist", description="Knows the weather.")
    await asked(agent("front_desk", sub_agents=[specialist]), "What is the weather in Paris?")


async def rate_limited() -> None:
    with fails(errors.ClientError):
        await asked(agent(), "Once more.")


drive(lambda _: None, chat, chat_stream, cached, tool, tool_error, handoff, rate_limited)
