"""Something that an application does: a run, a step or a call of a tool, while it goes on."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from opentelemetry.context import Context, create_key, get_value, set_value
from opentelemetry.trace import Span, Status, StatusCode, format_span_id, format_trace_id, get_current_span
from opentelemetry.util.types import AttributeValue

from agentvigil.agent.safe import safe_attributes, safe_value, shown, warn_once
from agentvigil.instrumentations.messages import text_message
from agentvigil.instrumentations.telemetry import Operation
from agentvigil.instrumentations.telemetry.guard import guarded
from agentvigil.semconv import names
from agentvigil.semconv.enums import FailureType

_TAG_PREFIX: Final = "agentvigil.tag."

_KEY: Final = create_key("agentvigil.doing")
_FAILURE_TYPES: Final = frozenset(kind.value for kind in FailureType)
_MOST_REMEMBERED: Final = 64


class Said:
    """A span that things can be said about. Nothing here raises."""

    def __init__(self, span: Span, run: "Said | None" = None) -> None:
        self.span = span
        self._run = run or self

    @property
    def trace_id(self) -> str:
        """The trace's id: 32 hex digits, all zero if nothing is recorded."""
        return format_trace_id(self.span.get_span_context().trace_id)

    @property
    def id(self) -> str:
        """The ids of the trace and of this span, joined by a dash: of a run's span, the run's id on the server."""
        return f"{self.trace_id}-{format_span_id(self.span.get_span_context().span_id)}"

    @property
    def run(self) -> "Said":
        """The outermost run or step that this is part of."""
        return self._run

    @guarded(otherwise=None)
    def metadata(self, values: dict[str, Any] | None = None, /, **more: Any) -> None:
        """Add attributes: numbers, true or false, labels. Longer texts are refused, with a warning."""
        if values is not None and not isinstance(values, Mapping):
            warn_once("metadata", "metadata: %s is left out: it has to be a mapping, or keywords", shown(values))
            values = None
        for key, value in safe_attributes({**({} if values is None else values), **more}, "metadata").items():
            self._set(key, value)

    @guarded(otherwise=None)
    def tag(self, **tags: Any) -> None:
        """Tag the whole run: ``tag(team="billing", beta=True)``. Runs can be found by their tags."""
        for key, value in safe_attributes(tags, "tag").items():
            self._run._set(_TAG_PREFIX + key, value)  # noqa: SLF001 - one of its own kind

    @guarded(otherwise=None)
    def confidence(self, value: float) -> None:
        """Say how sure the agent is: 0 is not at all, 1 is certain."""
        if isinstance(value, int | float) and 0 <= value <= 1:
            self._set(names.AGENTVIGIL_CONFIDENCE, float(value))
        else:
            warn_once("confidence", "confidence is left out: it has to be a number from 0 to 1")

    @guarded(otherwise=None)
    def event(self, name: str, /, **attributes: Any) -> None:
        """Note that something happened at this moment: ``event("token")``, ``event("score", value=0.7)``."""
        if safe_value("name", name, "event") is not None:
            self.span.add_event(name, safe_attributes(attributes, "event"))

    @guarded(otherwise=None)
    def record_failure(self, type: str, code: str, message: str = "") -> None:  # noqa: A002 - the field's word
        """Mark as failed, also where nothing is raised.

        ``type`` is where: ``tool``, ``model``, ``retrieval`` or ``orchestration``. ``code`` is what, in one word that
        is the same each time: one of ``agentvigil.semconv.enums.FailureCode`` where one fits. ``message`` explains it;
        servers that store no content keep little of it.
        """
        if isinstance(type, str) and type in _FAILURE_TYPES:
            self._set(names.AGENTVIGIL_FAILURE_TYPE, str(type))
        else:
            allowed = ", ".join(sorted(_FAILURE_TYPES))
            warn_once(
                f"failure type {shown(type)}",
                "record_failure: %s is no type of failure: it has to be one of %s",
                shown(type),
                allowed,
            )
        known = safe_value("code", code, "record_failure")
        label = known if isinstance(known, str) else "failure"
        self._set(names.AGENTVIGIL_FAILURE_CODE, label)
        if message:
            self._set(names.AGENTVIGIL_FAILURE_MESSAGE, str(message))
        self._fail(label, str(message))

    @guarded(otherwise=None)
    def _set(self, name: str, value: AttributeValue) -> None:
        self.span.set_attribute(name, value)

    def _fail(self, code: str, message: str) -> None:
        self._set(names.ERROR_TYPE, code)
        self.span.set_status(Status(StatusCode.ERROR, message or None))


class Doing(Said):
    """A run, a step or a call of a tool that the application has marked."""

    def __init__(
        self, operation: Operation, around: "Doing | None" = None, on_end: "Callable[[Doing], None] | None" = None
    ) -> None:
        super().__init__(operation.span, around.run if around is not None else None)
        self._operation = operation
        self._on_end = on_end
        self._tries: dict[tuple[str, str], tuple[int, bool]] = {}

    @property
    def context(self) -> Context:
        """A context in which this is the current one."""
        return set_value(_KEY, self, self._operation.context)

    @property
    def has_failed(self) -> bool:
        """Whether it raised, or a failure was recorded."""
        return bool(self._operation.error_type)

    def content(self, name: str, make: Callable[[], object]) -> None:
        """Record a text of users or models, if content is wanted."""
        self._operation.content(name, make)

    def returned(self, result: object) -> None:
        """Look at what the marked function returned; only some kinds care."""

    def attempt_of(self, kind: str, name: str) -> int:
        """Return which try it is if ``name`` begins inside this now: one more than the one before, if that failed."""
        tries, has_failed = self._tries.get((kind, name), (0, False))
        return tries + 1 if has_failed else 1

    def tried(self, kind: str, name: str, attempt: int, *, has_failed: bool) -> None:
        """Remember how a try inside this ended."""
        if (kind, name) in self._tries or len(self._tries) < _MOST_REMEMBERED:
            self._tries[kind, name] = (attempt, has_failed)

    def end(self, error: BaseException | None = None) -> None:
        """End it, as failed if ``error`` was raised."""
        if error is not None:
            self._operation.mark_failed(error)
        self._operation.end()
        if self._on_end is not None:
            self._on_end(self)

    def _set(self, name: str, value: AttributeValue) -> None:
        self._operation.set(name, value)

    def _fail(self, code: str, message: str) -> None:
        self._operation.mark_failed(code, message)


class ToolDoing(Doing):
    """A call of a tool."""

    def returned(self, result: object) -> None:
        self.content(names.GEN_AI_TOOL_CALL_RESULT, lambda: result)


class RunDoing(Doing):
    """An execution of an agent."""

    def returned(self, result: object) -> None:
        if isinstance(result, str):
            self.content(names.GEN_AI_OUTPUT_MESSAGES, lambda: [text_message("assistant", result)])

    def asked(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Look at the arguments: the first text among them is the question."""
        question = next((value for value in (*args, *kwargs.values()) if isinstance(value, str)), None)
        if question is not None:
            self.content(names.GEN_AI_INPUT_MESSAGES, lambda: [text_message("user", question)])


def current_doing() -> Doing | None:
    """Return the innermost run, step or tool that the application has marked, or None."""
    found = get_value(_KEY)
    return found if isinstance(found, Doing) else None


def current() -> Said:
    """Return what the application is doing: what it has marked, or inside that the span of an instrumentation."""
    doing, span = current_doing(), get_current_span()
    if doing is not None and doing.span is span:
        return doing
    return Said(span, doing.run if doing is not None else None)
