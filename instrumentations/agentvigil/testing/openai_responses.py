"""OpenAI's responses: https://developers.openai.com/api/reference"""

import re
from collections.abc import Iterator

from agentvigil.testing.answers import REASONING_TEXT
from agentvigil.testing.api import CREATED_UNIX_SECONDS, Document, Reply, Turn
from agentvigil.testing.openai_api import OpenAIApi
from agentvigil.testing.server_sent_events import server_sent_event


class Responses(OpenAIApi):
    """OpenAI's responses."""

    name = "openai.responses"
    path = re.compile(r".*/responses")

    def reply(self, turn: Turn) -> Reply:
        document = self._document(turn)
        if turn.streams:
            return Reply(events=tuple(self._events(turn, document)), told=turn.answer.usage)
        return Reply(document, told=turn.answer.usage)

    def _document(self, turn: Turn) -> Document:
        body, usage = turn.body, turn.answer.usage
        return {
            "id": turn.id("resp_"),
            "object": "response",
            "created_at": CREATED_UNIX_SECONDS,
            "completed_at": CREATED_UNIX_SECONDS + 1,
            "status": "completed",
            "background": False,
            "error": None,
            "incomplete_details": None,
            "instructions": body.get("instructions"),
            "max_output_tokens": body.get("max_output_tokens"),
            "metadata": {},
            "model": self.answered_by(turn),
            "output": self._output(turn),
            "parallel_tool_calls": True,
            "previous_response_id": body.get("previous_response_id"),
            "reasoning": {"effort": None, "summary": None},
            "service_tier": "default",
            "store": True,
            "temperature": body.get("temperature", 1.0),
            "text": {"format": {"type": "text"}},
            "tool_choice": body.get("tool_choice", "auto"),
            "tools": body.get("tools", []),
            "top_p": 1.0,
            "truncation": "disabled",
            "usage": {
                "input_tokens": usage.input,
                "input_tokens_details": {"cached_tokens": usage.cache_read, "cache_write_tokens": usage.cache_write},
                "output_tokens": usage.output,
                "output_tokens_details": {"reasoning_tokens": usage.reasoning},
                "total_tokens": usage.input + usage.output,
            },
            "user": None,
        }

    def _output(self, turn: Turn) -> list[Document]:
        items: list[Document] = []
        if turn.answer.usage.reasoning:
            summary = [{"type": "summary_text", "text": REASONING_TEXT}]
            items.append({"id": turn.id("rs_"), "type": "reasoning", "summary": summary})
        functions = [tool for tool in turn.body.get("tools", []) if tool.get("type") == "function"]
        for index, call in enumerate(turn.answer.tool_calls):
            name, arguments = call.among({f["name"]: f.get("parameters") or {} for f in functions})
            asked = {"call_id": turn.id("call_", index), "name": name, "arguments": arguments, "status": "completed"}
            items.append({"id": turn.id("fc_", index), "type": "function_call", **asked})
        if not turn.answer.tool_calls:
            text = {"type": "output_text", "annotations": [], "logprobs": [], "text": turn.answer.text}
            message = {"status": "completed", "role": "assistant", "content": [text]}
            items.append({"id": turn.id("msg_"), "type": "message", **message})
        return items

    def _events(self, turn: Turn, document: Document) -> Iterator[str]:
        began = document | {"status": "in_progress", "completed_at": None, "output": [], "usage": None}
        events: list[Document] = [
            {"type": "response.created", "response": began},
            {"type": "response.in_progress", "response": began},
        ]
        for index, item in enumerate(document["output"]):
            at = {"output_index": index}
            empty: Document = {"content": []} if item["type"] == "message" else {"arguments": ""}
            added = item if item["type"] == "reasoning" else item | empty | {"status": "in_progress"}
            events.append({"type": "response.output_item.added", **at, "item": added})
            if item["type"] == "message":
                events += self._text_events(turn, at | {"item_id": item["id"], "content_index": 0}, item["content"][0])
            elif item["type"] == "function_call":
                said = at | {"item_id": item["id"]}
                events.append({"type": "response.function_call_arguments.delta", **said, "delta": item["arguments"]})
                events.append(
                    {
                        "type": "response.function_call_arguments.done",
                        **said,
                        "name": item["name"],
                        "arguments": item["arguments"],
                    }
                )
            events.append({"type": "response.output_item.done", **at, "item": item})
        events.append({"type": "response.completed", "response": document})
        for number, event in enumerate(events):
            yield server_sent_event(event | {"sequence_number": number}, event["type"])

    def _text_events(self, turn: Turn, at: Document, part: Document) -> list[Document]:
        deltas = [
            {"type": "response.output_text.delta", **at, "delta": piece, "logprobs": []} for piece in turn.answer.pieces
        ]
        return [
            {"type": "response.content_part.added", **at, "part": part | {"text": ""}},
            *deltas,
            {"type": "response.output_text.done", **at, "text": part["text"], "logprobs": []},
            {"type": "response.content_part.done", **at, "part": part},
        ]
