"""Google's generateContent: https://ai.google.dev/api/generate-content"""

import json
import re
from dataclasses import replace
from typing import Final

from agentvigil.testing.answers import REASONING_TEXT
from agentvigil.testing.api import Api, Document, Reply, Turn
from agentvigil.testing.server_sent_events import server_sent_event

_ERRORS: Final = {
    400: ("INVALID_ARGUMENT", "Invalid value."),
    401: ("UNAUTHENTICATED", "Invalid API key."),
    403: ("PERMISSION_DENIED", "Not allowed."),
    404: ("NOT_FOUND", "The model does not exist."),
    429: ("RESOURCE_EXHAUSTED", "Rate limit reached."),
    503: ("UNAVAILABLE", "The model is overloaded."),
}


class GenerateContent(Api):
    """Google's generateContent. Its output count leaves out thoughts; its input holds what the cache gave."""

    name = "google.generate_content"
    path = re.compile(r".*/models/(?P<model>[^/:]+):(generateContent|streamGenerateContent)")

    def model(self, turn: Turn) -> str:
        found = self.path.fullmatch(turn.path)
        assert found is not None
        return found["model"]

    def reply(self, turn: Turn) -> Reply:
        told = replace(turn.answer.usage, cache_write=0)
        if not turn.streams:
            return Reply(self._document(turn, self._parts(turn), last=True), told=told)
        parts = [{"text": piece} for piece in turn.answer.pieces] or self._parts(turn)
        documents = [self._document(turn, [part], last=part is parts[-1]) for part in parts]
        return Reply(events=tuple(server_sent_event(document) for document in documents), told=told)

    def error(self, status: int) -> Document:
        name, message = _ERRORS.get(status, ("INTERNAL", "Internal error."))
        return {"error": {"code": status, "message": message, "status": name}}

    def _parts(self, turn: Turn) -> list[Document]:
        thought = [{"text": REASONING_TEXT, "thought": True}] if turn.answer.usage.reasoning else []
        if not turn.answer.tool_calls:
            return [*thought, {"text": turn.answer.text}]
        functions = [f for tool in turn.body.get("tools", []) for f in tool.get("functionDeclarations", [])]
        offered = {f["name"]: f.get("parametersJsonSchema") or f.get("parameters") or {} for f in functions}
        calls = []
        for index, call in enumerate(turn.answer.tool_calls):
            name, arguments = call.among(offered)
            asked = {"id": turn.id("call_", index), "name": name, "args": json.loads(arguments)}
            calls.append({"functionCall": asked})
        return [*thought, *calls]

    def _document(self, turn: Turn, parts: list[Document], *, last: bool) -> Document:
        usage = turn.answer.usage
        candidate: Document = {"index": 0, "content": {"role": "model", "parts": parts}}
        counts: Document = {"promptTokenCount": usage.input, "totalTokenCount": usage.input}
        if last:
            candidate["finishReason"] = "STOP"
            counts = {
                "promptTokenCount": usage.input,
                "candidatesTokenCount": usage.output - usage.reasoning,
                "totalTokenCount": usage.input + usage.output,
            }
            counts |= {"cachedContentTokenCount": usage.cache_read} if usage.cache_read else {}
            counts |= {"thoughtsTokenCount": usage.reasoning} if usage.reasoning else {}
        envelope = {"modelVersion": self.answered_by(turn), "responseId": turn.id("google-")}
        return {"candidates": [candidate], "usageMetadata": counts, **envelope}
