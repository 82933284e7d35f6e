"""What may be in an attribute's value, by its key: read from the vocabulary, the dialects and ``privacy.toml``.

The store compiles these classes into the views that decode OTLP, and what is withheld under the default policy is
decided there. ``agentvigil.semconv.screening`` says the same in Python, for tests and for readers.
"""

import re
import string
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any, Final

from agentvigil.semconv import dialects, registry
from agentvigil.semconv.content import CONTENT_KEYS, CONTENT_NUMBERED_PREFIXES, CONTENT_PREFIXES

LABEL_CHARACTERS: Final = string.ascii_letters + string.digits + "_.:/@-"
"""What labels are made of: enough for names and numbers of machines, and no spaces."""
KEY_CHARACTERS: Final = LABEL_CHARACTERS + "*"
_KEY_CHARACTERS: Final = frozenset(KEY_CHARACTERS)
_LONGEST_KEY: Final = 128
NOT_A_KEY_PATTERN: Final = "(?s)^(?:|[A-Za-z0-9_.:/@*-]*[^A-Za-z0-9_.:/@*-].*|.{129,})$"
"""What no key looks like: it may itself be what somebody said."""


class ContentPolicy(IntEnum):
    """What a project lets be stored of what people and models said. The envelopes of requests have the numbers."""

    OFF = 0
    """Nothing; also the policy of whoever says none."""
    MASKED = 1
    """All of it, with addresses and numbers of people, and keys, replaced by what they were."""
    FULL = 2
    """All of it as it was sent."""


class KeyClass(IntEnum):
    """What a key says of its value, and so what stays of it under the default policy."""

    UNKNOWN = 0
    """Nobody knows the key: numbers, booleans and labels stay."""
    LABEL = 1
    """Identifiers: labels stay, other text becomes a hash."""
    NAME = 2
    """Names that developers gave: up to three words stay, other text becomes a hash."""
    SPAN_NAME = 3
    """Names that may have one known word more in front, and keep it before a hash."""
    NUMERIC_JSON = 4
    """A structure of which numbers, booleans and labels stay."""
    FREE_TEXT = 5
    """Text about an error: words of software's own language stay."""
    STACKTRACE = 6
    """Frames stay, without the code and the messages between them."""
    TRACE_STATE = 7
    """A list of key=label; anything else goes as a whole."""
    URL = 8
    """An address of labels; anything else goes as a whole."""
    CONTENT = 9
    """What people or models said: never an attribute of a stored row."""
    NOT_A_LABEL = 10
    """The key itself may be what somebody said."""


TEXT_CLASSES: Final = MappingProxyType(
    {
        "(span name)": KeyClass.SPAN_NAME,
        "(event name)": KeyClass.NAME,
        "(scope name)": KeyClass.NAME,
        "(scope version)": KeyClass.NAME,
        "(severity text)": KeyClass.NAME,
        "(metric name)": KeyClass.NAME,
        "(metric unit)": KeyClass.NAME,
        "(metric description)": KeyClass.FREE_TEXT,
        "(status message)": KeyClass.FREE_TEXT,
        "(body)": KeyClass.FREE_TEXT,
        "(trace state)": KeyClass.TRACE_STATE,
        "(schema url)": KeyClass.URL,
    }
)
"""What a record says outside of its attributes, under the names that withheld texts are counted by.

No attribute is of these classes for its name: one that is called so has a key that is no label.
"""


@dataclass(frozen=True, slots=True)
class KeyClasses:
    """The class of every key: first of ``keys`` as they stand, then of ``families``.

    ``family_pattern`` finds a key's family: the text of its groups, put together, is what ``families`` has.
    """

    keys: Mapping[str, KeyClass]
    families: Mapping[str, KeyClass]
    family_pattern: str

    def of(self, key: str) -> KeyClass:
        """Return the class of an attribute's ``key``."""
        if key in self.keys:
            return self.keys[key]
        if not 1 <= len(key) <= _LONGEST_KEY or not set(key) <= _KEY_CHARACTERS:
            return KeyClass.NOT_A_LABEL
        found = re.match(self.family_pattern, key)
        family = "".join(part or "" for part in found.groups()) if found else key
        return self.families.get(family, KeyClass.UNKNOWN)


@dataclass(frozen=True, slots=True)
class _Declared:
    """What one source says: whole keys, beginnings, and beginnings of keys with a number."""

    keys: Mapping[str, KeyClass]
    families: Mapping[str, KeyClass]
    numbered: Mapping[str, KeyClass]


_REGISTRY_CLASSES: Final = MappingProxyType(
    {
        registry.Privacy.SAFE: KeyClass.NAME,
        registry.Privacy.LABEL: KeyClass.LABEL,
        registry.Privacy.NUMERIC_JSON: KeyClass.NUMERIC_JSON,
        registry.Privacy.FREE_TEXT: KeyClass.FREE_TEXT,
        registry.Privacy.CONTENT: KeyClass.CONTENT,
    }
)


@cache
def key_classes() -> KeyClasses:
    """The classes of this release.

    Raises:
        RegistryError: if the vocabulary contradicts itself.
        BadDialect: if the dialects do.
    """
    # What comes later decides: our own file says what the others can not know.
    declared = (_of_dialects(), _of_registry(), _of_lists(), _of_file(privacy_file()))
    keys = {key: value for source in declared for key, value in source.keys.items()}
    families = {key: value for source in declared for key, value in source.families.items()}
    numbered = {key: value for source in declared for key, value in source.numbered.items()}
    longest_first = sorted(families, key=lambda family: (-len(family), family))
    whole, counted = ("|".join(map(re.escape, found)) for found in (longest_first, sorted(numbered)))
    leaves = "|".join(privacy_file()["structure"]["leaves"])
    # Mere structure comes first, and is left whole, so that it is in no family.
    pattern = f"^(?:((?:{whole}|{counted})(?:.*[.])?[0-9]+[.](?:.*[.])?(?:{leaves}))|({whole}).*|({counted})[0-9].*)$"
    return KeyClasses(MappingProxyType(keys), MappingProxyType(families | numbered), pattern)


def class_of(key: str) -> KeyClass:
    """Return the class of an attribute's ``key``."""
    return key_classes().of(key)


def error_words() -> frozenset[str]:
    """The words, in lower case, that free text keeps."""
    text = resources.files("agentvigil.semconv").joinpath("error_words.txt").read_text(encoding="utf-8")
    return frozenset(word for line in text.splitlines() if not line.startswith("#") for word in line.split())


@cache
def name_openings() -> tuple[str, ...]:
    """Words that may open a span's name before three words more, sorted."""
    rules = (rule.text for dialect in dialects.load().in_order() for rule in dialect.span_names)
    opening = {text.split(" ")[0] for text in rules}
    words = {*privacy_file()["span_names"]["first_words"], *dialects.load().operations, *opening}
    return tuple(sorted(words))


@cache
def privacy_file() -> Mapping[str, Any]:
    """``privacy.toml`` as it stands."""
    text = resources.files("agentvigil.semconv").joinpath("privacy.toml").read_text(encoding="utf-8")
    return MappingProxyType(tomllib.loads(text))


def _of_registry() -> _Declared:
    attributes = registry.load().attributes.values()
    return _Declared(
        {attribute.name: _REGISTRY_CLASSES[attribute.privacy] for attribute in attributes},
        {f"{attribute.name}.": _REGISTRY_CLASSES[attribute.privacy] for attribute in attributes if attribute.template},
        {f"{attribute.name}.": _REGISTRY_CLASSES[attribute.privacy] for attribute in attributes if attribute.numbered},
    )


def _of_lists() -> _Declared:
    return _Declared(
        dict.fromkeys(CONTENT_KEYS, KeyClass.CONTENT),
        dict.fromkeys(CONTENT_PREFIXES, KeyClass.CONTENT),
        dict.fromkeys(CONTENT_NUMBERED_PREFIXES, KeyClass.CONTENT),
    )


def _of_file(file: Mapping[str, Any]) -> _Declared:
    def declared(kind: str) -> dict[str, KeyClass]:
        return {key: member for member in KeyClass for key in file.get(member.name.lower(), {}).get(kind, ())}

    return _Declared(declared("keys"), declared("families"), declared("numbered"))


def _of_dialects() -> _Declared:
    keys: dict[str, KeyClass] = {}
    families: dict[str, KeyClass] = {}
    for dialect in dialects.load().in_order():
        for source, found in _sources(dialect):
            # A key that is content to one dialect is content wherever it stands.
            keys[source] = max(found, keys.get(source, found))
        families |= {flattened.prefix: KeyClass.CONTENT for flattened in dialect.flattened}
    numbered = [family for family in families if family in CONTENT_NUMBERED_PREFIXES]
    return _Declared(
        keys,
        {family: value for family, value in families.items() if family not in numbered},
        dict.fromkeys(numbered, KeyClass.CONTENT),
    )


def _sources(dialect: dialects.Dialect) -> Iterator[tuple[str, KeyClass]]:
    attributes = registry.load().attributes
    for rule in dialect.rules:
        found = _REGISTRY_CLASSES[attributes[rule.target].privacy]
        yield rule.source, KeyClass.NUMERIC_JSON if rule.path and found is not KeyClass.CONTENT else found
    for operation in dialect.operations:
        yield operation.source, KeyClass.NAME
    for error in dialect.errors:
        yield error.attribute, KeyClass.NAME
        if error.message:
            yield error.message, KeyClass.FREE_TEXT
