"""`agent.init()` in programs as they are: what arrives at the endpoint, from forked workers too."""

import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from server_process import environment

from agentvigil.agent.exporting import span_limits
from agentvigil.agent.setup import _deserves_compression
from agentvigil.testing import Answer, FakeProvider, Usage
from capture import Capture


def run(program: str, endpoint: str, **variables: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program, endpoint],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        env=environment({"OPENAI_API_KEY": "any", **variables}),
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def spans(capture: Capture) -> list[tuple[str, dict[str, Any]]]:
    found = []
    for request in capture.traces:
        for of_resource in request.resource_spans:
            resource = {a.key: a.value.string_value for a in of_resource.resource.attributes}
            found += [(span.name, resource) for of_scope in of_resource.scope_spans for span in of_scope.spans]
    return found


def test_a_program_with_nothing_else() -> None:
    program = """
import sys
from agentvigil import agent
agent.init("shop", endpoint=sys.argv[1], service_version="1.2", environment="test")
agent.init("again")
import openai
@agent.run("support")
def answer():
    openai.OpenAI().chat.completions.create(model="gpt-5-mini", messages=[{"role": "user", "content": "x"}])
answer()
assert agent.flush()
"""
    with Capture() as capture, FakeProvider(answers=[Answer(Usage(21, 9), "x")]) as provider:
        run(program, capture.base_url, OPENAI_BASE_URL=provider.openai_url)

    assert sorted(name for name, _ in spans(capture)) == ["chat gpt-5-mini", "invoke_agent support"]
    for _, resource in spans(capture):
        assert (
            resource.items()
            >= {
                "service.name": "shop",
                "service.version": "1.2",
                "deployment.environment.name": "test",
            }.items()
        )


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_forked_workers() -> None:
    program = """
import multiprocessing, os, sys
from agentvigil import agent
agent.init("shop", endpoint=sys.argv[1])
def work(name):
    with agent.run(name):
        pass
    agent.flush()
work("before")
child = os.fork()
if child == 0:
    work("forked")
    os._exit(0)
os.waitpid(child, 0)
process = multiprocessing.get_context("fork").Process(target=work, args=("multiprocessing",))
process.start(); process.join()
work("after")
"""
    with Capture() as capture:
        run(program, capture.base_url)

    assert sorted(name for name, _ in spans(capture)) == sorted(
        f"invoke_agent {name}" for name in ("before", "forked", "multiprocessing", "after")
    )


def test_where_nobody_listens_the_program_is_as_it_was() -> None:
    program = """
import sys
from agentvigil import agent
agent.init(endpoint=sys.argv[1])
with agent.run("support"):
    print("done")
"""
    assert "done" in run(program, "http://127.0.0.1:9")


def test_where_nobody_listens_a_large_batch_is_tried_once() -> None:
    """Of six requests the first is tried for the whole timeout, and the others not at all."""
    program = """
import sys
from agentvigil import agent
from opentelemetry import trace
agent.init(endpoint=sys.argv[1], instrument=False)
for _ in range(24):
    with trace.get_tracer("x").start_as_current_span("large") as span:
        span.set_attribute("llm.prompts", "x" * 900_000)
"""
    output = run(program, "http://127.0.0.1:9")

    assert output.count("Failed to export spans batch") == 1
    assert "20 spans or log records are left out: the endpoint does not answer" in output


def test_providers_of_the_program_stay() -> None:
    program = """
import sys
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter()))
trace.set_tracer_provider(provider)
from agentvigil import agent
agent.init("ignored", endpoint=sys.argv[1])
with agent.session("s-1"), agent.run("support"), trace.get_tracer("x").start_as_current_span("SELECT"):
    pass
"""
    with Capture() as capture:
        output = run(program, capture.base_url)

    assert capture.traces == []
    assert output.count('"gen_ai.conversation.id": "s-1"') == 2


def test_what_is_too_large_for_a_request_goes_in_several() -> None:
    """Twenty spans of nearly a megabyte each, with one that is larger than a request may be, and their events."""
    program = """
import sys
from opentelemetry import trace
from agentvigil import agent
agent.init("shop", endpoint=sys.argv[1])
tracer = trace.get_tracer("somebody else")
for number in range(20):
    with tracer.start_as_current_span(f"large {number}") as span:
        span.set_attribute("llm.prompts", "x" * 900_000)
with tracer.start_as_current_span("giant") as span:
    for number in range(200):
        span.set_attribute(f"attribute {number}", number)
    span.set_attribute("llm.prompts", "\u00e4" * 30_000_000)
assert agent.flush()
"""
    with Capture() as capture:
        run(program, capture.base_url)

    assert sorted(name for name, _ in spans(capture)) == sorted(["giant", *(f"large {n}" for n in range(20))])
    assert len(capture.traces) >= 5
    assert max(request.ByteSize() for request in capture.traces) < 4 * 2**20
    (giant,) = [
        span
        for request in capture.traces
        for of_resource in request.resource_spans
        for of_scope in of_resource.scope_spans
        for span in of_scope.spans
        if span.name == "giant"
    ]
    attributes = {a.key: a.value for a in giant.attributes}
    assert len(attributes["llm.prompts"].string_value) == 1_000_000
    assert attributes["attribute 0"].int_value == 0


@pytest.mark.skipif(os.name != "posix", reason="signals are those of POSIX")
@pytest.mark.parametrize("busy", ["time.sleep(60)", "while True: agent.current_span()"])
def test_a_program_that_is_told_to_stop(busy: str) -> None:
    program = f"""
import sys, time
from agentvigil import agent
agent.init("shop", endpoint=sys.argv[1])
with agent.run("support"):
    pass
print("ready", flush=True)
{busy}
"""
    with Capture() as capture:
        process = subprocess.Popen(
            [sys.executable, "-c", program, capture.base_url], stdout=subprocess.PIPE, text=True, env=environment({})
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.terminate()
        assert process.wait(timeout=60) == -signal.SIGTERM

    assert [name for name, _ in spans(capture)] == ["invoke_agent support"]


def test_a_handler_of_the_program_stays() -> None:
    program = """
import os, signal, sys
signal.signal(signal.SIGTERM, lambda *_: print("handled"))
from agentvigil import agent
agent.init(endpoint=sys.argv[1])
os.kill(os.getpid(), signal.SIGTERM)
"""
    assert "handled" in run(program, "http://127.0.0.1:9")


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_workers_send_what_is_left(method: str, tmp_path: Path) -> None:
    """They end by `os._exit`, with nothing in the program that flushes."""
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this system cannot start processes by {method}")
    program = tmp_path / "program.py"
    program.write_text(
        f"""
import multiprocessing, sys
from concurrent.futures import ProcessPoolExecutor
from agentvigil import agent

agent.init("shop", endpoint=sys.argv[1])

def work(name):
    with agent.run(name):
        pass

if __name__ == "__main__":
    context = multiprocessing.get_context({method!r})
    process = context.Process(target=work, args=("process",))
    process.start(); process.join()
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        pool.submit(work, "pool").result()
"""
    )
    with Capture() as capture:
        done = subprocess.run(
            [sys.executable, str(program), capture.base_url],
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
            env=environment({}),
        )
        assert done.returncode == 0, done.stderr

    assert sorted(name for name, _ in spans(capture)) == ["invoke_agent pool", "invoke_agent process"]


@pytest.mark.parametrize(
    ("url", "variables", "expected"),
    [
        ("http://127.0.0.1:4318/v1/traces", {}, False),
        ("http://localhost:4318/v1/traces", {}, False),
        ("https://vigil.example.org/v1/traces", {}, True),
        ("https://vigil.example.org/v1/traces", {"OTEL_EXPORTER_OTLP_COMPRESSION": "none"}, False),
        (None, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, True),
        (None, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318"}, False),
    ],
)
def test_what_leaves_the_machine_is_compressed(
    monkeypatch: pytest.MonkeyPatch, url: str | None, variables: dict[str, str], expected: bool
) -> None:
    for name in ("ENDPOINT", "COMPRESSION"):
        monkeypatch.delenv(f"OTEL_EXPORTER_OTLP_{name}", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert _deserves_compression(url, "traces") is expected


@pytest.mark.parametrize(
    ("variables", "characters", "attributes"),
    [
        ({}, 1_000_000, 1_000),
        ({"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "128"}, 1_000_000, 128),
        ({"OTEL_ATTRIBUTE_COUNT_LIMIT": "50"}, 1_000_000, 50),
        ({"OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": "99"}, 99, 1_000),
        ({"OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT": "77"}, 77, 1_000),
    ],
)
def test_limits_of_spans_are_those_of_the_variables_first(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], characters: int, attributes: int
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    limits = span_limits()

    assert (limits.max_span_attribute_length, limits.max_span_attributes) == (characters, attributes)
