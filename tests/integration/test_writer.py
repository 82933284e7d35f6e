"""A request is in the store whole and once, or not at all, whatever ClickHouse says about its insert."""

import inspect
import re
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from trace_requests import DAY, NOW, S, a_request, a_span, admitted, attributes, rows_of, take, writer_of

import agentvigil.storage.errors
from agentvigil.receiver.admission import clean
from agentvigil.receiver.otlp import TRACES
from agentvigil.storage.data_directory import DataDirectory
from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.envelope import Envelope, ExportRequest, wrap
from agentvigil.storage.errors import BAD_DATA_CODES, STORE_TROUBLE_CODES, QueryFailed
from agentvigil.storage.request_writer import Outcome, RequestWriter

STORED, REFUSED, UNAVAILABLE = Outcome.STORED, Outcome.REFUSED, Outcome.UNAVAILABLE


class TroubledStore(EmbeddedStore):
    """The same database, with inserts and questions that fail when it is told."""

    def __init__(self, directory: DataDirectory, database: str) -> None:
        super().__init__(directory, database)
        self.troubles: deque[Callable[[bytes], None]] = deque()
        self.inserts = 0
        self.answers = True

    def insert_protobuf(self, arrival: str, message: str, envelopes: Sequence[Envelope]) -> None:
        if arrival != "otlp_traces":
            return  # what spans say is stored apart, and not what this is about
        self.inserts += 1
        if self.troubles:
            self.troubles.popleft()(b"".join(part for envelope in envelopes for part in envelope))
        else:
            super().insert_protobuf(arrival, message, envelopes)

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Sequence[Sequence[Any]]:
        if not self.answers:
            raise QueryFailed(0, "ConnectionError", "nobody there")
        return super().rows(sql, parameters)

    def really_insert(self, *requests: ExportRequest) -> None:
        super().insert_protobuf("otlp_traces", "TracesEnvelope", [wrap(request) for request in requests])

    def fails(self, code: int, *landed: ExportRequest, then_silent: bool = False) -> None:
        """Let the next insert store only ``landed`` and fail with ``code``."""

        def trouble(body: bytes) -> None:
            if landed:
                self.really_insert(*landed)
            if then_silent:
                self.answers = False
            raise QueryFailed(code, "TEST", "")

        self.troubles.append(trouble)


@pytest.fixture(scope="module")
def troubled_stores() -> Iterator[dict[str, TroubledStore]]:
    """By the names of their databases: to begin an insert takes a second, and theirs go on from test to test."""
    stores: dict[str, TroubledStore] = {}
    yield stores
    for troubled in stores.values():
        troubled.close()


@pytest.fixture
def troubled(
    store: EmbeddedStore, data_directory: DataDirectory, troubled_stores: dict[str, TroubledStore]
) -> TroubledStore:
    if store.database not in troubled_stores:
        troubled_stores[store.database] = TroubledStore(data_directory, store.database)
    troubled = troubled_stores[store.database]
    troubled.troubles.clear()
    troubled.inserts, troubled.answers = 0, True
    return troubled


def a_batch(name: str, spans: int = 3) -> ExportRequest:
    return admitted(a_request(*(a_span(number, name=f"{name}{number}") for number in range(1, spans + 1))))


def part_of(request: ExportRequest, name: str, spans: int) -> ExportRequest:
    """What a failing insert leaves of ``request``: its first rows, with its hash and its number of spans."""
    return replace(request, body=a_batch(name, spans).body)


def names(store: EmbeddedStore) -> list[str]:
    return sorted(row[0] for row in store.rows("SELECT SpanName FROM otel_traces"))


# What ClickHouse can not decode


def field(number: int, body: bytes) -> bytes:
    assert len(body) < 2**14
    return varint(number << 3 | 2) + varint(len(body)) + body


def varint(number: int) -> bytes:
    return bytes([number]) if number < 128 else bytes([number & 0x7F | 0x80, number >> 7])


def with_raw_span_fields(raw: bytes) -> bytes:
    span = a_span(1, name="poisoned").SerializeToString()
    return field(1, field(2, field(2, span + raw)))


POISONS = {
    "start time as a varint": b"\x38\x01",
    "flags as a varint": b"\x80\x01\x01",
    "name as a varint": b"\x28\x01",
    "name as a group": b"\x2b\x2c",
    "events as a varint": b"\x58\x01",
    "attributes as a varint": b"\x48\x01",
    "status as a varint": b"\x78\x01",
    "a count beyond 32 bits": b"\x50" + b"\xff" * 9 + b"\x01",
}
"""Fields of a span that protobuf's own parser takes and ClickHouse's does not."""


@pytest.mark.parametrize("kinds", [3, pytest.param(len(POISONS), marks=pytest.mark.long)])
def test_poisoned_requests_are_cleaned_and_cost_nobody_anything(store: EmbeddedStore, kinds: int) -> None:
    """The group is an accident of time: others must not lose what they sent in the same tenth of a second."""
    poisoned = [admitted(with_raw_span_fields(raw)) for raw in list(POISONS.values())[:kinds]]
    for request in poisoned:
        with pytest.raises(QueryFailed) as caught:
            store.insert_protobuf("otlp_traces", "TracesEnvelope", [wrap(request)])
        assert caught.value.code in BAD_DATA_CODES
    group = [a_batch("a"), a_batch("b"), *poisoned, a_batch("c"), a_batch("d")]

    assert writer_of(store).write(group) == [STORED] * len(group)

    good = [f"{name}{number}" for name in "abcd" for number in (1, 2, 3)]
    assert names(store) == sorted([*good, *(["poisoned"] * len(poisoned))])


@pytest.mark.parametrize(
    "attribute", [b"\x0a\x01k\x12\x05\x10\x01\x0a\x01z", b"\x0a\x01k\x12\x02\x10\x01\x12\x02\x18\x05"]
)
def test_a_value_that_no_encoder_writes_costs_nothing_but_itself(store: EmbeddedStore, attribute: bytes) -> None:
    """Of two kinds in one value, or of two values, one is read."""
    take(store, admitted(with_raw_span_fields(field(9, attribute))), a_batch("a"))

    assert names(store) == ["a1", "a2", "a3", "poisoned"]


def test_one_that_can_not_be_cleaned_is_refused_alone(store: EmbeddedStore) -> None:
    """Its sender has to drop it, or would send it for ever."""
    poisoned = admitted(with_raw_span_fields(b"\x2b\x2c"))
    group = [poisoned, a_batch("a"), a_batch("b")]

    assert RequestWriter(store, TRACES.signal, lambda _: None).write(group) == [REFUSED, STORED, STORED]

    assert names(store) == ["a1", "a2", "a3", "b1", "b2", "b3"]


def test_several_poisoned_ones_are_found(store: EmbeddedStore) -> None:
    """Halving has to go on in both halves."""
    bad = [admitted(with_raw_span_fields(b"\x2b\x2c" * count)) for count in (1, 2, 3)]
    group = [bad[0], a_batch("a"), bad[1], a_batch("b"), a_batch("c"), bad[2]]

    outcomes = RequestWriter(store, TRACES.signal, lambda _: None).write(group)

    assert outcomes == [REFUSED, STORED, REFUSED, STORED, STORED, REFUSED]
    assert names(store) == [f"{name}{number}" for name in "abc" for number in (1, 2, 3)]


def test_the_codes_mean_what_their_comments_say(store: EmbeddedStore) -> None:
    """A wrong number sends a good batch to the bin, or a bad one round for ever."""
    source = inspect.getsource(agentvigil.storage.errors)
    commented = {int(code): name for code, name in re.findall(r"^ +(\d+),  # ([A-Z0-9_]+)$", source, re.MULTILINE)}

    names = {code: store.rows("SELECT errorCodeToName({code:UInt32})", {"code": code})[0][0] for code in commented}

    assert commented == names
    assert set(commented) == (BAD_DATA_CODES | STORE_TROUBLE_CODES) - {0}
    assert not BAD_DATA_CODES & STORE_TROUBLE_CODES


# Requests over many partitions


@pytest.mark.parametrize("days", [2, 120])
def test_a_request_over_many_days_is_stored_whole(store: EmbeddedStore, days: int) -> None:
    """Each day is a partition, and ClickHouse refuses inserts over more than 100 of them unless told otherwise."""
    spans = [a_span(number, start_time_unix_nano=NOW - number * DAY) for number in range(1, days + 1)]

    take(store, admitted(a_request(*spans), keep_days=365))

    assert store.rows("SELECT count(), uniqExact(toDate(Timestamp)) FROM otel_traces") == [(days, days)]


# Inserts that fail in the middle


@pytest.mark.parametrize("landed", [0, 1, 2])
def test_what_landed_of_a_failed_insert_is_removed_and_the_retry_is_stored_once(
    troubled: TroubledStore, landed: int
) -> None:
    """The disk fills up in the middle of a request; its sender comes again."""
    request = a_batch("a")
    writer = writer_of(troubled)
    troubled.fails(243, *([part_of(request, "a", landed)] if landed else []))

    assert writer.write([request]) == [UNAVAILABLE]
    assert names(troubled) == []

    assert writer.write([replace(request, received_at_ns=NOW + S)]) == [STORED]
    assert names(troubled) == ["a1", "a2", "a3"]


def test_a_group_that_landed_in_part_is_completed(troubled: TroubledStore) -> None:
    """One whole, one in part, one not at all: each ends up there once, and the caller never knows."""
    whole, part, absent = a_batch("a"), a_batch("b"), a_batch("c")
    before = a_batch("x")
    writer = writer_of(troubled)
    assert writer.write([before]) == [STORED]
    troubled.fails(27, whole, part_of(part, "b", 2))

    assert writer.write([whole, part, absent]) == [STORED] * 3

    assert names(troubled) == sorted(f"{name}{number}" for name in "abcx" for number in (1, 2, 3))


def test_a_store_in_trouble_keeps_what_is_whole(troubled: TroubledStore) -> None:
    """Halving would only hit it again: those that are not there are sent back at once."""
    whole, part, absent = a_batch("a"), a_batch("b"), a_batch("c")
    troubled.fails(252, whole, part_of(part, "b", 1))

    assert writer_of(troubled).write([whole, part, absent]) == [STORED, UNAVAILABLE, UNAVAILABLE]

    assert troubled.inserts == 1
    assert names(troubled) == ["a1", "a2", "a3"]


@pytest.mark.parametrize("code", [0, 243, *(pytest.param(code, marks=pytest.mark.long) for code in (27, 999, 49))])
def test_an_error_after_everything_landed_is_none(troubled: TroubledStore, code: int) -> None:
    """The connection broke on the way back: storing it again would double it."""
    request = a_batch("a")
    troubled.fails(code, request)

    assert writer_of(troubled).write([request]) == [STORED]

    assert names(troubled) == ["a1", "a2", "a3"]
    assert troubled.inserts == 1


def test_a_retry_of_a_request_that_was_cleaned_is_counted_by_the_same_hash(troubled: TroubledStore) -> None:
    """The cleaned body is another one; the hash stays that of what the sender sent."""
    request = admitted(with_raw_span_fields(b"\x2b\x2c"))
    cleaned = replace(request, body=clean(TRACES, request.body) or b"")
    writer = writer_of(troubled)
    troubled.fails(444)
    troubled.fails(243, cleaned)

    assert writer.write([request]) == [STORED]

    assert rows_of(troubled)[0]["RequestHash"] == request.request_hash.hex()
    assert names(troubled) == ["poisoned"]


# Requests in doubt


def test_what_nobody_can_tell_is_settled_before_anything_else(troubled: TroubledStore) -> None:
    """The store broke down right after it had stored all: the retry must not double it."""
    request = a_batch("a")
    writer = writer_of(troubled)
    troubled.fails(0, request, then_silent=True)
    assert writer.write([request]) == [UNAVAILABLE]
    assert writer.write([a_batch("b")]) == [UNAVAILABLE]
    assert writer.write([request]) == [UNAVAILABLE]
    assert troubled.inserts == 1

    troubled.answers = True

    assert writer.write([replace(request, received_at_ns=NOW + 60 * S), a_batch("c")]) == [STORED, STORED]
    assert troubled.inserts == 2
    assert names(troubled) == ["a1", "a2", "a3", "c1", "c2", "c3"]


def test_a_part_in_doubt_is_removed(troubled: TroubledStore) -> None:
    """Also when its own sender does not come again."""
    request = a_batch("a")
    writer = writer_of(troubled)
    troubled.fails(0, part_of(request, "a", 2), then_silent=True)
    assert writer.write([request]) == [UNAVAILABLE]
    troubled.answers = True
    assert names(troubled) == ["a1", "a2"]

    assert writer.write([a_batch("b")]) == [STORED]
    assert names(troubled) == ["b1", "b2", "b3"]

    assert writer.write([request]) == [STORED]
    assert names(troubled) == ["a1", "a2", "a3", "b1", "b2", "b3"]


def test_a_cleaned_request_can_be_in_doubt(troubled: TroubledStore) -> None:
    """The last try may be the one after which the store is silent."""
    request = admitted(with_raw_span_fields(b"\x2b\x2c"))
    cleaned = replace(request, body=clean(TRACES, request.body) or b"")
    writer = writer_of(troubled)
    troubled.fails(444)
    troubled.fails(0, cleaned, then_silent=True)
    assert writer.write([request]) == [UNAVAILABLE]

    troubled.answers = True

    assert writer.write([request]) == [STORED]
    assert names(troubled) == ["poisoned"]


# After a restart


def test_recovery_keeps_what_is_whole_and_removes_what_is_not(troubled: TroubledStore) -> None:
    """The process was killed in the middle of an insert; its senders have what was not acknowledged."""
    whole, part, bare = a_batch("a"), a_batch("b"), a_batch("c", 1)
    troubled.really_insert(whole, part_of(part, "b", 2), bare)
    writer = writer_of(troubled)

    assert sorted(writer.recover(900, 100)) == sorted([whole.request_hash, bare.request_hash])

    assert names(troubled) == ["a1", "a2", "a3", "c1"]
    assert sorted(writer.recover(900, 100)) == sorted([whole.request_hash, bare.request_hash])
    assert writer.write([part]) == [STORED]
    assert names(troubled) == ["a1", "a2", "a3", "b1", "b2", "b3", "c1"]


def test_recovery_removes_the_rows_of_all_days(troubled: TroubledStore) -> None:
    """Partitions commit one by one, so a part of a request may be whole days of it."""
    request = admitted(a_request(*(a_span(n, start_time_unix_nano=NOW - n * DAY) for n in range(1, 6))))
    troubled.really_insert(
        replace(request, body=a_request(*(a_span(n, start_time_unix_nano=NOW - n * DAY) for n in (1, 3, 5))))
    )

    assert writer_of(troubled).recover(900, 100) == []
    assert names(troubled) == []


def test_the_window_is_counted_from_the_newest_row(store: EmbeddedStore) -> None:
    """A server that stood still over the night must still know what it stored before."""
    long_ago = NOW - 30 * DAY
    old, edge, newest = (
        replace(a_batch(name), received_at_ns=long_ago - seconds * S)
        for name, seconds in (("a", 901), ("b", 900), ("c", 0))
    )
    take(store, old, edge, newest)

    assert writer_of(store).recover(900, 100) == [edge.request_hash, newest.request_hash]


def test_a_row_from_the_future_does_not_move_the_window(store: EmbeddedStore) -> None:
    """A clock that was a year ahead for a minute would empty the window until next year."""
    now = time.time_ns()
    present = replace(a_batch("a"), received_at_ns=now)
    ahead = replace(a_batch("b"), received_at_ns=now + 365 * DAY)
    take(store, present, ahead)

    assert set(writer_of(store).recover(900, 100)) >= {present.request_hash}


def test_recovery_takes_the_youngest_if_there_are_too_many(store: EmbeddedStore) -> None:
    """Their retries are still to come."""
    requests = [replace(a_batch(f"{index}-"), received_at_ns=NOW + index * S) for index in range(5)]
    take(store, *requests)

    hashes = writer_of(store).recover(900, 3)

    assert hashes == [request.request_hash for request in requests[2:]]


def test_rows_of_others_are_no_requests(store: EmbeddedStore) -> None:
    """A Collector writes rows without a hash, as many as it likes."""
    store.command("INSERT INTO otel_traces (Timestamp, TraceId) SELECT now64(9), 'a' FROM numbers(3)")

    assert writer_of(store).recover(900, 100) == []
    assert store.rows("SELECT count() FROM otel_traces") == [(3,)]


def test_an_empty_store_recovers_nothing(store: EmbeddedStore) -> None:
    """The first start."""
    assert writer_of(store).recover(900, 100) == []


def test_a_first_success_is_not_believed(troubled: TroubledStore) -> None:
    """An engine that says yes and has nothing, as one with asynchronous inserts would, is found out at once."""
    requests = [admitted(a_request(a_span(number))) for number in (1, 2)]
    writer = writer_of(troubled)
    troubled.troubles.append(lambda _body: troubled.really_insert(requests[0]))

    assert writer.write(requests) == [STORED, UNAVAILABLE]
    assert writer.write([requests[1]]) == [STORED]
    assert troubled.rows("SELECT count(), uniqExact(SpanId) FROM otel_traces") == [(2, 2)]

    troubled.troubles.append(lambda _body: None)
    assert writer.write([admitted(a_request(a_span(3)))]) == [STORED], "after that the answer is enough"


def test_an_empty_group_is_nothing_to_do(store: EmbeddedStore) -> None:
    """No insert, no answer."""
    assert writer_of(store).write([]) == []


def test_many_requests_are_settled_in_steps(troubled: TroubledStore) -> None:
    """A group may hold more hashes than one statement names."""
    requests = [
        admitted(a_request(a_span(1, name=f"{index}", attributes=attributes({"i": index})))) for index in range(1_200)
    ]
    troubled.fails(243, *requests[:1_100])

    outcomes = writer_of(troubled).write(requests)

    assert outcomes == [STORED] * 1_100 + [UNAVAILABLE] * 100
    assert len(names(troubled)) == 1_100


def test_a_body_larger_than_a_pipe_and_one_that_fails_while_it_is_read_both_end(store: EmbeddedStore) -> None:
    """And what comes after the one that failed is stored."""
    large = wrap(admitted(a_request(*(a_span(number, name="x" * 10_000) for number in range(1, 301)))))
    small = wrap(admitted(a_request(a_span(400))))

    store.insert_protobuf("otlp_traces", "TracesEnvelope", [large])
    with pytest.raises(QueryFailed):
        store.insert_protobuf("otlp_traces", "TracesEnvelope", [(b"\xff" * 3 * 2**20,)])
    store.insert_protobuf("otlp_traces", "TracesEnvelope", [small])

    assert store.rows("SELECT count() FROM otel_traces") == [(301,)]
