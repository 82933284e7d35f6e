"""Makes the golden payloads: real libraries, driven against a provider whose usage is known.

For each library of ``libraries.toml`` a virtual environment is made, and each of its scenarios is run in a process of
its own. What it exports by OTLP is written to ``tests/testdata/goldens/DIALECT/LIBRARY-VERSION``: ``.traces.json`` and
``.logs.json`` as the library sent them, and ``.calls.json``, the calls that the provider answered.

Progress on stderr. Exit code 0: all were made; 1: some could not be; 2: the declaration or the command line is wrong.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from agentvigil.testing import FakeProvider
from canonical import canonical, logs_document, rendered, traces_document
from capture import Capture
from declaration import DIRECTORY, ROOT, BadDeclaration, Library, libraries
from environments import InstallFailed, python_of

SECONDS_PER_SCENARIO: Final = 180

_EXAMPLES: Final = """examples:
  python tools/goldens/make.py
  python tools/goldens/make.py --list
  python tools/goldens/make.py --only openinference-openai langfuse-openai
  python tools/goldens/make.py --only litellm-otel --scenario cached
"""


class DriverFailed(Exception):
    """A driver ended with an error, or sent nothing."""


def main(argv: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        description="Make the golden payloads: real libraries, driven against a provider whose usage is known.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these libraries instead of all")
    parser.add_argument("--scenario", nargs="+", metavar="NAME", help="these scenarios instead of all")
    parser.add_argument("--list", action="store_true", help="list libraries and scenarios, and make nothing")
    parser.add_argument(
        "--keep-environments",
        type=Path,
        metavar="DIR",
        default=ROOT / "build" / "goldens",
        help="where virtual environments are made, and found again by the next run (build/goldens)",
    )
    args = parser.parse_args(argv)
    try:
        declared = libraries()
    except BadDeclaration as exc:
        print(exc, file=sys.stderr)
        return 2
    if unknown := sorted(set(args.only or ()) - {library.name for library in declared}):
        print(f"no such library: {', '.join(unknown)}; --list shows all", file=sys.stderr)
        return 2
    chosen = [library for library in declared if not args.only or library.name in args.only]
    if args.list:
        for library in chosen:
            print(f"{library.name} {library.version} ({library.dialect}): {', '.join(library.scenarios)}")
        return 0
    failed = [library.name for library in chosen if not make(library, args.keep_environments, args.scenario)]
    if failed:
        print(f"not made: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def make(library: Library, environments: Path, only: Sequence[str] | None = None) -> bool:
    """Make all goldens of ``library`` and tell whether that worked. Those of its other versions are removed."""
    try:
        python = python_of(library, environments)
    except InstallFailed as exc:
        print(exc, file=sys.stderr)
        return False
    for other in library.goldens.parent.glob(f"{library.name}-[0-9]*"):
        if other != library.goldens:
            shutil.rmtree(other)
    failed = False
    for scenario in library.scenarios:
        if only and scenario not in only:
            continue
        print(f"{library.name}: {scenario}", file=sys.stderr, flush=True)
        try:
            make_scenario(library, scenario, python)
        except DriverFailed as exc:
            print(exc, file=sys.stderr)
            failed = True
    return not failed


def make_scenario(library: Library, scenario: str, python: Path) -> None:
    """Run one scenario and write its files.

    Raises:
        DriverFailed: if the driver ends with an error or sends no span.
    """
    with FakeProvider() as provider, Capture() as capture, tempfile.TemporaryDirectory() as home:
        environment = _environment(provider.url(scenario), capture.base_url, home) | dict(library.environment)
        command = [str(python), str(DIRECTORY / "drivers" / library.driver), scenario]
        try:
            done = subprocess.run(
                command,
                cwd=home,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
                timeout=SECONDS_PER_SCENARIO,
            )
        except subprocess.TimeoutExpired as exc:
            raise DriverFailed(f"{library.name}: {scenario} took over {SECONDS_PER_SCENARIO} s") from exc
        said = "\n".join(done.stdout.splitlines()[-30:])
        if done.returncode != 0:
            raise DriverFailed(f"{library.name}: {scenario} ended with {done.returncode}\n{said}")
        if not capture.traces:
            raise DriverFailed(f"{library.name}: {scenario} sent no span\n{said}")
        facts = {
            f"127.0.0.1:{provider.port}": "127.0.0.1:8080",
            f"127.0.0.1:{capture.port}": "127.0.0.1:4318",
            str(provider.port): "8080",
            home: "/home/user",
            str(python.parents[1]): "/environment",
            str(DIRECTORY / "drivers"): "/application",
            str(Path(sys.base_prefix)): "/usr",
        }
        documents = canonical([traces_document(capture.traces), logs_document(capture.logs)], facts, library.volatile)
        calls = [asdict(call) for call in provider.calls(scenario)]
    library.goldens.mkdir(parents=True, exist_ok=True)
    traces, logs = documents
    (library.goldens / f"{scenario}.traces.json").write_text(rendered(traces), encoding="utf-8")
    if logs["resourceLogs"]:
        (library.goldens / f"{scenario}.logs.json").write_text(rendered(logs), encoding="utf-8")
    (library.goldens / f"{scenario}.calls.json").write_text(json.dumps(calls, indent=1) + "\n", encoding="utf-8")


def _environment(provider: str, capture: str, home: str) -> dict[str, str]:
    """A new machine with the usual variables set. Nothing of this one gets in."""
    return {
        "PATH": os.environ.get("PATH", ""),
        "HOME": home,
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "USER": "user",
        "PYTHONHASHSEED": "0",
        "NO_PROXY": "*",
        "GOLDENS_PROVIDER": provider,
        "OPENAI_API_KEY": "none",
        "OPENAI_BASE_URL": f"{provider}/v1",
        "ANTHROPIC_API_KEY": "none",
        "ANTHROPIC_BASE_URL": provider,
        "GOOGLE_API_KEY": "none",
        "OTEL_EXPORTER_OTLP_ENDPOINT": capture,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_SERVICE_NAME": "goldens",
    }


if __name__ == "__main__":
    sys.exit(main())
