"""Microsoft Agent Framework, whose own instrumentation is switched on: an agent with a tool."""

import asyncio

from agent_framework import Agent
from agent_framework.openai import OpenAIChatClient


def get_weather(city: str) -> str:
    """Tell the weather in a city."""
    return f"It is sunny in {city}, at 24 degrees."


async def main() -> None:
    agent = Agent(client=OpenAIChatClient(model="gpt-5-mini"), name="weather-agent", tools=[get_weather])
    print(await agent.run("What is the weather in Paris?"))


if __name__ == "__main__":
    asyncio.run(main())
