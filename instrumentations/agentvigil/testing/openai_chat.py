"""OpenAI's chat completions: https://developers.openai.com/api/reference"""

import re
from collections.abc import Iterator

from agentvigil.testing.answers import Answer
from agentvigil.testing.api import CREATED_UNIX_SECONDS, Document, Reply, Turn
from agentvigil.testing.openai_api import OpenAIApi
from agentvigil.testing.server_sent_events import server_sent_event


class ChatCompletions(OpenAIApi):
    """OpenAI's chat completions, which half of all other providers speak as well."""

    name = "openai.chat_completions"
    path = re.compile(r".*/chat/completions")

    def reply(self, turn: Turn) -> Reply:
        if turn.streams:
            wanted = bool((turn.body.get("stream_options") or {}).get("include_usage"))
            return Reply(events=tuple(self._chunks(turn, wanted)), told=turn.answer.usage if wanted else None)
        message: Document = {
            "role": "assistant",
            "content": turn.answer.text or None,
            "refusal": None,
            "annotations": [],
        }
        if turn.answer.tool_calls:
            message["tool_calls"] = self._tool_calls(turn)
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": self._finish_reason(turn)}
        choices = [{**choice, "index": index} for index in range(_count(turn.body.get("n")))]
        document = self._envelope(turn, "chat.completion") | {"choices": choices, "usage": self._usage(turn.answer)}
        return Reply(document, told=turn.answer.usage)

    def _chunks(self, turn: Turn, with_usage: bool) -> Iterator[str]:
        envelope = self._envelope(turn, "chat.completion.chunk")
        deltas: list[Document] = [{"role": "assistant", "content": ""}]
        deltas += [{"content": piece} for piece in turn.answer.pieces]
        for index, call in enumerate(self._tool_calls(turn)):
            deltas.append({"tool_calls": [{"index": index, **call}]})
        choices: list[Document] = [
            {"index": 0, "delta": delta, "logprobs": None, "finish_reason": None} for delta in deltas
        ]
        choices.append({"index": 0, "delta": {}, "logprobs": None, "finish_reason": self._finish_reason(turn)})
        usage: Document = {"usage": None} if with_usage else {}
        for choice in choices:
            yield server_sent_event(envelope | {"choices": [choice]} | usage)
        if with_usage:
            yield server_sent_event(envelope | {"choices": [], "usage": self._usage(turn.answer)})
        yield "data: [DONE]\n\n"

    def _envelope(self, turn: Turn, kind: str) -> Document:
        return {
            "id": turn.id("chatcmpl-"),
            "object": kind,
            "created": CREATED_UNIX_SECONDS,
            "model": self.answered_by(turn),
            "service_tier": "default",
            "system_fingerprint": "fp_0123456789",
        }

    def _tool_calls(self, turn: Turn) -> list[Document]:
        functions = [tool["function"] for tool in turn.body.get("tools", []) if "function" in tool]
        offered = {tool["name"]: tool.get("parameters") or {} for tool in functions}
        calls = []
        for index, call in enumerate(turn.answer.tool_calls):
            name, arguments = call.among(offered)
            asked = {"name": name, "arguments": arguments}
            calls.append({"id": turn.id("call_", index), "type": "function", "function": asked})
        return calls

    def _finish_reason(self, turn: Turn) -> str:
        return "tool_calls" if turn.answer.tool_calls else "stop"

    def _usage(self, answer: Answer) -> Document:
        usage = answer.usage
        return {
            "prompt_tokens": usage.input,
            "completion_tokens": usage.output,
            "total_tokens": usage.input + usage.output,
            "prompt_tokens_details": {
                "cached_tokens": usage.cache_read,
                "cache_write_tokens": usage.cache_write,
                "audio_tokens": 0,
            },
            "completion_tokens_details": {
                "reasoning_tokens": usage.reasoning,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        }


def _count(asked: object) -> int:
    return asked if isinstance(asked, int) and asked > 0 else 1
