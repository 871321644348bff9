"""Shrinks a cell that breaks a rule: one fault of several, the least duration, the first phase."""

import re
from collections.abc import Iterator
from typing import Final, TypedDict

from qa.campaigns.shrink import Tries, first
from qa.matrix.cells import Cell, run_cell
from qa.matrix.rows import ROWS
from qa.scenarios.dump import dump_scenario
from qa.scenarios.model import Scenario

DURATIONS_S: Final = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 1.5, 2.0)
PHASES: Final = (0.0, 0.25, 0.5, 0.75)
TITLE_MAX: Final = 160
NAME_MAX: Final = 40
_NUMBER: Final = re.compile(r"[\d.]+")


class ShrunkCell(TypedDict):
    """The least cell, as a scenario file."""

    scenario: str
    seen: str


def shrink_cell(cell: Cell) -> ShrunkCell:
    """Return the least cell that breaks the same rule."""
    wrong = run_cell(cell).wrong
    if not wrong:
        raise ValueError(f"{cell} breaks nothing")
    rule, tries, kept = _rule(wrong[0]), Tries(), cell

    def breaks(other: Cell) -> bool:
        return any(_rule(sentence) == rule for sentence in run_cell(other).wrong)

    for plainer in (_single, _shorter, _earlier):
        kept = first(plainer(kept), breaks, tries) or kept
    seen = next(each for each in run_cell(kept).wrong if _rule(each) == rule)
    return {"scenario": dump_scenario(_scenario(kept, seen)), "seen": seen}


def _rule(sentence: str) -> str:
    """Return a sentence without its numbers."""
    return _NUMBER.sub("#", sentence)


def _single(cell: Cell) -> Iterator[Cell]:
    faults = ROWS[cell.row].faults
    if len(faults) > 1:
        yield from (cell._replace(row=name) for name in faults if name in ROWS)


def _shorter(cell: Cell) -> Iterator[Cell]:
    own_s = ROWS[cell.row].lasts_s if cell.lasts_s is None else cell.lasts_s
    yield from (cell._replace(lasts_s=lasts_s) for lasts_s in DURATIONS_S if lasts_s < own_s)


def _earlier(cell: Cell) -> Iterator[Cell]:
    yield from (cell._replace(phase=phase) for phase in PHASES if phase < cell.phase)


def _scenario(cell: Cell, seen: str) -> Scenario:
    row = ROWS[cell.row]
    step = {"do": "bench-cell", "row": cell.row, "state": cell.stage.value, "phase": cell.phase}
    if cell.lasts_s is not None:
        step["lasts_s"] = cell.lasts_s
    name = (
        re.sub(r"[^a-z0-9]+", "-", f"matrix-{cell.row}-{cell.stage.value}".lower())
        .strip("-")[:NAME_MAX]
        .strip("-")
    )
    return Scenario.model_validate(
        {
            "name": name.strip("-"),
            "title": f"Found by the fault matrix: {seen}"[:TITLE_MAX],
            "hazards": list(row.hazards),
            "seed": cell.seed,
            "steps": [step],
            "expect": [{"check": "promise"}],
        }
    )
