"""What the output can show: how wide it is, whether in colour, and whether it has more than ASCII."""

import contextlib
import io
import os
import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

from rich.console import Console
from rich.text import Text

_DRAWN: Final = "█░│├└✗…·▁▂▃▄▅▆▇▲"
_FILE_WIDTH: Final = 120
"""Columns of what goes to a file or pipe and is no table."""


@dataclass(frozen=True, slots=True)
class Paper:
    """What is written on. ``width`` is in columns; without ``draws`` it takes nothing but ASCII from us."""

    width: int = 80
    colours: bool = False
    draws: bool = True
    is_terminal: bool = True

    @classmethod
    def of_stdout(cls) -> Self:
        """Return what stdout is. What it has no letters for will be written with escapes."""
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")
        is_terminal = sys.stdout.isatty()
        return cls(
            width=shutil.get_terminal_size((80, 24)).columns if is_terminal else _FILE_WIDTH,
            colours=has_colours(),
            draws=_can_write(_DRAWN),
            is_terminal=is_terminal,
        )

    @property
    def cut(self) -> str:
        """What stands where a text was cut."""
        return "…" if self.draws else ".."

    def write(self, lines: Iterable[Text]) -> None:
        """Write ``lines`` to stdout as they are: they fit."""
        written = io.StringIO()
        console = Console(
            file=written,
            force_terminal=self.colours,
            color_system="standard" if self.colours else None,
            markup=False,
            emoji=False,
            highlight=False,
            width=self.width,
        )
        for line in lines:
            console.print(line, soft_wrap=True)
        sys.stdout.write(written.getvalue())


def has_colours() -> bool:
    """Say whether stdout is to be in colour.

    https://no-color.org
    """
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _can_write(text: str) -> bool:
    with contextlib.suppress(UnicodeEncodeError, LookupError):
        text.encode(sys.stdout.encoding or "ascii")
        return True
    return False
