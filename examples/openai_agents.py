"""OpenAI's Agents SDK. It sends traces of its own to OpenAI as well, unless it is told not to."""

from agents import Agent, Runner, function_tool


@function_tool
def get_weather(city: str) -> str:
    """Tell the weather in a city."""
    return f"It is sunny in {city}, at 24 degrees."


def main() -> None:
    agent = Agent(name="weather-agent", instructions="Answer shortly.", model="gpt-5-mini", tools=[get_weather])
    print(Runner.run_sync(agent, "What is the weather in Paris?").final_output)


if __name__ == "__main__":
    main()
