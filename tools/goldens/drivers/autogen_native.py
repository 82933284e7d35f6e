"""AutoGen's own spans, over OpenAI's chat completions."""

import openai
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.base import Handoff
from autogen_agentchat.conditions import MaxMessageTermination
from autogen_agentchat.teams import Swarm
from autogen_core import SingleThreadedAgentRuntime
from autogen_ext.models.openai import OpenAIChatCompletionClient
from driving import Telemetry, drive, fails

INFO = {"vision": False, "function_calling": True, "json_output": True, "family": "gpt-5", "structured_output": True}
runtime: list[SingleThreadedAgentRuntime] = []


def agent(name: str = "assistant", **options: object) -> AssistantAgent:
    """An agent on the model of all scenarios."""
    model = OpenAIChatCompletionClient(model="gpt-5-mini", model_info=INFO, max_retries=0)
    return AssistantAgent(name, model, system_message="You answer in one sentence.", **options)


async def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"sunny, 24 degrees in {city}"


async def get_no_weather(city: str) -> str:
    """The weather in a city."""
    raise TimeoutError(f"the weather service did not answer for {city}")


async def chat() -> None:
    await agent().run(task="What is the capital of France?")


async def cached() -> None:
    await agent().run(task="What was known?")


async def tool() -> None:
    worker = agent("weather_agent", tools=[get_weather], reflect_on_tool_use=True)
    await worker.run(task="What is the weather in Paris?")


async def tool_error() -> None:
    worker = agent("weather_agent", tools=[get_no_weather], reflect_on_tool_use=True)
    await worker.run(task="What is the weather in Paris?")


async def handoff() -> None:
    front = agent("front_desk", handoffs=[Handoff(target="weather_specialist")])
    team = Swarm(
        [front, agent("weather_specialist")], termination_condition=MaxMessageTermination(3), runtime=runtime[0]
    )
    runtime[0].start()
    await team.run(task="What is the weather in Paris?")
    await runtime[0].stop()


async def rate_limited() -> None:
    with fails(openai.RateLimitError):
        await agent().run(task="Once more.")


def instrument(telemetry: Telemetry) -> None:
    """Agents take the global provider; a runtime wants it as an argument."""
    runtime.append(SingleThreadedAgentRuntime(tracer_provider=telemetry.tracer_provider))


drive(instrument, chat, cached, tool, tool_error, handoff, rate_limited)
