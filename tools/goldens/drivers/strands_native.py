"""The spans of Strands Agents, over OpenAI's chat completions."""

from driving import drive, fails
from strands import Agent
from strands import tool as as_tool
from strands.models.openai import OpenAIModel
from strands.types.exceptions import ModelThrottledException


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
    return Agent(
        model=OpenAIModel(client_args={"max_retries": 0}, model_id="gpt-5-mini"),
        name=name,
        system_prompt="You answer in one sentence.",
        callback_handler=None,
        trace_attributes={"session.id": "thread-1", "user.id": "user-1"},
        **options,
    )


def chat() -> None:
    agent()("What is the capital of France?")


def cached() -> None:
    agent()("What was known?")


def tool() -> None:
    agent("weather_agent", tools=[get_weather])("What is the weather in Paris?")


def tool_error() -> None:
    agent("weather_agent", tools=[get_no_weather])("What is the weather in Paris?")


def handoff() -> None:
    specialist = agent("weather_specialist")

    @as_tool
    def transfer_to_weather_specialist(input: str) -> str:  # noqa: A002
        """Ask the weather specialist."""
        return str(specialist(input))

    agent("front_desk", tools=[transfer_to_weather_specialist])("What is the weather in Paris?")


def rate_limited() -> None:
    with fails(ModelThrottledException):
        agent(retry_strategy=None)("Once more.")


drive(lambda _: None, chat, cached, tool, tool_error, handoff, rate_limited)
