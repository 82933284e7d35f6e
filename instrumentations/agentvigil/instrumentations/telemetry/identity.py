"""Whose work it is: agent, conversation and user, handed down to everything that happens inside a run."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final
from weakref import WeakSet

from opentelemetry.context import Context, create_key, get_current, set_value
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.trace import TracerProvider, get_tracer_provider

from agentvigil.instrumentations.telemetry.guard import guarded
from agentvigil.semconv import names

_KEY: Final = create_key("agentvigil.identity")


@dataclass(frozen=True, slots=True)
class Identity:
    """What is known of the run that a context is in; empty is not known."""

    agent_name: str = ""
    agent_version: str = ""
    conversation_id: str = ""
    user_id: str = ""

    def attributes(self) -> Iterator[tuple[str, str]]:
        """Yield the attributes that a span inside the run gets."""
        if self.agent_name:
            yield names.GEN_AI_AGENT_NAME, self.agent_name
        if self.agent_version:
            yield names.GEN_AI_AGENT_VERSION, self.agent_version
        if self.conversation_id:
            yield names.GEN_AI_CONVERSATION_ID, self.conversation_id
        if self.user_id:
            yield names.USER_ID, self.user_id


_installed: WeakSet[TracerProvider] = WeakSet()
_NOBODY: Final = Identity()


def identity_of(context: Context | None = None) -> Identity:
    """Return what is known in ``context``, or else in the current one."""
    found = (get_current() if context is None else context).get(_KEY)
    return found if isinstance(found, Identity) else _NOBODY


def with_identity(
    context: Context | None = None,
    *,
    agent_name: str | None = None,
    agent_version: str | None = None,
    conversation_id: str | None = None,
    user_id: str | None = None,
) -> Context:
    """Return ``context``, or else the current one, with what is given in place of what it knew.

    Another agent's version is not known from the one around it, so a name without a version forgets it.
    """
    changes: dict[str, Any] = {}
    if agent_name:
        changes |= {"agent_name": agent_name, "agent_version": agent_version or ""}
    if conversation_id:
        changes["conversation_id"] = conversation_id
    if user_id:
        changes["user_id"] = user_id
    return set_value(_KEY, replace(identity_of(context), **changes), context)


class IdentityProcessor(SpanProcessor):
    """Gives spans of other instrumentations the attributes of the run that they start in; what they say stays."""

    @guarded(otherwise=None)
    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        said = span.attributes or {}
        for name, value in identity_of(parent_context).attributes():
            if name not in said:
                span.set_attribute(name, value)

    def on_end(self, span: ReadableSpan) -> None:
        """Nothing is left to do: a span that has ended takes no attributes."""


def install_identity(provider: TracerProvider | None = None) -> None:
    """Have ``provider``, or else the global one, give the attributes to all spans; once, and if it can.

    Spans of ours carry them anyway.
    """
    provider = provider or get_tracer_provider()
    add = getattr(provider, "add_span_processor", None)
    if add is not None and provider not in _installed:
        _installed.add(provider)
        add(IdentityProcessor())
