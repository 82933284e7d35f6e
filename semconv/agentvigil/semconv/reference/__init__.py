"""Normalising in Python: slow, plain and obviously right. What the SQL of the typed columns is tested against.

No span is normalised here on its way into the store; ClickHouse does that from the same data.
"""

from agentvigil.semconv.reference.normalizer import normalize
from agentvigil.semconv.reference.span import Normalized, Span, SpanEvent, TokenReading

__all__ = ["Normalized", "Span", "SpanEvent", "TokenReading", "normalize"]
