"""Instrumentations that do not let go of all that they take hold of get a process of their own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

LEAVE_SOMETHING_BEHIND = {
    "openinference.instrumentation.openai",
    "opentelemetry.instrumentation.langchain",
    "opentelemetry.instrumentation.llamaindex",
    "opentelemetry.instrumentation.openai",
}
ISOLATED = "AGENTVIGIL_TEST_ISOLATED"


def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run the test in a process of its own, if its ``rival`` is such a one; None has pytest call it as always."""
    rival = pyfuncitem.funcargs.get("rival")
    if ISOLATED in os.environ or rival is None or rival.module not in LEAVE_SOMETHING_BEHIND:
        return None
    pytest.importorskip(rival.module)
    cut = f"--confcutdir={Path(__file__).parents[1]}"
    case = f"{pyfuncitem.path}::{pyfuncitem.name}"
    command = [sys.executable, "-m", "pytest", "-q", cut, case]
    done = subprocess.run(
        command, env={**os.environ, ISOLATED: "1"}, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout
    return True
