"""The scenarios with CrewAI, whose models are OpenAI's."""

from crewai import LLM, Agent, Crew, Process, Task
from crewai.tools import tool as as_tool
from driving import fails

LANGUAGE_MODEL = LLM(model="openai/gpt-5-mini", max_retries=0)


@as_tool("get_weather")
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"sunny, 24 degrees in {city}"


def agent(role: str = "Assistant", **options: object) -> Agent:
    """An agent on the model of all scenarios."""
    return Agent(
        role=role, goal="Answer in one sentence", backstory="You know much.", llm=LANGUAGE_MODEL, max_iter=3, **options
    )


def task(description: str, worker: Agent) -> Task:
    """A task of one question."""
    return Task(description=description, expected_output="One sentence", agent=worker)


def chat() -> None:
    worker = agent()
    Crew(name="answers", agents=[worker], tasks=[task("What is the capital of France?", worker)]).kickoff()


def cached() -> None:
    worker = agent()
    Crew(name="answers", agents=[worker], tasks=[task("What was known?", worker)]).kickoff()


def tool() -> None:
    worker = agent("Weather agent", tools=[get_weather])
    Crew(name="weather", agents=[worker], tasks=[task("What is the weather in Paris?", worker)]).kickoff()


def two_agents() -> None:
    first, second = agent("Researcher"), agent("Writer")
    tasks = [task("Find the weather in Paris.", first), task("Write about the weather in Paris.", second)]
    Crew(name="weather", agents=[first, second], tasks=tasks, process=Process.sequential).kickoff()


def rate_limited() -> None:
    worker = agent(max_retry_limit=0)
    with fails(Exception):
        Crew(name="answers", agents=[worker], tasks=[task("Once more.", worker)]).kickoff()


ALL = (chat, cached, tool, two_agents, rate_limited)
