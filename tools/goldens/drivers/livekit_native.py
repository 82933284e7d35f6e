"""LiveKit Agents' own spans: a session of text, without a room, over OpenAI's chat completions."""

from driving import Telemetry, drive
from livekit.agents import Agent, AgentSession, function_tool
from livekit.agents.telemetry import set_tracer_provider
from livekit.plugins import openai


@function_tool
async def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"sunny, 24 degrees in {city}"


@function_tool(name="get_weather")
async def get_no_weather(city: str) -> str:
    """The weather in a city."""
    raise TimeoutError(f"the weather service did not answer for {city}")


async def said(question: str, **options: object) -> None:
    """One turn of a session."""
    async with AgentSession(llm=openai.LLM(model="gpt-5-mini")) as session:
        await session.start(Agent(instructions="You answer in one sentence.", id="assistant", **options))
        await session.run(user_input=question)


async def chat() -> None:
    await said("What is the capital of France?")


async def cached() -> None:
    await said("What was known?")


async def tool() -> None:
    await said("What is the weather in Paris?", tools=[get_weather])


async def tool_error() -> None:
    await said("What is the weather in Paris?", tools=[get_no_weather])


def instrument(telemetry: Telemetry) -> None:
    """Its tracer takes a provider of its own."""
    set_tracer_provider(telemetry.tracer_provider)


drive(instrument, chat, cached, tool, tool_error)
