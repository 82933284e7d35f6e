"""The scenarios with Anthropic's SDK: no framework, one call after another."""

import anthropic
from driving import fails

MODEL = "claude-sonnet-5"
CLIENT = anthropic.Anthropic(max_retries=0)
SYSTEM = "You answer in one sentence."
TOOL = {
    "name": "get_weather",
    "description": "The weather in a city.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


def chat() -> None:
    CLIENT.messages.create(
        model=MODEL,
        max_tokens=200,
        system=SYSTEM,
        messages=[{"role": "user", "content": "What is the capital of France?"}],
    )


def chat_stream() -> None:
    for _ in CLIENT.messages.create(
        model=MODEL, max_tokens=200, messages=[{"role": "user", "content": "What is a stream?"}], stream=True
    ):
        pass


def cached() -> None:
    CLIENT.messages.create(
        model=MODEL,
        max_tokens=2000,
        system=[{"type": "text", "text": SYSTEM, "cache_control": {"type": "ephemeral"}}],
        messages=[{"role": "user", "content": "What was known?"}],
        thinking={"type": "enabled", "budget_tokens": 1024},
    )


def cached_stream() -> None:
    with CLIENT.messages.stream(
        model=MODEL, max_tokens=200, system=SYSTEM, messages=[{"role": "user", "content": "What was known?"}]
    ) as stream:
        for _ in stream:
            pass


def tool() -> None:
    messages: list = [{"role": "user", "content": "What is the weather in Paris?"}]
    first = CLIENT.messages.create(model=MODEL, max_tokens=200, messages=messages, tools=[TOOL])
    (call,) = (block for block in first.content if block.type == "tool_use")
    result = {"type": "tool_result", "tool_use_id": call.id, "content": "sunny, 24 degrees"}
    messages += [{"role": "assistant", "content": first.content}, {"role": "user", "content": [result]}]
    CLIENT.messages.create(model=MODEL, max_tokens=200, messages=messages, tools=[TOOL])


def rate_limited() -> None:
    with fails(anthropic.RateLimitError):
        CLIENT.messages.create(model=MODEL, max_tokens=200, messages=[{"role": "user", "content": "Once more."}])


ALL = (chat, chat_stream, cached, cached_stream, tool, rate_limited)
