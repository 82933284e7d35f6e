"""Reads all dialects from the package's own files, once."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from agentvigil.semconv.dialects.errors import BadDialect
from agentvigil.semconv.dialects.model import Registry
from agentvigil.semconv.dialects.parsing import parse_dialect
from agentvigil.semconv.dialects.validation import validate

_COMMON = "common"


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
    """Make the values of parsed files: name without ending → content. Nothing is checked against each other yet."""
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
        targets=common["targets"],
        operations=common["operations"],
        values=common["values"],
        frameworks=common["frameworks"],
        model_providers=common["model_providers"],
        ai_families=frozenset(common["ai_families"]),
        neutral_families=frozenset(common["neutral_families"]),
    )


def _documents() -> dict[str, dict[str, Any]]:
    directory = files("agentvigil.semconv.dialects").joinpath("data")
    return {
        path.name.removesuffix(".toml"): tomllib.loads(path.read_text(encoding="utf-8"))
        for path in directory.iterdir()
        if path.name.endswith(".toml")
    }
