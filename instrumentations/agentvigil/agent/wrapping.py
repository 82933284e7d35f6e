"""Decorating a function of any kind, so that each call happens inside something that has a context and an end.

Functions, coroutines, generators and asynchronous generators stay what they are. A generator's own code runs inside the
context, and the code that reads from it does not.
"""

import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Generator
from functools import partial
from typing import Any, Protocol, TypeVar, cast

from opentelemetry.context import Context

from agentvigil.instrumentations.telemetry.current import Active

_F = TypeVar("_F", bound=Callable[..., Any])


class Around(Protocol):
    """What a call happens inside."""

    @property
    def context(self) -> Context: ...  # current while the function's code runs

    def returned(self, result: object) -> None:
        """Look at what the function returned. Does not raise."""

    def end(self, error: BaseException | None = None) -> None:
        """End it, as failed if ``error`` was raised. Does not raise."""


Begin = Callable[[tuple[Any, ...], dict[str, Any]], Around]
"""Starts with the arguments of the call. Does not raise."""


def wrapped_in(begin: Begin, function: _F) -> _F:
    """Return ``function`` as it is, with every call inside what ``begin`` returns.

    It may also be a static or class method on its way into a class, a partial, or an object that can be called.
    """
    if isinstance(function, staticmethod | classmethod):
        return cast("_F", type(function)(wrapped_in(begin, function.__func__)))
    code = function if inspect.isroutine(function) or isinstance(function, partial) else _call_of(function)
    if inspect.isasyncgenfunction(code):
        wrapped = _async_generator(begin, function)
    elif inspect.isgeneratorfunction(code):
        wrapped = _generator(begin, function)
    elif inspect.iscoroutinefunction(code):
        wrapped = _coroutine(begin, function)
    else:
        wrapped = _plain(begin, function)
    return cast("_F", functools.wraps(function)(wrapped))


def name_of(function: Any) -> str:
    """Return what a function is called, or else the class of what can be called."""
    function = bare(function)
    return str(getattr(function, "__name__", type(function).__name__))


def bare(function: Any) -> Any:
    """Return the function that a partial is made of; any other as it is."""
    while isinstance(function, partial):
        function = function.func
    return function


def _call_of(function: Callable[..., Any]) -> Any:
    return function if inspect.isclass(function) else type(function).__call__


def _plain(begin: Begin, function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        around = begin(args, kwargs)
        try:
            with Active(around.context):
                result = function(*args, **kwargs)
        except BaseException as exc:
            around.end(exc)
            raise
        around.returned(result)
        around.end()
        return result

    return call


def _coroutine(begin: Begin, function: Callable[..., Any]) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> Any:
        around = begin(args, kwargs)
        try:
            with Active(around.context):
                result = await function(*args, **kwargs)
        except BaseException as exc:
            around.end(exc)
            raise
        around.returned(result)
        around.end()
        return result

    return call


def _generator(begin: Begin, function: Callable[..., Generator[Any, Any, Any]]) -> Callable[..., Any]:
    def generate(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        around = begin(args, kwargs)
        inner = function(*args, **kwargs)
        advance: Callable[[], Any] = partial(next, inner)
        try:
            while True:
                with Active(around.context):
                    item = advance()
                try:
                    advance = partial(inner.send, (yield item))
                except GeneratorExit:
                    with Active(around.context):
                        inner.close()
                    raise
                except BaseException as exc:  # noqa: BLE001 - it is the inner generator's to handle
                    advance = partial(inner.throw, exc)
        except StopIteration as stop:
            around.end()
            return stop.value
        except GeneratorExit:
            around.end()
            raise
        except BaseException as exc:
            around.end(exc)
            raise

    return generate


def _async_generator(begin: Begin, function: Callable[..., AsyncGenerator[Any, Any]]) -> Callable[..., Any]:
    async def generate(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        around = begin(args, kwargs)
        inner = function(*args, **kwargs)
        advance: Callable[[], Any] = inner.__anext__
        try:
            while True:
                with Active(around.context):
                    item = await advance()
                try:
                    advance = partial(inner.asend, (yield item))
                except GeneratorExit:
                    with Active(around.context):
                        await inner.aclose()
                    raise
                except BaseException as exc:  # noqa: BLE001 - it is the inner generator's to handle
                    advance = partial(inner.athrow, exc)
        except StopAsyncIteration:
            around.end()
        except GeneratorExit:
            around.end()
            raise
        except BaseException as exc:
            around.end(exc)
            raise

    return generate
