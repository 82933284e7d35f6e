"""A provider of models on this machine, whose usage is known before it is asked.

    python tools/goldens/fake_provider.py --port 8080

Point a library's base URL at ``http://127.0.0.1:8080/SCENARIO`` (``/SCENARIO/v1`` where the library wants the version
in it); any key will do. The first part of the path names the scenario, and a scenario is a list of answers: the first
call gets the first one, and the last one is repeated. It speaks the APIs that libraries are instrumented for:

- OpenAI: ``/v1/chat/completions``, ``/v1/responses``, ``/v1/embeddings``, ``/v1/models``;
- Anthropic: ``/v1/messages``;
- Google: ``/v1beta/models/MODEL:generateContent``, ``:streamGenerateContent``, ``:embedContent``.

``GET /SCENARIO/calls`` lists the calls that were answered, with the usage that the caller was told. That is the truth
which what an instrumentation reports is measured by. Usage that was not told (a stream without it, an error) is null.

Shapes of the answers: https://developers.openai.com/api/reference, https://docs.claude.com/en/api/messages,
https://ai.google.dev/api/generate-content. Everything but ids and counters is constant, so that two runs are alike.
"""

import argparse
import base64
import json
import re
import struct
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, ClassVar, Final, Self, TypeAlias

Document: TypeAlias = dict[str, Any]
"""A JSON object."""

CREATED_UNIX_SECONDS: Final = 1_780_000_000
"""When every answer was made."""

SNAPSHOT: Final = "2026-05-01"
"""What the name of the model that answered adds to the name that was asked for."""

_POLL_SECONDS: Final = 0.05
"""How often the server looks whether it shall end."""

REASONING_TEXT: Final = "The user wants a short answer, so one sentence will do."


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call. Input is all of it, with what a cache gave and took; output is all of it, with reasoning."""

    input: int
    output: int
    cache_read: int = 0
    cache_write: int = 0
    reasoning: int = 0

    @property
    def fresh_input(self) -> int:
        """Input that no cache had a part in."""
        return self.input - self.cache_read - self.cache_write


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call the model asks for: of ``name`` where the caller offers it, else of the first tool that it does."""

    name: str
    arguments: Mapping[str, str] = field(default_factory=dict)

    def among(self, tools: Mapping[str, Document]) -> tuple[str, str]:
        """Name and arguments as JSON. ``tools`` are the offered names and their parameters as JSON schema."""
        if self.name in tools:
            return self.name, json.dumps(dict(self.arguments))
        offered = next((name for name in tools if name.startswith(self.name)), next(iter(tools), self.name))
        required = tools.get(offered, {}).get("required", [])
        return offered, json.dumps({name: self.arguments.get(name, "Paris") for name in required})


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model says, and what that costs; or that the caller has called too often."""

    usage: Usage = Usage(0, 0)
    text: str = ""
    tool_call: ToolCall | None = None
    rate_limited: bool = False

    @property
    def pieces(self) -> list[str]:
        """The text as a stream sends it."""
        return re.findall(r"\S+\s*", self.text)


WEATHER: Final = ToolCall("get_weather", {"city": "Paris"})

HANDOFF: Final = ToolCall(
    "transfer_to_",
    {
        "input": "What is the weather in Paris?",
        "agent_name": "weather_specialist",
        "to_agent": "weather_specialist",
        "reason": "The specialist knows the weather.",
    },
)
"""Frameworks hand over by a tool each of its own; what it asks for is among these."""

SCENARIOS: Final[Mapping[str, tuple[Answer, ...]]] = {
    "chat": (Answer(Usage(21, 9), "Paris is the capital of France."),),
    "chat_stream": (Answer(Usage(34, 13), "Streams carry the answer in many small pieces."),),
    "chat_stream_no_usage": (Answer(Usage(55, 17), "Nobody is told what this stream did cost."),),
    "cached": (Answer(Usage(1200, 345, cache_read=1000, cache_write=100, reasoning=120), "Most of this was known."),),
    "anthropic_cached": (
        Answer(Usage(1150, 333, cache_read=950, cache_write=110, reasoning=110), "Most of this was known."),
    ),
    "cached_stream": (
        Answer(Usage(1300, 377, cache_read=1100, cache_write=90, reasoning=130), "Known, and told in pieces."),
    ),
    "tool": (
        Answer(Usage(89, 23), tool_call=WEATHER),
        Answer(Usage(144, 31), "It is sunny in Paris, at 24 degrees."),
    ),
    "tool_error": (
        Answer(Usage(91, 27), tool_call=WEATHER),
        Answer(Usage(153, 37), "The weather service did not answer."),
    ),
    "handoff": (
        Answer(Usage(101, 11), tool_call=HANDOFF),
        Answer(Usage(203, 29), "The specialist says that it is sunny in Paris."),
        Answer(Usage(307, 41), "It is sunny in Paris, the specialist says."),
    ),
    "two_agents": (
        Answer(Usage(109, 19), "It is sunny in Paris."),
        Answer(Usage(211, 43), "Paris lies in the sun today."),
    ),
    "no_model": (),
    "rate_limited": (Answer(rate_limited=True),),
    "retrieval": (Answer(Usage(8, 0)), Answer(Usage(5, 0))),
    "embeddings": (Answer(Usage(8, 0)),),
    "responses": (Answer(Usage(1400, 410, cache_read=1150, cache_write=80, reasoning=140), "Most of this was known."),),
    "responses_stream": (
        Answer(Usage(1500, 440, cache_read=1250, cache_write=70, reasoning=150), "Known, and told in pieces."),
    ),
}


@dataclass(frozen=True, slots=True)
class Call:
    """One call that was answered, and the usage that its caller was told; None is usage that it was not."""

    api: str
    request_model: str
    response_model: str
    status: int
    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    reasoning: int | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """A response: one document, or the events of a stream."""

    document: Document | None = None
    events: tuple[str, ...] = ()
    told: Usage | None = None
    """Usage in the response, as far as this API tells it."""
    status: int = 200


@dataclass(frozen=True, slots=True)
class Turn:
    """One request with the answer it is to get."""

    path: str
    body: Document
    answer: Answer
    number: int
    """Of the call, from 1. Ids are made from it."""

    def id(self, prefix: str) -> str:
        """An id in the manner of the provider."""
        return f"{prefix}{self.number:024d}"

    @property
    def streams(self) -> bool:
        """Whether the caller wants a stream."""
        return bool(self.body.get("stream")) or ":stream" in self.path


class Api:
    """One API of a provider. Subclasses say which paths are theirs and how an answer looks."""

    name: ClassVar[str]
    path: ClassVar[re.Pattern[str]]
    snapshot: ClassVar[str] = f"-{SNAPSHOT}"

    def model(self, turn: Turn) -> str:
        """The model that the caller asks for."""
        return str(turn.body.get("model", ""))

    def reply(self, turn: Turn) -> Reply:
        """Answer ``turn`` in this API's shape."""
        raise NotImplementedError

    def rate_limit_error(self) -> Document:
        """What the API says with status 429."""
        error = {"message": "Rate limit reached.", "type": "requests", "param": None, "code": "rate_limit_exceeded"}
        return {"error": error}

    def answered_by(self, turn: Turn) -> str:
        """The exact model, as the provider names it in the answer."""
        return self.model(turn) + self.snapshot


class ChatCompletions(Api):
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
        if turn.answer.tool_call is not None:
            message["tool_calls"] = [self._tool_call(turn, turn.answer.tool_call)]
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": self._finish_reason(turn)}
        document = self._envelope(turn, "chat.completion") | {"choices": [choice], "usage": self._usage(turn.answer)}
        return Reply(document, told=turn.answer.usage)

    def _chunks(self, turn: Turn, with_usage: bool) -> Iterator[str]:
        envelope = self._envelope(turn, "chat.completion.chunk")
        deltas: list[Document] = [{"role": "assistant", "content": ""}]
        deltas += [{"content": piece} for piece in turn.answer.pieces]
        if turn.answer.tool_call is not None:
            deltas.append({"tool_calls": [{"index": 0, **self._tool_call(turn, turn.answer.tool_call)}]})
        choices: list[Document] = [
            {"index": 0, "delta": delta, "logprobs": None, "finish_reason": None} for delta in deltas
        ]
        choices.append({"index": 0, "delta": {}, "logprobs": None, "finish_reason": self._finish_reason(turn)})
        usage: Document = {"usage": None} if with_usage else {}
        for choice in choices:
            yield _event(envelope | {"choices": [choice]} | usage)
        if with_usage:
            yield _event(envelope | {"choices": [], "usage": self._usage(turn.answer)})
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

    def _tool_call(self, turn: Turn, call: ToolCall) -> Document:
        functions = [tool["function"] for tool in turn.body.get("tools", []) if "function" in tool]
        name, arguments = call.among({tool["name"]: tool.get("parameters") or {} for tool in functions})
        return {"id": turn.id("call_"), "type": "function", "function": {"name": name, "arguments": arguments}}

    def _finish_reason(self, turn: Turn) -> str:
        return "stop" if turn.answer.tool_call is None else "tool_calls"

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


class Responses(Api):
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
        if turn.answer.tool_call is not None:
            functions = [tool for tool in turn.body.get("tools", []) if tool.get("type") == "function"]
            name, arguments = turn.answer.tool_call.among({f["name"]: f.get("parameters") or {} for f in functions})
            call = {"call_id": turn.id("call_"), "name": name, "arguments": arguments, "status": "completed"}
            items.append({"id": turn.id("fc_"), "type": "function_call", **call})
        else:
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
            yield _event(event | {"sequence_number": number}, event["type"])

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


class Embeddings(Api):
    """OpenAI's embeddings. A vector is made from its text, so that the same text is always nearest to itself."""

    name = "openai.embeddings"
    path = re.compile(r".*/embeddings")
    snapshot = ""

    def reply(self, turn: Turn) -> Reply:
        texts = turn.body.get("input", "")
        vectors = [self._vector(str(text)) for text in (texts if isinstance(texts, list) else [texts])]
        encode = _base64_floats if turn.body.get("encoding_format") == "base64" else list
        data = [{"object": "embedding", "index": i, "embedding": encode(vector)} for i, vector in enumerate(vectors)]
        usage = {"prompt_tokens": turn.answer.usage.input, "total_tokens": turn.answer.usage.input}
        document = {"object": "list", "data": data, "model": self.answered_by(turn), "usage": usage}
        return Reply(document, told=replace(turn.answer.usage, output=0))

    def _vector(self, text: str) -> tuple[float, ...]:
        counts = [sum(ord(letter) % 4 == remainder for letter in text) + 1 for remainder in range(4)]
        return tuple(round(count / sum(counts), 4) for count in counts)


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
            yield _event(event, event["type"])

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
        return Reply(events=tuple(_event(document) for document in documents), told=told)

    def rate_limit_error(self) -> Document:
        return {"error": {"code": 429, "message": "Rate limit reached.", "status": "RESOURCE_EXHAUSTED"}}

    def _parts(self, turn: Turn) -> list[Document]:
        thought = [{"text": REASONING_TEXT, "thought": True}] if turn.answer.usage.reasoning else []
        if turn.answer.tool_call is None:
            return [*thought, {"text": turn.answer.text}]
        functions = [f for tool in turn.body.get("tools", []) for f in tool.get("functionDeclarations", [])]
        schema = "parametersJsonSchema"
        name, arguments = turn.answer.tool_call.among(
            {f["name"]: f.get(schema) or f.get("parameters") or {} for f in functions}
        )
        return [*thought, {"functionCall": {"id": turn.id("call_"), "name": name, "args": json.loads(arguments)}}]

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


APIS: Final[tuple[Api, ...]] = (ChatCompletions(), Responses(), Embeddings(), Messages(), GenerateContent())


class FakeProvider:
    """The provider, listening on 127.0.0.1 while it is entered.

    Port 0 takes a free one. Counting of calls begins anew with each provider.
    """

    def __init__(self, port: int = 0, scenarios: Mapping[str, tuple[Answer, ...]] = SCENARIOS) -> None:
        self.scenarios = scenarios
        self._calls: dict[str, list[Call]] = {}
        self._lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"provider": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(_POLL_SECONDS,), daemon=True)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    def url(self, scenario: str) -> str:
        """Base URL of a scenario, without the version of an API."""
        return f"http://127.0.0.1:{self.port}/{scenario}"

    def calls(self, scenario: str) -> list[Call]:
        """What was answered so far."""
        with self._lock:
            return list(self._calls.get(scenario, ()))

    def answer(self, scenario: str, api: Api, path: str, body: Document) -> Reply:
        """Answer one request, and remember that."""
        with self._lock:
            calls = self._calls.setdefault(scenario, [])
            answers = self.scenarios[scenario]
            turn = Turn(path, body, answers[min(len(calls), len(answers) - 1)], len(calls) + 1)
            reply = Reply(api.rate_limit_error(), status=429) if turn.answer.rate_limited else api.reply(turn)
            told = {} if reply.told is None else asdict(reply.told)
            response_model = "" if turn.answer.rate_limited else api.answered_by(turn)
            calls.append(Call(api.name, api.model(turn), response_model, reply.status, **told))
            return reply

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    """One connection. Subclassed with the provider it belongs to."""

    provider: ClassVar[FakeProvider]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        scenario, path = self._target()
        if path == "/calls":
            self._document(200, {"calls": [asdict(call) for call in self.provider.calls(scenario)]})
        elif path.endswith("/models"):
            self._document(200, {"object": "list", "data": []})
        else:
            self._document(404, {"error": {"message": f"no such page: {self.path}"}})

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        scenario, path = self._target()
        api = next((api for api in APIS if api.path.fullmatch(path)), None)
        if scenario not in self.provider.scenarios or api is None:
            self._document(404, {"error": {"message": f"no such scenario or API: {self.path}"}})
            return
        reply = self.provider.answer(scenario, api, path, json.loads(content))
        if reply.document is not None:
            self._document(reply.status, reply.document)
        else:
            self._stream(reply.events)

    def version_string(self) -> str:
        """Constant, since some libraries pass on the headers of a response."""
        return "fake"

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Constant for the same reason."""
        return super().date_time_string(CREATED_UNIX_SECONDS if timestamp is None else timestamp)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: the calls are remembered."""

    def _target(self) -> tuple[str, str]:
        scenario, slash, rest = self.path.partition("?")[0].removeprefix("/").partition("/")
        return scenario, slash + rest

    def _document(self, status: int, document: Document) -> None:
        content = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("x-request-id", "req_0")
        self.end_headers()
        self.wfile.write(content)

    def _stream(self, events: tuple[str, ...]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.send_header("x-request-id", "req_0")
        self.end_headers()
        for event in (*events, ""):
            content = event.encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(content), content))
            self.wfile.flush()


def _event(document: Document, name: str = "") -> str:
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(document)}\n\n"


def _base64_floats(vector: tuple[float, ...]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def main() -> int:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(
        description="A provider of models on this machine, whose usage is known before it is asked.",
        epilog=f"Scenarios: {', '.join(SCENARIOS)}. What was answered: GET /SCENARIO/calls.",
    )
    parser.add_argument("--port", type=int, default=8080, help="port on 127.0.0.1; 0 takes a free one (8080)")
    args = parser.parse_args()
    try:
        provider = FakeProvider(args.port)
    except OSError as exc:
        print(f"cannot listen on 127.0.0.1:{args.port}: {exc.strerror}. Name another port.", file=sys.stderr)
        return 2
    with provider:
        print(f"listening on http://127.0.0.1:{provider.port}/SCENARIO", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
