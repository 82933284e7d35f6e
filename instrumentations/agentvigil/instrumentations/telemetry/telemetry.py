"""Where operations come from: one instrumentation's tracer, meter and logger."""

import inspect
from collections.abc import Mapping
from typing import Any, Final, TypeVar, cast

from opentelemetry import context as otel
from opentelemetry._logs import LoggerProvider, LogRecord, SeverityNumber, get_logger
from opentelemetry.context import Context, create_key, set_value
from opentelemetry.metrics import MeterProvider, get_meter
from opentelemetry.trace import INVALID_SPAN, Span, SpanKind, TracerProvider, get_tracer, set_span_in_context
from opentelemetry.util.types import AttributeValue

from agentvigil.instrumentations.telemetry.attributes import attribute_value
from agentvigil.instrumentations.telemetry.content import plain
from agentvigil.instrumentations.telemetry.current import SUPPRESS_KEY
from agentvigil.instrumentations.telemetry.guard import guard, guarded
from agentvigil.instrumentations.telemetry.identity import identity_of, with_identity
from agentvigil.instrumentations.telemetry.instruments import Instruments
from agentvigil.instrumentations.telemetry.nesting import inside, told_by
from agentvigil.instrumentations.telemetry.operation import (
    LONGEST_MESSAGE,
    AddedToAnother,
    AgentInvocation,
    Inference,
    Kind,
    Operation,
    ToldElsewhere,
    ToolCall,
    error_type_of,
    stacktrace_of,
    text_of,
)
from agentvigil.semconv import SCHEMA_URL, __version__, names
from agentvigil.semconv.enums import OperationName

_O = TypeVar("_O", bound=Operation)

HAS_EVENTS: Final = {"event_name", "context"} <= inspect.signature(LogRecord.__init__).parameters.keys()
"""Versions of OpenTelemetry from before mid-2025, which some frameworks insist on, know no such log records. With them
there are spans and metrics, and no events."""
_AGENT_KEY: Final = create_key("agentvigil.agent")

_CALL_LABELS: Final = (
    names.GEN_AI_OPERATION_NAME,
    names.GEN_AI_PROVIDER_NAME,
    names.GEN_AI_REQUEST_MODEL,
    names.GEN_AI_RESPONSE_MODEL,
    names.SERVER_ADDRESS,
    names.SERVER_PORT,
)


def _call(operation: OperationName, duration: str) -> Kind:
    return Kind(operation.value, SpanKind.CLIENT, names.GEN_AI_REQUEST_MODEL, duration, _CALL_LABELS)


_INFERENCES: Final[Mapping[str, Kind]] = {
    operation.value: _call(operation, names.METRIC_GEN_AI_CLIENT_INFERENCE_DURATION)
    for operation in (OperationName.CHAT, OperationName.GENERATE_CONTENT, OperationName.TEXT_COMPLETION)
} | {OperationName.EMBEDDINGS.value: _call(OperationName.EMBEDDINGS, names.METRIC_GEN_AI_CLIENT_OPERATION_DURATION)}
_TOOL: Final = Kind(
    OperationName.EXECUTE_TOOL.value,
    SpanKind.INTERNAL,
    names.GEN_AI_TOOL_NAME,
    names.METRIC_GEN_AI_EXECUTE_TOOL_DURATION,
    (names.GEN_AI_TOOL_NAME, names.GEN_AI_TOOL_TYPE, names.GEN_AI_AGENT_NAME),
)
_AGENT: Final = Kind(
    OperationName.INVOKE_AGENT.value,
    SpanKind.INTERNAL,
    names.GEN_AI_AGENT_NAME,
    names.METRIC_GEN_AI_INVOKE_AGENT_DURATION,
    (names.GEN_AI_AGENT_NAME, names.GEN_AI_REQUEST_MODEL),
)
_WORKFLOW: Final = Kind(
    OperationName.INVOKE_WORKFLOW.value,
    SpanKind.INTERNAL,
    names.GEN_AI_WORKFLOW_NAME,
    names.METRIC_GEN_AI_INVOKE_WORKFLOW_DURATION,
    (names.GEN_AI_WORKFLOW_NAME,),
)
_RETRIEVAL: Final = Kind(
    OperationName.RETRIEVAL.value,
    SpanKind.CLIENT,
    names.GEN_AI_DATA_SOURCE_ID,
    names.METRIC_GEN_AI_CLIENT_OPERATION_DURATION,
    (*_CALL_LABELS, names.GEN_AI_DATA_SOURCE_ID),
)
_STEP: Final = Kind("", SpanKind.INTERNAL)


class Telemetry:
    """Starts the operations of one instrumentation.

    ``scope`` is the instrumentation's dotted name, which its spans, metrics and events carry. Providers that are not
    given are the global ones, whenever these are set.
    """

    def __init__(
        self,
        scope: str,
        *,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
        logger_provider: LoggerProvider | None = None,
    ) -> None:
        self.tracer_provider = tracer_provider
        self.meter_provider = meter_provider
        self._tracer = get_tracer(scope, __version__, tracer_provider, schema_url=SCHEMA_URL)
        self._logger = get_logger(scope, __version__, logger_provider, schema_url=SCHEMA_URL)
        self.instruments = Instruments(get_meter(scope, __version__, meter_provider, schema_url=SCHEMA_URL))

    def inference(
        self,
        operation: OperationName,
        provider: str,
        model: object = None,
        *,
        context: Context | None = None,
        attributes: Mapping[str, object] | None = None,
    ) -> Inference:
        """Start a call of a model: ``CHAT``, ``GENERATE_CONTENT``, ``TEXT_COMPLETION`` or ``EMBEDDINGS``.

        ``context`` is the parent's, if it is not the current one.
        """
        around = otel.get_current() if context is None else context
        kind = _INFERENCES[operation]
        told = told_by(around, operation)
        if told is not None and isinstance(told.adds_to, Inference):
            added = AddedToAnother(told.adds_to, told.context)
            added.context = inside(told.context, added)
            added.set_all({names.GEN_AI_REQUEST_MODEL: model, **(attributes or {})})
            return added
        if told is not None:
            return ToldElsewhere(self, kind, INVALID_SPAN, told.context, {})
        return self._start(
            Inference,
            kind,
            {names.GEN_AI_PROVIDER_NAME: provider, names.GEN_AI_REQUEST_MODEL: model, **(attributes or {})},
            around,
        )

    def told_by_others(self, operation: OperationName, *, context: Context) -> Inference:
        """Start a call of a model that somebody else's span tells of, without being current: calls inside make none."""
        started = ToldElsewhere(self, _INFERENCES[operation], INVALID_SPAN, context, {})
        started.context = inside(context, started)
        return started

    def tool(
        self, name: str, *, context: Context | None = None, attributes: Mapping[str, object] | None = None
    ) -> Operation:
        """Start a call of a tool."""
        return self._start(ToolCall, _TOOL, {names.GEN_AI_TOOL_NAME: name, **(attributes or {})}, context)

    def agent(
        self,
        name: str | None = None,
        *,
        version: str | None = None,
        conversation_id: str | None = None,
        user_id: str | None = None,
        context: Context | None = None,
        attributes: Mapping[str, object] | None = None,
    ) -> AgentInvocation:
        """Start an execution of an agent in this process: a model decides what happens in it.

        What is said of it is known to all that happens inside.
        """
        context = with_identity(
            context, agent_name=name, agent_version=version, conversation_id=conversation_id, user_id=user_id
        )
        said = {names.GEN_AI_AGENT_NAME: name, names.GEN_AI_AGENT_VERSION: version, **(attributes or {})}
        started = self._start(AgentInvocation, _AGENT, said, context)
        started.context = set_value(_AGENT_KEY, started, started.context)
        return started

    def workflow(
        self,
        name: str | None = None,
        *,
        conversation_id: str | None = None,
        user_id: str | None = None,
        context: Context | None = None,
        attributes: Mapping[str, object] | None = None,
    ) -> Operation:
        """Start a workflow: the application's code decides what happens in it."""
        context = with_identity(context, conversation_id=conversation_id, user_id=user_id)
        return self._start(Operation, _WORKFLOW, {names.GEN_AI_WORKFLOW_NAME: name, **(attributes or {})}, context)

    def retrieval(
        self,
        data_source_id: str | None = None,
        *,
        context: Context | None = None,
        attributes: Mapping[str, object] | None = None,
    ) -> Operation:
        """Start a search in a store of documents."""
        return self._start(
            Operation, _RETRIEVAL, {names.GEN_AI_DATA_SOURCE_ID: data_source_id, **(attributes or {})}, context
        )

    def step(
        self, name: str, *, context: Context | None = None, attributes: Mapping[str, object] | None = None
    ) -> Operation:
        """Start a step that has no operation of its own, such as a node of a graph; named the same in every run."""
        said = {names.AGENTVIGIL_IS_STEP: True, names.AGENTVIGIL_STEP_NAME: name, **(attributes or {})}
        return self._start(Operation, _STEP, said, context, span_name=name)

    def other(
        self,
        kind: Kind,
        *,
        context: Context | None = None,
        attributes: Mapping[str, object] | None = None,
        span_name: str = "",
    ) -> Operation:
        """Start an operation of a ``kind`` that only one instrumentation knows, such as a request of MCP."""
        return self._start(Operation, kind, attributes or {}, context, span_name=span_name)

    @guarded(otherwise=None)
    def exception(self, error: BaseException, attributes: Mapping[str, AttributeValue], context: Context) -> None:
        """Emit the event about an exception."""
        self._emit(
            names.EVENT_GEN_AI_CLIENT_OPERATION_EXCEPTION,
            SeverityNumber.WARN,
            {
                **{name: attributes[name] for name in _CALL_LABELS if name in attributes},
                names.EXCEPTION_TYPE: error_type_of(error),
                names.EXCEPTION_MESSAGE: text_of(error)[:LONGEST_MESSAGE],
                names.EXCEPTION_STACKTRACE: stacktrace_of(error),
            },
            context,
        )

    @guarded(otherwise=None)
    def details(self, attributes: Mapping[str, object], context: Context) -> None:
        """Emit the event with all that is known of a call of a model, content in its own structure."""
        self._emit(
            names.EVENT_GEN_AI_CLIENT_INFERENCE_OPERATION_DETAILS,
            SeverityNumber.DEBUG,
            plain(dict(attributes)),
            context,
        )

    @guarded(otherwise=None)
    def event(self, name: str, attributes: Mapping[str, object], context: Context | None = None) -> None:
        """Emit an event of the conventions."""
        self._emit(name, SeverityNumber.INFO, plain(dict(attributes)), context or otel.get_current())

    def _emit(self, name: str, severity: SeverityNumber, attributes: Any, context: Context) -> None:
        if HAS_EVENTS:
            self._logger.emit(
                LogRecord(event_name=name, severity_number=severity, attributes=attributes, context=context)
            )

    def _start(
        self,
        make: type[_O],
        kind: Kind,
        said: Mapping[str, object],
        context: Context | None,
        span_name: str = "",
    ) -> _O:
        around = otel.get_current() if context is None else context
        attributes: dict[str, AttributeValue] = {}
        if kind.operation:
            attributes[names.GEN_AI_OPERATION_NAME] = kind.operation
        for name, value in said.items():
            found = attribute_value(value)
            if found is not None:
                attributes[name] = found
        for name, value in identity_of(around).attributes():
            attributes.setdefault(name, value)
        agent = cast("AgentInvocation | None", around.get(_AGENT_KEY))
        span: Span = INVALID_SPAN
        if not around.get(SUPPRESS_KEY):
            with guard("start of a span"):
                span = self._tracer.start_span(
                    span_name or kind.span_name(attributes), around, kind.span_kind, attributes
                )
        if span is INVALID_SPAN:
            return make(self, kind, span, around, attributes, agent)
        started = make(self, kind, span, set_span_in_context(span, around), attributes, agent)
        if make is Inference:
            started.context = inside(started.context, started)
        return started
