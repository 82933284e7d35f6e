"""Google's Agent Development Kit, which makes spans by itself: an agent with a tool."""

import asyncio

from google.adk.agents import Agent
from google.adk.runners import InMemoryRunner
from google.genai import types


def get_weather(city: str) -> str:
    """Tell the weather in a city."""
    return f"It is sunny in {city}, at 24 degrees."


async def main() -> None:
    agent = Agent(name="weather_agent", model="gemini-2.5-flash", tools=[get_weather])
    runner = InMemoryRunner(agent=agent, app_name="weather")
    session = await runner.session_service.create_session(app_name="weather", user_id="example-user")
    question = types.Content(role="user", parts=[types.Part(text="What is the weather in Paris?")])
    async for event in runner.run_async(user_id="example-user", session_id=session.id, new_message=question):
        if event.is_final_response() and event.content:
            print(event.content.parts[0].text)


if __name__ == "__main__":
    asyncio.run(main())
