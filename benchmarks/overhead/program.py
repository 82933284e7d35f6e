"""One measured program: calls of OpenAI's SDK with one instrumentation, or none. Prints seconds per call as JSON.

    program.py INSTRUMENTATION WORKLOAD CALLS [BASE_URL]

It runs in the environment that ``run.py`` makes. ``span`` is the span of a call alone, as the instrumentation makes it,
without any call. Calls of ``chat`` and ``stream`` are answered in the process, so that nothing but Python is measured;
those of ``run`` go over HTTP to the fake provider, which takes its time.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import httpx2
import openai
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

CHUNKS = 50
MESSAGES: list[Any] = [{"role": "user", "content": "What is the capital of France?"}]
TOOLS: list[Any] = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
        },
    }
]
USAGE = {
    "prompt_tokens": 21,
    "completion_tokens": 9,
    "total_tokens": 30,
    "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
}
COMPLETION = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1_780_000_000,
    "model": "gpt-5-mini-2026-05-01",
    "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "Paris."}, "finish_reason": "stop", "logprobs": None}
    ],
    "usage": USAGE,
}


class Nowhere(SpanExporter):
    """Takes spans and forgets them."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:  # noqa: ARG002 - it is how it is called
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """Nothing is held."""


def instrument(name: str) -> None:
    """Set OpenTelemetry up and switch one instrumentation on."""
    if name == "none":
        return
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(Nowhere(), max_queue_size=100_000))
    trace.set_tracer_provider(provider)
    if name.endswith("with metrics"):
        metrics.set_meter_provider(MeterProvider(metric_readers=[InMemoryMetricReader()]))
    match name.removesuffix(" with metrics"):
        case "agentvigil":
            from agentvigil.instrumentations.openai import OpenAIInstrumentor as Ours

            Ours().instrument()
        case "opentelemetry":
            from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor as Official

            Official().instrument()
        case "openinference":
            from openinference.instrumentation.openai import OpenAIInstrumentor as OpenInference

            OpenInference().instrument()


def answered_here() -> openai.OpenAI:
    """Return a client whose calls never leave the process."""
    completion = json.dumps(COMPLETION).encode()
    stream = b"".join(_events())

    def answer(request: httpx2.Request) -> httpx2.Response:
        if b'"stream":true' in request.content.replace(b" ", b""):
            return httpx2.Response(200, content=stream, headers={"content-type": "text/event-stream"})
        return httpx2.Response(200, content=completion, headers={"content-type": "application/json"})

    return openai.OpenAI(
        api_key="x", base_url="http://127.0.0.1/v1", http_client=httpx2.Client(transport=httpx2.MockTransport(answer))
    )


def _events() -> Iterator[bytes]:
    envelope = {key: COMPLETION[key] for key in ("id", "created", "model")} | {"object": "chat.completion.chunk"}
    for number in range(CHUNKS):
        choice = {"index": 0, "delta": {"content": f"word{number} "}, "finish_reason": None}
        yield b"data: %s\n\n" % json.dumps({**envelope, "choices": [choice]}).encode()
    last = {"index": 0, "delta": {}, "finish_reason": "stop"}
    yield b"data: %s\n\n" % json.dumps({**envelope, "choices": [last]}).encode()
    yield b"data: %s\n\n" % json.dumps({**envelope, "choices": [], "usage": USAGE}).encode()
    yield b"data: [DONE]\n\n"


def chat(client: openai.OpenAI) -> None:
    """One call that is not streamed."""
    client.chat.completions.create(model="gpt-5-mini", messages=MESSAGES, temperature=0.5, tools=TOOLS)


def stream(client: openai.OpenAI) -> None:
    """One call that is streamed in CHUNKS pieces."""
    chunks = client.chat.completions.create(
        model="gpt-5-mini", messages=MESSAGES, stream=True, stream_options={"include_usage": True}
    )
    for _ in chunks:
        pass


def run(client: openai.OpenAI) -> None:
    """One run of an agent: three calls, each of which the provider takes its time for."""
    for _ in range(3):
        client.chat.completions.create(model="gpt-5-mini", messages=MESSAGES, tools=TOOLS)


def span_of(name: str) -> Callable[[openai.OpenAI], None]:
    """Return what makes one span of a call with its usual attributes."""
    match name.removesuffix(" with metrics"):
        case "agentvigil":
            from agentvigil.instrumentations.telemetry import Telemetry
            from agentvigil.semconv import names
            from agentvigil.semconv.enums import OperationName

            telemetry = Telemetry("benchmark")

            def ours(_client: openai.OpenAI) -> None:
                call = telemetry.inference(OperationName.CHAT, "openai", "gpt-5-mini")
                with call.active():
                    pass
                call.set_all(
                    {
                        names.GEN_AI_REQUEST_TEMPERATURE: 0.5,
                        names.GEN_AI_RESPONSE_ID: "chatcmpl-1",
                        names.GEN_AI_RESPONSE_MODEL: "gpt-5-mini-2026-05-01",
                        names.GEN_AI_RESPONSE_FINISH_REASONS: ["stop"],
                    }
                )
                call.usage(input=21, output=9)
                call.end()

            return ours
        case "opentelemetry":
            from opentelemetry.util.genai.handler import TelemetryHandler

            handler = TelemetryHandler(instrumentation_scope_name="benchmark")

            def theirs(_client: openai.OpenAI) -> None:
                call = handler.inference("openai", request_model="gpt-5-mini")
                call.temperature = 0.5
                call.response_id = "chatcmpl-1"
                call.response_model_name = "gpt-5-mini-2026-05-01"
                call.finish_reasons = ["stop"]
                call.input_tokens, call.output_tokens = 21, 9
                call.stop()

            return theirs
        case _:
            return lambda _client: None


def main(name: str, workload: str, calls: int, base_url: str = "") -> None:
    """Measure, and print."""
    instrument(name)
    client = openai.OpenAI(api_key="x", base_url=base_url) if base_url else answered_here()
    calls_of: dict[str, Callable[[openai.OpenAI], None]] = {"chat": chat, "stream": stream, "run": run}
    call = span_of(name) if workload == "span" else calls_of[workload]
    for _ in range(max(calls // 10, 1)):
        call(client)
    seconds = []
    for _ in range(calls):
        began = time.perf_counter()
        call(client)
        seconds.append(time.perf_counter() - began)
    json.dump(seconds, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), *sys.argv[4:])
