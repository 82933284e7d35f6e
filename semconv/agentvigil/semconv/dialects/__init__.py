"""The dialects that AI libraries write their spans in, as data: how each is recognised and what its keys mean.

The data stands in ``data/*.toml``, one file per dialect and ``common.toml`` for what they share. The store compiles it
into SQL; ``agentvigil.semconv.reference`` reads it slowly and plainly, and is what the SQL is tested against.
"""

from agentvigil.semconv.dialects.errors import BadDialect
from agentvigil.semconv.dialects.loading import load
from agentvigil.semconv.dialects.model import Dialect, Registry, Rule

__all__ = ["BadDialect", "Dialect", "Registry", "Rule", "load"]
