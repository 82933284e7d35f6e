"""Wrapping a function of a framework so that each call of it is one operation."""

from collections.abc import Callable
from typing import Any

from agentvigil.instrumentations.telemetry import Operation
from agentvigil.instrumentations.telemetry.guard import guard

Start = Callable[[Any, tuple[Any, ...], dict[str, Any]], Operation | None]
"""Gets the instance and the arguments; returns the operation that the call is, or None for a call that makes none."""

Finish = Callable[[Any, Any], object]
"""Gets the operation and what was returned. Returns true where that goes on, as a stream does, and ends by itself."""


def _nothing(_operation: Any, _result: Any) -> None:
    return None


def around(start: Start, finish: Finish = _nothing) -> Callable[..., Any]:
    """Return a wrapper for a function. Its code runs with the operation current."""

    def call(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        operation = _started(start, instance, args, kwargs)
        if operation is None:
            return wrapped(*args, **kwargs)
        with operation.running():
            result = wrapped(*args, **kwargs)
        _returned(finish, operation, result)
        return result

    return call


def async_around(start: Start, finish: Finish = _nothing) -> Callable[..., Any]:
    """Return a wrapper for a coroutine function."""

    async def call(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        operation = _started(start, instance, args, kwargs)
        if operation is None:
            return await wrapped(*args, **kwargs)
        with operation.running():
            result = await wrapped(*args, **kwargs)
        _returned(finish, operation, result)
        return result

    return call


def argument(position: int, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return an argument, however it was passed, or None."""
    return args[position] if len(args) > position else kwargs.get(name)


def _started(start: Start, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Operation | None:
    with guard("start of a call"):
        return start(instance, args, kwargs)
    return None


def _returned(finish: Finish, operation: Operation, result: Any) -> None:
    goes_on = False
    with guard("what a call returned"):
        goes_on = finish(operation, result) is True
    if not goes_on:
        operation.end()
