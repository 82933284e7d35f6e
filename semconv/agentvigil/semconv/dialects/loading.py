"""Reads all dialects from the package's own files, once."""

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Final

from agentvigil.semconv import registry as vocabulary
from agentvigil.semconv.dialects.errors import BadDialect
from agentvigil.semconv.dialects.model import Registry, TargetType
from agentvigil.semconv.dialects.parsing import parse_dialect
from agentvigil.semconv.dialects.validation import validate

_COMMON = "common"

_TYPES: Final[Mapping[vocabulary.ValueType, TargetType]] = {
    vocabulary.ValueType.STRING: "string",
    vocabulary.ValueType.INT: "int",
    vocabulary.ValueType.DOUBLE: "double",
    vocabulary.ValueType.BOOLEAN: "bool",
    vocabulary.ValueType.STRING_ARRAY: "strings",
    vocabulary.ValueType.ANY: "any",
}


@cache
def load() -> Registry:
    """All dialects, checked.

    Raises:
        BadDialect: if a file contradicts itself or another.
    """
    documents = _documents()
    registry = build(documents)
    validate(registry)
    return registry


def build(documents: dict[str, dict[str, Any]]) -> Registry:
    """Make the values of parsed files: name without ending → content. Nothing is checked against each other yet.

    Raises:
        BadDialect: if a file is not as the model has it, or a target not as the vocabulary has it.
    """
    common = documents[_COMMON]
    dialects = {
        name: parse_dialect(name, document, common["paths"])
        for name, document in sorted(documents.items())
        if name != _COMMON
    }
    if sorted(common["order"]) != sorted(dialects):
        raise BadDialect(
            _COMMON, f"order has to name each dialect once: {sorted(set(common['order']) ^ set(dialects))}"
        )
    return Registry(
        dialects=dialects,
        order=tuple(common["order"]),
        targets=_targets(common["targets"]["names"], common["targets"]["signed"]),
        operations=common["operations"],
        values=common["values"],
        frameworks=common["frameworks"],
        model_providers=common["model_providers"],
        ai_families=frozenset(common["ai_families"]),
        neutral_families=frozenset(common["neutral_families"]),
    )


def _targets(names: Sequence[str], signed: Sequence[str]) -> dict[str, TargetType]:
    attributes = vocabulary.load().attributes
    if unknown := [name for name in names if name not in attributes]:
        raise BadDialect(_COMMON, f"targets {unknown} are not in registry.toml")
    if len(set(names)) < len(names):
        raise BadDialect(_COMMON, f"targets are there twice: {sorted(name for name in names if names.count(name) > 1)}")
    counts = {name for name in names if _is_count(attributes[name])}
    if wrong := set(signed) - counts:
        raise BadDialect(_COMMON, f"targets {sorted(wrong)} are signed, and no counts otherwise")
    return {name: "count" if name in counts.difference(signed) else _TYPES[attributes[name].type] for name in names}


def _is_count(attribute: vocabulary.Attribute) -> bool:
    return attribute.type is vocabulary.ValueType.INT and attribute.minimum is not None


def _documents() -> dict[str, dict[str, Any]]:
    directory = files("agentvigil.semconv.dialects").joinpath("data")
    return {
        path.name.removesuffix(".toml"): tomllib.loads(path.read_text(encoding="utf-8"))
        for path in directory.iterdir()
        if path.name.endswith(".toml")
    }
