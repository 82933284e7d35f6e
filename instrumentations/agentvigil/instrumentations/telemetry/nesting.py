"""One call of a model is one span, whoever sees it: a framework, an SDK, a gateway, ours or others.

Before a call gets a span, these are asked, in this order:

1. the context forbids instrumentation, or that of models: OpenTelemetry's key and OpenLLMetry's;
2. a call of ours is around it: what is learned inside is added to that one (`Told.adds_to`);
3. a framework whose callbacks cannot make a context current has announced its call (:func:`announce`), or the call is
   made while a generator runs that a framework has answered with (:func:`announce_stream`);
4. a call of an instrumentation built on ``opentelemetry-util-genai`` is around it, by the key it keeps in the context;
5. the current span says that it is a call of a model, in any dialect that can be known by one attribute.

The other way round, a context inside a call of ours carries 1 and 4, so that others do the same.
"""

import sys
import weakref
from collections.abc import AsyncGenerator, Generator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING, Any, Final, cast

from opentelemetry.context import Context, create_key
from opentelemetry.trace import get_current_span

from agentvigil.instrumentations.telemetry.current import SUPPRESS_KEY
from agentvigil.semconv import names
from agentvigil.semconv.enums import OperationName

if TYPE_CHECKING:
    from agentvigil.instrumentations.telemetry.operation import Operation

_OPENLLMETRY_KEY: Final = "suppress_language_model_instrumentation"
_OURS: Final = create_key("agentvigil.call")
_UTIL_MODULE: Final = "opentelemetry.util.genai.invocation"

_MARKS: Final[Mapping[str, Mapping[object, bool]]] = {
    names.GEN_AI_OPERATION_NAME: {
        OperationName.CHAT.value: False,
        OperationName.GENERATE_CONTENT.value: False,
        OperationName.TEXT_COMPLETION.value: False,
        OperationName.EMBEDDINGS.value: True,
    },
    "openinference.span.kind": {"LLM": False, "EMBEDDING": True},
    "llm.request.type": {"chat": False, "completion": False, "embedding": True},
    "langfuse.observation.type": {"generation": False, "embedding": True},
}
"""What marks spans of calls of models, and which of these are embeddings: the conventions', OpenInference's,
OpenLLMetry's, Langfuse's."""

_streams: "weakref.WeakKeyDictionary[Generator[Any] | AsyncGenerator[Any], weakref.ref[Operation]]" = (
    weakref.WeakKeyDictionary()
)
_KEPT_BY_OPENINFERENCE: Final = "_self_important_attributes"
"""Where OpenInference's spans keep their kind until they end."""

_announced: ContextVar["weakref.ref[Operation] | None"] = ContextVar("agentvigil_announced", default=None)


@dataclass(frozen=True, slots=True)
class Told:
    """Somebody else tells of this call: an operation of ours to add to, or None for a foreign one.

    ``context`` is the one that the call runs in.
    """

    context: Context
    adds_to: "Operation | None" = None


def told_by(context: Context, operation: str) -> Told | None:
    """Return who tells of a call of a model that begins in ``context``, or None if nobody does yet.

    What a span or operation that has ended has left in the context counts for nothing: not all that is made current in
    frameworks is taken back.
    """
    if context.get(SUPPRESS_KEY):
        return Told(context)
    ours, span = cast("Operation | None", context.get(_OURS)), get_current_span(context)
    if ours is None and context.get(_OPENLLMETRY_KEY) and not _has_ended(span):
        return Told(context)
    if ours is not None and not ours.has_ended and _are_alike(ours.operation, operation):
        return Told(context, ours)
    announced = _claim(operation) or _streamed(operation)
    if announced is not None:
        return Told(announced.context, announced)
    if (ours is None or not ours.has_ended) and _is_in_call_of_util(context, operation):
        return Told(context)
    return Told(context) if not _has_ended(span) and _says_call(span, operation) else None


def _has_ended(span: object) -> bool:
    return getattr(span, "end_time", None) is not None


def _says_call(span: object, operation: str) -> bool:
    attributes = getattr(span, "attributes", None) or {}
    kept = getattr(span, _KEPT_BY_OPENINFERENCE, None) or {}
    is_embedding = operation == OperationName.EMBEDDINGS
    return any(values.get(attributes.get(key, kept.get(key))) is is_embedding for key, values in _MARKS.items())


def inside(context: Context, operation: "Operation") -> Context:
    """Return ``context`` as it is inside ``operation``, a call of a model."""
    marks: dict[str, object] = {_OURS: operation, _OPENLLMETRY_KEY: True}
    util = _util_marks(operation.operation)
    if util is not None:
        key, data = util
        marks[key] = data()
    return Context({**context, **marks})


def announce(operation: "Operation") -> None:
    """Say that the next call of a model in this task or thread is part of ``operation``, while that goes on."""
    _announced.set(weakref.ref(operation))


def _claim(operation: str) -> "Operation | None":
    reference = _announced.get()
    announced = reference() if reference is not None else None
    if announced is None or announced.has_ended or not _are_alike(announced.operation, operation):
        return None
    _announced.set(None)
    return announced


def announce_stream(operation: "Operation", stream: Generator[Any] | AsyncGenerator[Any]) -> None:
    """Say that calls of models which ``stream`` makes when somebody reads it are part of ``operation``.

    It is read in whatever task or thread the reader likes, so no context tells; the stack does.
    """
    _streams[stream] = weakref.ref(operation)


def _streamed(operation: str) -> "Operation | None":
    if not _streams:
        return None
    open_streams: dict[int, Operation] = {}
    for stream, reference in list(_streams.items()):
        around = reference()
        if around is not None and not around.has_ended and _are_alike(around.operation, operation):
            open_streams[id(_frame_of(stream))] = around
    if not open_streams:
        return None
    frame: FrameType | None = sys._getframe()  # noqa: SLF001 - inspect has the same by another name
    while frame is not None:
        if id(frame) in open_streams:
            return open_streams[id(frame)]
        frame = frame.f_back
    return None


def _frame_of(stream: Generator[Any] | AsyncGenerator[Any]) -> FrameType | None:
    frame: FrameType | None = getattr(stream, "gi_frame", None) or getattr(stream, "ag_frame", None)
    return frame


def _are_alike(one: str, other: str) -> bool:
    return (one == OperationName.EMBEDDINGS) == (other == OperationName.EMBEDDINGS)


def _is_in_call_of_util(context: Context, operation: str) -> bool:
    util = _util_marks(operation)
    if util is None:
        return False
    key, data = util
    return isinstance(context.get(key), data)


def _util_marks(operation: str) -> tuple[str, type[Any]] | None:
    """Return the key that it keeps such a call by, and the class of what it keeps. Before 1.3 it keeps nothing."""
    util = sys.modules.get(_UTIL_MODULE)
    is_embedding = operation == OperationName.EMBEDDINGS
    key = getattr(util, "CLIENT_EMBEDDING_CONTEXT_KEY" if is_embedding else "CLIENT_INFERENCE_CONTEXT_KEY", None)
    data = getattr(util, "EmbeddingData" if is_embedding else "InferenceData", None)
    return None if key is None or data is None else (key, data)
