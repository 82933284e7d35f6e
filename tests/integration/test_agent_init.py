"""`agent.init()` in programs as they are: what arrives at the endpoint, from forked workers too."""

import os
import subprocess
import sys
from typing import Any

import pytest
from server_process import environment

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
