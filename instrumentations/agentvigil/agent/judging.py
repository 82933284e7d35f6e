"""Feedback: what users, people or other models think of a run."""

from typing import Any, Final

from opentelemetry._logs import get_logger_provider
from opentelemetry.trace import get_current_span, get_tracer_provider

from agentvigil.agent.doing import current_doing
from agentvigil.agent.safe import safe_value, shown, warn_once
from agentvigil.instrumentations.telemetry import Telemetry
from agentvigil.instrumentations.telemetry.content import ContentMode, content_mode
from agentvigil.instrumentations.telemetry.guard import guarded
from agentvigil.instrumentations.telemetry.telemetry import HAS_EVENTS
from agentvigil.semconv import names
from agentvigil.semconv.enums import FeedbackSource

_TELEMETRY: Final = Telemetry("agentvigil.agent")
_SOURCES: Final = frozenset(source.value for source in FeedbackSource)


@guarded(otherwise=None)
def feedback(
    run_id: str | None = None,
    score: float | None = None,
    *,
    label: str | None = None,
    comment: str | None = None,
    source: str = FeedbackSource.USER.value,
    name: str = "feedback",
) -> None:
    """Judge a run, now or long after it: ``agent.feedback(run.id, 1.0, label="helpful")``.

    Args:
        run_id: ``agent.current_run().id``, or a trace id; without it, the run that is going on.
        score: a number, more is better; its scale is yours.
        label: a word, such as ``"wrong"``.
        comment: what was said. Recorded only where content is.
        source: who judges: ``user``, ``reviewer`` or ``automatic``.
        name: what is judged, if there are several things: ``"tone"``.
    """
    judged = run_id or _current_id()
    if judged is None:
        warn_once("feedback run", "feedback is left out: no run is going on here, so it has to name one")
        return
    if not isinstance(source, str) or source not in _SOURCES:
        warn_once(f"feedback source {shown(source)}", "feedback: the source has to be one of %s", ", ".join(_SOURCES))
        return
    said: dict[str, Any] = {
        names.GEN_AI_EVALUATION_NAME: safe_value("name", name, "feedback"),
        names.GEN_AI_EVALUATION_SCORE_VALUE: score,
        names.GEN_AI_EVALUATION_SCORE_LABEL: safe_value("label", label, "feedback"),
        names.AGENTVIGIL_FEEDBACK_RUN_ID: safe_value("run_id", judged, "feedback"),
        names.AGENTVIGIL_FEEDBACK_SCORE: score,
        names.AGENTVIGIL_FEEDBACK_LABEL: safe_value("label", label, "feedback"),
        names.AGENTVIGIL_FEEDBACK_SOURCE: source,
    }
    if comment and content_mode() is not ContentMode.NO_CONTENT:
        said[names.GEN_AI_EVALUATION_EXPLANATION] = comment
        said[names.AGENTVIGIL_FEEDBACK_COMMENT] = comment
    known = {key: value for key, value in said.items() if value is not None}
    if HAS_EVENTS and hasattr(get_logger_provider(), "add_log_record_processor"):
        _TELEMETRY.event(names.EVENT_GEN_AI_EVALUATION_RESULT, known)
    elif get_current_span().is_recording():
        # A program with traces and without logs: the span that is current is where it can be seen.
        get_current_span().add_event(names.EVENT_GEN_AI_EVALUATION_RESULT, known)
    elif hasattr(get_tracer_provider(), "add_span_processor"):
        warn_once("feedback logs", "feedback is left out: without a logger provider it needs a span that is current")


def _current_id() -> str | None:
    doing = current_doing()
    return None if doing is None else doing.run.id
