"""Prompts and answers: whether they are recorded, and how they are written.

``OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT`` decides, as in all instrumentations that follow the
conventions: ``NO_CONTENT`` (the default), ``SPAN_ONLY``, ``EVENT_ONLY`` or ``SPAN_AND_EVENT``. ``true``, which older
ones took, means ``SPAN_ONLY``.
"""

import dataclasses
import json
import logging
import math
import os
from collections.abc import Mapping
from datetime import date, time
from decimal import Decimal
from enum import Enum
from functools import cache
from pathlib import PurePath
from typing import Final
from uuid import UUID

VARIABLE: Final = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"

_LOG: Final = logging.getLogger("agentvigil.instrumentations")
_DEEPEST: Final = 32
_MOST_PARTS: Final = 100_000
_MOST_BYTES: Final = 1_000_000
"""Of one attribute. An OTLP request may have 4 MiB over gRPC, and a span that is larger takes its whole batch along."""


class ContentMode(Enum):
    """Where content goes."""

    NO_CONTENT = (False, False)
    SPAN_ONLY = (True, False)
    EVENT_ONLY = (False, True)
    SPAN_AND_EVENT = (True, True)

    @property
    def on_spans(self) -> bool:
        """Whether spans carry it."""
        return self.value[0]

    @property
    def on_events(self) -> bool:
        """Whether the event about an operation carries it."""
        return self.value[1]


def content_mode() -> ContentMode:
    """Return what the environment asks for now."""
    return _mode_of(os.environ.get(VARIABLE, ""))


@cache
def _mode_of(setting: str) -> ContentMode:
    word = setting.strip().upper()
    if word in ("", "FALSE"):
        return ContentMode.NO_CONTENT
    if word == "TRUE":
        return ContentMode.SPAN_ONLY
    try:
        return ContentMode[word]
    except KeyError:
        _LOG.warning(
            "%s is %r and has to be one of %s; no content is recorded",
            VARIABLE,
            setting,
            ", ".join(mode.name for mode in ContentMode),
        )
        return ContentMode.NO_CONTENT


def plain(value: object) -> object:
    """Return ``value`` as what JSON can say: models and data classes as mappings, anything else by its type's name.

    Never an object's ``repr``, which may hold what nobody wanted to tell, and never the items of an iterator. What is
    nested too deep, holds itself, or has more than 100,000 parts is left out.
    """
    return _Plain().of(value, ())


class _Plain:
    """One value on its way to JSON."""

    def __init__(self) -> None:
        self._parts_left = _MOST_PARTS

    def of(self, value: object, around: tuple[int, ...]) -> object:
        self._parts_left -= 1
        if value is None or isinstance(value, bool | int):
            return value
        if isinstance(value, float):
            return value if math.isfinite(value) else str(value)
        if isinstance(value, Enum):
            return self.of(value.value, around)
        if isinstance(value, str):
            return str(value)
        if id(value) in around or len(around) == _DEEPEST or self._parts_left < 0:
            return "..."
        around = (*around, id(value))
        if isinstance(value, Mapping):
            return {str(key): self.of(item, around) for key, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.of(item, around) for item in value]
        return self._of_object(value, around)

    def _of_object(self, value: object, around: tuple[int, ...]) -> object:
        if isinstance(value, bytes | bytearray):
            return f"[{len(value)} bytes]"
        if isinstance(value, UUID | Decimal | PurePath):
            return str(value)
        if isinstance(value, date | time):
            return value.isoformat()
        if not isinstance(value, type):
            dump = getattr(value, "model_dump", None)
            if callable(dump):
                return self.of(dump(), around)
            if dataclasses.is_dataclass(value):
                return {field.name: self.of(getattr(value, field.name), around) for field in dataclasses.fields(value)}
        return f"[{type(value).__qualname__}]"


def json_text(value: object) -> str:
    """Return ``value`` as JSON of a megabyte at most; where there is more, texts in it are cut, the longest first."""
    found = plain(value)
    text = _dumps(found)
    for longest in (65_536, 4_096, 256, 16):
        if len(text) <= _MOST_BYTES:
            return text
        text = _dumps(_cut(found, longest))
    return text if len(text) <= _MOST_BYTES else _dumps(f"[{len(text)} characters left out]")


def _dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _cut(value: object, longest: int) -> object:
    if isinstance(value, str):
        return value if len(value) <= longest else f"{value[:longest]}[{len(value) - longest} characters left out]"
    if isinstance(value, dict):
        return {key: _cut(item, longest) for key, item in value.items()}
    if isinstance(value, list):
        return [_cut(item, longest) for item in value]
    return value
