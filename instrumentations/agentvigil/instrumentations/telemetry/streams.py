"""Watching a stream that the application reads, without changing when or how it reads.

The application asks for an item, and only then one is asked for. Its operation ends when the stream does, when it
fails, when it is closed, or when nobody holds it any more.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from types import TracebackType
from typing import Any, Generic, TypeVar

from opentelemetry.context import attach

from agentvigil.instrumentations.telemetry.current import detach
from agentvigil.instrumentations.telemetry.guard import guard
from agentvigil.instrumentations.telemetry.operation import Inference

_T = TypeVar("_T")

OnItem = Callable[[_T], object]
"""Looks at an item. Where it returns true the application does not get the item: it did not ask for that one."""


class Reading(Generic[_T]):
    """How a stream is read, for whoever passes its items on::

    with reading.next_item():
        item = next(stream)
    if reading.passes(item):
        return item
    """

    def __init__(
        self,
        operation: Inference,
        on_item: OnItem[_T],
        on_end: Callable[[], object] = lambda: None,
        *,
        are_chunks: bool = True,
    ) -> None:
        self._operation = operation
        self._on_item = on_item
        self._on_end = on_end
        self._are_chunks = are_chunks
        self._is_reading = False

    def next_item(self) -> "_NextItem":
        """Return what an item is got in: the operation is current then, and ends where that says that there is none."""
        return _NextItem(self)

    def passes(self, item: _T) -> bool:
        """Look at an item, and say whether the application gets it."""
        if self._operation.has_ended:
            return True
        if self._are_chunks:
            self._operation.chunk()
        with guard("item of a stream"):
            return self._on_item(item) is not True
        return True

    def closed(self) -> None:
        """Note that what the items come from was closed; while one is read, that is how streams end and fail."""
        if not self._is_reading:
            self.finish()

    def finish(self, error: BaseException | None = None) -> None:
        """End the operation, with what the stream has told so far. Only the first call does anything."""
        if self._operation.has_ended:
            return
        with guard("end of a stream"):
            self._on_end()
        if error is None:
            self._operation.end()
        else:
            self._operation.fail(error)


class _NextItem:
    """The time in which one item is got."""

    __slots__ = ("_reading", "_token")

    def __init__(self, reading: Reading[Any]) -> None:
        self._reading = reading

    def __enter__(self) -> None:
        operation = self._reading._operation  # noqa: SLF001 - one of its own kind
        self._reading._is_reading = True  # noqa: SLF001
        self._token = None if operation.has_ended else attach(operation.context)

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._token is not None:
            detach(self._token)
        self._reading._is_reading = False  # noqa: SLF001
        if isinstance(exc, StopIteration | StopAsyncIteration):
            self._reading.finish()
        elif exc is not None:
            self._reading.finish(exc)


class ObservedIterator(Iterator[_T]):
    """An iterator that is watched."""

    def __init__(self, iterator: Iterator[_T], reading: Reading[_T]) -> None:
        self._iterator = iterator
        self._reading = reading

    def __next__(self) -> _T:
        while True:
            with self._reading.next_item():
                item = next(self._iterator)
            if self._reading.passes(item):
                return item

    def close(self) -> None:
        """Close the iterator, as a generator's ``close`` does."""
        try:
            close = getattr(self._iterator, "close", None)
            if close is not None:
                close()
        finally:
            self._reading.finish()

    def __del__(self) -> None:
        self._reading.finish()


class ObservedAsyncIterator(AsyncIterator[_T]):
    """An asynchronous iterator that is watched."""

    def __init__(self, iterator: AsyncIterator[_T], reading: Reading[_T]) -> None:
        self._iterator = iterator
        self._reading = reading

    async def __anext__(self) -> _T:
        while True:
            with self._reading.next_item():
                item = await anext(self._iterator)
            if self._reading.passes(item):
                return item

    async def aclose(self) -> None:
        """Close the iterator, as an asynchronous generator's ``aclose`` does."""
        try:
            close = getattr(self._iterator, "aclose", None)
            if close is not None:
                await close()
        finally:
            self._reading.finish()

    def __del__(self) -> None:
        self._reading.finish()
