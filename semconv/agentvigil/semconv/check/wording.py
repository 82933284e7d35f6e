"""How a problem is put into words: types by their names, and values only where these can not be prose."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Final

from agentvigil.semconv.registry import LABEL_PATTERN, Attribute, Registry, Stability, ValueType

_LABEL: Final = re.compile(LABEL_PATTERN)

TYPE_WORDS: Final[Mapping[ValueType, str]] = {
    ValueType.STRING: "a string",
    ValueType.INT: "an int",
    ValueType.DOUBLE: "a double",
    ValueType.BOOLEAN: "a boolean",
    ValueType.STRING_ARRAY: "an array of strings",
    ValueType.ANY: "any value",
}
"""What has to be sent for an attribute of each type."""

_PLURALS: Final[Mapping[str, str]] = {
    "a boolean": "booleans",
    "an int": "ints",
    "a double": "doubles",
    "a string": "strings",
    "a map": "maps",
}


def is_label(text: str) -> bool:
    """Say whether ``text`` is a label, and so no prose."""
    return _LABEL.match(text) is not None


def quoted(value: str) -> str:
    """Return ``value`` for a message, where it can not be prose."""
    return repr(value) if is_label(value) else f"a text of {len(value)} characters"


def cut(text: str, most: int = 80) -> str:
    """Return ``text``, of more than ``most`` characters the beginning."""
    return text if len(text) <= most else text[: most - 1] + "…"


def type_name(value: object) -> str:
    """Return what ``value`` is: ``a string``, ``an array of ints``."""
    match value:
        case bool():
            return "a boolean"
        case int():
            return "an int"
        case float():
            return "a double"
        case str():
            return "a string"
        case Mapping():
            return "a map"
        case Sequence():
            inner = sorted({type_name(one) for one in value if not isinstance(one, (list, tuple))})
            return "an array of " + " and ".join(_PLURALS.get(name, name) for name in inner) if inner else "an array"
        case _:
            return type(value).__name__


def example(registry: Registry, name: str) -> str:
    """Return what follows after "set it": an example of the attribute ``name``, nothing if there is none."""
    examples = registry.attributes[name].examples
    return f", e.g. to {json.dumps(examples[0])}" if examples else ""


def replacement(old: Attribute, attributes: Mapping[str, object], not_here: Mapping[str, str]) -> str:
    """Return why the ``old`` name is wrong, and what to do on a span with ``attributes`` and reasons against names."""
    why = "was never part of the conventions" if old.stability is Stability.FOREIGN else "is deprecated"
    if old.replaced_by is None:
        return f"{why} and has no successor; leave it out"
    if old.replaced_by in not_here:
        return f"{why}, and {old.replaced_by} does not belong here: {not_here[old.replaced_by]}; leave it out"
    if old.replaced_by in attributes:
        return f"{why}, and {old.replaced_by} is there too; leave the old one out"
    return f"{why}; write {old.replaced_by} instead"
