"""Responses that are read after the query has returned. What they ask of models when somebody reads belongs to it.

The generator that such a response holds is exchanged for one that makes the query's span current while it works.
"""

import weakref
from collections.abc import AsyncGenerator, Generator
from inspect import isasyncgen, isgenerator
from typing import Any, Final

from agentvigil.instrumentations.telemetry import Operation

_STREAMED: Final = frozenset({"StreamingResponse", "AsyncStreamingResponse"})


def take_along(operation: Operation, response: Any) -> bool:
    """Have ``operation`` go on until ``response`` is read, if it is one to be read. Says whether it does."""
    if type(response).__name__ not in _STREAMED:
        return False
    pieces = response.response_gen
    if isgenerator(pieces):
        response.response_gen = _read(operation, pieces)
    elif isasyncgen(pieces):
        response.response_gen = _aread(operation, pieces)
    else:
        return False
    # Of a generator that nobody begins to read, no code runs at all.
    weakref.finalize(response.response_gen, operation.end)
    return True


def _read(operation: Operation, pieces: Any) -> Generator[Any]:
    try:
        while True:
            try:
                with operation.active():
                    piece = next(pieces)
            except StopIteration:
                return
            yield piece
    except GeneratorExit:
        pieces.close()
        raise
    except BaseException as exc:
        operation.fail(exc)
        raise
    finally:
        operation.end()


async def _aread(operation: Operation, pieces: Any) -> AsyncGenerator[Any]:
    try:
        while True:
            try:
                with operation.active():
                    piece = await anext(pieces)
            except StopAsyncIteration:
                return
            yield piece
    except GeneratorExit:
        await pieces.aclose()
        raise
    except BaseException as exc:
        operation.fail(exc)
        raise
    finally:
        operation.end()
