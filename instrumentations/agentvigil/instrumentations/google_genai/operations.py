"""What a request to Google's models asks for and what is answered: https://ai.google.dev/api/generate-content"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from agentvigil.instrumentations.fields import each, pick
from agentvigil.instrumentations.functions import argument
from agentvigil.instrumentations.messages import (
    Message,
    Part,
    other,
    reasoning,
    text,
    text_message,
    tool_call,
    tool_response,
)
from agentvigil.instrumentations.telemetry import Inference, Operation, Telemetry
from agentvigil.semconv import names
from agentvigil.semconv.enums import FinishReason, OperationName, OutputType, ProviderName, ToolType
from agentvigil.semconv.words import finish_reasons

_MODALITIES: Final[Mapping[str, str]] = {"AUDIO": "audio", "IMAGE": "image", "TEXT": "text"}


class Operations:
    """Starts and finishes operations for the methods that are wrapped."""

    def __init__(self, telemetry: Telemetry, is_left_to_others: Callable[[str], bool]) -> None:
        self._telemetry = telemetry
        self._is_left_to_others = is_left_to_others

    def content(self, models: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Inference | None:
        """A request for content."""
        if self._is_left_to_others("generate_content"):
            return None
        config = argument(2, "config", args, kwargs)
        operation = self._inference(OperationName.GENERATE_CONTENT, models, argument(0, "model", args, kwargs))
        is_json = pick(config, "response_mime_type") == "application/json"
        operation.set_all(
            {
                names.GEN_AI_REQUEST_MAX_TOKENS: pick(config, "max_output_tokens"),
                names.GEN_AI_REQUEST_TEMPERATURE: pick(config, "temperature"),
                names.GEN_AI_REQUEST_TOP_P: pick(config, "top_p"),
                names.GEN_AI_REQUEST_TOP_K: _whole(pick(config, "top_k")),
                names.GEN_AI_REQUEST_SEED: pick(config, "seed"),
                names.GEN_AI_REQUEST_STOP_SEQUENCES: pick(config, "stop_sequences"),
                names.GEN_AI_REQUEST_FREQUENCY_PENALTY: pick(config, "frequency_penalty"),
                names.GEN_AI_REQUEST_PRESENCE_PENALTY: pick(config, "presence_penalty"),
                names.GEN_AI_REQUEST_REASONING_LEVEL: pick(config, "thinking_config", "thinking_level"),
                names.GEN_AI_OUTPUT_TYPE: OutputType.JSON if is_json else None,
            }
        )
        operation.content(names.GEN_AI_INPUT_MESSAGES, lambda: messages_of(argument(1, "contents", args, kwargs)))
        operation.content(names.GEN_AI_SYSTEM_INSTRUCTIONS, lambda: _system(pick(config, "system_instruction")))
        return operation

    def answered(self, operation: Any, answer: Any) -> None:
        """An answer that came as a whole."""
        reader = ContentReader(operation)
        reader.item(answer)
        reader.end()

    def embedding(self, models: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Inference | None:
        """A request for embeddings."""
        if self._is_left_to_others("embed_content"):
            return None
        operation = self._inference(OperationName.EMBEDDINGS, models, argument(0, "model", args, kwargs))
        dimensions = pick(argument(2, "config", args, kwargs), "output_dimensionality")
        operation.set(names.GEN_AI_EMBEDDINGS_DIMENSION_COUNT, dimensions)
        return operation

    def embedded(self, operation: Any, answer: Any) -> None:
        """Embeddings; only Vertex AI says how many tokens they are of."""
        counts = [_whole(pick(one, "statistics", "token_count")) for one in each(answer, "embeddings")]
        known = [count for count in counts if count is not None]
        if known:
            operation.usage(input=sum(known))

    def tool(self, _none: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Operation | None:
        """A function of the application that the SDK calls for the model."""
        if self._is_left_to_others(""):
            return None
        function = args[1] if len(args) > 1 else next((value for value in kwargs.values() if callable(value)), None)
        operation = self._telemetry.tool(
            str(getattr(function, "__name__", "tool")), attributes={names.GEN_AI_TOOL_TYPE: ToolType.FUNCTION}
        )
        operation.content(names.GEN_AI_TOOL_CALL_ARGUMENTS, lambda: argument(0, "args", args, kwargs))
        return operation

    def tool_answered(self, operation: Operation, result: Any) -> None:
        """What the function returned."""
        operation.content(names.GEN_AI_TOOL_CALL_RESULT, lambda: result)

    def _inference(self, operation: OperationName, models: Any, model: Any) -> Inference:
        client = pick(models, "_api_client")
        provider = ProviderName.GCP_VERTEX_AI if pick(client, "vertexai") else ProviderName.GCP_GEMINI
        name = str(model or "").rpartition("/")[2]
        return self._telemetry.inference(operation, provider, name)


class ContentReader:
    """Reads the pieces of an answer, or the only one. Counts in later pieces are totals."""

    def __init__(self, operation: Inference) -> None:
        self._operation = operation
        self._reasons: dict[int, str] = {}
        self._wants_tool = False
        self._parts: list[Part] = []

    def item(self, item: Any) -> bool:
        self._operation.set(names.GEN_AI_RESPONSE_ID, pick(item, "response_id"))
        self._operation.set(names.GEN_AI_RESPONSE_MODEL, pick(item, "model_version"))
        usage = pick(item, "usage_metadata")
        if usage is not None:
            tell_usage(self._operation, usage)
        for number, candidate in enumerate(each(item, "candidates")):
            reason = pick(candidate, "finish_reason")
            if reason is not None:
                self._reasons[pick(candidate, "index") or number] = str(getattr(reason, "value", reason))
            parts = each(candidate, "content", "parts")
            self._wants_tool = self._wants_tool or any(pick(part, "function_call") is not None for part in parts)
            if self._operation.records_content:
                self._parts += _parts(parts)
        return False

    def end(self) -> None:
        reasons = finish_reasons(reason for _, reason in sorted(self._reasons.items()))
        if self._wants_tool and reasons == [FinishReason.STOP]:
            reasons = [FinishReason.TOOL_CALL]  # Google has no reason for that
        self._operation.set(names.GEN_AI_RESPONSE_FINISH_REASONS, reasons)
        self._operation.content(
            names.GEN_AI_OUTPUT_MESSAGES,
            lambda: [{"role": "assistant", "parts": self._parts}] if self._parts else None,
        )


def messages_of(contents: Any) -> list[Message]:
    """Return contents in the conventions' shape. Only called where content is recorded."""
    if isinstance(contents, str):
        return [text_message("user", contents)]
    found = []
    for content in contents if isinstance(contents, list | tuple) else [contents]:
        if isinstance(content, str):
            found.append(text_message("user", content))
            continue
        role = "assistant" if pick(content, "role") == "model" else "user"
        found.append({"role": role, "parts": _parts(each(content, "parts"))})
    return found


def _parts(parts: Iterable[Any]) -> list[Part]:
    return [_part(part) for part in parts]


def _part(part: Any) -> Part:
    call, answer, said = pick(part, "function_call"), pick(part, "function_response"), pick(part, "text")
    if call is not None:
        return tool_call(pick(call, "id"), pick(call, "name"), pick(call, "args"))
    if answer is not None:
        return tool_response(pick(answer, "id"), pick(answer, "response"))
    if isinstance(said, str):
        return reasoning(said) if pick(part, "thought") else text(said)
    return other("part")


def _system(instruction: Any) -> list[Part] | None:
    if instruction is None:
        return None
    return [part for message in messages_of(instruction) for part in message["parts"]]


def tell_usage(operation: Inference, usage: Any) -> None:
    """Google's output leaves thoughts out, and its input leaves out what tools found."""
    given, used = _whole(pick(usage, "prompt_token_count")), _whole(pick(usage, "tool_use_prompt_token_count"))
    made, thought = _whole(pick(usage, "candidates_token_count")), _whole(pick(usage, "thoughts_token_count"))
    parts: dict[str, int] = {}
    for side, details in (("input", "prompt_tokens_details"), ("output", "candidates_tokens_details")):
        for detail in each(usage, details):
            modality = _MODALITIES.get(str(getattr(pick(detail, "modality"), "value", "")))
            count = _whole(pick(detail, "token_count"))
            if modality in ("audio", "image") and count:
                parts[f"{side}_{modality}"] = count
    operation.usage(
        input=None if given is None else given + (used or 0),
        output=None if made is None and thought is None else (made or 0) + (thought or 0),
        cache_read=_whole(pick(usage, "cached_content_token_count")) or None,
        reasoning=thought or None,
        **parts,
    )


def _whole(value: Any) -> int | None:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
