"""Requests of MCP, where they are sent and where they are handled.

https://github.com/open-telemetry/semantic-conventions-genai (docs/gen-ai/mcp.md)
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from opentelemetry import propagate
from opentelemetry.context import create_key, get_value, set_value
from opentelemetry.trace import Span, SpanKind, get_current_span

from agentvigil.instrumentations.fields import pick
from agentvigil.instrumentations.functions import argument
from agentvigil.instrumentations.telemetry import Operation, Telemetry
from agentvigil.instrumentations.telemetry.guard import guard, guarded
from agentvigil.instrumentations.telemetry.operation import Kind
from agentvigil.semconv import names
from agentvigil.semconv.enums import OperationName

_HANDLED: Final = create_key("agentvigil.mcp.handled")
_TOOL_ERROR: Final = "tool_error"
_LABELS: Final = (names.MCP_METHOD_NAME, names.GEN_AI_TOOL_NAME, names.GEN_AI_OPERATION_NAME)
_CLIENT: Final = Kind("", SpanKind.CLIENT, duration=names.METRIC_MCP_CLIENT_OPERATION_DURATION, labels=_LABELS)
_SERVER: Final = Kind("", SpanKind.SERVER, duration=names.METRIC_MCP_SERVER_OPERATION_DURATION, labels=_LABELS)
_SENDERS_FAULTS: Final = frozenset({-32700, -32600, -32601, -32602, -32002})
"""Codes of JSON-RPC that are no error of the server that answers them."""


class Requests:
    """Wrappers for the SDK's methods."""

    def __init__(self, telemetry: Telemetry, is_left_to_others: Callable[[], bool]) -> None:
        self._telemetry = telemetry
        self._is_left_to_others = is_left_to_others

    async def send(
        self, wrapped: Callable[..., Any], _session: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Wrap ``BaseSession.send_request``."""
        request = pick(argument(0, "request", args, kwargs), "root")
        method = pick(request, "method")
        if not isinstance(method, str) or self._is_left_to_others():
            return await wrapped(*args, **kwargs)
        around = _tool_around(method, request)
        if around is not None:
            with guard("a request of MCP"):
                around.set_attributes(_told(method, request))
                _hand_over(request)
            return await wrapped(*args, **kwargs)
        operation = self._started(_CLIENT, method, request)
        if operation is None:
            return await wrapped(*args, **kwargs)
        try:
            with operation.active():
                with guard("handing a trace over"):
                    _hand_over(request)
                result = await wrapped(*args, **kwargs)
        except BaseException as exc:
            code = pick(exc, "error", "code")
            if isinstance(code, int):
                operation.set(names.RPC_RESPONSE_STATUS_CODE, str(code))
                operation.fail(str(code), str(exc))
            else:
                operation.fail(exc)
            raise
        if pick(result, "isError") is True:
            operation.mark_failed(_TOOL_ERROR)
        operation.end()
        return result

    def handled(self, _server: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Operation | None:
        """A request that ``Server._handle_request`` handles."""
        message, request = argument(0, "message", args, kwargs), argument(1, "req", args, kwargs)
        method = pick(request, "method")
        if not isinstance(method, str) or self._is_left_to_others():
            return None
        operation = self._started(_SERVER, method, request, pick(message, "request_meta"))
        if operation is not None:
            operation.context = set_value(_HANDLED, operation, operation.context)
        return operation

    async def respond(
        self, wrapped: Callable[..., Any], _responder: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Wrap ``RequestResponder.respond``, which alone sees what a server answers."""
        with guard("an answer of MCP"):
            operation = get_value(_HANDLED)
            answer = argument(0, "response", args, kwargs)
            if isinstance(operation, Operation):
                code = pick(answer, "code")
                if isinstance(code, int) and code not in _SENDERS_FAULTS:
                    operation.mark_failed(str(code), str(pick(answer, "message") or ""))
                elif pick(answer, "root", "isError") is True:
                    operation.mark_failed(_TOOL_ERROR)
        return await wrapped(*args, **kwargs)

    @guarded(otherwise=None)
    def _started(self, kind: Kind, method: str, request: Any, meta: Any = None) -> Operation | None:
        told = _told(method, request)
        carrier = _carrier(meta)
        context = propagate.extract(carrier) if carrier else None
        name = told.get(names.GEN_AI_TOOL_NAME) or told.get(names.GEN_AI_PROMPT_NAME)
        return self._telemetry.other(
            kind, context=context, attributes=told, span_name=f"{method} {name}" if name else method
        )


def _told(method: str, request: Any) -> dict[str, Any]:
    told: dict[str, Any] = {names.MCP_METHOD_NAME: method}
    parameters = pick(request, "params")
    name, uri = pick(parameters, "name"), pick(parameters, "uri")
    if method == "tools/call":
        told |= {names.GEN_AI_OPERATION_NAME: OperationName.EXECUTE_TOOL.value, names.GEN_AI_TOOL_NAME: str(name)}
    elif method == "prompts/get":
        told[names.GEN_AI_PROMPT_NAME] = str(name)
    elif uri is not None:
        told[names.MCP_RESOURCE_URI] = str(uri)
    return told


def _tool_around(method: str, request: Any) -> Span | None:
    """Return the current span if it is that of the tool which is called."""
    span = get_current_span()
    attributes = getattr(span, "attributes", None) or {}
    is_that_tool = (
        method == "tools/call"
        and attributes.get(names.GEN_AI_OPERATION_NAME) == OperationName.EXECUTE_TOOL
        and attributes.get(names.GEN_AI_TOOL_NAME) == pick(request, "params", "name")
    )
    return span if is_that_tool else None


def _hand_over(request: Any) -> None:
    """Put the current trace into the request's ``_meta``, which the SDK's models let hold anything."""
    parameters = pick(request, "params")
    if parameters is None or not hasattr(type(parameters), "Meta"):
        return
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    if parameters.meta is None:
        parameters.meta = type(parameters).Meta()
    for key, value in carrier.items():
        setattr(parameters.meta, key, value)


def _carrier(meta: Any) -> Mapping[str, str]:
    extra = getattr(meta, "model_extra", None) or {}
    return {key: value for key, value in extra.items() if isinstance(value, str)}
