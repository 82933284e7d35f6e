"""Taking hold of frameworks: quietly absent, one surprise at a time, nothing imported, and all let go again."""

import logging
import os
import subprocess
import sys
import types
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from telemetry_sinks import Sinks

from agentvigil.instrumentations.instrumentor import FrameworkInstrumentor
from agentvigil.instrumentations.patches import Hook, Patches, Wrapped

LOGGER = "agentvigil.instrumentations"


@pytest.fixture
def framework() -> Iterator[types.ModuleType]:
    """A framework that is imported when a test says so."""
    module = types.ModuleType("agentvigil_test_framework")

    class Base:
        def inherited(self) -> str:
            return "inherited"

    class Model(Base):
        def call(self, value: int) -> int:
            return value * 2

    module.Base, module.Model = Base, Model  # type: ignore[attr-defined]
    yield module
    sys.modules.pop(module.__name__, None)


def an_instrumentor(requires: str, patches: Any = ()) -> FrameworkInstrumentor:
    members = {
        "name": "openai",
        "requires": requires,
        "patches": lambda self, telemetry, **options: patches() if callable(patches) else patches,
    }
    return type("AnInstrumentor", (FrameworkInstrumentor,), members)()


@pytest.mark.parametrize(
    ("requires", "said"),
    [
        ("agentvigil-no-such-framework >= 1", "agentvigil-no-such-framework is not installed"),
        ("pytest >= 999", f"pytest {metadata.version('pytest')} is not among the versions it knows: >=999"),
    ],
)
def test_absent_and_too_old_frameworks_are_one_line_at_debug_level(
    caplog: pytest.LogCaptureFixture, requires: str, said: str
) -> None:
    instrumentor = an_instrumentor(requires)
    with caplog.at_level(logging.DEBUG, logger=LOGGER):
        instrumentor.instrument()

    assert not instrumentor.is_instrumented_by_opentelemetry
    assert [(r.levelno, r.name, r.getMessage()) for r in caplog.records] == [
        (logging.DEBUG, LOGGER, f"agentvigil_openai: {said}")
    ]


def test_a_surprise_stops_nobody_else(caplog: pytest.LogCaptureFixture) -> None:
    def surprise() -> Any:
        raise RuntimeError("surprise")

    an_instrumentor("pytest >= 1", surprise).instrument()

    assert [record.levelno for record in caplog.records] == [logging.WARNING]


def wrapper(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    return (wrapped(*args, **kwargs), "watched")


def test_patches_wait_for_the_import_and_are_taken_back(framework: types.ModuleType) -> None:
    name = framework.__name__
    model = framework.Model
    patches = Patches(
        [
            Wrapped(name, "Model.call", wrapper),
            Wrapped(name, "Model.inherited", wrapper),
            Wrapped(name, "Model.no_such_method", wrapper),
            Wrapped(name, "no_such_class.method", wrapper),
            Hook(name, lambda module: (_ for _ in ()).throw(RuntimeError("surprise"))),
            Wrapped("agentvigil_never_imported", "anything", wrapper),
        ]
    )
    assert model().call(2) == 4
    sys.modules[name] = framework
    import wrapt

    wrapt.notify_module_loaded(framework)
    assert model().call(2) == (4, "watched")
    assert model().inherited() == ("inherited", "watched")
    assert framework.Base().inherited() == "inherited"

    patches.undo()
    assert model().call(2) == 4
    assert "inherited" not in vars(model)
    assert "agentvigil_never_imported" not in sys.modules


def test_who_wrapped_after_us_keeps_what_he_wrapped(framework: types.ModuleType) -> None:
    sys.modules[framework.__name__] = framework
    patches = Patches([Wrapped(framework.__name__, "Model.call", wrapper)])
    ours = framework.Model.call
    framework.Model.call = lambda self, value: ("theirs", ours(self, value))

    patches.undo()

    assert framework.Model().call(2) == ("theirs", (4, "watched"))


def test_the_same_function_under_two_names_is_wrapped_once(framework: types.ModuleType) -> None:
    sys.modules[framework.__name__] = framework
    patches = Patches([Wrapped(framework.__name__, "Model.call", wrapper) for _ in range(2)])

    assert framework.Model().call(2) == (4, "watched")
    patches.undo()
    assert framework.Model().call(2) == 4


def test_instrumenting_twice_is_instrumenting_once(sinks: Sinks, framework: types.ModuleType) -> None:
    sys.modules[framework.__name__] = framework
    instrumentor = an_instrumentor("pytest >= 1", lambda: [Wrapped(framework.__name__, "Model.call", wrapper)])
    instrumentor.instrument(**sinks.providers)
    instrumentor.instrument(**sinks.providers)

    assert framework.Model().call(2) == (4, "watched")
    instrumentor.uninstrument()
    assert framework.Model().call(2) == 4


def test_opentelemetrys_command_loads_all_and_imports_no_framework() -> None:
    """With the real loader: in one environment with many frameworks, and a program that uses none of them."""
    program = """
import logging, sys
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor
names = {name.partition(".")[0] for name in sys.modules}
print(sorted(names & {"openai", "anthropic", "langchain_core", "langgraph", "crewai", "litellm", "mcp", "agents",
                      "pydantic", "pydantic_ai", "llama_index", "chdb", "fastapi"}))
print(sorted(name for name in sys.modules if name.startswith(("google.genai", "agentvigil.storage"))))
from agentvigil.instrumentations.threads import ThreadsInstrumentor
print(ThreadsInstrumentor().is_instrumented_by_opentelemetry)
"""
    command = [str(Path(sys.executable).with_name("opentelemetry-instrument")), "--traces_exporter", "none"]
    command += ["--metrics_exporter", "none", "--logs_exporter", "none", sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)

    assert done.stdout == "[]\n[]\nTrue\n", done.stderr
    assert done.stderr == ""


def test_a_programs_own_package_of_a_frameworks_name_is_left_alone(tmp_path: Path) -> None:
    """OpenAI's SDK for agents calls its package ``agents``, as many programs do."""
    pytest.importorskip("agents")
    package = tmp_path / "agents"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "tracing.py").write_text("def add_trace_processor(processor): raise SystemExit('touched')")
    program = """
from agentvigil.instrumentations.openai_agents import OpenAIAgentsInstrumentor
OpenAIAgentsInstrumentor().instrument()
import agents.tracing
OpenAIAgentsInstrumentor().uninstrument()
print(agents.__file__)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )

    assert (done.stdout, done.stderr) == (f"{package / '__init__.py'}\n", "")


def test_every_entry_point_says_what_it_knows() -> None:
    for entry_point in metadata.entry_points(group="opentelemetry_instrumentor"):
        if entry_point.name.startswith("agentvigil_"):
            instrumentor = entry_point.load()()
            assert entry_point.name == f"agentvigil_{instrumentor.name}"
            (requirement,) = instrumentor.instrumentation_dependencies()
            assert requirement == instrumentor.requires
