"""A request is admitted or refused by itself, before anybody else's data is in the same insert."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue, KeyValueList
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from agentvigil.receiver.admission import Admitted, admit, clean
from agentvigil.receiver.checking import OWN_SCOPE
from agentvigil.receiver.errors import BadRequest
from agentvigil.receiver.otlp import TRACES

TRACE_ID = bytes(range(16))
SPAN_ID = bytes(range(8))

INVALID_IDS = {
    "no trace id": (b"", SPAN_ID),
    "no span id": (TRACE_ID, b""),
    "trace id of zeros": (bytes(16), SPAN_ID),
    "span id of zeros": (TRACE_ID, bytes(8)),
    "trace id cut": (TRACE_ID[:15], SPAN_ID),
    "span id cut": (TRACE_ID, SPAN_ID[:7]),
    "trace id too long": (TRACE_ID + b"\1", SPAN_ID),
    "span id too long": (TRACE_ID, SPAN_ID + b"\1"),
    "ids in hex": (TRACE_ID.hex().encode(), SPAN_ID.hex().encode()),
    "ids swapped": (SPAN_ID, TRACE_ID),
}


def a_span(trace_id: bytes = TRACE_ID, span_id: bytes = SPAN_ID, name: str = "", parent: bytes = b"") -> Span:
    return Span(trace_id=trace_id, span_id=span_id, parent_span_id=parent, name=name)


def request_of(*scopes: list[Span]) -> ExportTraceServiceRequest:
    return ExportTraceServiceRequest(
        resource_spans=[ResourceSpans(scope_spans=[ScopeSpans(spans=spans)]) for spans in scopes]
    )


def names_in(body: bytes) -> list[list[str]]:
    request = ExportTraceServiceRequest.FromString(body)
    return [[s.name for s in scope.spans] for resource in request.resource_spans for scope in resource.scope_spans]


def test_a_valid_request_goes_on_byte_by_byte() -> None:
    """Serialising anew would cost more than everything else the receiver does."""
    body = request_of([a_span(name="a"), a_span(name="b")], [a_span(name="c")]).SerializeToString()

    admitted = admit(TRACES, body, "default")

    assert admitted.body is body
    assert (admitted.items, admitted.rejected, admitted.rejection) == (3, 0, "")
    assert len(admitted.request_hash) == 16


@pytest.mark.parametrize("request_", [request_of(), request_of([]), request_of([], [])], ids=["nothing", "one", "two"])
def test_a_request_without_spans_is_no_error(request_: ExportTraceServiceRequest) -> None:
    """OTLP asks for success: https://opentelemetry.io/docs/specs/otlp/#full-success."""
    admitted = admit(TRACES, request_.SerializeToString(), "default")

    assert (admitted.items, admitted.rejected) == (0, 0)


@pytest.mark.parametrize(
    "body",
    [
        b"\x0a",
        b"\x0a\x05abc",
        b"{}",
        b"<html>",
        b"\xff" * 20,
        b"\x1f\x8b\x08\x00",
        request_of([a_span()]).SerializeToString()[:-1],
    ],
    ids=["tag alone", "cut", "json", "html", "ones", "gzip", "last byte lost"],
)
def test_malformed_bytes_are_refused(body: bytes) -> None:
    """They would fail the insert of everybody who is in the same group."""
    with pytest.raises(BadRequest, match="not an OTLP ExportTraceServiceRequest"):
        admit(TRACES, body, "default")


def test_text_that_is_not_utf8_is_refused() -> None:
    """Protobuf strings are UTF-8; what is stored has to be printable by every client."""
    body = request_of([a_span(name="NAME")]).SerializeToString().replace(b"NAME", b"\xff\xfe\xfd\xfc")

    with pytest.raises(BadRequest):
        admit(TRACES, body, "default")


@pytest.mark.parametrize("ids", INVALID_IDS.values(), ids=INVALID_IDS.keys())
def test_spans_with_invalid_ids_are_left_out_and_counted(ids: tuple[bytes, bytes]) -> None:
    """One broken span must not cost the sender its batch, nor vanish silently."""
    request = request_of([a_span(name="first"), a_span(*ids, name="broken")], [a_span(name="last")], [a_span(*ids)])

    admitted = admit(TRACES, request.SerializeToString(), "default")

    assert names_in(admitted.body) == [["first"], ["last"], []]
    assert (admitted.items, admitted.rejected) == (2, 2)
    assert admitted.rejection.startswith("2 of 4 spans have invalid ids")


@pytest.mark.parametrize("parent", [b"\0", SPAN_ID[:7], TRACE_ID], ids=["one byte", "cut", "too long"])
def test_a_parent_that_is_none_makes_no_root(parent: bytes) -> None:
    """Who takes the parent away makes a run of its own out of a step; what JSON spells wrongly comes as one byte."""
    request = request_of([a_span(name="good", parent=SPAN_ID), a_span(name="bad", parent=parent)])

    admitted = admit(TRACES, request.SerializeToString(), "default")

    assert names_in(admitted.body) == [["good"]]
    assert (admitted.items, admitted.rejected) == (1, 1)


@pytest.mark.parametrize("ids", INVALID_IDS.values(), ids=INVALID_IDS.keys())
def test_a_request_without_any_valid_span_is_refused(ids: tuple[bytes, bytes]) -> None:
    """A sender that never sends a valid id has a defect, and an error is what its owner will see."""
    with pytest.raises(BadRequest, match="2 of 2 spans have invalid ids"):
        admit(TRACES, request_of([a_span(*ids)], [a_span(*ids)]).SerializeToString(), "default")


def test_leaving_spans_out_keeps_everything_else() -> None:
    """Fields of newer OTLP versions included: we are not the last to read them."""
    kept = a_span(name="kept")
    kept.attributes.add(key="k", value=AnyValue(string_value="v"))
    request = request_of([a_span(b""), kept])
    request.resource_spans[0].schema_url = "https://example.org/schema"
    body = request.SerializeToString() + b"\x98\x06\x01"  # an unknown field 99

    admitted = admit(TRACES, body, "default")

    del request.resource_spans[0].scope_spans[0].spans[0]
    request.MergeFromString(b"\x98\x06\x01")
    assert admitted.body == request.SerializeToString()


@pytest.mark.parametrize(
    ("scopes", "is_own"),
    [([OWN_SCOPE], True), ([OWN_SCOPE, OWN_SCOPE], True), ([OWN_SCOPE, "app"], False), (["app"], False), ([], False)],
)
def test_a_request_of_our_own_spans_alone_is_known(scopes: list[str], is_own: bool) -> None:
    """Storing it makes no span; where others' are among them it is work like any other."""
    request = request_of(*[[a_span(), a_span(span_id=b"")] for _ in scopes])
    for name, resource in zip(scopes, request.resource_spans, strict=True):
        resource.scope_spans[0].scope.name = name

    assert admit(TRACES, request.SerializeToString(), "default").is_own is is_own


def test_nested_values_are_rewritten_before_the_store_sees_them() -> None:
    """The store reads one level; the hash stays the sender's, so that a retry is known."""
    span = a_span()
    nested = AnyValue(kvlist_value=KeyValueList(values=[KeyValue(key="a", value=AnyValue(int_value=1))]))
    span.attributes.append(KeyValue(key="k", value=nested))
    body = request_of([span]).SerializeToString()

    admitted = admit(TRACES, body, "default")

    span.attributes[0].value.string_value = '{"a":1}'
    assert admitted.body == request_of([span]).SerializeToString()
    assert admitted == admit(TRACES, body, "default")
    assert admitted.request_hash != admit(TRACES, admitted.body, "default").request_hash


def test_the_hash_names_project_and_bytes() -> None:
    """Requests with one hash are stored once, so two that differ must never share it."""
    bodies = [request_of([a_span(name=name)]).SerializeToString() for name in ("a", "b")]

    hashes = {admit(TRACES, body, project).request_hash for body in bodies for project in ("p", "q", "")}

    assert len(hashes) == 6
    assert admit(TRACES, bodies[0], "p").request_hash == admit(TRACES, bytes(bytearray(bodies[0])), "p").request_hash


def test_the_hash_stays_the_same_over_releases() -> None:
    """After an upgrade the window is read from rows that the release before wrote."""
    assert admit(TRACES, b"", "default").request_hash.hex() == "3c29537c9f9388cd84ef18873ab30042"


def admit_or_none(body: bytes) -> Admitted | None:
    try:
        return admit(TRACES, body, "default")
    except BadRequest:
        return None


spans = st.builds(
    Span,
    trace_id=st.sampled_from([TRACE_ID, b"", bytes(16), TRACE_ID[1:]]),
    span_id=st.sampled_from([SPAN_ID, b"", bytes(8), SPAN_ID[1:]]),
    name=st.text(max_size=3),
)
requests = st.lists(st.lists(spans, max_size=3), max_size=3).map(lambda scopes: request_of(*scopes))


@given(st.binary(max_size=100))
def test_any_bytes_are_admitted_or_refused(body: bytes) -> None:
    """Nothing a sender can write may end in a traceback."""
    admitted = admit_or_none(body)

    assert admitted is None or admitted.items >= 0


@given(requests, st.data())
def test_any_damaged_request_is_admitted_or_refused(request: ExportTraceServiceRequest, data: st.DataObject) -> None:
    """Damage near the truth goes deeper into the parser than noise does."""
    body = bytearray(request.SerializeToString() or b"\0")
    for _ in range(data.draw(st.integers(1, 3))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))

    admitted = admit_or_none(bytes(body))

    if admitted is not None:
        assert admitted.items == sum(map(len, names_in(admitted.body)))


@given(requests)
def test_what_is_admitted_is_the_valid_part(request: ExportTraceServiceRequest) -> None:
    """The number of spans is what the store counts rows against: one too many and a request is never whole."""
    scopes = [scope.spans for resource in request.resource_spans for scope in resource.scope_spans]
    valid = [[s.name for s in scope if s.trace_id == TRACE_ID and s.span_id == SPAN_ID] for scope in scopes]
    total, kept = sum(map(len, scopes)), sum(map(len, valid))

    admitted = admit_or_none(request.SerializeToString())

    if total and not kept:
        assert admitted is None
    else:
        assert admitted is not None
        assert (admitted.items, admitted.rejected) == (kept, total - kept)
        assert names_in(admitted.body) == valid


@given(requests, st.binary(max_size=20))
def test_cleaning_twice_changes_nothing_more(request: ExportTraceServiceRequest, tail: bytes) -> None:
    """A cleaned body that differed from itself cleaned would be tried for ever."""
    once = clean(TRACES, request.SerializeToString() + tail)

    if once is not None:
        assert clean(TRACES, once) == once


def test_cleaning_drops_unknown_fields_and_nothing_else() -> None:
    """The spans in it are good."""
    body = request_of([a_span(name="a")]).SerializeToString()

    assert clean(TRACES, body + b"\x98\x06\x01") == body
    assert clean(TRACES, body + b"\x0a\x05") is None
