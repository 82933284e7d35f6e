"""Runs, steps, tools and sessions: each a decorator and a ``with`` block, for plain and for asynchronous code."""

import inspect
from collections.abc import Callable
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Final, Generic, TypeVar, overload

from opentelemetry import context as otel
from opentelemetry.context import Context
from opentelemetry.trace import Span, get_current_span

from agentvigil.agent.doing import Doing, RunDoing, Said, ToolDoing, current, current_doing
from agentvigil.agent.safe import safe_value, shown, warn_once
from agentvigil.agent.wrapping import Around, bare, name_of, wrapped_in
from agentvigil.instrumentations.telemetry import Telemetry
from agentvigil.instrumentations.telemetry.current import detach
from agentvigil.instrumentations.telemetry.identity import with_identity
from agentvigil.semconv import names
from agentvigil.semconv.enums import StepType, ToolType

_F = TypeVar("_F", bound=Callable[..., Any])
_A = TypeVar("_A", bound=Around)

_STEP_TYPES: Final = frozenset(kind.value for kind in StepType)
_LONGEST_DESCRIPTION: Final = 512
_TELEMETRY: Final = Telemetry("agentvigil.agent")

_entered: ContextVar[tuple[tuple["Mark[Any]", Any, Any], ...]] = ContextVar("agentvigil_entered", default=())


class Mark(Generic[_A]):
    """Marks a block or a function. Every entry and every call is one of its own, so a mark may be used many times."""

    def __init__(self, begin: Callable[[tuple[Any, ...], dict[str, Any]], _A]) -> None:
        self._begin = begin

    def __call__(self, function: _F) -> _F:
        """Decorate ``function``: plain, asynchronous, or a generator."""
        return wrapped_in(self._begin, function)

    def __enter__(self) -> _A:
        around = self._begin((), {})
        token = otel.attach(around.context)
        _entered.set((*_entered.get(), (self, around, token)))
        return around

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        inside = _entered.get()
        for entry in reversed(inside):
            mark, around, token = entry
            if mark is self:
                _entered.set(tuple(other for other in inside if other is not entry))
                detach(token)
                around.end(exc)
                return

    async def __aenter__(self) -> _A:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.__exit__(kind, exc, traceback)


@overload
def run(name: _F, /) -> _F: ...
@overload
def run(
    name: str | None = None, *, version: str | None = None, session: str | None = None, user: str | None = None
) -> Mark[RunDoing]: ...
def run(name: Any = None, *, version: str | None = None, session: str | None = None, user: str | None = None) -> Any:
    """Mark an execution of an agent.

    ``@agent.run`` or ``@agent.run("support", version="1.4")`` above a function, or ``with agent.run("support"):``
    around a block. ``session`` is the conversation it belongs to and ``user`` who it is for; both, the name and the
    version go down to all calls inside. Without a name the function's own is taken.
    """
    if _is_function(name):
        return _run(name_of(name), version, session, user)(name)
    if name is None:
        return _Named(lambda function_name: _run(function_name, version, session, user))
    return _run(name, version, session, user)


@overload
def tool(name: _F, /) -> _F: ...
@overload
def tool(name: str | None = None, *, description: str | None = None) -> Mark[ToolDoing]: ...
def tool(name: Any = None, *, description: str | None = None) -> Any:
    """Mark a tool: ``@agent.tool`` or ``@agent.tool("search")`` above a function, or ``with agent.tool("search"):``."""
    if _is_function(name):
        return _tool(name_of(name), description or _first_line(name))(name)
    if name is None:
        return _Named(lambda function_name: _tool(function_name, description))
    return _tool(name, description)


def step(type: str, name: str, *, attempt: int | None = None) -> Mark[Doing]:  # noqa: A002 - the field's word
    """Mark a step: ``with agent.step("plan", "classify") as step:``, or as a decorator.

    ``type`` is ``plan``, ``retrieve``, ``tool``, ``respond`` or ``other``; ``name`` is the same in every run. A step
    that comes again after it failed, inside the same run or step, is counted as its next attempt; ``attempt`` says it
    by hand.
    """
    if not isinstance(type, str) or type not in _STEP_TYPES:
        allowed, said = ", ".join(sorted(_STEP_TYPES)), shown(type)
        warn_once(f"step {said}", "step: %s is no type of step, so it is other: types are %s", said, allowed)
        type = StepType.OTHER.value  # noqa: A001
    if attempt is not None and not (isinstance(attempt, int) and attempt > 0):
        warn_once("step attempt", "step: attempt is left out: it is %s, and has to be 1 or more", shown(attempt))
        attempt = None
    label = _label(name, "step", "name") or "step"
    return Mark(lambda _args, _kwargs: _start_step(str(type), label, attempt))


def session(id: str, *, user: str | None = None) -> Mark["Session"]:  # noqa: A002 - the field's word
    """Say which conversation, and which user, everything inside belongs to: a decorator and a ``with`` block."""
    conversation_id, user_id = _label(id, "session", "id"), _label(user, "session", "user")
    return Mark(lambda _args, _kwargs: Session(with_identity(conversation_id=conversation_id, user_id=user_id)))


class Session:
    """A conversation, while something is done for it."""

    def __init__(self, context: Context) -> None:
        self.context = context

    def returned(self, result: object) -> None:
        """Nothing is told of it."""

    def end(self, error: BaseException | None = None) -> None:
        """Nothing has to end: a conversation goes on."""


def metadata(values: dict[str, Any] | None = None, /, **more: Any) -> None:
    """Add attributes to the current span: numbers, true or false, labels. Longer texts are refused, with a warning."""
    current().metadata(values, **more)


def tag(**tags: Any) -> None:
    """Tag the current run: ``agent.tag(team="billing", beta=True)``."""
    current().tag(**tags)


def event(name: str, /, **attributes: Any) -> None:
    """Note on the current span that something happened: ``agent.event("score", value=0.7)``."""
    current().event(name, **attributes)


def confidence(value: float) -> None:
    """Say how sure the agent is of what it does now, from 0 to 1."""
    current().confidence(value)


def record_failure(type: str, code: str, message: str = "") -> None:  # noqa: A002 - the field's word
    """Mark the current span as failed. See :meth:`agentvigil.agent.Said.record_failure`."""
    current().record_failure(type, code, message)


def current_span() -> Span:
    """Return the current OpenTelemetry span, for everything that is not here."""
    return get_current_span()


def current_run() -> Said | None:
    """Return the outermost run or step that is marked here, or None: its ``id`` is the run's on the server."""
    doing = current_doing()
    return None if doing is None else doing.run


class _Named(Mark[_A]):
    """A mark without a name: above a function it takes the function's."""

    def __init__(self, mark: Callable[[str | None], Mark[_A]]) -> None:
        super().__init__(mark(None)._begin)  # noqa: SLF001 - one of its own kind
        self._mark = mark

    def __call__(self, function: _F) -> _F:
        return self._mark(name_of(function))(function)


def _is_function(given: object) -> bool:
    return callable(given) or isinstance(given, classmethod)


def _run(name: str | None, version: str | None, session_id: str | None, user: str | None) -> Mark[RunDoing]:
    label, version_label = _label(name, "run", "name"), _label(version, "run", "version")
    conversation_id, user_id = _label(session_id, "run", "session"), _label(user, "run", "user")

    def begin(args: tuple[Any, ...], kwargs: dict[str, Any]) -> RunDoing:
        operation = _TELEMETRY.agent(label, version=version_label, conversation_id=conversation_id, user_id=user_id)
        doing = RunDoing(operation, current_doing())
        doing.asked(args, kwargs)
        return doing

    return Mark(begin)


def _tool(name: str | None, description: str | None) -> Mark[ToolDoing]:
    label = _label(name, "tool", "name") or "tool"
    said = {names.GEN_AI_TOOL_TYPE: ToolType.FUNCTION, names.GEN_AI_TOOL_DESCRIPTION: description}

    def begin(args: tuple[Any, ...], kwargs: dict[str, Any]) -> ToolDoing:
        doing = ToolDoing(_TELEMETRY.tool(label, attributes=said), current_doing())
        if args or kwargs:
            doing.content(names.GEN_AI_TOOL_CALL_ARGUMENTS, lambda: _arguments(args, kwargs))
        return doing

    return Mark(begin)


def _start_step(kind: str, name: str, attempt: int | None) -> Doing:
    around = current_doing()
    number = attempt or (around.attempt_of(kind, name) if around is not None else 1)
    said: dict[str, object] = {names.AGENTVIGIL_STEP_TYPE: kind}
    if number > 1:
        said[names.AGENTVIGIL_STEP_ATTEMPT] = number
    if kind == StepType.TOOL:
        operation = _TELEMETRY.tool(name, attributes=said)
    else:
        operation = _TELEMETRY.step(name, attributes=said)

    def ended(doing: Doing) -> None:
        if around is not None:
            around.tried(kind, name, number, has_failed=doing.has_failed)

    return Doing(operation, around, ended)


def _label(value: object, what: str, key: str) -> str | None:
    """Return a name or an id, which may be a number too."""
    found = safe_value(key, value, what)
    if isinstance(found, int) and not isinstance(found, bool):
        return str(found)
    return found if isinstance(found, str) else None


def _arguments(args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, object]:
    return {**{str(position): value for position, value in enumerate(args)}, **kwargs}


def _first_line(function: Callable[..., Any]) -> str | None:
    return (inspect.getdoc(bare(function)) or "").partition("\n")[0][:_LONGEST_DESCRIPTION] or None
