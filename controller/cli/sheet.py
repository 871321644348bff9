"""Rows of named values: a table where it fits, else a block of lines for each row.

A table that is wider than its terminal is squeezed by rich until whole columns are gone without a
mark. So a table is drawn only where all of it fits; the name of a row may wrap. In a block every
value stands with its name, and what is longer than a line goes on in the next one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from controller.cli.output import clean

NAME_MIN: Final = 10
"""Cells to which the name of a row may be narrowed, so that it wraps and the table fits."""

WIDEST: Final = 10_000
"""A width in which every table has room, to measure what it needs."""

APART: Final = "; "
INDENT: Final = "  "


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is shown; the cells of a row stand in the order of ``names``."""

    names: Sequence[str]
    """A column without a name needs none in a block either."""
    rows: Sequence[Sequence[str]]
    styles: Sequence[str] = ()
    """Style of each row; none where there is no such entry."""
    name_at: int = 0
    """The cell that names the row; what stands before it is a mark."""
    grouped: bool = False
    """Rows of the same name that follow each other show it once."""
    framed: bool = True
    """With a line under the head, and numbers flush right."""
    words_at: Sequence[int] = ()
    """Cells that are words, flush left beside the numbers."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the table where it fits, else the blocks."""
        table = self._table()
        if self._least(console, options, table) <= options.max_width:
            yield table
        else:
            yield from self._blocks(options.max_width)

    def _least(self, console: Console, options: ConsoleOptions, table: Table) -> int:
        """Return the least width that shows every cell whole, but for a name that may wrap."""
        names = [clean(row[self.name_at]) for row in self.rows]
        words = [word for name in names for word in name.split()]
        needed = max([NAME_MIN, *map(cell_len, words)])  # a table breaks no word
        spared = max([0, *map(cell_len, names)]) - needed
        whole = console.measure(table, options=options.update(max_width=WIDEST)).maximum
        return whole - max(0, spared)

    def _table(self) -> Table:
        table = Table(
            box=box.SIMPLE if self.framed else None,
            show_header=any(self.names),
            pad_edge=False,
            padding=(0, 1, 0, 0),
        )
        for number, name in enumerate(self.names):
            flush_right = self.framed and number > self.name_at and number not in self.words_at
            table.add_column(
                name,
                header_style=None if self.framed else "dim",
                justify="right" if flush_right else "left",
                no_wrap=number != self.name_at,
                overflow="fold",
            )
        before = ""
        for number, row in enumerate(self.rows):
            cells = [clean(cell) for cell in row]
            if self.grouped and cells[self.name_at] == before:
                cells[self.name_at] = ""
            else:
                before = cells[self.name_at]
            table.add_row(*map(Text, cells), style=self._style(number))
        return table

    def _blocks(self, width: int) -> Iterator[Text]:
        before = ""
        for number, row in enumerate(self.rows):
            cells = [clean(cell) for cell in row]
            head = " ".join(cell for cell in cells[: self.name_at + 1] if cell)
            if not (self.grouped and head == before):
                yield self._line(head, number)
            before = head
            named = zip(self.names[self.name_at + 1 :], cells[self.name_at + 1 :], strict=True)
            values = [f"{name}: {cell}" if name else cell for name, cell in named if cell]
            for line in _packed(values, width - len(INDENT)):
                yield self._line(INDENT + line, number)

    def _line(self, words: str, number: int) -> Text:
        return Text(words, style=self._style(number), overflow="fold")

    def _style(self, number: int) -> str:
        return self.styles[number] if number < len(self.styles) else ""


def _packed(values: Sequence[str], width: int) -> Iterator[str]:
    """Yield lines of whole values as far as they fit; one that is longer has a line of its own."""
    line = ""
    for value in values:
        longer = f"{line}{APART}{value}" if line else value
        if line and cell_len(longer) > width:
            yield line
            longer = value
        line = longer
    if line:
        yield line
