"""What holds for every span, whatever anybody sends."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from agentvigil.semconv import attributes as a
from agentvigil.semconv.dialects import load
from agentvigil.semconv.reference import Normalized, Span, SpanEvent, normalize

REGISTRY = load()
SOURCES = sorted({rule.source for dialect in REGISTRY.in_order() for rule in dialect.rules})
MARKERS = sorted(
    {key for d in REGISTRY.in_order() for key in (*d.detection.attributes, *(o.source for o in d.operations))}
)
NUMBERED = sorted({f"{f.prefix}{n}" for d in REGISTRY.in_order() for f in d.flattened for n in (0, 1, 7)})
SCOPES = sorted({scope for d in REGISTRY.in_order() for scope in d.detection.scopes})
NAMES = sorted({rule.text for d in REGISTRY.in_order() for rule in d.span_names})
EVENTS = sorted({event.name for d in REGISTRY.in_order() for event in d.events} | {"exception"})
KINDS = sorted({value for d in REGISTRY.in_order() for rule in d.operations for value in rule.values})
WORDS = sorted({*REGISTRY.frameworks, *REGISTRY.values[a.GEN_AI_PROVIDER_NAME], "ERROR", "true", "TOOL", "claude-x"})

keys = (
    st.sampled_from(SOURCES)
    | st.sampled_from(sorted(REGISTRY.targets))
    | st.sampled_from(MARKERS)
    | st.sampled_from(NUMBERED)
    | st.builds(
        "{}.{}".format, st.sampled_from(NUMBERED), st.sampled_from(["message.role", "role", "document.id", "9"])
    )
    | st.text(max_size=8)
)
hostile = st.sampled_from(
    [
        "", " ", "null", "[]", "{}", "[" * 5000, '{"a":' * 5000, "NaN", "Infinity", "-0", "1e999", "9" * 30, "१२", "\0",
        "\ud800", "'", '"', "/" * 50, "." * 50, '{"input": {}, "output": [1], "total": "x"}',
        "9999-12-31T23:59:59+00:00", "0001-01-01", 2**63, -(2**63), 10**400, float("nan"), float("inf"), -0.0,
        True, False, None, b"\xff", (), [[]],
        {"input": 1, "output": 2, "cache_read_input_tokens": 3, "total": 6},
    ]
)  # fmt: skip
scalars = st.none() | st.booleans() | st.integers(-5, 200) | st.floats() | st.text(max_size=8) | st.sampled_from(WORDS)
values = (
    scalars
    | st.sampled_from(KINDS)
    | hostile
    | st.lists(scalars, max_size=3)
    | st.dictionaries(st.sampled_from(["input", "output", "temperature", "total"]), scalars, max_size=3)
)
attribute_maps = st.dictionaries(keys, values, max_size=12)
spans = st.builds(
    Span,
    attributes=attribute_maps,
    name=st.sampled_from(NAMES) | st.text(max_size=8),
    scope=st.sampled_from(["", "acme", *SCOPES]),
    resource=st.dictionaries(st.sampled_from(["telemetry.sdk.name", "service.name"]), values, max_size=1),
    events=st.lists(st.builds(SpanEvent, st.sampled_from(EVENTS), attribute_maps), max_size=2).map(tuple),
    parent_span_id=st.sampled_from(["", "00f067aa0ba902b7"]),
    start_time_unix_nano=st.integers(0, 2**64 - 1),
    status=st.sampled_from(["unset", "ok", "error"]),
)

TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "count": int,
    "int": int,
    "double": float,
    "bool": bool,
    "strings": list,
    "any": (str, dict, list, tuple),
}


def again(first: Normalized) -> Normalized:
    """The result, sent as a span of the current conventions."""
    return normalize(Span(attributes=first.attributes, status=first.status, parent_span_id="00f067aa0ba902b7"))


@settings(max_examples=300, deadline=None)
@given(span=spans)
def test_nothing_raises_and_all_is_typed(span: Span) -> None:
    """Spans come from strangers: one that breaks normalising would break the others of its batch."""
    result = normalize(span)

    assert result.attributes.keys() <= REGISTRY.targets.keys()
    for target, value in result.attributes.items():
        assert isinstance(value, TYPES[REGISTRY.targets[target]]), target
        assert REGISTRY.targets[target] == "bool" or not isinstance(value, bool)
        assert REGISTRY.targets[target] != "count" or value >= 0  # type: ignore[operator]
    assert result.dialect in ("", "unknown", *REGISTRY.dialects)
    assert not result.unmapped_keys & result.rejected_keys
    assert result.unmapped_keys <= span.attributes.keys()


@settings(max_examples=300, deadline=None)
@given(span=spans)
def test_normalizing_twice_changes_nothing(span: Span) -> None:
    """A Collector may normalise before us; above all tokens must not be added to again."""
    first = normalize(span)
    second = again(first)

    assert second.attributes == first.attributes
    assert second.operation == first.operation
    assert second.billing == first.billing
    assert second.rejected_keys == frozenset()


@settings(max_examples=200, deadline=None)
@given(data=st.data(), span=spans)
def test_the_order_of_attributes_does_not_matter(data: st.DataObject, span: Span) -> None:
    """OTLP keeps none, the store sorts, and a map in SQL has its own."""
    shuffled: dict[str, Any] = dict(data.draw(st.permutations(list(span.attributes.items()))))
    other = Span(
        attributes=shuffled,
        name=span.name,
        scope=span.scope,
        resource=span.resource,
        events=span.events,
        parent_span_id=span.parent_span_id,
        start_time_unix_nano=span.start_time_unix_nano,
        status=span.status,
    )

    assert repr(as_sorted(normalize(other))) == repr(as_sorted(normalize(span)))


def as_sorted(result: Normalized) -> Any:
    sets = (result.unmapped_keys, result.deprecated_keys, result.rejected_keys, result.truncated)
    return (
        result.dialect,
        sorted(result.attributes.items()),
        sorted(result.sources.items()),
        (result.operation, result.billing, result.tokens, result.status, result.status_message),
        [sorted(keys) for keys in sets],
    )


@settings(max_examples=200, deadline=None)
@given(span=spans)
def test_parts_are_never_greater_than_their_wholes(span: Span) -> None:
    """What a price is worked out from: fresh input is the whole less the cache, and may not be negative."""
    counts = normalize(span).attributes

    def count(name: str) -> int:
        value = counts.get(name, 0)
        assert isinstance(value, int)
        return value

    cached = count(a.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS) + count(a.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS)
    if a.GEN_AI_USAGE_INPUT_TOKENS in counts:
        assert cached <= count(a.GEN_AI_USAGE_INPUT_TOKENS)
    if a.GEN_AI_USAGE_OUTPUT_TOKENS in counts:
        assert count(a.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS) <= count(a.GEN_AI_USAGE_OUTPUT_TOKENS)


def test_a_number_that_python_will_not_print_is_no_number() -> None:
    """``str()`` of an integer of thousands of digits raises, to keep a stranger from stalling us with one."""
    assert normalize(Span({a.GEN_AI_USAGE_INPUT_TOKENS: 10**5000})).attributes == {}
