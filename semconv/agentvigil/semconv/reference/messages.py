"""Lists that a dialect flattened into numbered keys, and messages that came as events.

A number that is missing was cut off by the sender's limit on attributes, which drops the oldest: the rest is kept in
order, and the cut is told.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from agentvigil.semconv.dialects.model import Shape
from agentvigil.semconv.reference.span import SpanEvent, Value
from agentvigil.semconv.reference.values import parsed, text

# A number with more digits is no index that a sender counted up to.
_NUMBERED: Final = re.compile(r"([0-9]{1,6})(?:\.(.*))?", re.ASCII | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Numbered:
    """Fields per number, in the order of the numbers."""

    items: tuple[Mapping[str, Value], ...]
    has_gaps: bool


def numbered(attributes: Mapping[str, Value], prefix: str) -> Numbered:
    """Collect the keys ``prefix`` + number + field."""
    items: dict[int, dict[str, Value]] = {}
    for key in sorted(attributes):
        if key.startswith(prefix) and (found := _NUMBERED.fullmatch(key, len(prefix))):
            items.setdefault(int(found[1]), {})[found[2] or ""] = attributes[key]
    return Numbered(tuple(items[number] for number in sorted(items)), sorted(items) != list(range(len(items))))


def is_numbered(key: str, prefix: str) -> bool:
    """Whether ``key`` is ``prefix`` and a number, alone or before a dot."""
    return key.startswith(prefix) and _NUMBERED.fullmatch(key, len(prefix)) is not None


def rebuilt(items: Iterable[Mapping[str, Value]], shape: Shape) -> list[Value]:
    """The list that was flattened in one of the known ways."""
    match shape:
        case "openinference":
            return [_openinference_message(item) for item in items]
        case "indexed":
            return [_indexed_message(item) for item in items]
        case "documents":
            return [_under(item, "document.") for item in items]
        case "json_each":
            return [_json_or_text(next(iter(item.values()))) for item in items]
        case "fields":
            return [{name: _json_or_text(value) for name, value in item.items()} for item in items]


def event_message(event: SpanEvent, role: str) -> Mapping[str, Value]:
    """A message that an event carries, in attributes of its own."""
    said = [event.attributes[key] for key in sorted(event.attributes) if key in _EVENT_CONTENT]
    return _message(text(event.attributes.get("role", "")) or role, [_text_part(value) for value in said[:1]])


_EVENT_CONTENT: Final = frozenset({"content", "message", "gen_ai.prompt", "gen_ai.completion", "gen_ai.event.content"})


def _openinference_message(item: Mapping[str, Value]) -> Mapping[str, Value]:
    fields = _under(item, "message.")
    parts = []
    if fields.get("tool_call_id"):
        parts.append(_response_part(fields["tool_call_id"], fields.get("content", "")))
    elif "content" in fields:
        parts.append(_text_part(fields["content"]))
    for content in numbered(fields, "contents.").items:
        said = _under(content, "message_content.")
        kind = "reasoning" if said.get("type") in ("reasoning", "thinking") else "text"
        parts.append({"type": kind, "content": text(said.get("text", ""))})
    for call in numbered(fields, "tool_calls.").items:
        said = _under(call, "tool_call.")
        parts.append(_call_part(said.get("id"), said.get("function.name"), said.get("function.arguments")))
    return _message(text(fields.get("role", "")), parts)


def _indexed_message(item: Mapping[str, Value]) -> Mapping[str, Value]:
    parts = []
    if item.get("tool_call_id"):
        parts.append(_response_part(item["tool_call_id"], item.get("content", "")))
    elif "content" in item:
        parts.append(_text_part(item["content"]))
    calls = numbered(item, "tool_calls.").items
    parts += [_call_part(call.get("id"), call.get("name"), call.get("arguments")) for call in calls]
    return _message(text(item.get("role", "")), parts)


def _message(role: str, parts: list[Mapping[str, Value]]) -> Mapping[str, Value]:
    return {"role": role, "parts": parts}


def _text_part(value: Value) -> Mapping[str, Value]:
    return {"type": "text", "content": text(value)}


def _call_part(call_id: Value, name: Value, arguments: Value) -> Mapping[str, Value]:
    return {"type": "tool_call", "id": text(call_id), "name": text(name), "arguments": _json_or_text(arguments)}


def _response_part(call_id: Value, response: Value) -> Mapping[str, Value]:
    return {"type": "tool_call_response", "id": text(call_id), "response": _json_or_text(response)}


def _under(item: Mapping[str, Value], prefix: str) -> dict[str, Value]:
    return {key.removeprefix(prefix): value for key, value in item.items() if key.startswith(prefix)}


def _json_or_text(value: Value) -> Value:
    document = parsed(value)
    return document if isinstance(document, dict | list) else (value if isinstance(value, dict | list) else text(value))
