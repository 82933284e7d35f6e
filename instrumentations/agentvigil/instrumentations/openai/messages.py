"""OpenAI's messages in the conventions' shape. Only called where content is recorded."""

import json
from collections.abc import Iterable
from typing import Any

from agentvigil.instrumentations.fields import each, pick
from agentvigil.instrumentations.messages import (
    Message,
    Part,
    other,
    reasoning,
    text,
    text_message,
    tool_call,
    tool_response,
)


def of_chat(messages: Iterable[Any]) -> list[Message]:
    """Return messages of a chat request."""
    found = []
    for message in messages:
        role = pick(message, "role") or "user"
        parts = _content_parts(pick(message, "content"))
        if role == "tool":
            parts = [tool_response(pick(message, "tool_call_id"), pick(message, "content"))]
        found.append({"role": role, "parts": [*parts, *_tool_calls(each(message, "tool_calls"))]})
    return found


def of_choices(choices: Iterable[Any]) -> list[Message]:
    """Return the messages of a whole answer."""
    found = []
    for choice in choices:
        message = pick(choice, "message")
        parts = _content_parts(pick(message, "content"))
        refusal = pick(message, "refusal")
        if refusal:
            parts.append(text(refusal))
        parts += _tool_calls(each(message, "tool_calls"))
        found.append({"role": "assistant", "parts": parts, "finish_reason": pick(choice, "finish_reason")})
    return found


def of_response_input(body: Any) -> list[Message]:
    """Return the input of a request to the Responses API: a text, or items."""
    given = pick(body, "input")
    if isinstance(given, str):
        return [text_message("user", given)]
    return [_item(item) for item in each(body, "input")]


def of_response_output(items: Iterable[Any]) -> list[Message]:
    """Return the output of the Responses API as one message of the assistant."""
    parts = [part for item in items for part in _item(item)["parts"]]
    return [{"role": "assistant", "parts": parts}] if parts else []


def arguments_of(text: Any) -> Any:
    """Return the arguments of a call: what their JSON says, or the text if it is none."""
    if not isinstance(text, str):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _item(item: Any) -> Message:
    role = pick(item, "role")
    match pick(item, "type"):
        case "function_call":
            call = tool_call(pick(item, "call_id"), pick(item, "name"), arguments_of(pick(item, "arguments")))
            return {"role": role or "assistant", "parts": [call]}
        case "function_call_output":
            answer = tool_response(pick(item, "call_id"), pick(item, "output"))
            return {"role": role or "tool", "parts": [answer]}
        case "reasoning":
            thoughts = [pick(part, "text") for part in each(item, "summary")]
            return {"role": "assistant", "parts": [reasoning(thought) for thought in thoughts if thought]}
        case _:
            return {"role": role or "user", "parts": _content_parts(pick(item, "content"))}


def _content_parts(content: Any) -> list[Part]:
    if isinstance(content, str):
        return [text(content)] if content else []
    if not isinstance(content, list | tuple):
        return []
    return [_content_part(part) for part in content if part is not None]


def _content_part(part: Any) -> Part:
    said = pick(part, "text") or pick(part, "refusal")
    return text(said) if isinstance(said, str) else other(str(pick(part, "type") or "unknown"))


def _tool_calls(calls: Iterable[Any]) -> list[Part]:
    return [
        tool_call(
            pick(call, "id"),
            pick(call, "function", "name") or pick(call, "custom", "name"),
            arguments_of(pick(call, "function", "arguments") or pick(call, "custom", "input")),
        )
        for call in calls
    ]
