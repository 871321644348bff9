"""One measured figure, its goal, and the table and file they end in."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

TABLE_WIDTH = 150  # where there is no terminal to ask
MISSING = "not installed: make bench-peers"


@dataclass(frozen=True, slots=True)
class Figure:
    """A row: ``ratio`` is the value beside its reference, ``holds`` whether the goal is met.

    A figure without a goal informs; one that could not be measured has no value and says why.
    """

    figure: str
    value: float | None
    unit: str
    reference: str = ""
    ratio: float | None = None
    goal: str = ""
    holds: bool | None = None


def at_most(figure: Figure, limit: float, *, of_ratio: bool = False) -> Figure:
    """Return the figure with the goal that it, or its ratio, is at most ``limit``."""
    return _judged(figure, limit, "at most", of_ratio=of_ratio)


def at_least(figure: Figure, limit: float, *, of_ratio: bool = False) -> Figure:
    """Return the figure with the goal that it, or its ratio, is at least ``limit``."""
    return _judged(figure, limit, "at least", of_ratio=of_ratio)


def _judged(figure: Figure, limit: float, word: str, *, of_ratio: bool) -> Figure:
    got = figure.ratio if of_ratio else figure.value
    unit = "times" if of_ratio else figure.unit
    holds = None if got is None else (got <= limit if word == "at most" else got >= limit)
    row = asdict(figure) | {"goal": f"{word} {limit:g} {unit}".strip(), "holds": holds}
    return Figure(**row)


def show(figures: Sequence[Figure]) -> None:
    """Print the table."""
    table = Table(title="Corneum, measured on this machine", title_justify="left")
    for name in ("figure", "value", "unit", "beside", "ratio", "goal", "holds"):
        table.add_column(name, justify="right" if name in {"value", "ratio"} else "left")
    words = {True: "[green]yes[/]", False: "[red]no[/]", None: ""}
    for row in figures:
        table.add_row(
            row.figure,
            _number(row.value),
            row.unit,
            row.reference,
            _number(row.ratio),
            row.goal,
            words[row.holds] if row.value is not None else "not measured",
        )
    terminal = Console()
    (terminal if terminal.is_terminal else Console(width=TABLE_WIDTH)).print(table)


def write(figures: Sequence[Figure], path: Path) -> None:
    """Write bench.json: a list of objects with the fields of `Figure`."""
    path.write_text(json.dumps([asdict(row) for row in figures], indent=1) + "\n")


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
