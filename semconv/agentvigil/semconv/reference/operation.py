"""What a span does, and what its usage means."""

from collections.abc import Iterable, Mapping

from agentvigil.semconv.attributes import GEN_AI_OPERATION_NAME
from agentvigil.semconv.dialects.model import CONVENTIONS, STEP, Billing, OperationRule, Registry, SpanNameRule
from agentvigil.semconv.reference.span import Span, Value
from agentvigil.semconv.reference.values import mapped, text

STEP_ATTRIBUTE = "agentvigil.is_step"


def operation_of(span: Span, dialect_id: str, registry: Registry) -> str:
    """The operation, ``STEP``, or empty."""
    ordered = [dialect for dialect in registry.in_order() if dialect.id != dialect_id]
    own = registry.dialects.get(dialect_id)
    dialects = [own, *ordered] if own else ordered
    own_names = own.span_names if own else ()
    answers = (
        STEP if text(span.attributes.get(STEP_ATTRIBUTE)) == "true" else None,
        _by_name(span.name, [rule for rule in own_names if rule.first]),
        _by_kind(span, registry.dialects[CONVENTIONS].operations),
        _by_kind(span, [rule for rule in (own.operations if own else ()) if rule.outranks_standard]),
        _standard(span.attributes, registry),
        _by_kind(span, [rule for dialect in dialects for rule in dialect.operations]),
        _by_name(span.name, own_names),
        _by_name(span.name, [rule for dialect in ordered for rule in dialect.span_names if rule.shared]),
    )
    return next((answer for answer in answers if answer is not None), "")


def billing_of(operation: str, has_usage: bool, registry: Registry) -> Billing:
    """What usage on a span of ``operation`` means. Usage on a span that does nothing known is undecided."""
    return registry.operations.get(operation, "undecided" if has_usage else "none")


def _standard(attributes: Mapping[str, Value], registry: Registry) -> str | None:
    said = mapped(text(attributes.get(GEN_AI_OPERATION_NAME)), registry.values[GEN_AI_OPERATION_NAME])
    return text(said) or None


def _by_kind(span: Span, rules: Iterable[OperationRule]) -> str | None:
    for rule in rules:
        # MLflow writes every attribute as JSON, so a word may come in quotes.
        value = text(span.attributes.get(rule.source)).strip('"').lower()
        if value not in rule.values or not _applies(rule, span.attributes):
            continue
        return rule.roots.get(value, rule.values[value]) if not span.parent_span_id else rule.values[value]
    return None


def _applies(rule: OperationRule, attributes: Mapping[str, Value]) -> bool:
    has = not rule.has or rule.has in attributes
    lacks = not rule.lacks or not any(key.startswith(rule.lacks) for key in attributes)
    return has and lacks


def _by_name(name: str, rules: Iterable[SpanNameRule]) -> str | None:
    fitting = [rule for rule in rules if (name.startswith(rule.text) if rule.is_prefix else name == rule.text)]
    return max(fitting, key=lambda rule: (not rule.is_prefix, len(rule.text))).operation if fitting else None
