"""Agent Framework's own spans, over OpenAI's chat completions."""

import openai
from agent_framework import Agent, WorkflowBuilder
from agent_framework import tool as as_tool
from agent_framework.exceptions import ChatClientException
from agent_framework.observability import enable_instrumentation
from agent_framework_openai import OpenAIChatCompletionClient
from driving import drive, fails


@as_tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"sunny, 24 degrees in {city}"


@as_tool(name="get_weather")
def get_no_weather(city: str) -> str:
    """The weather in a city."""
    raise TimeoutError(f"the weather service did not answer for {city}")


def agent(name: str = "assistant", **options: object) -> Agent:
    """An agent on the model of all scenarios."""
    client = OpenAIChatCompletionClient(model="gpt-5-mini", async_client=openai.AsyncOpenAI(max_retries=0))
    return Agent(client=client, name=name, id=name, instructions="You answer in one sentence.", **options)


async def chat() -> None:
    await agent().run("What is the capital of France?", options={"temperature": 0.5, "max_tokens": 200})


async def chat_stream() -> None:
    async for _ in agent().run("What is a stream?", stream=True):
        pass


async def cached() -> None:
    await agent().run("What was known?")


async def tool() -> None:
    await agent("weather_agent", tools=[get_weather]).run("What is the weather in Paris?")


async def tool_error() -> None:
    await agent("weather_agent", tools=[get_no_weather]).run("What is the weather in Paris?")


async def two_agents() -> None:
    first, second = agent("researcher"), agent("writer")
    workflow = WorkflowBuilder(name="weather_workflow", start_executor=first).add_edge(first, second).build()
    await workflow.run("What is the weather in Paris?")


async def rate_limited() -> None:
    with fails(ChatClientException):
        await agent().run("Once more.")


drive(
    lambda _: enable_instrumentation(enable_sensitive_data=True),
    chat,
    chat_stream,
    cached,
    tool,
    tool_error,
    two_agents,
    rate_limited,
)
