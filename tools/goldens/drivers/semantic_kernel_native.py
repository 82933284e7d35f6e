"""Semantic Kernel's own spans, over OpenAI's chat completions."""

import openai
from driving import drive, fails
from semantic_kernel.agents import ChatCompletionAgent
from semantic_kernel.connectors.ai.open_ai import OpenAIChatCompletion
from semantic_kernel.exceptions import ServiceResponseException
from semantic_kernel.functions import kernel_function


class Weather:
    """A plugin."""

    @kernel_function
    def get_weather(self, city: str) -> str:
        """The weather in a city."""
        return f"sunny, 24 degrees in {city}"


class NoWeather:
    """A plugin that fails."""

    @kernel_function
    def get_weather(self, city: str) -> str:
        """The weather in a city."""
        raise TimeoutError(f"the weather service did not answer for {city}")


def agent(name: str = "assistant", **options: object) -> ChatCompletionAgent:
    """An agent on the model of all scenarios."""
    client = openai.AsyncOpenAI(max_retries=0)
    service = OpenAIChatCompletion(ai_model_id="gpt-5-mini", async_client=client)
    return ChatCompletionAgent(service=service, name=name, instructions="You answer in one sentence.", **options)


async def chat() -> None:
    await agent().get_response("What is the capital of France?")


async def chat_stream() -> None:
    async for _ in agent().invoke_stream("What is a stream?"):
        pass


async def cached() -> None:
    await agent().get_response("What was known?")


async def tool() -> None:
    await agent("weather_agent", plugins=[Weather()]).get_response("What is the weather in Paris?")


async def tool_error() -> None:
    await agent("weather_agent", plugins=[NoWeather()]).get_response("What is the weather in Paris?")


async def rate_limited() -> None:
    with fails(ServiceResponseException):
        await agent().get_response("Once more.")


drive(lambda _: None, chat, chat_stream, cached, tool, tool_error, rate_limited)
