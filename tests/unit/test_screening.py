"""What is withheld, by the plain Python of ``screening`` and by the view, which have to say the same of anything."""

import re
import uuid
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, InstrumentationScope, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from agentvigil.receiver.otlp import TRACES, OtlpSignal
from agentvigil.semconv import registry
from agentvigil.semconv.privacy import TEXT_CLASSES, ContentPolicy, KeyClass, class_of, key_classes
from agentvigil.semconv.screening import HASH, Screened, Value, error_text, screen, screen_place, text_of
from agentvigil.storage.embedded import EmbeddedStore

OFF, MASKED, FULL = ContentPolicy
ORIGINAL_START = "agentvigil.original_start_time_unix_nano"

Insert = Callable[[OtlpSignal, bytes, ContentPolicy], None]


# Keys


def test_the_vocabularys_classes_are_the_keys_classes() -> None:
    """A name may be treated as a label's text that may have spaces, and nothing may be let through that is content."""
    differ = {
        name: (attribute.privacy, class_of(name))
        for name, attribute in registry.load().attributes.items()
        if (attribute.privacy is registry.Privacy.CONTENT) != (class_of(name) is KeyClass.CONTENT)
    }
    assert differ == {}


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("input.value", KeyClass.CONTENT),
        ("ai.ranking", KeyClass.CONTENT),
        ("llm.input_messages.0.message.content", KeyClass.CONTENT),
        ("llm.input_messages.0.message.role", KeyClass.UNKNOWN),
        ("llm.input_messages.10.message.tool_calls.0.tool_call.function.name", KeyClass.UNKNOWN),
        ("llm.input_messages.10.message.tool_calls.0.tool_call.function.arguments", KeyClass.CONTENT),
        ("gen_ai.completion.0.finish_reason", KeyClass.LABEL),
        ("gen_ai.completion.1.finish_reason", KeyClass.UNKNOWN),
        ("gen_ai.prompt.0.content", KeyClass.CONTENT),
        ("gen_ai.prompt.name", KeyClass.NAME),
        ("gen_ai.prompt.variable.city", KeyClass.CONTENT),
        ("retrieval.documents.0.document.id", KeyClass.UNKNOWN),
        ("retrieval.documents.0.document.content", KeyClass.CONTENT),
        ("llm.invocation_parameters", KeyClass.NUMERIC_JSON),
        ("metadata.usage_object", KeyClass.NUMERIC_JSON),
        ("gen_ai.usage.input_token_details", KeyClass.NUMERIC_JSON),
        ("langfuse.observation.usage_details", KeyClass.NUMERIC_JSON),
        ("exception.message", KeyClass.FREE_TEXT),
        ("langfuse.observation.status_message", KeyClass.FREE_TEXT),
        ("exception.stacktrace", KeyClass.STACKTRACE),
        ("service.name", KeyClass.NAME),
        ("user.id", KeyClass.LABEL),
        ("app.color", KeyClass.UNKNOWN),
        ("my name is Anna", KeyClass.NOT_A_LABEL),
        ("", KeyClass.NOT_A_LABEL),
        ("k" * 128, KeyClass.UNKNOWN),
        ("k" * 129, KeyClass.NOT_A_LABEL),
        ("ключ", KeyClass.NOT_A_LABEL),
    ],
)
def test_a_key_has_its_class(key: str, expected: KeyClass) -> None:
    """Numbers of messages make families; what stands in them for structure is no content."""
    assert class_of(key) is expected


# Values


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("app.mode", "fast", "fast"),
        ("app.mode", "as fast as you can", None),
        ("app.count", 7, "7"),
        ("app.tags", ["a", "b"], '["a","b"]'),
        ("app.tags", ["a", "what Anna said"], None),
        ("app.numbers", "[1, 2.5, -3e9]", "[1, 2.5, -3e9]"),
        ("service.name", "checkout service", "checkout service"),
        ("service.name", "where does my friend Anna live", HASH),
        ("user.id", "u-1", "u-1"),
        ("user.id", "Anna Smith", HASH),
        ("llm.invocation_parameters", '{"temperature": 0.2, "stop": ["Anna"]}', '{"temperature":0.2}'),
        ("llm.invocation_parameters", '{"temperature": 0.2}', '{"temperature": 0.2}'),
        (
            "metadata.usage_object",
            "{'prompt_tokens': 3, 'x': {'cached_tokens': 1}}",
            '{"prompt_tokens":3,"cached_tokens":1}',
        ),
        ("exception.stacktrace", 'File "/home/anna/run.py", line 3, in main\n  say("hi")', "run.py:3 main"),
        ("input.value", "hello", None),
        ("input.value", 5, None),
    ],
)
def test_what_is_kept_where_content_is_off(key: str, value: Value, expected: str | None) -> None:
    """Numbers and labels stay, text goes."""
    assert screen(key, value, OFF) == Screened(expected)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("Error code: 429 - Rate limit reached for John Smith", "Error code: 429 - Rate limit reached for …"),
        ("Request timed out.", "Request timed out."),
        ("[Errno 111] Connection refused", "[Errno 111] Connection refused"),
        ("Incorrect API key provided: sk-abc123def456.", "Incorrect API key provided: …."),
        ("call me at +49 170 1234567, Anna", "call … at +…"),
        ("4111 1111 1111 1111", "…"),
        ("Prompt of Zoë: “秘密”", "Prompt of …"),
    ],
)
def test_free_text_keeps_the_words_of_errors(said: str, kept: str) -> None:
    """Whoever looks for a reason finds it; whoever looks for a person does not."""
    assert error_text(said) == kept


@pytest.mark.parametrize(
    "phrase",
    [
        "rate limit exceeded", "too many requests", "quota exceeded", "throttling", "resource exhausted",
        "request timed out", "deadline exceeded", "timeout", "read timed out", "unauthorized", "forbidden",
        "invalid api key", "permission denied", "access denied", "authentication failed", "invalid credentials",
        "maximum context length", "context window", "prompt is too long", "too many tokens",
        "input is too long", "reduce the length of the messages", "content filter", "content policy",
        "content management policy", "blocked by safety settings", "guardrail triggered", "guardrail intervened",
        "connection refused", "connection reset", "connection error", "service unavailable",
        "service temporarily unavailable", "overloaded", "internal server error", "bad gateway",
        "name or service not known", "max iterations", "maximum number of turns", "recursion limit",
        "stopped due to iteration limit", "schema validation", "validation errors for", "does not match schema",
        "invalid json", "failed to parse", "not valid json", "could not parse", "not found", "no such tool",
        "does not exist", "unknown tool", "invalid request", "unsupported parameter", "bad request",
        "operation was cancelled", "request aborted", "credit balance is too low",
    ],
)  # fmt: skip
def test_what_failures_are_known_by_stays(phrase: str) -> None:
    """The taxonomy of failures matches these in what is stored."""
    assert error_text(phrase) == phrase
    assert error_text(f"{phrase.capitalize()}: Zsófia Kovács") == f"{phrase.capitalize()}: …"


# The view says the same

WORDS = (
    "Anna", "what", "timeout", "error", "429", "chat", "GET", "sk-abcdefghij", "a@b.example", "x", "é", "日本", "\n",
    "'", '"', "\\", "{", "}", "[", "]", ":", ",", "1", "-", "0170 1234567", "4111 1111 1111 1111", "…", "~",
)  # fmt: skip
TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=80),
    st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join),
    st.lists(st.sampled_from(WORDS), max_size=12).map("".join),
    st.text("abcXYZ019_.:/@-", max_size=70),
    st.sampled_from(
        (
            "[]",
            '["a", 1]',
            '["a b"]',
            "{'a': 1, 'b': 'x y'}",
            '{"a":1,"b":"x y","c":{"d":1}}',
            "{}",
            "null",
            '"x"',
            "[[1]]",
        )
    ),
)
FAMILY_KEYS = st.sampled_from(sorted(key_classes().families)).flatmap(
    lambda family: st.sampled_from(("0.content", "1.message.role", "0", "x", "0.tool_calls.2.name")).map(family.__add__)
)
KEYS = st.one_of(
    st.sampled_from(sorted(key_classes().keys.keys() - {ORIGINAL_START})),
    FAMILY_KEYS,
    st.text("ab.0_ -é", max_size=12),
    st.just("k" * 129),
    st.sampled_from(sorted(TEXT_CLASSES)),
)
VALUES = st.one_of(TEXTS, st.booleans(), st.integers(-(2**63), 2**63 - 1), st.lists(TEXTS, max_size=3))


def any_value(value: Value) -> AnyValue:
    match value:
        case bool():
            return AnyValue(bool_value=value)
        case int():
            return AnyValue(int_value=value)
        case str():
            return AnyValue(string_value=value)
        case list():
            return AnyValue(array_value=ArrayValue(values=[AnyValue(string_value=item) for item in value]))
    raise AssertionError(value)


@pytest.mark.parametrize("policy", ContentPolicy)
# Each example is an insert: to shrink one that fails would take minutes.
@settings(
    max_examples=12,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(sent=st.dictionaries(KEYS, VALUES, min_size=20, max_size=80))
def test_the_view_keeps_what_the_reference_keeps(
    store: EmbeddedStore, insert: Insert, policy: ContentPolicy, sent: dict[str, Value]
) -> None:
    """Two ways to say one thing, and senders who write anything at all."""
    trace_id = uuid.uuid4()
    request = ExportTraceServiceRequest()
    span = (
        request.resource_spans.add().scope_spans.add().spans.add(trace_id=trace_id.bytes, span_id=b"s" * 8, name="chat")
    )
    span.attributes.extend(KeyValue(key=key, value=any_value(value)) for key, value in sent.items())

    insert(TRACES, request.SerializeToString(), policy)

    ((found, withheld),) = store.rows(
        "SELECT SpanAttributes, WithheldKeys FROM otel_traces WHERE TraceId = {id:String}", {"id": trace_id.hex}
    )
    found.pop(ORIGINAL_START, None)
    expected = {key: screen(key, value, policy) for key, value in sent.items()}
    kept = {key: screened.text for key, screened in expected.items() if screened.text is not None}
    assert {key: _comparable(text) for key, text in found.items()} == {
        key: _comparable(text) for key, text in kept.items()
    }
    gone = {key for key, value in sent.items() if expected[key].text != text_of(value)}
    assert bool(withheld) == bool(gone)


@pytest.mark.parametrize("policy", ContentPolicy)
@settings(
    max_examples=30,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    texts=st.lists(
        st.one_of(
            TEXTS,
            st.sampled_from(
                (
                    "a=b,c=d",
                    "a=b, c=what is said",
                    "https://a.example/schemas/1.2",
                    "https://a.example/?q=x y",
                    "chat of Anna",
                )
            ),
        ),
        min_size=60,
        max_size=60,
    )
)
def test_texts_outside_of_attributes_are_kept_alike(
    store: EmbeddedStore, insert: Insert, policy: ContentPolicy, texts: list[str]
) -> None:
    """Each text in each place of a span where there is one."""
    trace_id = uuid.uuid4()
    request = ExportTraceServiceRequest()
    for number, text in enumerate(texts, 1):
        resource = request.resource_spans.add(schema_url=text)
        scope = resource.scope_spans.add(scope=InstrumentationScope(name=text, version=text))
        span = scope.spans.add(
            trace_id=trace_id.bytes,
            span_id=number.to_bytes(8, "big"),
            name=text,
            trace_state=text,
            status=Status(message=text, code=Status.STATUS_CODE_ERROR),
        )
        span.events.add(name=text)

    insert(TRACES, request.SerializeToString(), policy)

    rows = store.rows(
        "SELECT SpanName, TraceState, StatusMessage, Events.Name[1], ScopeName, ScopeVersion, ResourceSchemaUrl "
        "FROM otel_traces WHERE TraceId = {id:String} ORDER BY SpanId",
        {"id": trace_id.hex},
    )
    places = (
        "(span name)",
        "(trace state)",
        "(status message)",
        "(event name)",
        "(scope name)",
        "(scope version)",
        "(schema url)",
    )
    for text, row in zip(texts, rows, strict=True):
        found = {place: re.sub(r"~[0-9a-f]{16}$", HASH, kept) for place, kept in zip(places, row, strict=True)}
        assert found == {place: screen_place(place, text, policy) for place in places}, text


def _comparable(text: str) -> str:
    """``text`` with every hash as the reference writes it; of control characters JSON has several spellings."""
    return re.sub(r"\\u[0-9A-Fa-f]{4}", lambda match: match[0].lower(), re.sub(r"~[0-9a-f]{16}$", HASH, text))
