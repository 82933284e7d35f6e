"""What the model of a scenario says, and what that costs."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final, Literal

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
    """What the model says, and what that costs; or how the call goes wrong.

    ``status`` of 400 and more is an error, in the shape of the API that was called. ``delay_s`` passes before the
    answer and ``chunk_delay_s`` before each event of a stream. ``cut`` is where the connection breaks: ``"before"``
    anything is said, or in the ``"middle"`` of the body or of the stream. ``edit`` gets each JSON document of the
    answer, the events of a stream too, and returns what is sent in its place: for nulls, unknown fields and other
    oddities.
    """

    usage: Usage = Usage(0, 0)
    text: str = ""
    tool_calls: Sequence[ToolCall] = ()
    status: int = 200
    delay_s: float = 0.0
    chunk_delay_s: float = 0.0
    cut: Literal["", "before", "middle"] = ""
    edit: Callable[[Any], Any] | None = None

    @property
    def is_error(self) -> bool:
        """Whether the caller gets an error."""
        return self.status >= HTTPStatus.BAD_REQUEST

    def edited(self, document: Any) -> Any:
        """The document as it is sent."""
        return document if self.edit is None else self.edit(document)

    @property
    def pieces(self) -> list[str]:
        """The text as a stream sends it."""
        return re.findall(r"\S+\s*", self.text)
