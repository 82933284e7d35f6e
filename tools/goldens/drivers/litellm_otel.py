"""LiteLLM's own OpenTelemetry callback, with the exporter that it sets up itself."""

import asyncio
import json
import time

import litellm
from driving import fails, run
from opentelemetry import trace

MODEL = "openai/gpt-5-mini"
SYSTEM = {"role": "system", "content": "You answer in one sentence."}
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
METADATA = {"session_id": "thread-1", "trace_user_id": "user-1"}
LOGGED_AFTER_SECONDS = 1.5
"""Callbacks run beside the call and cannot be waited for."""

litellm.callbacks = ["otel"]


def chat() -> None:
    messages = [SYSTEM, {"role": "user", "content": "What is the capital of France?"}]
    litellm.completion(model=MODEL, messages=messages, max_completion_tokens=200, user="user-1", metadata=METADATA)


def chat_stream() -> None:
    messages = [SYSTEM, {"role": "user", "content": "What is a stream?"}]
    options = {"include_usage": True}
    for _ in litellm.completion(model=MODEL, messages=messages, stream=True, stream_options=options):
        pass


def chat_stream_no_usage() -> None:
    messages = [SYSTEM, {"role": "user", "content": "What does a stream cost?"}]
    for _ in litellm.completion(model=MODEL, messages=messages, stream=True):
        pass


def cached() -> None:
    litellm.completion(model=MODEL, messages=[SYSTEM, {"role": "user", "content": "What was known?"}])


def tool() -> None:
    messages: list = [SYSTEM, {"role": "user", "content": "What is the weather in Paris?"}]
    first = litellm.completion(model=MODEL, messages=messages, tools=[TOOL])
    asked = first.choices[0].message
    (call,) = asked.tool_calls
    city = json.loads(call.function.arguments)["city"]
    result = {"role": "tool", "tool_call_id": call.id, "content": f"sunny, 24 degrees in {city}"}
    messages += [asked.model_dump(include={"role", "content", "tool_calls"}), result]
    time.sleep(LOGGED_AFTER_SECONDS)
    litellm.completion(model=MODEL, messages=messages, tools=[TOOL])


def rate_limited() -> None:
    with fails(litellm.RateLimitError):
        litellm.completion(model=MODEL, messages=[{"role": "user", "content": "Once more."}], max_retries=0)


def embeddings() -> None:
    litellm.embedding(model="openai/text-embedding-3-small", input=["Paris is a city.", "So is Rome."])


async def anthropic_cached() -> None:
    await litellm.acompletion(
        model="anthropic/claude-sonnet-4-5", messages=[SYSTEM, {"role": "user", "content": "What was known?"}]
    )
    await asyncio.sleep(LOGGED_AFTER_SECONDS)


run(chat, chat_stream, chat_stream_no_usage, cached, tool, rate_limited, embeddings, anthropic_cached)
time.sleep(LOGGED_AFTER_SECONDS)
trace.get_tracer_provider().force_flush()
