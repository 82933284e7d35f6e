"""What LlamaIndex's dispatcher calls: https://developers.llamaindex.ai/python/framework/module_guides/observability

A span is entered, and left or dropped, in the task or thread of the call. Its id is ``CLASS.METHOD-UUID``.
"""

import inspect
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from opentelemetry.context import attach

from agentvigil.instrumentations.fields import pick
from agentvigil.instrumentations.going_on import GoingOn
from agentvigil.instrumentations.llama_index import models
from agentvigil.instrumentations.llama_index.operations import Operations
from agentvigil.instrumentations.llama_index.responses import take_along
from agentvigil.instrumentations.telemetry import Inference, Operation
from agentvigil.instrumentations.telemetry.current import detach
from agentvigil.instrumentations.telemetry.guard import guarded
from agentvigil.instrumentations.telemetry.nesting import announce_stream

_UUID_LENGTH: Final = 36


@dataclass(frozen=True, slots=True)
class Entered:
    """A span that was entered: the operation that it is, if it is one, and what to detach when it is left."""

    operation: Operation | None
    token: Any


class Handlers:
    """The handlers of one instrumentor: spans say what runs, events say how streams go on.

    LlamaIndex calls span handlers in one order both when a call begins and when it ends. So that contexts are left in
    the reverse of the order in which all handlers have entered them, others' too, ours are two: the first of all
    enters, and the last of all leaves.
    """

    def __init__(self, operations: Operations) -> None:
        self._entered: GoingOn[str, Entered] = GoingOn()
        self._streams: GoingOn[str, Inference] = GoingOn()
        self._entering = Entering(operations, self._entered)
        self._leaving = Leaving(operations, self._entered, self._streams)
        self._events = EventHandler(self._streams)

    def add_to(self, dispatcher: Any) -> Callable[[], None]:
        """Have a dispatcher of LlamaIndex's call them. Returns what takes them away again."""

        def come_last() -> None:
            if dispatcher.span_handlers[-1] is not self._leaving:
                others = [handler for handler in dispatcher.span_handlers if handler is not self._leaving]
                dispatcher.span_handlers = [*others, self._leaving]

        self._entering.before = come_last
        dispatcher.span_handlers = [self._entering, *dispatcher.span_handlers, self._leaving]
        dispatcher.event_handlers = [*dispatcher.event_handlers, self._events]

        def undo() -> None:
            ours = (self._entering, self._leaving, self._events)
            for name in ("span_handlers", "event_handlers"):
                setattr(dispatcher, name, [handler for handler in getattr(dispatcher, name) if handler not in ours])

        return undo

    def __len__(self) -> int:
        """So many calls and streams go on."""
        return len(self._entered) + len(self._streams)


class _Quiet:
    """A span handler that does nothing. LlamaIndex's own class is not imported before the application does so."""

    def __init__(self) -> None:
        self.open_spans: dict[str, Any] = {}
        """Spans that a dispatcher drops when it is shut down: none, since what goes on ends by itself."""

    def span_enter(self, *_: Any, **_more: Any) -> None:
        """A call begins."""

    def span_exit(self, *_: Any, **_more: Any) -> None:
        """A call returns."""

    def span_drop(self, *_: Any, **_more: Any) -> None:
        """A call raises."""

    def capture_propagation_context(self) -> dict[str, Any]:
        """Nothing has to be carried along: contexts are Python's."""
        return {}

    def restore_propagation_context(self, context: Mapping[str, Any]) -> None:
        """Nothing was carried along."""

    def close(self) -> None:
        """Nothing is held that would have to be let go."""


class Entering(_Quiet):
    """The handler that comes first when a call begins."""

    def __init__(self, operations: Operations, entered: GoingOn[str, Entered]) -> None:
        super().__init__()
        self.before: Callable[[], None] = lambda: None
        self._operations = operations
        self._entered = entered

    @guarded(otherwise=None)
    def span_enter(
        self, id_: str, bound_args: Any, instance: Any = None, parent_id: str | None = None, **_more: Any
    ) -> None:
        """A call begins."""
        self.before()
        owner, _, method = id_[: -_UUID_LENGTH - 1].rpartition(".")
        begun = self._operations.begin(owner, method, instance, bound_args, is_root=parent_id is None)
        if begun is not None:
            abandoned = self._entered.add(id_, Entered(begun.operation, attach(begun.context)))
            if abandoned is not None and abandoned.operation is not None:
                abandoned.operation.end()


class Leaving(_Quiet):
    """The handler that comes last when a call ends."""

    def __init__(
        self, operations: Operations, entered: GoingOn[str, Entered], streams: GoingOn[str, Inference]
    ) -> None:
        super().__init__()
        self._operations = operations
        self._entered = entered
        self._streams = streams

    @guarded(otherwise=None)
    def span_exit(self, id_: str, *_: Any, result: Any = None, **_more: Any) -> None:
        """A call returns: an answer, or a stream that gives the answer later."""
        operation = self._left(id_)
        if operation is None:
            return
        if isinstance(operation, Inference) and (inspect.isgenerator(result) or inspect.isasyncgen(result)):
            self._follow(id_, operation, result)
        elif not take_along(operation, result):
            self._operations.end(operation, result)

    @guarded(otherwise=None)
    def span_drop(self, id_: str, *_: Any, err: BaseException | None = None, **_more: Any) -> None:
        """A call raises."""
        operation = self._left(id_)
        if operation is None:
            return
        if err is None:
            self._operations.end(operation, None)
        else:
            self._operations.fail(operation, err)

    def _left(self, id_: str) -> Operation | None:
        entered = self._entered.pop(id_)
        if entered is None:
            return None
        detach(entered.token)
        return entered.operation

    def _follow(self, id_: str, operation: Inference, stream: Any) -> None:
        abandoned = self._streams.add(id_, operation)
        if abandoned is not None:
            abandoned.end()
        announce_stream(operation, stream)
        weakref.finalize(stream, _given_up, self._streams, id_)


class EventHandler:
    """An event handler, for what is told of streams."""

    def __init__(self, streams: GoingOn[str, Inference]) -> None:
        self._streams = streams

    @guarded(otherwise=None)
    def handle(self, event: Any, **_more: Any) -> None:
        """Something has happened in the span that the event names."""
        id_ = pick(event, "span_id")
        match type(event).__name__:
            case "LLMChatInProgressEvent" | "LLMCompletionInProgressEvent":
                operation = self._streams.get(id_)
                if operation is not None:
                    operation.chunk()
                    models.tell_piece(operation, pick(event, "response"))
            case "LLMChatEndEvent" | "LLMCompletionEndEvent":
                operation = self._streams.pop(id_)
                if operation is not None:
                    models.tell_answer(operation, pick(event, "response"))
                    operation.end()
            case "ExceptionEvent":
                operation = self._streams.pop(id_)
                if operation is not None:
                    error = pick(event, "exception")
                    if isinstance(error, GeneratorExit):
                        operation.end()
                    else:
                        operation.fail(error)

    async def ahandle(self, event: Any, **more: Any) -> None:
        """The same, for who awaits it."""
        self.handle(event, **more)


def _given_up(streams: GoingOn[str, Inference], id_: str) -> None:
    operation = streams.pop(id_)
    if operation is not None:
        operation.end()
