"""Strands Agents, which makes spans by itself: an agent with a tool, on OpenAI's models."""

from strands import Agent, tool
from strands.models.openai import OpenAIModel


@tool
def get_weather(city: str) -> str:
    """Tell the weather in a city."""
    return f"It is sunny in {city}, at 24 degrees."


def main() -> None:
    model = OpenAIModel(model_id="gpt-5-mini")
    agent = Agent(name="weather-agent", model=model, tools=[get_weather], callback_handler=None)
    print(agent("What is the weather in Paris?"))


if __name__ == "__main__":
    main()
