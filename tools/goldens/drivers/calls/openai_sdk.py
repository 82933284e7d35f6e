"""The scenarios with OpenAI's SDK: no framework, one call after another."""

import json

import openai
from driving import fails

MODEL = "gpt-5-mini"
EMBEDDING_MODEL = "text-embedding-3-small"
CLIENT = openai.OpenAI(max_retries=0)
SYSTEM = {"role": "system", "content": "You answer in one sentence."}
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def chat() -> None:
    CLIENT.chat.completions.create(
        model=MODEL,
        messages=[SYSTEM, {"role": "user", "content": "What is the capital of France?"}],
        temperature=0.5,
        max_completion_tokens=200,
        seed=7,
    )


def chat_stream() -> None:
    stream = CLIENT.chat.completions.create(
        model=MODEL,
        messages=[SYSTEM, {"role": "user", "content": "What is a stream?"}],
        stream=True,
        stream_options={"include_usage": True},
    )
    for _ in stream:
        pass


def chat_stream_no_usage() -> None:
    stream = CLIENT.chat.completions.create(
        model=MODEL, messages=[SYSTEM, {"role": "user", "content": "What does a stream cost?"}], stream=True
    )
    for _ in stream:
        pass


def cached() -> None:
    CLIENT.chat.completions.create(
        model=MODEL, messages=[SYSTEM, {"role": "user", "content": "What was known?"}], reasoning_effort="low"
    )


def cached_stream() -> None:
    stream = CLIENT.chat.completions.create(
        model=MODEL,
        messages=[SYSTEM, {"role": "user", "content": "What was known?"}],
        stream=True,
        stream_options={"include_usage": True},
    )
    for _ in stream:
        pass


def tool() -> None:
    messages: list = [SYSTEM, {"role": "user", "content": "What is the weather in Paris?"}]
    first = CLIENT.chat.completions.create(model=MODEL, messages=messages, tools=[TOOL])
    asked = first.choices[0].message
    (call,) = asked.tool_calls or []
    city = json.loads(call.function.arguments)["city"]
    result = {"role": "tool", "tool_call_id": call.id, "content": f"sunny, 24 degrees in {city}"}
    messages += [asked.model_dump(include={"role", "content", "tool_calls"}), result]
    CLIENT.chat.completions.create(model=MODEL, messages=messages, tools=[TOOL])


def rate_limited() -> None:
    with fails(openai.RateLimitError):
        CLIENT.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "Once more."}])


def embeddings() -> None:
    CLIENT.embeddings.create(model=EMBEDDING_MODEL, input=["Paris is a city.", "So is Rome."])


def responses() -> None:
    CLIENT.responses.create(model=MODEL, instructions="You answer in one sentence.", input="What was known?")


def responses_stream() -> None:
    for _ in CLIENT.responses.create(model=MODEL, input="What was known?", stream=True):
        pass


ALL = (
    chat,
    chat_stream,
    chat_stream_no_usage,
    cached,
    cached_stream,
    tool,
    rate_limited,
    embeddings,
    responses,
    responses_stream,
)
