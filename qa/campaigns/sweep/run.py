"""The whole fault matrix: every row x state x phase of injection x duration, or a sample of it.

Jobs are plain values and so are their results, for any process and for a file; which cells a sample
has follows from the seed. A sample of as many cells as there are pairs of a row and a state has
each pair once.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypedDict

from qa.campaigns.kept import Kept, digest
from qa.campaigns.sweep.shrink import ShrunkCell, shrink_cell
from qa.campaigns.workers import Where, spread
from qa.matrix.campaign import as_dict
from qa.matrix.cells import Cell, Stage, Verdict, run_cell
from qa.matrix.rows import ROWS, Row
from qa.matrix.witness import Sworn

PHASES: Final = 10
DURATIONS_S: Final = (0.02, 0.1, 0.4, 1.2)
"""Beside the row's own: shorter and longer than a lease, a debouncing and a reaction."""
PAIRS: Final = len(ROWS) * len(Stage)
"""How many cells a sample needs to have every row in every state once."""
SHRUNK_MAX: Final = 8


class Tried(TypedDict):
    """What a cell came to."""

    to_safe_s: float | None
    causes: list[str]
    wrong: list[str]


@dataclass(frozen=True, slots=True)
class Swept:
    """All that a campaign of the matrix came to."""

    seed: int
    of: int
    """How many cells the full matrix has."""
    verdicts: Sequence[Verdict]
    shrunk: Mapping[str, ShrunkCell]


def all_cells(seed: int) -> list[Cell]:
    """Return every cell of the full matrix, row by row."""
    return [
        Cell(name, stage, at / PHASES, seed, lasts_s)
        for name, row in ROWS.items()
        for stage in Stage
        for lasts_s in durations_of(row)
        for at in range(PHASES)
    ]


def durations_of(row: Row) -> list[float | None]:
    """Return how long a fault may last; None is the row's own time, which some rows are about."""
    fixed = row.ill.name == "FROZEN"
    return [*(each for each in DURATIONS_S if each < row.lasts_s and not fixed), None]


def sample(seed: int, count: int) -> list[Cell]:
    """Return ``count`` cells by chance: each row in each state once, then once more, and so on."""
    chance = random.Random(f"{seed} matrix")  # noqa: S311 - a campaign must repeat
    heaps: dict[tuple[str, Stage], list[Cell]] = {}
    for cell in all_cells(seed):
        heaps.setdefault((cell.row, cell.stage), []).append(cell)
    for heap in heaps.values():
        chance.shuffle(heap)
    order = list(heaps.values())
    chance.shuffle(order)
    picked: list[Cell] = []
    while len(picked) < count and any(order):
        picked += [heap.pop() for heap in order if heap]
    return picked[:count]


def key_of(cell: Cell) -> str:
    """Return the words that name a cell, as ``--only`` takes them."""
    lasts = "own" if cell.lasts_s is None else f"{cell.lasts_s:g}"
    return f"{cell.row} {cell.stage.value} {cell.phase:.4g} {lasts}"


def cell_of(key: str, seed: int) -> Cell:
    """Return the cell of such words; ValueError says what they must be."""
    try:
        row, stage, phase, lasts = key.split()
        where = float(phase)
        cell = Cell(row, Stage(stage), where, seed, None if lasts == "own" else float(lasts))
    except ValueError:
        raise ValueError(f"'{key}' is not ROW STATE PHASE SECONDS|own") from None
    if row not in ROWS or not 0.0 <= where <= 1.0:
        raise ValueError(f"'{key}' is no cell: there is no such row, or the phase is not 0 to 1")
    return cell


def try_cell(cell: Cell) -> Tried:
    """Run one cell."""
    verdict = run_cell(cell)
    sworn = verdict.sworn
    return {
        "to_safe_s": None if sworn.to_safe_s is None else round(sworn.to_safe_s, 6),
        "causes": list(sworn.causes),
        "wrong": list(verdict.wrong),
    }


def sweep(cells: Sequence[Cell], seed: int, where: Where, kept: Kept | None = None) -> Swept:
    """Run the cells and shrink the first violations; raises WorkersLostError."""
    jobs = {key_of(cell): cell for cell in cells}
    tried = dict(spread(try_cell, jobs, where, "cells", kept))
    verdicts = [_verdict(cell, tried[key]) for key, cell in jobs.items()]
    picked = {f"shrink {key_of(cell)}": cell for cell in _picked(verdicts)}
    least = dict(spread(shrink_cell, picked, where, "shrinking", kept))
    shrunk = {key_of(cell): least[key] for key, cell in picked.items()}
    return Swept(seed, len(all_cells(seed)), verdicts, shrunk)


def _verdict(cell: Cell, tried: Tried) -> Verdict:
    sworn = Sworn(to_safe_s=tried["to_safe_s"], causes=tuple(tried["causes"]))
    return Verdict(cell, sworn, tuple(tried["wrong"]))


def _picked(verdicts: Sequence[Verdict]) -> list[Cell]:
    """Return the violations that are worth shrinking: one of each row, then others."""
    firsts: dict[str, Cell] = {}
    others: list[Cell] = []
    for verdict in verdicts:
        cell = verdict.cell
        if verdict.wrong and firsts.setdefault(cell.row, cell) is not cell:
            others.append(cell)
    return [*firsts.values(), *others][:SHRUNK_MAX]


def figures(swept: Swept) -> dict[str, Any]:
    """Return the figures for ``--json``: those of the runs, and none of the machine."""
    found = as_dict(swept.verdicts, 0.0)
    due = [verdict for verdict in swept.verdicts if verdict.sworn.to_safe_s is not None]
    shares = [share for verdict in due if (share := share_of(verdict)) is not None]
    return {
        "campaign": "matrix",
        "runs": found["runs"],
        "violations": found["violations"],
        "seed": swept.seed,
        "of": swept.of,
        "rows": len({verdict.cell.row for verdict in swept.verdicts}),
        "due": len(due),
        "worst_share_of_budget": round(max(shares, default=0.0), 3),
        "results_sha256": _digest(swept.verdicts),
        "cells": found["cells"],
        "wrong": [
            {"cell": key_of(verdict.cell), "wrong": list(verdict.wrong)}
            for verdict in swept.verdicts
            if verdict.wrong
        ],
    }


def share_of(verdict: Verdict) -> float | None:
    """Return how much of the budget was used, or None where nothing was due."""
    took_s, budget_s = verdict.sworn.to_safe_s, ROWS[verdict.cell.row].budget_s
    return None if took_s is None or not budget_s > 0.0 else took_s / budget_s


def _digest(verdicts: Sequence[Verdict]) -> str:
    return digest(
        {key_of(v.cell): [v.sworn.to_safe_s, list(v.sworn.causes), list(v.wrong)] for v in verdicts}
    )
