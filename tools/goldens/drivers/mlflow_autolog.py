"""MLflow's autologging of OpenAI's SDK and its trace decorator, exported by OTLP."""

import json

import mlflow
from calls import openai_sdk
from driving import fails, run
from mlflow.entities import SpanType

mlflow.openai.autolog()


@mlflow.trace(span_type=SpanType.TOOL)
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"sunny, 24 degrees in {city}"


@mlflow.trace(span_type=SpanType.TOOL, name="get_weather")
def get_no_weather(city: str) -> str:
    """The weather in a city."""
    raise TimeoutError(f"the weather service did not answer for {city}")


@mlflow.trace(span_type=SpanType.AGENT)
def weather_agent(question: str) -> str:
    """An agent by hand: two calls and a tool between them."""
    mlflow.update_current_trace(session_id="thread-1", user="user-1")
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
    weather_agent("What is the weather in Paris?")


def tool_error() -> None:
    with fails(TimeoutError):
        get_no_weather("Paris")


run(*(scenario for scenario in openai_sdk.ALL if scenario.__name__ != "tool"), tool, tool_error)
mlflow.flush_trace_async_logging()
