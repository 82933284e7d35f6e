"""Batches of traces: small enough, near in time, and long only where little else lies in between."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from agentvigil.analysis.settling.batches import Trace, batches_of

BEGAN = datetime(2026, 11, 1, tzinfo=UTC)


def a_trace(number: int, minutes: float, spans: int = 10) -> Trace:
    first = BEGAN + timedelta(minutes=minutes)
    return Trace("default", f"{number:032x}", first, first + timedelta(minutes=1), spans, is_final=False)


def nothing_else() -> Mapping[date, int]:
    return {}


def test_history_that_is_sent_at_once_is_few_batches() -> None:
    """Ten days with a run every half hour are one batch, where nothing else is stored, and 240 where much is."""
    traces = [a_trace(number, 30 * number) for number in range(480)]
    assert len(list(batches_of(traces, 100_000, nothing_else))) == 1

    def crowded() -> Mapping[date, int]:
        return {BEGAN.date() + timedelta(days=day): 1_000_000 for day in range(10)}

    assert len(list(batches_of(traces, 100_000, crowded))) == 160


def test_late_traces_do_not_join_what_comes_in_now() -> None:
    """Where much is stored in between, what lies hours apart is read apart."""
    traces = [a_trace(1, 0), a_trace(2, 300), a_trace(3, 301)]
    asked: list[int] = []

    def crowded() -> Mapping[date, int]:
        asked.append(1)
        return {BEGAN.date(): 1_000_000}

    assert [len(batch) for batch in batches_of(traces, 100_000, crowded)] == [1, 2]
    assert len(asked) == 1


def test_nobody_asks_what_is_stored_for_what_comes_in_now() -> None:
    def asked() -> Mapping[date, int]:
        raise AssertionError("nobody needs to know")

    assert [len(batch) for batch in batches_of([a_trace(1, 0), a_trace(2, 50)], 100_000, asked)] == [2]


@given(st.lists(st.tuples(st.floats(0, 30_000), st.integers(1, 60)), max_size=40), st.integers(50, 200), st.booleans())
def test_every_trace_is_in_one_batch_of_its_size(
    drawn: list[tuple[float, int]], batch_spans: int, is_crowded: bool
) -> None:
    traces = [a_trace(number, minutes, spans) for number, (minutes, spans) in enumerate(drawn)]

    def stored() -> Mapping[date, int]:
        return {BEGAN.date() + timedelta(days=day): 10**9 if is_crowded else 0 for day in range(30)}

    batches = list(batches_of(traces, batch_spans, stored))
    assert sorted(trace.trace_id for batch in batches for trace in batch) == sorted(one.trace_id for one in traces)
    for batch in batches:
        assert len(batch) == 1 or sum(trace.spans for trace in batch) <= batch_spans
        reach = batch[-1].first - batch[0].first
        assert reach <= (timedelta(hours=1) if is_crowded else timedelta(days=14))
