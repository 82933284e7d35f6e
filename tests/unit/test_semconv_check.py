"""check(): each rule finds what it is for, and a good span has nothing to tell."""

import json
import random
from typing import Any

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from agentvigil.cli.fleet.playing import Player
from agentvigil.cli.fleet.script import Script
from agentvigil.semconv import enums
from agentvigil.semconv import names as n
from agentvigil.semconv.check import Code, Problem, Severity, check
from agentvigil.semconv.registry import load
from agentvigil.semconv.spans import SpanKind

ERROR, WARNING, NOTE = Severity.ERROR, Severity.WARNING, Severity.NOTE

CHAT: dict[str, object] = {
    n.GEN_AI_OPERATION_NAME: "chat",
    n.GEN_AI_PROVIDER_NAME: "openai",
    n.GEN_AI_REQUEST_MODEL: "gpt-4.1",
    n.GEN_AI_RESPONSE_ID: "chatcmpl-1",
    n.GEN_AI_RESPONSE_MODEL: "gpt-4.1-2025-04-14",
    n.GEN_AI_RESPONSE_FINISH_REASONS: ["stop"],
    n.GEN_AI_USAGE_INPUT_TOKENS: 1200,
    n.GEN_AI_USAGE_OUTPUT_TOKENS: 85,
    n.SERVER_ADDRESS: "api.openai.com",
}
TOOL: dict[str, object] = {
    n.GEN_AI_OPERATION_NAME: "execute_tool",
    n.GEN_AI_TOOL_NAME: "search",
    n.GEN_AI_TOOL_TYPE: "function",
    n.GEN_AI_TOOL_CALL_ID: "call_1",
}
AGENT: dict[str, object] = {n.GEN_AI_OPERATION_NAME: "invoke_agent", n.GEN_AI_AGENT_NAME: "support"}


def chat(changes: dict[str, object] | None = None, *, without: tuple[str, ...] = (), **fields: Any) -> dict[str, Any]:
    """A good chat span with ``changes`` to its attributes and ``fields`` of its own."""
    attributes = {key: value for key, value in {**CHAT, **(changes or {})}.items() if key not in without}
    return {"name": "chat gpt-4.1", "kind": "CLIENT", "attributes": attributes, **fields}


def tool(changes: dict[str, object] | None = None, **fields: Any) -> dict[str, Any]:
    return {"name": "execute_tool search", "kind": "INTERNAL", "attributes": {**TOOL, **(changes or {})}, **fields}


def agent(changes: dict[str, object] | None = None, **fields: Any) -> dict[str, Any]:
    return {"name": "invoke_agent support", "kind": "INTERNAL", "attributes": {**AGENT, **(changes or {})}, **fields}


def told(span: dict[str, Any]) -> list[tuple[str, str, str | None]]:
    """What is told of a span, without the words."""
    return [(problem.severity, problem.code, problem.attribute) for problem in check(span)]


@pytest.mark.parametrize(
    "span",
    [
        chat(),
        tool(),
        agent(),
        chat({n.ERROR_TYPE: "timeout"}, status="ERROR"),
        chat({n.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS: 1000, n.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS: 200}),
        chat({n.GEN_AI_OPERATION_NAME: enums.OperationName.CHAT, n.GEN_AI_PROVIDER_NAME: enums.ProviderName.OPENAI}),
        chat({n.GEN_AI_RESPONSE_FINISH_REASONS: ("end_turn",)}),
        tool({n.GEN_AI_SKILL_NAME: "pdf"}, name="execute_tool search pdf"),
        tool({n.PROCESS_EXECUTABLE_NAME: "python3"}, name="execute_tool search python3"),
        tool({n.MCP_METHOD_NAME: "tools/call"}),
        {"name": "invoke_agent support", "attributes": AGENT},
        {"name": "GET /", "kind": "SERVER", "attributes": {"http.route": "/", n.ERROR_TYPE: "500"}, "status": "UNSET"},
        {"name": "query", "attributes": {n.GEN_AI_AGENT_NAME: "support", "db.system.name": "postgresql"}},
        {"name": "step", "attributes": {n.AGENTVIGIL_STEP_TYPE: "plan", n.AGENTVIGIL_STEP_ATTEMPT: 2}},
    ],
    ids=[
        "chat", "tool", "agent", "failed chat", "cache", "enums", "own finish reason", "skill", "program",
        "enriched tool", "agent without a kind", "http", "foreign span with context", "step by hand",
    ],
)  # fmt: skip
def test_a_good_span_has_no_problems(span: dict[str, Any]) -> None:
    """A checker that complains about good spans is switched off."""
    assert check(span) == []


@pytest.mark.parametrize(
    ("span", "problem"),
    [
        # missing
        (chat(without=(n.GEN_AI_PROVIDER_NAME,)), (ERROR, Code.MISSING, n.GEN_AI_PROVIDER_NAME)),
        (chat(without=(n.GEN_AI_OPERATION_NAME,)), (ERROR, Code.MISSING, n.GEN_AI_OPERATION_NAME)),
        (chat(without=(n.GEN_AI_REQUEST_MODEL,), name="chat"), (WARNING, Code.MISSING, n.GEN_AI_REQUEST_MODEL)),
        (chat(without=(n.GEN_AI_USAGE_INPUT_TOKENS,)), (NOTE, Code.MISSING, n.GEN_AI_USAGE_INPUT_TOKENS)),
        (agent(kind="CLIENT"), (ERROR, Code.MISSING, n.GEN_AI_PROVIDER_NAME)),
        # names
        (chat({"gen_ai.usage.prompt_tokens": 9}), (WARNING, Code.DEPRECATED, "gen_ai.usage.prompt_tokens")),
        (chat({"gen_ai.usage.reasoning_tokens": 9}), (WARNING, Code.DEPRECATED, "gen_ai.usage.reasoning_tokens")),
        (chat({"gen_ai.token.type": "input"}), (WARNING, Code.DEPRECATED, "gen_ai.token.type")),
        (chat({"gen_ai.usage.cost.amount": 0.1}), (NOTE, Code.PROPOSED, "gen_ai.usage.cost.amount")),
        (chat({"gen_ai.requst.model": "x"}), (WARNING, Code.UNKNOWN, "gen_ai.requst.model")),
        (chat({"genai.request.model": "x"}), (WARNING, Code.UNKNOWN, "genai.request.model")),
        (chat({"agentvigil.step.typ": "x"}), (WARNING, Code.UNKNOWN, "agentvigil.step.typ")),
        (agent({n.GEN_AI_PROVIDER_NAME: "openai"}), (NOTE, Code.MISPLACED, n.GEN_AI_PROVIDER_NAME)),
        # types
        (chat({n.GEN_AI_USAGE_INPUT_TOKENS: "1200"}), (ERROR, Code.TYPE, n.GEN_AI_USAGE_INPUT_TOKENS)),
        (chat({n.GEN_AI_USAGE_INPUT_TOKENS: 1200.0}), (ERROR, Code.TYPE, n.GEN_AI_USAGE_INPUT_TOKENS)),
        (chat({n.GEN_AI_USAGE_INPUT_TOKENS: True}), (ERROR, Code.TYPE, n.GEN_AI_USAGE_INPUT_TOKENS)),
        (chat({n.GEN_AI_USAGE_INPUT_TOKENS: None}), (ERROR, Code.TYPE, n.GEN_AI_USAGE_INPUT_TOKENS)),
        (chat({n.GEN_AI_REQUEST_TEMPERATURE: 1}), (NOTE, Code.TYPE, n.GEN_AI_REQUEST_TEMPERATURE)),
        (chat({n.GEN_AI_RESPONSE_FINISH_REASONS: "stop"}), (ERROR, Code.TYPE, n.GEN_AI_RESPONSE_FINISH_REASONS)),
        (chat({n.GEN_AI_RESPONSE_FINISH_REASONS: [1]}), (ERROR, Code.TYPE, n.GEN_AI_RESPONSE_FINISH_REASONS)),
        (chat({n.GEN_AI_REQUEST_STREAM: "true"}), (ERROR, Code.TYPE, n.GEN_AI_REQUEST_STREAM)),
        (chat({n.GEN_AI_RESPONSE_ID: 7}), (ERROR, Code.TYPE, n.GEN_AI_RESPONSE_ID)),
        # values
        (chat({n.GEN_AI_USAGE_OUTPUT_TOKENS: -1}), (ERROR, Code.VALUE, n.GEN_AI_USAGE_OUTPUT_TOKENS)),
        (chat({n.GEN_AI_REQUEST_TOP_P: 1.5}), (ERROR, Code.VALUE, n.GEN_AI_REQUEST_TOP_P)),
        (chat({n.GEN_AI_REQUEST_TEMPERATURE: float("nan")}), (ERROR, Code.VALUE, n.GEN_AI_REQUEST_TEMPERATURE)),
        (chat({n.GEN_AI_PROVIDER_NAME: "acme"}), (NOTE, Code.VALUE, n.GEN_AI_PROVIDER_NAME)),
        (chat({n.GEN_AI_PROVIDER_NAME: "xai"}), (WARNING, Code.VALUE, n.GEN_AI_PROVIDER_NAME)),
        (chat({n.GEN_AI_PROVIDER_NAME: "antropic"}), (WARNING, Code.VALUE, n.GEN_AI_PROVIDER_NAME)),
        (chat({n.GEN_AI_OPERATION_NAME: "ponder"}), (WARNING, Code.VALUE, n.GEN_AI_OPERATION_NAME)),
        (chat({n.AGENTVIGIL_STEP_TYPE: "thinking"}), (ERROR, Code.VALUE, n.AGENTVIGIL_STEP_TYPE)),
        (chat({n.AGENTVIGIL_STEP_TYPE: "thinking hard"}), (ERROR, Code.VALUE, n.AGENTVIGIL_STEP_TYPE)),
        (chat({n.AGENTVIGIL_STEP_ATTEMPT: 0}), (ERROR, Code.VALUE, n.AGENTVIGIL_STEP_ATTEMPT)),
        (chat({n.GEN_AI_CONVERSATION_ID: "my chat with Bob"}), (NOTE, Code.VALUE, n.GEN_AI_CONVERSATION_ID)),
        (chat({n.GEN_AI_CONVERSATION_ID: "a\n"}), (NOTE, Code.VALUE, n.GEN_AI_CONVERSATION_ID)),
        (chat({n.GEN_AI_INPUT_MESSAGES: "[{"}), (WARNING, Code.VALUE, n.GEN_AI_INPUT_MESSAGES)),
        # tokens
        (
            chat({n.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS: 1001, n.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS: 200}),
            (ERROR, Code.TOKENS, n.GEN_AI_USAGE_INPUT_TOKENS),
        ),
        (chat({n.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS: 86}), (ERROR, Code.TOKENS, n.GEN_AI_USAGE_OUTPUT_TOKENS)),
        (chat({n.GEN_AI_USAGE_AUDIO_INPUT_TOKENS: 1201}), (ERROR, Code.TOKENS, n.GEN_AI_USAGE_INPUT_TOKENS)),
        (
            chat({n.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS: 3}, without=(n.GEN_AI_USAGE_OUTPUT_TOKENS,)),
            (WARNING, Code.TOKENS, n.GEN_AI_USAGE_OUTPUT_TOKENS),
        ),
        # name, kind, status, events, content
        (chat(name="openai.chat"), (WARNING, Code.NAME, None)),
        (tool(name="execute_tool search pdf"), (WARNING, Code.NAME, None)),
        (chat(kind="SERVER"), (WARNING, Code.KIND, None)),
        (tool(kind="CLIENT"), (WARNING, Code.KIND, None)),
        (tool(kind="UNSPECIFIED"), (NOTE, Code.KIND, None)),
        (chat(status="ERROR"), (ERROR, Code.STATUS, n.ERROR_TYPE)),
        (chat({n.ERROR_TYPE: "timeout"}), (WARNING, Code.STATUS, n.ERROR_TYPE)),
        (chat(status="OK"), (NOTE, Code.STATUS, None)),
        (chat(events=[{"name": "gen_ai.user.message"}]), (WARNING, Code.EVENT, None)),
        (chat(events=[{"name": "exception"}]), (NOTE, Code.EVENT, None)),
        (
            chat(events=[{"name": "x", "attributes": {"gen_ai.system": "openai"}}]),
            (WARNING, Code.DEPRECATED, n.GEN_AI_SYSTEM),
        ),
        (chat(events=[{"name": "x", "attributes": {n.ERROR_TYPE: 1}}]), (ERROR, Code.TYPE, n.ERROR_TYPE)),
        ({"name": "x", "events": [{"name": "gen_ai.user.message"}]}, (WARNING, Code.EVENT, None)),
        (chat({n.GEN_AI_INPUT_MESSAGES: "[]"}), (NOTE, Code.CONTENT, None)),
    ],
)  # fmt: skip
def test_each_rule_finds_what_it_is_for(span: dict[str, Any], problem: tuple[str, str, str | None]) -> None:
    """One change to a good span, and that one problem."""
    found = told(span)

    assert problem in found
    # An unknown operation, or none, leaves the span without a name and kind to hold it against.
    assert [other for other in found if other[0] == ERROR and other != problem] == []


def test_every_operation_is_known_by_some_span() -> None:
    """An operation that no span has could only be sent without being understood."""
    of_spans = [operation for span in load().spans.values() for operation in span.operations]

    assert set(of_spans) == {member.value for member in enums.OperationName}


@pytest.mark.parametrize("span_type", load().spans.values(), ids=lambda span_type: span_type.id)
def test_each_kind_of_span_can_be_written_without_a_complaint(span_type: Any) -> None:
    """The registry's own examples, put together as its own rules say, must satisfy them."""
    registry = load()
    asked = {*span_type.required, *span_type.recommended, *span_type.expected}
    values: dict[str, object] = {name: registry.attributes[name].examples[0] for name in asked}
    if span_type.operations:
        values[n.GEN_AI_OPERATION_NAME] = span_type.operations[0]
    name = next(
        template.format_map(Flat(values))
        for template in span_type.names
        if all(part in values for part in Flat.parts(template))
    )

    assert check({"name": name, "kind": span_type.kinds[0], "attributes": values}) == []


class Flat(dict[str, object]):
    """str.format takes dots for attributes; this puts them back together."""

    @staticmethod
    def parts(template: str) -> list[str]:
        return [part.partition("}")[0] for part in template.split("{")[1:]]

    def __init__(self, values: dict[str, object]) -> None:
        super().__init__()
        self._values = values

    def __missing__(self, root: str) -> "_Dotted":
        return _Dotted(self._values, root)


class _Dotted:
    def __init__(self, values: dict[str, object], path: str) -> None:
        self._values, self._path = values, path

    def __getattr__(self, part: str) -> "_Dotted":
        return _Dotted(self._values, f"{self._path}.{part}")

    def __format__(self, _: str) -> str:
        return str(self._values[self._path])


# What is said, and what is not


def message_about(attribute: str | None, span: dict[str, Any], code: Code) -> str:
    (message,) = {problem.message for problem in check(span) if (problem.attribute, problem.code) == (attribute, code)}
    return message


def test_a_former_name_is_the_problem_and_not_the_missing_current_one() -> None:
    """Two complaints about one slip would send people looking for a second."""
    span = chat({"gen_ai.system": "openai"}, without=(n.GEN_AI_PROVIDER_NAME,))

    assert told(span) == [(WARNING, Code.DEPRECATED, "gen_ai.system")]
    assert "write gen_ai.provider.name instead" in message_about("gen_ai.system", span, Code.DEPRECATED)


def test_a_former_name_beside_the_current_one_can_go() -> None:
    """Some libraries send both for a while."""
    assert "leave the old one out" in message_about("gen_ai.system", chat({"gen_ai.system": "openai"}), Code.DEPRECATED)


def test_a_former_name_is_not_replaced_where_its_successor_does_not_belong() -> None:
    """Advice that leads to the next complaint is none."""
    span = tool({"gen_ai.system": "openai"})

    assert told(span) == [(WARNING, Code.DEPRECATED, "gen_ai.system")]
    assert message_about("gen_ai.system", span, Code.DEPRECATED).endswith("leave it out")


def test_a_flattened_history_is_told_once() -> None:
    """It has some keys per message, and agents send the whole history every turn."""
    span = chat({f"gen_ai.prompt.{number}.content": "hello" for number in range(100)})

    assert told(span) == [(WARNING, Code.DEPRECATED, "gen_ai.prompt"), (NOTE, Code.CONTENT, None)]


def test_the_size_of_a_retrieval_has_a_name_of_its_own() -> None:
    """``gen_ai.request.top_k`` is right on a chat and was right on a retrieval."""
    attributes = {n.GEN_AI_OPERATION_NAME: "retrieval", n.GEN_AI_DATA_SOURCE_ID: "kb", n.GEN_AI_REQUEST_TOP_K: 5}
    span = {"name": "retrieval kb", "kind": "CLIENT", "attributes": attributes}

    assert told(span) == [(WARNING, Code.DEPRECATED, n.GEN_AI_REQUEST_TOP_K)]
    assert n.GEN_AI_RETRIEVAL_TOP_K in message_about(n.GEN_AI_REQUEST_TOP_K, span, Code.DEPRECATED)


def test_tokens_under_former_names_are_added_up_too() -> None:
    """Who excludes the cache from the input tokens is mostly old."""
    usage = {"gen_ai.usage.prompt_tokens": 200, "gen_ai.usage.cache_read_input_tokens": 1000}
    span = chat(usage, without=(n.GEN_AI_USAGE_INPUT_TOKENS,))

    assert (ERROR, Code.TOKENS, n.GEN_AI_USAGE_INPUT_TOKENS) in told(span)


@pytest.mark.parametrize(
    ("key", "nearest"),
    [
        ("gen_ai.requst.model", n.GEN_AI_REQUEST_MODEL),
        ("gen_ai.usage.inputTokens", n.GEN_AI_USAGE_INPUT_TOKENS),
        ("gen-ai.operation.name", n.GEN_AI_OPERATION_NAME),
        ("GenAI.Operation.Name", n.GEN_AI_OPERATION_NAME),
        ("agentvigil.step_type", n.AGENTVIGIL_STEP_TYPE),
    ],
)
def test_the_nearest_name_is_offered(key: str, nearest: str) -> None:
    """Most unknown names are known ones with a slip."""
    assert f"is {nearest} meant?" in message_about(key, chat({key: "x"}), Code.UNKNOWN)


@pytest.mark.parametrize(
    "key",
    ["gen_ai.acme.flux", "gen_ai.usage.sum_tokens", "gen_ai.usage.input_cached_tokens", "gen_ai.application_name"],
)
def test_a_name_far_from_all_others_gets_no_guess(key: str) -> None:
    """A wrong guess is worse than none."""
    assert "meant?" not in message_about(key, chat({key: "x"}), Code.UNKNOWN)


@pytest.mark.parametrize(
    ("span", "key", "value"),
    [
        (chat({n.GEN_AI_PROVIDER_NAME: "xai"}), n.GEN_AI_PROVIDER_NAME, "x_ai"),
        (tool({n.GEN_AI_OPERATION_NAME: "tool"}), n.GEN_AI_OPERATION_NAME, "execute_tool"),
    ],
)
def test_another_spelling_of_a_value_counts_as_the_value(span: dict[str, Any], key: str, value: str) -> None:
    """The span is understood, and one thing is to be done."""
    assert told(span) == [(WARNING, Code.VALUE, key)]
    assert f"written {value!r}" in message_about(key, span, Code.VALUE)


def test_an_operation_in_another_spelling_decides_what_is_asked_for() -> None:
    """It is understood, so the rest of the span is looked at too."""
    span = tool({n.GEN_AI_OPERATION_NAME: "tool"})
    del span["attributes"][n.GEN_AI_TOOL_NAME]

    assert told(span)[0] == (ERROR, Code.MISSING, n.GEN_AI_TOOL_NAME)


def test_a_repeated_key_is_told() -> None:
    """OTLP forbids it, and stores disagree about which one counts."""
    pairs = [{"key": n.GEN_AI_AGENT_NAME, "value": {"stringValue": value}} for value in ("a", "b")]

    assert told({"name": "step", "attributes": pairs}) == [(WARNING, Code.REPEATED, n.GEN_AI_AGENT_NAME)]


def test_a_missing_operation_is_guessed_from_the_name() -> None:
    """The span's name mostly says it already."""
    span = tool()
    del span["attributes"][n.GEN_AI_OPERATION_NAME]

    assert "'execute_tool'" in message_about(n.GEN_AI_OPERATION_NAME, span, Code.MISSING)


def test_a_missing_attribute_is_not_told_twice() -> None:
    """The span's name may well be right; it is the attribute that is not there."""
    span = tool()
    del span["attributes"][n.GEN_AI_TOOL_NAME]

    assert told(span) == [(ERROR, Code.MISSING, n.GEN_AI_TOOL_NAME)]


def test_a_failed_call_is_not_asked_for_its_response() -> None:
    """There is none to tell of."""
    attributes = {key: value for key, value in CHAT.items() if "response" not in key and "usage" not in key}
    span = {"name": "chat gpt-4.1", "kind": "CLIENT", "attributes": {**attributes, n.ERROR_TYPE: "timeout"}}

    assert check({**span, "status": "ERROR"}) == []


def test_mcp_spans_are_held_against_their_own_rules() -> None:
    """Their name begins with the method, not with the operation."""
    mcp = {n.MCP_METHOD_NAME: "tools/call", n.MCP_PROTOCOL_VERSION: "2026-07-28", n.NETWORK_TRANSPORT: "pipe"}
    attributes = {**TOOL, **mcp}

    assert check({"name": "tools/call search", "kind": "CLIENT", "attributes": attributes}) == []
    assert (WARNING, Code.NAME, None) in told({"name": "search", "kind": "SERVER", "attributes": attributes})


def test_no_message_quotes_what_may_be_content() -> None:
    """Reports go into tickets and the output of builds."""
    secret = "please refund Bob Miller"
    attributes = {name: secret for name, found in load().attributes.items() if found.name != n.GEN_AI_OPERATION_NAME}
    span = {**chat(attributes), "events": [{"name": "gen_ai.user.message", "attributes": {"content": secret}}]}
    # The span's name is its own and meant to be seen.
    attributes[n.GEN_AI_REQUEST_MODEL] = "gpt-4.1"
    span["attributes"][n.GEN_AI_REQUEST_MODEL] = "gpt-4.1"

    problems = check(span)

    assert len(problems) > 60
    assert [problem for problem in problems if "Bob" in problem.message] == []


def test_the_worst_comes_first() -> None:
    """People read from the top."""
    problems = check(chat({"gen_ai.system": "openai", n.GEN_AI_USAGE_INPUT_TOKENS: -1}, status="OK"))

    assert [problem.severity for problem in problems] == [ERROR, WARNING, NOTE]
    assert isinstance(problems[0], Problem)


def test_an_otlp_span_is_taken_as_it_is() -> None:
    """The usual thing to have at hand is an export request."""
    attributes = [{"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}}]

    found = check({"name": "chat", "kind": 3, "attributes": attributes})

    assert (found[0].severity, found[0].attribute) == (ERROR, n.GEN_AI_PROVIDER_NAME)


def test_the_demo_has_no_errors() -> None:
    """Whoever learns from the demo's spans should learn the conventions."""
    exporters: list[InMemorySpanExporter] = []

    def new_exporter() -> InMemorySpanExporter:
        exporters.append(InMemorySpanExporter())
        return exporters[-1]

    player = Player(new_exporter)
    script = Script(1, ids=random.Random(1))
    for _ in range(100):
        player.play(script.next_run(), 1_700_000_000 * 10**9)
    player.close(timeout_s=5)
    spans = [json.loads(span.to_json()) for exporter in exporters for span in exporter.get_finished_spans()]

    assert len(spans) > 300
    assert {(span["name"], *problem) for span in spans for problem in told(span) if problem[0] == ERROR} == set()
    assert {SpanKind.CLIENT, SpanKind.INTERNAL} == {SpanKind[span["kind"].rpartition(".")[2]] for span in spans}
