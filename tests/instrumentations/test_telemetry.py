"""What all instrumentors share: one span a call whoever sees it, nothing that raises, and content kept apart."""

import gc
import logging
import subprocess
import sys
import threading
from types import ModuleType
from typing import Any

import pytest
from opentelemetry import context as otel
from opentelemetry.context import Context, set_value
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.trace import StatusCode, get_current_span
from telemetry_sinks import Sinks, said

from agentvigil.instrumentations.telemetry import Inference, Telemetry
from agentvigil.instrumentations.telemetry.content import json_text, plain
from agentvigil.instrumentations.telemetry.current import Active, detach
from agentvigil.instrumentations.telemetry.identity import install_identity, with_identity
from agentvigil.instrumentations.telemetry.nesting import announce
from agentvigil.instrumentations.telemetry.streams import ObservedIterator, Reading
from agentvigil.semconv import names
from agentvigil.semconv.enums import OperationName


def call(telemetry: Telemetry, operation: OperationName = OperationName.CHAT) -> Inference:
    return telemetry.inference(operation, "openai", "gpt-5-mini")


def test_a_call_inside_a_call_adds_to_it(sinks: Sinks) -> None:
    outer = call(sinks.telemetry("framework"))
    outer.set(names.GEN_AI_RESPONSE_ID, "outer's")
    with outer.active():
        inner = call(sinks.telemetry("sdk"))
        inner.set(names.GEN_AI_RESPONSE_ID, "inner's")
        inner.set(names.OPENAI_RESPONSE_SERVICE_TIER, "default")
        inner.usage(input=3, output=4)
        inner.fail(ValueError("it is tried again"))
    outer.end()

    span = sinks.span()
    assert span.instrumentation_scope.name == "framework"
    assert span.status.status_code is StatusCode.UNSET
    assert (
        said(span).items()
        >= {
            "gen_ai.response.id": "outer's",
            "openai.response.service_tier": "default",
            "gen_ai.usage.input_tokens": 3,
        }.items()
    )
    assert [point.count for point in sinks.metrics()["gen_ai.client.inference.duration"]] == [1]


def test_a_version_of_util_that_keeps_nothing_in_contexts(sinks: Sinks, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before 1.3 ``opentelemetry-util-genai`` has the module and not the names."""
    monkeypatch.setitem(sys.modules, "opentelemetry.util.genai.invocation", ModuleType("before 1.3"))
    call(sinks.telemetry()).end()

    assert sinks.span().name == "chat gpt-5-mini"


def test_a_span_of_openinference_that_keeps_its_kind_to_itself_until_it_ends(sinks: Sinks) -> None:
    openinference = pytest.importorskip("openinference.instrumentation")
    tracer = openinference.OITracer(sinks.tracer_provider.get_tracer("theirs"), openinference.TraceConfig())
    with tracer.start_as_current_span("completion") as span:
        span.set_attribute("openinference.span.kind", "LLM")
        call(sinks.telemetry()).end()

    assert [span.name for span in sinks.spans()] == ["completion"]


def test_embeddings_inside_a_chat_are_calls_of_their_own(sinks: Sinks) -> None:
    outer = call(sinks.telemetry())
    with outer.active():
        call(sinks.telemetry(), OperationName.EMBEDDINGS).end()
    outer.end()

    assert sinks.tree() == [("chat gpt-5-mini", ""), ("embeddings gpt-5-mini", "chat gpt-5-mini")]


def test_a_call_that_was_announced_is_claimed_once_and_while_it_goes_on(sinks: Sinks) -> None:
    telemetry = sinks.telemetry()
    first = call(telemetry)
    announce(first)
    call(telemetry).usage(input=3)
    call(telemetry).end()  # the second is one of its own
    first.end()
    second = call(telemetry)
    announce(second)
    second.end()
    call(telemetry).end()

    assert len(sinks.spans()) == 4
    assert said(sinks.spans()[0])["gen_ai.usage.input_tokens"] == 3


def test_what_several_calls_inside_cost_is_added_up(sinks: Sinks) -> None:
    """A batch of embeddings is several requests, and a gateway between says once more what the SDK has said."""
    outer = call(sinks.telemetry("framework"), OperationName.EMBEDDINGS)
    with outer.active():
        for count in (8, 5):
            gateway = call(sinks.telemetry("gateway"), OperationName.EMBEDDINGS)
            with gateway.active():
                sdk = call(sinks.telemetry("sdk"), OperationName.EMBEDDINGS)
                sdk.usage(input=count - 1)
                sdk.usage(input=count)  # a later report takes the place of an earlier one
                sdk.end()
            gateway.usage(input=count)
            gateway.end()
    outer.usage(input=99)
    outer.end()

    assert said(sinks.span())["gen_ai.usage.input_tokens"] == 13


def test_of_two_who_tell_of_a_call_inside_the_nearer_counts(sinks: Sinks) -> None:
    outer = call(sinks.telemetry("framework"))
    with outer.active():
        gateway = call(sinks.telemetry("gateway"))
        gateway.usage(input=100, output=0)
        with gateway.active():
            call(sinks.telemetry("sdk")).usage(input=21, output=9, cache_read=20)
        gateway.usage(input=100)
    outer.end()

    found = {key: value for key, value in said(sinks.span()).items() if "usage" in key}
    assert found == {
        "gen_ai.usage.input_tokens": 21,
        "gen_ai.usage.output_tokens": 9,
        "gen_ai.usage.cache_read.input_tokens": 20,
    }


@pytest.mark.parametrize(
    "attributes",
    [
        {"gen_ai.operation.name": "chat"},
        {"openinference.span.kind": "LLM"},
        {"llm.request.type": "chat"},
        {"langfuse.observation.type": "generation"},
    ],
)
def test_inside_anybodys_call_of_a_model_there_is_no_second_span(sinks: Sinks, attributes: dict[str, Any]) -> None:
    with sinks.tracer_provider.get_tracer("others").start_as_current_span("theirs", attributes=attributes):
        inner = call(sinks.telemetry())
        inner.usage(input=3)
        inner.end()

    assert [span.name for span in sinks.spans()] == ["theirs"]


@pytest.mark.parametrize("key", ["suppress_instrumentation", "suppress_language_model_instrumentation"])
def test_contexts_that_forbid_it(sinks: Sinks, key: str) -> None:
    with Active(set_value(key, True)):
        call(sinks.telemetry()).end()

    assert sinks.spans() == []


def test_operations_in_a_context_that_forbids_all_are_usable_and_silent(sinks: Sinks) -> None:
    telemetry = sinks.telemetry()
    with Active(set_value("suppress_instrumentation", True)):
        for operation in (telemetry.agent("a"), telemetry.tool("t"), telemetry.workflow("w"), telemetry.step("s")):
            with operation.active():
                operation.fail(ValueError())

    assert sinks.spans() == []


def test_a_context_that_cannot_be_restored_is_left_without_a_word(caplog: pytest.LogCaptureFixture) -> None:
    tokens: list[Any] = []
    thread = threading.Thread(target=lambda: tokens.append(otel.attach(Context({"a": 1}))))
    thread.start()
    thread.join()

    detach(tokens[0])
    detach(tokens[0])

    assert caplog.records == []


def test_an_operation_ends_once(sinks: Sinks) -> None:
    operation = call(sinks.telemetry())
    for _ in range(3):
        operation.end()
        operation.fail(ValueError())

    assert sinks.span().status.status_code is StatusCode.UNSET
    assert sinks.metrics()["gen_ai.client.inference.duration"][0].count == 1


class Broken(SpanProcessor):
    """What a program may have registered."""

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        raise RuntimeError("broken")

    def on_end(self, span: Any) -> None:
        raise RuntimeError("broken")


def test_what_breaks_in_the_sdk_stays_there(caplog: pytest.LogCaptureFixture) -> None:
    provider = TracerProvider()
    provider.add_span_processor(Broken())
    telemetry = Telemetry("x", tracer_provider=provider)

    with call(telemetry).active():
        pass
    telemetry.tool("t").end()

    assert all(record.levelno <= logging.WARNING for record in caplog.records)


class Hostile:
    """An object of an application that does not want to be looked at."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError("no")

    def __str__(self) -> str:
        raise RuntimeError("no")

    __repr__ = __str__


def test_hostile_values(sinks: Sinks, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_AND_EVENT")
    operation = call(sinks.telemetry())
    operation.set("hostile", Hostile())
    operation.content(names.GEN_AI_INPUT_MESSAGES, lambda: [Hostile(), {Hostile(): 1}])
    operation.content(names.GEN_AI_OUTPUT_MESSAGES, lambda: 1 / 0)
    operation.usage(input="many", output=-1, cache_read=True, reasoning=None)  # type: ignore[arg-type]
    operation.usage(input=0, output=0)
    operation.fail(type("Bad", (Exception,), {"__str__": Hostile.__str__})())

    assert not {key for key in said(sinks.span()) if "usage" in key or key == "hostile"}
    assert sinks.span().status.status_code is StatusCode.ERROR
    assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) >= 1


def test_content_is_plain_and_bounded() -> None:
    cycle: list[Any] = []
    cycle.append(cycle)
    bomb: Any = "x"
    for _ in range(40):
        bomb = [bomb] * 4
    assert plain({"a": cycle, "b": b"12345", "c": float("inf"), "d": {1, 2}, "e": object()}) == {
        "a": ["..."],
        "b": "[5 bytes]",
        "c": "inf",
        "d": [1, 2],
        "e": "[object]",
    }
    assert len(json_text(bomb)) <= 1_000_000
    assert len(json_text([{"text": "y" * 10_000_000}, {"text": "short"}])) <= 1_000_000
    assert '"short"' in json_text([{"text": "y" * 10_000_000}, {"text": "short"}])
    assert len(json_text(["y"] * 1_000_000)) <= 1_000_000
    assert plain(iter([1, 2])) == "[list_iterator]"


@pytest.mark.parametrize(
    ("setting", "on_spans", "on_events"),
    [
        ("", False, False),
        ("NO_CONTENT", False, False),
        ("span_only", True, False),
        ("EVENT_ONLY", False, True),
        ("SPAN_AND_EVENT", True, True),
        ("true", True, False),
        ("false", False, False),
        ("nonsense", False, False),
    ],
)
def test_the_standard_variable_for_content(
    sinks: Sinks, monkeypatch: pytest.MonkeyPatch, setting: str, on_spans: bool, on_events: bool
) -> None:
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", setting)
    operation = call(sinks.telemetry())
    operation.content(names.GEN_AI_INPUT_MESSAGES, lambda: [{"role": "user", "parts": []}])
    operation.end()

    assert ("gen_ai.input.messages" in said(sinks.span())) == on_spans
    assert [record.event_name for record in sinks.logs()] == (
        ["gen_ai.client.inference.operation.details"] if on_events else []
    )


def test_an_agent_counts_what_is_called_for_it(sinks: Sinks) -> None:
    telemetry = sinks.telemetry()
    outer = telemetry.agent("outer")
    with outer.active():
        inner = telemetry.agent("inner")
        with inner.active():
            call(telemetry).end()
            call(telemetry).end()
            telemetry.inference(OperationName.EMBEDDINGS, "openai", "m").end()  # is no inference
            telemetry.tool("t").end()
        inner.end()
        call(telemetry).fail(ValueError())
    outer.end()

    metrics = sinks.metrics()
    calls = {p.attributes["gen_ai.agent.name"]: p.sum for p in metrics["gen_ai.invoke_agent.inference_calls"]}
    tools = {p.attributes["gen_ai.agent.name"]: p.sum for p in metrics["gen_ai.invoke_agent.tool_calls"]}
    assert calls == {"inner": 2, "outer": 1}
    assert tools == {"inner": 1, "outer": 0}


def test_who_it_is_for_goes_down_to_spans_of_others(sinks: Sinks) -> None:
    install_identity(sinks.tracer_provider)
    install_identity(sinks.tracer_provider)
    tracer = sinks.tracer_provider.get_tracer("database")
    with Active(with_identity(agent_name="support", agent_version="2", conversation_id="c", user_id="u")):
        tracer.start_span("SELECT", attributes={"user.id": "their own"}).end()
    tracer.start_span("outside").end()

    assert said(sinks.span("SELECT")) == {
        "user.id": "their own",
        "gen_ai.agent.name": "support",
        "gen_ai.agent.version": "2",
        "gen_ai.conversation.id": "c",
    }
    assert said(sinks.span("outside")) == {}


def test_a_stream_is_read_as_it_would_be(sinks: Sinks) -> None:
    """Nothing is asked before the application asks, and while it holds an item nothing is current."""
    asked: list[int] = []

    def source() -> Any:
        for number in range(4):
            asked.append(number)
            assert get_current_span().get_span_context().is_valid
            yield number

    operation = call(sinks.telemetry())
    stream = ObservedIterator(source(), Reading(operation, lambda number: number == 2))
    assert asked == []
    assert next(stream) == 0
    assert asked == [0]
    assert not get_current_span().get_span_context().is_valid
    assert list(stream) == [1, 3]
    assert list(stream) == []
    assert "gen_ai.response.time_to_first_chunk" in said(sinks.span())
    assert sinks.metrics()["gen_ai.client.inference.time_per_output_chunk"][0].count == 3


def test_nothing_grows(sinks: Sinks) -> None:
    telemetry = Telemetry("x", tracer_provider=TracerProvider())

    def use(times: int) -> int:
        for _ in range(times):
            agent = telemetry.agent("a", conversation_id="c")
            with agent.active():
                operation = call(telemetry)
                announce(operation)
                with operation.active():
                    pass
                operation.end()
            agent.end()
        gc.collect()
        return len(gc.get_objects())

    use(50)
    before = use(50)
    assert use(1_000) - before < 50


def test_beside_opentelemetrys_own_instrumentations() -> None:
    """They know a call by a key in the context: theirs inside ours makes no span, and ours inside theirs neither."""
    pytest.importorskip("opentelemetry.util.genai.handler")
    program = """
from opentelemetry.util.genai.handler import TelemetryHandler
import sys; sys.path.insert(0, "tests/instrumentations")
from telemetry_sinks import Sinks
from agentvigil.semconv.enums import OperationName
sinks = Sinks()
theirs = TelemetryHandler(tracer_provider=sinks.tracer_provider, instrumentation_scope_name="theirs")
ours = sinks.telemetry("ours")
with ours.inference(OperationName.CHAT, "openai", "m").active():
    with theirs.inference("openai", request_model="m"): pass
with theirs.inference("openai", request_model="m"):
    ours.inference(OperationName.CHAT, "openai", "m").end()
print([span.instrumentation_scope.name for span in sinks.spans()])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "['theirs']\n", done.stderr
