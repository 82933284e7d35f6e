"""The front door: an agent of one's own, marked by hand, with OpenAI's SDK seen by itself."""

import json

from openai import OpenAI
from openai_chat import TOOLS

from agentvigil import agent

agent.init("weather-desk")  # changes nothing under opentelemetry-instrument


@agent.tool
def get_weather(city: str) -> str:
    """Tell the weather in a city."""
    return f"It is sunny in {city}, at 24 degrees."


@agent.run("weather-desk", version="1.0")
def answer(question: str) -> str:
    client = OpenAI()
    messages = [{"role": "user", "content": question}]
    with agent.step("plan", "choose a tool") as step:
        asked = client.chat.completions.create(model="gpt-5-mini", messages=messages, tools=TOOLS).choices[0].message
        step.confidence(0.8)
    messages.append(asked)
    for call in asked.tool_calls or ():
        result = get_weather(**json.loads(call.function.arguments))
        messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
    agent.tag(team="examples")
    with agent.step("respond", "write"):
        said = client.chat.completions.create(model="gpt-5-mini", messages=messages).choices[0].message.content
    return said or ""


if __name__ == "__main__":
    with agent.session("example-session", user="example-user"):
        print(answer("What is the weather in Paris?"))
