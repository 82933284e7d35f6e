"""LangChain's agent, which is a graph of LangGraph's."""

from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI


@tool
def get_weather(city: str) -> str:
    """Tell the weather in a city."""
    return f"It is sunny in {city}, at 24 degrees."


def main() -> None:
    agent = create_agent(ChatOpenAI(model="gpt-5-mini"), [get_weather], name="weather-agent")
    question = {"messages": [("user", "What is the weather in Paris?")]}
    answer = agent.invoke(question, {"configurable": {"thread_id": "example-thread"}})
    print(answer["messages"][-1].content)


if __name__ == "__main__":
    main()
