"""Which operation a span of the SDK is, and what its data says when it ends."""

from typing import Any, Final

from agentvigil.instrumentations.fields import each, pick
from agentvigil.instrumentations.openai.messages import of_chat, of_response_input
from agentvigil.instrumentations.openai.responses import ResponsesRoute, tell_usage
from agentvigil.instrumentations.rivals import rival_of
from agentvigil.instrumentations.telemetry import Inference, Operation, Telemetry
from agentvigil.semconv import names
from agentvigil.semconv.enums import OperationName, ProviderName, StepType, ToolType

_RESPONSES: Final = ResponsesRoute()


def start(telemetry: Telemetry, data: Any) -> Operation | None:
    """Start the operation that a span with ``data`` is, or return None for one that makes no span."""
    match pick(data, "type"):
        case "agent":
            return telemetry.agent(pick(data, "name"))
        case "turn":
            return telemetry.step("turn")
        case "function":
            return telemetry.tool(
                str(pick(data, "name") or "tool"), attributes={names.GEN_AI_TOOL_TYPE: ToolType.FUNCTION}
            )
        case "handoff":
            return telemetry.step("handoff", attributes={names.AGENTVIGIL_STEP_TYPE: StepType.PLAN})
        case "guardrail":
            return telemetry.step(f"guardrail {pick(data, 'name')}"[:128])
        case "mcp_tools":
            return telemetry.step("list MCP tools")
        case "custom":
            return telemetry.step(str(pick(data, "name"))[:128])
        case "generation":
            model = pick(data, "model")
            return _call(telemetry, _provider(model), model)
        case "response":
            return _call(telemetry, ProviderName.OPENAI, path="/responses")
        case _:
            return None


def finish(operation: Operation, data: Any) -> None:
    """Tell what the span's data says now that it ends."""
    match pick(data, "type"):
        case "function":
            operation.content(names.GEN_AI_TOOL_CALL_ARGUMENTS, lambda: pick(data, "input"))
            operation.content(names.GEN_AI_TOOL_CALL_RESULT, lambda: pick(data, "output"))
        case "handoff":
            agents = {"from": pick(data, "from_agent"), "to": pick(data, "to_agent")}
            operation.span.add_event("handoff", {key: str(name)[:128] for key, name in agents.items() if name})
        case "guardrail":
            if pick(data, "triggered"):
                operation.span.add_event("guardrail triggered")
        case "generation" if isinstance(operation, Inference):
            _generation(operation, data)
        case "response" if isinstance(operation, Inference):
            response = pick(data, "response")
            if response is not None:
                _RESPONSES.answered(operation, response)
                operation.content(
                    names.GEN_AI_INPUT_MESSAGES, lambda: of_response_input({"input": pick(data, "input")})
                )


def _call(telemetry: Telemetry, provider: str, model: Any = None, *, path: str = "") -> Operation | None:
    if provider == ProviderName.OPENAI and rival_of("openai", path) is not None:
        return None  # somebody else's span of the SDK's call tells of it
    return telemetry.inference(OperationName.CHAT, provider, model)


def _generation(operation: Inference, data: Any) -> None:
    if not operation.knows_usage:
        tell_usage(operation, pick(data, "usage"))
    operation.set_missing(names.GEN_AI_REQUEST_TEMPERATURE, pick(data, "model_config", "temperature"))
    operation.set_missing(names.GEN_AI_REQUEST_MAX_TOKENS, pick(data, "model_config", "max_tokens"))
    operation.content(names.GEN_AI_INPUT_MESSAGES, lambda: of_chat(each(data, "input")))
    operation.content(names.GEN_AI_OUTPUT_MESSAGES, lambda: of_chat(each(data, "output")))


def _provider(model: Any) -> str:
    prefix, slash, _ = str(model or "").removeprefix("litellm/").partition("/")
    return prefix if slash else ProviderName.OPENAI
