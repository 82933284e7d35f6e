"""Making a context current and the one before current again, where frameworks hop between tasks and threads."""

import contextvars
from types import TracebackType
from typing import Any, Final

from opentelemetry import context as otel
from opentelemetry.context import Context

SUPPRESS_KEY: Final = "suppress_instrumentation"
"""Set in a context by those who want no instrumentation at all: OpenTelemetry's ``_SUPPRESS_INSTRUMENTATION_KEY``."""


def detach(token: Any) -> None:
    """Make the context current that was so before ``token`` was given out.

    Where that is impossible, since it was given out in another task or thread or is used up, nothing has to be made
    good here, and OpenTelemetry's own ``detach`` would log an error for every such call.
    """
    if not isinstance(token, contextvars.Token):
        otel.detach(token)
        return
    try:
        token.var.reset(token)
    except (ValueError, RuntimeError):
        return


class Active:
    """Makes a context current inside a ``with`` block."""

    __slots__ = ("_context", "_token")

    def __init__(self, context: Context) -> None:
        self._context = context

    def __enter__(self) -> None:
        self._token = otel.attach(self._context)

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        detach(self._token)
