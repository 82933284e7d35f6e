"""Ours and another instrumentation at work in one process, and whose spans came of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from telemetry_sinks import Sinks, said

from agentvigil.instrumentations.rivals import RIVALS, Rival

ORDERS = pytest.mark.parametrize("is_first", [True, False], ids=["theirs first", "ours first"])
LITELLM_OF_OPENLLMETRY = Rival("opentelemetry.instrumentation.litellm", "LiteLLMInstrumentor")
"""It heeds what ours puts into the context, and ours what it does, so ours need not be silent."""
BESIDE = {**RIVALS, "litellm": (*RIVALS["litellm"], LITELLM_OF_OPENLLMETRY)}
_IS_CALL = {
    "gen_ai.operation.name": {"chat", "generate_content", "text_completion", "embeddings"},
    "openinference.span.kind": {"LLM", "EMBEDDING"},
    "llm.request.type": {"chat", "completion", "embedding"},
}
"""What marks spans of calls of models, in the dialects of all whom ours is tested beside."""


def pairs(*frameworks: str) -> Any:
    """Parametrize by each framework with each of the others' instrumentations of it."""
    each = [(framework, rival) for framework in frameworks for rival in BESIDE[framework]]
    return pytest.mark.parametrize(
        ("framework", "rival"), each, ids=[f"{framework}-{rival.module}" for framework, rival in each]
    )


def installed(rival: Rival) -> Any:
    """The other instrumentation; the test is skipped where this environment does not have it."""
    return getattr(pytest.importorskip(rival.module), rival.name)()


@contextmanager
def at_work(sinks: Sinks, theirs: Any, *ours: Any, is_first: bool = True) -> Iterator[None]:
    """Have all of them at work inside a ``with`` block; theirs is instrumented first, or last."""
    order = [theirs, *ours] if is_first else [*ours, theirs]
    for instrumentor in order:
        instrumentor.instrument(**sinks.providers)
    try:
        yield
    finally:
        for instrumentor in reversed(order):  # unwrapping takes the outermost wrapper, whosever it is
            if instrumentor.is_instrumented_by_opentelemetry:  # some refuse versions that are newer than they are
                instrumentor.uninstrument()


def calls(sinks: Sinks) -> list[str]:
    """Who made the spans of calls of models."""
    return [
        span.instrumentation_scope.name
        for span in sinks.spans()
        if any(said(span).get(key) in values for key, values in _IS_CALL.items())
    ]


def are_ours(scopes: list[str]) -> list[bool]:
    return [scope.startswith("agentvigil.") for scope in scopes]
