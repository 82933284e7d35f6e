"""What tests of whole agents share: a model that asks for the weather, and marks in all that is said."""

from typing import Final

from agentvigil.testing import Answer, ToolCall, Usage

ANSWERS: Final = [
    Answer(Usage(89, 23), tool_calls=[ToolCall("get_weather", {"city": "canary-argument"})]),
    Answer(Usage(144, 31), "canary-answer"),
]
SAID: Final = ("canary-instructions", "canary-question", "canary-argument", "canary-result", "canary-answer")
"""All that is said. Without content nothing that begins with ``canary`` may be told of."""


def get_weather(city: str) -> str:
    """Tell the weather."""
    return f"canary-result {city}"
