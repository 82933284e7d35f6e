"""What failures are called and by what they are known, as data: the tables of ``failures.toml``.

A failure has a type, one of :class:`~agentvigil.semconv.enums.FailureType`, which follows from the kind of span it
happened in, and a code, which is said by hand or found by the rules here.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from agentvigil.semconv.enums import FailureType, OperationName

MODEL_OPERATIONS = (
    OperationName.CHAT,
    OperationName.GENERATE_CONTENT,
    OperationName.TEXT_COMPLETION,
    OperationName.FETCH_RESPONSE,
)
"""Operations that are a call of a language model."""

TYPE_OF_OPERATION: Mapping[str, FailureType] = {
    **dict.fromkeys(map(str, MODEL_OPERATIONS), FailureType.MODEL),
    OperationName.EXECUTE_TOOL: FailureType.TOOL,
    OperationName.EMBEDDINGS: FailureType.RETRIEVAL,
    OperationName.RETRIEVAL: FailureType.RETRIEVAL,
    OperationName.SEARCH_MEMORY: FailureType.RETRIEVAL,
    "rerank": FailureType.RETRIEVAL,
}
"""Which part of an agent failed, by the operation of the span; every other one is orchestration."""


class BadTaxonomy(ValueError):
    """The data contradicts itself. A user never sees it: the tests load the data."""


@dataclass(frozen=True, slots=True)
class FailureRule:
    """By what one code is known; see ``failures.toml`` for the meaning of the fields."""

    code: str
    meaning: str
    error_types: tuple[str, ...]
    vague_types: tuple[str, ...]
    http_statuses: tuple[int, ...]
    vague_http_statuses: tuple[int, ...]
    messages: tuple[str, ...]
    finish: tuple[str, ...]
    no_documents: bool
    soft: bool


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """All rules in the order in which they are tried, and the names that are no failures at all."""

    rules: tuple[FailureRule, ...]
    ignored_types: tuple[str, ...]

    def codes_by_type(self, *, vague: bool) -> dict[str, str]:
        """Names of errors → code."""
        return {name: rule.code for rule in self.rules for name in (rule.vague_types if vague else rule.error_types)}

    def codes_by_status(self, *, vague: bool) -> dict[int, str]:
        """HTTP statuses → code."""
        return {
            status: rule.code
            for rule in self.rules
            for status in (rule.vague_http_statuses if vague else rule.http_statuses)
        }


@cache
def load() -> Taxonomy:
    """The taxonomy, checked.

    Raises:
        BadTaxonomy: if the file contradicts itself.
    """
    document = tomllib.loads(files("agentvigil.semconv").joinpath("failures.toml").read_text(encoding="utf-8"))
    taxonomy = build(document)
    for problem in problems(taxonomy):
        raise BadTaxonomy(f"failures.toml: {problem}")
    return taxonomy


def build(document: Mapping[str, Any]) -> Taxonomy:
    """Make a taxonomy of a parsed file; nothing is checked yet."""
    return Taxonomy(
        tuple(_rule(code, fields) for code, fields in document["code"].items()), tuple(document["ignored_types"])
    )


def problems(taxonomy: Taxonomy) -> Iterator[str]:
    """Say what contradicts itself: names that belong to two codes or can never match, patterns that are none."""
    seen: dict[str | int, str] = dict.fromkeys(taxonomy.ignored_types, "ignored_types")
    for rule in taxonomy.rules:
        names: tuple[str | int, ...] = (*rule.error_types, *rule.vague_types)
        for name in (*names, *rule.http_statuses, *rule.vague_http_statuses):
            if seen.setdefault(name, rule.code) != rule.code:
                yield f"{name} belongs to {seen[name]} and to {rule.code}"
            if isinstance(name, str) and name != kind_of_error(name):
                yield f"{name} of {rule.code} can not match: write it as {kind_of_error(name)}"
        for pattern in rule.messages:
            try:
                re.compile(pattern)
            except re.error as exc:
                yield f"{pattern} of {rule.code} is no pattern: {exc}"


def kind_of_error(name: str) -> str:
    """Return how the data spells the error ``name``: in lower case, without the modules before the class."""
    return name.strip().rpartition(".")[2].lower()


def _rule(code: str, fields: Mapping[str, Any]) -> FailureRule:
    return FailureRule(
        code=code,
        meaning=fields["meaning"],
        error_types=tuple(fields.get("error_types", ())),
        vague_types=tuple(fields.get("vague_types", ())),
        http_statuses=tuple(fields.get("http_statuses", ())),
        vague_http_statuses=tuple(fields.get("vague_http_statuses", ())),
        messages=tuple(fields.get("messages", ())),
        finish=tuple(fields.get("finish", ())),
        no_documents=fields.get("no_documents", False),
        soft=fields.get("soft", False),
    )
