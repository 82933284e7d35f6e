"""OpenAI's messages in the conventions' shape. Only called where content is recorded."""

import json
from collections.abc import Iterable
from typing import Any

from agentvigil.instrumentations.fields import each, pick

Message = dict[str, Any]


def of_chat(messages: Iterable[Any]) -> list[Message]:
    """Return messages of a chat request."""
    found = []
    for message in messages:
        role = pick(message, "role") or "user"
        parts = _content_parts(pick(message, "content"))
        if role == "tool":
            result = pick(message, "content")
            parts = [{"type": "tool_call_response", "id": pick(message, "tool_call_id"), "response": result}]
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
            parts.append({"type": "text", "content": refusal})
        parts += _tool_calls(each(message, "tool_calls"))
        found.append({"role": "assistant", "parts": parts, "finish_reason": pick(choice, "finish_reason")})
    return found


def of_response_input(body: Any) -> list[Message]:
    """Return the input of a request to the Responses API: a text, or items."""
    given = pick(body, "input")
    if isinstance(given, str):
        return [{"role": "user", "parts": [{"type": "text", "content": given}]}]
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
            called = {"id": pick(item, "call_id"), "name": pick(item, "name")}
            parts = [{"type": "tool_call", **called, "arguments": arguments_of(pick(item, "arguments"))}]
            return {"role": role or "assistant", "parts": parts}
        case "function_call_output":
            answered = {"id": pick(item, "call_id"), "response": pick(item, "output")}
            return {"role": role or "tool", "parts": [{"type": "tool_call_response", **answered}]}
        case "reasoning":
            texts = [pick(part, "text") for part in each(item, "summary")]
            return {"role": "assistant", "parts": [{"type": "reasoning", "content": text} for text in texts if text]}
        case _:
            return {"role": role or "user", "parts": _content_parts(pick(item, "content"))}


def _content_parts(content: Any) -> list[Message]:
    if isinstance(content, str):
        return [{"type": "text", "content": content}] if content else []
    if not isinstance(content, list | tuple):
        return []
    parts: list[Message] = []
    for part in content:
        text = pick(part, "text") or pick(part, "refusal")
        if isinstance(text, str):
            parts.append({"type": "text", "content": text})
        elif part is not None:
            parts.append({"type": "generic", "generic_type": str(pick(part, "type") or "unknown")})
    return parts


def _tool_calls(calls: Iterable[Any]) -> list[Message]:
    return [
        {
            "type": "tool_call",
            "id": pick(call, "id"),
            "name": pick(call, "function", "name") or pick(call, "custom", "name"),
            "arguments": arguments_of(pick(call, "function", "arguments") or pick(call, "custom", "input")),
        }
        for call in calls
    ]
