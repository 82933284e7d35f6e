"""Langfuse's observe decorator and its drop-in for OpenAI's SDK, exported by the SDK's own exporter."""

import json

import langfuse.openai  # patches the SDK
from calls import openai_sdk
from driving import CAPTURE, fails, run
from langfuse import observe, propagate_attributes

client = langfuse.Langfuse(base_url=CAPTURE)


@observe(as_type="tool")
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"sunny, 24 degrees in {city}"


@observe(as_type="agent")
def weather_agent(question: str) -> str:
    """An agent by hand: two calls and a tool between them."""
    messages: list = [openai_sdk.SYSTEM, {"role": "user", "content": question}]
    first = openai_sdk.CLIENT.chat.completions.create(
        model=openai_sdk.MODEL, messages=messages, tools=[openai_sdk.TOOL]
    )
    asked = first.choices[0].message
    (call,) = asked.tool_calls or []
    result = get_weather(**json.loads(call.function.arguments))
    messages += [
        asked.model_dump(include={"role", "content", "tool_calls"}),
        {"role": "tool", "tool_call_id": call.id, "content": result},
    ]
    last = openai_sdk.CLIENT.chat.completions.create(model=openai_sdk.MODEL, messages=messages, tools=[openai_sdk.TOOL])
    return str(last.choices[0].message.content)


def tool() -> None:
    with propagate_attributes(session_id="thread-1", user_id="user-1", trace_name="weather"):
        weather_agent("What is the weather in Paris?")


@observe(as_type="tool")
def get_no_weather(city: str) -> str:
    """The weather in a city."""
    raise TimeoutError(f"the weather service did not answer for {city}")


def tool_error() -> None:
    with fails(TimeoutError):
        get_no_weather("Paris")


run(*(scenario for scenario in openai_sdk.ALL if scenario.__name__ != "tool"), tool, tool_error)
client.shutdown()
