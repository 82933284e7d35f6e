"""Values that OpenTelemetry takes, out of what applications and SDKs pass around."""

from collections.abc import Sequence
from enum import Enum
from typing import Final

from opentelemetry.util.types import AttributeValue

_LONGEST: Final = 4_096
"""Characters of a text that is no content; beyond it there is hardly a name or a label."""


_PLAIN_KINDS: Final = frozenset({bool, int, float})


def attribute_value(value: object) -> AttributeValue | None:
    """Return ``value`` as an attribute, or None for nothing: None, an SDK's mark of "not given", an object."""
    # What comes most, first: nothing, a plain text, a plain number.
    if value is None:
        return None
    kind = type(value)
    if kind is str:
        return value if len(value) <= _LONGEST else value[:_LONGEST]  # type: ignore[return-value, arg-type, index]
    if kind in _PLAIN_KINDS:
        return value  # type: ignore[return-value]
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return str(value)[:_LONGEST]
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        texts = [item[:_LONGEST] for item in map(_plain, value) if isinstance(item, str)]
        return texts or None
    return None


def _plain(item: object) -> object:
    return item.value if isinstance(item, Enum) else item
