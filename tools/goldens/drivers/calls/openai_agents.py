"""The scenarios with OpenAI's Agents SDK, which calls the Responses API."""

import openai
from agents import Agent, RunConfig, Runner, function_tool, set_default_openai_client
from driving import fails

MODEL = "gpt-5-mini"
CONFIG = RunConfig(workflow_name="weather_workflow", group_id="thread-1")
set_default_openai_client(openai.AsyncOpenAI(max_retries=0))


@function_tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"sunny, 24 degrees in {city}"


@function_tool(name_override="get_weather", failure_error_function=None)
def get_no_weather(city: str) -> str:
    """The weather in a city."""
    raise TimeoutError(f"the weather service did not answer for {city}")


def agent(name: str = "assistant", **options: object) -> Agent:
    """An agent on the model of all scenarios."""
    return Agent(name=name, instructions="You answer in one sentence.", model=MODEL, **options)


async def chat() -> None:
    await Runner.run(agent(), "What is the capital of France?", run_config=CONFIG)


async def chat_stream() -> None:
    streamed = Runner.run_streamed(agent(), "What is a stream?", run_config=CONFIG)
    async for _ in streamed.stream_events():
        pass


async def cached() -> None:
    await Runner.run(agent(), "What was known?", run_config=CONFIG)


async def tool() -> None:
    await Runner.run(agent("weather_agent", tools=[get_weather]), "What is the weather in Paris?", run_config=CONFIG)


async def tool_error() -> None:
    with fails(Exception):
        await Runner.run(agent("weather_agent", tools=[get_no_weather]), "What is the weather?", run_config=CONFIG)


async def handoff() -> None:
    specialist = agent("weather_specialist", handoff_description="Knows the weather.")
    await Runner.run(agent("front_desk", handoffs=[specialist]), "What is the weather in Paris?", run_config=CONFIG)


async def rate_limited() -> None:
    with fails(openai.RateLimitError):
        await Runner.run(agent(), "Once more.", run_config=CONFIG)


ALL = (chat, chat_stream, cached, tool, tool_error, handoff, rate_limited)
