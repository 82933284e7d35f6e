"""Watching a stream that the application reads, without changing when or how it reads.

The application asks for an item, and only then one is asked for. Its operation ends when the stream does, when it
fails, when it is closed, or when nobody holds it any more.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Generic, TypeVar

from agentvigil.instrumentations.telemetry.guard import guard
from agentvigil.instrumentations.telemetry.operation import Inference

_T = TypeVar("_T")

OnItem = Callable[[_T], object]
"""Looks at an item. Where it returns true the application does not get the item: it did not ask for that one."""


class _Observed(Generic[_T]):
    def __init__(self, operation: Inference, on_item: OnItem[_T], on_end: Callable[[], object]) -> None:
        self._operation = operation
        self._on_item = on_item
        self._on_end = on_end
        self._is_reading = False

    def closed(self) -> None:
        """Note that what the items come from was closed; while one is read, that is how streams end and fail."""
        if not self._is_reading:
            self.finish()

    def _is_hidden(self, item: _T) -> bool:
        self._operation.chunk()
        with guard("item of a stream"):
            return self._on_item(item) is True
        return False

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


class ObservedIterator(_Observed[_T], Iterator[_T]):
    """An iterator that is watched."""

    def __init__(
        self,
        iterator: Iterator[_T],
        operation: Inference,
        on_item: OnItem[_T],
        on_end: Callable[[], object] = lambda: None,
    ) -> None:
        super().__init__(operation, on_item, on_end)
        self._iterator = iterator

    def __next__(self) -> _T:
        while True:
            self._is_reading = True
            try:
                if self._operation.has_ended:
                    item = next(self._iterator)
                else:
                    with self._operation.active():
                        item = next(self._iterator)
            except StopIteration:
                self.finish()
                raise
            except BaseException as exc:
                self.finish(exc)
                raise
            finally:
                self._is_reading = False
            if self._operation.has_ended or not self._is_hidden(item):
                return item

    def close(self) -> None:
        """Close the iterator, as a generator's ``close`` does."""
        try:
            close = getattr(self._iterator, "close", None)
            if close is not None:
                close()
        finally:
            self.finish()

    def __del__(self) -> None:
        self.finish()


class ObservedAsyncIterator(_Observed[_T], AsyncIterator[_T]):
    """An asynchronous iterator that is watched."""

    def __init__(
        self,
        iterator: AsyncIterator[_T],
        operation: Inference,
        on_item: OnItem[_T],
        on_end: Callable[[], object] = lambda: None,
    ) -> None:
        super().__init__(operation, on_item, on_end)
        self._iterator = iterator

    async def __anext__(self) -> _T:
        while True:
            self._is_reading = True
            try:
                if self._operation.has_ended:
                    item = await anext(self._iterator)
                else:
                    with self._operation.active():
                        item = await anext(self._iterator)
            except StopAsyncIteration:
                self.finish()
                raise
            except BaseException as exc:
                self.finish(exc)
                raise
            finally:
                self._is_reading = False
            if self._operation.has_ended or not self._is_hidden(item):
                return item

    async def aclose(self) -> None:
        """Close the iterator, as an asynchronous generator's ``aclose`` does."""
        try:
            close = getattr(self._iterator, "aclose", None)
            if close is not None:
                await close()
        finally:
            self.finish()

    def __del__(self) -> None:
        self.finish()
