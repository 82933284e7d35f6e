"""Reading what SDKs and APIs answer: models, mappings or nothing at all, with a null at any place."""

from collections.abc import Mapping
from typing import Any


def pick(value: Any, *path: str) -> Any:
    """Return what stands at ``path`` in a model or a mapping, or None where any of it is missing."""
    for name in path:
        if value is None:
            return None
        value = value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)
    return value


def each(value: Any, *path: str) -> list[Any]:
    """Return the items of the list at ``path`` that are not null; none where there is no list."""
    found = pick(value, *path)
    return [item for item in found if item is not None] if isinstance(found, list | tuple) else []
