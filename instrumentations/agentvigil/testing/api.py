"""What an API of a provider is: a path, and a shape that answers have there."""

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Final, TypeAlias

from agentvigil.testing.answers import Answer, Usage

Document: TypeAlias = dict[str, Any]
"""A JSON object."""

CREATED_UNIX_SECONDS: Final = 1_780_000_000
"""When every answer was made."""

SNAPSHOT: Final = "2026-05-01"
"""What the name of the model that answered adds to the name that was asked for."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One request with the answer it is to get."""

    path: str
    body: Document
    answer: Answer
    number: int
    """Of the call, from 1. Ids are made from it."""

    def id(self, prefix: str, index: int = 0) -> str:
        """An id in the manner of the provider, of the ``index``-th thing of its kind in the answer."""
        return f"{prefix}{self.number:024d}" if index == 0 else f"{prefix}{self.number:021d}_{index:02d}"

    @property
    def streams(self) -> bool:
        """Whether the caller wants a stream."""
        return bool(self.body.get("stream")) or ":stream" in self.path


@dataclass(frozen=True, slots=True)
class Reply:
    """A response: one document, or the events of a stream."""

    document: Document | None = None
    events: tuple[str, ...] = ()
    told: Usage | None = None
    """Usage in the response, as far as this API tells it."""
    status: int = 200
    answer: Answer | None = None
    """What it was made of: how long it takes, and where it breaks."""


class Api(ABC):
    """One API of a provider. Subclasses say which paths are theirs and how an answer looks."""

    name: ClassVar[str]
    path: ClassVar[re.Pattern[str]]
    snapshot: ClassVar[str] = f"-{SNAPSHOT}"

    def model(self, turn: Turn) -> str:
        """The model that the caller asks for."""
        return str(turn.body.get("model", ""))

    @abstractmethod
    def reply(self, turn: Turn) -> Reply:
        """Answer ``turn`` in this API's shape."""

    @abstractmethod
    def error(self, status: int) -> Document:
        """What the API says with ``status``, of 400 and more."""

    def answered_by(self, turn: Turn) -> str:
        """The exact model, as the provider names it in the answer."""
        return self.model(turn) + self.snapshot
