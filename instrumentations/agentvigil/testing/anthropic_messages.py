"""Anthropic's messages: https://docs.claude.com/en/api/messages"""

import json
import re
from collections.abc import Iterator
from typing import Final

from agentvigil.testing.answers import REASONING_TEXT, Usage
from agentvigil.testing.api import SNAPSHOT, Api, Document, Reply, Turn
from agentvigil.testing.server_sent_events import server_sent_event

_ERRORS: Final = {
    400: ("invalid_request_error", "Invalid value."),
    401: ("authentication_error", "Invalid API key."),
    403: ("permission_error", "Not allowed."),
    404: ("not_found_error", "The model does not exist."),
    429: ("rate_limit_error", "Rate limit reached."),
    529: ("overloaded_error", "Overloaded."),
}


class Messages(Api):
    """Anthropic's messages. Its input leaves out what a cache gave or took; a stream begins with one output token."""

    name = "anthropic.messages"
    path = re.compile(r".*/v1/messages")
    snapshot = f"-{SNAPSHOT.replace('-', '')}"

    def reply(self, turn: Turn) -> Reply:
        if turn.streams:
            return Reply(events=tuple(self._events(turn)), told=turn.answer.usage)
        document = self._envelope(turn) | {
            "content": self._content(turn),
            "stop_reason": self._stop_reason(turn),
            "usage": self._usage(turn.answer.usage),
        }
        return Reply(document, told=turn.answer.usage)

    def error(self, status: int) -> Document:
        kind, message = _ERRORS.get(status, ("api_error", "Internal server error."))
        return {"type": "error", "error": {"type": kind, "message": message}, "request_id": f"req_{0:024d}"}

    def _envelope(self, turn: Turn) -> Document:
        return {
            "id": turn.id("msg_"),
            "type": "message",
            "role": "assistant",
            "model": self.answered_by(turn),
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
        }

    def _content(self, turn: Turn) -> list[Document]:
        blocks: list[Document] = []
        if turn.answer.usage.reasoning:
            blocks.append({"type": "thinking", "thinking": REASONING_TEXT, "signature": "c2lnbmF0dXJl"})
        offered = {tool["name"]: tool.get("input_schema") or {} for tool in turn.body.get("tools", [])}
        for index, call in enumerate(turn.answer.tool_calls):
            name, arguments = call.among(offered)
            asked = {"id": turn.id("toolu_", index), "name": name, "input": json.loads(arguments)}
            blocks.append({"type": "tool_use", **asked})
        if not turn.answer.tool_calls:
            blocks.append({"type": "text", "text": turn.answer.text})
        return blocks

    def _usage(self, usage: Usage) -> Document:
        return {
            "input_tokens": usage.fresh_input,
            "cache_creation_input_tokens": usage.cache_write,
            "cache_read_input_tokens": usage.cache_read,
            "cache_creation": {"ephemeral_5m_input_tokens": usage.cache_write, "ephemeral_1h_input_tokens": 0},
            "output_tokens": usage.output,
            "output_tokens_details": {"thinking_tokens": usage.reasoning},
            "service_tier": "standard",
        }

    def _stop_reason(self, turn: Turn) -> str:
        return "tool_use" if turn.answer.tool_calls else "end_turn"

    def _events(self, turn: Turn) -> Iterator[str]:
        usage = self._usage(turn.answer.usage)
        start = {key: count for key, count in usage.items() if key != "output_tokens_details"} | {"output_tokens": 1}
        events: list[Document] = [{"type": "message_start", "message": self._envelope(turn) | {"usage": start}}]
        for index, block in enumerate(self._content(turn)):
            empty, deltas = self._block_in_pieces(turn, block)
            events.append({"type": "content_block_start", "index": index, "content_block": empty})
            events += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
            events.append({"type": "content_block_stop", "index": index})
        delta = {"stop_reason": self._stop_reason(turn), "stop_sequence": None}
        total = {key: count for key, count in usage.items() if key not in ("cache_creation", "service_tier")}
        events += [{"type": "message_delta", "delta": delta, "usage": total}, {"type": "message_stop"}]
        for event in events:
            yield server_sent_event(event, event["type"])

    def _block_in_pieces(self, turn: Turn, block: Document) -> tuple[Document, list[Document]]:
        match block["type"]:
            case "thinking":
                return {"type": "thinking", "thinking": "", "signature": ""}, [
                    {"type": "thinking_delta", "thinking": block["thinking"]},
                    {"type": "signature_delta", "signature": block["signature"]},
                ]
            case "tool_use":
                arguments = json.dumps(block["input"])
                return block | {"input": {}}, [{"type": "input_json_delta", "partial_json": arguments}]
            case _:
                deltas = [{"type": "text_delta", "text": piece} for piece in turn.answer.pieces]
                return {"type": "text", "text": ""}, deltas
