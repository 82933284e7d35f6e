"""One virtual environment per library and set of pins. A finished one is used again."""

import hashlib
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import Final

from declaration import Library

_FINISHED: Final = "pins.txt"
"""Written last, so that what a broken install left behind is made anew."""


class InstallFailed(Exception):
    """pip could not install the pins of a library."""


def python_of(library: Library, directory: Path) -> Path:
    """The interpreter that has ``library`` installed; makes its environment below ``directory`` if need be.

    Raises:
        InstallFailed: with the last lines of what pip said.
    """
    pins = "\n".join(library.pins) + "\n"
    environment = directory / f"{library.name}-{hashlib.sha256(pins.encode()).hexdigest()[:8]}"
    python = environment / "bin" / "python"
    finished = environment / _FINISHED
    if finished.exists():
        return python
    shutil.rmtree(environment, ignore_errors=True)
    print(f"{library.name}: installing {', '.join(library.pins)}", file=sys.stderr, flush=True)
    venv.create(environment, with_pip=True)
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *library.pins]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        raise InstallFailed(f"{library.name}: " + "\n".join(done.stdout.splitlines()[-15:]))
    finished.write_text(pins, encoding="utf-8")
    return python
