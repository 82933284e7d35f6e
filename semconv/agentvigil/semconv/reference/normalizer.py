"""Normalising one span, step by step: dialect, operation, every key, provider, tokens, cost, status."""

from typing import Final

from agentvigil.semconv import attributes as a
from agentvigil.semconv.dialects import Registry, load
from agentvigil.semconv.dialects.model import STEP, ErrorRule, Tokens
from agentvigil.semconv.reference.candidates import Candidate, readings_of
from agentvigil.semconv.reference.detection import detect
from agentvigil.semconv.reference.operation import STEP_ATTRIBUTE, billing_of, operation_of
from agentvigil.semconv.reference.span import Normalized, Span, Status, Value
from agentvigil.semconv.reference.tokens import TOTAL, read_tokens
from agentvigil.semconv.reference.values import text

_FRAMEWORK: Final = "agentvigil.framework"
_WHOLES: Final = frozenset({a.GEN_AI_USAGE_INPUT_TOKENS, a.GEN_AI_USAGE_OUTPUT_TOKENS})
_USAGE: Final = "gen_ai.usage."
_COST: Final = "agentvigil.cost."
_REGIONS: Final = frozenset({"us", "eu", "apac", "global"})
"""What Bedrock writes before a model that may run in any of several places."""


def normalize(span: Span, registry: Registry | None = None) -> Normalized:
    """Read ``span`` as its dialect means it. Raises nothing, whatever the values are."""
    registry = registry or load()
    dialect_id = detect(span, registry)
    operation = operation_of(span, dialect_id, registry)
    readings = readings_of(span, dialect_id, operation, registry)

    chosen = _chosen([candidate for candidate in readings.candidates if not _is_framework(candidate, registry)])
    attributes: dict[str, Value] = {target: candidate.value for target, candidate in chosen.items()}
    _set_operation(attributes, operation)
    _set_framework(attributes, readings.candidates, registry)

    tokens = registry.dialects[dialect_id].tokens if dialect_id in registry.dialects else Tokens()
    counts = {name: count for name, count in attributes.items() if _is_count(name) and isinstance(count, int)}
    input_source = chosen[a.GEN_AI_USAGE_INPUT_TOKENS].source if a.GEN_AI_USAGE_INPUT_TOKENS in chosen else ""
    counted = read_tokens(counts, tokens, input_source, text(attributes.get(a.GEN_AI_PROVIDER_NAME)))
    attributes = {name: value for name, value in attributes.items() if name not in counts} | counted.counts
    if tokens.zero_cost == "unknown" and not any(v for name, v in attributes.items() if name.startswith(_COST)):
        attributes = {name: value for name, value in attributes.items() if not name.startswith(_COST)}

    status, message = _status(span, attributes, registry)
    return Normalized(
        dialect=dialect_id,
        attributes=attributes,
        sources={target: candidate.source for target, candidate in chosen.items() if target in attributes},
        operation=operation,
        billing=billing_of(operation, not _WHOLES.isdisjoint(counted.counts), registry),
        tokens=counted.reading,
        status=status,
        status_message=message,
        unmapped_keys=readings.unmapped_keys,
        deprecated_keys=readings.deprecated_keys,
        rejected_keys=_rejected(span, readings.candidates),
        truncated=frozenset(target for target, candidate in chosen.items() if candidate.truncated),
    )


def _chosen(candidates: list[Candidate]) -> dict[str, Candidate]:
    readable = (candidate for candidate in candidates if candidate.value is not None)
    chosen: dict[str, Candidate] = {}
    for candidate in sorted(readable, key=lambda candidate: candidate.precedence):
        chosen.setdefault(candidate.target, candidate)
    return chosen


def _rejected(span: Span, candidates: tuple[Candidate, ...]) -> frozenset[str]:
    """Keys of which nothing could be read. Parts that a JSON object does not have are not missed."""
    readable = {candidate.source for candidate in candidates if candidate.value is not None}
    tried = {candidate.source for candidate in candidates if candidate.source in span.attributes}
    return frozenset(key for key in tried - readable if text(span.attributes[key]))


def _set_operation(attributes: dict[str, Value], operation: str) -> None:
    attributes.pop(a.GEN_AI_OPERATION_NAME, None)
    attributes.pop(STEP_ATTRIBUTE, None)
    if operation == STEP:
        attributes[STEP_ATTRIBUTE] = True
    elif operation:
        attributes[a.GEN_AI_OPERATION_NAME] = operation


def _is_framework(candidate: Candidate, registry: Registry) -> bool:
    return candidate.target == a.GEN_AI_PROVIDER_NAME and text(candidate.value).lower() in registry.frameworks


def _set_framework(attributes: dict[str, Value], candidates: tuple[Candidate, ...], registry: Registry) -> None:
    """A framework's name is kept as such, and a provider that it hid is read off the model."""
    frameworks = sorted((c for c in candidates if _is_framework(c, registry)), key=lambda c: c.precedence)
    if not frameworks:
        return
    attributes.setdefault(_FRAMEWORK, registry.frameworks[text(frameworks[0].value).lower()])
    for name in (a.GEN_AI_REQUEST_MODEL, a.GEN_AI_RESPONSE_MODEL):
        if a.GEN_AI_PROVIDER_NAME not in attributes and (
            provider := _provider_of(text(attributes.get(name)), registry)
        ):
            attributes[a.GEN_AI_PROVIDER_NAME] = provider


def _provider_of(model: str, registry: Registry) -> str:
    """The provider whose models are named so. A gateway writes the provider before a slash, Bedrock a region before."""
    head, _, rest = model.lower().partition("/")
    if rest and head in registry.values[a.GEN_AI_PROVIDER_NAME]:
        return registry.values[a.GEN_AI_PROVIDER_NAME][head]
    name = model.lower().rpartition("/")[2]
    region, _, tail = name.partition(".")
    name = tail if region in _REGIONS else name
    fitting = [(len(beginning), beginning) for beginning in registry.model_providers if name.startswith(beginning)]
    return registry.model_providers[max(fitting)[1]] if fitting else ""


def _is_count(name: str) -> bool:
    return name.startswith(_USAGE) or name == TOTAL


def _status(span: Span, attributes: dict[str, Value], registry: Registry) -> tuple[Status, str]:
    """The span's status, or an error that something else on the span means. Sets ``error.type`` where it is missing."""
    if span.status == "ok":
        return "ok", ""
    meant = _meant_error(span, registry)
    if meant is not None:
        attributes.setdefault(a.ERROR_TYPE, meant[0])
    if span.status == "error" or meant is None:
        return ("error" if a.ERROR_TYPE in attributes else span.status), ""
    return "error", meant[1]


def _meant_error(span: Span, registry: Registry) -> tuple[str, str] | None:
    """Type and message of the error that an attribute or an event other than the status means."""
    for rule in (rule for dialect in registry.in_order() for rule in dialect.errors):
        if _means_error(rule, span):
            return rule.type, text(span.attributes.get(rule.message)) if rule.message else ""
    for event in span.events:
        if event.name == "exception":
            message = text(event.attributes.get("exception.message"))
            return text(event.attributes.get("exception.type")) or "_OTHER", message
    return None


def _means_error(rule: ErrorRule, span: Span) -> bool:
    said = text(span.attributes.get(rule.attribute))
    if rule.at_least is not None:
        return said.isascii() and said.isdigit() and len(said) < 10 and int(said) >= rule.at_least
    return said.lower() == rule.equals.lower()
