"""pydantic-ai's own spans, over OpenAI's chat completions; one scenario over Anthropic's messages."""

import openai
from driving import drive, fails
from pydantic_ai import Agent, ModelHTTPError
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

MODEL = OpenAIChatModel("gpt-5-mini", provider=OpenAIProvider(openai_client=openai.AsyncOpenAI(max_retries=0)))


def agent(name: str = "assistant", **options: object) -> Agent:
    """An agent on the model of all scenarios."""
    return Agent(MODEL, name=name, instructions="You answer in one sentence.", **options)


def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"sunny, 24 degrees in {city}"


def chat() -> None:
    agent().run_sync("What is the capital of France?", model_settings={"temperature": 0.5, "max_tokens": 200})


async def chat_stream() -> None:
    async with agent().run_stream("What is a stream?") as result:
        async for _ in result.stream_text():
            pass


def cached() -> None:
    agent().run_sync("What was known?")


def anthropic_cached() -> None:
    Agent(AnthropicModel("claude-sonnet-4-5"), name="assistant").run_sync("What was known?")


def tool() -> None:
    agent("weather_agent", tools=[get_weather]).run_sync("What is the weather in Paris?")


def tool_error() -> None:
    def get_weather(city: str) -> str:
        """The weather in a city."""
        raise TimeoutError(f"the weather service did not answer for {city}")

    with fails(TimeoutError):
        agent("weather_agent", tools=[get_weather]).run_sync("What is the weather in Paris?")


def handoff() -> None:
    specialist = agent("weather_specialist")

    async def transfer_to_weather_specialist(input: str) -> str:  # noqa: A002
        """Ask the weather specialist."""
        return str((await specialist.run(input)).output)

    agent("front_desk", tools=[transfer_to_weather_specialist]).run_sync("What is the weather in Paris?")


def rate_limited() -> None:
    with fails(ModelHTTPError):
        agent().run_sync("Once more.")


drive(
    lambda _: Agent.instrument_all(),
    chat,
    chat_stream,
    cached,
    anthropic_cached,
    tool,
    tool_error,
    handoff,
    rate_limited,
)
