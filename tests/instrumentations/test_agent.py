"""The front door: what is recorded, and that a program with it behaves as it does without."""

import asyncio
import functools
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.trace import StatusCode
from telemetry_sinks import Sinks, said

from agentvigil import agent
from agentvigil.agent import judging, marks, safe
from agentvigil.instrumentations.telemetry.identity import install_identity
from agentvigil.instrumentations.threads import ThreadsInstrumentor


@pytest.fixture
def sinks(sinks: Sinks, monkeypatch: pytest.MonkeyPatch) -> Sinks:
    telemetry = sinks.telemetry("agentvigil.agent")
    monkeypatch.setattr(marks, "_TELEMETRY", telemetry)
    monkeypatch.setattr(judging, "_TELEMETRY", telemetry)
    monkeypatch.setattr(safe, "_warned", set())
    install_identity(sinks.tracer_provider)
    return sinks


@agent.tool
def find_order(number: str) -> str:
    """Find an order.

    Not told: this.
    """
    return f"canary-result {number}"


@agent.run("support", version="1.4")
def answer(question: str) -> str:
    with agent.step("plan", "classify") as step:
        step.confidence(0.9)
    find_order("canary-argument")
    agent.tag(team="billing", beta=True)
    return "canary-answer"


def test_a_run(sinks: Sinks) -> None:
    with agent.session("ticket-17", user="customer-3"):
        assert answer("canary-question") == "canary-answer"

    assert sinks.tree() == [
        ("invoke_agent support", ""),
        ("classify", "invoke_agent support"),
        ("execute_tool find_order", "invoke_agent support"),
    ]
    run, step, tool = (said(span) for span in sinks.spans())
    who = {
        "gen_ai.agent.name": "support",
        "gen_ai.agent.version": "1.4",
        "gen_ai.conversation.id": "ticket-17",
        "user.id": "customer-3",
    }
    assert run == {
        "gen_ai.operation.name": "invoke_agent",
        "agentvigil.tag.team": "billing",
        "agentvigil.tag.beta": True,
        **who,
    }
    assert step == {
        "agentvigil.is_step": True,
        "agentvigil.step.name": "classify",
        "agentvigil.step.type": "plan",
        "agentvigil.confidence": 0.9,
        **who,
    }
    assert tool == {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "find_order",
        "gen_ai.tool.type": "function",
        "gen_ai.tool.description": "Find an order.",
        **who,
    }
    assert "canary" not in sinks.everything()
    assert sinks.metrics()["gen_ai.invoke_agent.tool_calls"][0].sum == 1


def test_content_only_if_it_is_wanted(sinks: Sinks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_ONLY")
    answer("canary-question")

    run, _, tool = (said(span) for span in sinks.spans())
    assert "canary-question" in run["gen_ai.input.messages"]
    assert "canary-answer" in run["gen_ai.output.messages"]
    assert json.loads(tool["gen_ai.tool.call.arguments"]) == {"0": "canary-argument"}
    assert tool["gen_ai.tool.call.result"] == "canary-result canary-argument"


def test_a_failed_step_that_comes_again_is_the_next_attempt(sinks: Sinks) -> None:
    @agent.run
    def retrying() -> None:
        for attempt in range(3):
            try:
                with agent.step("tool", "refund"):
                    if attempt < 2:
                        raise TimeoutError  # noqa: TRY301 - what it is about
            except TimeoutError:
                continue
        with agent.step("tool", "refund"):
            pass
        with agent.step("plan", "refund", attempt=7):
            pass

    retrying()
    steps = [said(span) for span in sinks.spans()[1:]]
    assert [step.get("agentvigil.step.attempt") for step in steps] == [None, 2, 3, None, 7]
    assert [step.get("error.type") for step in steps] == ["TimeoutError", "TimeoutError", None, None, None]


def test_failures_events_and_what_is_refused(sinks: Sinks, caplog: pytest.LogCaptureFixture) -> None:
    with agent.run("support") as run:
        for _ in range(3):
            run.metadata(amount=3, region="eu", note="canary " * 50, thing=object(), lines="a\nb", nan=float("nan"))
        agent.event("score", value=0.7, text="canary " * 50)
        agent.record_failure("tool", "not_found", "no such order")
        run.confidence(1.5)
        agent.record_failure("nonsense", "other")
        with agent.step("nonsense", "step"):
            pass

    attributes = said(sinks.span("invoke_agent support"))
    assert attributes["amount"] == 3
    assert attributes["region"] == "eu"
    assert not attributes.keys() & {"note", "thing", "lines", "nan", "agentvigil.confidence"}
    assert attributes["agentvigil.failure.type"] == "tool"
    assert sinks.span("invoke_agent support").status.status_code is StatusCode.ERROR
    (event,) = sinks.span("invoke_agent support").events
    assert (event.name, dict(event.attributes)) == ("score", {"value": 0.7})
    assert said(sinks.span("step"))["agentvigil.step.type"] == "other"
    warnings = [record.getMessage() for record in caplog.records]
    assert len(warnings) == len(set(warnings)) == 8
    assert all(record.levelno == logging.WARNING for record in caplog.records)
    assert "canary" not in sinks.everything() + "".join(warnings)


def test_what_is_said_in_a_span_of_somebody_else(sinks: Sinks) -> None:
    """Inside an instrumented framework the current span is the framework's; tags still go to the run."""
    tracer = sinks.tracer_provider.get_tracer("framework")
    with agent.run("support"), tracer.start_as_current_span("node"):
        agent.metadata(amount=3)
        agent.tag(team="billing")
        agent.record_failure("retrieval", "empty_retrieval")
    with tracer.start_as_current_span("alone"):
        agent.tag(team="none")

    assert said(sinks.span("node")).items() >= {"amount": 3, "error.type": "empty_retrieval"}.items()
    assert said(sinks.span("node"))["gen_ai.agent.name"] == "support"
    assert said(sinks.span("invoke_agent support"))["agentvigil.tag.team"] == "billing"
    assert said(sinks.span("alone"))["agentvigil.tag.team"] == "none"


def test_runs_in_runs(sinks: Sinks) -> None:
    with agent.run("outer", version="1") as outer, agent.run("inner") as inner:
        assert agent.current_run() is outer
        assert inner.run is outer
        agent.tag(team="billing")
        span = agent.current_span()

    assert said(sinks.span("invoke_agent outer"))["agentvigil.tag.team"] == "billing"
    assert "gen_ai.agent.version" not in said(sinks.span("invoke_agent inner"))
    assert format(span.get_span_context().span_id, "016x") == inner.id.partition("-")[2]
    assert agent.current_run() is None


def test_feedback(sinks: Sinks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "get_logger_provider", lambda: sinks.logger_provider)
    with agent.run("support") as run:
        agent.feedback(score=0.5, comment="canary")
    agent.feedback(run.id, 1, label="helpful", source="reviewer", name="tone")
    agent.feedback(score=1.0)
    agent.feedback(run.id, 1.0, source="nobody")

    first, second = sinks.logs()
    assert first.event_name == second.event_name == "gen_ai.evaluation.result"
    assert first.attributes["agentvigil.feedback.run_id"] == run.id
    assert first.trace_id == sinks.span("invoke_agent support").context.trace_id
    assert dict(second.attributes) == {
        "gen_ai.evaluation.name": "tone",
        "gen_ai.evaluation.score.value": 1,
        "gen_ai.evaluation.score.label": "helpful",
        "agentvigil.feedback.run_id": run.id,
        "agentvigil.feedback.score": 1,
        "agentvigil.feedback.label": "helpful",
        "agentvigil.feedback.source": "reviewer",
    }
    assert "canary" not in sinks.everything()


def test_feedback_without_logs_is_on_the_current_span(sinks: Sinks) -> None:
    with agent.run("support"):
        agent.feedback(score=0.5)

    (event,) = sinks.span("invoke_agent support").events
    assert event.name == "gen_ai.evaluation.result"


def test_feedback_that_cannot_be_told_is_warned_about(
    sinks: Sinks, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Versions of OpenTelemetry from before events have only spans, and later than the run there is none."""
    monkeypatch.setattr(judging, "HAS_EVENTS", False)
    monkeypatch.setattr(judging, "get_logger_provider", lambda: sinks.logger_provider)
    monkeypatch.setattr(judging, "get_tracer_provider", lambda: sinks.tracer_provider)

    with agent.run("support") as run:
        agent.feedback(score=0.5)
    agent.feedback(run.id, score=0.5)
    agent.feedback(run.id, score=0.6)

    assert len(sinks.span("invoke_agent support").events) == 1
    assert [record.getMessage() for record in caplog.records] == [
        "feedback is left out: without a logger provider it needs a span that is current"
    ]


def test_asynchronously(sinks: Sinks) -> None:
    @agent.run("support")
    async def run(number: int) -> int:
        async with agent.step("plan", f"step-{number}"):
            await asyncio.sleep(0.001 * (number % 3))
        return number

    async def main() -> list[int]:
        return await asyncio.gather(*(run(number) for number in range(20)))

    assert asyncio.run(main()) == list(range(20))
    traces = {span.context.trace_id for span in sinks.spans()}
    assert len(traces) == 20
    assert all(parent == "invoke_agent support" for name, parent in sinks.tree() if name.startswith("step-"))


def test_threads_and_pools(sinks: Sinks) -> None:
    ThreadsInstrumentor().instrument()
    try:
        with agent.run("support"):
            thread = threading.Thread(target=lambda: find_order("a"))
            thread.start()
            thread.join()
            with ThreadPoolExecutor(2) as pool:
                assert list(pool.map(find_order, "bc")) == ["canary-result b", "canary-result c"]
        with ThreadPoolExecutor(1) as pool:
            pool.submit(find_order, "d").result()
    finally:
        ThreadsInstrumentor().uninstrument()

    assert [parent for name, parent in sinks.tree() if name.startswith("execute")] == ["invoke_agent support"] * 3 + [
        ""
    ]


def test_a_mark_that_many_use_at_once(sinks: Sinks) -> None:
    mark = agent.step("plan", "shared")

    async def use(pause: float) -> str:
        async with mark as step:
            await asyncio.sleep(pause)
            return step.id

    async def main() -> list[str]:
        return await asyncio.gather(*(use(pause) for pause in (0.003, 0.001, 0.002)))

    ids = asyncio.run(main())
    assert len(set(ids)) == 3
    with mark, mark:
        pass
    assert len(sinks.spans()) == 5
    assert not trace.get_current_span().get_span_context().is_valid


KINDS: dict[str, Any] = {
    "run": agent.run("marked"),
    "bare run": agent.run,
    "tool": agent.tool("marked"),
    "bare tool": agent.tool,
    "step": agent.step("plan", "marked"),
    "session": agent.session("marked"),
}


def numbers(stop: int, fails_at: int) -> Iterator[int]:
    """Hand out numbers, pass back what is sent, and come back from a ValueError that is thrown in."""
    for number in range(stop):
        if number == fails_at:
            raise KeyError(number)
        try:
            sent = yield number
        except ValueError:
            sent = -1
        if sent is not None:
            yield sent * 10
    return stop


ACTIONS = st.lists(st.sampled_from(["next", "send", "throw ValueError", "throw OSError", "close"]), max_size=8)


def outcomes(generator: Any, actions: list[str]) -> list[Any]:
    found: list[Any] = []
    for action in actions:
        try:
            match action.split():
                case ["next"]:
                    found.append(next(generator))
                case ["send"]:
                    found.append(generator.send(5))
                case ["close"]:
                    found.append(generator.close())
                case [_, name]:
                    found.append(generator.throw({"ValueError": ValueError, "OSError": OSError}[name]))
        except BaseException as exc:  # noqa: BLE001 - compared
            found.append((type(exc), exc.args, getattr(exc, "value", None)))
    return found


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stop=st.integers(0, 4), fails_at=st.integers(0, 6), actions=ACTIONS)
def test_a_marked_generator_is_the_same_generator(
    sinks: Sinks, kind: str, stop: int, fails_at: int, actions: list[str]
) -> None:
    marked = KINDS[kind](numbers)

    assert outcomes(marked(stop, fails_at), actions) == outcomes(numbers(stop, fails_at), actions)
    assert not trace.get_current_span().get_span_context().is_valid


@pytest.mark.parametrize("kind", KINDS)
def test_marked_functions_of_all_sorts(sinks: Sinks, kind: str) -> None:
    mark = KINDS[kind]

    class Thing:
        @mark
        def method(self, value: int = 1, *more: int, **named: int) -> tuple[Any, ...]:
            """Say it."""
            return self, value, more, named

        @classmethod
        @mark
        def of_class(cls) -> type:
            return cls

        @staticmethod
        @mark
        def static(value: int) -> int:
            return value

        @mark
        async def coroutine(self) -> int:
            return 5

        @mark
        async def items(self) -> AsyncIterator[int]:
            for number in range(3):
                if (yield number) == "stop":
                    return

        @mark
        def failing(self) -> None:
            raise LookupError("theirs")

    async def use(thing: Thing) -> list[int]:
        assert await thing.coroutine() == 5
        generator = thing.items()
        first = await anext(generator)
        await generator.aclose()
        return [first, *[number async for number in thing.items()]]

    thing = Thing()
    assert thing.method(2, 3, named=4) == (thing, 2, (3,), {"named": 4})
    assert (Thing.method.__name__, Thing.method.__doc__) == ("method", "Say it.")
    assert Thing.of_class() is Thing
    assert Thing.static(7) == 7
    assert asyncio.run(use(thing)) == [0, 0, 1, 2]
    with pytest.raises(LookupError, match="theirs") as caught:
        thing.failing()
    assert caught.value.args == ("theirs",)


@pytest.mark.parametrize("kind", KINDS)
def test_marked_things_that_are_no_functions(sinks: Sinks, kind: str) -> None:
    mark = KINDS[kind]

    class Thing:
        @mark
        @staticmethod
        def static(value: int) -> int:
            return value

        @mark
        @classmethod
        def of_class(cls) -> type:
            return cls

        def __call__(self, value: int) -> int:
            return value

    class Asynchronous:
        async def __call__(self) -> bool:
            return trace.get_current_span().get_span_context().is_valid or kind == "session"

    assert Thing().static(7) == Thing.static(7) == 7
    assert Thing().of_class() is Thing
    assert mark(Thing())(3) == 3
    assert mark(functools.partial(int, base=2))("101") == 5
    assert asyncio.run(mark(Asynchronous())())


def test_names_may_be_keywords(sinks: Sinks) -> None:
    with agent.session(id="s-1"), agent.run(name="support"), agent.step(type="plan", name="classify"):
        agent.tool(name="search")(lambda: None)()

    assert [span.name for span in sinks.spans()] == ["invoke_agent support", "classify", "execute_tool search"]


class Bad:
    """Raises whatever is asked of it."""

    def __raise(self, *_: Any) -> Any:
        raise RuntimeError("bad")

    __str__ = __repr__ = __eq__ = __bool__ = __len__ = __getattr__ = __raise
    __hash__ = None  # type: ignore[assignment]


HOSTILE: list[Any] = [
    None,
    5,
    "x" * 1_000_000,
    "\ud800",
    object(),
    float("nan"),
    [],
    {},
    b"bytes",
    "a\x00b",
    Bad(),
    True,
]


@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: type(value).__name__)
def test_nothing_that_is_said_can_do_harm(sinks: Sinks, value: Any) -> None:
    with (
        agent.run(value, version=value, session=value, user=value) as run,
        agent.step(value, value, attempt=value) as step,
    ):
        for thing in (run, step, agent):
            thing.metadata(key=value)
            thing.metadata(value)
            thing.metadata({value: 1} if isinstance(value, str | int | None) else {})
            thing.tag(key=value)
            thing.event(value, key=value)
            thing.confidence(value)
            thing.record_failure(value, value, value)
        agent.feedback(value, value, label=value, comment=value, source=value, name=value)
    with agent.session(value, user=value), agent.tool(value, description=value):
        pass
    assert len(sinks.spans()) == 3


def test_ids_that_are_numbers(sinks: Sinks) -> None:
    with agent.session(17, user=3), agent.run("support", version=2):  # type: ignore[arg-type]
        pass

    found = said(sinks.span("invoke_agent support"))
    assert [found[f"gen_ai.{key}"] for key in ("conversation.id", "agent.version")] == ["17", "2"]
    assert found["user.id"] == "3"


def test_a_block_without_a_name(sinks: Sinks) -> None:
    with agent.run(), agent.tool():
        pass

    assert [span.name for span in sinks.spans()] == ["invoke_agent", "execute_tool tool"]


def test_without_any_provider_nothing_happens() -> None:
    program = """
import asyncio
from agentvigil import agent
@agent.run
def answer(q):
    with agent.step("plan", "x") as step: step.confidence(1); step.tag(a=1)
    agent.record_failure("tool", "x"); agent.event("e"); agent.feedback(score=1)
    return q
assert answer(5) == 5
assert agent.current_run() is None
assert agent.flush()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_it_imports_no_framework_and_nothing_of_the_server() -> None:
    program = """
import sys
from agentvigil import agent
agent.init("x", endpoint="http://127.0.0.1:9")
names = {name.partition(".")[0] for name in sys.modules}
print(sorted(names & {"openai", "anthropic", "langchain_core", "crewai", "litellm", "mcp", "agents", "pydantic",
                      "pydantic_ai", "chdb", "fastapi", "clickhouse_connect", "grpc"}))
print(sorted(name for name in sys.modules if name.startswith(("google.genai", "agentvigil.storage"))))
"""
    variables = {**os.environ, "OTEL_TRACES_EXPORTER": "none"}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, env=variables, check=False
    )
    assert done.stdout == "[]\n[]\n", done.stderr
