"""CrewAI: two agents, one after the other."""

from crewai import LLM, Agent, Crew, Task
from crewai.tools import tool


@tool("get_weather")
def get_weather(city: str) -> str:
    """Tell the weather in a city."""
    return f"It is sunny in {city}, at 24 degrees."


def main() -> None:
    llm = LLM(model="openai/gpt-5-mini")
    forecaster = Agent(
        role="Forecaster", goal="Know the weather", backstory="You look it up.", llm=llm, tools=[get_weather]
    )
    writer = Agent(role="Writer", goal="Write well", backstory="You write shortly.", llm=llm)
    tasks = [
        Task(name="forecast", description="Weather in Paris?", expected_output="One sentence", agent=forecaster),
        Task(name="write", description="Write it nicely.", expected_output="One sentence", agent=writer),
    ]
    print(Crew(name="weather", agents=[forecaster, writer], tasks=tasks).kickoff().raw)


if __name__ == "__main__":
    main()
