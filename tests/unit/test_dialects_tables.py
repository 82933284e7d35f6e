"""What each key, value and kind of each dialect means: one case per row of what was found out about them.

Rows are named after their table: A kinds of spans, B attributes, C providers, D what goes wrong.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from agentvigil.semconv.reference import Normalized, Span, SpanEvent, normalize

INPUT = "gen_ai.usage.input_tokens"
OUTPUT = "gen_ai.usage.output_tokens"
CACHE_READ = "gen_ai.usage.cache_read.input_tokens"
CACHE_WRITE = "gen_ai.usage.cache_write.input_tokens"
REASONING = "gen_ai.usage.reasoning.output_tokens"
PROVIDER = "gen_ai.provider.name"
MODEL = "gen_ai.request.model"
RESPONSE_MODEL = "gen_ai.response.model"
CONVERSATION = "gen_ai.conversation.id"
REASONS = "gen_ai.response.finish_reasons"
FIRST_CHUNK = "gen_ai.response.time_to_first_chunk"
MESSAGES_IN = "gen_ai.input.messages"
MESSAGES_OUT = "gen_ai.output.messages"
COST = "agentvigil.cost.usd"


def normalized(attributes: Mapping[str, Any], **rest: Any) -> Normalized:
    return normalize(Span(attributes=attributes, **rest))


# A: what a span does

KINDS = [
    *(
        ("A openinference.span.kind", {"openinference.span.kind": kind}, operation)
        for kind, operation in (
            ("LLM", "chat"),
            ("EMBEDDING", "embeddings"),
            ("RETRIEVER", "retrieval"),
            ("TOOL", "execute_tool"),
            ("AGENT", "invoke_agent"),
            ("CHAIN", "invoke_workflow"),
            ("RERANKER", "rerank"),
            ("GUARDRAIL", "guardrail"),
            ("EVALUATOR", "evaluation"),
            ("PROMPT", ""),
            ("DECISION", "decide"),
        )
    ),
    ("A openinference.span.kind", {"openinference.span.kind": "LLM", "llm.prompts": "once"}, "text_completion"),
    (
        "A openinference.span.kind",
        {"openinference.span.kind": "LLM", "llm.prompts": "once", "llm.input_messages.0.message.role": "user"},
        "chat",
    ),
    *(
        ("A traceloop.span.kind", {"traceloop.span.kind": kind}, operation)
        for kind, operation in (
            ("workflow", "invoke_workflow"),
            ("agent", "invoke_agent"),
            ("tool", "execute_tool"),
            ("task", "step"),
        )
    ),
    *(
        ("A llm.request.type", {"llm.request.type": kind}, operation)
        for kind, operation in (
            ("chat", "chat"),
            ("completion", "text_completion"),
            ("embedding", "embeddings"),
            ("rerank", "rerank"),
        )
    ),
    *(
        ("A langfuse.observation.type", {"langfuse.observation.type": kind}, operation)
        for kind, operation in (
            ("generation", "chat"),
            ("embedding", "embeddings"),
            ("retriever", "retrieval"),
            ("tool", "execute_tool"),
            ("agent", "invoke_agent"),
            ("chain", "invoke_workflow"),
            ("evaluator", "evaluation"),
            ("guardrail", "guardrail"),
            ("span", ""),
            ("event", ""),
        )
    ),
    *(
        ("A langsmith.span.kind", {"langsmith.span.kind": kind}, operation)
        for kind, operation in (
            ("llm", "chat"),
            ("embedding", "embeddings"),
            ("retriever", "retrieval"),
            ("tool", "execute_tool"),
            ("chain", "invoke_workflow"),
            ("prompt", ""),
            ("parser", ""),
        )
    ),
    *(
        ("A ai.operationId", {"ai.operationId": kind}, operation)
        for kind, operation in (
            ("ai.generateText.doGenerate", "chat"),
            ("ai.streamText.doStream", "chat"),
            ("ai.generateObject.doGenerate", "chat"),
            ("ai.streamObject.doStream", "chat"),
            ("ai.generateText", "invoke_agent"),
            ("ai.streamText", "invoke_agent"),
            ("ai.generateObject", "invoke_agent"),
            ("ai.streamObject", "invoke_agent"),
            ("ai.toolCall", "execute_tool"),
            ("ai.embed.doEmbed", "embeddings"),
            ("ai.embedMany.doEmbed", "embeddings"),
            ("ai.rerank.doRerank", "rerank"),
            # Their tokens are those of the spans below.
            ("ai.embed", "step"),
            ("ai.embedMany", "step"),
        )
    ),
    *(
        ("A mlflow.spanType", {"mlflow.spanType": kind}, operation)
        for kind, operation in (
            ("LLM", "chat"),
            ("CHAT_MODEL", "chat"),
            ("AGENT", "invoke_agent"),
            ("TOOL", "execute_tool"),
            ("RETRIEVER", "retrieval"),
            ("EMBEDDING", "embeddings"),
            ("CHAIN", "invoke_workflow"),
        )
    ),
    # semconv's own kind of tool span
    ("A mcp", {"mcp.method.name": "tools/call"}, "execute_tool"),
    ("A mcp", {"mcp.method.name": "tools/list"}, ""),
    ("A ADK 2.x", {"gen_ai.operation.name": "generate_content"}, "generate_content"),
    ("A anthropic.messages.create", {"gen_ai.operation.name": "chat"}, "chat"),
]


@pytest.mark.parametrize(("row", "attributes", "operation"), KINDS)
def test_a_kind_of_span_is_an_operation(row: str, attributes: dict[str, Any], operation: str) -> None:
    """Steps, billing and every page that groups by operation start from here."""
    assert normalized(attributes).operation == operation


@pytest.mark.parametrize(
    "attributes",
    [{"openinference.span.kind": "CHAIN"}, {"langfuse.observation.type": "chain"}, {"mlflow.spanType": "CHAIN"}],
)
def test_a_chain_below_another_span_is_a_step(attributes: dict[str, Any]) -> None:
    """Only the outermost chain is a workflow; LangChain nests dozens of them."""
    assert normalized(attributes, parent_span_id="00f067aa0ba902b7").operation == "step"


NAMES = [
    ("A claude_code.*", "claude_code.interaction", "", "invoke_agent"),
    ("A claude_code.*", "claude_code.llm_request", "", "chat"),
    ("A claude_code.*", "claude_code.tool", "", "execute_tool"),
    ("A claude_code.*", "claude_code.tool.execution", "", "execute_tool"),
    ("A claude_code.*", "claude_code.tool.blocked_on_user", "", ""),
    ("A span name only", "invoke_agent researcher", "", "invoke_agent"),
    ("A span name only", "agent run", "", "invoke_agent"),
    ("A span name only", "call_llm", "", "chat"),
    ("A span name only", "execute_event_loop_cycle", "", "step"),
    ("A span name only", "running tool", "", "execute_tool"),
    ("A span name only", "haystack.agent.step.llm", "", "chat"),
    ("A ADK 2.x", "call_llm", "gcp.vertex.agent", "chat"),
    ("A ADK 2.x", "invocation", "gcp.vertex.agent", "invoke_workflow"),
    ("A ADK 2.x", "execute_tool search", "gcp.vertex.agent", "execute_tool"),
    ("A ADK 2.x", "invocation", "", ""),
    # llm_request within it is the call.
    ("A lk.*", "llm_node", "livekit-agents", "step"),
    ("A lk.*", "llm_request", "livekit-agents", "chat"),
    ("A lk.*", "function_tool", "livekit-agents", "execute_tool"),
    ("A lk.*", "agent_turn", "livekit-agents", "invoke_agent"),
    ("A lk.*", "agent_session", "livekit-agents", "invoke_workflow"),
    ("A lk.*", "stt_node", "livekit-agents", ""),
    ("A lk.*", "tts_node", "livekit-agents", ""),
    ("A lk.*", "eou_detection", "livekit-agents", ""),
    ("A anthropic.messages.create", "anthropic.messages.create", "com.anthropic.sdk.python", "chat"),
]


@pytest.mark.parametrize(("row", "name", "scope", "operation"), NAMES)
def test_a_span_name_is_the_last_thing_asked(row: str, name: str, scope: str, operation: str) -> None:
    """Some dialects say what a span does nowhere else; a bare word counts only within its dialect."""
    assert normalized({}, name=name, scope=scope).operation == operation


def test_an_attribute_says_more_than_a_name() -> None:
    """Names are for people: an application may call its span what it likes."""
    assert normalized({"gen_ai.operation.name": "chat"}, name="execute_tool x").operation == "chat"


def test_the_merged_tools_of_adk_are_no_tool() -> None:
    """A D: it stands over tools that ran in parallel, and counting it would add a call that nobody made."""
    attributes = {"gen_ai.operation.name": "execute_tool"}

    assert normalized(attributes, name="execute_tool (merged)", scope="gcp.vertex.agent").operation == "step"


def test_langsmith_retrievers_are_not_embeddings() -> None:
    """A D: its own kind is right where its gen_ai.operation.name is not."""
    attributes = {"gen_ai.operation.name": "embeddings", "langsmith.span.kind": "retriever"}

    assert normalized(attributes).attributes["gen_ai.operation.name"] == "retrieval"


# B: what a key means


@dataclass(frozen=True)
class Case:
    row: str
    attributes: Mapping[str, Any]
    expected: Mapping[str, Any]
    rest: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.row}: {', '.join(self.attributes)}"[:100]


def same(row: str, target: str, value: Any, *keys: str, **rest: Any) -> list[Case]:
    """Keys that each mean ``target`` as they stand."""
    return [Case(row, {key: value}, {target: value}, rest) for key in keys]


CLAUDE_CODE = {"scope": "com.anthropic.claude_code.tracing"}
OPENINFERENCE = {"scope": "openinference.instrumentation.langchain"}
PARAMETERS = (
    '{"temperature": 0.5, "top_p": 0.9, "top_k": 40, "max_tokens": 100, "stop": ["END"], "seed": 7, '
    '"frequency_penalty": 0.1, "presence_penalty": 0.2, "n": 2, "stream": true, "reasoning_effort": "low"}'
)
PARAMETERS_READ = {
    "gen_ai.request.temperature": 0.5,
    "gen_ai.request.top_p": 0.9,
    "gen_ai.request.top_k": 40,
    "gen_ai.request.max_tokens": 100,
    "gen_ai.request.stop_sequences": ["END"],
    "gen_ai.request.seed": 7,
    "gen_ai.request.frequency_penalty": 0.1,
    "gen_ai.request.presence_penalty": 0.2,
    "gen_ai.request.choice.count": 2,
    "gen_ai.request.stream": True,
    "gen_ai.request.reasoning.level": "low",
}

ATTRIBUTES: list[Case] = [
    *same("B provider", PROVIDER, "openai", "gen_ai.system", "llm.provider", "llm.system", "ai.model.provider"),
    *same("B provider", PROVIDER, "openai", "mlflow.llm.provider", "litellm.provider", "gen_ai.provider.name"),
    Case("B llm.provider", {"llm.provider": "azure", "llm.system": "openai"}, {PROVIDER: "azure.ai.openai"}),
    Case("B ai.model.provider", {"ai.model.provider": "openai.chat"}, {PROVIDER: "openai"}),
    Case("B ai.model.provider", {"ai.model.provider": "anthropic.messages"}, {PROVIDER: "anthropic"}),
    Case("B ai.model.provider", {"ai.model.provider": "google.generative-ai"}, {PROVIDER: "gcp.gemini"}),
    Case("B ai.model.provider", {"ai.model.provider": "google.vertex.chat"}, {PROVIDER: "gcp.vertex_ai"}),
    Case("B ai.model.provider", {"ai.model.provider": "acme.chat"}, {PROVIDER: "acme"}),
    Case("B ai.model.provider", {"gen_ai.system": "openai.chat", "ai.operationId": "x"}, {PROVIDER: "openai"}),
    *same("B request model", MODEL, "m", "llm.request.model_name", "embedding.model_name"),
    *same("B request model", MODEL, "m", "reranker.model_name", "ai.model.id", "langfuse.observation.model.name"),
    *same("B request model", MODEL, "m", "mlflow.llm.model", "litellm.provider.model"),
    Case("B llm.model_name", {"llm.model_name": "m"}, {MODEL: "m", RESPONSE_MODEL: "m"}),
    Case(
        "B llm.model_name",
        {"llm.model_name": "m-1", "llm.request.model_name": "m"},
        {MODEL: "m", RESPONSE_MODEL: "m-1"},
    ),
    Case(
        "B llm.model_name",
        {"llm.model_name": "m", "llm.response.model_name": "m-1"},
        {MODEL: "m", RESPONSE_MODEL: "m-1"},
    ),
    *same("B response model", RESPONSE_MODEL, "m", "llm.response.model_name", "ai.response.model"),
    *same("B response id", "gen_ai.response.id", "r1", "ai.response.id"),
    Case("B invocation parameters", {"llm.invocation_parameters": PARAMETERS}, PARAMETERS_READ),
    Case("B invocation parameters", {"langfuse.observation.model.parameters": PARAMETERS}, PARAMETERS_READ),
    Case("B invocation parameters", {"embedding.invocation_parameters": PARAMETERS}, PARAMETERS_READ),
    Case(
        "B invocation parameters",
        {"llm.invocation_parameters": {"max_completion_tokens": 5, "stop_sequences": "END"}},
        {"gen_ai.request.max_tokens": 5, "gen_ai.request.stop_sequences": ["END"]},
    ),
    *same("B gen_ai.request.n", "gen_ai.request.choice.count", 2, "gen_ai.request.n"),
    *same("B gen_ai.request.n", "gen_ai.request.max_tokens", 9, "gen_ai.request.max_completion_tokens"),
    *same("B gen_ai.request.n", "gen_ai.request.reasoning.level", "low", "gen_ai.request.reasoning_effort"),
    *same("B gen_ai.request.n", "gen_ai.request.stream", True, "gen_ai.is_streaming", "llm.is_streaming"),
    *same("B gen_ai.request.n", "gen_ai.request.frequency_penalty", 0.5, "llm.frequency_penalty"),
    *same("B gen_ai.request.n", "gen_ai.request.presence_penalty", 0.5, "llm.presence_penalty"),
    *same("B gen_ai.request.n", "gen_ai.request.top_k", 5, "llm.top_k"),
    *same("B gen_ai.request.n", "gen_ai.request.stop_sequences", ["a"], "llm.chat.stop_sequences"),
    *same("B ai.settings", "gen_ai.request.temperature", 0.5, "ai.settings.temperature"),
    *same("B ai.settings", "gen_ai.request.top_p", 0.5, "ai.settings.topP"),
    *same("B ai.settings", "gen_ai.request.top_k", 5, "ai.settings.topK"),
    *same("B ai.settings", "gen_ai.request.max_tokens", 5, "ai.settings.maxOutputTokens"),
    *same("B ai.settings", "gen_ai.request.seed", 5, "ai.settings.seed"),
    *same("B llm.token_count", INPUT, 10, "llm.token_count.prompt"),
    *same("B llm.token_count", OUTPUT, 10, "llm.token_count.completion"),
    Case("B llm.token_count", {"llm.token_count.total": 20}, {}),
    *same("B prompt_details", CACHE_READ, 4, "llm.token_count.prompt_details.cache_read"),
    *same("B prompt_details", CACHE_READ, 4, "llm.token_count.prompt_details.cache_input"),
    *same("B prompt_details", CACHE_WRITE, 4, "llm.token_count.prompt_details.cache_write"),
    *same("B prompt_details", "gen_ai.usage.audio.input_tokens", 4, "llm.token_count.prompt_details.audio"),
    *same("B completion_details", REASONING, 4, "llm.token_count.completion_details.reasoning"),
    *same("B completion_details", "gen_ai.usage.audio.output_tokens", 4, "llm.token_count.completion_details.audio"),
    *same("B llm.usage", INPUT, 4, "llm.usage.prompt_tokens", "gen_ai.usage.prompt_tokens", "llm.token.counts.prompt"),
    *same("B llm.usage", OUTPUT, 4, "llm.usage.completion_tokens", "gen_ai.usage.completion_tokens"),
    *same("B llm.usage", OUTPUT, 4, "llm.token.counts.completion"),
    Case("B llm.usage", {"llm.usage.total_tokens": 9, "gen_ai.usage.total_tokens": 9}, {}),
    *same("B cache_creation", CACHE_WRITE, 4, "gen_ai.usage.cache_creation.input_tokens"),
    *same("B cache_creation", CACHE_WRITE, 4, "gen_ai.usage.cache_creation_input_tokens"),
    *same("B cache_creation", CACHE_WRITE, 4, "gen_ai.usage.cache_write_input_tokens"),
    *same("B cache_read", CACHE_READ, 4, "gen_ai.usage.cache_read_input_tokens"),
    *same("B reasoning", REASONING, 4, "gen_ai.usage.reasoning_tokens", "llm.usage.reasoning_tokens"),
    *same("B livekit older", CACHE_READ, 4, "gen_ai.usage.input_cached_tokens"),
    *same("B livekit older", "gen_ai.usage.text.input_tokens", 4, "gen_ai.usage.input_text_tokens"),
    *same("B livekit older", "gen_ai.usage.audio.input_tokens", 4, "gen_ai.usage.input_audio_tokens"),
    *same("B livekit older", "gen_ai.usage.text.output_tokens", 4, "gen_ai.usage.output_text_tokens"),
    *same("B livekit older", "gen_ai.usage.audio.output_tokens", 4, "gen_ai.usage.output_audio_tokens"),
    *same("B ai.usage", INPUT, 4, "ai.usage.inputTokens", "ai.usage.promptTokens", "ai.usage.tokens"),
    *same("B ai.usage", OUTPUT, 4, "ai.usage.outputTokens", "ai.usage.completionTokens"),
    *same("B ai.usage", CACHE_READ, 4, "ai.usage.cachedInputTokens", "ai.usage.inputTokenDetails.cacheReadTokens"),
    *same("B ai.usage", CACHE_WRITE, 4, "ai.usage.inputTokenDetails.cacheWriteTokens"),
    *same("B ai.usage", REASONING, 4, "ai.usage.reasoningTokens", "ai.usage.outputTokenDetails.reasoningTokens"),
    Case(
        "B usage_details",
        {"langfuse.observation.usage_details": '{"input": 10, "output": 5, "cache_read_input_tokens": 90}'},
        {INPUT: 100, OUTPUT: 5, CACHE_READ: 90},
    ),
    Case(
        "B usage_details",
        {"langfuse.observation.usage_details": '{"input": 100, "output": 5, "total": 105, "input_cached_tokens": 90}'},
        {INPUT: 100, OUTPUT: 5, CACHE_READ: 90},
    ),
    Case(
        "B mlflow.chat.tokenUsage",
        {"mlflow.chat.tokenUsage": '{"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}'},
        {INPUT: 10, OUTPUT: 5},
    ),
    Case(
        "B mlflow.chat.tokenUsage",
        {"mlflow.trace.tokenUsage": {"input_tokens": 10, "output_tokens": 5}},
        {"agentvigil.run.usage.input_tokens": 10, "agentvigil.run.usage.output_tokens": 5},
    ),
    Case(
        "B Claude Code",
        {"input_tokens": 2, "output_tokens": 7, "cache_read_tokens": 90, "cache_creation_tokens": 8},
        {INPUT: 100, OUTPUT: 7, CACHE_READ: 90, CACHE_WRITE: 8},
        CLAUDE_CODE,
    ),
    Case(
        "B gen_ai.aggregated_usage",
        {"gen_ai.aggregated_usage.input_tokens": 10, "gen_ai.aggregated_usage.output_tokens": 5},
        {"agentvigil.run.usage.input_tokens": 10, "agentvigil.run.usage.output_tokens": 5},
    ),
    *same("B operation.cost", COST, 0.25, "operation.cost"),
    *same("B cost", COST, 0.25, "gen_ai.usage.cost", "gen_ai.usage.total_cost", "litellm.cost.total", "llm.cost.total"),
    *same("B cost", "agentvigil.cost.input_usd", 0.25, "llm.cost.prompt"),
    *same("B cost", "agentvigil.cost.output_usd", 0.25, "llm.cost.completion"),
    *same("B cost", COST, 0.25, "cost_usd", **CLAUDE_CODE),
    Case("B cost", {"langfuse.observation.cost_details": '{"total": 0.25}'}, {COST: 0.25}),
    Case("B cost", {"mlflow.llm.cost": {"total_cost": 0.25}}, {COST: 0.25}),
    Case("B cost", {"gen_ai.usage.cost.amount": 1.5, "gen_ai.usage.cost.currency": "USD"}, {COST: 1.5}),
    Case("B cost", {"gen_ai.usage.cost.amount": 1.5, "gen_ai.usage.cost.currency": "EUR"}, {}),
    Case(
        "B llm.input_messages",
        {
            "llm.input_messages.0.message.role": "user",
            "llm.input_messages.0.message.content": "hello",
            "llm.input_messages.1.message.role": "assistant",
            "llm.input_messages.1.message.contents.0.message_content.type": "thinking",
            "llm.input_messages.1.message.contents.0.message_content.text": "hm",
            "llm.input_messages.1.message.tool_calls.0.tool_call.id": "c1",
            "llm.input_messages.1.message.tool_calls.0.tool_call.function.name": "add",
            "llm.input_messages.1.message.tool_calls.0.tool_call.function.arguments": '{"a": 1}',
            "llm.input_messages.2.message.role": "tool",
            "llm.input_messages.2.message.tool_call_id": "c1",
            "llm.input_messages.2.message.content": "2",
        },
        {
            MESSAGES_IN: [
                {"role": "user", "parts": [{"type": "text", "content": "hello"}]},
                {
                    "role": "assistant",
                    "parts": [
                        {"type": "reasoning", "content": "hm"},
                        {"type": "tool_call", "id": "c1", "name": "add", "arguments": {"a": 1}},
                    ],
                },
                {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "2"}]},
            ]
        },
    ),
    Case(
        "B llm.output_messages",
        {"llm.output_messages.0.message.role": "assistant", "llm.output_messages.0.message.content": "hi"},
        {MESSAGES_OUT: [{"role": "assistant", "parts": [{"type": "text", "content": "hi"}]}]},
    ),
    Case(
        "B gen_ai.prompt.N",
        {
            "gen_ai.prompt.0.role": "user",
            "gen_ai.prompt.0.content": "hello",
            "gen_ai.prompt.name": "greeting",
            "gen_ai.prompt.version": "3",
            "gen_ai.prompt.variable.0": "not a message",
            "gen_ai.completion.0.role": "assistant",
            "gen_ai.completion.0.tool_calls.0.id": "c1",
            "gen_ai.completion.0.tool_calls.0.name": "add",
            "gen_ai.completion.0.tool_calls.0.arguments": "{}",
            "gen_ai.completion.0.finish_reason": "tool_calls",
        },
        {
            REASONS: ["tool_call"],
            MESSAGES_IN: [{"role": "user", "parts": [{"type": "text", "content": "hello"}]}],
            MESSAGES_OUT: [
                {"role": "assistant", "parts": [{"type": "tool_call", "id": "c1", "name": "add", "arguments": {}}]}
            ],
            "gen_ai.prompt.name": "greeting",
            "gen_ai.prompt.version": "3",
        },
    ),
    *same("B gen_ai.prompt.N", MESSAGES_IN, "[]", "gen_ai.prompt"),
    *same("B gen_ai.prompt.N", MESSAGES_OUT, "[]", "gen_ai.completion"),
    *same("B gen_ai.prompt.N", MESSAGES_IN, "p", "llm.prompts", **OPENINFERENCE),
    *same("B gen_ai.prompt.N", MESSAGES_OUT, "p", "llm.completions", **OPENINFERENCE),
    Case(
        "B message events",
        {},
        {
            "gen_ai.system_instructions": [{"role": "system", "parts": [{"type": "text", "content": "be brief"}]}],
            MESSAGES_IN: [
                {"role": "user", "parts": [{"type": "text", "content": "hello"}]},
                {"role": "assistant", "parts": [{"type": "text", "content": "hi"}]},
                {"role": "tool", "parts": [{"type": "text", "content": "2"}]},
            ],
            MESSAGES_OUT: [{"role": "assistant", "parts": [{"type": "text", "content": "bye"}]}],
        },
        {
            "events": (
                SpanEvent("gen_ai.system.message", {"content": "be brief"}),
                SpanEvent("gen_ai.user.message", {"content": "hello"}),
                SpanEvent("gen_ai.assistant.message", {"content": "hi"}),
                SpanEvent("gen_ai.tool.message", {"content": "2"}),
                SpanEvent("gen_ai.choice", {"message": "bye"}),
            )
        },
    ),
    Case(
        "B operation.details",
        {},
        {MODEL: "m", MESSAGES_IN: "[]"},
        {"events": (SpanEvent("gen_ai.client.inference.operation.details", {MODEL: "m", MESSAGES_IN: "[]"}),)},
    ),
    Case(
        "B gen_ai.content events",
        {},
        {
            MESSAGES_IN: [{"role": "user", "parts": [{"type": "text", "content": "p"}]}],
            MESSAGES_OUT: [{"role": "assistant", "parts": [{"type": "text", "content": "c"}]}],
        },
        {
            "events": (
                SpanEvent("gen_ai.content.prompt", {"gen_ai.prompt": "p"}),
                SpanEvent("gen_ai.content.completion", {"gen_ai.completion": "c"}),
            )
        },
    ),
    *(
        Case(
            "B input and output",
            {"gen_ai.operation.name": operation, given: "in", taken: "out"},
            {"gen_ai.operation.name": operation, **expected},
        )
        for given, taken in (
            ("traceloop.entity.input", "traceloop.entity.output"),
            ("input.value", "output.value"),
            ("langfuse.observation.input", "langfuse.observation.output"),
            ("mlflow.spanInputs", "mlflow.spanOutputs"),
            ("haystack.tool.input", "haystack.tool.output"),
            ("raw_input", "raw_output"),
        )
        for operation, expected in (
            ("chat", {MESSAGES_IN: "in", MESSAGES_OUT: "out"}),
            ("invoke_agent", {MESSAGES_IN: "in", MESSAGES_OUT: "out"}),
            ("execute_tool", {"gen_ai.tool.call.arguments": "in", "gen_ai.tool.call.result": "out"}),
            ("retrieval", {"gen_ai.retrieval.query.text": "in", "gen_ai.retrieval.documents": "out"}),
        )
    ),
    *same("B input and output", MESSAGES_IN, "x", "ai.prompt", "ai.prompt.messages", "gcp.vertex.agent.llm_request"),
    *same("B input and output", MESSAGES_IN, "x", "pydantic_ai.all_messages", "lk.pii.chat_ctx"),
    *same("B input and output", MESSAGES_OUT, "x", "ai.response.text", "ai.response.toolCalls", "ai.response.object"),
    *same("B input and output", MESSAGES_OUT, "x", "ai.response.reasoning", "gcp.vertex.agent.llm_response"),
    *same("B input and output", MESSAGES_OUT, "x", "lk.pii.response.text"),
    *same("B input and output", "gen_ai.tool.call.arguments", "x", "gcp.vertex.agent.tool_call_args"),
    *same("B input and output", "gen_ai.tool.call.result", "x", "gcp.vertex.agent.tool_response"),
    Case(
        "B tool definitions",
        {"llm.tools.0.tool.json_schema": '{"name": "add"}'},
        {"gen_ai.tool.definitions": [{"name": "add"}]},
    ),
    Case(
        "B tool definitions",
        {"llm.request.functions.0.name": "add", "llm.request.functions.0.parameters": "{}"},
        {"gen_ai.tool.definitions": [{"name": "add", "parameters": {}}]},
    ),
    *same("B tool definitions", "gen_ai.tool.definitions", "[]", "ai.prompt.tools", "mlflow.chat.tools"),
    *same("B tool definitions", "gen_ai.tool.definitions", "[]", "gen_ai.agent.tools", "sk.available_functions"),
    *(
        Case("B finish reasons", {key: "stop"}, {REASONS: ["stop"]})
        for key in (
            "llm.finish_reason",
            "gen_ai.response.finish_reason",
            "gen_ai.response.stop_reason",
            "ai.response.finishReason",
            "llm.response.finish_reason",
            "anthropic.message.stop_reason",
        )
    ),
    *(
        Case("B finish reasons", {"gen_ai.response.finish_reasons": [value]}, {REASONS: [meaning]})
        for meaning, values in {
            "stop": ("end_turn", "stop_sequence", "stop", "STOP"),
            "length": ("max_tokens", "length", "MAX_TOKENS"),
            "tool_call": ("tool_use", "tool_calls", "tool-calls", "function_call"),
            "content_filter": ("content_filter", "refusal", "SAFETY"),
            "pause_turn": ("pause_turn",),
        }.items()
        for value in values
    ),
    Case("B finish reasons", {"gen_ai.response.finish_reasons": '["stop","length"]'}, {REASONS: ["stop", "length"]}),
    *same("B tool", "gen_ai.tool.name", "add", "tool.name", **OPENINFERENCE),
    *same("B tool", "gen_ai.tool.description", "adds", "tool.description", **OPENINFERENCE),
    # A tool's schema, not what it was called with.
    Case("B tool", {"tool.parameters": "{}"}, {}, OPENINFERENCE),
    *same("B tool", "gen_ai.tool.call.id", "c1", "tool.id", "tool_call.id", "ai.toolCall.id", "lk.function_tool.id"),
    *same("B tool", "gen_ai.tool.name", "add", "ai.toolCall.name", "lk.function_tool.name", "haystack.tool.name"),
    *same("B tool", "gen_ai.tool.name", "add", "agent_framework.function.name"),
    *same("B tool", "gen_ai.tool.call.arguments", "{}", "ai.toolCall.args"),
    *same("B tool", "gen_ai.tool.call.result", "3", "ai.toolCall.result", "lk.function_tool.output"),
    Case("B tool", {"lk.function_tool.is_error": True}, {"error.type": "tool_error"}),
    Case("B tool", {"gen_ai.tool.status": "error"}, {"error.type": "tool_error"}),
    *same("B conversation", CONVERSATION, "s", "session.id", "gen_ai.conversation.id", "langfuse.session.id"),
    *same("B conversation", CONVERSATION, "s", "traceloop.association.properties.session_id"),
    *same("B conversation", CONVERSATION, "s", "traceloop.association.properties.thread_id"),
    *same("B conversation", CONVERSATION, "s", "traceloop.association.properties.chat_id"),
    *same("B conversation", CONVERSATION, "s", "langsmith.metadata.session_id", "langsmith.metadata.thread_id"),
    *same("B conversation", CONVERSATION, "s", "langsmith.metadata.conversation_id", "gcp.vertex.agent.session_id"),
    *same("B conversation", CONVERSATION, "s", "mlflow.trace.session", "lk.room_sid", "lk.job_id"),
    *same("B conversation", CONVERSATION, "s", "ai.telemetry.metadata.sessionId", "ai.telemetry.metadata.threadId"),
    Case("B conversation", {"langsmith.trace.session_id": "project"}, {}),
    Case("B conversation", {"litellm.call_id": "call"}, {}),
    *same("B user", "user.id", "u", "user.id", "langfuse.user.id", "traceloop.association.properties.user_id"),
    *same("B user", "user.id", "u", "mlflow.trace.user", "litellm.end_user.id", "gen_ai.user", "llm.user"),
    *same("B agent", "gen_ai.agent.name", "a", "lk.agent_name", "lk.agent_label", "crewai.agent.role"),
    *same("B agent", "gen_ai.agent.name", "a", "agent.name", **OPENINFERENCE),
    *same("B agent", "agentvigil.step.name", "a", "graph.node.name", **OPENINFERENCE),
    *(
        Case(
            "B traceloop.entity.name",
            {"traceloop.entity.name": "e", "traceloop.span.kind": kind},
            {target: "e"} | ({"agentvigil.is_step": True} if kind == "task" else {"gen_ai.operation.name": operation}),
        )
        for kind, operation, target in (
            ("agent", "invoke_agent", "gen_ai.agent.name"),
            ("tool", "execute_tool", "gen_ai.tool.name"),
            ("workflow", "invoke_workflow", "gen_ai.workflow.name"),
            ("task", "", "agentvigil.step.name"),
        )
    ),
    *same("B workflow", "gen_ai.workflow.name", "w", "traceloop.workflow.name", "ai.telemetry.functionId"),
    *same("B workflow", "gen_ai.workflow.name", "w", "langfuse.trace.name"),
    *same("B workflow", "gen_ai.workflow.name", "w", "workflow.name", "workflow.id", scope="agent_framework"),
    Case("B workflow", {"gen_ai.workflow.nested": True}, {}),
    *same("B prompt", "agentvigil.prompt.template", "t", "llm.prompt_template.template", "traceloop.prompt.template"),
    *same("B prompt", "agentvigil.prompt.variables", "{}", "llm.prompt_template.variables"),
    *same("B prompt", "agentvigil.prompt.variables", "{}", "traceloop.prompt.template_variables"),
    *same("B prompt", "gen_ai.prompt.version", "2", "llm.prompt_template.version", "traceloop.prompt.version"),
    *same("B prompt", "gen_ai.prompt.version", "2", "langfuse.observation.prompt.version"),
    *same(
        "B prompt", "gen_ai.prompt.name", "p", "traceloop.prompt.key", "langfuse.observation.prompt.name", "prompt.id"
    ),
    Case(
        "B documents",
        {
            "openinference.span.kind": "RETRIEVER",
            "input.value": "what",
            "retrieval.documents.0.document.id": "d1",
            "retrieval.documents.0.document.score": 0.5,
        },
        {
            "gen_ai.operation.name": "retrieval",
            "gen_ai.retrieval.query.text": "what",
            "gen_ai.retrieval.documents": [{"id": "d1", "score": 0.5}],
        },
    ),
    Case(
        "B documents",
        {"reranker.output_documents.0.document.id": "d1"},
        {"gen_ai.retrieval.documents": [{"id": "d1"}]},
    ),
    *same("B documents", "gen_ai.retrieval.documents", "[]", "ai.documents", "ai.ranking"),
    Case(
        "B evaluation",
        {},
        {"gen_ai.evaluation.name": "relevance", "gen_ai.evaluation.score.value": 0.5},
        {
            "events": (
                SpanEvent(
                    "gen_ai.evaluation.result",
                    {"gen_ai.evaluation.name": "relevance", "gen_ai.evaluation.score.value": 0.5},
                ),
            )
        },
    ),
    Case("B first chunk", {"ai.response.msToFirstChunk": 250}, {FIRST_CHUNK: 0.25}),
    Case("B first chunk", {"ai.stream.msToFirstChunk": 250.5}, {FIRST_CHUNK: 0.2505}),
    Case(
        "B first chunk",
        {"gen_ai.server.time_to_first_token": 250},
        {FIRST_CHUNK: 0.25},
        {"scope": "strands.telemetry.tracer"},
    ),
    Case("B first chunk", {"gen_ai.server.time_to_first_token": 250}, {}),
    Case("B first chunk", {"lk.response.ttft": 0.25}, {FIRST_CHUNK: 0.25}),
    *(
        Case(
            "B first chunk",
            {"langfuse.observation.completion_start_time": moment},
            {FIRST_CHUNK: 0.488},
            {"start_time_unix_nano": 1_787_738_400_000_000_000},
        )
        for moment in ('"2026-08-26T10:00:00.488Z"', "2026-08-26T10:00:00.488000+00:00")
    ),
]


@pytest.mark.parametrize("case", ATTRIBUTES, ids=str)
def test_a_key_means_what_its_dialect_says(case: Case) -> None:
    """The whole result is compared: a key must not mean more than it does, either."""
    assert normalized(case.attributes, **case.rest).attributes == case.expected


@pytest.mark.parametrize(
    ("attributes", "events", "error_type"),
    [
        ({"langfuse.observation.level": "ERROR", "langfuse.observation.status_message": "no"}, (), "_OTHER"),
        ({}, (SpanEvent("exception", {"exception.type": "ValueError", "exception.message": "no"}),), "ValueError"),
        ({"logfire.level_num": 17}, (), "_OTHER"),
        ({"gen_ai.tool.status": "error"}, (), "tool_error"),
        ({"lk.function_tool.is_error": True}, (), "tool_error"),
        ({"error.type": "timeout"}, (), "timeout"),
    ],
)
def test_an_error_without_an_error_status(
    attributes: dict[str, Any], events: tuple[SpanEvent, ...], error_type: str
) -> None:
    """B status: these would be counted as successes."""
    result = normalized(attributes, events=events)

    assert (result.status, result.attributes["error.type"]) == ("error", error_type)
    assert result.status_message in ("", "no")


@pytest.mark.parametrize(
    "attributes",
    [
        {"langfuse.observation.level": "WARNING"},
        {"logfire.level_num": 9},
        {"logfire.level_num": "17x"},
        {"gen_ai.tool.status": "success"},
        {"lk.function_tool.is_error": False},
    ],
)
def test_no_error_is_made_up(attributes: dict[str, Any]) -> None:
    """B status: their values for what went well."""
    assert normalized(attributes).status == "unset"


def test_a_status_that_was_set_stays() -> None:
    """B status: the sender says that it ended well, in spite of an exception that it dealt with."""
    exception = SpanEvent("exception", {"exception.type": "Retry"})

    assert normalized({}, events=(exception,), status="ok").status == "ok"


# C: providers

PROVIDERS = {
    "azure.ai.openai": ("az.ai.openai", "azure", "Azure", "azure_openai"),
    "azure.ai.inference": ("az.ai.inference",),
    "aws.bedrock": ("bedrock", "AWS", "amazon_bedrock", "aws_bedrock"),
    "gcp.gemini": ("google", "gemini", "google_genai", "generativelanguage", "google.generative-ai"),
    "gcp.vertex_ai": ("vertex_ai", "vertexai", "google_vertexai", "google.vertex"),
    "mistral_ai": ("mistral", "mistralai", "Mistral"),
    "x_ai": ("xai", "grok"),
    "moonshot_ai": ("moonshot", "kimi"),
    "ibm.watsonx.ai": ("watsonx",),
    "openai": ("OpenAI", "openai"),
    "anthropic": ("Anthropic", "anthropic"),
    "Acme": ("Acme",),
}


@pytest.mark.parametrize(
    ("value", "provider"), [(value, provider) for provider, values in PROVIDERS.items() for value in values]
)
@pytest.mark.parametrize("key", [PROVIDER, "gen_ai.system", "llm.provider"])
def test_a_provider_has_one_name(key: str, value: str, provider: str) -> None:
    """C: prices are found by it. A provider that is not known stays what it is."""
    assert normalized({key: value}).attributes == {PROVIDER: provider}


@pytest.mark.parametrize(
    ("name", "framework"),
    [
        ("langchain", "langchain"),
        ("crewai", "crewai"),
        ("strands-agents", "strands"),
        ("autogen", "autogen"),
        ("llamaindex", "llamaindex"),
        ("semantic_kernel", "semantic-kernel"),
        ("haystack", "haystack"),
        ("litellm", "litellm"),
        ("gcp.vertex.agent", "google-adk"),
    ],
)
def test_a_framework_is_no_provider(name: str, framework: str) -> None:
    """C: nobody has prices of a framework."""
    assert normalized({"gen_ai.system": name}).attributes == {"agentvigil.framework": framework}


@pytest.mark.parametrize(
    ("model", "provider"),
    [
        ("gpt-4.1", "openai"),
        ("claude-sonnet-5", "anthropic"),
        ("us.anthropic.claude-sonnet-5-v1:0", "aws.bedrock"),
        ("gemini-2.5-flash", "gcp.gemini"),
        ("azure/gpt-4.1", "azure.ai.openai"),
        ("models/gemini-2.5-flash", "gcp.gemini"),
    ],
)
def test_the_model_tells_the_provider_a_framework_hid(model: str, provider: str) -> None:
    """C: by the beginning of its name, or by what a gateway writes before it."""
    attributes = normalized({"gen_ai.system": "strands-agents", MODEL: model}).attributes

    assert attributes[PROVIDER] == provider


def test_a_provider_beside_a_framework_is_believed() -> None:
    """C: some send both, and the old name has the framework."""
    attributes = normalized({"gen_ai.system": "langchain", "llm.provider": "azure", MODEL: "gpt-4.1"}).attributes

    assert attributes == {PROVIDER: "azure.ai.openai", MODEL: "gpt-4.1", "agentvigil.framework": "langchain"}


def test_a_provider_is_not_made_up() -> None:
    """C: gpt-4.1 without a provider may be Azure's."""
    assert PROVIDER not in normalized({MODEL: "gpt-4.1"}).attributes


# D: what goes wrong


@pytest.mark.parametrize(
    ("attributes", "billing"),
    [
        ({"gen_ai.operation.name": "chat"}, "leaf"),
        ({"gen_ai.operation.name": "embeddings"}, "leaf"),
        ({"gen_ai.operation.name": "invoke_agent", INPUT: 5}, "sum"),
        ({"gen_ai.operation.name": "invoke_workflow", INPUT: 5}, "sum"),
        ({"traceloop.span.kind": "task", INPUT: 5}, "sum"),
        ({"ai.operationId": "ai.streamText", INPUT: 5}, "sum"),
        ({"gen_ai.operation.name": "execute_tool", INPUT: 5}, "none"),
        ({"gen_ai.operation.name": "fetch_response"}, "none"),
        ({"gen_ai.operation.name": "acme_think"}, "none"),
        ({"gen_ai.operation.name": "acme_think", INPUT: 5}, "undecided"),
        ({INPUT: 5}, "undecided"),
        ({}, "none"),
    ],
)
def test_only_leaves_are_paid_for(attributes: dict[str, Any], billing: str) -> None:
    """D 3: usage on an agent's span is the sum of what lies below it."""
    result = normalized(attributes)

    assert (result.billing, result.is_leaf) == (billing, billing == "leaf")


@pytest.mark.parametrize(
    ("attributes", "rest", "input_tokens", "convention", "evidence"),
    [
        ({INPUT: 100, CACHE_READ: 90, PROVIDER: "openai"}, {}, 100, "includes_cache", "declared"),
        ({INPUT: 10, CACHE_READ: 90, PROVIDER: "openai"}, {}, 100, "excludes_cache", "contradiction"),
        ({"input_tokens": 10, "cache_read_tokens": 5}, CLAUDE_CODE, 15, "excludes_cache", "declared"),
        ({INPUT: 10, CACHE_READ: 5}, CLAUDE_CODE, 10, "includes_cache", "declared"),
        ({INPUT: 10, CACHE_READ: 5}, {"scope": "litellm"}, 10, "unstated", "assumed"),
        ({INPUT: 10, CACHE_READ: 6, CACHE_WRITE: 5}, {"scope": "litellm"}, 21, "excludes_cache", "contradiction"),
        ({CACHE_READ: 6}, {}, None, "unstated", ""),
    ],
)
def test_the_input_includes_the_cache(
    attributes: dict[str, Any], rest: dict[str, Any], input_tokens: int | None, convention: str, evidence: str
) -> None:
    """D 2: the convention that was applied is recorded, and why it was believed."""
    result = normalized(attributes, **rest)

    assert result.attributes.get(INPUT) == input_tokens
    assert (result.tokens.input, result.tokens.input_evidence) == (convention, evidence)


def test_a_total_tells_that_reasoning_is_missing() -> None:
    """D: Langfuse's LangChain handler takes reasoning out of the output, but its total is right."""
    usage = '{"input": 10, "output": 5, "output_reasoning": 20, "total": 35}'
    result = normalized({"langfuse.observation.usage_details": usage})

    assert result.attributes == {INPUT: 10, OUTPUT: 25, REASONING: 20}
    assert (result.tokens.output, result.tokens.output_evidence) == ("excludes_reasoning", "total")


def test_reasoning_is_a_part_of_the_output() -> None:
    """D 2, for the other side: more reasoning than output cannot have been counted in it."""
    assert normalized({OUTPUT: 5, REASONING: 20}).attributes[OUTPUT] == 25


def test_zero_means_unknown_where_a_stream_had_no_usage() -> None:
    """D: LiteLLM sends 0 tokens and a cost of 0.0 for want of any."""
    zeros = {INPUT: 0, OUTPUT: 0, "litellm.cost.total": 0.0, "gen_ai.usage.cost": 0.0}

    assert normalized(zeros, scope="litellm").attributes == {}
    assert normalized(zeros | {OUTPUT: 3}, scope="litellm").attributes == {INPUT: 0, OUTPUT: 3}


def test_a_cost_of_zero_without_prices_is_unknown() -> None:
    """D: OpenLIT has no price of most models."""
    attributes = {"gen_ai.usage.cost": 0, INPUT: 0}

    assert normalized(attributes, scope="openlit.otel.tracing").attributes == {INPUT: 0}


def test_zero_is_zero_elsewhere() -> None:
    """D: a refused call used nothing, and says so."""
    assert normalized({INPUT: 0, OUTPUT: 0, PROVIDER: "openai"}).attributes[OUTPUT] == 0


def test_counts_in_python_repr_are_read() -> None:
    """D: LangSmith and LiteLLM write a dictionary's repr instead of JSON."""
    langsmith = {"gen_ai.usage.input_token_details": "{'audio': 0, 'cache_read': 7}", INPUT: 10}
    litellm = {"metadata.usage_object": "{'total': 1, 'cache_read_input_tokens': 7, 'x': None}", INPUT: 10}

    assert normalized(langsmith).attributes[CACHE_READ] == 7
    assert normalized(litellm, scope="litellm").attributes[CACHE_READ] == 7


def test_structures_and_their_json_are_the_same() -> None:
    """D 5: an SDK that allows structures sends them, others send text."""
    usage = {"input": 10, "output": 5}

    assert normalized({"langfuse.observation.usage_details": usage}).attributes == {INPUT: 10, OUTPUT: 5}
    assert normalized({"gen_ai.input.messages": [{"role": "user"}]}).attributes == {MESSAGES_IN: [{"role": "user"}]}


def test_a_gap_in_the_numbers_is_a_cut() -> None:
    """D 6: with 128 attributes at most, the first messages of a long chat are gone."""
    result = normalized({"llm.input_messages.4.message.role": "user", "llm.input_messages.7.message.role": "tool"})

    assert [message["role"] for message in result.attributes[MESSAGES_IN]] == ["user", "tool"]  # type: ignore[attr-defined]
    assert result.truncated == {MESSAGES_IN}


def test_what_is_no_number_is_no_number() -> None:
    """D: Langfuse sends max_tokens as Infinity."""
    result = normalized({"langfuse.observation.model.parameters": '{"max_tokens": "Infinity", "temperature": 1}'})

    assert result.attributes == {"gen_ai.request.temperature": 1.0}


@pytest.mark.parametrize("value", ["many", -1, True, 1.5, "1.5", "", " 1", "0x1", "१", 2**80, [1], {"a": 1}, None])
def test_a_count_is_a_count(value: Any) -> None:
    """D: a count that cannot be read is unknown, never 0, and the key is reported."""
    result = normalized({INPUT: value})

    assert INPUT not in result.attributes
    assert result.rejected_keys == ({INPUT} if value not in ("", None) else set())
