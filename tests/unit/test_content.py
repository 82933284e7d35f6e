"""What people said must not be stored: the view that decodes spans and the vocabulary must mean the same by it."""

from collections.abc import Callable, Iterable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from agentvigil.semconv import attributes
from agentvigil.semconv.content import CONTENT_KEYS, CONTENT_NUMBERED_PREFIXES, CONTENT_PREFIXES
from agentvigil.semconv.privacy import KeyClass, class_of
from agentvigil.storage.embedded import EmbeddedStore

FLATTENED = (
    "gen_ai.input",
    "gen_ai.prompt.",
    "gen_ai.prompt.0.content",
    "gen_ai.completion.0.tool_calls.0.arguments",
    "gen_ai.prompt.variable.customer",
    "gen_ai.input.messages.0.parts.0.content",
    "llm.input_messages.0.message.content",
    "llm.output_messages.3.message.tool_calls.0.tool_call.function.arguments",
    "llm.prompts.0.content",
    "llm.prompt_template.variables",
    "retrieval.documents.0.document.content",
    "embedding.embeddings.0.embedding.text",
    "reranker.input_documents.0.document.content",
    "message.content",
    "message.contents.0.message_content.text",
    "ai.prompt.messages",
    "lk.pii.anything",
    "mcp.request.argument.path",
)

NOT_CONTENT = (
    "gen_ai.prompt.name",
    "gen_ai.prompt.version",
    "gen_ai.completion.id",
    "gen_ai.provider.name",
    "gen_ai.system",
    "gen_ai.output.type",
    "gen_ai.tool.call.id",
    "gen_ai.tool.definitions_count",
    "message.id",
    "message.type",
    "messages.count",
    "llm.model_name",
    "llm.tools_count",
    "input.mime_type",
    "result.count",
    "ai.prompt_tokens",
    "Content",
    " content",
    "content ",
    "x.gen_ai.input.messages",
    "http.request.body.size",
    "",
)


@pytest.mark.parametrize("key", [*CONTENT_KEYS, *FLATTENED])
def test_is_content(key: str) -> None:
    """Each dialect's own name for what was said."""
    assert class_of(key) is KeyClass.CONTENT


@pytest.mark.parametrize("key", ["gen_ai.prompt.12.role", "message.tool_calls.0.tool_call.function.name"])
def test_structure_of_content_is_like_any_key(key: str) -> None:
    """Among keys of content, what tells how it is built stays if it is no more than a label."""
    assert class_of(key) is KeyClass.UNKNOWN


@pytest.mark.parametrize("key", NOT_CONTENT)
def test_is_not_content(key: str) -> None:
    """Withholding what tells one span from another would make them useless."""
    assert class_of(key) is not KeyClass.CONTENT


def test_the_vocabulary_is_content_or_not_as_it_says() -> None:
    """``attributes.py`` lists its content under a heading of its own; what we emit beside it must be stored."""
    ours = {value for name, value in vars(attributes).items() if name.isupper()}

    assert {key for key in ours if class_of(key) is KeyClass.CONTENT} == {
        attributes.GEN_AI_SYSTEM_INSTRUCTIONS,
        attributes.GEN_AI_INPUT_MESSAGES,
        attributes.GEN_AI_OUTPUT_MESSAGES,
        attributes.GEN_AI_TOOL_DEFINITIONS,
        attributes.GEN_AI_TOOL_CALL_ARGUMENTS,
        attributes.GEN_AI_TOOL_CALL_RESULT,
        attributes.GEN_AI_RETRIEVAL_QUERY_TEXT,
        attributes.GEN_AI_RETRIEVAL_DOCUMENTS,
        attributes.AGENTVIGIL_PROMPT_TEMPLATE,
        attributes.AGENTVIGIL_PROMPT_VARIABLES,
    }


def test_nothing_is_listed_twice() -> None:
    """A second entry is a sign that somebody looked for it and did not find it."""
    keys = [*CONTENT_KEYS, *CONTENT_PREFIXES, *CONTENT_NUMBERED_PREFIXES]

    assert len(keys) == len(set(keys))


def request_with(keys: Iterable[str]) -> bytes:
    """The same attributes in all five places; the values tell that a key and its value stay together."""
    pairs = [KeyValue(key=key, value=AnyValue(string_value=f"value of {key}")) for key in keys]
    span = Span(
        trace_id=bytes(15) + b"\1",
        span_id=bytes(7) + b"\1",
        attributes=pairs,
        events=[Span.Event(attributes=pairs), Span.Event(), Span.Event(attributes=pairs)],
        links=[Span.Link(attributes=pairs)],
    )
    span.attributes.add(key="own.key", value=AnyValue(string_value="own"))
    scope_spans = ScopeSpans(scope=InstrumentationScope(attributes=pairs), spans=[span])
    return ExportTraceServiceRequest(
        resource_spans=[ResourceSpans(resource=Resource(attributes=pairs), scope_spans=[scope_spans])]
    ).SerializeToString()


def assert_the_store_agrees(store: EmbeddedStore, insert_traces: Callable[[bytes], None], keys: set[str]) -> None:
    kept = {key: f"value of {key}" for key in keys if class_of(key) is not KeyClass.CONTENT}
    store.command("TRUNCATE TABLE otel_traces")

    insert_traces(request_with(keys))

    ((resource, scope, of_span, events, links),) = store.rows(
        "SELECT ResourceAttributes, ScopeAttributes, SpanAttributes, Events.Attributes, Links.Attributes "
        "FROM otel_traces"
    )
    assert of_span.pop("agentvigil.original_start_time_unix_nano") == "0"
    assert of_span.pop("own.key") == "own"
    assert of_span == kept
    assert resource == kept
    assert scope == kept
    assert events == [kept, {}, kept]
    assert links == [kept]


def near_misses(key: str) -> set[str]:
    """Keys that a slip in an expression, a length or an anchor would take for ``key``, or not."""
    return {
        key[:-1],
        key[1:],
        key.rstrip("."),
        *(key + tail for tail in ("x", ".", ".x", "0", ".0", ".0.content", "9z", "\n", "\0", " ", "/", ":", "é")),
        *(head + key for head in ("x", ".", "\n", " ", "\0")),
        key.upper(),
        key.replace(".", "x", 1),
        key.replace(".", "\n"),
        key.replace("_", "."),
        key.replace("_", ""),
    }


def test_the_store_withholds_what_the_vocabulary_says(
    store: EmbeddedStore, insert_traces: Callable[[bytes], None]
) -> None:
    """The expression in the view is compiled from the same data, but it is another language."""
    listed = {*CONTENT_KEYS, *CONTENT_PREFIXES, *CONTENT_NUMBERED_PREFIXES, *FLATTENED, *NOT_CONTENT}
    keys = listed.union(*map(near_misses, listed))
    assert len(keys) > 4000

    assert_the_store_agrees(store, insert_traces, keys)


pieces = st.sampled_from(
    sorted({part for key in (*CONTENT_KEYS, *CONTENT_PREFIXES, *FLATTENED) for part in key.split(".")})
)
digits = st.integers(0, 99).map(str)
composed = st.lists(pieces | digits | st.text(max_size=2), min_size=1, max_size=5).map(".".join)
continued = st.builds(
    str.__add__, st.sampled_from([*CONTENT_PREFIXES, *CONTENT_NUMBERED_PREFIXES]), st.text(max_size=3)
)


# The database is made once and emptied by each example.
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(keys=st.sets(composed | continued | st.text(max_size=12), min_size=50, max_size=150))
def test_the_store_agrees_about_any_key(
    store: EmbeddedStore, insert_traces: Callable[[bytes], None], keys: set[str]
) -> None:
    """Keys are the sender's: whatever they hold, both must say the same."""
    assert_the_store_agrees(store, insert_traces, keys - {"own.key"})
