"""The vocabulary as data: what ``registry.toml`` says, read once and checked while it is read.

The constants and enums are generated from the same file; whoever only writes spans by hand never loads it. An unknown
key, a reference to a name that is not there, or two attributes under one constant is a :class:`RegistryError`, so a
slip in the file shows in the first test that looks.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any, Final, Protocol, TypeVar

LABEL_PATTERN: Final = r"^[A-Za-z0-9_.:/@-]{1,64}\Z"
"""What a label looks like: short, and without the spaces that prose needs."""

_T = TypeVar("_T")
_E = TypeVar("_E", bound=StrEnum)


class RegistryError(ValueError):
    """The registry contradicts itself; the message says where."""


class ValueType(StrEnum):
    """Types of attribute values."""

    STRING = "string"
    INT = "int"
    DOUBLE = "double"
    BOOLEAN = "boolean"
    STRING_ARRAY = "string[]"
    ANY = "any"


class Stability(StrEnum):
    """How much a name can be relied on; the head of ``registry.toml`` says what each means."""

    STABLE = "stable"
    DEVELOPMENT = "development"
    PROPOSED = "proposed"
    DEPRECATED = "deprecated"
    FOREIGN = "foreign"


class Privacy(StrEnum):
    """What may be in a value; the head of ``registry.toml`` says what each means."""

    SAFE = "safe"
    LABEL = "label"
    NUMERIC_JSON = "numeric_json"
    CONTENT = "content"
    FREE_TEXT = "free_text"


class Unknown(StrEnum):
    """What a value means that an enum does not list."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"
    IGNORE = "ignore"


class _Sourced(Protocol):
    @property
    def source(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Source:
    """Where names come from."""

    title: str
    url: str
    version: str


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute.

    A ``template`` is followed by a dot and a key of the sender's; a ``numbered`` name may be followed by a dot, a
    number and more. ``minimum`` and ``maximum`` belong to the range; ``json`` says that a string must be JSON.
    """

    name: str
    constant: str
    group: str
    type: ValueType
    text: str
    examples: tuple[object, ...]
    stability: Stability
    privacy: Privacy
    source: str
    enum: str | None
    unit: str | None
    minimum: float | None
    maximum: float | None
    template: bool
    numbered: bool
    json: bool
    replaced_by: str | None
    in_use: bool


@dataclass(frozen=True, slots=True)
class Enumeration:
    """The values an attribute may have, with what each means, and ``renamed``: other spellings of them."""

    name: str
    text: str
    source: str
    unknown: Unknown
    values: Mapping[str, str]
    renamed: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SpanType:
    """What a span of some operations looks like; the fields are explained in ``registry.toml``."""

    id: str
    text: str
    source: str
    operations: tuple[str, ...]
    marker: str | None
    kinds: tuple[str, ...]
    names: tuple[str, ...]
    required: tuple[str, ...]
    recommended: tuple[str, ...]
    optional: tuple[str, ...]
    conditional: Mapping[str, str]
    expected: Mapping[str, str]
    not_here: Mapping[str, str]
    renamed_here: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class TokenSum:
    """``parts`` lie within ``total`` and do not overlap."""

    total: str
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Event:
    """A log record's event name, or that of a span event."""

    name: str
    text: str
    source: str
    stability: Stability
    replaced_by: str | None


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric; ``unit`` in UCUM."""

    name: str
    text: str
    source: str
    stability: Stability
    replaced_by: str | None
    instrument: str
    unit: str


@dataclass(frozen=True, slots=True)
class Registry:
    """The whole vocabulary, each mapping by name."""

    schema_url: str
    core_schema_url: str
    sources: Mapping[str, Source]
    attributes: Mapping[str, Attribute]
    enums: Mapping[str, Enumeration]
    spans: Mapping[str, SpanType]
    token_sums: tuple[TokenSum, ...]
    events: Mapping[str, Event]
    metrics: Mapping[str, Metric]
    former: Mapping[str, tuple[str, ...]]
    """Current name → the names it replaced."""

    def attribute(self, key: str) -> Attribute | None:
        """Return the attribute that ``key`` is, a template's or numbered name's keys included; None if there is none.

        ``gen_ai.prompt.0.content`` is ``gen_ai.prompt``, and ``gen_ai.prompt.variable.city`` its template.
        """
        if key in self.attributes:
            return self.attributes[key]
        end = key.rfind(".")
        while end > 0:
            found = self.attributes.get(key[:end])
            if found is not None:
                if found.template or (found.numbered and key[end + 1 : end + 2].isdecimal()):
                    return found
                return None
            end = key.rfind(".", 0, end)
        return None

    def groups(self) -> dict[str, list[Attribute]]:
        """Return the attributes by the title of their group, both in the order of the file."""
        groups: dict[str, list[Attribute]] = {}
        for attribute in self.attributes.values():
            groups.setdefault(attribute.group, []).append(attribute)
        return groups


@cache
def load() -> Registry:
    """Return the registry of this release.

    Raises:
        RegistryError: if it contradicts itself.
    """
    return parse(resources.files("agentvigil.semconv").joinpath("registry.toml").read_text(encoding="utf-8"))


def parse(text: str) -> Registry:
    """Return the registry that ``text``, in TOML, describes.

    Raises:
        RegistryError: if it is no TOML or contradicts itself.
    """
    try:
        root = _Table("registry", tomllib.loads(text))
    except tomllib.TOMLDecodeError as exc:
        raise RegistryError(f"registry.toml is no TOML: {exc}") from exc
    attributes = dict(_attributes(root))
    former: dict[str, tuple[str, ...]] = {}
    for attribute in attributes.values():
        if attribute.replaced_by is not None:
            former[attribute.replaced_by] = (*former.get(attribute.replaced_by, ()), attribute.name)
    registry = Registry(
        schema_url=root.string("schema_url"),
        core_schema_url=root.string("core_schema_url"),
        sources={name: _source(table) for name, table in root.tables("sources")},
        attributes=MappingProxyType(attributes),
        enums=MappingProxyType({name: _enumeration(name, table) for name, table in root.tables("enum")}),
        spans=MappingProxyType({name: _span(name, table) for name, table in root.tables("span")}),
        token_sums=tuple(_token_sum(table) for table in root.array("tokens")),
        events=MappingProxyType({name: _event(name, table) for name, table in root.tables("event")}),
        metrics=MappingProxyType({name: _metric(name, table) for name, table in root.tables("metric")}),
        former=MappingProxyType(former),
    )
    root.finish()
    _validate(registry)
    return registry


def constant_of(name: str) -> str:
    """Return the name that a constant or enum member for ``name`` has: ``gen_ai.tool.name`` → ``GEN_AI_TOOL_NAME``."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)
    return re.sub(r"[^A-Za-z0-9]+", "_", words).strip("_").upper()


class _Table:
    """A table of the file, of which every key has to be taken once: what is left over is a slip."""

    def __init__(self, place: str, values: Mapping[str, Any]) -> None:
        self._place = place
        self._left = dict(values)

    def take(self, key: str, kind: type[_T] | tuple[type[_T], ...], default: _T | None = None) -> _T | None:
        value = self._left.pop(key, default)
        if value is not default and not isinstance(value, kind):
            raise RegistryError(f"{self._place}: {key} is {value!r}")
        return value

    def string(self, key: str) -> str:
        value = self.take(key, str)
        if not value:
            raise RegistryError(f"{self._place}: {key} is missing")
        return value

    def flag(self, key: str) -> bool:
        return bool(self.take(key, bool, False))

    def number(self, key: str) -> float | None:
        return self.take(key, (int, float))

    def member(self, key: str, kind: type[_E], default: str | None = None) -> _E:
        value = self.take(key, str, default)
        try:
            return kind(value or "")
        except ValueError as exc:
            raise RegistryError(f"{self._place}: {key} is {value!r}, not one of {', '.join(kind)}") from exc

    def strings(self, key: str) -> tuple[str, ...]:
        values: list[Any] = self.take(key, list) or []
        if not all(isinstance(value, str) for value in values):
            raise RegistryError(f"{self._place}: {key} has to hold strings")
        return tuple(values)

    def words(self, key: str) -> Mapping[str, str]:
        values: dict[str, Any] = self.take(key, dict) or {}
        if not all(isinstance(value, str) for value in values.values()):
            raise RegistryError(f"{self._place}: {key} has to hold strings")
        return MappingProxyType(values)

    def tables(self, key: str) -> Iterator[tuple[str, "_Table"]]:
        for name, values in (self.take(key, dict) or {}).items():
            table = _Table(f"{key} {name}", values)
            yield name, table
            table.finish()

    def array(self, key: str) -> Iterator["_Table"]:
        for number, values in enumerate(self.take(key, list) or []):
            table = _Table(f"{key} {number}", values)
            yield table
            table.finish()

    def finish(self) -> None:
        if self._left:
            raise RegistryError(f"{self._place}: nobody knows {', '.join(self._left)}")


def _attributes(root: _Table) -> Iterator[tuple[str, Attribute]]:
    seen: set[str] = set()
    for group in root.array("group"):
        title, source = group.string("title"), group.string("source")
        stability, privacy = group.member("stability", Stability), group.member("privacy", Privacy)
        for name, table in group.tables("attribute"):
            if name in seen:
                raise RegistryError(f"attribute {name} is there twice")
            seen.add(name)
            examples: list[object] = table.take("examples", list) or []
            yield (
                name,
                Attribute(
                    name=name,
                    constant=table.take("constant", str) or constant_of(name),
                    group=title,
                    type=table.member("type", ValueType),
                    text=table.string("text"),
                    examples=tuple(examples),
                    stability=table.member("stability", Stability, stability),
                    privacy=table.member("privacy", Privacy, privacy),
                    source=table.take("source", str) or source,
                    enum=table.take("enum", str),
                    unit=table.take("unit", str),
                    minimum=table.number("min"),
                    maximum=table.number("max"),
                    template=table.flag("template"),
                    numbered=table.flag("numbered"),
                    json=table.flag("json"),
                    replaced_by=table.take("replaced_by", str),
                    in_use=table.flag("in_use"),
                ),
            )


def _source(table: _Table) -> Source:
    return Source(title=table.string("title"), url=table.string("url"), version=table.string("version"))


def _enumeration(name: str, table: _Table) -> Enumeration:
    return Enumeration(
        name=name,
        text=table.string("text"),
        source=table.string("source"),
        unknown=table.member("unknown", Unknown),
        values=table.words("values"),
        renamed=table.words("renamed"),
    )


def _span(name: str, table: _Table) -> SpanType:
    return SpanType(
        id=name,
        text=table.string("text"),
        source=table.string("source"),
        operations=table.strings("operations"),
        marker=table.take("marker", str),
        kinds=table.strings("kinds"),
        names=table.strings("names"),
        required=table.strings("required"),
        recommended=table.strings("recommended"),
        optional=table.strings("optional"),
        conditional=table.words("conditional"),
        expected=table.words("expected"),
        not_here=table.words("not_here"),
        renamed_here=table.words("renamed_here"),
    )


def _token_sum(table: _Table) -> TokenSum:
    return TokenSum(total=table.string("total"), parts=table.strings("parts"))


def _event(name: str, table: _Table) -> Event:
    return Event(
        name=name,
        text=table.string("text"),
        source=table.string("source"),
        stability=table.member("stability", Stability),
        replaced_by=table.take("replaced_by", str),
    )


def _metric(name: str, table: _Table) -> Metric:
    return Metric(
        name=name,
        text=table.string("text"),
        source=table.string("source"),
        stability=table.member("stability", Stability),
        replaced_by=table.take("replaced_by", str),
        instrument=table.string("instrument"),
        unit=table.string("unit"),
    )


def _validate(registry: Registry) -> None:
    """Raise RegistryError for the first reference that leads nowhere, or out of the current names."""
    constants: dict[str, str] = {}
    for attribute in registry.attributes.values():
        if (other := constants.setdefault(attribute.constant, attribute.name)) != attribute.name:
            raise RegistryError(f"{attribute.name} and {other} are both {attribute.constant}: give one a `constant`")
        if attribute.enum is not None and attribute.enum not in registry.enums:
            raise RegistryError(f"{attribute.name}: there is no enum {attribute.enum}")
    for mapping in (registry.attributes, registry.enums, registry.spans, registry.events, registry.metrics):
        sourced: Mapping[str, _Sourced] = mapping
        for name, item in sourced.items():
            if item.source not in registry.sources:
                raise RegistryError(f"{name}: there is no source {item.source}")
    for name, current in _references(registry):
        found = registry.attributes.get(current)
        if found is None:
            raise RegistryError(f"{name}: there is no attribute {current}")
        if found.replaced_by is not None:
            raise RegistryError(f"{name}: {current} was itself replaced, by {found.replaced_by}")
    for enum in registry.enums.values():
        if wrong := [value for value in enum.renamed.values() if value not in enum.values]:
            raise RegistryError(f"enum {enum.name}: {wrong[0]} is none of its values")
    for metric in registry.metrics.values():
        if metric.replaced_by is not None and metric.replaced_by not in registry.metrics:
            raise RegistryError(f"metric {metric.name}: there is no metric {metric.replaced_by}")


def _references(registry: Registry) -> Iterator[tuple[str, str]]:
    """Yield who refers to an attribute, and to which."""
    for attribute in registry.attributes.values():
        if attribute.replaced_by is not None:
            yield attribute.name, attribute.replaced_by
    for event in registry.events.values():
        if event.replaced_by is not None:
            yield f"event {event.name}", event.replaced_by
    for span in registry.spans.values():
        named = [name for template in span.names for name in re.findall(r"\{(.+?)\}", template)]
        mentioned = (*span.required, *span.recommended, *span.optional, *span.conditional, *span.expected)
        for name in (*mentioned, *span.not_here, *span.renamed_here.values(), *named):
            yield f"span {span.id}", name
    for tokens in registry.token_sums:
        for name in (tokens.total, *tokens.parts):
            yield "tokens", name
