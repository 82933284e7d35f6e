"""Keeps our own mistakes away from the application: they are logged, each kind once, and never raised."""

import functools
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, ParamSpec, TypeVar

_LOG: Final = logging.getLogger("agentvigil.instrumentations")
_MOST_REMEMBERED: Final = 1_000

_P = ParamSpec("_P")
_T = TypeVar("_T")
_D = TypeVar("_D")

_reported: set[tuple[str, str]] = set()


def report(where: str, exc: Exception) -> None:
    """Log that ``where`` failed: as a warning the first time this kind of thing happens there, then at debug level."""
    kind = (where, type(exc).__qualname__)
    first = kind not in _reported and len(_reported) < _MOST_REMEMBERED
    _reported.add(kind)
    _LOG.log(
        logging.WARNING if first else logging.DEBUG,
        "telemetry is incomplete: %s failed with %s; the application is not affected. Please report this.",
        where,
        type(exc).__qualname__,
        exc_info=_LOG.isEnabledFor(logging.DEBUG),
    )


def guarded(otherwise: _D) -> Callable[[Callable[_P, _T]], Callable[_P, _T | _D]]:
    """Make a function return ``otherwise`` where it would raise an :class:`Exception`."""

    def decorate(function: Callable[_P, _T]) -> Callable[_P, _T | _D]:
        @functools.wraps(function)
        def call(*args: _P.args, **kwargs: _P.kwargs) -> _T | _D:
            try:
                return function(*args, **kwargs)
            except Exception as exc:  # noqa: BLE001 - whatever we do wrong, the application goes on
                report(function.__qualname__, exc)
                return otherwise

        return call

    return decorate


@contextmanager
def guard(where: str) -> Iterator[None]:
    """Let the block fail without a word to the application. For our own code only: it would swallow theirs."""
    try:
        yield
    except Exception as exc:  # noqa: BLE001 - see above
        report(where, exc)
