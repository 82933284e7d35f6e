"""What LlamaIndex's dispatcher calls: https://developers.llamaindex.ai/python/framework/module_guides/observability

A span is entered, and left or dropped, in the task or thread of the call. Its id is ``CLASS.METHOD-UUID``.
"""

import inspect
import weakref
from collections.abc import Mapping
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
    """The two handlers of one instrumentor: spans say what runs, events say how streams go on."""

    def __init__(self, operations: Operations) -> None:
        streams: GoingOn[str, Inference] = GoingOn()
        self._streams = streams
        self.of_spans = SpanHandler(operations, streams)
        self.of_events = EventHandler(streams)

    def __len__(self) -> int:
        """So many calls and streams go on."""
        return len(self.of_spans) + len(self._streams)


class SpanHandler:
    """A span handler. Not of LlamaIndex's class, which is not imported before the application does so."""

    def __init__(self, operations: Operations, streams: GoingOn[str, Inference]) -> None:
        self._operations = operations
        self._entered: GoingOn[str, Entered] = GoingOn()
        self._streams = streams
        self.open_spans: dict[str, Any] = {}
        """Spans that a dispatcher drops when it is shut down: none, since what goes on ends by itself."""

    @guarded(otherwise=None)
    def span_enter(
        self, id_: str, bound_args: Any, instance: Any = None, parent_id: str | None = None, **_more: Any
    ) -> None:
        """A call begins."""
        owner, _, method = id_[: -_UUID_LENGTH - 1].rpartition(".")
        begun = self._operations.begin(owner, method, instance, _arguments(bound_args), is_root=parent_id is None)
        if begun is not None:
            abandoned = self._entered.add(id_, Entered(begun.operation, attach(begun.context)))
            if abandoned is not None and abandoned.operation is not None:
                abandoned.operation.end()

    @guarded(otherwise=None)
    def span_exit(self, id_: str, bound_args: Any = None, instance: Any = None, result: Any = None, **_: Any) -> None:  # noqa: ARG002
        """A call returns: an answer, or a stream that gives the answer later."""
        entered = self._entered.pop(id_)
        if entered is None:
            return
        detach(entered.token)
        operation = entered.operation
        if operation is None:
            return
        if isinstance(operation, Inference) and (inspect.isgenerator(result) or inspect.isasyncgen(result)):
            self._follow(id_, operation, result)
        elif not take_along(operation, result):
            self._operations.end(operation, result)

    @guarded(otherwise=None)
    def span_drop(
        self,
        id_: str,
        bound_args: Any = None,  # noqa: ARG002
        instance: Any = None,  # noqa: ARG002
        err: BaseException | None = None,
        **_more: Any,
    ) -> None:
        """A call raises."""
        entered = self._entered.pop(id_)
        if entered is None:
            return
        detach(entered.token)
        if entered.operation is None:
            return
        if err is None:
            self._operations.end(entered.operation, None)
        else:
            self._operations.fail(entered.operation, err)

    def capture_propagation_context(self) -> dict[str, Any]:
        """Nothing has to be carried along: contexts are Python's."""
        return {}

    def restore_propagation_context(self, context: Mapping[str, Any]) -> None:
        """Nothing was carried along."""

    def close(self) -> None:
        """Nothing is held that would have to be let go."""

    def __len__(self) -> int:
        """So many calls go on."""
        return len(self._entered)

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


def _arguments(bound: Any) -> Mapping[str, Any]:
    """Return arguments by name, with what a function takes as ``**kwargs`` beside the others."""
    named: dict[str, Any] = dict(bound.arguments)
    for name, parameter in bound.signature.parameters.items():
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            named |= named.pop(name, {})
    return named
