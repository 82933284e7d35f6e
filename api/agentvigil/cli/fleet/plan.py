"""A run before it is played: a tree of spans with offsets and durations, without clock, tracer or exporter.

A scene is plain code on a ``Plan``. Calls lay spans end to end on one clock, ``with`` blocks nest them, and an
exception that leaves a block ends its span with an error, as in the program it imitates. Offsets are nanoseconds since
the run began.
"""

import json
import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from opentelemetry.trace import SpanKind
from opentelemetry.util.types import AttributeValue

from agentvigil.cli.fleet.agents import Deployment, Model
from agentvigil.semconv import attributes as a

Result = TypeVar("Result")

ATTEMPTS: Final = 3
CANCELLED: Final = "asyncio.CancelledError"

# Prompt caches start at 1,024 tokens with both OpenAI and Anthropic; OpenAI counts them in steps of 128.
_CACHE_FROM_TOKENS: Final = 1_024
_CACHE_STEP_TOKENS: Final = 128
_HTTPS: Final = 443
_NS: Final = 1_000_000_000

_KNOWN_ONLY_AT_THE_END: Final = frozenset(
    {
        a.GEN_AI_RESPONSE_ID,
        a.GEN_AI_RESPONSE_MODEL,
        a.GEN_AI_RESPONSE_FINISH_REASONS,
        a.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK,
        a.GEN_AI_USAGE_INPUT_TOKENS,
        a.GEN_AI_USAGE_OUTPUT_TOKENS,
        a.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS,
        a.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS,
        a.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS,
        a.GEN_AI_OUTPUT_MESSAGES,
        a.GEN_AI_TOOL_CALL_RESULT,
    }
)


class StepFailed(Exception):
    """A step ended with an error; ``error_type`` is what its span will say."""

    def __init__(self, error_type: str, message: str, *, retryable: bool = True) -> None:
        super().__init__(message)
        self.error_type, self.message, self.retryable = error_type, message, retryable


@dataclass(slots=True)
class PlannedSpan:
    """A span to be: ``error`` is its status message, and None while all went well."""

    name: str
    kind: SpanKind
    attributes: dict[str, AttributeValue]
    start_ns: int
    end_ns: int = 0
    error: str | None = None
    children: list["PlannedSpan"] = field(default_factory=list)

    def walk(self) -> Iterator["PlannedSpan"]:
        """This span and all below it, parents before children."""
        yield self
        for child in self.children:
            yield from child.walk()

    def fail(self, error_type: str, message: str) -> None:
        self.attributes[a.ERROR_TYPE] = error_type
        self.error = message

    def cancel(self, at_ns: int) -> None:
        """End everything that is open at ``at_ns`` then and there, and forget what would have begun later."""
        if self.end_ns <= at_ns:
            return
        self.end_ns = at_ns
        self.attributes = {key: value for key, value in self.attributes.items() if key not in _KNOWN_ONLY_AT_THE_END}
        self.fail(CANCELLED, "the caller went away")
        self.children = [child for child in self.children if child.start_ns < at_ns]
        for child in self.children:
            child.cancel(at_ns)


class Plan:
    """One run being planned, on its own clock."""

    def __init__(self, rng: random.Random, ids: random.Random, deployment: Deployment) -> None:
        self.rng = rng
        self.deployment = deployment
        self.spans: list[PlannedSpan] = []
        self._ids = ids
        self._now_ns = 0
        self._open: list[PlannedSpan] = []
        self._agent: dict[str, AttributeValue] = {}
        self._question = ""
        self._context_tokens = 0
        self._cached_tokens: dict[str, int] = {}
        self._tool_call_ids: dict[str, str] = {}

    # What a scene is told in.

    @contextmanager
    def workflow(self, name: str) -> Iterator[None]:
        """Application code that calls several agents."""
        with self._span("invoke_workflow", name, SpanKind.INTERNAL, {a.GEN_AI_WORKFLOW_NAME: name}):
            yield

    @contextmanager
    def agent(self, name: str, question: str, *, prompt_tokens: int) -> Iterator[None]:
        """One agent at work. ``prompt_tokens`` is what its instructions, tools and the question take."""
        before = self._agent, self._question, self._context_tokens
        self._agent = {a.GEN_AI_AGENT_NAME: name, a.GEN_AI_AGENT_VERSION: self.deployment.version}
        self._question, self._context_tokens = question, self.around(prompt_tokens, 0.15)
        try:
            with self._span("invoke_agent", name, SpanKind.INTERNAL, {}):
                yield
        finally:
            self._agent, self._question, self._context_tokens = before

    def chat(
        self,
        model: Model,
        *,
        output_tokens: int,
        calls: Sequence[str] = (),
        stream: bool = False,
        limit_tokens: int | None = None,
        limited: float = 0.02,
    ) -> None:
        """Ask the model, again after a rate limit. ``calls`` names the tools it then wants.

        ``limit_tokens`` is its context window, ``limited`` the chance that the provider refuses the first attempt.
        """
        for tool in calls:
            self._tool_call_ids[tool] = f"call_{self._ids.getrandbits(48):012x}"
        odds = iter((limited, 0.4, 0.4))
        self.retrying(
            lambda: self._chat_once(model, output_tokens, calls, stream, limit_tokens, next(odds)), backoff_s=1.5
        )

    def tool(
        self,
        name: str,
        *,
        median_s: float,
        arguments: Mapping[str, Any],
        result: str = "ok",
        result_tokens: int = 120,
        failing: float = 0.0,
        error_type: str = "tool_error",
        error: str = "the tool reported an error",
        timing_out: float = 0.0,
        timeout_s: float = 10.0,
        attempts: int = 1,
        tool_type: str = "function",
    ) -> None:
        """Run a tool. It fails with probability ``failing``, or hangs until ``timeout_s`` with ``timing_out``."""
        call_id = self._tool_call_ids.pop(name, None) or f"call_{self._ids.getrandbits(48):012x}"
        attributes: dict[str, AttributeValue] = {
            a.GEN_AI_TOOL_NAME: name,
            a.GEN_AI_TOOL_TYPE: tool_type,
            a.GEN_AI_TOOL_CALL_ID: call_id,
        }
        if self.deployment.captures_content:
            attributes[a.GEN_AI_TOOL_CALL_ARGUMENTS] = json.dumps(arguments)

        def once() -> None:
            with self._span("execute_tool", name, SpanKind.INTERNAL, attributes) as span:
                if self.happens(timing_out):
                    self.wait(timeout_s)
                    raise StepFailed("timeout", f"{name} did not answer within {timeout_s:g} s")
                self.wait(min(self.seconds(median_s), timeout_s))
                if self.happens(failing):
                    raise StepFailed(error_type, error)
                if self.deployment.captures_content:
                    span.attributes[a.GEN_AI_TOOL_CALL_RESULT] = json.dumps(result)

        self.retrying(once, attempts=attempts, backoff_s=0.5)
        self.read(result_tokens)

    def embed(self, model: Model, tokens: int) -> None:
        attributes = self._request(model) | {
            a.GEN_AI_RESPONSE_MODEL: model.response,
            a.GEN_AI_USAGE_INPUT_TOKENS: self.around(tokens, 0.3),
        }
        with self._span("embeddings", model.request, SpanKind.CLIENT, attributes):
            self.wait(self.seconds(model.first_token_s))

    def retrieve(self, source: str, *, top_k: int, empty: float) -> int:
        """Search ``source`` and return how many documents came back."""
        attributes: dict[str, AttributeValue] = {a.GEN_AI_DATA_SOURCE_ID: source, a.GEN_AI_RETRIEVAL_TOP_K: top_k}
        with self._span("retrieval", source, SpanKind.CLIENT, attributes) as span:
            self.wait(self.seconds(0.12))
            found = 0 if self.happens(empty) else self.rng.randint(1, top_k)
            if self.deployment.captures_content:
                span.attributes[a.GEN_AI_RETRIEVAL_QUERY_TEXT] = self._question
                span.attributes[a.GEN_AI_RETRIEVAL_DOCUMENTS] = json.dumps(
                    [{"id": f"invented-{n}", "score": round(0.9 - n / 20, 2)} for n in range(found)]
                )
        return found

    def together(self, steps: Sequence[Callable[[], None]]) -> None:
        """Run steps side by side: all begin now, and time goes on when the last has ended or failed.

        None sees what another reads or says; afterwards the agent carries it all.
        """
        began_ns, ended_ns, failed = self._now_ns, self._now_ns, None
        began_tokens, gained_tokens = self._context_tokens, 0
        for step in steps:
            self._now_ns, self._context_tokens = began_ns, began_tokens
            try:
                step()
            except StepFailed as failure:
                failed = failed or failure
            ended_ns = max(ended_ns, self._now_ns)
            gained_tokens += self._context_tokens - began_tokens
        self._now_ns, self._context_tokens = ended_ns, began_tokens + gained_tokens
        if failed is not None:
            raise failed

    def retrying(self, step: Callable[[], Result], *, attempts: int = ATTEMPTS, backoff_s: float) -> Result:
        """Repeat a step that failed, every attempt with a span of its own."""
        for attempt in range(1, attempts):
            try:
                return step()
            except StepFailed as failure:
                if not failure.retryable:
                    raise
            self.wait(backoff_s * 2 ** (attempt - 1) * self.rng.uniform(0.8, 1.2))
        return step()

    def read(self, tokens: int) -> None:
        """Add to what the agent carries from call to call."""
        self._context_tokens += self.around(tokens, 0.4)

    def shorten(self, tokens: int) -> None:
        """Cut what the agent carries down to ``tokens``."""
        self._context_tokens = min(self._context_tokens, tokens)

    # Chance and time.

    def happens(self, probability: float) -> bool:
        return self.rng.random() < probability

    def around(self, median: int, sigma: float) -> int:
        return max(1, round(median * math.exp(self.rng.gauss(0, sigma))))

    def seconds(self, median_s: float) -> float:
        """A latency: log-normal around the median, and in one case of forty a Pareto tail of up to 25 times it."""
        drawn_s = median_s * math.exp(self.rng.gauss(0, 0.35))
        if self.happens(0.025):
            drawn_s *= min(2 * self.rng.paretovariate(1.3), 25)
        return drawn_s

    def wait(self, seconds: float) -> None:
        self._now_ns += int(seconds * _NS)

    # How spans come about.

    @contextmanager
    def _span(
        self, operation: str, subject: str, kind: SpanKind, attributes: Mapping[str, AttributeValue]
    ) -> Iterator[PlannedSpan]:
        span = PlannedSpan(
            name=f"{operation} {subject}",
            kind=kind,
            attributes={a.GEN_AI_OPERATION_NAME: operation, **self._agent, **attributes},
            start_ns=self._now_ns,
        )
        (self._open[-1].children if self._open else self.spans).append(span)
        self._open.append(span)
        try:
            # What a framework does between two steps.
            self.wait(self.rng.uniform(0.0005, 0.004))
            yield span
            self.wait(self.rng.uniform(0.0005, 0.004))
        except StepFailed as failure:
            span.fail(failure.error_type, failure.message)
            raise
        finally:
            self._open.pop()
            span.end_ns = self._now_ns

    def _request(self, model: Model) -> dict[str, AttributeValue]:
        return {
            a.GEN_AI_PROVIDER_NAME: model.provider.name,
            a.GEN_AI_REQUEST_MODEL: model.request,
            a.SERVER_ADDRESS: model.provider.address,
            a.SERVER_PORT: _HTTPS,
        }

    def _chat_once(
        self,
        model: Model,
        output_tokens: int,
        calls: Sequence[str],
        stream: bool,
        limit_tokens: int | None,
        limited: float,
    ) -> None:
        attributes = self._request(model) | {a.GEN_AI_REQUEST_MAX_TOKENS: 16_384 if model.reasons else 4_096}
        if not model.reasons:
            attributes[a.GEN_AI_REQUEST_TEMPERATURE] = 0.2
        if stream:
            attributes[a.GEN_AI_REQUEST_STREAM] = True
        if self.deployment.captures_content:
            attributes |= self._messages_in()
        with self._span("chat", model.request, SpanKind.CLIENT, attributes) as span:
            if self.happens(limited):
                self.wait(self.seconds(0.15))
                raise StepFailed(model.provider.rate_limited, f"{model.request}: too many requests, try again later")
            if self.happens(0.004):
                self.wait(self.seconds(2.0))
                raise StepFailed(model.provider.overloaded, f"{model.request}: the service is overloaded")
            if limit_tokens is not None and self._context_tokens > limit_tokens:
                self.wait(self.seconds(0.3))
                raise StepFailed(
                    model.provider.context_exceeded,
                    f"{self._context_tokens} tokens are more than the {limit_tokens} of the context window",
                    retryable=False,
                )
            self._answer(span, model, output_tokens, calls, stream)

    def _answer(self, span: PlannedSpan, model: Model, output_tokens: int, calls: Sequence[str], stream: bool) -> None:
        visible = self.around(output_tokens, 0.5)
        reasoning = self.around(3 * output_tokens, 0.6) if model.reasons else 0
        first_token_s = self.seconds(model.first_token_s) + self._context_tokens / 60_000
        self.wait(first_token_s + (visible + reasoning) / (model.tokens_per_s * self.rng.uniform(0.7, 1.2)))

        cached = min(self._cached_tokens.get(model.request, 0), self._context_tokens)
        usage: dict[str, AttributeValue] = {
            a.GEN_AI_USAGE_INPUT_TOKENS: self._context_tokens,
            a.GEN_AI_USAGE_OUTPUT_TOKENS: visible + reasoning,
            a.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS: cached,
        }
        if self._context_tokens >= _CACHE_FROM_TOKENS:
            if model.provider.writes_cache:
                usage[a.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS] = self._context_tokens - cached
                self._cached_tokens[model.request] = self._context_tokens
            else:
                self._cached_tokens[model.request] = self._context_tokens // _CACHE_STEP_TOKENS * _CACHE_STEP_TOKENS
        if model.reasons:
            usage[a.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS] = reasoning
        if stream:
            usage[a.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK] = round(first_token_s, 4)
        span.attributes |= usage
        span.attributes[a.GEN_AI_RESPONSE_ID] = f"resp_{self._ids.getrandbits(96):024x}"
        span.attributes[a.GEN_AI_RESPONSE_MODEL] = model.response
        span.attributes[a.GEN_AI_RESPONSE_FINISH_REASONS] = ["tool_call" if calls else "stop"]
        if self.deployment.captures_content:
            span.attributes[a.GEN_AI_OUTPUT_MESSAGES] = self._messages_out(calls)
        self._context_tokens += visible

    def _messages_in(self) -> dict[str, AttributeValue]:
        instructions = [{"type": "text", "content": "You are an invented agent. This prompt is synthetic."}]
        messages = [{"role": "user", "parts": [{"type": "text", "content": self._question}]}]
        return {
            a.GEN_AI_SYSTEM_INSTRUCTIONS: json.dumps(instructions),
            a.GEN_AI_INPUT_MESSAGES: json.dumps(messages),
        }

    def _messages_out(self, calls: Sequence[str]) -> str:
        parts: list[dict[str, Any]] = [
            {"type": "tool_call", "id": self._tool_call_ids[tool], "name": tool, "arguments": {}} for tool in calls
        ] or [{"type": "text", "content": "This is a synthetic answer to a synthetic question."}]
        return json.dumps([{"role": "assistant", "parts": parts}])
