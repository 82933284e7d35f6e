"""The fake provider: what it keeps of a call is what its answer told."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pytest

from agentvigil.testing import FakeProvider

MODEL = {"model": "m-1"}
STREAM = {**MODEL, "stream": True}


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    with FakeProvider() as provider:
        yield provider


def post(provider: FakeProvider, scenario: str, path: str, body: dict[str, Any]) -> list[dict[str, Any]]:
    """All JSON objects of the answer: the document, or the events of a stream."""
    request = urllib.request.Request(provider.url(scenario) + path, json.dumps(body).encode())
    with urllib.request.urlopen(request) as response:
        content = response.read().decode()
    if response.headers["Content-Type"] == "application/json":
        return [json.loads(content)]
    data = [line.removeprefix("data: ") for line in content.splitlines() if line.startswith("data: ")]
    return [json.loads(line) for line in data if line != "[DONE]"]


def openai_usage(usage: dict[str, Any]) -> tuple[int, ...]:
    prompt, completion = usage["prompt_tokens_details"], usage["completion_tokens_details"]
    return (
        usage["prompt_tokens"],
        usage["completion_tokens"],
        prompt["cached_tokens"],
        prompt["cache_write_tokens"],
        completion["reasoning_tokens"],
    )


def responses_usage(usage: dict[str, Any]) -> tuple[int, ...]:
    given, made = usage["input_tokens_details"], usage["output_tokens_details"]
    return (
        usage["input_tokens"],
        usage["output_tokens"],
        given["cached_tokens"],
        given["cache_write_tokens"],
        made["reasoning_tokens"],
    )


def anthropic_usage(usage: dict[str, Any]) -> tuple[int, ...]:
    """Anthropic's input leaves out what a cache gave or took."""
    read, written = usage["cache_read_input_tokens"], usage["cache_creation_input_tokens"]
    thought = usage["output_tokens_details"]["thinking_tokens"]
    return usage["input_tokens"] + read + written, usage["output_tokens"], read, written, thought


def google_usage(usage: dict[str, Any]) -> tuple[int, ...]:
    """Google's output leaves out thoughts, and nothing is told of what a cache took."""
    thought = usage["thoughtsTokenCount"]
    output = usage["candidatesTokenCount"] + thought
    assert usage["totalTokenCount"] == usage["promptTokenCount"] + output
    return usage["promptTokenCount"], output, usage["cachedContentTokenCount"], 0, thought


TOLD = [
    ("/v1/chat/completions", MODEL, lambda events: openai_usage(events[0]["usage"])),
    (
        "/v1/chat/completions",
        {**STREAM, "stream_options": {"include_usage": True}},
        lambda events: openai_usage(events[-1]["usage"]),
    ),
    ("/v1/responses", MODEL, lambda events: responses_usage(events[0]["usage"])),
    ("/v1/responses", STREAM, lambda events: responses_usage(events[-1]["response"]["usage"])),
    ("/v1/messages", MODEL, lambda events: anthropic_usage(events[0]["usage"])),
    ("/v1/messages", STREAM, lambda events: anthropic_usage(events[-2]["usage"])),
    ("/v1beta/models/m-1:generateContent", {}, lambda events: google_usage(events[0]["usageMetadata"])),
    ("/v1beta/models/m-1:streamGenerateContent", {}, lambda events: google_usage(events[-1]["usageMetadata"])),
]


@pytest.mark.parametrize(("path", "body", "read"), TOLD)
def test_what_it_keeps_is_what_it_told(provider: FakeProvider, path: str, body: dict[str, Any], read: Any) -> None:
    """Goldens are measured by what it keeps."""
    told = read(post(provider, "cached", path, body))

    (call,) = provider.calls("cached")
    assert told == (call.input, call.output, call.cache_read, call.cache_write, call.reasoning)
    assert (call.input, call.output, call.status, call.request_model) == (1200, 345, 200, "m-1")


def test_a_stream_tells_its_usage_only_when_asked(provider: FakeProvider) -> None:
    events = post(provider, "chat_stream_no_usage", "/v1/chat/completions", STREAM)

    (call,) = provider.calls("chat_stream_no_usage")
    assert all("usage" not in event for event in events)
    assert (call.input, call.output) == (None, None)


def test_a_limit_is_an_error_without_usage(provider: FakeProvider) -> None:
    with pytest.raises(urllib.error.HTTPError) as raised:
        post(provider, "rate_limited", "/v1/messages", MODEL)

    (call,) = provider.calls("rate_limited")
    assert raised.value.code == 429
    assert (call.status, call.input) == (429, None)


def test_answers_come_in_order_and_the_last_is_repeated(provider: FakeProvider) -> None:
    """An agent asks for a tool first, and then gets its answer."""
    functions = [{"type": "function", "function": {"name": "get_weather", "parameters": {"required": ["city"]}}}]
    answers = [post(provider, "tool", "/v1/chat/completions", {**MODEL, "tools": functions}) for _ in range(3)]

    first, second, third = (answer[0]["choices"][0] for answer in answers)
    assert first["message"]["tool_calls"][0]["function"] == {"name": "get_weather", "arguments": '{"city": "Paris"}'}
    assert [choice["finish_reason"] for choice in (first, second, third)] == ["tool_calls", "stop", "stop"]


def test_the_calls_can_be_asked_for(provider: FakeProvider) -> None:
    """So that a test in another language, or by hand, knows the truth as well."""
    post(provider, "embeddings", "/v1/embeddings", {**MODEL, "input": "Paris"})

    with urllib.request.urlopen(provider.url("embeddings") + "/calls") as response:
        assert json.load(response) == {"calls": [asdict(call) for call in provider.calls("embeddings")]}
