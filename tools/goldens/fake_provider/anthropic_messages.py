"""Anthropic's messages: https://docs.claude.com/en/api/messages"""

import json
import re
from collections.abc import Iterator

from fake_provider.answers import REASONING_TEXT, Usage
from fake_provider.api import SNAPSHOT, Api, Document, Reply, Turn
from fake_provider.server_sent_events import server_sent_event


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

    def rate_limit_error(self) -> Document:
        error = {"type": "rate_limit_error", "message": "Rate limit reached."}
        return {"type": "error", "error": error, "request_id": f"req_{0:024d}"}

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
        if turn.answer.tool_call is not None:
            offered = {tool["name"]: tool.get("input_schema") or {} for tool in turn.body.get("tools", [])}
            name, arguments = turn.answer.tool_call.among(offered)
            blocks.append({"type": "tool_use", "id": turn.id("toolu_"), "name": name, "input": json.loads(arguments)})
        else:
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
        return "end_turn" if turn.answer.tool_call is None else "tool_use"

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
