"""What the model of a scenario says, and what that costs."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

REASONING_TEXT: Final = "The user wants a short answer, so one sentence will do."
"""What the model thinks wherever it reasons."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call. Input is all of it, with what a cache gave and took; output is all of it, with reasoning."""

    input: int
    output: int
    cache_read: int = 0
    cache_write: int = 0
    reasoning: int = 0

    @property
    def fresh_input(self) -> int:
        """Input that no cache had a part in."""
        return self.input - self.cache_read - self.cache_write


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call the model asks for: of ``name`` where the caller offers it, else of the first tool that it does."""

    name: str
    arguments: Mapping[str, str] = field(default_factory=dict)

    def among(self, tools: Mapping[str, dict[str, Any]]) -> tuple[str, str]:
        """Name and arguments as JSON. ``tools`` are the offered names and their parameters as JSON schema."""
        if self.name in tools:
            return self.name, json.dumps(dict(self.arguments))
        offered = next((name for name in tools if name.startswith(self.name)), next(iter(tools), self.name))
        required = tools.get(offered, {}).get("required", [])
        return offered, json.dumps({name: self.arguments.get(name, "Paris") for name in required})


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model says, and what that costs; or that the caller has called too often."""

    usage: Usage = Usage(0, 0)
    text: str = ""
    tool_call: ToolCall | None = None
    rate_limited: bool = False

    @property
    def pieces(self) -> list[str]:
        """The text as a stream sends it."""
        return re.findall(r"\S+\s*", self.text)
