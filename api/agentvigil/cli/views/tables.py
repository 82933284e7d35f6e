"""Tables that fit their width: columns give way by importance, first their own width, then their place."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from rich.cells import cell_len
from rich.text import Text

from agentvigil.cli.printable import printable
from agentvigil.cli.views.paper import Paper

_GAP: Final = "  "


@dataclass(frozen=True, slots=True)
class Column:
    """A column. Below ``least`` columns of width it is not worth its place; of those that do not fit together, the one
    with the greatest ``rank`` goes first, and rank 0 never."""

    name: str
    rank: int
    least: int = 1000
    is_number: bool = False


class Cell(Protocol):
    """What stands in a table."""

    @property
    def cell_len(self) -> int:
        """How wide it would be."""
        ...

    def fitted(self, width: int, paper: Paper) -> Text:
        """Return it at most ``width`` wide."""
        ...


@dataclass(frozen=True, slots=True)
class Words:
    """Text in a table, in one style."""

    text: str
    style: str = ""

    @property
    def cell_len(self) -> int:
        return cell_len(self.text)

    def fitted(self, width: int, paper: Paper) -> Text:
        text = Text(self.text, self.style)
        if text.cell_len > width:
            mark = paper.cut if width > len(paper.cut) else ""
            text.truncate(width - len(mark), overflow="crop")
            text.append(mark)
        return text


def words(text: str | None, style: str = "") -> Words:
    """Return ``text``, which may come from anywhere, as it may be printed; a dash for what is not known."""
    return Words(printable(text) if text else "-", style)


def draw(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], paper: Paper) -> Iterator[Text]:
    """Yield a line of names and ``rows`` as lines, none wider than ``paper`` unless the columns of rank 0 are."""
    natural = [
        max(cell_len(column.name), *(row[index].cell_len for row in rows), 0) for index, column in enumerate(columns)
    ]
    widths = _widths(columns, natural, paper.width)
    names = [Words(column.name, "bold") for column in columns]
    for row in (names, *rows):
        line = Text()
        for index, width in widths.items():
            cell = row[index].fitted(width, paper)
            padding = " " * (width - cell.cell_len)
            line.append(_GAP if line else "")
            line.append_text(Text(padding).append_text(cell) if columns[index].is_number else cell.append(padding))
        line.rstrip()
        yield line


def tab_separated(names: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Yield a line of ``names`` and ``rows`` as lines with tabs between; nothing stands where nothing is known."""
    yield "\t".join(names)
    for row in rows:
        yield "\t".join("" if value is None else printable(str(value)) for value in row)


def _widths(columns: Sequence[Column], natural: Sequence[int], width: int) -> dict[int, int]:
    """Return the widths of the columns that are shown, by their index."""
    least = {index: min(natural[index], column.least) for index, column in enumerate(columns)}
    while sum(least.values()) + len(_GAP) * (len(least) - 1) > width:
        worst = max(least, key=lambda index: columns[index].rank)
        if columns[worst].rank == 0:
            break
        del least[worst]
    left = width - sum(least.values()) - len(_GAP) * (len(least) - 1)
    for index in sorted(least, key=lambda index: columns[index].rank):
        more = max(0, min(left, natural[index] - least[index]))
        least[index] += more
        left -= more
    return least
