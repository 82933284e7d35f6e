"""What the unit tests share."""

import time
from collections.abc import Callable

import pytest

from agentvigil.receiver.admission import admit_traces, clean_traces
from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.envelope import Limits, TraceRequest
from agentvigil.storage.trace_writer import Outcome, TraceWriter


@pytest.fixture
def insert_traces(store: EmbeddedStore) -> Callable[[bytes], None]:
    """Take a serialised export request the road from admission into ``store``."""

    def insert(body: bytes) -> None:
        admitted = admit_traces(body, "default")
        request = TraceRequest(
            body=admitted.body,
            spans=admitted.spans,
            request_hash=admitted.request_hash,
            project="default",
            received_at_ns=time.time_ns(),
            keep_days=90,
            limits=Limits(attributes=100_000),
        )
        assert TraceWriter(store, clean_traces).write([request]) == [Outcome.STORED]

    return insert
