"""Requests of a size that receivers take.

A batch of 512 spans may hold any amount of text, receivers take 4 MiB (gRPC's default) to some more, and refuse what is
larger as a whole. So a batch goes out in as many requests as it takes, and one span cannot keep others from arriving.
"""

import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, Generic, TypeVar

from opentelemetry.sdk.environment_variables import OTEL_ATTRIBUTE_COUNT_LIMIT, OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits

_LOG: Final = logging.getLogger("agentvigil.agent")
MOST_REQUEST_BYTES: Final = 4_000_000
_MOST_CHARACTERS: Final = 1_000_000
_MOST_ATTRIBUTES: Final = 1_000
_REFUSED_WITHIN_S: Final = 1.0
"""What is refused is so at once. A failure that took longer is one of all tries: each other part of the batch would
take as long, and a program that ends waits for them."""
_ENVELOPE_BYTES: Final = 500
"""Of a record without its attributes: ids, times, names and what encoding adds."""

_T = TypeVar("_T")


def span_limits() -> SpanLimits:
    """Return limits with which a single span is hardly larger than a request may be.

    Texts are cut at 1,000,000 characters, which OpenTelemetry does not do, and a span may have 1,000 attributes instead
    of 128: beyond its limit the SDK drops the oldest, which say what was called. What OpenTelemetry's variables say,
    such as ``OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT`` and ``OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT``, goes before these.
    """
    said = SpanLimits()
    is_count_said = any(os.environ.get(name) for name in (OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT, OTEL_ATTRIBUTE_COUNT_LIMIT))
    return SpanLimits(
        max_attribute_length=said.max_attribute_length or _MOST_CHARACTERS,
        max_span_attribute_length=said.max_span_attribute_length,
        max_span_attributes=said.max_span_attributes if is_count_said else _MOST_ATTRIBUTES,
    )


class InParts(Generic[_T]):
    """Hands spans or log records on to another exporter, at most about 4 MB at a time.

    ``bytes_of`` says how many bytes one has, about.
    """

    def __init__(self, exporter: Any, bytes_of: Callable[[_T], int]) -> None:
        self._exporter = exporter
        self._bytes_of = bytes_of

    def export(self, batch: Sequence[_T]) -> Any:
        """Export all of ``batch``, and say whether all of it arrived. Where nobody answers the rest is given up."""
        results, tried = [], 0
        for part in parts(batch, self._bytes_of, MOST_REQUEST_BYTES):
            began_s = time.monotonic()
            results.append(self._exporter.export(part))
            tried += len(part)
            if results[-1].value and time.monotonic() - began_s > _REFUSED_WITHIN_S:
                left = len(batch) - tried
                if left:
                    _LOG.warning("%d spans or log records are left out: the endpoint does not answer", left)
                break
        return max(results, key=lambda result: result.value)

    def shutdown(self) -> None:
        """Shut the exporter down."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Flush the exporter."""
        return bool(self._exporter.force_flush(timeout_millis))


def parts(items: Sequence[_T], bytes_of: Callable[[_T], int], most_bytes: int) -> Iterator[list[_T]]:
    """Yield ``items`` in their order, as many at a time as have ``most_bytes`` together, and always at least one."""
    part: list[_T] = []
    total = 0
    for item in items:
        size = bytes_of(item)
        if part and total + size > most_bytes:
            yield part
            part, total = [], 0
        part.append(item)
        total += size
    if part:
        yield part


def span_bytes(span: ReadableSpan) -> int:
    """Return about how many bytes ``span`` has in a request, and rather too many."""
    events = sum(_ENVELOPE_BYTES + _bytes(event.attributes) for event in span.events)
    links = sum(_ENVELOPE_BYTES + _bytes(link.attributes) for link in span.links)
    return _ENVELOPE_BYTES + _bytes(span.attributes) + _bytes(span.status.description) + events + links


def log_bytes(data: Any) -> int:
    """Return the same of a log record."""
    return _ENVELOPE_BYTES + _bytes(data.log_record.attributes) + _bytes(data.log_record.body)


def _bytes(value: object) -> int:
    if isinstance(value, str):
        return 8 + (len(value) if value.isascii() else len(value.encode("utf-8", "replace")))
    if isinstance(value, bytes):
        return 8 + len(value)
    if isinstance(value, Mapping):
        return sum(_bytes(key) + _bytes(item) for key, item in value.items())
    if isinstance(value, Sequence):
        return 8 + sum(map(_bytes, value))
    return 16
