"""The SDK's spans, as they start and end.

Both are told in the task or thread that the span is in, so that its context can be made current in between.
"""

import sys
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from opentelemetry import context as otel

from agentvigil.instrumentations.fields import pick
from agentvigil.instrumentations.openai_agents.spans import finish, start
from agentvigil.instrumentations.telemetry import Operation, Telemetry
from agentvigil.instrumentations.telemetry.current import detach
from agentvigil.instrumentations.telemetry.guard import guarded

_MOST_OPEN: Final = 10_000
"""So many spans may be open at once. Of more, the oldest are taken for abandoned."""


@dataclass(frozen=True, slots=True)
class _Open:
    operation: Operation
    token: Any
    handled: BaseException | None
    """What was being handled already when the span began, and is none of its business."""


class Processor:
    """Implements the SDK's ``TracingProcessor``."""

    def __init__(self, telemetry: Telemetry, is_left_to_others: Callable[[], bool]) -> None:
        self._telemetry = telemetry
        self._is_left_to_others = is_left_to_others
        self._open: OrderedDict[str, _Open] = OrderedDict()
        self._lock = threading.Lock()
        self._is_stopped = False

    def __len__(self) -> int:
        return len(self._open)

    @guarded(otherwise=None)
    def on_trace_start(self, trace: Any) -> None:
        if self._is_wanted():
            name, group = pick(trace, "name"), pick(trace, "group_id")
            self._opened(trace.trace_id, self._telemetry.workflow(name, conversation_id=group))

    @guarded(otherwise=None)
    def on_trace_end(self, trace: Any) -> None:
        opened = self._closed(trace.trace_id)
        if opened is not None:
            self._end(opened, None)

    @guarded(otherwise=None)
    def on_span_start(self, span: Any) -> None:
        if self._is_wanted():
            operation = start(self._telemetry, span.span_data)
            if operation is not None:
                self._opened(span.span_id, operation)

    @guarded(otherwise=None)
    def on_span_end(self, span: Any) -> None:
        opened = self._closed(span.span_id)
        if opened is not None:
            finish(opened.operation, span.span_data)
            self._end(opened, span.error)

    def shutdown(self) -> None:
        """End what is still open: the program ends."""
        while self._open:
            self._open.popitem()[1].operation.end()

    def force_flush(self) -> None:
        """Nothing waits here."""

    def stop(self) -> None:
        """Begin no further spans; the SDK has no way to take a processor back."""
        self._is_stopped = True

    def _is_wanted(self) -> bool:
        return not self._is_stopped and not self._is_left_to_others()

    def _opened(self, key: str, operation: Operation) -> None:
        opened = _Open(operation, otel.attach(operation.context), sys.exc_info()[1])
        with self._lock:
            self._open[key] = opened
            abandoned = self._open.popitem(last=False)[1] if len(self._open) > _MOST_OPEN else None
        if abandoned is not None:
            abandoned.operation.end()

    def _closed(self, key: str) -> _Open | None:
        with self._lock:
            opened = self._open.pop(key, None)
        if opened is not None:
            detach(opened.token)
        return opened

    def _end(self, opened: _Open, error: Any) -> None:
        # Spans end in ``with`` blocks, which an exception that is on its way leaves as the one that is handled now.
        raised = sys.exc_info()[1]
        if raised is not None and raised is not opened.handled and not isinstance(raised, GeneratorExit):
            opened.operation.mark_failed(raised)
        elif error:
            opened.operation.mark_failed("tool_error" if opened.operation.operation == "execute_tool" else "error")
        opened.operation.end()
