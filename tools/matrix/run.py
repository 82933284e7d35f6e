"""Runs the tests of each instrumentor on the oldest and the newest versions it declares, and beside others' ones.

``matrix.toml`` says which. Every set of packages gets a virtual environment of its own, which the next run uses again,
and its tests run there with nothing of the server installed. An example runs there too, but its test and the server do
so here: with the Python that runs this. What was run and how it ended is printed as a table.

Progress on stderr, the table on stdout. Exit code 0: all passed; 1: something failed; 2: the command line is wrong.
"""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
import venv
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
_DECLARATION: Final = Path(__file__).with_name("matrix.toml")
_TOOLS: Final = (
    "pytest>=8.4,<10",
    "pytest-timeout>=2.4,<3",
    "pytest-xdist>=3.8,<4",
    "hypothesis>=6.130,<7",
    "pyyaml>=6,<7",
)
"""What the tests themselves need."""
_PRINT_VERSIONS: Final = (
    "import sys; from importlib.metadata import version; print(', '.join(f'{n} {version(n)}' for n in sys.argv[1:]))"
)
_EXAMPLES_TEST: Final = "tests/integration/test_examples.py"
_FINISHED: Final = "pins.txt"
"""Written last, so that what a broken install left behind is made anew."""

_EXAMPLES: Final = """examples:
  python tools/matrix/run.py
  python tools/matrix/run.py --list
  python tools/matrix/run.py --only openai langchain
  python tools/matrix/run.py --only crewai --set newest example
"""


class InstallFailed(Exception):
    """pip could not install a set of packages."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One set of packages and the tests to run with it."""

    framework: str
    set: str
    """``oldest``, ``newest``, ``example``, or what is beside it."""
    packages: tuple[str, ...]
    tests: tuple[str, ...]
    example: str = ""
    """The example to run in place of tests of an instrumentor."""

    @property
    def environment(self) -> str:
        """Name of the environment. The example's is that of the newest versions."""
        name = f"{self.framework}-{'newest' if self.example else self.set}"
        return re.sub(r"[^a-z0-9]+", "-", name.lower())


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the tests of an entry ended."""

    entry: Entry
    versions: str
    passed: int
    failed: int
    skipped: int
    seconds: float


def entries() -> Iterator[Entry]:
    """Yield what is declared."""
    with _DECLARATION.open("rb") as file:
        declared = tomllib.load(file)
    for framework in declared["framework"]:
        tests = tuple(framework["tests"])
        for kind in ("oldest", "newest"):
            yield Entry(framework["name"], kind, tuple(framework[kind]), tests)
        if "example" in framework:
            newest = tuple(framework["newest"])
            yield Entry(framework["name"], "example", newest, (_EXAMPLES_TEST,), framework["example"])
    for beside in declared.get("beside", ()):
        yield Entry(beside["name"], beside["with"], tuple(beside["packages"]), tuple(beside["tests"]))


def main(argv: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        description="Test each instrumentor on the oldest and newest versions it declares, and beside others' ones.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these frameworks instead of all")
    parser.add_argument("--set", nargs="+", metavar="SET", help="these sets instead of all: oldest, newest, ...")
    parser.add_argument("--list", action="store_true", help="list frameworks and sets, and run nothing")
    parser.add_argument(
        "--keep-environments",
        type=Path,
        metavar="DIR",
        default=ROOT / "build" / "matrix",
        help="where virtual environments are made, and found again by the next run (build/matrix)",
    )
    args = parser.parse_args(argv)
    declared = list(entries())
    if unknown := sorted(set(args.only or ()) - {entry.framework for entry in declared}):
        print(f"no such framework: {', '.join(unknown)}; --list shows all", file=sys.stderr)
        return 2
    chosen = [
        entry
        for entry in declared
        if (not args.only or entry.framework in args.only) and (not args.set or entry.set in args.set)
    ]
    if args.list:
        for entry in chosen:
            print(f"{entry.framework} {entry.set}: {', '.join(entry.packages)}")
        return 0
    is_good = True
    print(
        "| framework | set | versions | passed | failed | skipped | seconds |\n|---|---|---|---|---|---|---|",
        flush=True,
    )
    for entry in chosen:
        try:
            outcome = run(entry, args.keep_environments)
        except InstallFailed as exc:
            print(exc, file=sys.stderr)
            print(f"| {entry.framework} | {entry.set} | not installed | | | | |", flush=True)
            is_good = False
            continue
        is_good = is_good and outcome.failed == 0 and outcome.passed > 0
        print(
            f"| {entry.framework} | {entry.set} | {outcome.versions} | {outcome.passed} | {outcome.failed} "
            f"| {outcome.skipped} | {outcome.seconds:.0f} |",
            flush=True,
        )
    return 0 if is_good else 1


def run(entry: Entry, environments: Path) -> Outcome:
    """Run the tests of ``entry``.

    Raises:
        InstallFailed: with the last lines of what pip said.
    """
    python = _python_of(entry, environments)
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.xml"
        options = ["-m", "pytest", "-q", "-x", "-m", "", "--maxfail=10", f"--junitxml={report}", *entry.tests]
        print(f"{entry.framework} {entry.set}: {' '.join(entry.tests)}", file=sys.stderr, flush=True)
        began = time.monotonic()
        if entry.example:
            command = [sys.executable, *options, "-k", entry.example]
            variables = {**os.environ, "AGENTVIGIL_EXAMPLE_PYTHONS": f"{entry.example}={python}"}
        else:
            # The conftest.py further up is the server's.
            command = [str(python), *options, "--confcutdir=tests/instrumentations"]
            variables = dict(os.environ)
        subprocess.run(command, cwd=ROOT, env=variables, stdout=sys.stderr, check=False)
        seconds = time.monotonic() - began
        passed, failed, skipped = _counts(report)
    return Outcome(entry, _versions(python, entry), passed, failed, skipped, seconds)


def _python_of(entry: Entry, environments: Path) -> Path:
    wanted = "\n".join((*_TOOLS, *entry.packages, (ROOT / "pyproject.toml").read_text(encoding="utf-8")))
    environment = environments / f"{entry.environment}-{hashlib.sha256(wanted.encode()).hexdigest()[:8]}"
    python = environment / "bin" / "python"
    if (environment / _FINISHED).exists():
        return python
    shutil.rmtree(environment, ignore_errors=True)
    print(f"{entry.framework} {entry.set}: installing {', '.join(entry.packages)}", file=sys.stderr, flush=True)
    venv.create(environment, with_pip=True)
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-e", str(ROOT)]
    done = subprocess.run(
        [*command, *_TOOLS, *entry.packages], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode != 0:
        last = "\n".join(done.stdout.splitlines()[-15:])
        raise InstallFailed(f"{entry.framework} {entry.set}: {last}")
    (environment / _FINISHED).write_text(wanted, encoding="utf-8")
    return python


def _counts(report: Path) -> tuple[int, int, int]:
    if not report.exists():
        return 0, 1, 0
    suites = list(ET.parse(report).getroot().iter("testsuite"))  # noqa: S314 - written by pytest, just now
    tests, failures, errors, skipped = (
        sum(int(suite.get(name, 0)) for suite in suites) for name in ("tests", "failures", "errors", "skipped")
    )
    return tests - failures - errors - skipped, failures + errors, skipped


def _versions(python: Path, entry: Entry) -> str:
    names = [re.split(r"[\[<>=!~ ]", package, maxsplit=1)[0] for package in entry.packages]
    done = subprocess.run([str(python), "-c", _PRINT_VERSIONS, *names], capture_output=True, text=True, check=True)
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
