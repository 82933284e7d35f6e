"""Operations: one span each, with the metrics and events that the conventions want beside it.

An operation collects what is known of it and writes it when it ends, at most once. None of its methods raises. Where
somebody else tells of the same thing there is no span, and everything can be called as usual.
"""

import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Final

from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from opentelemetry.util.types import AttributeValue

from agentvigil.instrumentations.telemetry.attributes import attribute_value
from agentvigil.instrumentations.telemetry.content import ContentMode, content_mode, json_text, plain
from agentvigil.instrumentations.telemetry.current import Active
from agentvigil.instrumentations.telemetry.guard import guarded, report
from agentvigil.instrumentations.telemetry.instruments import NO_EXEMPLAR
from agentvigil.semconv import names
from agentvigil.semconv.enums import OperationName, TokenModality

if TYPE_CHECKING:
    from agentvigil.instrumentations.telemetry.telemetry import Telemetry

LONGEST_MESSAGE: Final = 2_048
"""Characters of what an exception says."""
_MOST_FRAMES: Final = 32


@dataclass(frozen=True, slots=True)
class Kind:
    """What operations of one sort have in common.

    ``named_by`` is the attribute that follows the operation in the span's name, ``duration`` the metric of its time and
    ``labels`` the attributes that the metric has.
    """

    operation: str
    span_kind: SpanKind
    named_by: str = ""
    duration: str = ""
    labels: tuple[str, ...] = ()

    def span_name(self, attributes: Mapping[str, AttributeValue]) -> str:
        """Return the span's name, as the conventions make it."""
        name = attributes.get(self.named_by)
        return f"{self.operation} {name}" if name else self.operation


class Operation:
    """One operation, from its start to its end."""

    def __init__(
        self,
        telemetry: "Telemetry",
        kind: Kind,
        span: Span,
        context: Context,
        attributes: dict[str, AttributeValue],
        agent: "AgentInvocation | None" = None,
    ) -> None:
        self.span = span
        self.context = context
        """A context in which the operation's span is the current one."""
        self.has_ended = False
        self.error_type = ""
        self.agent = agent
        """The agent that it is done for, as far as it is known here."""
        self._telemetry = telemetry
        self._kind = kind
        self._attributes = attributes
        self._written = frozenset(attributes)
        self._content: dict[str, object] = {}
        self._content_mode = content_mode()
        self._started_s = time.perf_counter()

    @property
    def operation(self) -> str:
        """The operation's name, a value of ``gen_ai.operation.name``."""
        return self._kind.operation

    @property
    def records_content(self) -> bool:
        """Whether prompts and answers are wanted."""
        return self._content_mode is not ContentMode.NO_CONTENT

    def active(self) -> Active:
        """Make the operation's span current inside a ``with`` block."""
        return Active(self.context)

    def running(self) -> "Running":
        """Do the same, and end the operation as failed where the block raises."""
        return Running(self)

    @guarded(otherwise=None)
    def set(self, name: str, value: object) -> None:
        """Keep an attribute; what is none (None, an SDK's "not given", an object) is left out."""
        found = attribute_value(value)
        if found is not None:
            self._attributes[name] = found

    def set_missing(self, name: str, value: object) -> None:
        """Keep an attribute of which nothing is known yet."""
        if name not in self._attributes:
            self.set(name, value)

    @guarded(otherwise=None)
    def set_all(self, attributes: Mapping[str, object]) -> None:
        """Keep several attributes."""
        for name, value in attributes.items():
            found = attribute_value(value)
            if found is not None:
                self._attributes[name] = found

    def content(self, name: str, make: Callable[[], object]) -> None:
        """Keep a prompt, an answer or another text of users, if it is wanted; ``make`` is only called then.

        ``make`` returns what JSON can say, for messages in the shape of the conventions. It is called at once, since
        the application may change its messages afterwards.
        """
        if not self.records_content:
            return
        try:
            found = plain(make())
        except Exception as exc:  # noqa: BLE001 - reads objects of the application
            report(f"{self.operation}: {name}", exc)
            return
        if found not in (None, "", [], {}):
            self._content[name] = found

    @guarded(otherwise=None)
    def fail(self, error: BaseException | str, message: str = "") -> None:
        """Mark as failed and end.

        ``error`` is what was raised, or a code of low cardinality, which ``message`` explains.
        """
        if self.has_ended:
            return
        self.mark_failed(error, message)
        self.end()

    @guarded(otherwise=None)
    def mark_failed(self, error: BaseException | str, message: str = "") -> None:
        """Mark as failed, and go on."""
        if isinstance(error, BaseException):
            self.error_type = error_type_of(error)
            message = message or text_of(error)
            if self._kind.span_kind is SpanKind.CLIENT:
                self._telemetry.exception(error, self._attributes, self.context)
        else:
            self.error_type = error
        self._attributes[names.ERROR_TYPE] = self.error_type
        self.span.set_status(Status(StatusCode.ERROR, message[:LONGEST_MESSAGE] or None))

    def end(self) -> None:
        """Write what is known and end the span. Only the first call does anything."""
        if self.has_ended:
            return
        self.has_ended = True
        try:
            self._finish()
        except Exception as exc:  # noqa: BLE001 - the span has to end
            report(f"{self.operation}: end", exc)
        finally:
            self.span.end()

    def _finish(self) -> None:
        duration_s = max(time.perf_counter() - self._started_s, 0.0)
        if self.span.is_recording():
            fresh = {name: value for name, value in self._attributes.items() if name not in self._written}
            if self._content_mode.on_spans:
                for name, value in self._content.items():
                    fresh[name] = value if isinstance(value, str) else json_text(value)
            self.span.set_attributes(fresh)
            if self._kind.named_by in fresh:
                self.span.update_name(self._kind.span_name(self._attributes))
        if self._kind.duration:
            labels = self._labels()
            self._telemetry.instruments.record(self._kind.duration, duration_s, labels, self.context)
            self._measure(labels)

    def _measure(self, labels: dict[str, AttributeValue]) -> None:
        """Record the operation's other metrics."""

    def _labels(self) -> dict[str, AttributeValue]:
        found = {name: self._attributes[name] for name in self._kind.labels if name in self._attributes}
        if self.error_type:
            found[names.ERROR_TYPE] = self.error_type
        return found


class Running:
    """The time in which an operation's code runs."""

    __slots__ = ("_active", "_operation")

    def __init__(self, operation: Operation) -> None:
        self._operation = operation
        self._active = operation.active()

    def __enter__(self) -> None:
        self._active.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._active.__exit__(kind, exc, traceback)
        if exc is not None:
            self._operation.fail(exc)


class AgentInvocation(Operation):
    """One execution of an agent. Counts what is called on its behalf."""

    inference_calls = 0
    tool_calls = 0

    def _measure(self, labels: dict[str, AttributeValue]) -> None:
        name = {key: value for key, value in labels.items() if key == names.GEN_AI_AGENT_NAME}
        for metric, calls in (
            (names.METRIC_GEN_AI_INVOKE_AGENT_INFERENCE_CALLS, self.inference_calls),
            (names.METRIC_GEN_AI_INVOKE_AGENT_TOOL_CALLS, self.tool_calls),
        ):
            self._telemetry.instruments.record(metric, calls, name, self.context)


class ToolCall(Operation):
    """One call of a tool."""

    def _finish(self) -> None:
        if self.agent is not None:
            self.agent.tool_calls += 1
        super()._finish()


_USAGE: Final[Mapping[str, str]] = {
    "input": names.GEN_AI_USAGE_INPUT_TOKENS,
    "output": names.GEN_AI_USAGE_OUTPUT_TOKENS,
    "cache_read": names.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS,
    "cache_write": names.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS,
    "reasoning": names.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS,
    "input_audio": names.GEN_AI_USAGE_AUDIO_INPUT_TOKENS,
    "output_audio": names.GEN_AI_USAGE_AUDIO_OUTPUT_TOKENS,
    "input_image": names.GEN_AI_USAGE_IMAGE_INPUT_TOKENS,
    "output_image": names.GEN_AI_USAGE_IMAGE_OUTPUT_TOKENS,
    "input_text": names.GEN_AI_USAGE_TEXT_INPUT_TOKENS,
    "output_text": names.GEN_AI_USAGE_TEXT_OUTPUT_TOKENS,
}
_COUNTED: Final[tuple[tuple[str, str, str], ...]] = (
    (
        names.GEN_AI_USAGE_INPUT_TOKENS,
        names.METRIC_GEN_AI_CLIENT_INFERENCE_USAGE_INPUT_TOKENS,
        names.METRIC_GEN_AI_CLIENT_INFERENCE_OPERATION_INPUT_TOKENS,
    ),
    (
        names.GEN_AI_USAGE_OUTPUT_TOKENS,
        names.METRIC_GEN_AI_CLIENT_INFERENCE_USAGE_OUTPUT_TOKENS,
        names.METRIC_GEN_AI_CLIENT_INFERENCE_OPERATION_OUTPUT_TOKENS,
    ),
    (
        names.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS,
        names.METRIC_GEN_AI_CLIENT_INFERENCE_USAGE_CACHE_READ_INPUT_TOKENS,
        "",
    ),
    (
        names.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS,
        names.METRIC_GEN_AI_CLIENT_INFERENCE_USAGE_CACHE_WRITE_INPUT_TOKENS,
        "",
    ),
    (
        names.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS,
        names.METRIC_GEN_AI_CLIENT_INFERENCE_USAGE_REASONING_OUTPUT_TOKENS,
        "",
    ),
)


class Inference(Operation):
    """One call of a model: a chat, a completion, embeddings."""

    _first_chunk_s: float | None = None
    _last_chunk_s = 0.0
    _chunks_seen_inside = False
    _inside: "dict[Inference, dict[str, int]] | None" = None
    """What calls inside have told that they cost: those that are nearer to the provider."""

    @guarded(otherwise=None)
    def usage(
        self,
        *,
        input: int | None = None,  # noqa: A002 - the conventions' word
        output: int | None = None,
        cache_read: int | None = None,
        cache_write: int | None = None,
        reasoning: int | None = None,
        **by_modality: int | None,
    ) -> None:
        """Keep counts of tokens; None is unknown, which is never the same as 0.

        ``input`` is all of it, with what a cache gave and took; ``output`` all of it, with reasoning. Further counts
        are parts of these: ``input_audio``, ``output_audio``, ``input_image``, ``output_image``, ``input_text`` and
        ``output_text``. A later report takes the place of an earlier one: those of streams are cumulative.

        A call without any input does not exist: 0 in and 0 out is how frameworks say that nobody has told them. Where
        calls inside have told, that is left out which is said from further away.
        """
        if self._inside is not None:
            return
        if input == 0 and not output:
            input = output = None  # noqa: A001
        counts = {
            "input": input,
            "output": output,
            "cache_read": cache_read,
            "cache_write": cache_write,
            "reasoning": reasoning,
            **by_modality,
        }
        self._keep_usage(
            {
                part: count
                for part, count in counts.items()
                if isinstance(count, int) and not isinstance(count, bool) and count >= 0
            }
        )

    @guarded(otherwise=None)
    def usage_inside(self, call: "Inference", counts: Mapping[str, int]) -> None:
        """Keep what a ``call`` inside has cost so far. There may be several: a batch, or one that is asked again."""
        if self._inside is None:
            self._inside = {}
        self._inside.setdefault(call, {}).update(counts)
        told = self._inside.values()
        self._keep_usage({part: sum(one.get(part, 0) for one in told) for part in set().union(*told)})

    def _keep_usage(self, counts: Mapping[str, int]) -> None:
        for part, count in counts.items():
            self._attributes[_USAGE[part]] = count

    @property
    def knows_usage(self) -> bool:
        """Whether anybody has said what the call cost."""
        return names.GEN_AI_USAGE_INPUT_TOKENS in self._attributes

    def chunk(self) -> None:
        """Note that a chunk of a streamed answer has come."""
        if not self._chunks_seen_inside:
            self._chunk()

    def chunk_seen_inside(self) -> None:
        """Note the same for who is nearer to the provider, and from then on for nobody else."""
        self._chunks_seen_inside = True
        self._chunk()

    @guarded(otherwise=None)
    def _chunk(self) -> None:
        now_s = time.perf_counter()
        if self._first_chunk_s is None:
            self._first_chunk_s = now_s - self._started_s
            metric, elapsed_s = names.METRIC_GEN_AI_CLIENT_INFERENCE_TIME_TO_FIRST_CHUNK, self._first_chunk_s
            self._attributes[names.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK] = elapsed_s
        else:
            metric = names.METRIC_GEN_AI_CLIENT_INFERENCE_TIME_PER_OUTPUT_CHUNK
            elapsed_s = now_s - self._last_chunk_s
        self._last_chunk_s = now_s
        self._telemetry.instruments.record(metric, max(elapsed_s, 0.0), self._labels(), self.context)

    def _finish(self) -> None:
        if self._is_embeddings:
            super()._finish()
            return
        if self.agent is not None:
            self.agent.inference_calls += 1
        super()._finish()
        if self._content_mode.on_events:
            self._telemetry.details({**self._attributes, **self._content}, self.context)

    @property
    def _is_embeddings(self) -> bool:
        return self._kind.operation == OperationName.EMBEDDINGS

    def _measure(self, labels: dict[str, AttributeValue]) -> None:
        if self._is_embeddings:
            return
        instruments = self._telemetry.instruments
        counted = labels | {names.GEN_AI_TOKEN_MODALITY: TokenModality.UNKNOWN.value}
        for attribute, counter, histogram in _COUNTED:
            count = self._attributes.get(attribute)
            if not isinstance(count, int):
                if not (self.error_type and histogram):
                    continue
                count = 0  # a failed call is counted, with nothing
            instruments.count(counter, count, counted)
            if histogram:
                instruments.record(histogram, count, labels, NO_EXEMPLAR)


class ToldElsewhere(Inference):
    """A call of a model that another span tells of: it has none of its own, and nothing is kept here."""

    @property
    def records_content(self) -> bool:
        return False

    def chunk(self) -> None:
        """Leave that to the other."""

    def mark_failed(self, error: BaseException | str, message: str = "") -> None:
        """Leave that to the other: it may try again."""

    def end(self) -> None:
        self.has_ended = True


class AddedToAnother(ToldElsewhere):
    """A call that an operation of ours tells of: what is learned here goes there, where it is missing."""

    def __init__(self, outer: Inference, context: Context) -> None:
        super().__init__(outer._telemetry, outer._kind, outer.span, context, outer._attributes)  # noqa: SLF001
        self._outer = outer
        self._known = frozenset(outer._attributes)  # noqa: SLF001

    def set(self, name: str, value: object) -> None:
        if name not in self._known:
            self._outer.set(name, value)

    def set_all(self, attributes: Mapping[str, object]) -> None:
        self._outer.set_all({name: value for name, value in attributes.items() if name not in self._known})

    def _keep_usage(self, counts: Mapping[str, int]) -> None:
        self._outer.usage_inside(self, counts)

    def chunk(self) -> None:
        self._outer.chunk_seen_inside()


def error_type_of(error: BaseException) -> str:
    """Return the exception's full name, as ``error.type`` has it: ``openai.RateLimitError``, ``ValueError``."""
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def stacktrace_of(error: BaseException) -> str:
    """Return the last frames of where it was raised, and what; without the lines of others' code in between."""
    return "".join(traceback.format_exception(type(error), error, error.__traceback__, limit=-_MOST_FRAMES))


def text_of(error: BaseException) -> str:
    """Return what an exception says; nothing where saying it fails."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - a __str__ of the application
        return ""
