"""What the unit tests share."""

import time
from collections.abc import Callable
from functools import partial

import pytest

from agentvigil.receiver.admission import admit, clean
from agentvigil.receiver.otlp import TRACES, OtlpSignal
from agentvigil.semconv.privacy import ContentPolicy
from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.envelope import ExportRequest, Limits
from agentvigil.storage.request_writer import Outcome, RequestWriter


@pytest.fixture
def insert(store: EmbeddedStore) -> Callable[[OtlpSignal, bytes], None]:
    """Take a serialised export request the road from admission into ``store``; all but content is kept as it is."""

    def take(otlp: OtlpSignal, body: bytes, policy: ContentPolicy = ContentPolicy.FULL) -> None:
        admitted = admit(otlp, body, "default", policy)
        request = ExportRequest(
            signal=otlp.signal,
            destinations=admitted.destinations,
            body=admitted.body,
            items=admitted.items,
            request_hash=admitted.request_hash,
            project="default",
            received_at_ns=time.time_ns(),
            keep_days=90,
            limits=Limits(attributes=100_000),
            content_policy=policy,
            hash_key=b"key of the tests",
        )
        assert RequestWriter(store, otlp.signal, partial(clean, otlp)).write([request]) == [Outcome.STORED]

    return take


@pytest.fixture
def insert_traces(insert: Callable[[OtlpSignal, bytes], None]) -> Callable[[bytes], None]:
    """Take a serialised request of traces the road from admission into ``store``."""
    return partial(insert, TRACES)
