"""Watching ``request``, and what it returns, without changing the type of anything.

An answer is a model, a stream, or a raw response of either:

- A *stream* reads from its attribute ``_iterator``. That is replaced by one that looks at the items it passes on. It is
  told when the response is closed, which all ways of giving up a stream come down to.
- A *raw response* (``with_raw_response``) has its body already, unless it is a stream; that one is watched when it is
  parsed.
- With ``with_streaming_response`` nothing is read before the caller does so. What it parses is looked at then; bytes,
  text and lines are read along (:mod:`.bodies`).
"""

import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

from agentvigil.instrumentations.fields import pick
from agentvigil.instrumentations.stainless.bodies import read_along
from agentvigil.instrumentations.stainless.calls import Call, Route, StreamedRoute
from agentvigil.instrumentations.telemetry import Inference, Operation, Telemetry
from agentvigil.instrumentations.telemetry.guard import guard, guarded
from agentvigil.instrumentations.telemetry.streams import ObservedAsyncIterator, ObservedIterator, Reading

_WATCH: Final = "_agentvigil_watch"

FindRoute = Callable[[Call], "Route | None"]
Prepare = Callable[[Call, Any], Any]
"""Returns options to send in place of the caller's, which stay as they are, or None to send those."""


class RequestWatch:
    """Wrappers for the two ``request`` methods, and for the ``parse`` methods of raw responses."""

    def __init__(
        self,
        telemetry: Telemetry,
        find_route: FindRoute,
        is_left_to_others: Callable[[str], bool],
        prepare: Prepare | None = None,
    ) -> None:
        self._telemetry = telemetry
        self._find_route = find_route
        self._is_left_to_others = is_left_to_others
        self._prepare = prepare

    def sync_request(
        self, wrapped: Callable[..., Any], client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Wrap ``SyncAPIClient.request``."""
        watched = self._begin(client, args, kwargs)
        if watched is None:
            return wrapped(*args, **kwargs)
        args, kwargs = watched.args, watched.kwargs
        with watched.operation.running():
            answer = wrapped(*args, **kwargs)
        watched.answered(answer)
        return answer

    async def async_request(
        self, wrapped: Callable[..., Any], client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Wrap ``AsyncAPIClient.request``."""
        watched = self._begin(client, args, kwargs)
        if watched is None:
            return await wrapped(*args, **kwargs)
        args, kwargs = watched.args, watched.kwargs
        with watched.operation.running():
            answer = await wrapped(*args, **kwargs)
        watched.answered(answer)
        return answer

    @guarded(otherwise=None)
    def _begin(self, client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> "_Watched | None":
        options = args[1] if len(args) > 1 else kwargs.get("options")
        body = pick(options, "json_data")
        call = Call(
            client, str(pick(options, "url") or ""), body if isinstance(body, Mapping) else {}, _method(options)
        )
        route = self._find_route(call)
        if route is None or self._is_left_to_others(call.path):
            return None
        operation = route.start(self._telemetry, call)
        with guard("preparing a call"):
            prepared = None if self._prepare is None else self._prepare(call, options)
            if prepared is not None:
                call = replace(call, is_changed=True)
                if len(args) > 1:
                    args = (args[0], prepared, *args[2:])
                else:
                    kwargs = {**kwargs, "options": prepared}
        return _Watched(route, call, operation, args, kwargs)


class _Watched:
    """One call, from its start to where its answer ends."""

    def __init__(
        self, route: Route, call: Call, operation: Operation, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        self.operation = operation
        self.args, self.kwargs = args, kwargs
        self._is_parsing = False
        self._route, self._call = route, call
        self._is_observed = False
        self._bytes_closed: Callable[[], object] = operation.end
        self._stop_reading_along: Callable[[], object] = lambda: None

    def answered(self, answer: Any) -> None:
        """Read ``answer``, now or as the caller does, and end the operation when it ends."""
        is_taken = False
        with guard("an answer"):
            is_taken = self._take(answer)
        if not is_taken:
            self.operation.end()

    @contextmanager
    def parsing(self) -> Iterator[None]:
        """Let a raw response be parsed inside a ``with`` block."""
        self._is_parsing = True
        try:
            yield
        except BaseException as exc:
            self.operation.fail(exc)
            raise
        finally:
            self._is_parsing = False

    def parsed(self, answer: Any) -> None:
        """Read what a raw response was parsed to."""
        if not self.operation.has_ended:
            self.answered(answer)

    def _take(self, answer: Any) -> bool:
        """Read ``answer``; return whether it goes on, and ends the operation by itself."""
        if hasattr(answer, "_iterator") and hasattr(answer, "response"):
            return self._watch_stream(answer)
        if not hasattr(answer, "http_response"):
            self._route.answered(self.operation, answer)
            return False
        if not self._call.streams and answer.http_response.is_closed:
            # with_raw_response: the body has been read, so that its JSON costs no network.
            self._route.answered(self.operation, answer.http_response.json())
            return False
        setattr(answer, _WATCH, self)
        if isinstance(self.operation, Inference):
            reading, self._stop_reading_along = read_along(
                answer.http_response, self._route, self.operation, self._call
            )
            self._bytes_closed = reading.closed
        weakref.finalize(answer, self._closed)
        _on_close(answer.http_response, self._closed)
        return True

    def _closed(self) -> None:
        # A stream that was parsed from it has an end of its own, and so has what is being parsed.
        if not self._is_observed and not self._is_parsing:
            self._bytes_closed()

    def _watch_stream(self, stream: Any) -> bool:
        if not isinstance(self.operation, Inference) or not isinstance(self._route, StreamedRoute):
            return False
        self._is_observed = True
        self._stop_reading_along()
        reader = self._route.reader(self.operation, self._call)
        reading = Reading(self.operation, reader.item, reader.end)
        make = ObservedAsyncIterator if hasattr(stream._iterator, "__anext__") else ObservedIterator  # noqa: SLF001
        stream._iterator = make(stream._iterator, reading)  # noqa: SLF001
        _on_close(stream.response, reading.closed)
        return True


def parse(wrapped: Callable[..., Any], response: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Wrap ``parse`` of raw responses."""
    watched = getattr(response, _WATCH, None)
    if not isinstance(watched, _Watched):
        return wrapped(*args, **kwargs)
    with watched.parsing():
        parsed = wrapped(*args, **kwargs)
    watched.parsed(parsed)
    return parsed


async def async_parse(wrapped: Callable[..., Any], response: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Wrap the asynchronous ``parse`` of raw responses."""
    watched = getattr(response, _WATCH, None)
    if not isinstance(watched, _Watched):
        return await wrapped(*args, **kwargs)
    with watched.parsing():
        parsed = await wrapped(*args, **kwargs)
    watched.parsed(parsed)
    return parsed


def _on_close(response: Any, closed: Callable[[], None]) -> None:
    """Have ``closed`` called when the HTTP response is closed; the methods of this one instance are replaced."""
    close, aclose = getattr(response, "close", None), getattr(response, "aclose", None)

    if close is not None:

        def closing() -> Any:
            try:
                return close()
            finally:
                closed()

        response.close = closing
    if aclose is not None:

        async def aclosing() -> Any:
            try:
                return await aclose()
            finally:
                closed()

        response.aclose = aclosing


def _method(options: Any) -> str:
    return str(pick(options, "method") or "post").lower()
