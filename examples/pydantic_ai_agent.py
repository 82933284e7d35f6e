"""Pydantic AI, whose own instrumentation is switched on."""

from pydantic_ai import Agent


def main() -> None:
    agent = Agent("openai-chat:gpt-5-mini", name="weather-agent")

    @agent.tool_plain
    def get_weather(city: str) -> str:
        """Tell the weather in a city."""
        return f"It is sunny in {city}, at 24 degrees."

    print(agent.run_sync("What is the weather in Paris?").output)


if __name__ == "__main__":
    main()
