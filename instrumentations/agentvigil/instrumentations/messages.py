"""Messages and their parts in the conventions' shape. They are only made where content is recorded.

https://github.com/open-telemetry/semantic-conventions-genai (docs/gen-ai/gen-ai-input-messages.json)
"""

from typing import Any

Message = dict[str, Any]
Part = dict[str, Any]


def text_message(role: str, content: Any) -> Message:
    """Return a message that is one text."""
    return {"role": role, "parts": [text(content)]}


def text(content: Any) -> Part:
    """Return a text."""
    return {"type": "text", "content": content}


def reasoning(content: Any) -> Part:
    """Return what a model thought."""
    return {"type": "reasoning", "content": content}


def tool_call(call_id: Any, name: Any, arguments: Any) -> Part:
    """Return a call that a model asks for."""
    return {"type": "tool_call", "id": call_id, "name": name, "arguments": arguments}


def tool_response(call_id: Any, response: Any) -> Part:
    """Return what a tool answered."""
    return {"type": "tool_call_response", "id": call_id, "response": response}


def other(kind: str) -> Part:
    """Return the mark of a part that the conventions have no shape for, such as an image, without what is in it."""
    return {"type": "generic", "generic_type": kind}
