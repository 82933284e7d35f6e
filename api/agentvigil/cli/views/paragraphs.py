"""Text as lines that fit."""

import textwrap
from collections.abc import Iterator
from typing import Final

from rich.text import Text

from agentvigil.cli.printable import printable
from agentvigil.cli.views.paper import Paper

_LABEL_WIDTH: Final = 10


def wrapped(text: str, paper: Paper, style: str = "", *, first: str = "", other: str = "") -> Iterator[Text]:
    """Yield ``text``, which may come from anywhere, as lines; what they begin with is ``first``, then ``other``."""
    lines = textwrap.wrap(printable(text), paper.width, initial_indent=first, subsequent_indent=other)
    return (Text(line, style) for line in lines)


def labelled(label: str, fact: str, paper: Paper) -> Iterator[Text]:
    """Yield ``fact``, which may be printed, as lines beside its label."""
    lines = textwrap.wrap(fact, max(20, paper.width - _LABEL_WIDTH))
    for index, line in enumerate(lines):
        yield Text.assemble(("" if index else label).ljust(_LABEL_WIDTH), line)
