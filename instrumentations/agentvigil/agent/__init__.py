"""The front door: what an application says about its own agent.

    from agentvigil import agent

    agent.init("support-desk")

    @agent.tool
    def search(query: str) -> list[str]: ...

    @agent.run("support", version="1.4")
    def answer(question: str) -> str:
        with agent.step("plan", "classify") as step:
            step.confidence(0.9)
        search(question)
        ...

    with agent.session("ticket-17", user="customer-3"):
        answer("Where is my order?")

It emits plain OpenTelemetry spans. :func:`init` is for programs that have not set up OpenTelemetry; under
``opentelemetry-instrument``, or with providers of the program's own, leave it out. Without any of these nothing is
recorded and everything runs as it would.

Nothing here raises into the program, and nothing that the program raises is kept from it. Prompts, arguments and
results are recorded only if ``OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT`` asks for it; texts that could be
such are refused everywhere else.
"""

from agentvigil.agent.doing import Doing
from agentvigil.agent.judging import feedback
from agentvigil.agent.marks import (
    confidence,
    current_run,
    current_span,
    event,
    metadata,
    record_failure,
    run,
    session,
    step,
    tag,
    tool,
)
from agentvigil.agent.setup import flush, init

__all__ = [
    "init",
    "flush",
    "run",
    "step",
    "tool",
    "session",
    "Doing",
    "metadata",
    "tag",
    "event",
    "confidence",
    "record_failure",
    "feedback",
    "current_run",
    "current_span",
]
